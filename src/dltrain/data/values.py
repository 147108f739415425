"""The values of arrays in files: in memory if they are small, else mapped; and what is wrong with them."""

from __future__ import annotations

import os
import zipfile
from typing import IO, Literal

import numpy as np

from dltrain.data.arrays import Array, chunks
from dltrain.data.numpy_files.npy import Member, damage_told
from dltrain.errors import DataError

LARGEST_READ = 2**28  # bytes; what is larger stays in the file
_MOST_TOLD = 8
_PART = 2**24  # bytes


def opened(member: Member) -> np.ndarray:
    """Return the values of an array; large ones that are not compressed are mapped from the file.

    Raises DataError if the file has changed since its header was read, is damaged or does not fit into memory.
    """
    dtype = np.dtype(member.descr)
    order: Literal["C", "F"] = "F" if member.fortran else "C"
    hint = "write it with `numpy.savez`, which does not compress: then it stays in the file"
    if member.offset is None and member.size > os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2:
        raise DataError(f"{member.file} needs {member.size / 2**30:.1f} GiB of memory: it is compressed", hint)
    try:
        with damage_told(member.file):
            if member.size == 0:
                return np.empty(member.shape, dtype)
            if member.offset is not None:
                mapped: np.ndarray = np.memmap(member.path, dtype, "r", member.offset, member.shape, order)
                return mapped if member.size > LARGEST_READ else np.array(mapped)
            values = np.empty(member.size // dtype.itemsize, dtype)
            with zipfile.ZipFile(member.path) as archive, archive.open(member.member or "") as stream:
                stream.seek(member.begin)
                _fill(values.view(np.uint8).data, stream)
            return values.reshape(member.shape[::-1]).T if member.fortran else values.reshape(member.shape)
    except MemoryError:
        raise DataError(f"{member.file}, {member.size / 2**30:.1f} GiB, does not fit into memory", hint) from None


def _fill(room: memoryview, stream: IO[bytes]) -> None:
    """Read as many bytes as there is room for. Raises EOFError if there are less."""
    while room:
        part = stream.read(min(len(room), _PART))
        if not part:
            raise EOFError("it is shorter than its header says")
        room[: len(part)] = part
        room = room[len(part) :]


def check_finite(array: Array, file: str, what: str) -> None:
    """Raise DataError with the first rows that have NaN, or numbers that are infinite as float32."""
    if array.dtype.kind != "f":
        return
    bad: list[int] = []
    count = start = 0
    for chunk in chunks(array):
        with np.errstate(over="ignore"):
            fine = np.isfinite(chunk.astype(np.float32)).reshape(len(chunk), -1).all(axis=1)
        rows = np.flatnonzero(~fine)
        count += len(rows)
        bad += [start + int(row) for row in rows[: _MOST_TOLD - len(bad)]]
        start += len(chunk)
    if count:
        rows_text = f"row{'s' if count > 1 else ''} {', '.join(map(str, bad))}{', …' if count > len(bad) else ''}"
        message = f"{file} has NaN or infinity in {count:,} of {len(array):,} {what}: {rows_text} (counted from 0)"
        raise DataError(message, "remove these rows, or replace what is missing, before training")


def checked_samples(array: Array, file: str, whole: bool) -> tuple[float, float]:
    """Return the lowest and the highest value of samples.

    Raises DataError if some are not finite, or whole numbers do not fit into 32 bits.
    """
    check_finite(array, file, "samples")
    ends = [(chunk.min(), chunk.max()) for chunk in chunks(array)]
    lowest, highest = min(low for low, _ in ends), max(high for _, high in ends)
    if whole and (int(lowest) < -(2**31) or int(highest) >= 2**31):
        most = max(int(highest), -int(lowest))
        raise DataError(f"{file} has whole numbers up to {most:,}, beyond 32 bits", "save them as float32")
    return float(lowest), float(highest)
