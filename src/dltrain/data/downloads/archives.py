"""What is inside downloaded files: members of archives and arrays, never more than a bound, never extracted to disk."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from dltrain.data.downloads.pickles import BadPickle, unpickled
from dltrain.errors import DataError

_REMOVE = "remove it from the cache; it is downloaded anew"
_OF_DAMAGE = (
    *(BadPickle, tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, KeyError, RuntimeError),
)
_LARGEST = 2**29  # bytes of one member
_MOST_MEMBERS = 1_000
_ARRAY_HEADER = 10_000  # bytes


@contextmanager
def _told(file: str) -> Iterator[None]:
    try:
        yield
    except _OF_DAMAGE as error:
        raise DataError(f"{file} is damaged: {error}", _REMOVE) from None
    except MemoryError:
        raise DataError(f"{file} does not fit into memory") from None


def unzipped(content: bytes, file: str, at_most: int) -> bytes:
    """Return what a gzip file has. Raises DataError if it is damaged, or has more bytes than `at_most`."""
    with _told(file), gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        found = stream.read(at_most + 1)
    if len(found) > at_most:
        raise DataError(f"{file} has more than {at_most:,} bytes inside", _REMOVE)
    return found


def tar_members(content: bytes, file: str, wanted: Sequence[str]) -> list[bytes]:
    """Return plain members of a compressed tar archive by name. Raises DataError if one is missing, or damaged."""
    found: dict[str, bytes] = {}
    with _told(file), tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
        for count, member in enumerate(archive):
            if count >= _MOST_MEMBERS or member.size > _LARGEST:
                raise DataError(f"{file} is too large inside", _REMOVE)
            stream = archive.extractfile(member) if member.name in wanted and member.isreg() else None
            if stream is not None:
                found[member.name] = stream.read()
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(f"{file} has no file {missing[0]}", _REMOVE)
    return [found[name] for name in wanted]


def npz_arrays(content: bytes, file: str, wanted: Sequence[str]) -> list[np.ndarray | list[object]]:
    """Return arrays of an npz file by name; one of Python objects as a list.

    Raises DataError if one is missing or damaged, or its objects are anything but numbers, strings and lists of them.
    """
    with _told(file), zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        missing = [name for name in wanted if f"{name}.npy" not in sizes]
        if missing:
            raise DataError(f"{file} has no array `{missing[0]}`", _REMOVE)
        if max(sizes[f"{name}.npy"] for name in wanted) > _LARGEST:
            raise DataError(f"{file} is too large inside", _REMOVE)
        return [_array(archive.read(f"{name}.npy")) for name in wanted]


def _array(content: bytes) -> np.ndarray | list[object]:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in headers:
        raise ValueError("a version of the NPY format that is not known")
    _, _, dtype = headers[version](stream, max_header_size=_ARRAY_HEADER)
    if dtype.hasobject:
        found = unpickled(content[stream.tell() :])
        values = getattr(found, "values", None)
        if not isinstance(values, list):
            raise BadPickle("its objects are no array")
        return values
    stream.seek(0)
    found_numbers: np.ndarray = np.load(stream, allow_pickle=False)
    return found_numbers
