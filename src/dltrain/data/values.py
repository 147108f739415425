"""The values of arrays in files: in memory if they are small, else mapped; and what is wrong with them."""

from __future__ import annotations

import zipfile
from typing import Literal

import numpy as np

from dltrain.data.arrays import Array, chunks
from dltrain.data.npy import Member, damage_told
from dltrain.errors import DataError

LARGEST_READ = 2**28  # bytes; what is larger stays in the file
_MOST_TOLD = 8


def opened(member: Member) -> np.ndarray:
    """Return the values of an array; large ones that are not compressed are mapped from the file.

    Raises DataError if the file has changed since its header was read, is damaged or does not fit into memory.
    """
    dtype = np.dtype(member.descr)
    order: Literal["C", "F"] = "F" if member.fortran else "C"
    try:
        with damage_told(member.file):
            if member.size == 0:
                return np.empty(member.shape, dtype)
            if member.offset is not None:
                mapped: np.ndarray = np.memmap(member.path, dtype, "r", member.offset, member.shape, order)
                return mapped if member.size > LARGEST_READ else np.array(mapped)
            with zipfile.ZipFile(member.path) as archive, archive.open(member.member or "") as stream:
                packed = stream.read(member.begin + member.size)
            values = np.frombuffer(packed, dtype, offset=member.begin)
            return values.reshape(member.shape[::-1]).T if member.fortran else values.reshape(member.shape)
    except MemoryError:
        hint = "write it with `numpy.savez`, which does not compress: then it stays in the file"
        raise DataError(f"{member.file}, {member.size / 2**30:.1f} GiB, does not fit into memory", hint) from None


def check_finite(array: Array, file: str, what: str) -> None:
    """Raise DataError with the first rows that have NaN or an infinity."""
    if array.dtype.kind != "f":
        return
    bad: list[int] = []
    count = start = 0
    for chunk in chunks(array):
        fine = np.isfinite(chunk).reshape(len(chunk), -1).all(axis=1)
        rows = np.flatnonzero(~fine)
        count += len(rows)
        bad += [start + int(row) for row in rows[: _MOST_TOLD - len(bad)]]
        start += len(chunk)
    if count:
        rows_text = f"row{'s' if count > 1 else ''} {', '.join(map(str, bad))}{', …' if count > len(bad) else ''}"
        message = f"{file} has NaN or infinity in {count:,} of {len(array):,} {what}: {rows_text} (counted from 0)"
        raise DataError(message, "remove these rows, or replace what is missing, before training")


def checked_samples(array: Array, file: str, whole: bool) -> int | None:
    """Return the highest value of samples of whole numbers; None for others.

    Raises DataError if some are not finite, or whole numbers do not fit into 32 bits.
    """
    check_finite(array, file, "samples")
    if not whole:
        return None
    highest = max(int(chunk.max()) for chunk in chunks(array))
    lowest = min(int(chunk.min()) for chunk in chunks(array))
    if lowest < -(2**31) or highest >= 2**31:
        raise DataError(
            f"{file} has whole numbers up to {max(highest, -lowest):,}, beyond 32 bits", "save them as float32"
        )
    return highest
