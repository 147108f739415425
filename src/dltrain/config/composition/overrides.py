"""`-s key.path=value`: overrides in the tree of a config, each value with its place in the argument."""

from __future__ import annotations

import re
from dataclasses import replace

from dltrain.config.document.reader import MAX_DEPTH, MAX_KEY, ReadError, read
from dltrain.config.document.source import Node, Source
from dltrain.config.document.suggest import listing
from dltrain.errors import Problem, Where, dotted

_FLAG = "-s "  # in front of the argument where its place is shown


def apply_override(root: Node, argument: str) -> Problem | None:
    """Set the value of `key.path=value`, read as YAML, in the tree.

    Returns:
        the problem, if the argument cannot be read or its path does not exist.
    """
    name = _FLAG + argument
    path, equals, text = argument.partition("=")
    keys = path.strip().split(".")
    source = Source(name, name, "override")
    whole = source.at(0, len(_FLAG), len(name))
    if not equals or not all(keys):
        return Problem("override", "an override is written `key.path=value`", (), whole, "as in `-s train.epochs=3`")
    if len(keys) > MAX_DEPTH or any(len(key) > MAX_KEY for key in keys):
        return Problem("override", "a key path that no config has", (), whole, "as in `-s train.epochs=3`")
    start = len(_FLAG) + len(path) + 1
    value = _value(text, source, start)
    if isinstance(value, Problem):
        return value
    return _set(root, keys, value, source, len(_FLAG) + len(path) - len(path.lstrip()))


def _value(text: str, source: Source, start: int) -> Node | Problem:
    """Return the YAML value at column `start` of the argument; an empty one is null."""
    name = source.name
    if not text.strip():
        return Node(None, source.at(0, start))
    if re.match(r"\s*[<>]=?\s*[-+.\d]", text):  # a bound of `expect`, whose quotes the shell has taken
        return Node(text.strip(), source.at(0, start, len(name)))
    try:
        node = read(name, text, source.origin)
    except ReadError as error:
        problem = error.problem
        if problem.code == "empty":  # `null` and `~`
            return Node(None, source.at(0, start, len(name)))
        return replace(problem, where=_moved(problem.where, name, start) if problem.where else None)
    _move(node, name, start)
    return node


def _move(node: Node, name: str, start: int) -> None:
    """Shift the places of a value, which was read on its own, to its columns in the argument."""
    node.where = _moved(node.where, name, start)
    if node.key is not None:
        node.key = _moved(node.key, name, start)
    children = node.value.values() if isinstance(node.value, dict) else node.value
    if isinstance(node.value, dict | list):
        for child in children:
            _move(child, name, start)


def _moved(where: Where, name: str, start: int) -> Where:
    if where.line > 1:  # a value of several lines: keep its own text
        return where
    return replace(where, column=where.column + start, end_column=where.end_column + start, text=name)


def _set(root: Node, keys: list[str], value: Node, source: Source, column: int) -> Problem | None:
    node = root
    for depth, key in enumerate(keys):
        place = source.at(0, column, column + len(key))
        last = depth == len(keys) - 1
        if isinstance(node.value, list):
            problem = _check_index(node.value, key, keys[:depth], place)
            if problem is not None:
                return problem
            node.value = list(node.value)  # an alias may share it
            if last:
                node.value[int(key)] = value
                return None
            node.value[int(key)] = child = replace(node.value[int(key)])
            node = child
        else:
            problem = _make_mapping(node, key, keys[:depth], place)
            if problem is not None:
                return problem
            node.value = dict(node.value)
            if last:
                value.key = place
                node.value[key] = value
                return None
            child = replace(node.value[key]) if key in node.value else Node(None, place, place)
            node.value[key] = child
            node = child
        column += len(key) + 1
    return None


def _make_mapping(node: Node, key: str, before: list[str], place: Where) -> Problem | None:
    """Turn a node without keys into a mapping: null, or a bare `Name` that gets arguments."""
    if isinstance(node.value, dict):
        return None
    if node.value is None:
        node.value = {}
        return None
    if node.value == key:
        node.value = {key: Node(None, node.where, node.where)}
        return None
    parent = dotted(tuple(before)) or "the config"
    message = f"`{parent}` is `{node.value}`, so it has no `{key}`"
    return Problem("override", message, tuple(before), place, _hint(parent, node, key))


def _hint(parent: str, node: Node, key: str) -> str:
    if isinstance(node.value, str) and node.value[:1].isupper():
        return f"write `-s {parent}.{node.value}.{key}=…`"
    return f"write `-s {parent}={{{key}: …}}`"


def _check_index(items: list[Node], key: str, before: list[str], place: Where) -> Problem | None:
    parent = dotted(tuple(before))
    if key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(items):
        return None
    named = [next(iter(i.value)) if isinstance(i.value, dict) and i.value else str(i.value) for i in items]
    message = f"`{parent}` is a list of {len(items)} without a position `{key}`"
    counted = listing([f"{index} {name}" for index, name in enumerate(named)])
    return Problem("override", message, (), place, f"positions count from 0: {counted}")
