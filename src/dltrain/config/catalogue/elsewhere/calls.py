"""Objects in forms of other frameworks: Python calls as text, and a name among the arguments."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from dltrain.config.catalogue.elsewhere.words import OPEN

_LONGEST = 300  # characters of a call
_NAMES = ("class_name", "_target_", "type", "name", "kind", "class")
_ARGUMENTS = ("config", "params", "args", "kwargs", "arguments", "init_args")
_OF_KERAS = ("module", "registered_name", "build_config")


def call_of(text: str) -> tuple[str, list[Any], dict[str, Any]] | None:
    """Return the name, positional and keyword arguments of `Dense(64, activation='relu')`; None for other text.

    Arguments that are no plain values are open. Nothing is run.
    """
    if len(text) > _LONGEST or not text.rstrip().endswith(")"):
        return None
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name | ast.Attribute):
        return None
    named = {item.arg: _plain(item.value) for item in call.keywords if item.arg is not None}
    return ast.unparse(call.func), [_plain(item) for item in call.args], named


def _plain(node: ast.expr) -> Any:
    try:
        return _as_yaml(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return OPEN


def _as_yaml(value: Any) -> Any:
    """Return a literal with lists for tuples; what YAML does not have is open."""
    if isinstance(value, list | tuple):
        return [_as_yaml(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else OPEN


def named_among(value: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the name and arguments of `{type: Dense, units: 10}` or `{class_name: Dense, config: {units: 10}}`."""
    key = next((key for key in _NAMES if isinstance(value.get(key), str)), None)
    if key is None:
        return None
    given: dict[str, Any] = {}
    for other, item in value.items():
        if other in _ARGUMENTS and (item is None or isinstance(item, Mapping)):
            given |= item or {}
        elif other != key and other not in _OF_KERAS:
            given[other] = item
    return value[key], {name: _unwrapped(item) for name, item in given.items()}


def _unwrapped(value: Any) -> Any:
    """Return an object within another as a config has it; other values as they are."""
    found = named_among(value) if isinstance(value, Mapping) and "class_name" in value else None
    if found is None:
        return value
    name, arguments = found
    return {name: arguments} if arguments else name
