"""Rows of a file that is too large to be held, read anew where they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import numpy as np

from dltrain.errors import DataError

_BEHIND = 1_024  # rows that stay: batches that are made at the same time may come in another order


class Again:
    """An array of the rows of a file, for use in their order; whoever goes back has the file read from its start.

    Args:
        file: as messages name it.
        shape: of all rows.
        dtype: of their values.
        parts: opens the file, and yields its rows in order.
    """

    def __init__(
        self, file: str, shape: tuple[int, ...], dtype: Any, parts: Callable[[], Iterator[np.ndarray]]
    ) -> None:
        self.shape, self.dtype, self.ndim = shape, np.dtype(dtype), len(shape)
        self.nbytes = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        self._file, self._open = file, parts
        self._lock = Lock()
        self._rewind()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        if not len(wanted):
            return np.empty((0, *self.shape[1:]), self.dtype)
        with self._lock:
            return self._taken(wanted, int(wanted.min()), int(wanted.max()))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _rewind(self) -> None:
        self._parts: Iterator[np.ndarray] = self._open()
        self._held: deque[tuple[int, np.ndarray]] = deque()
        self._end = 0

    def _taken(self, wanted: np.ndarray, first: int, last: int) -> np.ndarray:
        """Return rows of the parts that are held, after others have been read."""
        if self._held and first < self._held[0][0]:
            self._rewind()
        while self._end <= last:
            part = next(self._parts, None)
            if part is None:
                raise DataError(f"{self._file} has changed while it was read", "predict when nothing writes it")
            self._held.append((self._end, part))
            self._end += len(part)
            while len(self._held) > 1 and self._held[1][0] <= first - _BEHIND:
                self._held.popleft()
        if self._end >= len(self):
            self._parts = iter(())  # which closes the file
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for start, part in self._held:
            inside = (wanted >= start) & (wanted < start + len(part))
            if inside.any():
                found[inside] = part[wanted[inside] - start]
        return found
