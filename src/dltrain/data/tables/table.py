"""The columns of a table, filled part by part, with all cells that cannot be used."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from dltrain.errors import DataError

_MOST_TOLD = 8
_MOST_PLACES = 3  # of one column
_MOST_ROWS_TOLD = 5
MOST_CATEGORIES = 100_000
MOST_TIMES = 2**31 - 1
_MOST_WORDS = 1_000
_LIKE_CODE = re.compile(r",0\d")
MISSING_WORDS = ("NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", ".", "#N/A")


class Wrong(Exception):
    """A problem with a table: the argument of the data set at fault, a message and a hint; with others beside it."""

    def __init__(self, argument: str, message: str, hint: str = "", others: Sequence[Wrong] = ()) -> None:
        super().__init__(message)
        self.argument, self.message, self.hint, self.others = argument, message, hint, tuple(others)

    @property
    def all(self) -> tuple[Wrong, ...]:
        """All problems, each alone."""
        return (Wrong(self.argument, self.message, self.hint), *self.others)

    def of_file(self, argument: str) -> Iterator[Wrong]:
        """Yield all problems, those of the file at the argument that names it."""
        for one in self.all:
            yield Wrong(argument if one.argument == "path" else one.argument, one.message, one.hint)

    def as_error(self) -> DataError:
        """Return all problems as one error."""
        *before, last = self.all
        told = [f"{one.message} ({one.hint}); " if one.hint else f"{one.message}; " for one in before]
        return DataError("".join([*told, last.message]), last.hint)


def raise_all(found: Iterable[Wrong]) -> None:
    """Raise the first problem with the others beside it; nothing if there is none."""
    problems = list(found)
    if problems:
        first = problems[0]
        raise Wrong(first.argument, first.message, first.hint, problems[1:])


@dataclass(slots=True)
class Numbers:
    """A column of numbers; a missing one is NaN.

    Args:
        name: of the column.
        decimal: the character before the fraction.
        missing: the cells that mean that a value is missing.
        values: the numbers so far.
        bad: the rows whose cell is no number, with that cell, as many as messages tell.
        bad_rows: all such rows.
        before: rows that were forgotten, which count.
    """

    name: str
    decimal: str
    missing: frozenset[str]
    values: array[float] = field(default_factory=lambda: array("d"))
    bad: list[tuple[int, str]] = field(default_factory=list)
    bad_words: set[str] = field(default_factory=set)
    bad_rows: array[int] = field(default_factory=lambda: array("q"))
    count_missing: int = 0
    zeros: str = ""
    before: int = 0

    @property
    def count_bad(self) -> int:
        """How many cells are no numbers."""
        return len(self.bad_rows)

    def missing_rows(self) -> Iterator[int]:
        """Yield the rows whose value is missing, in order; a cell that is no number is not."""
        bad = iter(self.bad_rows)
        next_bad = next(bad, -1)
        for row, value in enumerate(self.values):
            if row == next_bad:
                next_bad = next(bad, -1)
            elif value != value:
                yield row

    def add(self, cells: Sequence[str]) -> None:
        """Append the cells of some rows."""
        joined = f",{','.join(cells)}"
        found = self._all_numbers(cells, joined)
        found = self._numbers_and_gaps(cells) if found is None else found
        if found is None:
            found = array("d")
            start = self.before + len(self.values)
            found.extend(self._number(cell, start + place) for place, cell in enumerate(cells))
        self.values.extend(found)
        if not self.zeros and _LIKE_CODE.search(joined):
            self.zeros = next((c for c in cells if c[:1] == "0" and len(c) > 1 and c.isdecimal()), "")

    def forget(self) -> None:
        """Forget the numbers so far, but for what is counted and told of them."""
        self.before += len(self.values)
        self.values = array("d")

    @property
    def is_plain(self) -> bool:
        """Whether each cell that Python takes for a finite number is one."""
        return self.decimal == "." and not any(is_number(word) and math.isfinite(float(word)) for word in self.missing)

    def _all_numbers(self, cells: Sequence[str], joined: str) -> array[float] | None:
        """Return the numbers of cells; None if some are none, or are missing."""
        if "_" in joined or not self.is_plain:
            return None
        try:
            found = array("d", map(float, cells))
        except ValueError:
            return None
        return found if math.isfinite(sum(found)) else None

    def _numbers_and_gaps(self, cells: Sequence[str]) -> array[float] | None:
        """Return the numbers of cells, NaN for missing ones; None if others are among them."""
        texts = list(map(str.strip, cells))
        gaps = [place for place, text in enumerate(texts) if text in self.missing]
        if self.decimal != ".":
            texts = [text.replace(".", "_").replace(self.decimal, ".") for text in texts]
        for place in gaps:
            texts[place] = "nan"
        if "_" in "".join(texts):
            return None
        try:
            found = array("d", map(float, texts))
        except ValueError:
            return None
        if sum(map(math.isfinite, found)) < len(cells) - len(gaps):
            return None
        self.count_missing += len(gaps)
        return found

    def _number(self, cell: str, row: int) -> float:
        text = cell.strip()
        if text in self.missing:
            self.count_missing += 1
            return math.nan
        plain = text if self.decimal == "." else text.replace(".", "_").replace(self.decimal, ".")
        try:
            number = float(plain) if "_" not in plain else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.bad_rows.append(row)
            if len(self.bad) < _MOST_TOLD:
                self.bad.append((row, text))
            if len(self.bad_words) < _MOST_WORDS:
                self.bad_words.add(text[:40])
            return math.nan
        return number


@dataclass(slots=True)
class Texts:
    """A column of categories: each cell by its place in `words`, which stand in the order of their first cell.

    A missing one is the empty string.
    """

    name: str
    missing: frozenset[str]
    codes: array[int] = field(default_factory=lambda: array("i"))
    words: dict[str, int] = field(default_factory=dict)
    count_missing: int = 0
    most: int = MOST_CATEGORIES
    times: array[float] = field(default_factory=lambda: array("d"))  # of the words, where they are such

    def add(self, cells: Sequence[str]) -> None:
        """Append the cells of some rows. Raises Wrong if there are too many different ones."""
        words = self.words
        found = list(map(words.get, cells))
        for place, code in enumerate(found) if None in found else ():
            if code is None:
                text = cells[place].strip()
                found[place] = words.setdefault("" if text in self.missing else text, len(words))
        if "" in words:
            self.count_missing += found.count(words[""])
        self.codes.extend(found)  # type: ignore[arg-type]
        if len(words) > self.most:
            message = f"the column `{self.name}` has more than {self.most:,} different values"
            raise Wrong("path", message, f"it tells no categories apart: leave it out, `drop: [{self.name}]`")

    def missing_rows(self) -> Iterator[int]:
        """Yield the rows whose cell is empty, or means that."""
        empty = self.words.get("", -1)
        return (row for row, code in enumerate(self.codes) if code == empty)

    def forget(self) -> None:
        """Forget the cells so far, but for the different ones and what is counted."""
        self.codes = array("i")

    @property
    def names(self) -> list[str]:
        """The different cells, by code."""
        return list(self.words)


Column = Numbers | Texts


@dataclass(slots=True)
class Table:
    """The columns of a file that are used.

    Args:
        file: the file, as messages name it.
        columns: by name.
        lines: the line of each row in the file, counted from 1; empty where rows have none.
        skipped: what is said of rows that are left out.
        ragged: what is said of rows that were not read, and should have been.
        before: rows that were forgotten, which count.
        told: the lines of those of them that messages tell.
        width: the columns of the file; None where they have names.
    """

    file: str
    columns: Mapping[str, Column]
    lines: array[int] = field(default_factory=lambda: array("q"))
    skipped: str = ""
    ragged: str = ""
    before: int = 0
    told: dict[int, int] = field(default_factory=dict)
    width: int | None = None

    def __len__(self) -> int:
        if self.lines or not self.columns:
            return len(self.lines)
        column = next(iter(self.columns.values()))
        return len(column.values if isinstance(column, Numbers) else column.codes)

    def forget(self) -> None:
        """Forget the rows so far, but for what is counted and told of them."""
        bad = {row for column in self.columns.values() if isinstance(column, Numbers) for row, _ in column.bad}
        self.told |= {row: self.lines[row - self.before] for row in bad if row >= self.before and self.lines}
        self.before += len(self)
        self.lines = array("q")
        for column in self.columns.values():
            column.forget()

    def place(self, row: int) -> str:
        """Return where a row is found in the file; those that were forgotten count."""
        if row in self.told:
            return f"line {self.told[row]}"
        return f"line {self.lines[row - self.before]}" if self.lines else f"row {row}"

    def places(self, rows: Iterable[int], count: int) -> str:
        """Return where the first of so many rows are found in the file."""
        shown = [self.place(row) for row in islice(rows, _MOST_PLACES)]
        return ", ".join(shown) + (f" and {count - len(shown):,} more" if count > len(shown) else "")

    def check(self, needed: Collection[str | None] = (), hint: str = "") -> None:
        """Raise Wrong with all that `faults` yields."""
        raise_all(self.faults(needed, hint))

    def faults(self, needed: Collection[str | None] = (), hint: str = "") -> Iterator[Wrong]:
        """Yield what rows and cells are not: rows of another number of cells, and cells that should be numbers.

        Args:
            needed: columns that can be nothing but numbers, such as targets.
            hint: how numbers are mended; by default, as a config can mend them.
        """
        if self.ragged:
            more = "" if hint else ", or leave them out: `on_bad: skip`"
            yield Wrong("path", self.ragged, f"mend these lines{more}")
        bad = [c for c in self.columns.values() if isinstance(c, Numbers) and c.count_bad]
        if not bad:
            return
        told = []
        for column in bad[:_MOST_TOLD]:
            cells = ", ".join(f"{text[:40]!r} in {self.place(row)}" for row, text in column.bad[:_MOST_PLACES])
            more = f" and {column.count_bad - _MOST_PLACES:,} more" if column.count_bad > _MOST_PLACES else ""
            told.append(f"`{column.name}`: {cells}{more}")
        more = f"; and {len(bad) - _MOST_TOLD} more columns" if len(bad) > _MOST_TOLD else ""
        infinite = any(_is_infinite(word) for column in bad for word in column.bad_words)
        what = "text or infinity" if infinite else "text"
        message = f"{self.file} has {what} in columns of numbers: {'; '.join(told)}{more}"
        yield Wrong("path", message, hint or _mend(bad, needed, of_text=bool(self.lines)))


@dataclass(slots=True)
class WrongRows:
    """The rows that have another number of cells than `width`: how many, and the first."""

    width: int
    count: int = 0
    first: list[str] = field(default_factory=list)

    def left_out(self, numbers: list[int], part: list[list[str]]) -> tuple[list[int], list[list[str]]]:
        """Return the rows of this width, and their lines."""
        good = [cells for cells in part if len(cells) == self.width]
        if len(good) == len(part):
            return numbers, part
        self.count += len(part) - len(good)
        pairs = list(zip(numbers, part, strict=True))
        wrong = [f"line {line} has {len(cells)}" for line, cells in pairs if len(cells) != self.width]
        self.first += wrong[: _MOST_ROWS_TOLD - len(self.first)]
        return [line for line, cells in pairs if len(cells) == self.width], good

    def told(self, path: Path) -> str:
        """Return what is wrong, as a phrase."""
        count, first = self.count, ", ".join(self.first)
        more = f" and {count - len(self.first):,} more" if count > len(self.first) else ""
        return (
            f"{count:,} row{'s' * (count > 1)} of {path} with another number of cells than {self.width}: {first}{more}"
        )


def _mend(bad: Sequence[Numbers], needed: Collection[str | None], *, of_text: bool) -> str:
    """Return how columns of numbers with other cells become readable; those of a text have lines and `na_values`."""
    words = {word for column in bad for word in column.bad_words}
    missing = {word for word in words if word in MISSING_WORDS or _is_infinite(word)}
    if missing:
        mend = f"write `na_values: {listed(sorted(missing))}`" if of_text else "save a null there"
        told = f"where {'these' if missing == words else 'some'} mean that a value is missing, {mend}"
        others = [column for column in bad if not column.bad_words <= missing]
        return f"{told}; {_mend_texts(others, words - missing, needed)}" if others else told
    return _mend_texts(bad, words, needed)


def _is_infinite(word: str) -> bool:
    try:
        return math.isinf(float(word))
    except ValueError:
        return False


def _mend_texts(bad: Sequence[Numbers], words: Collection[str], needed: Collection[str | None]) -> str:
    if all(_has_comma(word) for word in words):
        return "with a decimal comma, write `decimal: ','`"
    if fixed := [column.name for column in bad if column.name in needed]:
        return f"targets and weights are numbers here, so mend {listed(fixed)}; labels are for `task: classification`"
    unique = [column.name for column in bad if nearly_unique(len(column.bad_words), min(column.count_bad, _MOST_WORDS))]
    others = [column.name for column in bad if column.name not in unique]
    kept = f"as categories, write `categorical: {listed(others)}`; or leave them out with `drop`" if others else ""
    if not unique:
        return kept
    told = f"with nearly as many values as rows, {listed(unique)} tell nothing of new samples: `drop: {listed(unique)}`"
    return f"{kept}; {told}" if kept else told


def partly_labelled(file: str, target: Sequence[str], table: Table, there: Collection[str], rows: int) -> list[str]:
    """Return a note where some rows of a file with the columns `there` have targets, but not all; else none."""
    columns = table.columns
    lacking = {
        name: columns[name].count_missing if name in columns else 0 if name in there else rows for name in target
    }
    if not any(lacking.values()) or all(count == rows for count in lacking.values()):
        return []
    told = ", ".join(f"`{name[:60]}` in {count:,} of {rows:,} rows" for name, count in lacking.items() if count)
    return [f"{file} lacks {told}, so it is predicted and not scored"]


def nearly_unique(different: int, cells: int) -> bool:
    """Return whether a column of texts has nearly as many different ones as rows, as names and numbers of tickets."""
    return cells >= 20 and different >= 0.9 * cells


def is_number(cell: str) -> bool:
    """Return whether Python takes a cell for a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _has_comma(word: str) -> bool:
    whole, comma, fraction = word.lstrip("+-").partition(",")
    return bool(comma) and (whole + fraction).isdecimal()


def twice_in(names: Sequence[str]) -> str | None:
    """Return the first name that stands there a second time, in linear time; None if there is none."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def quoted(word: str) -> str:
    """Return a name as YAML takes it in a list."""
    plain = word[:1].isalpha() and all(letter.isalnum() or letter in "_ -." for letter in word)
    plain = plain and word == word.strip() and word.lower() not in ("yes", "no", "on", "off", "true", "false", "null")
    return word if plain and word.lower() not in ("y", "n") else "'" + word.replace("'", "''") + "'"


def listed(names: object) -> str:
    """Return names as a list of YAML."""
    return f"[{', '.join(map(quoted, names))}]"  # type: ignore[call-overload]
