"""The sheet of a classification: scores with intervals, classes one by one, confusions, calibration, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dltrain.metrics.intervals import Estimate, bootstrap, wilson
from dltrain.metrics.ranking import Ranking, Threshold, best_threshold, threshold_for

BINS = 15  # of a reliability diagram; Guo et al., On calibration of modern neural networks, 2017
_TOP = 5
_MOST_CONFUSIONS = 20
_MOST_RANKED = 5e7  # samples times classes, from which on there are no areas under curves
CHEAP = 4  # how many values of a sum take as long as one in its place in an order


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against all others; None where a figure is not defined, as the precision of one never predicted.

    Args:
        name: of the class.
        support: how many samples it has.
        predicted: how many are predicted to be it.
        precision, recall: with Wilson's interval, where samples are independent.
        f1: their harmonic mean.
        roc_auc, average_precision: of its scores.
    """

    name: str
    support: int
    predicted: int
    precision: Estimate
    recall: Estimate
    f1: float | None
    roc_auc: float | None = None
    average_precision: float | None = None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many samples of a class are predicted to be another; `share` is that of the class."""

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions whose confidence is above `low` and at most `high`: their number, mean confidence and accuracy."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds of a label's probability, chosen on these samples: the best F1, and a precision with most recall."""

    name: str
    best_f1: Threshold | None
    at_precision: Threshold | None


@dataclass(frozen=True, slots=True)
class ClassSheet:
    """What an evaluation says of a classification.

    Args:
        scores: figures of all classes together, by name.
        classes: each class.
        confusions: the most frequent ones.
        calibration: bins of the confidence; empty without probabilities.
        thresholds: of the second class of two.
        by_step: the share of right predictions at each step of sequences.
    """

    scores: dict[str, Estimate]
    classes: tuple[ClassFigures, ...]
    confusions: tuple[Confusion, ...]
    calibration: tuple[Bin, ...] = ()
    thresholds: tuple[Thresholds, ...] = ()
    by_step: tuple[float, ...] = ()


def class_sheet(
    labels: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    probabilities: bool,
    precision: float = 0.9,
    seed: int = 0,
) -> ClassSheet:
    """Judge predicted classes.

    Args:
        labels: the true ones, integers of shape (samples, …); samples are independent, their steps are not.
        predicted: of the same shape.
        scores: of each class, of shape (samples, …, classes).
        names: of the classes; a model may have more outputs than there are classes.
        probabilities: whether scores are such.
        precision: that a threshold is to have.
        seed: of the bootstrap.
    """
    samples, steps = len(labels), int(np.prod(labels.shape[1:], dtype=np.int64))
    size = max(scores.shape[-1], len(names))
    called = [*names, *map(str, range(len(names), size))]
    truth, guess = labels.reshape(-1), predicted.reshape(-1)
    given = scores.reshape(-1, scores.shape[-1])
    given = given.astype(np.float64) if given.size <= _MOST_RANKED else given
    rankings = [
        Ranking(truth == index, given[:, index]) for index in range(given.shape[1]) if given.size <= _MOST_RANKED
    ]
    judged = _Judged(truth, guess, given, steps, size, rankings, probabilities)
    found = bootstrap(judged.statistics, samples, seed, samples * steps / CHEAP)
    found |= bootstrap(judged.areas, samples, seed, given.size) if rankings else {}
    independent = steps == 1
    if independent:
        found["accuracy"] = wilson(float(np.sum(truth == guess)), len(truth))
        if size > 2 * _TOP:
            found[f"top_{_TOP}_accuracy"] = wilson(float(np.sum(_ranks(truth, given) < _TOP)), len(truth))
    return ClassSheet(
        found,
        tuple(_figures(called, judged, independent)),
        tuple(_confusions(truth, guess, called)),
        tuple(reliability(given.max(axis=1), truth == guess)) if probabilities else (),
        (thresholds_of(called[1], rankings[1], precision),) if size == len(rankings) == 2 and probabilities else (),
        tuple(np.mean(labels == predicted, axis=0).reshape(-1).tolist()) if labels.ndim == 2 else (),
    )


def thresholds_of(name: str, ranking: Ranking, precision: float) -> Thresholds:
    """Return the thresholds of a label."""
    return Thresholds(name, best_threshold(ranking), threshold_for(ranking, precision))


