"""The metrics against the encoding of the labels."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.entries import find, follows_labels, trait
from dltrain.config.catalogue.labels import LabelEncoding, label_encoding
from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.data.facts import Facts
from dltrain.errors import Problem, Severity


def check_metrics(draft: Draft, loss: str | None, outputs: int | None, *, logits: bool) -> Iterator[Problem]:
    """Holds each metric against the labels that `loss` (a Keras class name) takes, and against logits."""
    data = draft.data
    if data is None:
        return
    encoding = label_encoding(loss, data.task, data.classes, outputs) if loss is not None else None
    if encoding == "one_hot" and outputs is None and data.classes == 2:
        encoding = None  # one column or two: the output would say
    for metric in draft.metrics or ():
        problem = _metric_problem(draft, metric, data, encoding)
        if problem is None and logits:
            problem = _metric_on_logits(draft, metric, loss, outputs)
        if problem is not None:
            yield problem


def _metric_problem(draft: Draft, metric: Placed, data: Facts, encoding: LabelEncoding | None) -> Problem | None:
    written = metric.object.name
    name = kind_of("metric", metric) or written
    labels = trait("metric", name, "labels")

    def wrong(message: str, hint: str, severity: Severity = "error") -> Problem:
        return draft.tell("metric-labels", message, metric.path, hint, severity)

    if data.task == "regression":
        if labels != "number":
            message = f"`{written}` counts classes, but the targets of `{data.name}` are numbers"
            return wrong(message, "write `MeanAbsoluteError` or `RootMeanSquaredError`")
        return None
    if encoding == "index" and labels in ("one_hot", "per_output", "binary", "number"):
        if trait("metric", f"Sparse{name}", "labels") == "integer":
            hint = f"write `Sparse{name}`"
            return wrong(f"`{written}` needs one-hot labels, but the loss takes integer labels", hint)
        message = f"`{written}` needs a label for every output, but the loss takes integer labels"
        return wrong(message, "write `loss: categorical_crossentropy`, which turns labels into one-hot rows")
    if encoding in ("one_hot", "binary") and labels == "integer":
        message = f"`{written}` takes integer labels, but with this loss labels are {_encoding_phrase(encoding)}"
        instead = name.removeprefix("Sparse") if encoding == "one_hot" else "accuracy"
        return wrong(message, f"write `{instead}`")
    if encoding == "one_hot" and labels == "binary" and trait("metric", name, "share") and (data.classes or 0) > 1:
        message = f"`{written}` counts each of the {data.classes} outputs on its own, so it flatters the model"
        return wrong(message, "write `accuracy`", "warning")
    if encoding == "binary" and labels == "one_hot":
        message = f"`{written}` needs one-hot labels, but with this loss and one output labels are 0 or 1"
        return wrong(message, "write `accuracy`")
    return None


def _encoding_phrase(encoding: str) -> str:
    return {"one_hot": "one-hot rows", "binary": "0 or 1"}.get(encoding, encoding)


def _metric_on_logits(draft: Draft, metric: Placed, loss: str | None, outputs: int | None) -> Problem | None:
    name = kind_of("metric", metric) or metric.object.name
    if trait("metric", name, "probabilities") and not value_of("metric", metric.object, "from_logits"):
        message = f"`{metric.object.name}` needs probabilities, but the model's outputs are logits"
        hint = "give the last layer an activation, and the loss no `from_logits`"
        entry = find("metric", name)
        if entry is not None and "from_logits" in entry.arguments:
            hint = f"write `{name}: {{from_logits: true}}`"
        return draft.tell("metric-logits", message, metric.path, hint, "warning")
    binary = outputs == 1 and trait("loss", loss, "binary")
    halved = name == "BinaryAccuracy" or follows_labels("metric", name)
    if binary and halved and "threshold" not in metric.object.arguments:
        message = f"`{metric.object.name}` splits outputs at 0.5, but they are logits, whose middle is 0"
        hint = "write `BinaryAccuracy: {threshold: 0, name: accuracy}`"
        return draft.tell("metric-logits", message, metric.path, hint, "warning")
    return None


def check_counts(draft: Draft, activation: str | None, outputs: int) -> Iterator[Problem]:
    """Metrics whose count cannot be wrong, or cannot be right, whatever the model says.

    Args:
        draft: has the metrics.
        activation: that of the output.
        outputs: numbers per sample that it has.
    """
    for metric in draft.metrics or ():
        for key in ("k", "top_k"):
            best = value_of("metric", metric.object, key)
            if isinstance(best, int) and best >= outputs and not (key == "k" and draft.data is None):
                yield _all_count(draft, metric, key, best, outputs)
        if trait("activation", activation, "range") != [0, 1]:
            continue
        for key in ("threshold", "thresholds"):
            threshold = value_of("metric", metric.object, key)
            if isinstance(threshold, int | float) and not 0 < threshold < 1:
                side = "below" if threshold >= 1 else "above"
                message = f"every output of `{activation}` is {side} {threshold:g}, so this metric counts all alike"
                path = metric.argument_path(key)
                yield draft.tell("metric-setting", message, path, f"write `{key}: 0.5`", "warning")


def _all_count(draft: Draft, metric: Placed, key: str, best: int, outputs: int) -> Problem:
    name, path = metric.object.name, metric.argument_path(key)
    hint = f"write a `{key}` from 1 to {outputs - 1}" if outputs > 2 else "write `accuracy`"
    if key == "top_k" and best > outputs:
        message = f"`{name}` takes the {best} highest outputs, but there are {outputs}"
        return draft.tell("metric-setting", message, path, hint)
    always = "counts every sample as right" if key == "k" else "takes all outputs for a yes"
    message = f"with `{key}: {best}` `{name}` {always}: there are {outputs} outputs"
    return draft.tell("metric-setting", message, path, hint, "warning")
