"""CSV files: header and rows, read with the standard library's parser in parts of bounded size."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dltrain.data.progress import tell
from dltrain.data.tables.table import Column, Numbers, Table, Texts, Wrong, WrongRows, is_number, twice_in

if TYPE_CHECKING:
    from dltrain.data.tables.plain_lines import PlainLines

SAMPLE = 2**20  # bytes that are looked at before training
GLANCE = 5_000  # rows of a larger file that are looked at before training
_BLOCK = 2**17  # characters, whose cells fit into the cache of a CPU
_LONGEST_ROW = 2**24  # characters
_MOST_COLUMNS = 100_000
_DELIMITERS = (";", "\t", "|", ",")
_AS_TEXT = "save the table as CSV: text, with a line for each row"
_UNPACK = "unpack it first"
_OTHERS = (  # how files begin that are no text
    (b"\x93NUMPY", "an array of NumPy", _AS_TEXT),
    (b"\x89PNG", "a PNG image", _AS_TEXT),
    (b"\xff\xd8\xff", "a JPEG image", _AS_TEXT),
    (b"PAR1\x15", "a Parquet file", "such are for the data set `parquet`; or save the table as CSV"),
    (b"PK\x03\x04", "an archive, as .npz, .xlsx and .zip files are", _AS_TEXT),
    (b"\x1f\x8b", "packed with gzip", _UNPACK),
    (b"BZh9", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ", "packed with xz", _UNPACK),
    (b"\x89HDF", "an HDF5 file", _AS_TEXT),
    (b"%PDF-", "a PDF file", _AS_TEXT),
    (b"SQLite format 3\0", "an SQLite database", _AS_TEXT),
)


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

    def parts(self, path: Path, columns: Mapping[str, Column], names: list[str], rows: int) -> Iterator[Table]:
        """Read cells into columns, and yield them whenever they have some rows, forgetting these. Raises Wrong."""
        return _parts(path, self._how, columns, names, rows=rows)

    def small(self, path: Path) -> bool:
        """Return whether a file is small enough to be read while a config is checked."""
        return is_small(path)


def names_of(path: Path, how: Format) -> list[str]:
    """Return the names of the columns; without a header, they are counted from 0. Raises Wrong."""
    with _opened_rows(path, how) as (_, rows):
        first = next(rows, None)
    if first is None:
        raise Wrong("path", f"{path} is empty", "save a header and at least one row")
    cells = [cell.strip() for cell in first]
    if len(cells) > _MOST_COLUMNS:
        raise Wrong("path", f"{path} has {len(cells):,} columns, more than {_MOST_COLUMNS:,}", "use `arrays`")
    if len(cells) == 1:
        _check_delimiter(path, cells[0], how)
    if not how.header:
        return [str(place) for place in range(len(cells))]
    if all(is_number(cell) for cell in cells):
        message = f"the first line of {path} has no names, but numbers: {', '.join(cells[:4])}"
        raise Wrong("header" if how.header else "path", message, "without a header, write `header: false`")
    names = [name or f"Unnamed: {place}" for place, name in enumerate(cells)]
    if twice := twice_in(names):
        raise Wrong("path", f"{path} has several columns of the name `{twice}`", "give each column its own name")
    return names


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
    """Read the cells of some columns into them, of the first `most` rows or of all; rows of another length are told.

    Raises Wrong if the file cannot be read.
    """
    *_, table = _parts(path, how, columns, names, most)
    return table


def _parts(
    path: Path,
    how: Format,
    columns: Mapping[str, Column],
    names: Sequence[str],
    most: int | None = None,
    rows: int | None = None,
) -> Iterator[Table]:
    """Yield the table at the end; with `rows`, also whenever it has as many, which it then forgets."""
    place_of = {name: place for place, name in reversed(list(enumerate(names)))}
    places = {place_of[name]: column for name, column in columns.items()}
    table, wrong = Table(str(path), columns, width=None if how.header else len(names)), WrongRows(len(names))
    plain = _plain_lines(places, len(names), how) if most is None and not is_small(path) else None
    with _opened_rows(path, how) as (lines, cells):
        if how.header:
            next(cells, None)
        while (most is None or len(table.lines) < most) and (block := lines.ahead()):
            _add_block(block, table, places, plain, wrong, lines, cells)
            done = table.before + len(table.lines) + wrong.count
            tell("reading rows", done, done)
            if rows is not None and len(table.lines) >= rows:
                yield table
                table.forget()
    if wrong.count:
        told = wrong.told(path)
        if how.skip:
            table.skipped = f"{told}; they are left out"
        else:
            table.ragged = told
    yield table


def _add_block(
    block: list[str],
    table: Table,
    places: Mapping[int, Column],
    plain: PlainLines | None,
    wrong: WrongRows,
    lines: _Lines,
    rows: Iterator[list[str]],
) -> None:
    """Append the rows of the lines that are ahead to a table."""
    if plain is not None and plain.add(block):
        table.lines.extend(range(lines.count + 1, lines.count + len(block) + 1))
        lines.skip()
        return
    numbers, part = wrong.left_out(*_part(rows, lines, lines.count + len(block)))
    table.lines.extend(numbers)
    cells = list(zip(*part, strict=True))
    for place, column in places.items() if part else ():
        column.add(cells[place])


def _plain_lines(places: Mapping[int, Column], width: int, how: Format) -> PlainLines | None:
    """Return what reads lines that have nothing but cells; None where these columns are not for it."""
    if how.delimiter not in _DELIMITERS or not all(isinstance(c, Numbers | Texts) for c in places.values()):
        return None
    from dltrain.data.tables.plain_lines import PlainLines

    return PlainLines(places, width, how.delimiter)


def _part(rows: Iterator[list[str]], lines: _Lines, last: int) -> tuple[list[int], list[list[str]]]:
    """Return rows, up to the first that ends in line `last` or behind it, and the line of each."""
    numbers: list[int] = []
    part: list[list[str]] = []
    for cells in rows:
        numbers.append(lines.count)
        part.append(cells)
        if lines.count >= last:
            break
    return numbers, part


@contextmanager
def _opened_rows(path: Path, how: Format) -> Iterator[tuple[_Lines, Iterator[list[str]]]]:
    """Open a file, and yield its lines, and the rows that are made of them, blank ones left out. Raises Wrong."""
    csv.field_size_limit(_LONGEST_ROW)
    with _opened(path) as file:
        encoding = "utf-8-sig" if how.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else how.encoding
        try:
            text = io.TextIOWrapper(file, encoding=encoding, newline="")
        except (LookupError, ValueError):  # of a name with a NUL character
            hint = "such as `utf-8`, `latin-1`, `cp1252`, `utf-16`"
            raise Wrong("encoding", f"there is no encoding `{how.encoding}`", hint) from None
        try:
            lines = _Lines(path, text, how.encoding)
            yield lines, _rows(path, lines, how)
        finally:
            text.detach()


class _Lines:
    """The lines of a file, one by one, or a block ahead. Raises Wrong where the file is not in its encoding.

    Args:
        count: how many were taken.
        size: characters of the row so far, whose cells may have ends of lines.
        begun: the line with which that row begins.
    """

    def __init__(self, path: Path, text: io.TextIOWrapper, encoding: str) -> None:
        self._path, self._text, self._encoding = path, text, encoding
        self._ahead: deque[str] = deque()
        self._failed = False
        self.count = self.size = self.begun = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._read()
        if not line:
            self._check_encoding()
            raise StopIteration
        self.begun = self.begun if self.size else self.count + 1
        self.size += len(line)
        if self.size >= _LONGEST_ROW:
            message = f"{self._path}, line {self.count + 1}: a row has more than {_LONGEST_ROW:,} characters"
            raise Wrong("path", message, "is the file a table, and each quote closed?")
        self.count += 1
        return line

    def ahead(self) -> list[str]:
        """Return the next lines, which are not taken; none at the end of the file."""
        room, read = _BLOCK - sum(map(len, self._ahead)), self._text.readline
        try:
            while room > 0 and not self._failed and (line := read(_LONGEST_ROW)):
                self._ahead.append(line)
                room -= len(line)
        except UnicodeError:
            self._failed = True
        if not self._ahead:
            self._check_encoding()
        return list(self._ahead)

    def skip(self) -> None:
        """Take the lines that are ahead."""
        self.count += len(self._ahead)
        self._ahead.clear()

    def _read(self) -> str:
        """Return the next line of the file; an empty one at its end, and where it is not in its encoding."""
        try:
            return "" if self._failed else self._text.readline(_LONGEST_ROW)
        except UnicodeError:
            self._failed = True
            return ""

    def _check_encoding(self) -> None:
        if self._failed:
            where = f"behind line {self.count}" if self.count else "in its first line"
            message = f"{self._path} is not written in {self._encoding}, {where}"
            hint = "write its `encoding`, such as `latin-1`, `cp1252` or `utf-16`"
            raise Wrong("encoding", message, hint)


def _rows(path: Path, lines: _Lines, how: Format) -> Iterator[list[str]]:
    try:
        reader = csv.reader(lines, delimiter=how.delimiter, strict=True)
    except (TypeError, ValueError):
        raise Wrong(
            "delimiter", f"{how.delimiter!r} is no delimiter: it is one character", 'as in `delimiter: ";"`'
        ) from None
    try:
        for cells in reader:
            lines.size = 0
            if cells:
                yield cells
    except csv.Error as error:
        open_quote = "unexpected end" in str(error)
        reason = "a quote is not closed" if open_quote else str(error)
        if "NUL" in reason:
            reason = "it has NUL characters, so it is no text in this encoding"
        line = lines.begun if open_quote else lines.count
        raise Wrong("path", f"{path}, line {line}: {reason}", "mend this line") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain file. Raises Wrong if there is none."""
    try:
        if path.is_dir():
            raise Wrong("path", f"{path} is a directory, not a CSV file", "name the file in it")
        if path.exists() and not path.is_file():
            raise Wrong("path", f"{path} is no plain file", "save the table to a file")
        with path.open("rb") as file:
            start = file.peek(16)[:16]
            if other := next(((what, hint) for magic, what, hint in _OTHERS if start.startswith(magic)), None):
                raise Wrong("path", f"{path} is no CSV file, but {other[0]}", other[1])
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