def _ranks(truth: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return how many classes are guessed before the true one."""
    own = np.take_along_axis(given, truth[:, None], axis=1)
    before = np.arange(given.shape[1]) < truth[:, None]  # of equal scores, the first class is the guess
    return np.sum((given > own) | ((given == own) & before), axis=1)


class _Judged:
    """Predictions, and the figures of them that depend on what each sample counts."""

    def __init__(
        self,
        truth: np.ndarray,
        guess: np.ndarray,
        given: np.ndarray,
        steps: int,
        size: int,
        rankings: Sequence[Ranking],
        probabilities: bool,
    ) -> None:
        self.truth, self.guess, self.size, self.rankings = truth, guess, size, rankings
        self._steps = steps
        self.pairs, self._cells, self.counts = np.unique(truth * size + guess, return_inverse=True, return_counts=True)
        self._surprise = self._squares = None
        if probabilities:
            own = np.take_along_axis(given, truth[:, None], axis=1)[:, 0]
            self._surprise = -np.log(np.clip(own, np.finfo(np.float64).eps, 1.0))
            lengths = np.einsum("ij,ij->i", given, given, dtype=np.float64)
            self._squares = (lengths - 2.0 * own + 1.0) / (2 if given.shape[1] == 2 else 1)
            self._confidence = given.max(axis=1)
            self._bins = bins_of(self._confidence)

    def by_class(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return right predictions, samples and predictions of each class, of the counts of pairs."""
        true, guess = np.divmod(self.pairs, self.size)
        right = np.bincount(true, np.where(true == guess, counts, 0), self.size)
        return right, np.bincount(true, counts, self.size), np.bincount(guess, counts, self.size)

    def statistics(self, weights: np.ndarray) -> dict[str, float]:
        """Return the figures of all classes together."""
        every = np.repeat(weights, self._steps) if self._steps > 1 else weights
        counts = np.bincount(self._cells, every, len(self.pairs))
        right, support, predicted = self.by_class(counts)
        total = counts.sum()
        there = (support > 0) | (predicted > 0)
        f1 = 2 * right / np.maximum(support + predicted, 1e-300)
        found = {
            "accuracy": right.sum() / total,
            "balanced_accuracy": float(np.mean(right[support > 0] / support[support > 0])),
            "macro_f1": float(np.mean(f1[there])),
            "weighted_f1": float(np.sum(f1 * support) / total),
            "matthews_correlation": _matthews(right.sum(), support, predicted, total),
        }
        if self._surprise is not None and self._squares is not None:
            found["log_loss"] = float(np.dot(self._surprise, every) / total)
            found["brier"] = float(np.dot(self._squares, every) / total)
            gaps = np.bincount(self._bins, every * (self._confidence - (self.truth == self.guess)), BINS)
            found["calibration_error"] = float(np.abs(gaps).sum() / total)
        return found

    def areas(self, weights: np.ndarray) -> dict[str, float]:
        """Return the areas under the curves, the mean over classes that have them."""
        every = np.repeat(weights, self._steps) if self._steps > 1 else weights
        return mean_areas(self.rankings, every)


def mean_areas(rankings: Sequence[Ranking], weights: np.ndarray) -> dict[str, float]:
    """Return the mean areas under the curves of several labels; NaN where none has one."""
    areas = np.array([ranking.areas(weights) for ranking in rankings])
    there = ~np.isnan(areas)
    sums, counts = np.where(there, areas, 0.0).sum(axis=0), there.sum(axis=0)
    roc, average = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).tolist()
    return {"roc_auc": roc, "average_precision": average}


def _matthews(right: float, support: np.ndarray, predicted: np.ndarray, total: float) -> float:
    """Return the correlation of labels and predictions; Gorodkin, Comparing two K-category assignments, 2004."""
    spread = (total**2 - np.dot(predicted, predicted)) * (total**2 - np.dot(support, support))
    return float((right * total - np.dot(support, predicted)) / np.sqrt(spread)) if spread > 0 else 0.0


def _figures(names: Sequence[str], judged: _Judged, independent: bool) -> list[ClassFigures]:
    right, support, predicted = judged.by_class(judged.counts)
    found = []
    for index, name in enumerate(names):
        hits, samples, guesses = (float(each[index]) for each in (right, support, predicted))
        if not samples and not guesses:
            continue
        areas = judged.rankings[index].areas() if index < len(judged.rankings) else (np.nan, np.nan)
        precision, recall = wilson(hits, guesses), wilson(hits, samples)
        if not independent:
            precision, recall = Estimate(precision.value), Estimate(recall.value)
        f1 = 2 * hits / (samples + guesses)
        roc, average = (float(area) if np.isfinite(area) else None for area in areas)
        found.append(ClassFigures(name, int(samples), int(guesses), precision, recall, f1, roc, average))
    return found


def _confusions(truth: np.ndarray, guess: np.ndarray, names: Sequence[str]) -> list[Confusion]:
    support = np.bincount(truth, minlength=len(names))
    wrong = truth != guess
    pairs, counts = np.unique(np.stack([truth[wrong], guess[wrong]]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], pairs[0], -counts))[:_MOST_CONFUSIONS]
    return [
        Confusion(names[true], names[other], count, count / int(support[true]))
        for true, other, count in zip(*pairs[:, order].tolist(), counts[order].tolist(), strict=True)
    ]


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of each confidence, from 0; a bin holds its upper end."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def reliability(confidence: np.ndarray, right: np.ndarray) -> list[Bin]:
    """Return the bins of a reliability diagram."""
    places = bins_of(confidence)
    counts = np.bincount(places, minlength=BINS)
    sums, hits = (np.bincount(places, each, BINS) for each in (confidence, right.astype(np.float64)))
    return [
        Bin(
            index / BINS,
            (index + 1) / BINS,
            int(count),
            *((sums[index] / count, hits[index] / count) if count else (None, None)),
        )
        for index, count in enumerate(counts.tolist())
    ]
