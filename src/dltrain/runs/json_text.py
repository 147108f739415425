"""The JSON of runs: strict, UTF-8, NaN and infinities as null."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any

_DEEPEST = 50  # levels; what is read is written again, one call a level


def to_json(value: Any, *, indent: int | None = 2) -> bytes:
    """Return JSON text that ends in a newline; NaN and infinities, which JSON lacks, become null.

    Mappings, lists, tuples and scalar numbers of other libraries are accepted. TypeError for anything else.
    """
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
    # A lone surrogate (an undecodable byte of a file name) becomes \udcXX, which is JSON's own escape for it.
    return text.encode("utf-8", "backslashreplace")


def from_json(data: bytes) -> Any:
    """Parse JSON text. ValueError for anything invalid, and for more than `_DEEPEST` levels."""
    try:
        value = json.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return value
    raise ValueError("nested too deeply")


def _items(value: Any) -> Collection[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def finite_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**63


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
