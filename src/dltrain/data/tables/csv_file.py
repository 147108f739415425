"""CSV files: header and rows, read with the standard library's parser in parts of bounded size."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dltrain.data.progress import tell
from dltrain.data.tables.table import Column, Table, Wrong, twice_in

SAMPLE = 2**20  # bytes that are looked at before training
_PART = 5_000  # rows
_MOST_TOLD = 5
_LONGEST_ROW = 2**24  # characters
_MOST_COLUMNS = 100_000
_DELIMITERS = (";", "\t", "|", ",")


@dataclass(frozen=True, slots=True)
class Format:
    """How a CSV file is written.

    Args:
        delimiter: the character between cells.
        decimal: the character before a fraction.
        encoding: of its characters.
        header: whether its first line has the names of columns.
        na_values: cells that mean that a value is missing, besides empty ones.
        skip: whether rows with too many or too few cells are left out, and not an error.
    """

    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    header: bool = True
    na_values: tuple[str, ...] = ()
    skip: bool = False

    @property
    def missing(self) -> frozenset[str]:
        """All cells that mean that a value is missing."""
        return frozenset({"", *self.na_values})


class CsvReader:
    """Reads CSV files that are written as the arguments of a data set say."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._how = Format(
            arguments["delimiter"].replace("\\t", "\t"),
            arguments["decimal"],
            arguments["encoding"],
            arguments["header"],
            tuple(arguments["na_values"] or ()),
            arguments["on_bad"] == "skip",
        )
        self.decimal, self.missing = self._how.decimal, self._how.missing

    def names(self, path: Path) -> list[str]:
        """Return the names of the columns. Raises Wrong."""
        return names_of(path, self._how)

    def fill(self, path: Path, columns: Mapping[str, Column], names: list[str], most: int | None = None) -> Table:
        """Read cells into columns, of the first `most` rows or of all. Raises Wrong."""
        return fill(path, self._how, columns, names, most)

    def small(self, path: Path) -> bool:
        """Return whether a file is small enough to be read while a config is checked."""
        return is_small(path)


def names_of(path: Path, how: Format) -> list[str]:
    """Return the names of the columns; without a header, they are counted from 0. Raises Wrong."""
    with _rows(path, how) as rows:
        first = next(rows, None)
    if first is None:
        raise Wrong("path", f"{path} is empty", "save a header and at least one row")
    cells = [cell.strip() for cell in first[1]]
    if len(cells) > _MOST_COLUMNS:
        raise Wrong("path", f"{path} has {len(cells):,} columns, more than {_MOST_COLUMNS:,}", "use `arrays`")
    if len(cells) == 1:
        _check_delimiter(path, cells[0], how)
    if not how.header:
        return [str(place) for place in range(len(cells))]
    if all(_is_number(cell) for cell in cells):
        message = f"the first line of {path} has no names, but numbers: {', '.join(cells[:4])}"
        raise Wrong("header" if how.header else "path", message, "without a header, write `header: false`")
    names = [name or f"Unnamed: {place}" for place, name in enumerate(cells)]
    if twice := twice_in(names):
        raise Wrong("path", f"{path} has several columns of the name `{twice}`", "give each column its own name")
    return names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_delimiter(path: Path, cell: str, how: Format) -> None:
    likely = max(_DELIMITERS, key=cell.count)
    if cell.count(likely):
        shown = {"\t": "\\t"}.get(likely, likely)
        hint = f'write `delimiter: "{shown}"`'
        raise Wrong(
            "delimiter", f"{path} has a single column with {how.delimiter!r} between cells: `{cell[:60]}`", hint
        )


def fill(
    path: Path, how: Format, columns: Mapping[str, Column], names: Sequence[str], most: int | None = None
) -> Table:
    """Read the cells of some columns into them, of the first `most` rows or of all.

    Raises Wrong with the rows that have too many or too few cells, unless such are left out.
    """
    place_of = {name: place for place, name in reversed(list(enumerate(names)))}
    places = [(place_of[name], column.add) for name, column in columns.items()]
    table = Table(str(path), columns)
    bad: list[str] = []
    count = 0
    with _rows(path, how) as rows:
        if how.header:
            next(rows, None)
        for lines, part in _parts(rows):
            good = [cells for cells in part if len(cells) == len(names)]
            if len(good) < len(part):
                count += len(part) - len(good)
                bad += _told(lines, part, len(names), _MOST_TOLD - len(bad))
                lines = [line for line, cells in zip(lines, part, strict=True) if len(cells) == len(names)]
            table.lines.extend(lines)
            _add(places, good)
            if most is not None and len(table.lines) >= most:
                break
    if count:
        more = f" and {count - len(bad):,} more" if count > len(bad) else ""
        told = f"{count:,} row{'s' * (count > 1)} of {path} with another number of cells than {len(names)}: "
        told += f"{', '.join(bad)}{more}"
        if not how.skip:
            raise Wrong("path", told, "mend these lines, or leave them out: `on_bad: skip`")
        table.skipped = f"{told}; they are left out"
    return table


