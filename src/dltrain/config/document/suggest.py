"""Did you mean …?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from dltrain.errors import Fix

_LONGEST = 80  # characters of a name


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that `word` most likely stands for; None if nothing is near."""
    if len(word) > _LONGEST:
        return None
    by_fold: dict[str, str] = {}
    for name in known:
        by_fold.setdefault(_fold(name), name)
    if (folded := _fold(word)) in by_fold:
        return by_fold[folded]
    near = difflib.get_close_matches(folded, by_fold, n=1, cutoff=0.7)
    return by_fold[near[0]] if near else None


def rename(word: str, known: Iterable[str]) -> Fix | None:
    """Return the name that `word` most likely stands for, as a fix; None if nothing is near."""
    near = closest(word, known)
    return Fix("rename", (near,)) if near is not None else None


def near_files(path: Path) -> str:
    """Return a hint for the path of a config that does not exist; empty if nothing is near."""
    try:
        files = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    except OSError:
        return f"there is no directory {path.parent}"
    near = closest(path.name, files) or next((name for name in files if Path(name).stem == path.name), None)
    return f"did you mean {path.parent / near}?" if near else ""


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def listing(words: Iterable[str], limit: int = 12) -> str:
    """Return `a`, `b`, `c`, … as one phrase of at most `limit` names."""
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted[:limit]) + (", …" if len(quoted) > limit else "")


def shown(value: object, quoted: bool = False) -> str:
    """Return a plain value as a message shows it: in backticks, or as `nothing`, `a mapping`, `a list of 5`."""
    if quoted:
        return f'`"{_cut(str(value), 38)}"`'
    return _described(value) or f"`{_short(value)}`"


def short(value: object) -> str:
    """Return the same without backticks, for use inside them."""
    return _described(value) or _short(value)


def _described(value: object) -> str:
    """Return a description of a value that is not shown itself; empty for one that is."""
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
