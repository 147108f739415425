"""The folder in which dltrain keeps what was decoded or downloaded, and how files get there: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

SPARE = 2**28  # bytes of the disk that are left to others
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
