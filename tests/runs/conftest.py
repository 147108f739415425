from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain import runs

KILLED = 9


class Faults:
    """Fails calls `first` to `last` of os.replace and os.fsync, counted together from 1."""

    def __init__(self) -> None:
        self.calls = 0
        self.first = 0
        self.last = 0
        self.act: Callable[[], None] = self.full_disk

    @staticmethod
    def full_disk() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @staticmethod
    def kill() -> None:
        os._exit(KILLED)

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            self.calls += 1
            if self.first <= self.calls <= self.last:
                self.act()
            return function(*args)

        return wrapped

    def arm(self, first: int, last: int | None = None) -> None:
        self.calls, self.first, self.last = 0, first, first if last is None else last

    def disarm(self) -> None:
        self.first = self.last = 0


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    found = Faults()
    monkeypatch.setattr(os, "replace", found.wrap(os.replace))
    monkeypatch.setattr(os, "fsync", found.wrap(os.fsync))
    return found


@pytest.fixture
def killed_at(faults: Faults) -> Callable[[int, Callable[[], Any]], bool]:
    """Do work in a child that dies uncleanly at call `k`; False where it never gets there."""

    def run(k: int, work: Callable[[], Any]) -> bool:
        child = os.fork()
        if child == 0:
            try:
                faults.arm(k)
                faults.act = Faults.kill
                work()
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED

    return run


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def run(runs_dir: Path) -> runs.Run:
    return runs.create(runs_dir, name="cnn", config=b"version: 1\n", resolved="version: 1\n", record={"seed": 42})
