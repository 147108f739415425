"""The names that Keras gives to layers and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dltrain.config.catalogue import entries
from dltrain.config.schema import KerasObject


def class_name(item: KerasObject) -> str:
    entry = entries.find("layer", item.name)
    return entry.name if entry is not None else item.name


def layer_names(layers: Iterable[KerasObject]) -> list[str]:
    """The names that Keras gives layers in a fresh process: `conv2d`, `conv2d_1`; their own where they have one."""
    taken: dict[str, int] = {}
    names = []
    for layer in layers:
        given = layer.arguments.get("name")
        if isinstance(given, str):
            names.append(given)
            continue
        word = snake_case(class_name(layer))
        count = taken[word] = taken.get(word, -1) + 1
        names.append(f"{word}_{count}" if count else word)
    return names


def metric_name(metric: KerasObject) -> str:
    """The name under which Keras logs a metric: the word as written, its `name`, or its class in snake case."""
    given = metric.arguments.get("name")
    if isinstance(given, str):
        return given
    entry = entries.find("metric", metric.name)
    if entry is None or entry.name != metric.name:
        return metric.name
    argument = entry.arguments.get("name")
    if argument is not None and isinstance(argument.default, str):
        return argument.default
    return snake_case(entry.name)


def snake_case(name: str) -> str:
    """Keras's own form of a class name: `Conv2DTranspose` -> `conv2d_transpose`."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
