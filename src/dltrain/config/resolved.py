"""A checked spec as YAML: every default and override filled in, with or without the origin of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.config.catalogue import datasets, entries, objects
from dltrain.config.catalogue.kinds import section_of
from dltrain.config.document.reader import MAX_BYTES, MAX_NODES
from dltrain.config.document.source import Node
from dltrain.config.document.writer import Line, block
from dltrain.config.schema import Spec
from dltrain.data.facts import Task
from dltrain.errors import KeyPath

FLOAT32 = "float32"
_HEAD = "# every default and override filled in; to fit this file is to do the same run again\n"


def complete(spec: Spec, task: Task | None, *, of_run: bool = False) -> Spec:
    """Return the spec with every default of its Keras objects filled in, and the task of a data set that has none.

    In mixed precision, the layers that make the output get `dtype: float32`, as Keras's guide to mixed precision has
    it: 16 bits are too few for probabilities and losses. A `dtype` that is written stays, and so does the config of a
    run: there, what is not written was not set when it was trained.
    """
    data = spec.dump()
    if spec.train.precision != FLOAT32 and not of_run:
        _set_output_dtype(data["model"]["layers"])
    for pattern, section in objects.FIELDS.items():
        parent, key = data[str(pattern[0])], str(pattern[1])
        if pattern[-1] == "*":
            parent[key] = [_complete_object(section, item) for item in parent[key]]
        else:
            parent[key] = _complete_object(section, parent[key])
    if task is not None and not datasets.has_task(spec.data.dataset.name):
        data["data"]["task"] = task
    checkpoint = data["train"]["checkpoint"]
    if checkpoint["monitor"] is None:
        checkpoint["monitor"] = "val_loss" if data["data"]["validation"] else "loss"
    return Spec.model_validate(data)


def _set_output_dtype(layers: list[str | dict[str, Any]]) -> None:
    """Set the dtype of the last layer that computes, and of those behind it, which pass its numbers on."""
    for index in range(len(layers) - 1, -1, -1):
        name, layers[index] = _in_float32(layers[index])
        if not entries.passes_on(name):
            return


def _in_float32(layer: str | dict[str, Any]) -> tuple[str, str | dict[str, Any]]:
    """Return the name of a layer, and the layer in float32, that inside a wrapper included."""
    name, arguments = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
    entry = entries.find("layer", name)
    if entry is None or "dtype" not in entry.arguments:
        return name, layer
    inner = {
        key: _in_float32(arguments[key])[1]
        for key, argument in entry.arguments.items()
        if section_of(argument) == "layer" and isinstance(arguments.get(key), str | dict)
    }
    return name, {name: {"dtype": FLOAT32, **arguments, **inner}}


def _complete_object(section: str, item: str | dict[str, Any]) -> str | dict[str, Any]:
    name, arguments = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    name, arguments = objects.complete(section, name, arguments)
    return {name: arguments} if arguments else name


def dump(data: Mapping[str, Any]) -> str:
    """Return a config as YAML: sections as blocks, one Keras object a line."""

    def opens(path: KeyPath, value: Any, columns: int) -> bool:
        return len(path) == (1 if isinstance(value, dict) else 2)

    return _HEAD + "".join(f"{line.text}\n" for line in block(data, opens))


def readable(data: Mapping[str, Any]) -> bool:
    """Whether the resolved config can be read again: it is larger than the file that it comes from."""
    return _count(data) <= MAX_NODES and len(dump(data).encode()) <= MAX_BYTES


def _count(value: Any) -> int:
    """Return the keys and values of a config, as the reader counts them."""
    if isinstance(value, Mapping):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list | tuple) else 1


def with_origins(data: dict[str, Any], tree: Node, layers: Sequence[Node]) -> str:
    """Return the config as YAML, one value a line, each with its origin in a comment.

    Args:
        data: the completed spec.
        tree: the config as written, its bases and overrides merged.
        layers: the layers as written, repeats expanded.
    """

    def opens(path: KeyPath, value: Any, columns: int) -> bool:
        return isinstance(value, dict) or path == ("model", "layers") or any(isinstance(item, dict) for item in value)

    def origin(line: Line) -> str:
        if line.path[:2] == ("model", "layers") and len(line.path) > 2:
            index = int(line.path[2])
            return _origin(line, line.path[3:], data["model"]["layers"][index], layers[index])
        return _origin(line, line.path, data, tree)

    rows = [(line.text, origin(line)) for line in block(data, opens)]
    width = min(44, max(len(text) for text, _ in rows))
    return "".join(f"{text:<{width}}  # {origin}\n" if origin else f"{text}\n" for text, origin in rows)


def _origin(line: Line, path: KeyPath, data: Any, node: Node) -> str:
    """Return the origin of a line; empty for a key that heads a block, unless it is an object's bare name.

    Args:
        line: a line of the completed config.
        path: leads to its value in `data`.
        data: a part of the completed config.
        node: the same part as written.
    """
    if not line.opens:
        return _place(_written(node, path, data))
    parent = _written(node, path[:-1], data) if path else None
    return _place(parent) if parent is not None and isinstance(parent.value, str) else ""


def _place(node: Node | None) -> str:
    if node is None or node.where.origin == "default":
        return "default"
    return node.where.file if node.where.origin == "override" else f"{node.where.file}:{node.where.line}"


def _written(node: Node, path: KeyPath, data: Any) -> Node | None:
    """Return the node behind the value at `path` in the completed `data`; None for a default."""
    found: Node | None = node
    for key in path:
        inner = found.value if found is not None else None
        if isinstance(inner, dict) and len(inner) == len(data) == 1:  # an object, its name perhaps an alias
            (found,) = inner.values()
        elif isinstance(inner, dict):
            found = inner.get(key)
        elif isinstance(inner, list) and int(key) < len(inner):
            found = inner[int(key)]
        else:
            found = None
        data = data[key]
    return found
