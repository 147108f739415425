"""Atomic writes: no reader, kill or full disk ever leaves half a file or half a directory.

The order is always: write under a hidden temporary name beside the target, fsync, rename, fsync the parent.
Requested modes never let others write; the umask can only narrow them further.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dltrain.errors import RunError

TEMPORARY_PREFIX = ".tmp-"

_FILE_MODE = 0o664
_DIRECTORY_MODE = 0o775

# Some network and FUSE file systems cannot fsync a directory; the rename itself still holds.
_NO_DIRECTORY_SYNC = {errno.EINVAL, errno.ENOTSUP}

_HINTS = {
    errno.ENOSPC: "free some space on that disk; what was there before is untouched",
    errno.EDQUOT: "the disk quota is used up; what was there before is untouched",
    errno.ENOENT: "a directory on this path is missing; was it moved or removed meanwhile?",
}


@contextmanager
def trouble(action: str, path: Path, hint: str = "") -> Iterator[None]:
    """Turn an OSError of the block into `RunError: cannot ACTION PATH: reason`.

    An empty `hint` is replaced by one that fits the errno.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(f"cannot {action} {path}: {reason}", hint or _HINTS.get(error.errno or 0, "")) from error


def temporary_name() -> str:
    """Return a new hidden name, short enough even where the target's own name is at the length limit."""
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}"


def sync_directory(path: Path) -> None:
    """Make renames and new names in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_directories(path: Path) -> None:
    """Make `path` and its missing parents. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(_DIRECTORY_MODE, exist_ok=True)
        sync_directory(folder.parent)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def make_subdirectories(root: Path, path: Path) -> None:
    """Make the folders from `root` down to `path`. Raises OSError if `root` is gone; it is not made again."""
    folder = root
    for part in path.relative_to(root).parts:
        folder = folder / part
        if not folder.is_dir():
            folder.mkdir(_DIRECTORY_MODE, exist_ok=True)
            sync_directory(folder.parent)


def read_file(path: Path, limit: int | None = None) -> bytes:
    """Read a whole plain file. No link is followed, and no device or pipe blocks.

    Raises:
        OSError: it cannot be read.
        RunError: it is not a plain file, or has more than `limit` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_plain(path) from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _not_plain(path)
        if limit is not None and found.st_size > limit:
            raise RunError(
                f"{path} is damaged: it has more than {limit:,} bytes", reason=f"it has more than {limit:,} bytes"
            )
        return file.read()


def ensure_own(descriptor: int, path: Path) -> None:
    """Raise RunError if the open file at `path` is no plain file, or has another name, under which it would change."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise _not_plain(path)
    if found.st_nlink > 1:
        hint = f"give the run a file of its own: mv {path} {path}.old && cp {path}.old {path}"
        raise RunError(f"{path} is a hard link: what is written into it would change another file", hint)


def _not_plain(path: Path) -> RunError:
    return RunError(f"{path} is not a plain file", "links, pipes and devices in a run are never followed")


def write_new(path: Path, data: bytes) -> None:
    """Write and fsync a file that must not exist yet. Raises OSError, and may then leave a torn file."""
    with open(path, "xb", opener=_opener) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_file(path: Path, data: bytes) -> None:
    """Replace the contents of `path` with `data`, atomically. Raises RunError."""
    temporary = path.with_name(temporary_name())
    with trouble("write", path):
        try:
            write_new(temporary, data)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_directory(path.parent)


def append(path: Path, data: bytes, *, at: int | None = None, sync: bool = False) -> None:
    """Append `data` to a file, which is made if missing; on failure the file keeps its old length.

    With `at`, the file is first truncated to that many bytes, which drops a torn tail. Raises RunError.
    """
    # Unbuffered: a buffer would be flushed once more on closing, after the cut that undoes a failed write.
    with trouble("write", path), open(path, "ab", buffering=0, opener=_opener) as file:
        ensure_own(file.fileno(), path)
        start = file.seek(0, os.SEEK_END)
        if at is not None and at < start:
            start = file.truncate(at)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            if sync:
                os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                file.truncate(start)
            raise


@contextmanager
def staged_directory(parent: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Write `files`, in order and synced, to a hidden directory in `parent` that the block renames.

    Whatever remains under the hidden name after the block is removed. Raises OSError.
    """
    stage = parent / temporary_name()
    try:
        stage.mkdir(_DIRECTORY_MODE)
        for name, data in files.items():
            write_new(stage / name, data)
        sync_directory(stage)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def discard(path: Path) -> None:
    """Remove a file or directory: rename it to a hidden name first, then delete it. Raises OSError."""
    doomed = path.with_name(temporary_name())
    try:
        path.replace(doomed)
    except FileNotFoundError:
        return
    delete(doomed)


def delete(path: Path) -> None:
    """Remove a file, a link or a whole directory that is no longer in use. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, _FILE_MODE)
