"""Data -> YAML text that the reader reads back: on one line, or as blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.errors import KeyPath

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*|[0-9]+([.][0-9]+)? epochs?")
_BARE_KEY = re.compile(r"[A-Za-z_]([^:#\x00-\x1f\x7f-\x9f\u2028\u2029]*[^:#\s\x00-\x1f\x7f-\x9f])?")

# Whether a mapping or list becomes a block, by its path, itself and the columns that it takes on one line.
Opens = Callable[[KeyPath, Any, int], bool]


def flow(value: Any) -> str:
    """Return a value on one line."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return quote(str(value))


def _key(key: str | int) -> str:
    return str(key) if isinstance(key, int) else quote(str(key))


def quote(text: str) -> str:
    """Return a string bare if it reads back as itself, else in double quotes with escapes."""
    bare = _BARE.fullmatch(text) and text.lower() not in ("null", "true", "false")
    return text if bare else '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    """Return a letter as JSON escapes it, but one beyond 16 bits, such as an emoji, as YAML does: not as two."""
    return f"\\U{ord(letter):08x}" if ord(letter) > 0xFFFF else json.dumps(letter)[1:-1]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block: the value at `path`, or the key of a mapping or list that follows (`opens`)."""

    text: str
    path: KeyPath
    opens: bool = False


def block(data: Mapping[str, Any], opens: Opens, indent: int = 0) -> Iterator[Line]:
    """Yield the lines of a mapping, one key a line; a value that opens a block follows below its key."""
    return _mapping(data, (), " " * indent, opens)


def _mapping(data: Mapping[str, Any], path: KeyPath, indent: str, opens: Opens) -> Iterator[Line]:
    for key, value in data.items():
        here = (*path, key)
        head = f"{indent}{key if _BARE_KEY.fullmatch(str(key)) else _key(key)}:"
        whole = f"{head} {flow(value)}"
        if not _opens(here, value, whole, opens):
            yield Line(whole, here)
            continue
        yield Line(head, here, opens=True)
        below = _mapping if isinstance(value, Mapping) else _items
        yield from below(value, here, indent + "  ", opens)


def _items(items: Sequence[Any], path: KeyPath, indent: str, opens: Opens) -> Iterator[Line]:
    for index, item in enumerate(items):
        here = (*path, index)
        whole = f"{indent}- {flow(item)}"
        if not (isinstance(item, Mapping) and _opens(here, item, whole, opens)):
            yield Line(whole, here)
            continue
        first, *rest = _mapping(item, here, indent + "  ", opens)
        yield Line(f"{indent}- {first.text.lstrip()}", first.path, first.opens)
        yield from rest


def _opens(path: KeyPath, value: Any, whole: str, opens: Opens) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value) and opens(path, value, len(whole))
