"""Labels follow the loss: integer labels, one-hot rows, or one column of 0 and 1."""

from __future__ import annotations

import numpy as np

from dltrain.config.catalogue.labels import LabelEncoding
from dltrain.data.arrays import Array


def encode(y: Array, encoding: LabelEncoding, classes: int | None) -> Array:
    """Encode integer labels (samples, …) as the same, or as (samples, …, classes) or (samples, …, 1) float32.

    Targets that are no labels stay as they are, None too.
    """
    if y is None or encoding in ("index", "target"):
        return y
    labels = np.asarray(y)
    if encoding == "one_hot":
        return np.eye(classes or 0, dtype=np.float32)[labels]
    return labels.astype(np.float32)[..., None]


def classes_of(outputs: np.ndarray, boundary: float) -> np.ndarray:
    """Return the predicted class of each place: the largest output, or the side of the boundary of a single one."""
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > boundary).astype(np.int64)
    return outputs.argmax(axis=-1)


def probabilities(logits: np.ndarray, *, sigmoid: bool) -> np.ndarray:
    """Return what sigmoid or softmax makes of logits."""
    if sigmoid:
        found: np.ndarray = 0.5 * (1 + np.tanh(0.5 * logits))  # without overflow
        return found
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return shares
