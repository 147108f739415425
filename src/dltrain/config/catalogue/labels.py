"""The label encoding that a loss takes."""

from __future__ import annotations

from typing import Literal

from dltrain.config.catalogue.entries import trait

LabelEncoding = Literal["index", "one_hot", "binary", "target"]


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


def needed_outputs(encoding: LabelEncoding, classes: int | None, targets: int) -> int:
    """Return the outputs per sample that the encoding needs: one per class, one per target, or one for yes and no."""
    if encoding == "binary":
        return 1
    return targets if encoding == "target" else classes or 1
