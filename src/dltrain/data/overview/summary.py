"""What the model gets of a data set: counts, shapes, ranges, duplicates, the first samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np

from dltrain.data.arrays import Array, Dataset, Split, chunks
from dltrain.data.learnt.scaling import unscaled
from dltrain.data.overview.duplicates import Digests, Repeats, repeats
from dltrain.data.overview.moments import Moments, Values
from dltrain.data.overview.names import feature_names, filled, target_names, vocabulary
from dltrain.data.progress import tell

_MOST_COLUMNS = 1_000  # that are told one by one
_FIRST = 5  # samples
_MOST_NUMBERS = 100  # of a sample
_ROWS = 65_536  # at a time


@dataclass(frozen=True, slots=True)
class Column:
    """One of the numbers of a sample or of a target: its name, and its values in the training split."""

    name: str
    values: Values


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """A split.

    Args:
        name: `train`, `validation` or `test`.
        samples: how many.
        values: of all samples.
        targets: of each number of a target, in the unit of the source; of all where targets are arrays. Empty for
            classes and labels.
        counts: targets of each class, or samples with each label; empty for numbers.
    """

    name: str
    samples: int
    values: Values
    targets: tuple[Values, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as the model gets it.

    Args:
        position: its place in the source.
        values: its first numbers.
        target: the class, the labels, or the first numbers in the unit of the source; None where it is the input.
        words: what the numbers stand for, in a text.
    """

    position: int
    values: tuple[float, ...]
    target: str | tuple[str, ...] | tuple[float, ...] | None
    words: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the model gets of a data set.

    Args:
        dataset: name of the source.
        task: what is to be told of a sample.
        shape, dtype: of a sample.
        target_shape: of a target.
        classes: names of classes or labels; empty for numbers.
        target_names, units: of the numbers of a target; empty for classes and labels.
        splits: those that there are, training first.
        features: along the last axis of a sample, in the training split; the first 1,000, and none of tokens.
        constant: names of all features with a single value in the training split.
        filled: columns in which values were missing in the training split and are filled in, with their number.
        repeats: samples that are there more than once. Positions count from 0 in the source's training split, of a
            split that the source has itself in that.
        first: the first training samples, without images.
        notes: what reading has found.
    """

    dataset: str
    task: str
    shape: tuple[int, ...]
    dtype: str
    target_shape: tuple[int, ...]
    classes: tuple[str, ...]
    target_names: tuple[str, ...]
    units: tuple[str, ...]
    splits: tuple[SplitSummary, ...]
    features: tuple[Column, ...]
    constant: tuple[str, ...]
    filled: dict[str, int]
    repeats: tuple[Repeats, ...]
    first: tuple[Sample, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        return asdict(self)

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What is probably a mistake: messages, each with a hint."""
        return (*_leaks(self), *_strange(self))


def summary_of(dataset: Dataset) -> Summary:
    """Read all samples once, some at a time, and return what they are like; memory is some 150 bytes for each."""
    splits = splits_of(dataset)
    seen = {name: _Seen(dataset, name, split) for name, split in splits.items()}
    names = feature_names(dataset)
    columns = seen["train"].values.columns(dataset.scale) if _has_features(dataset) else []
    features = [Column(names[place] if names else str(place), values) for place, values in enumerate(columns)]
    facts = dataset.facts
    return Summary(
        dataset=facts.name,
        task=facts.task,
        shape=facts.shape,
        dtype="int32" if facts.whole else "float32",
        target_shape=facts.target_shape,
        classes=facts.labels,
        target_names=tuple(target_names(dataset)[:_MOST_COLUMNS]) if facts.targets == "numbers" else (),
        units=facts.units,
        splits=tuple(one.summary() for one in seen.values()),
        features=tuple(features[:_MOST_COLUMNS]),
        constant=tuple(feature.name for feature in features if feature.values.constant),
        filled=filled(dataset),
        repeats=tuple(
            repeats(
                {name: one.samples.array() for name, one in seen.items()},
                {name: one.targets.array() for name, one in seen.items()},
                {name: positions(dataset, name) for name in seen},
            )
        ),
        first=tuple(_first(dataset)) if len(facts.shape) < 3 else (),
        notes=(*dataset.notes, *dataset.remarks),
    )


def splits_of(dataset: Dataset) -> dict[str, Split]:
    """Return the splits that have samples, training first; no validation split that is the test split itself."""
    found = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    if dataset.validation is dataset.test:
        del found["validation"]
    return {name: split for name, split in found.items() if split is not None and len(split)}


def positions(dataset: Dataset, name: str) -> np.ndarray:
    """Return where the samples of a split are in the source: its training split, or a split of its own."""
    indices = {
        "train": dataset.train_indices,
        "validation": dataset.validation_indices,
        "test": dataset.test_indices,
    }[name]
    return indices if len(indices) else np.arange(len(splits_of(dataset)[name]))


