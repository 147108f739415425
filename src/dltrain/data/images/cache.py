"""Decoded images in a file of the user's cache: written once, mapped afterwards, and never trusted unseen."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL

from dltrain.data.arrays import chunks
from dltrain.data.caching import SPARE, cache_folder, clean, temporary
from dltrain.data.images.decoding import BadImage, Look, decode_all
from dltrain.data.numpy_files import npy
from dltrain.data.values import opened
from dltrain.errors import DataError

PILLOW = PIL.__version__
_VERSION = 2  # of the decoding and of the files here
_LARGEST_MANIFEST = 2**26  # bytes


@dataclass(frozen=True, slots=True)
class Pixels:
    """Decoded images.

    Args:
        values: uint8, (files, height, width, channels); zeros for those that could not be read.
        bad: the place of each of these in the list of files -> the reason.
        deep: how many had more than 8 bits.
        note: what the user should know of where they are kept; empty if nothing.
    """

    values: np.ndarray
    bad: dict[int, str]
    deep: int = 0
    note: str = ""

    def notes(self, root: Path) -> tuple[str, ...]:
        """Return what the user should know of them."""
        were, all_of = ("was", "1 image") if self.deep == 1 else ("were", f"{self.deep:,} images")
        scaled = f"{all_of} of 16 bits in {root} {were} scaled to 8" if self.deep else ""
        return tuple(filter(None, (self.note, scaled)))


class _NoRoom(Exception):
    """The cache cannot be written; its text is the reason."""


def pixels(root: Path, files: Sequence[str], look: Look, keep_bad: bool) -> Pixels:
    """Return the pixels of image files, from the cache if they are there.

    Args:
        root: the folder that has the files.
        files: relative to it.
        look: how they shall look.
        keep_bad: whether the result is wanted if some files cannot be read; if not, it is not written.

    Raises DataError if a file vanishes meanwhile, or there is neither disk nor memory for them.
    """
    shape = (len(files), *look.shape)
    folder = cache_folder()
    if folder is None:
        return _in_memory(root, files, look, "there is no home directory")
    key, path = _key(root, files, look), folder / f"{_name(root, look)}.npy"
    found = _stored(path, key, shape)
    if found is not None:
        return found
    deep: list[str] = []
    try:
        return _store(path, key, shape, decode_all(root, files, look, deep=deep), deep, keep_bad)
    except _NoRoom as reason:
        return _in_memory(root, files, look, str(reason))


def _name(root: Path, look: Look) -> str:
    """Return the name of the file for a folder and a look: a changed folder takes the place of what it was."""
    digest = hashlib.sha256(repr((os.path.realpath(root), asdict(look))).encode("utf-8", "surrogateescape"))
    return f"images-{digest.hexdigest()[:32]}"


def _key(root: Path, files: Sequence[str], look: Look) -> str:
    """Return the hash of all that decides about the pixels, short of the contents of the files.

    `ctime` tells files that were put in place of others of the same size and time.
    """
    about = (_VERSION, PILLOW, os.path.realpath(root), sorted(asdict(look).items()))
    digest = hashlib.sha256(f"{about!r}\n".encode("utf-8", "surrogateescape"))
    for file in files:
        try:
            status = (root / file).stat()
        except OSError as error:
            raise DataError(f"cannot read {root / file}: {error.strerror or error}") from None
        line = f"{len(file)} {file} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _stored(path: Path, key: str, shape: tuple[int, ...]) -> Pixels | None:
    """Return what the cache holds; None unless it is whole, and of these files."""
    manifest = _manifest(path)
    if manifest is None or manifest["key"] != key or manifest["shape"] != list(shape):
        return None
    bad, deep = _bad_of(manifest["bad"], shape[0]), manifest["deep"]
    if bad is None or isinstance(deep, bool) or not isinstance(deep, int):
        return None
    try:
        member = npy.members(path)[path.stem]
        if member.descr != "|u1" or member.shape != shape or member.fortran:
            return None
        values = opened(member)
        return Pixels(values, bad, deep) if _digest(values) == manifest["sha256"] else None
    except (DataError, OSError):
        return None


def _manifest(path: Path) -> dict[str, Any] | None:
    try:
        with path.with_suffix(".json").open("rb") as stream:
            found = json.loads(stream.read(_LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.keys() == {"key", "shape", "sha256", "bad", "deep"} else None


def _bad_of(written: Any, count: int) -> dict[int, str] | None:
    if not isinstance(written, list):
        return None
    bad: dict[int, str] = {}
    for pair in written:
        match pair:
            case [int(place), str(reason)] if 0 <= place < count:
                bad[place] = reason
            case _:
                return None
    return bad


def _digest(values: np.ndarray) -> str:
    digest = hashlib.sha256()
    for chunk in chunks(values):
        digest.update(np.ascontiguousarray(chunk).data)
    return digest.hexdigest()


def _store(
    path: Path,
    key: str,
    shape: tuple[int, ...],
    decoded: Iterator[np.ndarray | BadImage],
    deep: Sequence[str],
    keep_bad: bool,
) -> Pixels:
    """Write the pixels and their manifest, each under another name first. Raises _NoRoom if that fails."""
    size = int(np.prod(shape, dtype=np.int64))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        clean(path.parent)
        free = shutil.disk_usage(path.parent).free
        if free < size + SPARE:
            raise _NoRoom(f"{path.parent} has {free / 2**30:.1f} GiB free, and they need {size / 2**30:.1f} GiB")
        with temporary(path) as (stream, name):
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
            bad, digest = _write(stream, decoded, shape)
            if bad and not keep_bad:
                return Pixels(np.empty((0, *shape[1:]), np.uint8), bad)
            stream.flush()
            os.fsync(stream.fileno())
            values = opened(npy.members(name)[name.stem])
            name.replace(path)
        manifest = {"key": key, "shape": shape, "sha256": digest, "bad": sorted(bad.items()), "deep": len(deep)}
        with temporary(path.with_suffix(".json")) as (stream, name):
            stream.write(json.dumps(manifest).encode())
            stream.flush()
            os.fsync(stream.fileno())
            name.replace(path.with_suffix(".json"))
        return Pixels(values, bad, len(deep))
    except OSError as error:
        raise _NoRoom(f"cannot write {path.parent}: {error.strerror or error}") from None


def _write(
    stream: IO[bytes], decoded: Iterator[np.ndarray | BadImage], shape: tuple[int, ...]
) -> tuple[dict[int, str], str]:
    """Write the images one after the other. Returns which are bad, and the hash of all values."""
    bad: dict[int, str] = {}
    digest = hashlib.sha256()
    nothing = np.zeros(shape[1:], np.uint8)
    for place, image in enumerate(decoded):
        if isinstance(image, BadImage):
            bad[place] = str(image)
            image = nothing
        values = np.ascontiguousarray(image).data
        stream.write(values)
        digest.update(values)
    return bad, digest.hexdigest()


def _in_memory(root: Path, files: Sequence[str], look: Look, reason: str) -> Pixels:
    shape = (len(files), *look.shape)
    size = int(np.prod(shape, dtype=np.int64))
    hint = "free disk space, set XDG_CACHE_HOME to a folder that has some, or write a smaller `image_size`"
    message = f"{size / 2**30:.1f} GiB of decoded images fit neither into the memory nor into the cache: {reason}"
    if size > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        raise DataError(message, hint)
    try:
        values = np.zeros(shape, np.uint8)
    except MemoryError:
        raise DataError(message, hint) from None
    bad: dict[int, str] = {}
    deep: list[str] = []
    for place, image in enumerate(decode_all(root, files, look, deep=deep)):
        if isinstance(image, BadImage):
            bad[place] = str(image)
        else:
            values[place] = image
    return Pixels(
        values, bad, len(deep), f"the decoded images are in memory, and will be decoded anew next time: {reason}"
    )
