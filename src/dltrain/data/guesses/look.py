"""A table, read once: what its columns are, and which of them can be features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from dltrain.data.guesses.columns import Profile, profiles
from dltrain.data.guesses.guess import FEWEST, Taken, plural, told
from dltrain.data.guesses.writing import Writing, writing_of
from dltrain.data.tables import csv_file
from dltrain.data.tables.parquet_file import ParquetReader
from dltrain.data.tables.table import Column, Wrong
from dltrain.errors import DataError

_MOST_CATEGORIES = 200
_NAN = {"NaN", "nan"}  # which is a missing number in a Parquet file
_SMALL = 10  # rows of which nothing can be said by counting


@dataclass(slots=True)
class Look:
    """A table that was read once."""

    path: Path
    source: str
    columns: dict[str, Profile]
    rows: int
    bad_rows: str
    missing: set[str]

    def distinct(self, column: Profile) -> int:
        return column.distinct(self.missing)

    def lacking(self, column: Profile) -> int:
        return column.missing(self.missing)

    def repeats(self, column: Profile) -> bool:
        """Return whether the values of a text column come again, as those of categories do."""
        values, rows = self.distinct(column), self.rows - self.lacking(column)
        return not column.many and (rows <= _SMALL or values <= rows / 2)


def read(path: Path) -> tuple[Look, dict[str, Taken]]:
    """Read a file, and return the arguments that say how it is written. Raises DataError if it is damaged."""
    parquet = is_parquet(path)
    writing = Writing(csv_file.Format(), {}) if parquet else writing_of(path)
    try:
        names = ParquetReader().names(path) if parquet else csv_file.names_of(path, writing.how)
        columns = profiles(names, writing.how.decimal)
        cells = cast(Mapping[str, Column], columns)  # a profile takes cells as a column does, and keeps less
        if parquet:
            table = ParquetReader().fill(path, cells, names)
        else:
            table = csv_file.fill(path, replace(writing.how, skip=True), cells, names)
    except Wrong as wrong:
        raise DataError(wrong.message, wrong.hint) from None
    missing = set().union(*(column.missing_words for column in columns.values()))
    rows = max(column.rows for column in columns.values())
    missing = missing & _NAN if parquet else missing
    look = Look(path, "parquet" if parquet else "csv", columns, rows, table.skipped, missing)
    if look.rows < FEWEST:
        more = f"; {look.bad_rows}" if look.bad_rows else ""
        message = f"{path} has {plural(look.rows, 'row')} below its header{more}"
        raise DataError(message, f"give at least {FEWEST} samples")
    return look, writing.arguments


def is_parquet(path: Path) -> bool:
    """Return whether a file begins as Parquet files do."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def reason_to_drop(look: Look, column: Profile) -> str:
    """Return why a column is no feature; empty if it is one."""
    content = column.content
    missing = look.lacking(column)
    if content == "empty" or look.distinct(column) == 0:
        return "no value"
    if content == "constant" or (look.distinct(column) == 1 and not missing):
        return "the same value everywhere"
    if content == "index":
        return "it numbers or names the rows"
    if missing > look.rows / 2:
        return "more than half of the values are missing"
    if content == "date":
        steps = "; where rows are steps in time, write `series`" if column.are_steps else ""
        return f"dates{steps}; with `time: NAME` instead, the latest rows are held out for the test"
    if content in ("text", "code") and not (look.repeats(column) and look.distinct(column) <= _MOST_CATEGORIES):
        if column.amount:
            return f"text such as {told([column.amount])}: if these are numbers, write plain ones"
        if column.numbers > look.rows / 2:
            word = next(iter(column.words))
            return f"text such as {told([word])} among numbers; if that is missing, add it to `na_values`"
        return "text that hardly comes again, so no category"
    return ""


def by_reason(dropped: Mapping[str, str]) -> str:
    """Return why columns are left out, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for name, why in dropped.items():
        reasons.setdefault(why, []).append(name)
    return "; ".join(f"{told(names)}: {why}" for why, names in reasons.items())


def counts(look: Look, columns: list[Profile], most: int = 6) -> Iterator[str]:
    """Yield how many values columns lack."""
    for column in columns[:most]:
        yield f"{look.lacking(column):,} of {told([column.name])}"
    if len(columns) > most:
        yield f"{len(columns) - most:,} more columns"


def bad_rows_of(look: Look) -> Taken:
    """Return that rows with another number of cells are left out."""
    return Taken("skip", look.bad_rows.removesuffix("; they are left out").replace(str(look.path), "it"))
