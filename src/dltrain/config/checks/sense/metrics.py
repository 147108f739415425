"""The metrics against the form of the labels."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.labels import BINARY_LOSSES, LabelForm, label_form
from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.data.facts import Facts
from dltrain.errors import Problem, Severity

_INDEX_METRICS = {"SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "SparseCategoricalCrossentropy"}
_ONE_HOT_METRICS = {
    "CategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "OneHotIoU",
    "OneHotMeanIoU",
}
_BINARY_METRICS = {"BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "Hinge", "SquaredHinge"}
_COUNTING_METRICS = {
    "AUC",
    "Precision",
    "Recall",
    "F1Score",
    "FBetaScore",
    "TruePositives",
    "TrueNegatives",
    "FalsePositives",
    "FalseNegatives",
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
}
_NUMBER_METRICS = {
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "RootMeanSquaredError",
    "LogCoshError",
    "CosineSimilarity",
    "Poisson",
    "KLDivergence",
    "R2Score",
    "PearsonCorrelation",
    "ConcordanceCorrelation",
}
_CLASS_METRICS = _INDEX_METRICS | _ONE_HOT_METRICS | _BINARY_METRICS | _COUNTING_METRICS


def check_metrics(draft: Draft, loss: str | None, outputs: int | None, *, logits: bool) -> Iterator[Problem]:
    """Holds each metric against the labels that `loss` (a Keras class name) takes, and against logits."""
    data = draft.data
    if data is None:
        return
    form = label_form(loss, data.task, data.classes, outputs) if loss is not None else None
    if form == "one_hot" and outputs is None and data.classes == 2:
        form = None  # one column or two: the output would say
    for metric in draft.metrics or ():
        problem = _metric_problem(draft, metric, data, form)
        if problem is None and logits:
            problem = _metric_on_logits(draft, metric, loss, outputs)
        if problem is not None:
            yield problem


def _metric_problem(draft: Draft, metric: Placed, data: Facts, form: LabelForm | None) -> Problem | None:
    written = metric.object.name
    name = kind_of("metric", metric) or written

    def wrong(message: str, hint: str, severity: Severity = "error") -> Problem:
        return draft.tell("metric-labels", message, metric.path, hint, severity)

    if data.task == "regression":
        if name in _CLASS_METRICS or name in ("accuracy", "acc", "MeanIoU", "IoU"):
            message = f"`{written}` counts classes, but `{data.name}` gives numbers"
            return wrong(message, "write `MeanAbsoluteError` or `RootMeanSquaredError`")
        return None
    if form == "index" and name in _ONE_HOT_METRICS | _COUNTING_METRICS | _BINARY_METRICS | _NUMBER_METRICS:
        instead = f"Sparse{name}" if f"Sparse{name}" in _INDEX_METRICS else ""
        if instead:
            return wrong(f"`{written}` needs one-hot labels, but the loss takes class numbers", f"write `{instead}`")
        message = f"`{written}` needs a label for every output, but the loss takes class numbers"
        return wrong(message, "write `loss: categorical_crossentropy`, which turns labels into one-hot rows")
    if form in ("one_hot", "binary") and name in _INDEX_METRICS:
        message = f"`{written}` takes class numbers, but with this loss labels are {_form_words(form)}"
        instead = name.removeprefix("Sparse") if form == "one_hot" else "accuracy"
        return wrong(message, f"write `{instead}`")
    if form == "one_hot" and name in ("BinaryAccuracy", "BinaryIoU") and (data.classes or 0) > 1:
        message = f"`{written}` counts each of the {data.classes} outputs on its own, so it flatters the model"
        return wrong(message, "write `accuracy`", "warning")
    if form == "binary" and name in _ONE_HOT_METRICS:
        message = f"`{written}` needs one-hot labels, but with this loss and one output labels are 0 or 1"
        return wrong(message, "write `accuracy`")
    return None


def _form_words(form: str) -> str:
    return {"one_hot": "one-hot rows", "binary": "0 or 1"}.get(form, form)


def _metric_on_logits(draft: Draft, metric: Placed, loss: str | None, outputs: int | None) -> Problem | None:
    name = kind_of("metric", metric) or metric.object.name
    if name in _COUNTING_METRICS and not value_of("metric", metric.object, "from_logits"):
        message = f"`{metric.object.name}` needs probabilities, but the model's outputs are logits"
        hint = (
            "write `AUC: {from_logits: true}`"
            if name == "AUC"
            else "give the last layer an activation, and the loss no `from_logits`"
        )
        return draft.tell("metric-logits", message, metric.path, hint, "warning")
    binary = outputs == 1 and loss in BINARY_LOSSES
    if binary and name in ("accuracy", "acc", "BinaryAccuracy") and "threshold" not in metric.object.arguments:
        message = f"`{metric.object.name}` splits outputs at 0.5, but they are logits, whose middle is 0"
        hint = "write `BinaryAccuracy: {threshold: 0, name: accuracy}`"
        return draft.tell("metric-logits", message, metric.path, hint, "warning")
    return None
