"""The form of labels that a loss takes."""

from __future__ import annotations

from typing import Literal

LabelForm = Literal["index", "one_hot", "binary", "target"]

BINARY_LOSSES = {"BinaryCrossentropy", "BinaryFocalCrossentropy"}
# Losses beside the sparse ones that take class indices.
_BY_INDEX = {"CategoricalGeneralizedCrossEntropy", "Circle"}


def label_form(loss: str, task: str, classes: int | None, outputs: int | None) -> LabelForm:
    """The form that `loss` (a Keras class name) takes for a model with `outputs` numbers a sample.

    `index` for the losses that take class indices; for the others `binary` where two classes meet one output, else
    `one_hot`;
    `target` leaves the numbers of a regression as they are.
    """
    if task == "regression":
        return "target"
    if loss.startswith("Sparse") or loss in _BY_INDEX:
        return "index"
    return "binary" if classes == 2 and outputs == 1 else "one_hot"


def needed_outputs(form: LabelForm, classes: int | None, targets: int) -> int:
    """Outputs a sample that labels of that form meet: one a class, one a target, or one for yes and no."""
    if form == "binary":
        return 1
    return targets if form == "target" else classes or 1
