"""The name of a data set and how to split it -> arrays for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dltrain.data.arrays import Dataset, RawDataset, Split, fingerprint
from dltrain.data.sources import SOURCES
from dltrain.data.splits import held_out, limited
from dltrain.errors import DataError

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
    """Load a data set, limit it and hold out validation samples; the choices are stratified and seeded.

    Args:
        name: a key of `SOURCES`.
        arguments: arguments of the source; defaults are filled in.
        validation: share of the (limited) training split, at least 0 and below 1; the test split is unaffected.
        limit_train: training and validation samples to keep; a larger number keeps all.
        limit_test: test samples to keep, likewise.
        seed: seeds the limits and the validation choice, each with a separate random stream.

    Samples stay in the order of the source. Raises DataError if the data is missing or damaged, or if a split would
    be empty.
    """
    if name not in SOURCES:
        raise DataError(f"there is no data set `{name}`", f"there are {', '.join(sorted(SOURCES))}")
    raw = SOURCES[name].read(SOURCES[name].filled(arguments))
    kept = limited(_strata(raw, raw.train), limit_train, (seed, _LIMIT_TRAIN))
    kept_test = limited(_strata(raw, raw.test), limit_test, (seed, _LIMIT_TEST))
    pool, test = _take(raw.train, kept), _take(raw.test, kept_test)
    held = held_out(_strata(raw, pool), validation, (seed, _VALIDATION))
    rest = np.delete(np.arange(len(kept)), held)
    return Dataset(
        facts=raw.facts,
        scale=raw.scale,
        train=_take(pool, rest),
        validation=_take(pool, held) if len(held) else None,
        test=test,
        validation_indices=kept[held],
        train_indices=kept[rest],
        fingerprint=fingerprint({"x_train": pool.x, "y_train": pool.y, "x_test": test.x, "y_test": test.y}),
    )


def _strata(raw: RawDataset, split: Split) -> np.ndarray:
    """Return the strata of a split: its labels, or a single stratum (a plain random choice) for a regression."""
    return split.y if raw.facts.task == "classification" else np.zeros(len(split.y), np.int64)


def _take(split: Split, rows: np.ndarray) -> Split:
    return split if len(rows) == len(split.y) else Split(split.x[rows], split.y[rows])