def _add(places: Sequence[tuple[int, Callable[[Sequence[str]], None]]], rows: Sequence[Sequence[str]]) -> None:
    for place, add in places:
        add([cells[place] for cells in rows])


def _told(lines: Sequence[int], part: Sequence[Sequence[str]], width: int, most: int) -> list[str]:
    bad = [f"line {line} has {len(cells)}" for line, cells in zip(lines, part, strict=True) if len(cells) != width]
    return bad[: max(0, most)]


def _parts(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[list[int], list[list[str]]]]:
    lines: list[int] = []
    part: list[list[str]] = []
    done = 0
    for line, cells in rows:
        lines.append(line)
        part.append(cells)
        if len(part) == _PART:
            done += len(part)
            tell("reading rows", done, done)
            yield lines, part
            lines, part = [], []
    if part:
        yield lines, part


@contextmanager
def _rows(path: Path, how: Format) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Open a file, and yield its rows with their last lines, blank ones left out. Raises Wrong."""
    csv.field_size_limit(_LONGEST_ROW)
    with _opened(path) as file:
        encoding = "utf-8-sig" if how.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else how.encoding
        try:
            text = io.TextIOWrapper(file, encoding=encoding, newline="")
        except (LookupError, ValueError):  # of a name with a NUL character
            hint = "such as `utf-8`, `latin-1`, `cp1252`, `utf-16`"
            raise Wrong("encoding", f"there is no encoding `{how.encoding}`", hint) from None
        try:
            yield _records(path, text, how)
        finally:
            text.detach()


def _records(path: Path, text: io.TextIOWrapper, how: Format) -> Iterator[tuple[int, list[str]]]:
    size = 0  # of the row so far, whose cells may have ends of lines

    def lines() -> Iterator[str]:
        nonlocal size
        while line := text.readline(_LONGEST_ROW):
            size += len(line)
            if size >= _LONGEST_ROW:
                message = f"{path}, line {reader.line_num + 1}: a row has more than {_LONGEST_ROW:,} characters"
                raise Wrong("path", message, "is the file a table, and each quote closed?")
            yield line

    try:
        reader = csv.reader(lines(), delimiter=how.delimiter, strict=True)
    except (TypeError, ValueError):
        raise Wrong(
            "delimiter", f"{how.delimiter!r} is no delimiter: it is one character", 'as in `delimiter: ";"`'
        ) from None
    try:
        for cells in reader:
            size = 0
            if cells:
                yield reader.line_num, cells
    except UnicodeError:
        message = f"{path} is not written in {how.encoding}, behind line {reader.line_num}"
        hint = "write its `encoding`, such as `latin-1`, `cp1252` or `utf-16`"
        raise Wrong("encoding", message, hint) from None
    except csv.Error as error:
        reason = "a quote is not closed" if "unexpected end" in str(error) else str(error)
        if "NUL" in reason:
            reason = "it has NUL characters, so it is no text in this encoding"
        raise Wrong("path", f"{path}, line {reader.line_num}: {reason}", "mend this line") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain file. Raises Wrong if there is none."""
    try:
        if path.is_dir():
            raise Wrong("path", f"{path} is a directory, not a CSV file", "name the file in it")
        if path.exists() and not path.is_file():
            raise Wrong("path", f"{path} is no plain file", "save the table to a file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        near = sorted(other.name for other in path.parent.glob("*.csv"))[:8] if path.parent.is_dir() else []
        hint = f"there are {', '.join(near)}" if near else "a path is relative to the config's file"
        raise Wrong("path", f"{path.absolute()} does not exist", hint) from None
    except OSError as error:
        raise Wrong("path", f"cannot read {path}: {error.strerror or error}") from None


def is_small(path: Path) -> bool:
    """Return whether a file is small enough to be read while a config is checked."""
    try:
        return path.stat().st_size <= SAMPLE
    except (OSError, ValueError):
        return False
