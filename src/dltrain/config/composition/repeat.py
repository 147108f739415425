"""`repeat: {times: 3, layers: [...]}` among layers, expanded to the list that the model is built from."""

from __future__ import annotations

from dltrain.config.catalogue.phrases import number_hint
from dltrain.config.document.reader import MAX_ENTRIES, MAX_NODES
from dltrain.config.document.source import Node
from dltrain.config.document.suggest import rename, shown
from dltrain.errors import Fix, KeyPath, Problem

_Item = tuple[KeyPath, Node]  # a layer and where it is written

_KEYS = ("times", "layers")
_EXAMPLE = "write `repeat: {times: 3, layers: [...]}`"


def expand(root: Node) -> tuple[list[KeyPath], list[Problem]]:
    """Return the paths of the layers in the config, in the order of the model, and the problems of its repeats."""
    model = root.value.get("model") if isinstance(root.value, dict) else None
    layers = model.value.get("layers") if model is not None and isinstance(model.value, dict) else None
    if layers is None or not isinstance(layers.value, list):
        return [], []
    problems: list[Problem] = []
    found = _items(layers, ("model", "layers"), problems)
    if len(found) > MAX_ENTRIES:
        message = f"more than {MAX_ENTRIES:,} layers, repeated ones counted"
        place = layers.key or layers.where
        problems.append(Problem("too-many-layers", message, ("model", "layers"), place, "use fewer"))
        found = found[:MAX_ENTRIES]
    return [path for path, _ in found], problems


def is_repeat(node: Node) -> bool:
    return isinstance(node.value, dict) and "repeat" in node.value and len(node.value) == 1


def _items(layers: Node, path: KeyPath, problems: list[Problem]) -> list[_Item]:
    found: list[_Item] = []
    for index, item in enumerate(layers.value):
        if is_repeat(item):
            found += _repeated(item.value["repeat"], (*path, index, "repeat"), problems)
        else:
            found.append(((*path, index), item))
        if len(found) > MAX_ENTRIES:
            break  # more is an error in any case
    return found


def _repeated(node: Node, path: KeyPath, problems: list[Problem]) -> list[_Item]:
    place = node.key or node.where
    if not isinstance(node.value, dict):
        problems.append(
            Problem("wrong-type", f"`repeat` must be a mapping, not {shown(node.plain())}", path, node.where, _EXAMPLE)
        )
        return []
    for key, child in node.value.items():
        if key not in _KEYS:
            fix = rename(key, _KEYS) or Fix("choose", _KEYS, "it takes `times` and `layers`")
            problems.append(
                Problem("unknown-key", f"unknown key `{key}` in `repeat`", (*path, key), child.key or place, fix)
            )
    for key in _KEYS:
        if key not in node.value:
            problems.append(Problem("missing-key", f"missing key `{key}` in `repeat`", (*path, key), place, _EXAMPLE))
    once = _inner(node.value.get("layers"), (*path, "layers"), problems)
    times = _times(node.value.get("times"), (*path, "times"), problems)
    if times * len(once) > MAX_ENTRIES or times * sum(item.size for _, item in once) > MAX_NODES:
        message = f"{times:,} times {len(once):,} layers are more than a model may have"
        hint = f"lower `times`: a model has at most {MAX_ENTRIES:,} layers"
        problems.append(Problem("too-many-layers", message, (*path, "times"), node.value["times"].where, hint))
        return once
    return once * times


def _inner(layers: Node | None, path: KeyPath, problems: list[Problem]) -> list[_Item]:
    if layers is None:
        return []
    if not isinstance(layers.value, list):
        message = f"`layers` of `repeat` must be a list, not {shown(layers.plain())}"
        problems.append(Problem("wrong-type", message, path, layers.where, _EXAMPLE))
        return []
    if not layers.value:
        message = "`layers` of `repeat` is empty"
        problems.append(Problem("too-short", message, path, layers.key or layers.where, "write at least one"))
    return _items(layers, path, problems)


def _times(node: Node | None, path: KeyPath, problems: list[Problem]) -> int:
    """Return the count; 1 if it is invalid, so that the layers inside are checked all the same."""
    if node is None:
        return 1
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        if 1 <= value <= MAX_ENTRIES:
            return value
        message = f"`times` of `repeat` must be at least 1 and at most {MAX_ENTRIES:,}, not {shown(value)}"
        problems.append(Problem("out-of-range", message, path, node.where, "as in `times: 2`"))
        return 1
    message = f"`times` of `repeat` must be an integer, not {shown(node.plain())}"
    problems.append(
        Problem("wrong-type", message, path, node.where, number_hint(value, ("int",)) or "as in `times: 2`")
    )
    return 1
