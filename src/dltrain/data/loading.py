"""The name of a data set and how to split it -> arrays for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dltrain.data.arrays import Dataset, RawDataset, Split, fingerprint
from dltrain.data.facts import Task
from dltrain.data.sizes import GIVEN, TEST
from dltrain.data.sources import SOURCES
from dltrain.data.splits import held_out, limited
from dltrain.errors import DataError

_LIMIT_TRAIN, _LIMIT_TEST, _VALIDATION, _TEST, _LIMIT_VALIDATION = range(5)  # the random streams of one seed


def load(
    name: str,
    arguments: Mapping[str, Any],
    *,
    task: Task | None = None,
    validation: float | str,
    test: float | None = None,
    limit_train: int | None,
    limit_test: int | None,
    seed: int,
) -> Dataset:
    """Load a data set, limit it and hold out validation samples; the choices are stratified and seeded.

    Args:
        name: a key of `SOURCES`.
        arguments: arguments of the source; defaults are filled in.
        task: what is to be told of a sample; None for what the source says.
        validation: share of the (limited) training split, at least 0 and below 1; `test` to validate on the test
            split, `given` for the source's own validation split.
        test: share of the source's samples, where it has no test split of its own.
        limit_train: training and validation samples to keep; a larger number keeps all.
        limit_test: test samples to keep, likewise; also of a validation split of the source's own.
        seed: seeds the limits and the choices, each with a separate random stream.

    Samples stay in the order of the source. Raises DataError if the data is missing or damaged, or if a split would
    be empty.
    """
    if name not in SOURCES:
        raise DataError(f"there is no data set `{name}`", f"there are {', '.join(sorted(SOURCES))}")
    raw = _for_task(SOURCES[name].read(SOURCES[name].filled(arguments), task), task)
    whole = np.arange(len(raw.train), dtype=np.int64)
    chosen = _chosen_test(raw, test, seed)
    pool_rows = np.delete(whole, chosen)
    pool = raw.train.take(pool_rows)
    kept = limited(_strata(raw, pool), limit_train, (seed, _LIMIT_TRAIN))
    pool, pool_rows = pool.take(kept), pool_rows[kept]
    tested = raw.test if len(raw.test) else raw.train.take(chosen)
    kept_test = limited(_strata(raw, tested), limit_test, (seed, _LIMIT_TEST))
    tested = tested.take(kept_test)
    used = {"train": pool, "test": tested}
    held, validating = np.empty(0, np.int64), None
    if validation == TEST:
        validating = tested
    elif validation == GIVEN:
        validating = used["validation"] = _given(raw, limit_test, seed)
    elif isinstance(validation, str):
        raise DataError(f"there is no validation split `{validation}`", f"a share, `{TEST}` or `{GIVEN}`")
    else:
        held = held_out(_strata(raw, pool), validation, (seed, _VALIDATION))
        validating = pool.take(held) if len(held) else None
    rest = np.delete(np.arange(len(pool)), held)
    return Dataset(
        facts=raw.facts,
        scale=raw.scale,
        target_scale=raw.target_scale,
        train=pool.take(rest),
        validation=validating,
        test=tested,
        validation_indices=pool_rows[held],
        train_indices=pool_rows[rest],
        test_indices=chosen if len(raw.test) else chosen[kept_test],
        fingerprint=fingerprint(
            {
                f"{what}_{name}": array
                for name, split in used.items()
                for what, array in (("x", split.x), ("y", split.y))
                if array is not None
            }
        ),
        notes=raw.notes,
        label_values=raw.label_values,
    )


def _for_task(raw: RawDataset, task: Task | None) -> RawDataset:
    """Return the data set for a task; a reconstruction has its input as the target."""
    if task != "reconstruction":
        return raw
    validation = Split(raw.validation.x, None) if raw.validation is not None else None
    return replace(
        raw,
        facts=raw.facts.for_task(task),
        train=Split(raw.train.x, None),
        test=Split(raw.test.x, None),
        validation=validation,
        target_scale=raw.scale,
    )


def _chosen_test(raw: RawDataset, share: float | None, seed: int) -> np.ndarray:
    """Return the positions of the samples held out for the test; none where the source has its own test split."""
    if len(raw.test):
        return np.empty(0, np.int64)
    if not share:
        raise DataError(f"`{raw.facts.name}` has no test split", "hold samples out: write `test: 0.2` under `data`")
    return held_out(_strata(raw, raw.train), share, (seed, _TEST), "test")


def _given(raw: RawDataset, limit: int | None, seed: int) -> Split:
    split = raw.validation
    if split is None:
        raise DataError(f"`{raw.facts.name}` has no validation split", "write a share: `validation: 0.1` under `data`")
    return split.take(limited(_strata(raw, split), limit, (seed, _LIMIT_VALIDATION)))


def _strata(raw: RawDataset, split: Split) -> np.ndarray:
    """Return the strata of a split: its labels, or a single stratum (a plain random choice) for other targets."""
    if raw.facts.task == "classification" and split.y is not None:
        return np.asarray(split.y)
    return np.zeros(len(split), np.int64)
