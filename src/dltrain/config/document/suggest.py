"""Did you mean …?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from dltrain.errors import Fix


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely was meant to be; None where nothing is near."""
    by_fold: dict[str, str] = {}
    for name in known:
        by_fold.setdefault(_fold(name), name)
    if (folded := _fold(word)) in by_fold:
        return by_fold[folded]
    near = difflib.get_close_matches(folded, by_fold, n=1, cutoff=0.7)
    return by_fold[near[0]] if near else None


def rename(word: str, known: Iterable[str]) -> Fix | None:
    """The name that `word` most likely was meant to be, as a fix; None where nothing is near."""
    near = closest(word, known)
    return Fix("rename", (near,)) if near is not None else None


def near_files(path: Path) -> str:
    """What to write instead of the path of a config that does not exist; empty where nothing is near."""
    try:
        files = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    except OSError:
        return f"there is no directory {path.parent}"
    near = closest(path.name, files) or next((name for name in files if Path(name).stem == path.name), None)
    return f"did you mean {path.parent / near}?" if near else ""


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def listing(words: Iterable[str], limit: int = 12) -> str:
    """`a`, `b`, `c`, … as one phrase, cut after `limit`."""
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted[:limit]) + (", …" if len(quoted) > limit else "")


def shown(value: object, quoted: bool = False) -> str:
    """A plain value as a message names it: `64`, `[3, 3]`, `nothing`, `a mapping`."""
    if quoted:
        return f'`"{_cut(str(value), 38)}"`'
    return _described(value) or f"`{_short(value)}`"


def short(value: object) -> str:
    """The same without the marks of code, to stand inside them."""
    return _described(value) or _short(value)


def _described(value: object) -> str:
    """What is told of a value rather than shown of it; empty for one that is short enough to show."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list) and (len(value) > 4 or any(isinstance(item, dict | list) for item in value)):
        return f"a list of {len(value)}"
    return ""


def _short(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(short(item) for item in value)}]"
    return _cut(str(value), 40)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
