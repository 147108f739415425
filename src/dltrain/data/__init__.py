"""The name of a data set and how to cut it -> arrays for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dltrain.data import digits, mnist, synthetic
from dltrain.data.arrays import Dataset, Source, Split, Task, fingerprint
from dltrain.data.splits import held_out, limited
from dltrain.errors import DataError

__all__ = ["NAMES", "Dataset", "Split", "Task", "load"]

NAMES = ("digits", "mnist", "synthetic")

_LIMIT_TRAIN, _LIMIT_TEST, _VALIDATION = range(3)  # the random streams of one seed


def load(
    name: str,
    arguments: Mapping[str, Any],
    *,
    validation: float,
    limit_train: int | None,
    limit_test: int | None,
    seed: int,
) -> Dataset:
    """Load a data set, limit it and set validation samples apart, by stratified and seeded choices.

    Args:
        name: one of `NAMES`.
        arguments: what the data set itself takes (see `synthetic.load`; the others take nothing).
        validation: share of the (limited) training split, at least 0 and below 1; the test split stays whole.
        limit_train: training and validation samples to keep; more than there are keeps all.
        limit_test: test samples to keep, likewise.
        seed: draws the limits and the validation samples, each from a stream of its own.

    Samples stay in the order of the source. Raises DataError where the data is missing or damaged, or where a
    split would be empty.
    """
    source = _read(name, arguments)
    kept = limited(_strata(source, source.train), limit_train, (seed, _LIMIT_TRAIN))
    kept_test = limited(_strata(source, source.test), limit_test, (seed, _LIMIT_TEST))
    pool, test = _take(source.train, kept), _take(source.test, kept_test)
    held = held_out(_strata(source, pool), validation, (seed, _VALIDATION))
    rest = np.delete(np.arange(len(kept)), held)
    return Dataset(
        name=source.name,
        task=source.task,
        shape=source.shape,
        classes=source.classes,
        class_names=source.class_names,
        scale=source.scale,
        train=_take(pool, rest),
        validation=_take(pool, held) if len(held) else None,
        test=test,
        validation_indices=kept[held],
        train_indices=kept[rest],
        fingerprint=fingerprint({"x_train": pool.x, "y_train": pool.y, "x_test": test.x, "y_test": test.y}),
    )


def _read(name: str, arguments: Mapping[str, Any]) -> Source:
    match name:
        case "mnist":
            return mnist.load()
        case "digits":
            return digits.load()
        case "synthetic":
            return synthetic.load(arguments)
    raise DataError(f"there is no data set `{name}`", f"there are {', '.join(NAMES)}")


def _strata(source: Source, split: Split) -> np.ndarray:
    """What a choice is stratified by: the labels, or for regression nothing, which leaves it random."""
    return split.y if source.task == "classification" else np.zeros(len(split.y), np.int64)


def _take(split: Split, rows: np.ndarray) -> Split:
    return split if len(rows) == len(split.y) else Split(split.x[rows], split.y[rows])
