"""Injected disk faults and process kills, at any call that makes data durable."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from dltrain.errors import RunError

KILLED = 9
FOREVER = 1_000_000


class Faults:
    """Make calls of os.replace and os.fsync fail, counted together from 1 at the start of some work.

    A test tries k = 1, 2, 3, … until the work completes, so it need not know the number of steps.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = self.first = self.last = 0
        self.act: Callable[[], None] = lambda: None
        for name in ("replace", "fsync"):
            monkeypatch.setattr(os, name, self._wrap(getattr(os, name)))

    def full_disk_at(self, k: int, work: Callable[[], Any], last: int | None = None) -> RunError | None:
        """Run `work` while calls `k` to `last` fail; return its error, or None if it completes."""

        def fail() -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        self._arm(k, k if last is None else last, fail)
        try:
            work()
        except RunError as error:
            assert self.calls >= k
            return error
        finally:
            self.first = self.last = 0
        return None

    def kill_at(self, k: int, work: Callable[[], Any]) -> bool:
        """Run `work` in a child process that is killed at call `k`; return False if it completes."""
        child = os.fork()
        if child == 0:
            try:
                self._arm(k, k, lambda: os._exit(KILLED))
                work()
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED

    def _arm(self, first: int, last: int, act: Callable[[], None]) -> None:
        self.calls, self.first, self.last, self.act = 0, first, last, act

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            self.calls += 1
            if self.first <= self.calls <= self.last:
                self.act()
            return function(*args)

        return wrapped


def switches_once(found: list[Any], before: Any, after: Any) -> bool:
    """Return whether the states found after a fault at each step are first all old, then all new."""
    old = found.count(before)
    return 0 < old < len(found) and found == [before] * old + [after] * (len(found) - old)
