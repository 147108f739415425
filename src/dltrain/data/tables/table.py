"""The columns of a table, filled part by part, with all cells that cannot be used."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

_MOST_TOLD = 8
MOST_CATEGORIES = 100_000
MOST_TIMES = 2**31 - 1
_MOST_WORDS = 1_000
_LIKE_CODE = re.compile(r",0\d")
MISSING_WORDS = ("NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", ".", "#N/A")


class Wrong(Exception):
    """A problem with a table: the argument of the data set at fault, a message and a hint."""

    def __init__(self, argument: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.argument, self.message, self.hint = argument, message, hint


@dataclass(slots=True)
class Numbers:
    """A column of numbers; a missing one is NaN.

    Args:
        name: of the column.
        decimal: the character before the fraction.
        missing: the cells that mean that a value is missing.
        values: the numbers so far.
        bad: the rows whose cell is no number, with that cell, as many as messages tell.
        count_bad: how many such rows there are.
    """

    name: str
    decimal: str
    missing: frozenset[str]
    values: array[float] = field(default_factory=lambda: array("d"))
    bad: list[tuple[int, str]] = field(default_factory=list)
    bad_words: set[str] = field(default_factory=set)
    count_bad: int = 0
    count_missing: int = 0
    zeros: str = ""

    def add(self, cells: Sequence[str]) -> None:
        """Append the cells of some rows."""
        joined = f",{','.join(cells)}"
        found = self._all_numbers(cells, joined)
        found = self._numbers_and_gaps(cells) if found is None else found
        if found is None:
            found = array("d")
            start = len(self.values)
            found.extend(self._number(cell, start + place) for place, cell in enumerate(cells))
        self.values.extend(found)
        if not self.zeros and _LIKE_CODE.search(joined):
            self.zeros = next((c for c in cells if c[:1] == "0" and len(c) > 1 and c.isdecimal()), "")

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
            self.count_bad += 1
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
    """

    file: str
    columns: Mapping[str, Column]
    lines: array[int] = field(default_factory=lambda: array("q"))
    skipped: str = ""

    def __len__(self) -> int:
        if self.lines:
            return len(self.lines)
        column = next(iter(self.columns.values()))
        return len(column.values if isinstance(column, Numbers) else column.codes)

    def place(self, row: int) -> str:
        """Return where a row is found in the file."""
        return f"line {self.lines[row]}" if self.lines else f"row {row}"

    def check_numbers(self, needed: Collection[str | None] = (), hint: str = "") -> None:
        """Raise Wrong with all cells that should be numbers and are none.

        Args:
            needed: columns that can be nothing but numbers, such as targets.
            hint: how this is mended; by default, as a config can mend it.
        """
        bad = [c for c in self.columns.values() if isinstance(c, Numbers) and c.count_bad]
        if not bad:
            return
        told = []
        for column in bad[:_MOST_TOLD]:
            cells = ", ".join(f"{text[:40]!r} in {self.place(row)}" for row, text in column.bad[:3])
            more = f" and {column.count_bad - 3:,} more" if column.count_bad > 3 else ""
            told.append(f"`{column.name}`: {cells}{more}")
        more = f"; and {len(bad) - _MOST_TOLD} more columns" if len(bad) > _MOST_TOLD else ""
        message = f"{self.file} has text in columns of numbers: {'; '.join(told)}{more}"
        raise Wrong("path", message, hint or _mend(bad, needed))


def _mend(bad: Sequence[Numbers], needed: Collection[str | None]) -> str:
    """Return how columns of numbers with other cells become readable."""
    words = {word for column in bad for word in column.bad_words}
    if words <= set(MISSING_WORDS):
        return f"where these mean that a value is missing, write `na_values: [{', '.join(map(quoted, sorted(words)))}]`"
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
