"""The values in which two configs differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dltrain.config.document.suggest import shown
from dltrain.config.schema import Spec
from dltrain.errors import KeyPath, dotted


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs; `str()` makes a phrase of it: "`train.optimizer` from `Adam` to `SGD`"."""

    path: KeyPath
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"`{dotted(self.path)}` from {_shown(self.before)} to {_shown(self.after)}"


def changes(before: Spec, after: Spec) -> list[Change]:
    """Return the changes from one config to another, defaults included; an object of another class is one change."""
    return list(_changes(before.dump(), after.dump(), ()))


def _changes(before: Any, after: Any, path: KeyPath) -> Iterator[Change]:
    of_another_class = _is_object(before) and _is_object(after) and before.keys() != after.keys()
    if isinstance(before, dict) and isinstance(after, dict) and not of_another_class:
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _changes(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, (*path, index))
    elif before != after:
        yield Change(path, before, after)


def _is_object(value: Any) -> bool:
    """Whether it is an object with its arguments: `{Dense: {units: 8}}`."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict)


def _shown(value: Any) -> str:
    """Return an object by its name alone, and other values as messages show them."""
    return shown(next(iter(value)) if _is_object(value) else value)
