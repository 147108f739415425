"""The label encoding that a loss takes."""

from __future__ import annotations

from typing import Any, Literal

from dltrain.config.catalogue.entries import find, trait

LabelEncoding = Literal["index", "one_hot", "binary", "target"]

HALF = 0.5  # the boundary between 0 and 1


# Losses that say the same of other outputs: one or several, with labels by number or as one-hot rows.
LOSS_KIN = (
    ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
    ("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"),
    ("Hinge", "CategoricalHinge"),
)
# The loss for an output, as a config has it: (targets are numbers, one output, it is a logit).
_USUAL = {
    (False, True, False): "binary_crossentropy",
    (False, True, True): "{BinaryCrossentropy: {from_logits: true}}",
    (False, False, False): "sparse_categorical_crossentropy",
    (False, False, True): "{SparseCategoricalCrossentropy: {from_logits: true}}",
    (True, True, False): "mean_squared_error",
}


def usual_losses(task: str) -> tuple[str, ...]:
    """Return the loss for each output that a task may have."""
    return tuple(loss for (numbers, *_), loss in _USUAL.items() if numbers == (task == "regression"))


def usual_loss(task: str, outputs: int | None, activation: str | None) -> str:
    """Return the loss that goes with an output; what is not known of it counts as several units with a softmax."""
    if task == "regression":
        return _USUAL[True, True, False]
    return _USUAL[False, outputs == 1, activation == "linear"]


def one_hot_loss(from_logits: bool) -> str:
    """Return the loss of one-hot rows, as a config has it."""
    return "{CategoricalCrossentropy: {from_logits: true}}" if from_logits else "categorical_crossentropy"


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
