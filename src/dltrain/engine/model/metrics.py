"""Metrics whose result is a vector, logged as numbers; metrics of scaled targets, told in the original unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras

from dltrain.config import KerasObject
from dltrain.config.catalogue.entries import trait
from dltrain.config.catalogue.names import metric_name, metric_parts, output_labels
from dltrain.data.facts import Scale


def parts_of(metrics: Iterable[KerasObject], class_names: tuple[str, ...], outputs: int) -> dict[str, tuple[str, ...]]:
    """Return the names of the numbers in the result of each metric that may be a vector; none for a single number."""
    labels = output_labels(class_names, outputs)
    vectors = (metric for metric in metrics if trait("metric", metric.name, "vector"))
    return {metric_name(metric): metric_parts(metric, labels) for metric in vectors}


def in_original_unit(metric: keras.Metric | str, scales: Sequence[Scale]) -> keras.Metric | str:
    """Make a metric of scaled targets compare what they were before.

    The metric stays Keras's own, so the saved model has nothing of this.
    """
    if not scales:
        return metric
    if isinstance(metric, str):
        found = keras.metrics.get(metric)  # for some strings a function, for others a metric
        if isinstance(found, keras.Metric):
            metric = type(found).from_config({**found.get_config(), "name": metric})
        else:
            metric = keras.metrics.MeanMetricWrapper(found, name=metric)
    measure = metric.update_state

    def update_state(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return measure(_original(y_true, scales), _original(y_pred, scales), sample_weight)

    metric.update_state = update_state
    return metric


def _original(values: Any, scales: Sequence[Scale]) -> Any:
    """Return the numbers, of shape (…, columns), that scales have made these of."""
    ops = keras.ops
    values = ops.cast(values, "float32")
    values = values * ops.array([s.scale for s in scales], "float32") + ops.array([s.shift for s in scales], "float32")
    if not any(scale.log for scale in scales):
        return values
    logs = ops.array([scale.log for scale in scales])
    return ops.where(logs, ops.expm1(ops.where(logs, values, 0.0)), values)


def log_as_numbers(model: keras.Sequential, parts: Mapping[str, tuple[str, ...]]) -> None:
    """Make a compiled model report the parts of its metrics beside their means.

    Keras itself hands a vector on to callbacks and logs, which take numbers. The metrics stay Keras's own, so the
    saved model has nothing of this.
    """
    if not parts:
        return
    measured = model.get_metrics_result

    def numbers() -> dict[str, Any]:
        return dict(_numbers(measured(), parts))

    model.get_metrics_result = numbers


def _numbers(results: Mapping[str, Any], parts: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Any]]:
    for name, value in results.items():
        if name in parts and len(value.shape) == 1:
            yield name, keras.ops.mean(value)
            yield from ((part, value[index]) for index, part in enumerate(parts[name]))
        else:
            yield name, value
