"""A column of a table, read once: what its cells are, in memory of bounded size."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Literal

from dltrain.data.guesses.writing import as_number
from dltrain.data.tables.table import MISSING_WORDS

Content = Literal["empty", "constant", "index", "date", "code", "number", "text"]

_MOST_KEPT = 2_000_000  # different cells of all columns
_LONGEST_KEPT = 200  # characters of a cell
_MOST_WORDS = 2_000  # of a cell that are counted
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[ T]\d{1,2}:\d{2}.*)?")
# A number with separators of thousands, a unit or a sign: `1.234,50 €`, `36.8%`, `$ 1,200`.
_AMOUNT = re.compile(r"[^\w\s.,]?\s?[+-]?\d[\d.,' ]*[^\w\s.,]?|[+-]?\d[\d.,]*\s?[^\W\d_]{1,3}")
_INDEX = frozenset({"id", "index", "idx", "row", "rowid", "row_id", "rownames", "uuid", "guid"})
# Words that mean that a value is missing in a column of text too, where others may be categories.
_CLEAR = frozenset(MISSING_WORDS) - {"-", ".", "None", "none", "na"}


@dataclass(slots=True)
class Profile:
    """What the cells of a column are.

    Args:
        name: of the column.
        decimal: the character before a fraction.
        most: different cells that are counted; of more, it is known only that there are more.
    """

    name: str
    decimal: str
    most: int
    rows: int = 0
    empty: int = 0
    numbers: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    many: bool = False
    words: Counter[str] = field(default_factory=Counter)
    whole: bool = True
    lowest: float = float("inf")
    highest: float = float("-inf")
    counting: bool = True
    last: float | None = None
    zeros: str = ""
    rising: bool = True
    before: str = ""
    lengths: Counter[int] = field(default_factory=Counter)

    def add(self, cells: Sequence[str]) -> None:
        """Take in the cells of some rows."""
        stripped = [cell.strip() for cell in cells]
        self.rows += len(stripped)
        if not self.many:
            self.counts.update([cell[:_LONGEST_KEPT] for cell in stripped if cell])
            if len(self.counts) > self.most:
                self.many = True
                self.counts = Counter(dict(self.counts.most_common(self.most)))
        if not self._take_numbers(stripped):
            for cell in stripped:
                self._take(cell)
        if self.rising:
            row = [self.before, *stripped]
            self.rising = all(one < other for one, other in pairwise(row))
            self.before = row[-1]

    def _take_numbers(self, cells: Sequence[str]) -> bool:
        """Take in cells that are all numbers; return False where they are not, or may be none of the data set's."""
        if self.decimal != "." or not cells or "_" in "".join(cells):
            return False
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return False
        if not math.isfinite(sum(map(abs, numbers))):
            return False
        before = [] if self.last is None else [self.last]
        self.numbers += len(numbers)
        self.counting = self.counting and all(other == one + 1 for one, other in pairwise([*before, *numbers]))
        self.last = numbers[-1]
        self.lowest, self.highest = min(self.lowest, *numbers), max(self.highest, *numbers)
        self.whole = self.whole and all(map(float.is_integer, numbers))
        self._notice_zeros(cells)
        return True

    def _notice_zeros(self, cells: Sequence[str]) -> None:
        if not self.zeros:
            self.zeros = next((cell for cell in cells if cell[:1] == "0" and len(cell) > 1 and cell.isdecimal()), "")

    def _take(self, cell: str) -> None:
        if not cell:
            self.empty += 1
            return
        number = as_number(cell, self.decimal)
        if number is None:
            if len(self.words) <= len(MISSING_WORDS) or cell in self.words:
                self.words[cell[:_LONGEST_KEPT]] += 1
            self.counting = False
            self.lengths[min(cell.count(" ") + 1, _MOST_WORDS)] += 1
            return
        self.numbers += 1
        self.counting = self.counting and (self.last is None or number == self.last + 1)
        self.last = number
        self.lowest, self.highest = min(self.lowest, number), max(self.highest, number)
        if self.whole and not number.is_integer():
            self.whole = False
        self._notice_zeros([cell])

    @property
    def missing_words(self) -> set[str]:
        """The words among the cells that mean that a value is missing."""
        if self.numbers and self.words.keys() <= set(MISSING_WORDS):
            return set(self.words)
        return set() if self.numbers and self.content == "number" else set(_CLEAR & self.counts.keys())

    @property
    def amount(self) -> str:
        """A cell, where all that are no plain numbers are ones with separators or signs; else empty."""
        told = [word for word in self.words if word not in MISSING_WORDS]
        return told[0] if told and all(map(_AMOUNT.fullmatch, told)) else ""

    def missing(self, words: set[str]) -> int:
        """Return how many cells lack a value, where `words` mean so."""
        return self.empty + sum(self.counts[word] for word in words)

    def distinct(self, words: set[str]) -> int:
        """Return how many different values there are, those that are missing left out; more than `most` is more."""
        return len(self.counts) - sum(word in self.counts for word in words) + self.many

    def all_different(self, words: set[str]) -> bool:
        """Return whether no value is there twice, as far as is known."""
        if self.many:
            return self.counts.most_common(1)[0][1] == 1
        return self.distinct(words) == self.rows - self.missing(words)

    @property
    def are_days(self) -> bool:
        """Whether the column has days as numbers, such as 20241231."""
        known = list(self.counts)[:50]
        in_range = self.whole and not self.words and self.lowest >= 1700_01_01 and self.highest <= 2299_12_31
        return in_range and all(len(cell) == 8 and cell.isdecimal() and _is_iso(cell) for cell in known)

    @property
    def are_steps(self) -> bool:
        """Whether the column has dates in the form of ISO 8601 that rise from row to row."""
        return self.rising and self.content == "date" and all(map(_is_iso, list(self.counts)[:50]))

    @property
    def mean_length(self) -> float:
        """The mean number of words of a cell that is no number."""
        return sum(words * count for words, count in self.lengths.items()) / max(1, self.lengths.total())

    @property
    def content(self) -> Content:
        """What the column holds."""
        clear = {word for word in self.counts if word in _CLEAR}
        values = self.distinct(clear)
        if values == 0:
            return "empty"
        if values == 1 and not self.missing(clear):
            return "constant"
        is_number = self.numbers > 0 and self.words.keys() <= set(MISSING_WORDS)
        if self.name.startswith("Unnamed: "):
            return "index"
        named = self.name.lower() in _INDEX or re.search(r"(?:[_ -]id|[a-z]I[dD])$", self.name, re.ASCII)
        if self.rows > 2 and self.all_different(clear) and ((is_number and self.counting) or named):
            return "index"
        if is_number:
            return "date" if self.are_days else "code" if self.zeros else "number"
        return "date" if self._is_date(clear) else "text"

    def _is_date(self, missing: set[str]) -> bool:
        some = [cell for cell in list(self.counts)[:50] if cell not in missing]
        return all(_DATE.fullmatch(cell) or _is_iso(cell) for cell in some)


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def profiles(names: Sequence[str], decimal: str) -> dict[str, Profile]:
    """Return empty profiles for the columns of a table."""
    most = min(10_001, _MOST_KEPT // max(1, len(names)) + 50)
    return {name: Profile(name, decimal, most) for name in names}
