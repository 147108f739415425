"""The naive forecast: the last value of a window repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.series.form import Form
from dltrain.data.series.windows import Windows

_CHUNK = 2**16  # windows


def naive_forecast(split: Split, form: Form) -> Mapping[str, np.ndarray]:
    """Return the naive forecast by its name, of shape (samples, horizon, columns); nothing where there is none."""
    y = split.y
    if not isinstance(y, Windows) or form.shift < 1 or not len(y) or y.series.dtype.kind != "f":
        return {}
    last = y.series[y.starts - form.shift]
    return {"naive": np.broadcast_to(last[:, None], (len(last), form.horizon, last.shape[-1]))}


def naive_error(name: str, split: Split, form: Form) -> Iterator[str]:
    """Yield the mean absolute error of the naive forecast on a split, in the unit of the file."""
    y = split.y
    if not isinstance(y, Windows) or form.shift < 1 or not len(y):
        return
    total = 0.0
    count = 0
    for start in range(0, len(y), _CHUNK):
        rows = slice(start, start + _CHUNK)
        values = y.series[y.starts[rows] - form.shift]
        errors = np.abs(y[rows].reshape(len(values), form.horizon, -1) - values[:, None])
        there = ~np.isnan(errors)
        total += float(errors[there].sum())
        count += int(there.sum())
    if count:
        yield (
            f"the naive forecast, the last value of a window, has a mean absolute error of {total / count:.4g} on the "
            f"{name} split"
        )
