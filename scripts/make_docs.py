"""Write the tables of docs/config.md from the schema and the data sources that `check` uses.

Run as `python scripts/make_docs.py`; with `--check`, exit 1 if the guide is stale. Each table is between
`<!-- generated: keys data -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from dltrain.config.catalogue import datasets  # noqa: E402
from dltrain.config.catalogue.kinds import expected  # noqa: E402
from dltrain.config.document.writer import flow  # noqa: E402
from dltrain.config.manual.keys import Key, keys  # noqa: E402
from dltrain.data.sources import SOURCES  # noqa: E402

TARGET = ROOT / "docs/config.md"
_BLOCK = re.compile(r"(<!-- generated: ([\w ]+) -->\n).*?(<!-- /generated -->)", re.S)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells).replace("| --- ", "|---").replace("|--- |", "|---|")


def key_rows(section: str) -> Iterable[Sequence[str]]:
    """Yield rows for the keys of a section and its subsections; for the empty section, the top-level keys."""
    for key in keys():
        if key.section or not key.path.startswith(f"{section}." if section else ""):
            continue
        name = key.path.removeprefix(f"{section}.")
        if section or "." not in name:
            yield f"`{name}`", key.takes, _default(key), key.meaning


def _default(key: Key) -> str:
    return key.phrase or f"`{key.default}`"


def argument_rows(dataset: str) -> Iterable[Sequence[str]]:
    for name, argument in datasets.ENTRIES[dataset].arguments.items():
        default = "required" if argument.required else f"`{flow(argument.default)}`"
        yield f"`{name}`", expected(argument), default, argument.meaning


def generated(what: str) -> str:
    """Return the table of a marker, such as `keys data`."""
    kind, _, name = what.partition(" ")
    if kind == "keys":
        return table(("key", "takes", "default", "meaning"), key_rows(name))
    if kind == "dataset":
        return table(("argument", "takes", "default", "meaning"), argument_rows(name))
    if kind == "datasets":
        return table(("data set", ""), ((f"`{name}`", source.description) for name, source in SOURCES.items()))
    raise SystemExit(f"{TARGET}: nothing is known about `generated: {what}`")


def text() -> str:
    """Return the guide with up-to-date tables."""
    return _BLOCK.sub(lambda m: f"{m[1]}{generated(m[2])}\n{m[3]}", TARGET.read_text(encoding="utf-8"))


def main() -> int:
    made = text()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == made:
            return 0
        print(f"{TARGET} is stale: run python scripts/make_docs.py", file=sys.stderr)
        return 1
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
