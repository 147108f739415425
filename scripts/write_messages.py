"""Write the messages of each broken config in tests/broken next to it, as `dltrain check` prints them.

Run this after changing a message, and read the diff as a beginner would.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from dltrain.cli import diagnostics
from dltrain.config import load
from dltrain.errors import ConfigError

BROKEN = Path(__file__).parent.parent / "tests" / "broken"


def message(config: Path) -> str:
    """Return all messages about a config as printed to a pipe, without the memory size of this machine."""
    try:
        problems = load(config).checked.warnings
    except ConfigError as error:
        problems = error.problems
    text = "\n\n".join(click.unstyle(diagnostics.text(problem)) for problem in problems)
    text = text.replace(f"{config.parent}/", "")
    return re.sub(r"this machine has [\d.,]+ \w+", "this machine has … GiB", text) + "\n"


def main() -> None:
    """Write one .txt for each .yaml."""
    for config in sorted(BROKEN.glob("*.yaml")):
        config.with_suffix(".txt").write_text(message(config), encoding="utf-8")


if __name__ == "__main__":
    main()
