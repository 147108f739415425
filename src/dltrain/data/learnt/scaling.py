"""Scales of numbers, learnt from the training split in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dltrain.data.facts import Scale
from dltrain.errors import DataError


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


def scaled(values: np.ndarray, scales: Sequence[Scale], names: Sequence[str] = ()) -> np.ndarray:
    """Return numbers of shape (…, columns) as float32, each column by its scale; NaN stays.

    Raises DataError if a number has no logarithm or is beyond float32, at the column of that place in `names`.
    """
    found = values.astype(np.float64)
    logs = [column for column, scale in enumerate(scales) if scale.log]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        found[..., logs] = np.log1p(found[..., logs])
        if scales:
            found -= np.array([scale.shift for scale in scales])
            found /= np.array([scale.scale for scale in scales])
        result = found.astype(np.float32)
    if not np.isfinite(result).all():
        _check(values, np.isfinite(result), logs, names)
    return result


def _check(values: np.ndarray, fine: np.ndarray, logs: Sequence[int], names: Sequence[str]) -> None:
    """Raise DataError at the first number of which no finite one was made; NaN is none."""
    places = np.argwhere(~fine & ~np.isnan(values.astype(np.float64)))
    if not len(places):
        return
    place = tuple(places[0].tolist())
    number, of = values[place], f" of `{names[place[-1]]}`" if names else ""
    if place[-1] in logs and number <= -1:
        hint = "scale such numbers with `standard`, or leave them out"
        raise DataError(f"{number:g}{of} has no logarithm, as its scale `log` takes", hint)
    raise DataError(f"{number:g}{of} is beyond the range of float32", "write such numbers in a larger unit")


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