def targets_in_unit(dataset: Dataset, y: np.ndarray) -> np.ndarray:
    """Return targets that are numbers in the unit of the source, float32."""
    return unscaled(y.astype(np.float32), dataset.facts.target_scales)


def _has_features(dataset: Dataset) -> bool:
    """Return whether the places along the last axis of a sample mean something each: no pixels, and no tokens."""
    tokens = dataset.facts.whole and "table" not in (dataset.learnt or {})
    return len(dataset.facts.shape) < 3 and not tokens


class _Seen:
    """What was seen of a split, after reading it once."""

    def __init__(self, dataset: Dataset, name: str, split: Split) -> None:
        self._dataset, self._name, self._split = dataset, name, split
        facts = dataset.facts
        width = facts.shape[-1]
        self.values, self.samples, self.targets = Moments(width), Digests(), Digests()
        self._counts = np.zeros(len(facts.labels), np.int64)
        self._numbers = Moments(len(target_names(dataset)))
        done = 0
        for rows in _pieces(split.x):
            self.values.add(rows.reshape(-1, width))
            self.samples.add(rows)
            done += len(rows)
            tell(f"looking at the {name} split", done, len(split))
        for y in _pieces(split.y) if split.y is not None else ():
            self._add_targets(y)

    def _add_targets(self, y: np.ndarray) -> None:
        self.targets.add(y)
        if self._dataset.facts.targets == "classes":
            self._counts += np.bincount(y.reshape(-1), minlength=len(self._counts))[: len(self._counts)]
        elif self._dataset.facts.targets == "flags":
            self._counts += (y.reshape(-1, len(self._counts)) > 0.5).sum(axis=0)
        else:
            self._numbers.add(targets_in_unit(self._dataset, y).reshape(-1, len(self._numbers.count)))

    def summary(self) -> SplitSummary:
        scale, told = self._dataset.target_scale, self._dataset.facts.targets == "numbers" and self._split.y is not None
        return SplitSummary(
            self._name,
            len(self._split),
            self.values.all(self._dataset.scale),
            tuple(self._numbers.columns(scale)[:_MOST_COLUMNS]) if told else (),
            tuple(self._counts.tolist()),
        )


def _pieces(array: Array) -> Iterator[np.ndarray]:
    for chunk in chunks(array):
        for start in range(0, len(chunk), _ROWS):
            yield chunk[start : start + _ROWS]


def _first(dataset: Dataset) -> Iterator[Sample]:
    x = np.asarray(dataset.train.x[:_FIRST])
    words = vocabulary(dataset)
    for place, row in enumerate(x.reshape(len(x), -1)):
        numbers = row[:_MOST_NUMBERS].tolist()
        values = numbers if dataset.facts.whole else [value * dataset.scale for value in numbers]
        text = None
        if words is not None:
            between = "" if "merges" in (dataset.learnt or {})["text"] else " "  # subwords have their spaces
            text = between.join(words[number] for number in numbers if 0 <= number < len(words)).strip()
        where = int(positions(dataset, "train")[place])
        yield Sample(where, tuple(values), target_of(dataset, dataset.train, place), text)


def target_of(dataset: Dataset, split: Split, place: int) -> str | tuple[str, ...] | tuple[float, ...] | None:
    """Return the target of a sample as people read it: see `Sample`."""
    if split.y is None:
        return None
    facts = dataset.facts
    target = np.asarray(split.y[place : place + 1])[0]
    if facts.targets == "flags":
        return tuple(name for name, flag in zip(facts.labels, target, strict=True) if flag > 0.5)
    if facts.targets == "classes":
        names = [facts.labels[index] for index in target.reshape(-1)[:_MOST_NUMBERS]]
        return tuple(names) if prod(facts.target_shape) != 1 or facts.target_shape else names[0]
    numbers = targets_in_unit(dataset, target).reshape(-1)[:_MOST_NUMBERS] * dataset.target_scale
    return tuple(numbers.tolist())


def _leaks(summary: Summary) -> Iterator[tuple[str, str]]:
    samples = {split.name: split.samples for split in summary.splits}
    for found in summary.repeats:
        here, count = found.split, f"{found.count:,}"
        if found.other == "train" and here != "train":
            pairs = ", ".join(f"{here} {place} = train {twin}" for place, twin in found.examples[:3])
            are = "is" if found.count == 1 else "are"
            message = f"{count} of {samples[here]:,} {here} samples {are} also in the train split: {pairs}"
            yield message, f"the {here} metrics are better than those of new samples will be"
        if here == found.other == "train" and found.conflicts:
            have = "has" if found.conflicts == 1 else "have"
            message = f"{found.conflicts:,} of {samples[here]:,} train samples {have} another target than an equal one"
            yield message, "no model can tell equal samples apart"


def _strange(summary: Summary) -> Iterator[tuple[str, str]]:
    for split in summary.splits:
        values = split.values
        if values.missing or values.infinite:
            yield f"the {split.name} split has {values.missing:,} NaN and {values.infinite:,} infinite numbers", ""
