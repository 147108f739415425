"""A checked spec as YAML text: every default and override filled in, with or without the origin of each value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.config.catalogue.objects import FIELDS, complete
from dltrain.config.document.source import Node
from dltrain.config.schema import Spec


def completed(spec: Spec) -> dict[str, Any]:
    """The spec as data with every object's defaults filled in."""
    data = spec.dump()
    for pattern, section in FIELDS.items():
        parent, key = data[str(pattern[0])], str(pattern[1])
        if pattern[-1] == "*":
            parent[key] = [_complete(section, item) for item in parent[key]]
        else:
            parent[key] = _complete(section, parent[key])
    checkpoint = data["train"]["checkpoint"]
    if checkpoint["monitor"] is None:
        checkpoint["monitor"] = "val_loss" if data["data"]["validation"] > 0 else "loss"
    return data


def _complete(section: str, item: str | dict[str, Any]) -> str | dict[str, Any]:
    name, arguments = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    name, arguments = complete(section, name, arguments)
    return {name: arguments} if arguments else name


def dump(data: dict[str, Any]) -> str:
    """A config as YAML: sections as blocks, one Keras object a line."""
    lines = ["# every default and override filled in; to fit this file is to do the same run again"]
    for key, value in data.items():
        if not isinstance(value, dict) or not value:
            lines.append(f"{key}: {flow(value)}")
            continue
        lines.append(f"{key}:")
        for inner, item in value.items():
            if isinstance(item, list) and item:
                lines.append(f"  {inner}:")
                lines += [f"    - {flow(entry)}" for entry in item]
            else:
                lines.append(f"  {inner}: {flow(item)}")
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """A value on one line, as this package's reader reads it back."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quote(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return quote(str(value))


def quote(text: str) -> str:
    """A word bare where it reads back as itself, else in double quotes with escapes."""
    import json

    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) and text.lower() not in ("null", "true", "false"):
        return text
    return json.dumps(text)


def with_origins(data: dict[str, Any], tree: Node, layers: Sequence[Node]) -> str:
    """The config as YAML, one value a line, each with a comment that says where it comes from.

    Args:
        data: the completed spec.
        tree: the config as it was written, its bases and overrides merged.
        layers: the layers as they were written, repeats expanded.
    """
    rows: list[tuple[str, str]] = []
    for key, value in data.items():
        node = _child(tree, key)
        if key == "model":
            rows += [("model:", ""), ("  layers:", "")]
            for item, written in zip(value["layers"], layers, strict=True):
                _item(item, written, "    ", rows)
        else:
            _entry(key, value, node, "", rows)
    width = min(44, max(len(text) for text, _ in rows))
    lines = [f"{text:<{width}}  # {origin}" if origin else text for text, origin in rows]
    return "\n".join(lines) + "\n"


def _child(node: Node | None, key: str) -> Node | None:
    return node.value.get(key) if node is not None and isinstance(node.value, dict) else None


def _origin(node: Node | None) -> str:
    where = node.where if node is not None else None
    if where is None or where.origin == "default":
        return "default"
    return where.file if where.origin == "override" else f"{where.file}:{where.line}"


def _entry(key: str, value: Any, node: Node | None, indent: str, rows: list[tuple[str, str]]) -> None:
    if isinstance(value, dict) and value:
        rows.append((f"{indent}{quote(key)}:", ""))
        _mapping(value, node, indent + "  ", rows)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        rows.append((f"{indent}{quote(key)}:", ""))
        written = node.value if node is not None and isinstance(node.value, list) else []
        for index, item in enumerate(value):
            _item(item, written[index] if index < len(written) else None, indent + "  ", rows)
    else:
        rows.append((f"{indent}{quote(key)}: {flow(value)}", _origin(node)))


def _mapping(value: dict[str, Any], node: Node | None, indent: str, rows: list[tuple[str, str]]) -> None:
    if node is not None and len(value) == 1:
        ((name, inner),) = value.items()
        if isinstance(node.value, str) and isinstance(inner, dict):  # a bare `Name`: its arguments are defaults
            rows.append((f"{indent}{name}:", _origin(node)))
            _mapping(inner, None, indent + "  ", rows)
            return
        if isinstance(node.value, dict) and len(node.value) == 1 and name not in node.value:
            node = Node({name: next(iter(node.value.values()))}, node.where)  # written under an alias
    for key, item in value.items():
        _entry(key, item, _child(node, key), indent, rows)


def _item(item: Any, node: Node | None, indent: str, rows: list[tuple[str, str]]) -> None:
    if not isinstance(item, dict):
        rows.append((f"{indent}- {flow(item)}", _origin(node)))
        return
    inner: list[tuple[str, str]] = []
    _mapping(item, node, indent + "  ", inner)
    (text, origin), *rest = inner
    rows.append((f"{indent}- {text.lstrip()}", origin))
    rows.extend(rest)
