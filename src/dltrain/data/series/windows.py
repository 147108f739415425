"""Windows over the steps of a series, gathered when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np


class Windows:
    """Windows of `length` steps, `rate` steps apart, each from its start on: nothing is copied before it is used.

    Args:
        series: numbers of shape (steps, columns).
        starts: first step of each window, int64.
        length, rate: of a window.
        flat: whether a window is of shape (length·columns,), else of (length, columns).
    """

    def __init__(self, series: np.ndarray, starts: np.ndarray, length: int, rate: int = 1, flat: bool = False) -> None:
        self.series, self.starts = np.ascontiguousarray(series), starts
        self.length, self.rate, self.flat = length, rate, flat
        steps, columns = self.series.shape
        of_step, of_column = self.series.strides
        count = max(0, steps - (length - 1) * rate)
        if len(starts) and not 0 <= int(starts.min()) <= int(starts.max()) < count:
            raise ValueError("a window is outside of its series")
        self._all = np.lib.stride_tricks.as_strided(
            self.series, (count, length, columns), (of_step, rate * of_step, of_column), writeable=False
        )
        self.dtype = self.series.dtype
        self.shape = (len(starts), *((length * columns,) if flat else (length, columns)))
        self.ndim = len(self.shape)
        self.nbytes = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: Any) -> np.ndarray:
        starts = self.starts[rows]
        found: np.ndarray = self._all[starts]
        return found.reshape(len(starts), *self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def taken(self, rows: np.ndarray) -> Windows:
        """Return some of the windows."""
        return Windows(self.series, self.starts[rows], self.length, self.rate, self.flat)

    def over(self, series: np.ndarray) -> Windows:
        """Return the same windows over another series."""
        return Windows(series, self.starts, self.length, self.rate, self.flat)

    def parts(self) -> dict[str, np.ndarray]:
        """Return what the windows are made of."""
        return {"series": self.series, "starts": self.starts, "steps": np.array([self.length, self.rate])}
