"""The metrics against the encoding of the labels and the outputs."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.entries import find, follows_labels, trait
from dltrain.config.catalogue.labels import LabelEncoding, boundary, label_encoding, one_hot_loss, splits_at_half
from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.config.schema import KerasObject
from dltrain.data.facts import Facts
from dltrain.errors import Problem, Severity


def check_metrics(draft: Draft, loss: str | None, outputs: int | None, activation: str | None) -> Iterator[Problem]:
    """Holds each metric against the labels that `loss` (a Keras class name) takes, and against the outputs.

    `outputs` and the last `activation` are None where they are not known.
    """
    data = draft.data
    if data is None:
        return
    encoding = label_encoding(loss, data.targets, data.classes, outputs) if loss is not None else None
    if encoding == "one_hot" and outputs is None and data.classes == 2:
        encoding = None  # one column or two: the output would say
    for metric in draft.metrics or ():
        problem = _metric_problem(draft, metric, data, encoding)
        if problem is None and data.task == "classification" and data.classes:
            problem = _metric_of_confusion(draft, metric, data, encoding, outputs)
        if problem is None and data.task == "classification" and data.classes:
            problem = _metric_over_classes(draft, metric, data, outputs)
        if problem is None and activation is not None:
            problem = _metric_on_outputs(draft, metric, loss, outputs, activation)
        if problem is not None:
            yield problem


def _metric_problem(draft: Draft, metric: Placed, data: Facts, encoding: LabelEncoding | None) -> Problem | None:
    written = metric.object.name
    name = kind_of("metric", metric) or written
    labels = trait("metric", name, "labels")

    accuracy = "BinaryAccuracy: {threshold: 0, name: accuracy}" if _of_logits(draft) else "accuracy"

    def wrong(message: str, hint: str, severity: Severity = "error") -> Problem:
        return draft.tell("metric-labels", message, metric.path, hint, severity)

    if data.targets == "flags" and (labels in ("one_hot", "integer") or follows_labels("metric", name)):
        message = f"`{written}` takes the largest output as the answer, but a sample may have several labels"
        return wrong(message, "write `BinaryAccuracy: {name: accuracy}`, which counts each label on its own")
    if data.targets == "numbers":
        if data.task != "regression" and labels in ("binary", "per_output"):
            return None  # numbers from 0 to 1, as of images
        if labels != "number":
            message = f"`{written}` counts classes, but the targets of `{data.name}` are numbers"
            return wrong(message, "write `MeanAbsoluteError` or `RootMeanSquaredError`")
        return None
    if encoding == "index" and labels in ("one_hot", "per_output", "binary", "number"):
        if trait("metric", f"Sparse{name}", "labels") == "integer":
            hint = f"write `Sparse{name}`"
            return wrong(f"`{written}` needs one-hot labels, but the loss takes integer labels", hint)
        message = f"`{written}` needs a label for every output, but the loss takes integer labels"
        if data.classes == 2 and _is_average(metric.object, name, 2):
            return wrong(message, _of_one_class(name, data, f"`loss: {one_hot_loss(_of_logits(draft))}` and "))
        return wrong(message, f"write `loss: {one_hot_loss(_of_logits(draft))}`, which turns labels into one-hot rows")
    if encoding in ("one_hot", "binary") and labels == "integer":
        message = f"`{written}` takes integer labels, but with this loss labels are {_encoding_phrase(encoding)}"
        return wrong(message, f"write `{name.removeprefix('Sparse') if encoding == 'one_hot' else accuracy}`")
    if encoding == "one_hot" and labels == "binary" and trait("metric", name, "share") and (data.classes or 0) > 1:
        message = f"`{written}` counts each of the {data.classes} outputs on its own, so it flatters the model"
        return wrong(message, "write `accuracy`", "warning")
    if encoding == "binary" and labels == "one_hot":
        message = f"`{written}` needs one-hot labels, but with this loss and one output labels are 0 or 1"
        return wrong(message, f"write `{accuracy}`")
    return None


def _metric_of_confusion(
    draft: Draft, metric: Placed, data: Facts, encoding: LabelEncoding | None, outputs: int | None
) -> Problem | None:
    """A metric that compares class numbers: how it makes them of labels and outputs, and how many it counts."""
    written, name = metric.object.name, kind_of("metric", metric) or metric.object.name
    if not _takes_argument(name, "sparse_y_pred"):
        return None

    def wrong(key: str, message: str, hint: str, severity: Severity = "error") -> Problem:
        return draft.tell("metric-labels", f"`{written}` {message}", metric.argument_path(key), hint, severity)

    of_numbers = _takes_argument(name, "sparse_y_true")
    integers = of_numbers and value_of("metric", metric.object, "sparse_y_true")
    if outputs == 1:
        message = "compares class numbers, and takes a single output between 0 and 1 for the class 0"
        return wrong("sparse_y_pred", message, "write `BinaryIoU`", "warning")
    if encoding == "one_hot" and integers:
        hint = f"write `OneHot{name}`, without `sparse_y_true` and `sparse_y_pred`"
        return wrong("sparse_y_true", "takes integer labels, but with this loss labels are one-hot rows", hint)
    if encoding == "index" and of_numbers and not integers:
        message = "takes one-hot labels with `sparse_y_true: false`, but the loss takes integer labels"
        return wrong("sparse_y_true", message, "remove `sparse_y_true`")
    if outputs is not None and value_of("metric", metric.object, "sparse_y_pred"):
        message = f"takes an output for the number of a class, but the model has {outputs} outputs, one a class"
        return wrong("sparse_y_pred", message, "write `sparse_y_pred: false`, which takes the largest one")
    count = value_of("metric", metric.object, "num_classes")
    if data.classes is not None and count < data.classes:
        message = f"counts {count} of the {data.classes} classes of `{data.name}` and leaves the others out"
        return wrong("num_classes", message, f"write `num_classes: {data.classes}`", "warning")
    return None


def _metric_over_classes(draft: Draft, metric: Placed, data: Facts, outputs: int | None) -> Problem | None:
    """A metric that tells no class from another: an average over one-hot rows, or the larger one of a single output."""
    written, name = metric.object.name, kind_of("metric", metric) or metric.object.name
    if outputs == 1 and _takes_argument(name, "average") and value_of("metric", metric.object, "threshold") is None:
        message = (
            f"without a `threshold`, `{written}` takes the largest output as the answer: of a single one, always 1"
        )
        hint = f"write `{name}: {{threshold: 0.5}}`"
        return draft.tell("metric-average", message, metric.path, hint, "warning")
    if outputs is not None and _is_average(metric.object, name, outputs):
        message = f"`{written}` counts the {outputs} outputs of a sample together, so it says no more than accuracy"
        return draft.tell("metric-average", message, metric.path, _of_one_class(name, data), "warning")
    return None


def _is_average(metric: KerasObject, name: str, outputs: int) -> bool:
    """Whether a metric is an average over all outputs for one-hot rows, in which each mistake counts twice.

    Of two outputs that add up to 1, both are right or both are wrong; so are the largest one and the label's.
    """
    if outputs < 2 or trait("metric", name, "labels") != "per_output":
        return False
    if _takes_argument(name, "average"):
        return value_of("metric", metric, "average") == "micro" and value_of("metric", metric, "threshold") is None
    if name == "AUC" or value_of("metric", metric, "class_id") is not None:
        return False
    return outputs == 2 or value_of("metric", metric, "top_k") == 1


def _of_one_class(name: str, data: Facts, first: str = "") -> str:
    """How to measure one class."""
    single = "end in one unit with `activation: sigmoid`, with `loss: binary_crossentropy`"
    if _takes_argument(name, "average"):
        return f"write {first}`{name}`, which gives a number for each class, or `{name}: {{average: macro}}`"
    if not _takes_argument(name, "class_id"):
        return single
    of_class = f"write {first}`{name}: {{class_id: 1}}`, that of class `{data.labels[1]}`"
    return f"{of_class}; or {single}" if data.classes == 2 else of_class


def _takes_argument(name: str, key: str) -> bool:
    entry = find("metric", name)
    return entry is not None and key in entry.arguments


def _of_logits(draft: Draft) -> bool:
    return draft.loss is not None and bool(value_of("loss", draft.loss.object, "from_logits"))


def _encoding_phrase(encoding: str) -> str:
    return {"one_hot": "one-hot rows", "binary": "0 or 1"}.get(encoding, encoding)


def _metric_on_outputs(
    draft: Draft, metric: Placed, loss: str | None, outputs: int | None, activation: str
) -> Problem | None:
    """A metric that misjudges outputs which are no probabilities, or which its threshold does not divide."""
    written, name = metric.object.name, kind_of("metric", metric) or metric.object.name

    def wrong(message: str, hint: str) -> Problem:
        return draft.tell("metric-logits", message, metric.path, hint, "warning")

    entry = find("metric", name)
    arguments = entry.arguments if entry is not None else {}
    from_zero = outputs == 1 and loss is not None and _boundary(draft, loss) == 0
    what = "logits" if activation == "linear" else f"those of `{activation}`"
    if trait("activation", activation, "range") != [0, 1] and _needs_probabilities(metric.object, name, outputs):
        if from_zero and "thresholds" in arguments and name != "AUC":
            if value_of("metric", metric.object, "thresholds") == 0:
                return None
            message = f"`{written}` splits outputs at 0.5, but they are {what}, whose middle is 0"
            return wrong(message, f"write `{name}: {{thresholds: 0}}`")
        hint = "give the last layer an activation, and the loss no `from_logits`"
        if activation != "linear":
            hint = "end in `activation: sigmoid` or `softmax`, with a loss that takes it"
        if "from_logits" in arguments and activation == "linear":
            hint = f"write `{name}: {{from_logits: true}}`"
        return wrong(f"`{written}` needs probabilities, but the model's outputs are {what}", hint)
    if from_zero and splits_at_half(name, metric.object.arguments):
        message = f"`{written}` splits outputs at 0.5, but they are {what}, whose middle is 0"
        plain = "BinaryAccuracy: {threshold: 0, name: accuracy}"
        return wrong(message, f"write `{plain if name == 'BinaryAccuracy' else f'{name}: {{threshold: 0}}'}`")
    # Of a loss that makes -1 and 1 of the labels, the engine tells `accuracy` the boundary.
    if from_zero and follows_labels("metric", name) and not trait("loss", loss, "signed"):
        message = f"`{written}` splits outputs at 0.5, but they are {what}, whose middle is 0"
        return wrong(message, "write `BinaryAccuracy: {threshold: 0, name: accuracy}`")
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
            yield from _check_thresholds(draft, metric, key, activation)


def _check_thresholds(draft: Draft, metric: Placed, key: str, activation: str | None) -> Iterator[Problem]:
    """Thresholds that no probability crosses: one alone, or in a list; those of an area have both ends anyway."""
    given = value_of("metric", metric.object, key)
    listed = given if isinstance(given, list) else [given]
    numbers = [number for number in listed if isinstance(number, int | float)]
    idle, used = ([number for number in numbers if (0 < number < 1) is inside] for inside in (False, True))
    if not idle or (used and kind_of("metric", metric) == "AUC"):
        return
    threshold, kept = idle[0], f"[{', '.join(f'{number:g}' for number in used or (0.5,))}]"
    side = "below" if threshold >= 1 else "above"
    alike = "the metric counts all alike there" if isinstance(given, list) else "this metric counts all alike"
    message = f"every output of `{activation}` is {side} {threshold:g}, so {alike}"
    hint = f"write `{key}: {kept if isinstance(given, list) else 0.5}`"
    yield draft.tell("metric-setting", message, metric.argument_path(key), hint, "warning")


def _all_count(draft: Draft, metric: Placed, key: str, best: int, outputs: int) -> Problem:
    name, path = metric.object.name, metric.argument_path(key)
    hint = f"write a `{key}` from 1 to {outputs - 1}" if outputs > 2 else "write `accuracy`"
    if key == "top_k" and best > outputs:
        message = f"`{name}` takes the {best} highest outputs, but there are {outputs}"
        return draft.tell("metric-setting", message, path, hint)
    always = "counts every sample as right" if key == "k" else "takes all outputs for a yes"
    count = f"are {outputs} outputs" if outputs > 1 else "is one output"
    message = f"with `{key}: {best}` `{name}` {always}: there {count}"
    return draft.tell("metric-setting", message, path, hint, "warning")


def _boundary(draft: Draft, loss: str) -> float:
    return boundary(loss, _of_logits(draft))


def _needs_probabilities(metric: KerasObject, name: str, outputs: int | None) -> bool:
    """Whether a metric compares outputs with thresholds between 0 and 1; not where it takes the largest ones."""
    if not trait("metric", name, "probabilities") or value_of("metric", metric, "from_logits"):
        return False
    largest = _takes_argument(name, "average") and value_of("metric", metric, "threshold") is None and outputs != 1
    first = value_of("metric", metric, "top_k") is not None and value_of("metric", metric, "thresholds") is None
    return not (largest or first)
