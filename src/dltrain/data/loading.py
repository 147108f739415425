"""The name of a data set and how to split it -> arrays for training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from dltrain.data.arrays import Dataset, Division, RawDataset, Split, fingerprint
from dltrain.data.facts import Task
from dltrain.data.sizes import GIVEN, TEST
from dltrain.data.sources import SOURCES
from dltrain.data.splits import held_out, limited
from dltrain.errors import DataError

_MOST_TOLD = 6
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
    learnt: Mapping[str, Any] | None = None,
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
        learnt: what an earlier run has learnt from its training split; None to learn it.

    Samples stay in the order of the source. Raises DataError if the data is missing or damaged, or if a split would
    be empty.
    """
    if name not in SOURCES:
        raise DataError(f"there is no data set `{name}`", f"there are {', '.join(sorted(SOURCES))}")
    raw = _for_task(SOURCES[name].read(SOURCES[name].filled(arguments), task), task)
    places = _divided(raw, validation, test, limit_train, limit_test, seed)
    prepared = raw.learn(raw.train.take(places.train), learnt) if raw.learn is not None else None
    apply: Callable[[Split], Split] = prepared.apply if prepared is not None else lambda split: split
    pool = apply(raw.train.take(np.sort(np.concatenate([places.train, places.validation]))))
    tested = apply(raw.test.take(places.own_test) if len(raw.test) else raw.train.take(places.test))
    known = prepared.facts if prepared is not None else raw.facts
    used, validating = {"train": pool, "test": tested}, None
    if validation == TEST:
        validating = tested
    elif validation == GIVEN:
        validating = used["validation"] = apply(_given(raw, limit_test, seed))
    elif len(places.validation):
        validating = pool.take(np.searchsorted(places.pool, places.validation))
    return Dataset(
        facts=known,
        scale=raw.scale,
        target_scale=raw.target_scale,
        train=pool.take(np.searchsorted(places.pool, places.train)),
        validation=validating,
        test=tested,
        validation_indices=places.validation,
        train_indices=places.train,
        test_indices=places.test,
        fingerprint=_fingerprint(used),
        notes=(
            *raw.notes,
            *(prepared.notes if prepared is not None else ()),
            *(_rare(raw, places.train) if limit_train is None and known.labels == raw.facts.labels else ()),
        ),
        remarks=tuple(_remarks(raw, places, validation)),
        baselines=partial(_baselines, raw, places, validation),
        label_values=raw.label_values,
        learnt=prepared.learnt if prepared is not None else None,
    )


