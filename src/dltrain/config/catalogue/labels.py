"""The label encoding that a loss takes."""

from __future__ import annotations

from typing import Any, Literal

from dltrain.config.catalogue.entries import find, trait
from dltrain.data.facts import Facts, Targets

LabelEncoding = Literal["index", "one_hot", "binary", "target"]

HALF = 0.5  # the boundary between 0 and 1


# Losses that say the same of other outputs: one or several, with labels by number or as one-hot rows.
LOSS_KIN = (
    ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
    ("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"),
    ("Hinge", "CategoricalHinge"),
)
# The loss for an output, as a config has it: (each output is for itself, it is a logit).
_USUAL = {
    (True, False): "binary_crossentropy",
    (True, True): "{BinaryCrossentropy: {from_logits: true}}",
    (False, False): "sparse_categorical_crossentropy",
    (False, True): "{SparseCategoricalCrossentropy: {from_logits: true}}",
}
_FOR_NUMBERS = "mean_squared_error"


def usual_losses(targets: Targets) -> tuple[str, ...]:
    """Return the loss for each output that these targets may have."""
    if targets == "numbers":
        return (_FOR_NUMBERS,)
    return tuple(loss for (alone, _), loss in _USUAL.items() if alone or targets == "classes")


def usual_loss(targets: Targets, outputs: int | None, activation: str | None) -> str:
    """Return the loss that goes with an output; what is not known of it counts as several units with a softmax."""
    if targets == "numbers":
        return _FOR_NUMBERS
    return _USUAL[targets == "flags" or outputs == 1, activation == "linear"]


def one_hot_loss(from_logits: bool) -> str:
    """Return the loss of one-hot rows, as a config has it."""
    return "{CategoricalCrossentropy: {from_logits: true}}" if from_logits else "categorical_crossentropy"


def label_encoding(loss: str, targets: Targets, classes: int | None, outputs: int | None) -> LabelEncoding:
    """Return the encoding that `loss` takes for a model whose last axis has `outputs` numbers.

    `index` for losses that take integer labels; otherwise `binary` for two classes and one output, and `one_hot` for
    the rest. `target` leaves numbers and flags as they are.
    """
    if targets != "classes":
        return "target"
    if trait("loss", loss, "integer_labels"):
        return "index"
    return "binary" if classes in (2, None) and outputs == 1 else "one_hot"


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


def needed_shape(encoding: LabelEncoding, facts: Facts) -> tuple[int | None, ...]:
    """Return the output shape of one sample that the encoding needs; None for a number of classes not known yet.

    That of the target, and for classes one more axis: one output a class, or one for yes and no.
    """
    if encoding == "target":
        return facts.target_shape
    return (*facts.target_shape, 1 if encoding == "binary" else facts.classes)
