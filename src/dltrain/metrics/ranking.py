"""How well scores rank the positive samples before the others: ROC and precision-recall."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_MOST_TRIED = 20


@dataclass(frozen=True)
class Ranking:
    """Samples in the order of their scores, the highest first.

    Args:
        positive: bool of shape (samples,).
        scores: of shape (samples,).
    """

    positive: np.ndarray
    scores: np.ndarray

    @cached_property
    def order(self) -> np.ndarray:
        """Positions of the samples, the highest score first."""
        return np.argsort(-self.scores, kind="stable")

    @cached_property
    def ends(self) -> np.ndarray:
        """Positions in the order after which a lower score begins: samples of equal scores cannot be told apart."""
        ordered = self.scores[self.order]
        return np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1) if len(ordered) else np.zeros(0, np.int64)

    def counts(self, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return true and false positives at each distinct score; `weights` is what each sample counts."""
        given = np.ones(len(self.scores)) if weights is None else weights
        ordered = given[self.order]
        hits = np.cumsum(np.where(self.positive[self.order], ordered, 0.0))[self.ends]
        return hits, np.cumsum(ordered)[self.ends] - hits

    def areas(self, weights: np.ndarray | None = None) -> tuple[float, float]:
        """Return the area under the ROC curve, and average precision; NaN without positive or without other samples.

        Fawcett, An introduction to ROC analysis, 2006, and the sum of precision by the steps of recall.
        """
        hits, misses = self.counts(weights)
        if not len(hits) or hits[-1] <= 0:
            return float("nan"), float("nan")
        named = np.maximum(hits + misses, np.finfo(np.float64).tiny)
        average = float(np.sum(np.diff(hits, prepend=0.0) * hits / named) / hits[-1])
        if misses[-1] <= 0:
            return float("nan"), average
        area = float(np.sum(np.diff(misses, prepend=0.0) * (hits + np.append(0.0, hits[:-1])) / 2))
        return area / float(hits[-1] * misses[-1]), average

    def threshold(self, place: int) -> float | None:
        """Return the shortest number below the distinct score of a place, and not below the next lower one.

        Scores are float32, and so is what they are compared with. None where there is none between 0 and 1.
        """
        distinct = self.scores[self.order][self.ends].astype(np.float32)
        upper, rest = distinct[place], distinct[place + 1 :]
        lower = rest[0] if len(rest) else np.float32(0)
        for digits in range(1, 12):
            found = float(f"{(float(upper) + float(lower)) / 2:.{digits}g}")
            if lower <= np.float32(found) < upper and 0 < found < 1:
                return found
        return float(lower) if 0 < lower < min(upper, np.float32(1)) else None


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a threshold gives: `threshold` itself, and precision, recall and F1 of the samples with scores above it."""

    threshold: float
    precision: float
    recall: float
    f1: float


def best_threshold(ranking: Ranking) -> Threshold | None:
    """Return the threshold with the highest F1, the highest of several; None without positive samples."""
    found = _at_thresholds(ranking)
    return None if found is None else _first(ranking, found, np.argsort(-found[2], kind="stable"))


def threshold_for(ranking: Ranking, precision: float) -> Threshold | None:
    """Return the threshold with the highest recall among those of at least a precision; None where there is none."""
    found = _at_thresholds(ranking)
    return None if found is None else _first(ranking, found, np.flatnonzero(found[0] >= precision)[::-1])


def _at_thresholds(ranking: Ranking) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return precision, recall and F1 at each distinct score."""
    hits, misses = ranking.counts()
    if not len(hits) or hits[-1] <= 0:
        return None
    return hits / (hits + misses), hits / hits[-1], 2 * hits / (hits + misses + hits[-1])


def _first(ranking: Ranking, found: tuple[np.ndarray, np.ndarray, np.ndarray], places: np.ndarray) -> Threshold | None:
    """Return the first of some places that a threshold can be written for."""
    for place in places[:_MOST_TRIED].tolist():
        threshold = ranking.threshold(place)
        if threshold is not None:
            return Threshold(threshold, *(float(each[place]) for each in found))
    return None
