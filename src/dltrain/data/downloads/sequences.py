"""Lists of whole numbers of different lengths, such as words by their index, and the arrays that are made of them.

The rules are those of `load_data` of `keras.datasets.imdb` and `reuters`, and of `keras.utils.pad_sequences`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np

from dltrain.errors import DataError

_NOT_NUMBERS = (TypeError, ValueError, OverflowError)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences one after the other.

    Args:
        values: int64, all numbers.
        lengths: int64, of each sequence.
    """

    values: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, rows: Sequence[object], file: str) -> Self:
        """Return lists of whole numbers as sequences. Raises DataError if they are not such."""
        if not all(isinstance(row, list) for row in rows):
            raise DataError(f"{file} has samples that are no lists", "remove it from the cache")
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))  # type: ignore[arg-type]
        try:
            values = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))  # type: ignore[arg-type]
        except _NOT_NUMBERS:
            raise DataError(f"{file} has words that are no whole numbers", "remove it from the cache") from None
        return cls(values, lengths)

    @property
    def starts(self) -> np.ndarray:
        """Where each sequence begins."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def places(self) -> np.ndarray:
        """The place of each number in its sequence."""
        return np.arange(len(self.values)) - np.repeat(self.starts, self.lengths)

    @property
    def rows(self) -> np.ndarray:
        """The sequence of each number."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, order: np.ndarray) -> Sequences:
        """Return some sequences, in the given order."""
        lengths = self.lengths[order]
        shifts = self.starts[order] - (np.cumsum(lengths) - lengths)
        return Sequences(self.values[np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)], lengths)

    def marked(self, start: int | None, shift: int) -> Sequences:
        """Return them with `shift` added to each number, and `start` before each sequence, unless it is None."""
        if start is None:
            return Sequences(self.values + shift, self.lengths)
        lengths = self.lengths + 1
        values = np.full(int(lengths.sum()), start, np.int64)
        values[np.arange(len(self.values)) + self.rows + 1] = self.values + shift
        return Sequences(values, lengths)

    def limited(self, skip_top: int, end: int, instead: int | None) -> Sequences:
        """Return them with numbers below `skip_top`, and from `end` on, replaced; left out if `instead` is None."""
        kept = (self.values >= skip_top) & (self.values < end)
        if instead is not None:
            return Sequences(np.where(kept, self.values, instead), self.lengths)
        return Sequences(self.values[kept], np.bincount(self.rows[kept], minlength=len(self)))

    def padded(self, length: int, padding: str, truncating: str) -> np.ndarray:
        """Return int32 of shape (sequences, length): zeros fill up short ones, long ones are cut, `pre` or `post`."""
        cut = np.maximum(self.lengths - length, 0)
        places = self.places - (np.repeat(cut, self.lengths) if truncating == "pre" else 0)
        kept = (places >= 0) & (places < length)
        filled = np.minimum(self.lengths, length)
        columns = places + (np.repeat(length - filled, self.lengths) if padding == "pre" else 0)
        found = np.zeros((len(self), length), np.int32)
        found[self.rows[kept], columns[kept]] = self.values[kept]
        return found

    def multi_hot(self, size: int) -> np.ndarray:
        """Return uint8 of shape (sequences, size): 1 for the numbers that a sequence has."""
        found = np.zeros((len(self), size), np.uint8)
        found[self.rows, self.values] = 1
        return found
