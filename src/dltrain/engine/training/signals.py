"""Graceful shutdown on SIGINT, SIGTERM and SIGHUP: the current step ends, then the run."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from dltrain.engine.events import Left, Listener, Stopping
from dltrain.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PATIENCE = 0.8  # seconds


def not_begun(signum: int, hint: str = "") -> Interrupted:
    """Return the error of a training that was stopped before it began."""
    return Interrupted("stopped before the training began", signum, hint)


class StopSignal:
    """While open, SIGINT, SIGTERM and SIGHUP request a stop after the current step; a second one ends the process.

    A signal that is ignored when this opens stays ignored, as under `nohup`. Python calls no handler during a long
    step, so a separate thread reads the signals from a pipe. It notifies the listener at once, and with `owns_process`
    it ends the process if a second signal has not done so, or shortly after the first one where nothing is lost by
    that. Other signals, and a wake-up descriptor of the caller, are left alone.
    """

    def __init__(self, on_event: Listener, owns_process: bool = False) -> None:
        self.signum: int | None = None
        self._on_event, self._owns_process = on_event, owns_process
        self._before: dict[int, Any] = {}
        self._closed = threading.Event()
        self._pipe: int | None = None
        self._leave: Callable[[int], Interrupted] | None = None
        self._leaving = threading.Lock()  # kept by the thread that ends the process

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for signum in SIGNALS:
                # None is a handler that was not installed from Python, which cannot be given back.
                if signal.getsignal(signum) not in (signal.SIG_IGN, None):
                    self._before[signum] = signal.signal(signum, self._ask)
            self._watch()
        return self

    def check(self, hint: str = "") -> None:
        """Raise Interrupted if a stop was requested before the training began."""
        if self.signum is not None:
            raise not_begun(self.signum, hint)

    @contextlib.contextmanager
    def may_leave(self, leave: Callable[[int], Interrupted]) -> Iterator[None]:
        """Let a stop end the process inside the block, until `must_stay`: XLA may compile for many seconds.

        Args:
            leave: called with the signal's number in a thread of its own; returns what to tell.
        """
        self._leave = leave
        try:
            yield
        finally:
            self.must_stay()

    def must_stay(self) -> None:
        """Let a stop wait again for the end of the current step."""
        with self._leaving:
            self._leave = None

    def _watch(self) -> None:
        others = signal.set_wakeup_fd(-1)
        if others != -1:  # another listener exists, such as an event loop
            signal.set_wakeup_fd(others)
            return
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._pipe = writer
        threading.Thread(target=self._listen, args=(reader, frozenset(self._before)), daemon=True).start()

    def _listen(self, reader: int, ours: frozenset[int]) -> None:
        """Read the number of every signal that Python handles, until the pipe closes."""
        asked = 0
        with open(reader, "rb", buffering=0) as pipe:
            while numbers := pipe.read(64):
                for signum in numbers:
                    if signum not in ours or self._closed.is_set():
                        continue
                    asked += 1
                    if asked == 1:
                        with contextlib.suppress(Exception):  # the watch goes on, whatever becomes of the notice
                            self._on_event(Stopping())
                        if self._owns_process and not self._closed.wait(_PATIENCE):
                            self._leave_if_it_may(signum)
                    elif self._owns_process and not self._closed.wait(_PATIENCE):
                        os._exit(128 + signum)

    def _leave_if_it_may(self, signum: int) -> None:
        with self._leaving:
            if self._leave is not None:
                with contextlib.suppress(Exception):
                    self._on_event(Left(self._leave(signum)))
                os._exit(128 + signum)

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
