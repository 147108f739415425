"""Graceful shutdown on SIGINT and SIGTERM: the current step ends, then the run."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from dltrain.engine.events import Listener, Stopping
from dltrain.errors import Interrupted

_PATIENCE = 1.0  # seconds


class StopSignal:
    """While open, SIGINT and SIGTERM request a stop after the current step; a second signal ends the process at once.

    Python calls no handler during a long step, so a separate thread reads the signals from a pipe. It notifies the
    listener at once, and with `owns_process` it ends the process if a second signal has not done so.
    """

    def __init__(self, on_event: Listener, owns_process: bool = False) -> None:
        self.signum: int | None = None
        self._on_event, self._owns_process = on_event, owns_process
        self._before: dict[int, Any] = {}
        self._closed = threading.Event()
        self._pipe: int | None = None

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGINT, signal.SIGTERM):
                self._before[signum] = signal.signal(signum, self._ask)
            self._watch()
        return self

    def check(self, hint: str = "") -> None:
        """Raise Interrupted if a stop was requested before the training began."""
        if self.signum is not None:
            raise Interrupted("stopped before the training began", self.signum, hint)

    def _watch(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        others = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        if others != -1:  # another listener exists, such as an event loop
            signal.set_wakeup_fd(others)
            os.close(reader)
            os.close(writer)
            return
        self._pipe = writer
        threading.Thread(target=self._listen, args=(reader,), daemon=True).start()

    def _listen(self, reader: int) -> None:
        with open(reader, "rb", buffering=0) as pipe:
            if pipe.read(1):
                self._on_event(Stopping())
            second = pipe.read(1)
        if second and self._owns_process and not self._closed.wait(_PATIENCE):
            os._exit(128 + second[0])

    def _ask(self, signum: int, frame: FrameType | None) -> None:
        self.signum = signum
        if self._pipe is None:
            self._on_event(Stopping())
        self._restore()

    def _restore(self) -> None:
        for signum in list(self._before):
            signal.signal(signum, self._before.pop(signum))

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._restore()
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._pipe)
            self._pipe = None
