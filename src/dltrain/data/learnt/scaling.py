"""Scales of numbers, learnt from the training split in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dltrain.data.facts import Scale


def learn_scale(kind: str | None, values: np.ndarray) -> Scale:
    """Return the scale of one column of numbers, of shape (samples,) and without missing values.

    `standard` gives a mean of 0 and a standard deviation of 1, `minmax` the range 0 to 1, `log` the standardised
    logarithm of 1 + x, `None` the numbers as they are. A constant column becomes 0.
    Raises ValueError where `log` meets a number below 0.
    """
    if kind is None or not len(values):
        return Scale()
    numbers = values.astype(np.float64)
    if kind == "minmax":
        low, high = float(numbers.min()), float(numbers.max())
        return Scale(low, (high - low) or 1.0)
    if kind == "log":
        if numbers.min() < 0:
            raise ValueError(f"a logarithm needs numbers from 0 on, and there is {numbers.min():g}")
        numbers = np.log1p(numbers)
    mean, deviation = float(numbers.mean()), float(numbers.std())
    constant = deviation <= 1e-12 * max(1.0, abs(mean))  # what rounding leaves of equal numbers
    return Scale(mean, 1.0 if constant else deviation, kind == "log")


def scaled(values: np.ndarray, scales: Sequence[Scale]) -> np.ndarray:
    """Return numbers of shape (…, columns) as float32, each column by its scale; what has no logarithm is NaN."""
    if not scales:
        return values.astype(np.float32)
    found = values.astype(np.float64)
    logs = [column for column, scale in enumerate(scales) if scale.log]
    with np.errstate(invalid="ignore", divide="ignore"):
        found[..., logs] = np.log1p(found[..., logs])
    found -= np.array([scale.shift for scale in scales])
    found /= np.array([scale.scale for scale in scales])
    return found.astype(np.float32)


def unscaled(values: np.ndarray, scales: Sequence[Scale]) -> np.ndarray:
    """Return what `scaled` has made its values of, as float32."""
    if not scales:
        return values
    found = values.astype(np.float64) * np.array([scale.scale for scale in scales])
    found += np.array([scale.shift for scale in scales])
    logs = [column for column, scale in enumerate(scales) if scale.log]
    with np.errstate(over="ignore"):
        found[..., logs] = np.expm1(found[..., logs])
    return found.astype(np.float32)
