"""Predictions as CSV, JSON Lines or npz."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from dltrain.engine.prediction import Predictions
from dltrain.errors import DltrainError, UsageError

FORMATS = (".csv", ".jsonl", ".npz")
_MOST_COLUMNS = 1_000


def check_path(path: Path, inputs: Iterable[Path | str] = ()) -> None:
    """Raise UsageError if predictions cannot be written to a file, before they are made.

    Args:
        path: the file, which is replaced if it is there.
        inputs: files that are read, which it must not replace.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"{path} has no known format", f"a file that ends in {', '.join(FORMATS)}")
    if path.is_dir() or not path.absolute().parent.is_dir():
        what = "is a directory" if path.is_dir() else "is in a directory that does not exist"
        raise UsageError(f"{path} {what}", "name a file in a directory that is there")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no plain file", "name another; without `-o`, predictions are on stdout")
    if any(path.exists() and Path(given).exists() and path.samefile(given) for given in inputs):
        raise UsageError(f"{path} has the samples, and would be replaced", "name another file for the predictions")


def write_file(path: Path, parts: Iterable[Predictions], top: int) -> int:
    """Write predictions to a file, by its suffix, whole or not at all; return how many there are.

    Raises:
        UsageError: `check_path`, or the predictions have too many numbers for a table.
        DltrainError: the file cannot be written.
    """
    check_path(path)
    try:
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".tmp-", delete=False) as file:
            try:
                count = write(file, path.suffix, parts, top)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o664 & ~_umask())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise DltrainError(f"cannot write {path}: {error.strerror or error}") from error
    return count


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write(stream: IO[bytes], suffix: str, parts: Iterable[Predictions], top: int) -> int:
    """Write predictions to a stream in the format of a suffix; return how many there are."""
    if suffix == ".npz":
        return _write_arrays(stream, parts)
    count = 0
    for part in parts:
        header = _header(part, top)
        rows = _rows(part, top)
        if suffix == ".csv":
            text = io.StringIO()
            table = csv.writer(text, lineterminator="\n")
            table.writerows([header] if count == 0 else [])
            table.writerows(rows)
            stream.write(text.getvalue().encode())
        else:
            lines = (json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in rows)
            stream.write("".join(f"{line}\n" for line in lines).encode())
        count += len(part)
    return count


def _write_arrays(stream: IO[bytes], parts: Iterable[Predictions]) -> int:
    found = list(parts)
    arrays: dict[str, Any] = {
        "input": np.array([name for part in found for name in part.inputs]),
        "output": np.concatenate([part.outputs for part in found]),
    }
    classes = [part.classes for part in found if part.classes is not None]
    if found[0].texts is not None:
        arrays["text"] = np.array([text for part in found for text in part.texts or ()])
    if classes:
        arrays |= {"prediction": np.concatenate(classes), "names": np.array(found[0].names)}
    np.savez(stream, **arrays)
    return sum(map(len, found))


def _header(part: Predictions, top: int) -> list[str]:
    if part.texts is not None:
        return ["input", "prediction"]
    places = place_names(_axes(part))
    if part.classes is None:
        width = part.outputs.shape[-1]
        called = part.names if len(part.names) == width else range(width)
        return ["input", *places, *(["prediction"] if width == 1 else [f"prediction_{name}" for name in called])]
    value = "confidence" if part.probabilities else "output"
    if part.classes.dtype == bool:
        return ["input", *places, "prediction", *(f"{value}_{name}" for name in part.names)]
    more = [f"{what}_{rank}" for rank in range(2, _ranks(part, top) + 1) for what in ("prediction", value)]
    return ["input", *places, "prediction", value, *more]


def place_names(axes: int) -> list[str]:
    """Return the columns that say where in a sample an answer stands: its step, or its row and column."""
    return ["step"] if axes == 1 else [f"axis_{axis}" for axis in range(axes)]


def _ranks(part: Predictions, top: int) -> int:
    classes = max(2, part.outputs.shape[-1])
    return min(top, classes)


def _axes(part: Predictions) -> int:
    """The axes between samples and the numbers of one answer: steps, rows of pixels."""
    axes = part.outputs.ndim - 2
    if part.classes is None and axes > 1:
        shape = part.outputs.shape[1:]
        raise UsageError(f"predictions of the shape {shape} are no table", "write arrays: `-o FILE.npz`")
    if part.outputs.shape[-1] > _MOST_COLUMNS and part.classes is None:
        raise UsageError(f"{part.outputs.shape[-1]:,} numbers a sample are no table", "write arrays: `-o FILE.npz`")
    return axes


def _rows(part: Predictions, top: int) -> Iterator[list[Any]]:
    """Yield a row for each answer: one a sample, or one for each of its steps or pixels."""
    if part.texts is not None:
        yield from ([name, text] for name, text in zip(part.inputs, part.texts, strict=True))
        return
    inner = part.outputs.shape[1:-1]
    outputs = part.outputs.reshape(-1, part.outputs.shape[-1])
    places = ([part.inputs[place[0]], *place[1:]] for place in np.ndindex(len(part), *inner))
    if part.classes is None:
        yield from ([*place, *map(_short, row)] for place, row in zip(places, outputs.tolist(), strict=True))
        return
    classes = part.classes.reshape(len(outputs), -1)
    for place, row, answer in zip(places, outputs.tolist(), classes.tolist(), strict=True):
        if part.classes.dtype == bool:
            held = "|".join(name for name, yes in zip(part.names, answer, strict=True) if yes)
            yield [*place, held, *map(_short, row)]
        else:
            yield [*place, *_ranked(part, row, answer[0], top)]


def _ranked(part: Predictions, row: list[float], answer: int, top: int) -> Iterator[Any]:
    """Yield the names of the likeliest classes, the answer first, each with what the model gives it."""
    given = [2 * part.boundary - row[0], row[0]] if len(row) == 1 else row  # of the probability p, 1 - p
    order = sorted(range(len(given)), key=lambda index: (index != answer, -given[index]))
    for index in order[: _ranks(part, top)]:
        yield part.names[index] if index < len(part.names) else index
        yield _short(given[index])


def _short(value: float) -> float:
    return float(f"{value:.6g}")
