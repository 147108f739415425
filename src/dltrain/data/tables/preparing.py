"""Rows of a table -> samples: missing values, scales and categories, as they were learnt from the training split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dltrain.data.arrays import Prepared, Split
from dltrain.data.facts import Facts, Scale, natural
from dltrain.data.learnt.scaling import learn_scale, scaled
from dltrain.errors import DataError

OTHER = "(other)"
_TRAIN_ANEW = "train it anew with this version"


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """What makes a number of a sample of a cell: what stands for a missing one, and the scale.

    `missing` is how many were missing in the training split.
    """

    name: str
    fill: float | None
    scale: Scale
    missing: int = 0


@dataclass(frozen=True, slots=True)
class CategoryColumn:
    """The categories of a column in their order; those that are rare in the training split count as `OTHER`."""

    name: str
    categories: tuple[str, ...]


Feature = NumberColumn | CategoryColumn


@dataclass(frozen=True, slots=True)
class Rules:
    """How features are learnt.

    Args:
        scales: the kind of scale of each number, by name.
        missing: `mean` or `median`, which stand for missing numbers; another word where none may be missing.
        encoding: `one_hot` or `ordinal`.
        min_frequency: rows of the training split that a category needs.
        target_scale: the kind of scale of the targets.
    """

    scales: Mapping[str, str]
    missing: str
    encoding: str
    min_frequency: int
    target_scale: str | None


@dataclass(frozen=True, eq=False)
class Features:
    """What was learnt of the features of a table.

    Args:
        columns: in the order of the features.
        encoding: `one_hot`: a category is a 1 among zeros, one not seen in training is all zeros. `ordinal`: it is its
            place, counted from 1, and 0 one not seen in training.
        places: the columns of the file, where features are found by their place; None where they have names.
    """

    columns: tuple[Feature, ...]
    encoding: str
    places: int | None = None

    @property
    def width(self) -> int:
        """How many numbers a sample has."""
        return sum(self._width(column) for column in self.columns)

    @property
    def whole(self) -> bool:
        """Whether samples are whole numbers: places of categories alone."""
        return self.encoding == "ordinal" and all(isinstance(column, CategoryColumn) for column in self.columns)

    @property
    def highest(self) -> int:
        """The highest place of a category."""
        return max(len(column.categories) for column in self.columns if isinstance(column, CategoryColumn))

    def _width(self, column: Feature) -> int:
        one_hot = self.encoding == "one_hot" and isinstance(column, CategoryColumn)
        return len(column.categories) if one_hot else 1  # type: ignore[union-attr]

    def samples(self, x: np.ndarray, words: Mapping[str, Sequence[str]]) -> np.ndarray:
        """Return samples of shape (rows, width), float32, or int32 where they are `whole`.

        Args:
            x: cells of shape (rows, columns), float64; a category by its place in the `words` of its column.
            words: the texts of each column of categories.
        """
        found = np.zeros((len(x), self.width), np.int32 if self.whole else np.float32)
        start = 0
        for place, column in enumerate(self.columns):
            if isinstance(column, NumberColumn):
                cells = x[:, place]
                if column.fill is not None:
                    cells = np.where(np.isnan(cells), column.fill, cells)
                found[:, start] = scaled(cells[:, None], [column.scale], [column.name])[:, 0]
            else:
                codes = self._codes(column, words[column.name])[x[:, place].astype(np.int64)]
                if self.encoding == "one_hot":
                    rows = np.flatnonzero(codes >= 0)
                    found[rows, start + codes[rows]] = 1
                else:
                    found[:, start] = codes + 1
            start += self._width(column)
        return found

    def _codes(self, column: CategoryColumn, words: Sequence[str]) -> np.ndarray:
        """Return the place of each word among the categories, -1 for one that is none."""
        places = {name: place for place, name in enumerate(column.categories)}
        unknown = places.get(OTHER, -1)
        return np.array([places.get(word, unknown) for word in words], np.int64)

    def unknown(self, words: Mapping[str, Sequence[str]]) -> Iterator[tuple[CategoryColumn, list[str]]]:
        """Yield each column that has categories which training did not have, with them."""
        for column in self.columns:
            if isinstance(column, CategoryColumn):
                known = set(column.categories)
                if strange := [word for word in words[column.name] if word not in known]:
                    yield column, strange

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        written = {"encoding": self.encoding, "columns": [asdict(column) for column in self.columns]}
        return written | ({"places": self.places} if self.places is not None else {})

    @classmethod
    def from_json(cls, written: Any) -> Features:
        """Return what `to_json` gave. Raises DataError if it is none."""
        try:
            encoding, columns = written["encoding"], tuple(_column(column) for column in written["columns"])
            if encoding not in ("one_hot", "ordinal") or not columns:
                raise ValueError("no encoding or no columns")
            places = written.get("places")
            if places is not None and type(places) is not int:
                raise ValueError("no number of columns")
        except (TypeError, KeyError, ValueError) as error:
            raise DataError(f"what the run has learnt of its table is damaged: {error}", _TRAIN_ANEW) from None
        return cls(columns, encoding, places)


def _column(written: Any) -> Feature:
    name = written["name"]
    if not isinstance(name, str):
        raise ValueError("a column has no name")
    if "categories" not in written:
        fill = written["fill"]
        if fill is not None and (isinstance(fill, bool) or not isinstance(fill, int | float) or not np.isfinite(fill)):
            raise ValueError(f"`{name}` has no number for missing ones")
        missing = written.get("missing", 0)
        if isinstance(missing, bool) or not isinstance(missing, int) or missing < 0:
            raise ValueError(f"`{name}` has no number of missing values")
        return NumberColumn(name, fill, Scale.from_json(written["scale"]), missing)
    categories = written["categories"]
    if not isinstance(categories, list | tuple) or not all(isinstance(each, str) for each in categories):
        raise ValueError(f"`{name}` has no list of categories")
    return CategoryColumn(name, tuple(categories))


def learn_features(
    x: np.ndarray, names: Sequence[str], words: Mapping[str, Sequence[str]], rules: Rules
) -> tuple[Features, list[str]]:
    """Learn from the rows of the training split, shaped as in `Features.samples`; also return what to tell.

    Raises DataError if a column cannot be scaled, or has no value at all.
    """
    columns: list[Feature] = []
    constant: list[str] = []
    for place, name in enumerate(names):
        cells = x[:, place]
        if name in words:
            columns.append(_categories(name, cells, words[name], rules.min_frequency))
        else:
            columns.append(_number(name, cells, rules))
        if len(cells) > 1 and (cells == cells[0]).all():
            constant.append(name)
    shown = ", ".join(f"`{name}`" for name in constant[:8]) + (", …" if len(constant) > 8 else "")
    notes = [f"the same value in all training rows, from which nothing is learned: {shown}"] if constant else []
    return Features(tuple(columns), rules.encoding), notes


def _number(name: str, cells: np.ndarray, rules: Rules) -> NumberColumn:
    there = cells[~np.isnan(cells)]
    fill = None
    if rules.missing in ("mean", "median"):
        if not len(there):
            raise DataError(
                f"the column `{name}` has no value in the training split", f"leave it out: `drop: [{name}]`"
            )
        fill = float(there.mean() if rules.missing == "mean" else np.median(there))
        there = np.where(np.isnan(cells), fill, cells)
    try:
        return NumberColumn(name, fill, learn_scale(rules.scales.get(name), there), int(np.isnan(cells).sum()))
    except ValueError as error:
        raise DataError(f"the column `{name}` cannot be scaled: {error}", "scale it with `standard`") from None


def _categories(name: str, cells: np.ndarray, words: Sequence[str], least: int) -> CategoryColumn:
    counts = np.bincount(cells.astype(np.int64), minlength=len(words)).tolist()
    kept = [word for word, count in zip(words, counts, strict=True) if count >= max(1, least)]
    rare = any(0 < count < least for count in counts)
    return CategoryColumn(name, (*sorted(kept, key=natural), *((OTHER,) if rare and OTHER not in kept else ())))


def learn_targets(y: np.ndarray, kind: str | None) -> tuple[Scale, ...]:
    """Return the scale of each target; none where they stay as they are. Raises DataError if one cannot be scaled."""
    if kind is None:
        return ()
    try:
        return tuple(learn_scale(kind, y[:, place]) for place in range(y.shape[1]))
    except ValueError as error:
        raise DataError(f"the targets cannot be scaled: {error}", "write `target_scale: standard`") from None


def prepared(
    facts: Facts,
    features: Features,
    words: Mapping[str, Sequence[str]],
    scales: tuple[Scale, ...],
    notes: Sequence[str],
    training: Split,
) -> Prepared:
    """Return what makes of the rows of each split, those of training among them, what the model gets."""

    def apply(split: Split) -> Split:
        y = scaled(np.asarray(split.y), scales) if facts.task == "regression" else split.y
        return Split(features.samples(np.asarray(split.x), words), y, split.weight)

    samples = features.samples(np.asarray(training.x), words)
    known = replace(
        facts,
        shape=(features.width,),
        whole=features.whole,
        lowest=0.0 if features.whole else float(samples.min()),
        highest=float(features.highest) if features.whole else float(samples.max()),
        target_scales=scales,
        target_shape=(features.width,) if facts.task == "reconstruction" else facts.target_shape,
    )
    learnt = {"table": features.to_json(), "target": [asdict(scale) for scale in scales]}
    return Prepared(known, apply, learnt, tuple(notes))
