"""A text, and the tree of its values, each with its line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dltrain.errors import KeyPath, Origin, Where

# The line breaks of YAML, by which its marks count lines.
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Source:
    """A text with a name, which makes `Where`s."""

    def __init__(self, name: str, text: str, origin: Origin = "file") -> None:
        self.name = name
        self.origin = origin
        self.lines = LINE_BREAK.split(text)

    def cut(self, length: int) -> Source:
        """The same text, each line with at most `length` characters."""
        other = Source(self.name, "", self.origin)
        other.lines = [line[:length] for line in self.lines]
        return other

    def at(self, line: int, column: int, end_column: int | None = None) -> Where:
        """The place at 0-based `line` and `column`; without an end, one character."""
        text = self.lines[line].rstrip("\r") if line < len(self.lines) else ""
        end = max(column + 1, min(len(text), end_column) if end_column is not None else column + 1)
        return Where(self.name, line + 1, column + 1, end + 1, text, self.origin)

    def between(self, start: Any, end: Any) -> Where:
        """The stretch between two YAML marks, cut at the end of its first line."""
        if end.line == start.line:
            return self.at(start.line, start.column, end.column)
        text = self.lines[start.line].rstrip() if start.line < len(self.lines) else ""
        return self.at(start.line, start.column, len(text))


@dataclass(slots=True)
class Node:
    """A value with its place; `key` is the place of the mapping key before it.

    `value` is None, a bool, int, float or str, a list of nodes, or a dict from strings to nodes.
    """

    value: Any
    where: Where
    key: Where | None = None
    size: int = 1
    quoted: bool = False

    def plain(self) -> Any:
        """The value without places, as `json` would hold it."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


def locate(root: Node, path: KeyPath) -> Node | None:
    """Return the node at `path`; None where nothing is written there."""
    node, whole = _follow(root, path)
    return node if whole else None


def nearest(root: Node, path: KeyPath) -> Node:
    """Return the node at `path`, or the nearest one above it."""
    return _follow(root, path)[0]


def place_of(root: Node, path: KeyPath) -> Where:
    """Return the place of a value: its own for a scalar, else that of its key."""
    node = nearest(root, path)
    if isinstance(node.value, dict | list) and node.key is not None:
        return node.key
    if isinstance(node.value, dict) and len(node.value) == 1:
        return next(iter(node.value.values())).key or node.where
    return node.where


def _follow(root: Node, path: KeyPath) -> tuple[Node, bool]:
    """Return the last node along `path`, and whether the whole path exists."""
    node = root
    for key in path:
        if isinstance(node.value, dict) and key in node.value:
            node = node.value[str(key)]
        elif isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        else:
            return node, False
    return node, True
