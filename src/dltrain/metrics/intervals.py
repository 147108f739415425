"""Confidence intervals: Wilson's for shares, the bootstrap's for everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

LEVEL = 0.95
_Z = 1.959963984540054  # the quantile of the normal distribution at 1 - (1 - LEVEL) / 2
MOST_RESAMPLES = 1_000
_FEWEST_RESAMPLES = 100
_MOST_VALUES = 2e7  # of all resamples together; more take longer than anybody waits

Statistics = Callable[[np.ndarray], Mapping[str, float]]
"""What each sample counts, float64 of shape (samples,) -> figures by name; NaN where one is not defined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval; None where it is not defined.

    Args:
        value: the figure.
        low, high: ends of the interval.
        method: `wilson` or `bootstrap`; empty without an interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""


def wilson(hits: float, total: float) -> Estimate:
    """Return a share of independent samples and its interval; Wilson, Probable inference, 1927."""
    if total <= 0:
        return Estimate(None)
    share, spread = hits / total, _Z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), "wilson")


def resamples_for(values: float, most: int = MOST_RESAMPLES) -> int:
    """Return how often values are drawn anew: a thousand times, less often if they are many, or not at all."""
    count = int(min(most, _MOST_VALUES // max(1.0, values)))
    return count if count >= _FEWEST_RESAMPLES else 0


def bootstrap(
    statistics: Statistics, samples: int, seed: int, values: float, most: int = MOST_RESAMPLES
) -> dict[str, Estimate]:
    """Return figures of all samples, and the middle 95 % of those of samples drawn anew, with replacement.

    A sample is drawn as a whole, with all its steps. Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    chapter 13.

    Args:
        statistics: the figures, of what each sample counts.
        samples: how many there are.
        seed: of the draws; the same one draws the same samples.
        values: how many numbers a figure is made of, by which the time of one grows.
        most: resamples.
    """
    found = statistics(np.ones(samples))
    draws = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(resamples_for(values, most) if samples > 1 else 0):
        counts = np.bincount(draws.integers(0, samples, samples), minlength=samples).astype(np.float64)
        for name, value in statistics(counts).items():
            drawn[name].append(value)
    return {name: _estimate(value, np.array(drawn[name])) for name, value in found.items()}


def _estimate(value: float, drawn: np.ndarray) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < _FEWEST_RESAMPLES // 2:
        return Estimate(float(value))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Samples drawn twice can move all draws of a figure to one side of it.
    return Estimate(float(value), min(float(value), float(low)), max(float(value), float(high)), "bootstrap")
