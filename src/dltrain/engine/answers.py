"""Predictions as CSV, JSON Lines or npz."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, compress, repeat
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
    count, encode = 0, json.JSONEncoder(ensure_ascii=False).encode
    for part in parts:
        header = _header(part, top)
        rows = zip(*_columns(part, top), strict=True)
        if suffix == ".csv":
            text = io.StringIO()
            table = csv.writer(text, lineterminator="\n")
            table.writerows([header] if count == 0 else [])
            table.writerows(rows)
            stream.write(text.getvalue().encode())
        else:
            lines = (encode(dict(zip(header, row, strict=True))) for row in rows)
            stream.write("".join(f"{line}\n" for line in lines).encode())
        count += len(part)
    return count


def _write_arrays(stream: IO[bytes], parts: Iterable[Predictions]) -> int:
    """Write an npz file, whose arrays wait in files until it is known how long they are."""
    with ExitStack() as files:
        waiting: dict[str, _Waiting] = {}
        names: tuple[str, ...] = ()
        for part in parts:
            arrays: dict[str, Any] = {"input": np.array(part.inputs), "output": part.outputs}
            arrays |= {"text": np.array(part.texts)} if part.texts is not None else {}
            arrays |= {"prediction": part.classes} if part.classes is not None else {}
            for name, array in arrays.items():
                if name not in waiting:
                    waiting[name] = _Waiting(files.enter_context(tempfile.TemporaryFile()), array[:0])
                waiting[name].add(array)
            names = part.names
        with zipfile.ZipFile(stream, "w") as archive:
            for name, found in waiting.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    found.write(member)
            if "prediction" in waiting:
                with archive.open("names.npy", "w") as member:
                    np.lib.format.write_array(member, np.array(names), allow_pickle=False)
    return waiting["input"].count


class _Waiting:
    """The parts of an array, in a file; `first` has its shape and dtype, unless parts have longer strings."""

    def __init__(self, file: IO[bytes], first: np.ndarray) -> None:
        self._file, self._shape, self._dtype = file, first.shape[1:], first.dtype
        self.count = self._parts = 0

    def add(self, part: np.ndarray) -> None:
        np.save(self._file, part, allow_pickle=False)
        self._dtype = np.result_type(self._dtype, part)
        self.count, self._parts = self.count + len(part), self._parts + 1

    def write(self, member: IO[bytes]) -> None:
        """Write the array as an npy file."""
        shape = (self.count, *self._shape)
        described = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, described)
        self._file.seek(0)
        for _ in range(self._parts):
            member.write(np.load(self._file, allow_pickle=False).astype(self._dtype).tobytes())


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


def _columns(part: Predictions, top: int) -> Iterator[list[Any]]:
    """Yield the columns, with a row for each answer: one a sample, or one for each of its steps or pixels."""
    if part.texts is not None:
        yield from (list(part.inputs), list(part.texts))
        return
    inner = part.outputs.shape[1:-1]
    outputs = part.outputs.reshape(-1, part.outputs.shape[-1])
    places = list(np.ndindex(inner))  # of no axes, there is one
    yield list(chain.from_iterable(repeat(name, len(places)) for name in part.inputs))
    yield from (list(axis) * len(part) for axis in zip(*places, strict=True))
    if part.classes is None or part.classes.dtype == bool:
        if part.classes is not None:
            held = part.classes.reshape(outputs.shape).tolist()
            yield ["|".join(compress(part.names, answer)) for answer in held]
        yield from map(_short, outputs.T)
    else:
        yield from _ranked(part, outputs, part.classes.reshape(-1), top)


def _ranked(part: Predictions, outputs: np.ndarray, answers: np.ndarray, top: int) -> Iterator[list[Any]]:
    """Yield the names of the likeliest classes, the answer first, each with what the model gives it."""
    given = outputs.astype(np.float64)
    if given.shape[1] == 1:
        given = np.concatenate([2 * part.boundary - given, given], axis=1)  # of the probability p, 1 - p
    order = answers[:, None]
    if _ranks(part, top) > 1:
        order = np.lexsort((-given, np.arange(given.shape[1]) != order))
    names = [*part.names, *range(len(part.names), given.shape[1])]
    for places in order[:, : _ranks(part, top)].T:
        yield [names[place] for place in places.tolist()]
        yield _short(given[np.arange(len(given)), places])


def _short(values: np.ndarray) -> list[float]:
    """Return numbers with six digits."""
    return list(map(float, ("%.6g " * len(values) % tuple(values.tolist())).split()))
