"""The names that Keras gives to layers and metrics, and which metric a name stands for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from dltrain.config.catalogue import entries
from dltrain.config.schema import KerasObject, TrainSpec
from dltrain.directions import Direction, bare, direction_of

_LONGEST_PART = 40  # characters; the longest name of a metric and `val_` still fit before it


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


def output_labels(class_names: Sequence[str], outputs: int) -> tuple[str, ...]:
    """A word for each of a model's outputs: its class where there is one output a class, otherwise its index."""
    return tuple(class_names) if outputs == len(class_names) else tuple(map(str, range(outputs)))


def metric_parts(metric: KerasObject, labels: Sequence[str]) -> tuple[str, ...]:
    """The names of the numbers in a metric's result, if that is a vector; the metric's own name is that of their mean.

    `f1_score_<class>` for a number a class, `precision_<threshold>` for a number a threshold. Where the words do not
    make valid names that differ, their indices do. None for a single number.

    Args:
        metric: the metric as written.
        labels: a word for each output of the model.
    """
    value = _parted_by(metric)
    words = [*labels] if value is None else [f"{threshold!r}" for threshold in value]
    if len(words) < 2:
        return ()
    words = [re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", word)).strip("_") for word in words]
    if len(set(words)) < len(words) or not all(0 < len(word) <= _LONGEST_PART for word in words):
        words = [str(index) for index in range(len(words))]
    return tuple(f"{metric_name(metric)}_{word}" for word in words)


def _parted_by(metric: KerasObject) -> Sequence[object] | None:
    """The thresholds of a metric with one number a threshold, none for a single number; None for one number a class."""
    key = entries.trait("metric", metric.name, "vector")
    if key is None:
        return ()
    entry = entries.find("metric", metric.name)
    default = entry.arguments[key].default if entry is not None else None
    value = metric.arguments.get(key, default)
    if isinstance(value, list | tuple):
        return value
    return None if value is None and key != "thresholds" else ()


def metric_of(metrics: Iterable[KerasObject], column: str) -> KerasObject | None:
    """The metric that a run logs as `column`, of whatever split, or as a part of it; None where there is none."""
    name = bare(column)
    known = {metric_name(metric): metric for metric in metrics}
    vectors = [own for own, metric in known.items() if _parted_by(metric) != () and name.startswith(f"{own}_")]
    return known.get(name) or (known[max(vectors, key=len)] if vectors else None)


def direction(metrics: Iterable[KerasObject], column: str) -> Direction | None:
    """Which values of a column of a run are better; None where neither a metric nor the loss has that name.

    A metric counts by its class, so that it may have any `name`.
    """
    metric = metric_of(metrics, column)
    if metric is not None:
        entry = entries.find("metric", metric.name)
        return direction_of(snake_case(entry.name) if entry is not None else metric.name)
    return "min" if bare(column) == "loss" else None


def directions(train: TrainSpec, parts: Iterable[str]) -> dict[str, Direction]:
    """Which values of the loss, of each metric and of its parts are better; `mode` decides it for its monitor."""
    names = ("loss", *map(metric_name, train.metrics), *parts)
    known = {name: way for name in names if (way := direction(train.metrics, name)) is not None}
    mode = train.checkpoint.mode
    return known if mode == "auto" else {**known, bare(str(train.checkpoint.monitor)): mode}


def snake_case(name: str) -> str:
    """Keras's own form of a class name: `Conv2DTranspose` -> `conv2d_transpose`."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
