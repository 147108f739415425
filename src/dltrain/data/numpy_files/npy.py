"""NumPy's file formats as data: the headers of arrays, read without NumPy and without running anything.

Source: the NPY format, versions 1.0 to 3.0, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import lzma
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from dltrain.errors import DataError

# RuntimeError: the archive has a password, or a compression that Python does not know.
_FORMATS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error)
_OF_DAMAGE = (*_FORMATS, EOFError, OSError, ValueError, KeyError, RuntimeError)
_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
_MOST_AXES = 32
_MOST_MEMBERS = 1_000
_HEADER = re.compile(
    r"\{ *'descr' *: *(?:'(?P<descr>[^']{1,40})'|(?P<fields>\[)).*?'fortran_order' *: *(?P<fortran>True|False) *, *"
    r"'shape' *: *\((?P<shape>[0-9L, ]*)\) *,? *\} *\n?",
    re.DOTALL,
)
_SIZES = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "b": (1,)}
_DESCR = re.compile(r"[<>|=]?(?P<kind>[a-zA-Z])(?P<size>\d{0,9})(?P<unit>\[.*\])?")
_UNIT = re.compile(r"\[(?:[1-9]\d{0,3})?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]")  # of dates
_KINDS = {
    "O": "Python objects, which only pickle can read",
    "c": "complex numbers",
    "M": "dates without a unit",
    "m": "durations",
    "V": "records of several fields",
}


@dataclass(frozen=True, slots=True)
class Member:
    """An array in a file: what its header says.

    Args:
        name: the name without `.npy`.
        path: the file that holds it.
        member: its name in an archive; None for a file of its own.
        descr: NumPy's dtype string, such as `<f4`.
        kind: the dtype's kind: `f`, `i`, `u`, `b`, `U`, `S`, or `M` for dates.
        shape: of the whole array.
        fortran: whether the first axis varies fastest.
        begin: position of the values in the array's own bytes, behind the header.
        offset: their position in the file; None where they are compressed.
        size: bytes of the values.
    """

    name: str
    path: Path
    member: str | None
    descr: str
    kind: str
    shape: tuple[int, ...]
    fortran: bool
    begin: int
    offset: int | None
    size: int

    @property
    def file(self) -> str:
        """The array as messages name it."""
        return f"`{self.name}` of {self.path.name}" if self.member is not None else f"{self.path.name}"


def members(path: Path) -> dict[str, Member]:
    """Return the arrays of an npz file, an npy file, or a directory of npy files, by name.

    Raises DataError if it is none of these, or an array is damaged or of a kind that no model takes.
    """
    try:
        folder = path.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"cannot read {str(path)[:200]!r}: {reason}") from None
    if folder:
        files = sorted(path.glob("*.npy"))[: _MOST_MEMBERS + 1]
        if not files:
            near = next(iter(sorted(path.glob("*.npz"))), None)
            raise DataError(f"no .npy file is in {path}", f"there is {near.name}: name it" if near else "")
        if len(files) > _MOST_MEMBERS:
            raise DataError(f"more than {_MOST_MEMBERS:,} arrays are in {path}", "one file holds one array of samples")
        for file in files:
            if file.is_symlink() and not _target(file).is_relative_to(_target(path)):
                raise DataError(f"{file} is a link that leads out of the directory", f"name {_target(file).parent}")
        return {file.stem: _of_file(file) for file in files}
    with damage_told(str(path)), _opened(path) as stream:
        start = stream.read(6)
    if start[:2] == b"PK":
        return _of_archive(path)
    if start == _MAGIC:
        return {path.stem: _of_file(path)}
    what = "it is empty" if not start else "it begins otherwise"
    raise DataError(f"{path} is no .npz or .npy file: {what}", "write one with `numpy.savez`")


def _target(path: Path) -> Path:
    """Return where a link leads. Raises DataError for a loop."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path} is a link that leads nowhere: {error}", "remove it") from None


@contextmanager
def damage_told(what: str) -> Iterator[None]:
    """Turn everything that a damaged file makes of reading it into a DataError about `what`."""
    try:
        yield
    except _OF_DAMAGE as error:
        raise DataError(f"{what} is damaged: {error}", "copy or write it anew") from None


def kind_of_values(descr: str, scale: float) -> str:
    """Return what a dtype string says of values; bytes that are scaled are those of images."""
    kind = descr.lstrip("<>|=")
    if kind == "u1" and scale != 1.0:
        return "bytes"
    return {"f": "fractions", "b": "flags", "U": "strings", "S": "strings", "M": "dates"}.get(kind[:1], "whole numbers")


