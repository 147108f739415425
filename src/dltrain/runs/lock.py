"""The writer's lock of a run: held by one process at a time, released by the kernel when that process dies."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from dltrain.errors import RunError
from dltrain.runs import atomic

NAME = ".lock"

# Seconds. A reader that tests the lock holds it shared for a moment.
_PATIENCE = 0.5
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_BUSY = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN}


class Lock:
    """A lock that this process holds until `release` or until it exits."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def acquire(directory: Path) -> Lock:
    """Acquire the lock of a run and write this process's id to the lock file.

    Raises:
        RunError: another process holds it, or it cannot be written.
    """
    path = directory / NAME
    with atomic.trouble("lock", path):
        descriptor = os.open(path, _FLAGS | os.O_RDWR | os.O_CREAT, 0o664)
    try:
        atomic.ensure_own(descriptor, path)
        if not _take(descriptor):
            raise RunError(f"the run {directory.name} is being trained by {_holder(path)}", "wait for it, or stop it")
        with atomic.trouble("lock", path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)


def held(directory: Path) -> bool:
    """Return whether a living process holds the lock of a run."""
    try:
        descriptor = os.open(directory / NAME, _FLAGS | os.O_RDONLY)
    except OSError:
        return False  # no lock was ever taken here
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _BUSY
    finally:
        os.close(descriptor)
    return False


def _take(descriptor: int) -> bool:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in _BUSY:
                raise
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError, RunError):
        return f"process {int(atomic.read_file(path, 100)[:20])}"
    return "another process"
