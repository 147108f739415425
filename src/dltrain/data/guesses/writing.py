"""How a CSV file is written: its encoding, delimiter, decimal and header, found in its first part."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dltrain.data.guesses.guess import Taken
from dltrain.data.tables.csv_file import Format
from dltrain.data.tables.table import MISSING_WORDS
from dltrain.errors import DataError

_SAMPLE = 2**18  # bytes that tell the delimiter, the decimal and the header
_ROWS = 500
_ALIKE = 0.8  # share of rows with the same number of cells that a table has at least
_PART = 2**20  # bytes
_DELIMITERS = (",", ";", "\t", "|", " ")
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "a space"}
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a file is written, and the arguments that say so where it is not as the data set expects."""

    how: Format
    arguments: dict[str, Taken]


def writing_of(path: Path) -> Writing:
    """Look at how a CSV file is written. Raises DataError if it is no text, or has a single column."""
    encoding = encoding_of(path)
    rows, delimiter = _best(_text(path, encoding), path)
    arguments: dict[str, Taken] = {}
    if delimiter != ",":
        arguments["delimiter"] = Taken(delimiter, f"{_NAMES[delimiter]} is between cells")
    cells = [cell.strip() for row in rows for cell in row]
    commas, points = (sum(form.fullmatch(cell) is not None for cell in cells) for form in (_COMMA, _POINT))
    decimal = "," if commas > points else "."
    if decimal == ",":
        example = next(cell for cell in cells if _COMMA.fullmatch(cell))
        arguments["decimal"] = Taken(",", f"numbers are written as in {example}")
    if encoding != "utf-8":
        why = "as its first bytes say" if encoding == "utf-16" else "it is no UTF-8; if letters look wrong, try others"
        arguments["encoding"] = Taken(encoding, why)
    header, why = _header(rows, decimal)
    if not header:
        arguments["header"] = Taken(False, why)
    return Writing(Format(delimiter, decimal, encoding, header), arguments)


def as_number(cell: str, decimal: str = ".") -> float | None:
    """Return the number that a cell is, as the data set reads it; None if it is none."""
    text = cell if decimal == "." else cell.replace(".", "_").replace(decimal, ".")
    if "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def encoding_of(path: Path) -> str:
    """Return the encoding of a file of text: UTF-8, UTF-16 with a mark, or an older one. Raises DataError."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    _check_text(start, path)
    return next((encoding for encoding in ("utf-8", "cp1252") if _decodes(path, encoding)), "latin-1")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while part := file.read(_PART):
                _check_text(part, path)
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _check_text(part: bytes, path: Path) -> None:
    """Raise DataError for a NUL, which ends the look at a file of which disks keep only the size."""
    if b"\0" in part:
        raise DataError(f"{path} is neither text nor an array of NumPy", "give a CSV file, an .npz file or a folder")


def _text(path: Path, encoding: str) -> str:
    """Return the first part of a file, whole lines unless there is none."""
    with path.open("rb") as file:
        sample, more = file.read(_SAMPLE), file.read(1)
    text = sample.decode("utf-8-sig" if encoding == "utf-8" else encoding, "ignore")
    return text[: text.rfind("\n") + 1] or text if more else text


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the first rows, up to one that is damaged: that is told when the file is read whole."""
    csv.field_size_limit(_SAMPLE * 4)
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if row:
                yield row
    except csv.Error:
        return


def _best(text: str, path: Path) -> tuple[list[list[str]], str]:
    """Return the rows by the delimiter that gives most of them the same cells as the first, and the plainest cells."""
    best: tuple[float, list[list[str]], str] = (0.0, [], "")
    for delimiter in _DELIMITERS:
        rows = [row for row, _ in zip(_rows(text, delimiter), range(_ROWS), strict=False)]
        widths = Counter(map(len, rows))
        width = widths.most_common(1)[0][0] if widths else 0
        if (
            width < 2
            or widths[width] < _ALIKE * len(rows)
            or (delimiter == " " and (len(widths) > 1 or not all(map(all, rows))))
        ):
            continue
        alike = widths[width] / len(rows) * (1.0 if len(rows[0]) == width else 0.5)
        cells = [cell for row in rows for cell in row]
        score = alike * sum(map(_is_plain, cells)) / len(cells)
        if score > best[0]:
            best = (score, [row for row in rows if len(row) == width], delimiter)
    if not best[2]:
        if not text.strip():
            raise DataError(f"{path} is empty", "give a file with a header and rows")
        what = "no comma, semicolon, tab or bar gives its lines two or more cells, as many in each"
        hint = "a table has features and a target; long texts are the data set `text`: `dltrain docs text`"
        raise DataError(f"{path} is no table: {what}", hint)
    return best[1], best[2]


def _is_plain(cell: str) -> bool:
    """Return whether a cell is not several cells by another delimiter."""
    return _COMMA.fullmatch(cell.strip()) is not None or not any(mark in cell for mark in ",;\t|")


def _header(rows: list[list[str]], decimal: str) -> tuple[bool, str]:
    """Return whether the first line has names: words above numbers, or what no other line has. If not, also why."""
    first, others = [cell.strip() for cell in rows[0]], rows[1:]
    if any(_names_numbers(cell, [row[place] for row in others], decimal) for place, cell in enumerate(first)):
        return True, ""
    numbers = [cell for cell in first if as_number(cell, decimal) is not None]
    if numbers:
        why = f"the first line has numbers, such as {numbers[0]}, so it is a sample; columns are counted from 0"
        return False, why
    repeated = any(cell in {row[place].strip() for row in others} for place, cell in enumerate(first) if cell)
    if repeated:
        return False, "the first line has what other lines have, so it is a sample; columns are counted from 0"
    return True, ""


def _names_numbers(first: str, others: list[str], decimal: str) -> bool:
    """Return whether a column has a word first, and then almost only numbers."""
    if not first or first in MISSING_WORDS or as_number(first, decimal) is not None:
        return False
    return sum(as_number(cell.strip(), decimal) is not None for cell in others) > 0.9 * len(others) > 0
