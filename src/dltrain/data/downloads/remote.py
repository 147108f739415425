"""A file on a server, and whether servers may be asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

OFFLINE, MIRROR = "DLTRAIN_OFFLINE", "DLTRAIN_MIRROR"
_KEPT_OFFLINE: ContextVar[bool] = ContextVar("offline", default=False)


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a data set.

    Args:
        path: its path in the cache, and on a mirror.
        url: where it comes from.
        sha256: of its contents, 64 hex digits; None if nobody has pinned it: then that of the first download holds.
        in_keras: its path in Keras's cache; empty where it is not looked for.
        installed: its absolute path where a package of the system installs it; empty where there is none.
    """

    path: str
    url: str
    sha256: str | None
    in_keras: str = ""
    installed: str = ""


@contextmanager
def offline() -> Iterator[None]:
    """Ask no server within."""
    token = _KEPT_OFFLINE.set(True)
    try:
        yield
    finally:
        _KEPT_OFFLINE.reset(token)


def is_offline() -> bool:
    """Return whether no server may be asked: within `offline()`, or where DLTRAIN_OFFLINE is set and not 0."""
    return _KEPT_OFFLINE.get() or os.environ.get(OFFLINE, "") not in ("", "0")
