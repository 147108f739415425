"""A path of a user -> what is there."""

from __future__ import annotations

import os
import stat
from collections import Counter
from pathlib import Path

from dltrain.data.folders.glance import glance
from dltrain.data.folders.kinds import IMAGES, TEXTS
from dltrain.data.guesses.guess import Guess, told
from dltrain.errors import DataError

_TAKES = "give a folder of images or texts, a CSV or Parquet file, a long text, or arrays in .npz or .npy files"
# The first bytes of files that are known, and what to do with them.
_KNOWN = (
    (b"\x89HDF", "an HDF5 file", "save its arrays with `numpy.savez`"),
    (b"SQLite format", "an SQLite database", "save a table as CSV"),
    (b"%PDF", "a PDF file", _TAKES),
    (b"\x1f\x8b", "a packed file", "unpack it, and name what is in it"),
    (b"BZh", "a packed file", "unpack it, and name what is in it"),
    (b"\xfd7zXZ", "a packed file", "unpack it, and name what is in it"),
    (b"\xff\xd8\xff", "a single image", "name the folder that holds a folder of images for each class"),
    (b"\x89PNG", "a single image", "name the folder that holds a folder of images for each class"),
    (b"\x80\x02", "a pickle, which could run anything", "save its arrays with `numpy.savez`"),
    (b"\x80\x03", "a pickle, which could run anything", "save its arrays with `numpy.savez`"),
    (b"\x80\x04", "a pickle, which could run anything", "save its arrays with `numpy.savez`"),
    (b"\x80\x05", "a pickle, which could run anything", "save its arrays with `numpy.savez`"),
)
_PROSE = (".txt", ".text", ".md", ".rst")  # files that are one long text, where they are no table
_MOST_LISTED = 10_000


def guess(path: Path, target: str | None = None) -> Guess:
    """Look at a path, and say which data set it is and with which arguments.

    Args:
        path: a folder of images or texts, a CSV or Parquet file, a long text, or arrays of NumPy.
        target: the column to predict, of a table.

    Raises DataError if it is none of these, or nothing can be learnt from it.
    """
    try:
        mode = path.stat().st_mode
        found = _folder(path) if stat.S_ISDIR(mode) else _file(path, mode, target)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", _TAKES) from None
    except ValueError as error:  # a path with a NUL, or one of no text
        raise DataError(f"cannot read {str(path)[:200]!r}: {error}", _TAKES) from None
    if target is not None and "target" not in found.arguments:
        raise DataError(f"{path} has no columns, so there is no target `{target}`", "leave out `--target`")
    return found


def _file(path: Path, mode: int, target: str | None) -> Guess:
    if not stat.S_ISREG(mode):
        raise DataError(f"{path} is neither a file nor a folder", _TAKES)
    with path.open("rb") as file:
        start = file.read(16)
    for magic, what, hint in _KNOWN:
        if start.startswith(magic):
            raise DataError(f"{path} is {what}", hint)
    if start[:6] == b"\x93NUMPY" or start[:2] == b"PK":
        if path.suffix.lower() in (".xlsx", ".ods", ".docx", ".zip"):
            hint = "unpack it, and name what is in it" if path.suffix.lower() == ".zip" else "save a sheet of it as CSV"
            raise DataError(f"{path} holds no arrays of NumPy", hint)
        from dltrain.data.guesses.arrays import guess_arrays

        return guess_arrays(path)
    from dltrain.data.guesses.table import guess_table

    try:
        return guess_table(path, target)
    except DataError as no_table:
        if target is not None or path.suffix.lower() not in _PROSE:
            raise
        from dltrain.data.guesses.texts import guess_long_text

        return guess_long_text(path, no_table.message)


def _folder(path: Path) -> Guess:
    names = _names(path)
    endings = Counter(Path(name).suffix.lower() for name in names)
    if endings[".npy"]:
        from dltrain.data.guesses.arrays import guess_arrays

        return guess_arrays(path)
    seen = glance(path, IMAGES, TEXTS)
    if IMAGES in seen.first:
        from dltrain.data.guesses.images import guess_images

        return guess_images(path)
    if TEXTS in seen.first and not endings[".txt"]:
        from dltrain.data.guesses.texts import guess_text_folder

        return guess_text_folder(path)
    tables = (name for name in names if Path(name).suffix.lower() in (".npz", ".csv", ".tsv", ".parquet"))
    meant = next((name for name in tables if (path / name).is_file()), None)
    there = f"it holds {told(names, 5)}" if names else "it is empty"
    looked = "" if seen.whole else f"; {seen.looked:,} files and folders in it were looked at"
    hint = f"name the file in it: `--from {path / meant}`" if meant else _TAKES
    message = f"{path} holds no .npy file, and no folders of images or texts, one for each class: {there}{looked}"
    raise DataError(message, hint)


def _names(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        found = [entry.name for entry, _ in zip(entries, range(_MOST_LISTED), strict=False) if entry.name[0] != "."]
    return sorted(found)
