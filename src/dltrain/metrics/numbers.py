"""The sheet of numbers: errors with intervals, residuals, beside a constant guess and a forecast to beat, by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dltrain.metrics.intervals import MOST_RESAMPLES, Estimate, bootstrap

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_MOST_STEPS = 1_000
_MOST_DRAWS = 2_000  # of all numbers together, where there are several
_MOST_WITH_INTERVALS = 50  # numbers of a target


@dataclass(frozen=True, slots=True)
class NumberFigures:
    """The errors of one number of the target, in its unit; the residual is the truth less the prediction.

    Args:
        name: of the number; empty if it has none.
        scores: `mae`, `rmse`, `mape` (a share, of targets that are not 0), `r2`, and `bias`, the mean of the residuals.
        residuals: quantiles of the residuals.
        largest: the largest absolute residual.
        guess: the errors of a constant guess: of `mae` with the median, of `rmse` with the mean of the training split.
    """

    name: str
    scores: dict[str, Estimate]
    residuals: dict[str, float]
    largest: float | None
    guess: dict[str, float]


@dataclass(frozen=True, slots=True)
class StepFigures:
    """The errors at one step of sequences, and those of forecasts that need no model, by name."""

    step: int
    mae: float
    rmse: float
    baselines: dict[str, float]


@dataclass(frozen=True, slots=True)
class NumberSheet:
    """What an evaluation says of numbers.

    Args:
        numbers: each number of a target, where targets are a few numbers.
        scores: `mae` and `rmse` over all numbers, where targets are arrays.
        by_sample: quantiles of the mean absolute error of a sample, where targets are arrays; above that of 0.95 is the
            twentieth that the model knows least.
        by_step: each step, where targets are sequences.
        baselines: mean absolute errors of forecasts that need no model, by name.
    """

    numbers: tuple[NumberFigures, ...] = ()
    scores: dict[str, Estimate] = field(default_factory=dict)
    by_sample: dict[str, float] = field(default_factory=dict)
    by_step: tuple[StepFigures, ...] = ()
    baselines: dict[str, float] = field(default_factory=dict)


def number_sheet(
    targets: np.ndarray,
    predicted: np.ndarray,
    names: Sequence[str],
    *,
    centre: np.ndarray | None = None,
    median: np.ndarray | None = None,
    seed: int = 0,
) -> NumberSheet:
    """Judge predicted numbers.

    Args:
        targets: of shape (samples, numbers), in their own units; NaN where one is missing.
        predicted: of the same shape.
        names: of the numbers; empty if they have none.
        centre: the mean of each number in the training split, for the constant guess.
        median: the median of each.
        seed: of the bootstrap.
    """
    truth, guess = targets.astype(np.float64), predicted.astype(np.float64)
    found = []
    for index in range(truth.shape[1]):
        guesses = {
            kind: float(each[index]) for kind, each in (("mean", centre), ("median", median)) if each is not None
        }
        name = names[index] if index < len(names) else str(index) if truth.shape[1] > 1 else ""
        most = max(100, _MOST_DRAWS // truth.shape[1]) if index < _MOST_WITH_INTERVALS else 0
        found.append(_number(name, truth[:, index], guess[:, index], guesses, seed, most))
    return NumberSheet(tuple(found))


def _number(
    name: str, truth: np.ndarray, guess: np.ndarray, constants: dict[str, float], seed: int, most: int
) -> NumberFigures:
    there = np.isfinite(truth) & np.isfinite(guess)
    truth, guess = truth[there], guess[there]
    residuals = truth - guess
    size, square = np.abs(residuals), residuals**2
    nonzero = truth != 0
    shares = np.where(nonzero, size / np.where(nonzero, np.abs(truth), 1.0), 0.0)

    def statistics(weights: np.ndarray) -> dict[str, float]:
        total = weights.sum()
        if total <= 0:
            return dict.fromkeys(("mae", "rmse", "mape", "r2", "bias"), float("nan"))
        middle = np.dot(truth, weights) / total
        spread, left = float(np.dot((truth - middle) ** 2, weights)), float(np.dot(square, weights))
        counted = float(np.dot(nonzero, weights))
        return {
            "mae": float(np.dot(size, weights) / total),
            "rmse": float(np.sqrt(left / total)),
            "mape": float(np.dot(shares, weights) / counted) if counted else float("nan"),
            "r2": 1 - left / spread if spread > total * (1e-9 * middle) ** 2 else float("nan"),  # more than rounding
            "bias": float(np.dot(residuals, weights) / total),
        }

    guessed = {}
    if len(truth) and "median" in constants:
        guessed["mae"] = float(np.mean(np.abs(truth - constants["median"])))
    if len(truth) and "mean" in constants:
        guessed["rmse"] = float(np.sqrt(np.mean((truth - constants["mean"]) ** 2)))
    quantiles = np.quantile(residuals, QUANTILES).tolist() if len(residuals) else []
    return NumberFigures(
        name,
        bootstrap(statistics, len(truth), seed, len(truth), min(most, MOST_RESAMPLES)),
        {f"{share:g}": value for share, value in zip(QUANTILES, quantiles, strict=False)},
        float(size.max()) if len(size) else None,
        guessed,
    )


def array_sheet(absolute: np.ndarray, squared: np.ndarray, seed: int = 0) -> NumberSheet:
    """Judge predicted arrays by the errors of each sample.

    Args:
        absolute: mean absolute error of each sample, of shape (samples,).
        squared: mean squared error of each, of the same shape.
        seed: of the bootstrap.
    """

    def statistics(weights: np.ndarray) -> dict[str, float]:
        return {
            "mae": float(np.average(absolute, weights=weights)),
            "rmse": float(np.sqrt(np.average(squared, weights=weights))),
        }

    quantiles = np.quantile(absolute, QUANTILES).tolist()
    return NumberSheet(
        scores=bootstrap(statistics, len(absolute), seed, len(absolute) / 2),
        by_sample={f"{share:g}": value for share, value in zip(QUANTILES, quantiles, strict=True)},
    )


def errors_by_step(
    truth: np.ndarray, predicted: np.ndarray, baselines: Mapping[str, np.ndarray]
) -> tuple[tuple[StepFigures, ...], dict[str, float]]:
    """Return the errors at each step, and those of the baselines over all steps.

    Args:
        truth: the targets, of shape (samples, steps, numbers); NaN where one is missing.
        predicted: of the same shape.
        baselines: forecasts of the same shape, by name.
    """
    steps = [
        StepFigures(
            step + 1,
            float(np.nanmean(np.abs(truth[:, step] - predicted[:, step]))),
            float(np.sqrt(np.nanmean((truth[:, step].astype(np.float64) - predicted[:, step]) ** 2))),
            {name: float(np.nanmean(np.abs(truth[:, step] - each[:, step]))) for name, each in baselines.items()},
        )
        for step in range(min(truth.shape[1], _MOST_STEPS))
        if np.isfinite(truth[:, step]).any()
    ]
    return tuple(steps), {name: float(np.nanmean(np.abs(truth - each))) for name, each in baselines.items()}
