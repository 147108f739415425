"""Labels follow the loss: integer labels, one-hot rows, or one column of 0 and 1."""

from __future__ import annotations

import numpy as np

from dltrain.config.catalogue.labels import LabelEncoding


def encode(y: np.ndarray, encoding: LabelEncoding, classes: int | None) -> np.ndarray:
    """Encode integer labels (samples,) as (samples,) int64, or (samples, classes) or (samples, 1) float32."""
    if encoding == "one_hot":
        return np.eye(classes or 0, dtype=np.float32)[y]
    if encoding == "binary":
        return y.astype(np.float32)[:, None]
    return y


def classes_of(outputs: np.ndarray, boundary: float) -> np.ndarray:
    """Return the predicted class of each row: the largest output, or the side of the boundary of a single one."""
    if outputs.shape[-1] == 1:
        return (outputs[:, 0] > boundary).astype(np.int64)
    return outputs.argmax(axis=-1)
