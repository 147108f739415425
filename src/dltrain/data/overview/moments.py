"""Range, mean and deviation of numbers that come some at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BLOCK = 2**20  # values that are float64 at a time


@dataclass(frozen=True, slots=True)
class Values:
    """What numbers are like.

    Args:
        lowest, highest, mean, std: of those that are finite; None where there is none. `std` is the population's.
        missing: how many are NaN.
        infinite: how many are infinite.
    """

    lowest: float | None
    highest: float | None
    mean: float | None
    std: float | None
    missing: int = 0
    infinite: int = 0

    @property
    def constant(self) -> bool:
        """Whether there is a single finite value, and no other."""
        return self.lowest is not None and self.lowest == self.highest and not self.missing + self.infinite


class Moments:
    """Gathers what `Values` has, for each of `columns` numbers of a row."""

    def __init__(self, columns: int) -> None:
        self.count = np.zeros(columns, np.int64)
        self.lowest, self.highest = np.full(columns, np.inf), np.full(columns, -np.inf)
        self.mean, self.squares = np.zeros(columns), np.zeros(columns)
        self.missing, self.infinite = np.zeros(columns, np.int64), np.zeros(columns, np.int64)

    def add(self, rows: np.ndarray) -> None:
        """Take rows of shape (rows, columns) in.

        Means of blocks are merged as in T. Chan, G. Golub and R. LeVeque, "Updating Formulae and a Pairwise Algorithm
        for Computing Sample Variances", 1979.
        """
        step = max(1, _BLOCK // max(1, rows.shape[1]))
        for start in range(0, len(rows), step):
            self._add(rows[start : start + step].astype(np.float64))

    def _add(self, block: np.ndarray) -> None:
        there = np.isfinite(block)
        if there.all():
            lowest, highest, count = block.min(axis=0), block.max(axis=0), np.full(len(self.count), len(block))
            mean = block.mean(axis=0)
            squares = np.square(block - mean).sum(axis=0)
        else:
            missing = np.isnan(block)
            self.missing += missing.sum(axis=0)
            self.infinite += (~(there | missing)).sum(axis=0)
            lowest, highest = np.where(there, block, np.inf).min(axis=0), np.where(there, block, -np.inf).max(axis=0)
            count = there.sum(axis=0)
            mean = np.where(there, block, 0.0).sum(axis=0) / np.maximum(count, 1)
            squares = np.square(np.where(there, block - mean, 0.0)).sum(axis=0)
        self.lowest, self.highest = np.minimum(self.lowest, lowest), np.maximum(self.highest, highest)
        total = np.maximum(self.count + count, 1)
        shift = mean - self.mean
        self.squares += squares + shift**2 * self.count * count / total
        self.mean += shift * count / total
        self.count += count

    def columns(self, scale: float = 1.0) -> list[Values]:
        """Return what each column is like, its numbers times `scale`."""
        return [self._values(place, scale) for place in range(len(self.count))]

    def all(self, scale: float = 1.0) -> Values:
        """Return what all columns together are like, their numbers times `scale`."""
        total = self.count.sum()
        missing, infinite = int(self.missing.sum()), int(self.infinite.sum())
        if not total:
            return Values(None, None, None, None, missing, infinite)
        mean = (self.mean * self.count).sum() / total
        squares = self.squares.sum() + (self.count * (self.mean - mean) ** 2).sum()
        ends = float(self.lowest.min()) * scale, float(self.highest.max()) * scale
        return Values(*ends, float(mean) * scale, float(np.sqrt(squares / total)) * scale, missing, infinite)

    def _values(self, place: int, scale: float) -> Values:
        missing, infinite, count = int(self.missing[place]), int(self.infinite[place]), int(self.count[place])
        if not count:
            return Values(None, None, None, None, missing, infinite)
        std = float(np.sqrt(self.squares[place] / count)) * scale
        ends = float(self.lowest[place]) * scale, float(self.highest[place]) * scale
        return Values(*ends, float(self.mean[place]) * scale, std, missing, infinite)
