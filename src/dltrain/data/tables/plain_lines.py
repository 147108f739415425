"""Lines of CSV files that are a row each -> columns: the same as cell by cell, but read by NumPy's parser."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from dltrain.data.tables.table import Column, Numbers

_WIDEST = 32  # characters of a text; longer ones are read cell by cell
_MOST_COLUMNS = 2_000
_TRIES = 8


class PlainLines:
    """Reads lines into columns, as long as each is a row and NumPy takes them.

    Columns notice no codes among numbers then: `zeros` is for a look at a file.

    Args:
        places: the columns that are filled, by their place in a line.
        width: cells of a line.
        delimiter: between them.
    """

    def __init__(self, places: Mapping[int, Column], width: int, delimiter: str) -> None:
        self._places, self._width, self._delimiter = places, width, delimiter
        self._numbers = {place for place, column in places.items() if isinstance(column, Numbers) and column.is_plain}
        between = f"[{re.escape(delimiter)}\r\n]"
        # Begins with a literal, which is found fast.
        self._quoted = re.compile(f'"(?<={between}")[^"\\r\\n]*"(?={between})')
        self._gaps = False  # whether the last lines had empty cells
        self._failed = 0 if width <= _MOST_COLUMNS else _TRIES

    def add(self, lines: Sequence[str]) -> bool:
        """Append the cells of some lines; return False, and append none, where they have to be read one by one."""
        if self._failed >= _TRIES:
            return False
        text = "".join(lines)
        if self._are_rows(text):
            if not self._gaps and self._add(lines, self._numbers):
                self._failed = 0
                return True
            fillable = '"' not in text and "nan" not in text.lower()
            self._gaps = fillable and self._add(self._filled(lines), self._numbers, gaps=True)
            if self._gaps or self._add(lines, set()):
                self._failed = 0
                return True
        self._failed += 1
        return False

    def _filled(self, lines: Sequence[str]) -> list[str]:
        """Return lines with `nan` in empty cells."""
        one, two, filled = self._delimiter, 2 * self._delimiter, f"{self._delimiter}nan{self._delimiter}"
        found = []
        for line in lines:
            cells = line.rstrip("\r\n").replace(two, filled).replace(two, filled)
            found.append(f"{'nan' * cells.startswith(one)}{cells}{'nan' * cells.endswith(one)}")
        return found

    def _are_rows(self, text: str) -> bool:
        """Return whether quotes stand around whole cells alone, and none has an end of a line or another quote."""
        quotes = text.count('"')
        if quotes and quotes != 2 * len(self._quoted.findall(f"\n{text}\n")):
            return False
        return "\0" not in text and bool(text.strip())

    def _add(self, lines: Sequence[str], numbers: set[int], *, gaps: bool = False) -> bool:
        """Append the cells of some lines, those of the places in `numbers` as they are read by NumPy.

        With `gaps`, the word `nan` stands for empty cells.
        """
        kinds = {place: "f8" if place in numbers else f"U{_WIDEST}" for place in self._places}
        dtype = np.dtype([(f"f{place}", kinds.get(place, "U1")) for place in range(self._width)])
        form = {"delimiter": self._delimiter, "quotechar": '"', "comments": None, "encoding": None}
        try:
            rows = np.loadtxt(lines, dtype, ndmin=1, **form)  # type: ignore[call-overload]
        except ValueError:  # another number of cells, or a cell is no number
            return False
        if len(rows) < len(lines):  # blank lines, which have a number too
            return False
        found = {place: np.ascontiguousarray(rows[f"f{place}"]) for place in self._places}
        if not all(_is_whole(values, gaps) for values in found.values()):
            return False
        for place, column in self._places.items():
            if isinstance(column, Numbers) and place in numbers:
                column.values.frombytes(found[place].tobytes())
                column.count_missing += int(np.isnan(found[place]).sum()) if gaps else 0
            else:
                cells = found[place].tolist()
                self._add_texts(place, column, ["" if cell == "nan" else cell for cell in cells] if gaps else cells)
        return True

    def _add_texts(self, place: int, column: Column, cells: list[str]) -> None:
        """Append cells; numbers among which some are missing or none are read as texts from now on."""
        before = column.count_missing
        column.add(cells)
        if isinstance(column, Numbers) and (column.count_missing > before or column.count_bad):
            self._numbers.discard(place)


def _is_whole(values: np.ndarray, gaps: bool) -> bool:
    """Return whether all numbers are finite, or NaN where there may be gaps, or texts not cut off."""
    if values.dtype.kind == "f":
        return not np.isinf(values).any() if gaps else bool(np.isfinite(values).all())
    return not values.view(np.uint32).reshape(len(values), _WIDEST)[:, -1].any()
