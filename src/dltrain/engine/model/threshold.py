"""Metrics that divide answers into yes and no at another probability than in the training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dltrain.config.catalogue.entries import find, follows_labels
from dltrain.config.catalogue.labels import HALF, boundary
from dltrain.config.catalogue.names import metric_name

if TYPE_CHECKING:
    from dltrain.config import KerasObject
    from dltrain.config.schema import TrainSpec


def metrics_at(threshold: float, train: TrainSpec, *, single: bool) -> tuple[list[KerasObject], list[str]]:
    """Return the metrics of a training with a probability as their threshold, and the names of those that keep theirs.

    Args:
        threshold: between 0 and 1.
        train: has metrics and loss.
        single: whether the model has a single output for yes and no.
    """
    logits = bool(train.loss.arguments.get("from_logits", False))
    value = math.log(threshold / (1 - threshold)) if logits else threshold
    split_at = boundary(train.loss.name, logits)
    moved = [_divided_at(metric, value, split_at, single=single) for metric in train.metrics]
    pairs = list(zip(moved, train.metrics, strict=True))
    return [new or metric for new, metric in pairs], [f"`{metric_name(m)}`" for new, m in pairs if new is None]


def _divided_at(metric: KerasObject, threshold: float, usual: float, *, single: bool) -> KerasObject | None:
    """Return a metric that takes outputs above `threshold` for a yes, where it took those above `usual`.

    One with a threshold of its own, or with several, stays as it is, and so does one that has no use for one. None
    where Keras cannot divide logits there: `thresholds` are from 0 to 1.

    Args:
        metric: as the config has it.
        threshold: of the outputs, which may be logits.
        usual: the value of a single output between the two answers.
        single: as above.
    """
    name = metric_name(metric)
    if single and follows_labels("metric", metric.name):
        return metric.model_copy(update={"name": "BinaryAccuracy", "arguments": {"threshold": threshold, "name": name}})
    entry = find("metric", metric.name)
    if entry is None or "num_thresholds" in entry.arguments:
        return metric
    for key in ("threshold", "thresholds"):
        if key not in entry.arguments:
            continue
        value = metric.arguments.get(key, entry.arguments[key].default)
        none_said = key == "thresholds" and value is None and metric.arguments.get("top_k") is None
        if none_said or (isinstance(value, int | float) and value in (HALF, usual)):
            if key == "thresholds" and not 0 <= threshold <= 1:
                return None
            arguments = {**metric.arguments, key: threshold, "name": name}
            return metric.model_copy(update={"name": entry.name, "arguments": arguments})
    return metric
