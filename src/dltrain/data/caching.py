"""The folder in which dltrain keeps what was decoded or downloaded, and how files get there: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dltrain.errors import DataError

SPARE = 2**28  # bytes of the disk that are left to others
DOWNLOADS = "datasets"  # the folder of what was downloaded, in that of the cache
_DAY = 86_400  # seconds after which an unfinished file has no writer any more


def cache_folder() -> Path | None:
    """Return the folder of dltrain's cache; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "dltrain"
    try:
        return Path.home() / ".cache" / "dltrain"
    except RuntimeError:
        return None


@contextlib.contextmanager
def temporary(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a file beside `path`; it is removed afterwards, unless it was renamed."""
    descriptor, name = tempfile.mkstemp(path.suffix, f"unfinished-{path.stem}-", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def clean(folder: Path) -> None:
    """Remove what writers that were killed have left."""
    for file in folder.glob("unfinished-*"):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < time.time() - _DAY:
                file.unlink()


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed from the cache: how many files, and their size in bytes. No folder for a user without a home."""

    folder: Path | None
    files: int
    size: int


def clear_cache() -> Freed:
    """Remove decoded images and downloaded data sets; they are decoded or downloaded again when they are needed.

    Nothing else in the folder is touched, and no link is followed. A training that reads them goes on.
    Raises DataError if they cannot be removed.
    """
    folder = cache_folder()
    if folder is None or not folder.is_dir():
        return Freed(folder, 0, 0)
    clean(folder)
    files = size = 0
    try:
        for file in [*folder.glob("images-*"), *_inside(folder / DOWNLOADS)]:
            if not file.is_dir() or file.is_symlink():
                size += file.lstat().st_size
                files += 1
                file.unlink()
            elif file.is_relative_to(folder / DOWNLOADS):
                file.rmdir()
    except OSError as error:
        raise DataError(f"cannot clear the cache {folder}: {error.strerror or error}", "remove it by hand") from None
    return Freed(folder, files, size)


def _inside(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder, the contents of a folder before it, and the folder itself."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        yield from (Path(parent) / name for name in files)
        yield from (Path(parent) / name for name in folders if (Path(parent) / name).is_symlink())
        yield Path(parent)
