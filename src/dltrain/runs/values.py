"""Values of run.json as they are read, each of one type, and as they are written.

A reader gets the key and the value, and raises ValueError for a value of another type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from dltrain.runs.json_text import finite_number

Reader = Callable[[str, Any], Any]


def wrong(key: str, value: Any) -> ValueError:
    """Return the error of a value that is not what its key says."""
    return ValueError(f"`{key}` is {str(value)[:40]!r}")


def as_text(key: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    raise wrong(key, value)


def as_flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(key, value)
    return value


def as_count(key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise wrong(key, value)
    return value


def as_number(key: str, value: Any) -> float:
    if not finite_number(value):
        raise wrong(key, value)
    return float(value)


def as_texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"`{key}` is not a list")
    return tuple(as_text(key, item) for item in value)


def as_mapping(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise wrong(key, value)
    return value


def as_text_by_name(key: str, value: Any) -> Mapping[str, str]:
    found = as_mapping(key, value)
    return {name: as_text(f"{key}.{name}", item) for name, item in found.items() if item is not None}


def as_directions(key: str, value: Any) -> Mapping[str, str]:
    found = as_text_by_name(key, value)
    if not set(found.values()) <= {"min", "max"}:
        raise wrong(key, value)
    return found


def as_metrics(key: str, value: Any) -> Mapping[str, float]:
    found = as_mapping(key, value)
    if not all(item is None or finite_number(item) for item in found.values()):
        raise ValueError("`metrics` holds what is no number")
    return {name: math.nan if item is None else item for name, item in found.items()}


def as_part(made: type, **readers: Reader) -> Reader:
    """Return the reader of an object with fields of its own; those without a reader are ignored."""

    def read(key: str, value: Any) -> Any:
        found = as_mapping(key, value)
        try:
            there = {name: reader for name, reader in readers.items() if found.get(name) is not None}
            return made(**{name: reader(name, found[name]) for name, reader in there.items()})
        except ValueError as error:
            raise ValueError(f"{error} in `{key}`") from None

    return read


def plain(value: Any) -> Any:
    """Return a value as JSON has it: fields of records that are None are left out, numbers that are none are null."""
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) is not None}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [plain(item) for item in value] if isinstance(value, tuple) else value
