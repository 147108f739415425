"""The sheet of several yes-or-no labels a sample: scores with intervals, labels one by one, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dltrain.metrics.classes import CHEAP, Bin, ClassFigures, Thresholds, mean_areas, reliability, thresholds_of
from dltrain.metrics.intervals import Estimate, bootstrap, wilson
from dltrain.metrics.ranking import Ranking


@dataclass(frozen=True, slots=True)
class FlagSheet:
    """What an evaluation says of labels of which a sample has any number.

    Args:
        scores: figures of all labels together, by name.
        classes: each label.
        calibration: bins of the probability of the more likely answer; empty without probabilities.
        thresholds: of each label; empty without probabilities.
    """

    scores: dict[str, Estimate]
    classes: tuple[ClassFigures, ...]
    calibration: tuple[Bin, ...] = ()
    thresholds: tuple[Thresholds, ...] = ()


def flag_sheet(
    flags: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    probabilities: bool,
    precision: float = 0.9,
    seed: int = 0,
) -> FlagSheet:
    """Judge predicted labels.

    Args:
        flags: the true ones, bool of shape (samples, labels).
        predicted: of the same shape.
        scores: of the same shape.
        names: of the labels.
        probabilities: whether scores are such.
        precision: that a threshold is to have.
        seed: of the bootstrap.
    """
    given = scores.astype(np.float64)
    rankings = [Ranking(flags[:, index], given[:, index]) for index in range(flags.shape[1])]
    both = (flags & predicted).astype(np.float64)
    wrong = np.mean(flags != predicted, axis=1)
    squares = np.mean((given - flags) ** 2, axis=1)
    united = np.stack([both, flags.astype(np.float64), predicted.astype(np.float64)])

    def statistics(weights: np.ndarray) -> dict[str, float]:
        hits, support, guesses = np.tensordot(united, weights, axes=([1], [0]))
        f1 = 2 * hits / np.maximum(support + guesses, 1e-300)
        found = {
            "hamming_loss": float(np.average(wrong, weights=weights)),
            "micro_f1": float(2 * hits.sum() / max(support.sum() + guesses.sum(), 1e-300)),
            "macro_f1": float(np.mean(f1)),
        }
        return found | ({"brier": float(np.average(squares, weights=weights))} if probabilities else {})

    right = float(np.sum(np.all(flags == predicted, axis=1)))
    hits, support, guesses = united.sum(axis=1)
    confidence = np.maximum(given, 1 - given).reshape(-1)
    return FlagSheet(
        {
            "all_right": wilson(right, len(flags)),
            **bootstrap(statistics, len(flags), seed, flags.size / CHEAP),
            **bootstrap(partial(mean_areas, rankings), len(flags), seed, flags.size),
        },
        tuple(
            _label(name, ranking, *numbers)
            for name, ranking, *numbers in zip(names, rankings, hits, support, guesses, strict=True)
        ),
        tuple(reliability(confidence, ((given > 0.5) == flags).reshape(-1))) if probabilities else (),
        tuple(thresholds_of(name, ranking, precision) for name, ranking in zip(names, rankings, strict=True))
        if probabilities
        else (),
    )


def _label(name: str, ranking: Ranking, hits: float, support: float, guesses: float) -> ClassFigures:
    roc, average = (area if np.isfinite(area) else None for area in ranking.areas())
    f1 = 2 * hits / (support + guesses) if support + guesses else None
    return ClassFigures(
        name, int(support), int(guesses), wilson(hits, guesses), wilson(hits, support), f1, roc, average
    )
