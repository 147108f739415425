"""The label encoding that a loss takes."""

from __future__ import annotations

from typing import Any, Literal

from dltrain.config.catalogue.entries import find, trait

LabelEncoding = Literal["index", "one_hot", "binary", "target"]

HALF = 0.5  # the boundary between 0 and 1


def label_encoding(loss: str, task: str, classes: int | None, outputs: int | None) -> LabelEncoding:
    """Return the encoding that `loss` takes for a model with `outputs` numbers per sample.

    `index` for losses that take integer labels; otherwise `binary` for two classes and one output, and `one_hot` for
    the rest. `target` leaves the numbers of a regression as they are.
    """
    if task == "regression":
        return "target"
    if trait("loss", loss, "integer_labels"):
        return "index"
    return "binary" if classes == 2 and outputs == 1 else "one_hot"


def boundary(loss: str, from_logits: bool) -> float:
    """Return the value of a single output above which a sample is of the class 1.

    0 for logits, and for losses that make -1 and 1 of the labels; otherwise the labels are 0 and 1, and it is 0.5.
    """
    return 0.0 if from_logits or trait("loss", loss, "signed") else HALF


def splits_at_half(metric: str, arguments: dict[str, Any]) -> bool:
    """Return whether a metric divides a single output into classes at 0.5 because no `threshold` says otherwise."""
    entry = find("metric", metric)
    if entry is None:
        return False
    argument = entry.arguments.get("threshold")
    return argument is not None and argument.default == HALF and "threshold" not in arguments


def needed_outputs(encoding: LabelEncoding, classes: int | None, targets: int) -> int:
    """Return the outputs per sample that the encoding needs: one per class, one per target, or one for yes and no."""
    if encoding == "binary":
        return 1
    return targets if encoding == "target" else classes or 1
