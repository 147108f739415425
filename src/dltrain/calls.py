"""Arguments of the Python functions: a wrong type is a `UsageError` that names the argument, as a wrong value is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.errors import UsageError


def path_of(value: object, what: str, expected: str = "a path", hint: str = "") -> Path:
    """Return a path that was given as text or as a path. Raises UsageError for anything else."""
    given = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(given, str):
        raise _wrong(what, expected, value, hint)
    return Path(given)


def text_of(value: object, what: str) -> str:
    """Return a text. Raises UsageError for anything else."""
    if not isinstance(value, str):
        raise _wrong(what, "text", value)
    return value


def flag_of(value: object, what: str) -> bool:
    """Return True or False. Raises UsageError for anything else."""
    if not isinstance(value, bool):
        raise _wrong(what, "True or False", value)
    return value


def listener_of(value: object) -> Callable[[Any], object]:
    """Return a function of an event. Raises UsageError for anything else."""
    if not callable(value):
        raise _wrong("`on_event`", "a function of one argument, an event", value)
    return value


def overrides_of(value: object) -> Sequence[str] | Mapping[str, Any]:
    """Return overrides as `-s` takes them, or by key path. Raises UsageError for anything else."""
    if isinstance(value, Mapping):
        for key in value:
            text_of(key, "a key of `overrides`")
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise _wrong("`overrides`", "a mapping from key paths to values, or a list of `key.path=value`", value)
    return value


def _wrong(what: str, expected: str, value: object, hint: str = "") -> UsageError:
    kind = type(value).__name__
    return UsageError(f"{what} must be {expected}, not {'nothing' if value is None else kind}", hint)
