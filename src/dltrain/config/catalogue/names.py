"""The names that Keras gives to layers and metrics, and which metric a name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from dltrain.config.catalogue import entries
from dltrain.config.schema import KerasObject
from dltrain.directions import lower_is_better


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


def metric_of(metrics: Iterable[KerasObject], column: str) -> KerasObject | None:
    """The metric that a run logs as `column`, of whatever split; None where there is none."""
    name = column.removeprefix("val_").removeprefix("test_")
    return next((metric for metric in metrics if metric_name(metric) == name), None)


def direction(metrics: Iterable[KerasObject], column: str) -> Literal["min", "max"] | None:
    """Which values of a column of a run are better; None where neither a metric nor the loss has that name.

    A metric counts by its class, so that it may have any `name`.
    """
    metric = metric_of(metrics, column)
    if metric is not None:
        entry = entries.find("metric", metric.name)
        return "min" if lower_is_better(snake_case(entry.name if entry is not None else metric.name)) else "max"
    return "min" if column.removeprefix("val_").removeprefix("test_") == "loss" else None


def snake_case(name: str) -> str:
    """Keras's own form of a class name: `Conv2DTranspose` -> `conv2d_transpose`."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
