"""Labels follow the loss: class indices, one-hot rows, or one column of 0 and 1."""

from __future__ import annotations

import numpy as np

from dltrain.config.catalogue.labels import LabelForm


def encode(y: np.ndarray, form: LabelForm, classes: int | None) -> np.ndarray:
    """Class indices (samples,) as `form` says: (samples,) int64, (samples, classes) or (samples, 1) float32."""
    if form == "one_hot":
        return np.eye(classes or 0, dtype=np.float32)[y]
    if form == "binary":
        return y.astype(np.float32)[:, None]
    return y


def classes_of(outputs: np.ndarray, from_logits: bool) -> np.ndarray:
    """The predicted class of each row: the largest output, or which side of one half (of zero, for logits)."""
    if outputs.shape[-1] == 1:
        return (outputs[:, 0] > (0.0 if from_logits else 0.5)).astype(np.int64)
    return outputs.argmax(axis=-1)
