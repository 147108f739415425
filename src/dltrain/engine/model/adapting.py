"""What a `Normalization` without `mean` learns from the training split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from dltrain.data.arrays import Dataset, chunks
from dltrain.errors import RunError

Adapted = dict[str, Mapping[str, Any]]
"""`mean` and `variance` by the name of the layer, as its arguments take them."""

Learner = Callable[[str, Sequence[keras.layers.Layer], Any], Mapping[str, Any]]
"""The name of a layer, the layers before it, and its `axis` -> its arguments `mean` and `variance`."""


def from_data(dataset: Dataset) -> Learner:
    """Return what learns from the training samples, in their order."""
    return partial(_learn, dataset)


def from_run(written: Any, run: str) -> Learner:
    """Return what gives the numbers that a run has recorded."""

    def recorded(name: str, before: Sequence[keras.layers.Layer], axis: Any) -> Mapping[str, Any]:
        found = written.get(name) if isinstance(written, Mapping) else None
        if not isinstance(found, Mapping) or found.keys() != {"mean", "variance"}:
            raise RunError(f"the run {run} does not say what its layer `{name}` has learnt", "train it anew")
        return found

    return recorded


def _learn(dataset: Dataset, name: str, before: Sequence[keras.layers.Layer], axis: Any) -> Mapping[str, Any]:
    """Return mean and variance over all axes but `axis`, in float64; 1 for a variance of 0.

    Keras would divide a constant by its least deviation, 1e-7, and so make any other value of a new sample huge.
    Source: T. Chan, G. Golub, R. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances",
    1979.
    """
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for chunk in chunks(dataset.train.x):
        values = chunk.astype(np.float32) * np.float32(dataset.scale)
        for layer in before:
            values = np.asarray(layer(values))
        kept = [number % values.ndim for number in ([] if axis is None else [axis] if isinstance(axis, int) else axis)]
        reduced = tuple(place for place in range(values.ndim) if place not in kept)
        numbers = values.astype(np.float64)
        more = numbers.size // max(1, int(np.prod([values.shape[place] for place in kept])))
        delta = numbers.mean(axis=reduced) - mean
        squares = squares + numbers.var(axis=reduced) * more + delta**2 * count * more / (count + more)
        count, mean = count + more, mean + delta * more / (count + more)
    variance = squares / count
    return {"mean": mean.tolist(), "variance": np.where(variance == 0, 1.0, variance).tolist()}