@dataclass(frozen=True, eq=False)
class _Places:
    """Sorted positions of the samples of each split: in the source's training split, and `own_test` in its test split.

    `test` is empty where the source has a test split of its own.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    own_test: np.ndarray

    @property
    def pool(self) -> np.ndarray:
        """Those of training and validation."""
        return np.sort(np.concatenate([self.train, self.validation]))


def _divided(
    raw: RawDataset,
    validation: float | str,
    test: float | None,
    limit_train: int | None,
    limit_test: int | None,
    seed: int,
) -> _Places:
    """Choose the samples of each split: first those of the test, then those that a limit keeps, then validation."""
    none, division = np.empty(0, np.int64), raw.division
    chosen, between = _chosen_test(raw, test, seed)
    own_test = limited(_strata(raw, raw.test), limit_test, (seed, _LIMIT_TEST), Division()) if len(raw.test) else none
    pool = np.delete(np.arange(len(raw.train), dtype=np.int64), np.concatenate([chosen, between]))
    strata = _strata(raw, raw.train)
    kept = limited(strata[pool], limit_train, (seed, _LIMIT_TRAIN), division.take(pool))
    pool = pool if division.gap else pool[kept]  # a gap is no part of the samples that are kept
    if len(chosen):
        chosen = chosen[limited(strata[chosen], limit_test, (seed, _LIMIT_TEST), division.take(chosen))]
    held = between = none
    if isinstance(validation, str) and validation not in (TEST, GIVEN):
        raise DataError(f"there is no validation split `{validation}`", f"a share, `{TEST}` or `{GIVEN}`")
    if not isinstance(validation, str):
        shares = (validation, (seed, _VALIDATION), "validation", division.take(pool))
        held, between = held_out(strata[pool], *shares, kept=len(kept))
    rest = np.delete(np.arange(len(pool)), np.concatenate([held, between]))
    if len(rest) > (most := max(1, len(kept) - len(held))):
        rest = rest[limited(strata[pool[rest]], most, (seed, _LIMIT_TRAIN), division.take(pool[rest]))]
    return _Places(pool[rest], pool[held], chosen, own_test)


def _rare(raw: RawDataset, places: np.ndarray) -> Iterator[str]:
    """Yield which classes have no training sample, or a single one; for classes that are not learnt, as tokens are."""
    facts = raw.facts
    if facts.task != "classification" or raw.train.y is None:
        return
    counts = np.bincount(np.asarray(raw.train.y)[places], minlength=len(facts.labels))
    for count, told in ((0, "no training sample is"), (1, "a single training sample is")):
        names = [f"`{name}`" for name, found in zip(facts.labels, counts.tolist(), strict=False) if found == count]
        each = "each " if count and len(names) > 1 else ""
        if names:
            shown = ", ".join(names[:_MOST_TOLD]) + ", …" * (len(names) > _MOST_TOLD)
            yield f"{told} of {each}{shown}: the model cannot learn what it {'hardly' if count else 'never'} sees"


def _remarks(raw: RawDataset, places: _Places, validation: float | str) -> Iterator[str]:
    """Yield what the source tells of the splits on which a model is judged."""
    for name in ("validation", "test") if raw.remark is not None else ():
        split = _as_read(raw, places, validation, name)
        if split is not None and raw.remark is not None and (len(split) or name == "test"):
            yield from raw.remark(name, split)


def _as_read(raw: RawDataset, places: _Places, validation: float | str, name: str) -> Split | None:
    """Return a split before it is prepared; None if there is none."""
    if name == "train":
        return raw.train.take(places.train)
    if name == "validation" and validation != TEST:
        return raw.validation if validation == GIVEN else raw.train.take(places.validation)
    return raw.test.take(places.own_test) if len(raw.test) else raw.train.take(places.test)


def _baselines(raw: RawDataset, places: _Places, validation: float | str, name: str) -> Mapping[str, np.ndarray]:
    split = _as_read(raw, places, validation, name)
    return raw.baselines(split) if raw.baselines is not None and split is not None else {}


def _fingerprint(splits: Mapping[str, Split]) -> str:
    return fingerprint(
        {
            f"{what}_{name}": array
            for name, split in splits.items()
            for what, array in (("x", split.x), ("y", split.y), ("weight", split.weight))
            if array is not None
        }
    )


def _for_task(raw: RawDataset, task: Task | None) -> RawDataset:
    """Return the data set for a task; a reconstruction has its input as the target."""
    if task != "reconstruction":
        return raw
    validation = replace(raw.validation, y=None) if raw.validation is not None else None
    return replace(
        raw,
        facts=raw.facts.for_task(task),
        train=replace(raw.train, y=None),
        test=replace(raw.test, y=None),
        validation=validation,
        target_scale=raw.scale,
    )


def _chosen_test(raw: RawDataset, share: float | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples held out for the test, none where the source has a test split, and those left out for it."""
    if len(raw.test):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if not share:
        raise DataError(f"`{raw.facts.name}` has no test split", "hold samples out: write `test: 0.2` under `data`")
    return held_out(_strata(raw, raw.train), share, (seed, _TEST), "test", raw.division)


def _given(raw: RawDataset, limit: int | None, seed: int) -> Split:
    split = raw.validation
    if split is None:
        raise DataError(f"`{raw.facts.name}` has no validation split", "write a share: `validation: 0.1` under `data`")
    return split.take(limited(_strata(raw, split), limit, (seed, _LIMIT_VALIDATION), Division()))


def _strata(raw: RawDataset, split: Split) -> np.ndarray:
    """Return the strata of a split: its labels, or a single stratum (a plain random choice) for other targets."""
    if raw.facts.task == "classification" and split.y is not None:
        return np.asarray(split.y)
    return np.zeros(len(split), np.int64)
