"""How far the reading of a data set has come, for those who wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watch = Callable[[str, int, int, str], None]
"""Called in the thread that reads: what is done, how many of it, of how many, and their unit, which may be empty. What
it raises ends the reading."""

_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Call `watch` now and then while data is read within."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


def tell(what: str, done: int, total: int, unit: str = "") -> None:
    """Tell who watches that `done` of `total` are done."""
    watch = _WATCH.get()
    if watch is not None:
        watch(what, done, total, unit)
