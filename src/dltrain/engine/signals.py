"""SIGINT and SIGTERM as a wish: what is being done ends, and then the run."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from dltrain.errors import Interrupted


class StopSignal:
    """While it is open, SIGINT and SIGTERM ask for a stop after the current step; a second one ends at once."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGINT, signal.SIGTERM):
                self._before[signum] = signal.signal(signum, self._ask)
        return self

    def check(self, hint: str = "") -> None:
        """Raises Interrupted where a stop was asked for before the training began."""
        if self.signum is not None:
            raise Interrupted("stopped before the training began", self.signum, hint)

    def _ask(self, signum: int, frame: FrameType | None) -> None:
        self.signum = signum
        self._restore()

    def _restore(self) -> None:
        for signum in list(self._before):
            signal.signal(signum, self._before.pop(signum))

    def __exit__(self, *_: object) -> None:
        self._restore()
