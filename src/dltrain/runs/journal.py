"""metrics.jsonl, one JSON object an epoch, and metrics.csv, always made from it afresh.

A value that is NaN or infinite is null in the JSON and, like a missing one, an empty cell in the CSV.
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

_LARGEST = 256_000_000  # bytes; a million epochs have fewer

Row = dict[str, float | int | None]


def add(directory: Path, row: Mapping[str, float | int]) -> None:
    """Append one row, synced, after dropping what a kill left of a torn last line; then rewrite the CSV."""
    path = directory / LINES
    rows, whole = _read(path)
    line = to_json(row, indent=None)
    newline = b"" if not whole or whole.endswith(b"\n") else b"\n"
    atomic.append(path, newline + line, at=len(whole), sync=True)
    atomic.write_file(directory / TABLE, table([*rows, from_json(line)]))


def read(directory: Path) -> list[Row]:
    """All whole rows, oldest first; none where no epoch has ended. RunError names the damaged line."""
    return _read(directory / LINES)[0]


def rewrite(directory: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Make the rows those of `history`, epoch 1 first; the seconds, of which it knows nothing, stay where they can."""
    seconds = dict(_seconds(directory / LINES))
    rows: list[Row] = []
    for epoch, metrics in enumerate(history, start=1):
        known = {"seconds": seconds[epoch]} if epoch in seconds else {}
        rows.append({"epoch": epoch, **from_json(to_json(metrics)), **known})
    atomic.write_file(directory / LINES, b"".join(to_json(row, indent=None) for row in rows))
    atomic.write_file(directory / TABLE, table(rows))


def table(rows: Sequence[Row]) -> bytes:
    """CSV with a header: `epoch` first where any row has it, then each column as it first appeared."""
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
    """The rows, and the stretch of the file that holds them: all but a torn last line."""
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
    """(epoch, its seconds) of every line that can be read, whatever stands between them."""
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
        raise ValueError("`epoch` is not a whole number")
    return value
