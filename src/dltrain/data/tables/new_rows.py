"""New rows for a trained model: the columns that it was trained on, prepared as then."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.learnt.scaling import scaled
from dltrain.data.samples import Samples, Trained
from dltrain.data.tables.again import Again
from dltrain.data.tables.dataset import Reader
from dltrain.data.tables.preparing import CategoryColumn, Features, NumberColumn
from dltrain.data.tables.roles import Roles, columns_of, listed_names
from dltrain.data.tables.splits import NOT_TRAINED, cells, scales_of, targets
from dltrain.data.tables.table import Column, Numbers, Table, Texts, Wrong, partly_labelled

_PART = 2**19  # numbers of samples that are in memory together
_LEAST_ROWS = 64
_MOST_TOLD = 6
_AS_TRAINED = "save the columns as those of the training"
_IN_PLACE = "columns are counted from 0 as in the training: save all of them, that of the target empty"


def samples(reader: Reader, path: Path, arguments: Mapping[str, Any], like: Trained) -> Samples:
    """Return the rows of a file that has the features of the training, and perhaps its targets.

    All of them are looked at; those of a large file are read again where they are asked for. Raises DataError if a
    column is missing, a cell is none that the training could have had, or a value is missing that nothing stands for.
    """
    features = Features.from_json((like.learnt or {}).get("table"))
    target = listed_names(arguments["target"])
    try:
        there = _names(reader, path, arguments, features)
        rows = _NewRows(reader, path, there, features, like, target if set(target) <= set(there) else [])
        seen = rows.look()
        y = rows.targets(seen)
    except Wrong as wrong:
        raise wrong.as_error() from None
    scales = scales_of(like.learnt or {})
    y = scaled(y, scales) if y is not None and like.facts.task == "regression" else y
    x = seen.first if seen.first is not None else rows.again(seen.count)
    labelled = y is not None or like.facts.task == "reconstruction"
    notes = [*_unknown(path, features, seen.table), *([seen.table.skipped] if seen.table.skipped else [])]
    notes += partly_labelled(str(path), target, seen.table, there, seen.count)
    return Samples(str(path), Split(x, y), labelled, notes=tuple(notes))


@dataclass(slots=True)
class _Seen:
    """What a look at all rows has found.

    Args:
        table: its columns, of which the cells are forgotten.
        count: of the rows.
        first: the samples, where the rows are few.
        targets: the cells of each target, as long as none is missing.
        lines: of the rows, where targets are kept.
        lacking: where the first of the missing values are that nothing stands for, by column.
    """

    table: Table
    count: int = 0
    first: np.ndarray | None = None
    targets: dict[str, array[Any]] = field(default_factory=dict)
    lines: array[int] = field(default_factory=lambda: array("q"))
    lacking: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _NewRows:
    """The rows of a file with the columns `there`, as samples, part by part."""

    reader: Reader
    path: Path
    there: list[str]
    features: Features
    like: Trained
    target: Sequence[str]

    def look(self) -> _Seen:
        """Read all rows. Raises Wrong with what is wrong in any of them."""
        columns = self._columns(self.target)
        kept = {name: array(_cells(columns[name]).typecode) for name in self.target}
        seen = _Seen(Table(str(self.path), columns), targets=kept)
        for table in self._parts(columns):
            seen.table = table
            if not len(table):
                continue  # behind the last part
            found = self._samples(table)
            seen.first = found if not seen.count else None
            seen.count += len(found)
            self._keep_targets(table, seen)
            self._note_lacking(table, seen)
        if not seen.count:
            raise Wrong("path", f"{self.path} has no rows", "save at least one")
        labelled = all(not columns[name].count_missing for name in self.target)
        known = {name: column for name, column in columns.items() if labelled or name not in self.target}
        replace(seen.table, columns=known).check(hint=_AS_TRAINED)
        if seen.lacking:
            told = "; ".join(f"`{name}` in {', '.join(rows)}" for name, rows in list(seen.lacking.items())[:_MOST_TOLD])
            message = f"{self.path} lacks values for which nothing stands since the training: {told}"
            raise Wrong("path", message, "fill them, or train with `missing: mean`")
        return seen

    def targets(self, seen: _Seen) -> np.ndarray | None:
        """Return the targets of all rows; None where not all have them. Raises Wrong if one is none of the training."""
        if not self.target or len(seen.targets) < len(self.target):
            return None
        columns = {name: _with(seen.table.columns[name], kept) for name, kept in seen.targets.items()}
        table = Table(str(self.path), columns, seen.lines)
        return targets(table, list(self.target), self.like.facts, NOT_TRAINED)

    def again(self, count: int) -> Again:
        """Return what reads the samples again."""

        def parts() -> Iterator[np.ndarray]:
            try:
                yield from (self._samples(table) for table in self._parts(self._columns(())) if len(table))
            except Wrong as wrong:
                raise wrong.as_error() from None

        dtype = np.int32 if self.features.whole else np.float32
        return Again(str(self.path), (count, self.features.width), dtype, parts)

    def _columns(self, target: Sequence[str]) -> dict[str, Column]:
        """Return empty columns for the features, and for targets."""
        columns = self.features.columns
        categorical = frozenset(column.name for column in columns if isinstance(column, CategoryColumn))
        names = tuple(column.name for column in columns)
        roles = Roles(names, categorical, tuple(target), None, None, None, None, {})
        task = self.like.facts.task if target else "reconstruction"
        return columns_of(roles, task, self.reader.decimal, self.reader.missing)

    def _parts(self, columns: Mapping[str, Column]) -> Iterator[Table]:
        rows = max(_LEAST_ROWS, _PART // max(self.features.width, len(columns)))
        return self.reader.parts(self.path, columns, self.there, rows)

    def _samples(self, table: Table) -> np.ndarray:
        words = {name: column.names for name, column in table.columns.items() if isinstance(column, Texts)}
        return self.features.samples(cells(table, [column.name for column in self.features.columns], words), words)

    def _keep_targets(self, table: Table, seen: _Seen) -> None:
        if self.target and self.like.facts.labels:
            seen.lines.extend(table.lines)
        for name in self.target:
            if table.columns[name].count_missing:
                seen.targets.clear()
            elif name in seen.targets:
                seen.targets[name].extend(_cells(table.columns[name]))

    def _note_lacking(self, table: Table, seen: _Seen) -> None:
        for feature in self.features.columns:
            column = table.columns[feature.name]
            lacks = isinstance(feature, NumberColumn) and feature.fill is None
            if isinstance(column, Numbers) and lacks and column.count_missing:
                told = seen.lacking.setdefault(feature.name, [])
                rows = np.flatnonzero(np.isnan(np.frombuffer(column.values)))[: _MOST_TOLD - len(told)]
                told += [table.place(table.before + int(row)) for row in rows]


def _cells(column: Column) -> array[Any]:
    return column.values if isinstance(column, Numbers) else column.codes


def _with(column: Column, kept: array[Any]) -> Column:
    """Return a column with other cells."""
    return replace(column, values=kept) if isinstance(column, Numbers) else replace(column, codes=kept)


def _names(reader: Reader, path: Path, arguments: Mapping[str, Any], features: Features) -> list[str]:
    """Return the columns of a file. Raises Wrong if they are not those of the features."""
    try:
        there = reader.names(path)
    except Wrong as wrong:
        hint = "write the file as that of the training: the same header, delimiter and encoding"
        raise Wrong(wrong.argument, str(wrong), hint if wrong.argument != "path" else wrong.hint) from None
    if features.places is not None and len(there) != features.places:
        message = (
            f"{path} has {len(there):,} columns without a header, and the file of the training {features.places:,}"
        )
        raise Wrong("path", message, _IN_PLACE)
    known = set(there)
    if lacking := [column.name for column in features.columns if column.name not in known]:
        has = ", ".join(f"`{name[:60]}`" for name in there[:12]) + (", …" if len(there) > 12 else "")
        hint = _IN_PLACE if arguments.get("header") is False else _AS_TRAINED
        if "encoding" in arguments and not all(name.isascii() for name in lacking):
            hint += f", in the same encoding, {arguments['encoding']}"
        raise Wrong("path", f"{path} has no column {_told([f'`{name}`' for name in lacking])}: it has {has}", hint)
    return there


def _unknown(path: Path, features: Features, table: Table) -> Iterator[str]:
    """Yield what is to be told of categories that training did not have."""
    words = {name: column.names for name, column in table.columns.items() if isinstance(column, Texts)}
    for column, strange in features.unknown(words):
        known = _told([name or "an empty one" for name in column.categories])
        yield f"{path} has values of `{column.name}` that training did not have: {_told(strange)}; it had {known}"


def _told(names: Sequence[str]) -> str:
    return ", ".join(name[:60] for name in names[:_MOST_TOLD]) + (", …" if len(names) > _MOST_TOLD else "")
