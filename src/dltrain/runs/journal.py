"""metrics.jsonl, one JSON object per epoch, and metrics.csv, rewritten from it after each epoch.

NaN and infinite values are null in the JSON; in the CSV they are empty cells, as missing values are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dltrain.errors import RunError
from dltrain.runs import atomic
from dltrain.runs.json_text import finite_number, from_json, to_json

LINES = "metrics.jsonl"
TABLE = "metrics.csv"

_LARGEST = 32_000_000  # bytes; a hundred thousand epochs take fewer

Row = dict[str, float | int | None]


def add(directory: Path, row: Mapping[str, float | int]) -> None:
    """Append one row, synced, in place of a torn last line if a kill left one; then rewrite the CSV."""
    path = directory / LINES
    rows, whole = _read(path)
    line = to_json(row, indent=None)
    newline = b"" if not whole or whole.endswith(b"\n") else b"\n"
    atomic.append(path, newline + line, at=len(whole), sync=True)
    atomic.write_file(directory / TABLE, table([*rows, from_json(line)]))


def read(directory: Path) -> list[Row]:
    """Return all complete rows, oldest first; none before the first epoch ends. RunError names a damaged line."""
    return _read(directory / LINES)[0]


def rewrite(directory: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Replace the rows with those of `history`, epoch 1 first; readable `seconds` of the old rows are kept."""
    seconds = dict(_seconds(directory / LINES))
    rows: list[Row] = []
    for epoch, metrics in enumerate(history, start=1):
        known = {"seconds": seconds[epoch]} if epoch in seconds else {}
        rows.append({"epoch": epoch, **from_json(to_json(metrics)), **known})
    atomic.write_file(directory / LINES, b"".join(to_json(row, indent=None) for row in rows))
    atomic.write_file(directory / TABLE, table(rows))


def table(rows: Sequence[Row]) -> bytes:
    """Return CSV with a header: `epoch` first if any row has it, then the columns in order of appearance."""
    if not rows:
        return b""
    seen = dict.fromkeys(key for row in rows for key in row)
    columns = sorted(seen, key=lambda key: key != "epoch")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(column) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8")


def _read(path: Path) -> tuple[list[Row], bytes]:
    """Return the rows and the bytes that hold them: all but a torn last line."""
    with atomic.trouble("read", path):
        try:
            data = atomic.read_file(path, _LARGEST)
        except FileNotFoundError:
            return [], b""
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(line))
        except ValueError as error:
            if number == len(lines):
                return rows, data[: sum(len(earlier) + 1 for earlier in lines[:-1])]
            hint = "`dltrain resume` mends it; in a run that is complete, remove that line by hand"
            raise RunError(f"{path}, line {number} is damaged: {error}", hint) from error
    return rows, data


def _seconds(path: Path) -> Iterator[tuple[int, float]]:
    """Yield (epoch, seconds) of every readable line; damaged lines are skipped."""
    with atomic.trouble("read", path):
        data = atomic.read_file(path, _LARGEST) if path.is_file() else b""
    for line in data.split(b"\n"):
        with suppress(ValueError):
            row = _row(line)
            epoch, seconds = row.get("epoch"), row.get("seconds")
            if isinstance(epoch, int) and seconds is not None:
                yield epoch, seconds


def _row(line: bytes) -> Row:
    value = from_json(line)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if not all(number is None or finite_number(number) for number in value.values()):
        raise ValueError("a value is not a number")
    if not isinstance(value.get("epoch"), int):
        raise ValueError("`epoch` is not an integer")
    return value
