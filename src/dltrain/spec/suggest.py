"""Did you mean …?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely was meant to be; None where nothing is near."""
    by_fold: dict[str, str] = {}
    for name in known:
        by_fold.setdefault(_fold(name), name)
    if (folded := _fold(word)) in by_fold:
        return by_fold[folded]
    near = difflib.get_close_matches(folded, by_fold, n=1, cutoff=0.7)
    return by_fold[near[0]] if near else None


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def listing(words: Iterable[str], limit: int = 12) -> str:
    """`a`, `b`, `c`, … as one phrase, cut after `limit`."""
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted[:limit]) + (", …" if len(quoted) > limit else "")


def shown(value: object) -> str:
    """A plain value the way a YAML file says it, short enough for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if len(value) > 4 else f"`{value}`"
    text = str(value)
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"
