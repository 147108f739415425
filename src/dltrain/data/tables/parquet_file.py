"""Parquet files, read by pyarrow in parts of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dltrain.data.progress import tell
from dltrain.data.tables.csv_file import is_small
from dltrain.data.tables.table import Column, Numbers, Table, Wrong, twice_in

_PART = 50_000  # rows
_BUFFER = 2**16  # bytes of a column
_MOST_COLUMNS = 100_000


class ParquetReader:
    """Reads Parquet files; a null, and a number that is NaN, is missing."""

    decimal = "."
    missing = frozenset({""})

    def names(self, path: Path) -> list[str]:
        """Return the names of the columns. Raises Wrong."""
        with _opened(path) as file:
            names = list(file.schema_arrow.names)
        if len(names) > _MOST_COLUMNS:
            raise Wrong("path", f"{path} has {len(names):,} columns, more than {_MOST_COLUMNS:,}", "use `arrays`")
        if twice := twice_in(names):
            raise Wrong("path", f"{path} has several columns of the name `{twice}`", "give each column its own name")
        return names

    def fill(self, path: Path, columns: Mapping[str, Column], names: list[str], most: int | None = None) -> Table:
        """Read the cells of some columns into them, of the first `most` rows or of all. Raises Wrong."""
        *_, table = _parts(path, columns, most)
        return table

    def parts(self, path: Path, columns: Mapping[str, Column], names: list[str], rows: int) -> Iterator[Table]:
        """Read cells into columns, and yield them whenever they have some rows, forgetting these. Raises Wrong."""
        return _parts(path, columns, rows=rows)

    def small(self, path: Path) -> bool:
        """Return whether a file is small enough to be read while a config is checked."""
        return is_small(path)


def _parts(
    path: Path, columns: Mapping[str, Column], most: int | None = None, rows: int | None = None
) -> Iterator[Table]:
    table = Table(str(path), columns)
    with _opened(path) as file:
        types = {field.name: field.type for field in file.schema_arrow}
        for name in columns:
            _check_type(path, name, types[name])
        done, total = 0, file.metadata.num_rows
        for batch in file.iter_batches(batch_size=min(rows or _PART, _PART), columns=list(columns)):
            for name, column in columns.items():
                _add(column, batch.column(batch.schema.get_field_index(name)))
            done += batch.num_rows
            tell("reading rows", done, total)
            if most is not None and done >= most:
                break
            if rows is not None and len(table) >= rows:
                yield table
                table.forget()
    yield table


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file with pyarrow. Raises Wrong if that is not installed, or the file is missing or damaged."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise Wrong("path", "Parquet files need pyarrow", "`pip install 'dltrain[tables]'`") from None
    if path.is_dir():
        raise Wrong("path", f"{path} is a directory, not a Parquet file", "name the file in it")
    if not path.exists():
        near = sorted(other.name for other in path.parent.glob("*.parquet"))[:8] if path.parent.is_dir() else []
        hint = f"there are {', '.join(near)}" if near else "a path is relative to the config's file"
        raise Wrong("path", f"{path.absolute()} does not exist", hint)
    if not path.is_file():
        raise Wrong("path", f"{path} is no plain file", "save the table to a file")
    try:
        # Read ahead, all row groups would stay in memory.
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            yield file
    except (arrow.ArrowException, OSError, MemoryError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise Wrong("path", f"{path} is no Parquet file, or damaged: {reason}", "write it anew") from None


def _check_type(path: Path, name: str, kind: Any) -> None:
    from pyarrow import types

    if types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        message = f"the column `{name}` of {path} has values of the type {kind}, which is no number and no text"
        raise Wrong("path", message, f"leave it out: `drop: [{name}]`")


def _add(column: Column, cells: Any) -> None:
    """Append the cells of one part to a column."""
    import numpy as np
    from pyarrow import compute, types

    kind = cells.type.value_type if types.is_dictionary(cells.type) else cells.type
    cells = cells.cast(kind)
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)
    if not isinstance(column, Numbers) or not numeric:
        texts = cells.cast("string") if not types.is_null(kind) else cells
        column.add(["" if text is None else text for text in texts.to_pylist()])
        return
    numbers = compute.fill_null(cells.cast("float64", safe=False), float("nan")).to_numpy(zero_copy_only=False)
    column.count_missing += int(np.isnan(numbers).sum())
    if np.isinf(numbers).any():
        column.add(["" if number != number else str(number) for number in numbers.tolist()])
        column.count_missing -= int(np.isnan(numbers).sum())  # they were counted twice
        return
    column.values.frombytes(np.ascontiguousarray(numbers, np.float64).tobytes())
