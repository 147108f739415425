"""The form of labels that a loss takes."""

from __future__ import annotations

from typing import Literal

from dltrain.config.catalogue.entries import trait

LabelForm = Literal["index", "one_hot", "binary", "target"]


def label_form(loss: str, task: str, classes: int | None, outputs: int | None) -> LabelForm:
    """The form that `loss` takes for a model with `outputs` numbers a sample.

    `index` for the losses that take class indices; for the others `binary` where two classes meet one output, else
    `one_hot`;
    `target` leaves the numbers of a regression as they are.
    """
    if task == "regression":
        return "target"
    if trait("loss", loss, "integer_labels"):
        return "index"
    return "binary" if classes == 2 and outputs == 1 else "one_hot"


def needed_outputs(form: LabelForm, classes: int | None, targets: int) -> int:
    """Outputs a sample that labels of that form meet: one a class, one a target, or one for yes and no."""
    if form == "binary":
        return 1
    return targets if form == "target" else classes or 1