def _opened(path: Path) -> BinaryIO:
    """Open a plain file, which never blocks."""
    shown = path.absolute()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise DataError(f"no such file: {shown}", _near(shown)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"cannot read {str(shown)[:200]!r}: {reason}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataError(f"{shown} is not a plain file", "give a .npz file, or a directory of .npy files")
    return os.fdopen(descriptor, "rb")


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        above = next((parent for parent in path.parents if parent.is_dir()), None)
        return f"there is no {path.parent}" + (f", only {above}" if above is not None else "")
    names = sorted(other.name for other in path.parent.iterdir() if other.suffix in (".npz", ".npy"))[:5]
    return f"{path.parent} has {', '.join(names)}" if names else "the path is relative to the config's file"


def _of_file(path: Path) -> Member:
    with damage_told(str(path)), _opened(path) as stream:
        length = os.fstat(stream.fileno()).st_size
        return _parsed(stream, path, None, path.stem, length, mapped=0)


def _of_archive(path: Path) -> dict[str, Member]:
    found: dict[str, Member] = {}
    with damage_told(str(path)), _opened(path) as stream, zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_MEMBERS:
            raise DataError(f"{path.name} has {len(entries):,} members", f"at most {_MOST_MEMBERS:,} are read")
        for entry in entries:
            if not entry.filename.endswith(".npy"):
                continue  # a folder, or a note
            name = entry.filename.removesuffix(".npy")
            if name in found:
                raise DataError(f"{path.name} has two arrays named `{name}`", "write it anew with `numpy.savez`")
            stored = entry.compress_type == zipfile.ZIP_STORED
            mapped = _start(stream, entry) if stored else None
            with archive.open(entry) as member:
                found[name] = _parsed(member, path, entry.filename, name, entry.file_size, mapped)
    if not found:
        raise DataError(f"{path} holds no array", "write it with `numpy.savez(path, x_train=…, y_train=…)`")
    return found


def _start(stream: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Return where the bytes of a stored member begin in the archive."""
    back = stream.tell()
    stream.seek(entry.header_offset)
    head = stream.read(30)
    stream.seek(back)
    signature, name, extra = head[:4], *struct.unpack("<HH", head[26:30])
    if signature != b"PK\x03\x04":
        raise zipfile.BadZipFile("a member has no header")
    return int(entry.header_offset) + 30 + int(name) + int(extra)


def _parsed(stream: IO[bytes], path: Path, member: str | None, name: str, length: int, mapped: int | None) -> Member:
    """Read the header of an array at the beginning of `stream`, which has `length` bytes in all.

    Args:
        stream: stands at the magic string.
        path: the file.
        member: its name in the archive.
        name: the array's name.
        length: bytes of header and values.
        mapped: where these bytes begin in the file; None if they are compressed.
    """
    whose = f"`{name}` of {path.name}" if member is not None else str(path)
    start = stream.read(10)
    if start[:6] != _MAGIC or len(start) < 10 or start[6] not in (1, 2, 3):
        raise DataError(f"{whose} is no array of NumPy", "write it with `numpy.save`")
    if start[6] == 1:
        size, begin = struct.unpack("<H", start[8:10])[0], 10
    else:
        size, begin = struct.unpack("<I", start[8:10] + stream.read(2))[0], 12
    if size > _LONGEST_HEADER:
        raise DataError(
            f"{whose} has a header of {size:,} bytes", f"arrays of numbers need less than {_LONGEST_HEADER:,}"
        )
    header = _HEADER.fullmatch(stream.read(size).decode("latin-1").rstrip(" \n"))
    if header is None:
        raise DataError(f"{whose} has a damaged header", "write it with `numpy.save`")
    descr = _DESCR.fullmatch(header["descr"] or "V0")
    kind = descr["kind"] if descr is not None else "V"
    size_of = int(descr["size"] or 0) if descr is not None else 0
    known = size_of in _SIZES[kind] if kind in _SIZES else kind in "US" and size_of > 0
    unit = descr["unit"] if descr is not None else None
    dates = kind == "M" and size_of == 8 and unit is not None and _UNIT.fullmatch(unit) is not None
    if descr is None or header["fields"] or not (dates or (known and unit is None)):
        what = _KINDS.get("V" if header["fields"] else kind, f"values of the dtype {header['descr']}")
        hint = 'save numbers: `array.astype("float32")`, or names of classes as `array.astype(str)`'
        raise DataError(f"{whose} holds {what}", hint)
    shape = tuple(int(part.strip(" L")) for part in header["shape"].split(",") if part.strip(" L"))
    if len(shape) > _MOST_AXES or any(size > 2**48 for size in shape):
        raise DataError(f"{whose} has a damaged header: the shape {str(shape)[:80]}", "write it with `numpy.save`")
    item = size_of * (4 if kind == "U" else 1)
    values, offset = math.prod(shape) * item, begin + size
    if offset + values > length:
        message = f"{whose} is cut off: {shape} of {header['descr']} need {offset + values:,} bytes, it has {length:,}"
        raise DataError(message, "copy or write it anew")
    place = mapped + offset if mapped is not None else None
    return Member(name, path, member, header["descr"], kind, shape, header["fortran"] == "True", offset, place, values)
