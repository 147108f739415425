"""Filters TensorFlow's start-up log messages out of stderr; errors still appear.

TensorFlow's C++ code writes to file descriptor 2 before any setting takes effect. So that descriptor becomes a pipe to
a small child process, which drops known noise and forwards the rest. A child process, not a thread: if this process
crashes, its last output still arrives. Python's own `sys.stderr` bypasses the pipe.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator

_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} "  # Google's log prefix for information and warnings
    rb"|\d{4}-\d\d-\d\d \S+: [IW] "  # TensorFlow's own
    rb"|To enable the following instructions:"
    rb"|(E\d{4}|\d{4}-\d\d-\d\d \S+: E) "  # errors, by either prefix, of machines without a GPU, or AVX-512
    rb".*(failed call to cuInit|Unable to register cu\w+ factory|computation placer already registered"
    rb"|oneDNN supports \w+ only on platforms with)"
)


@contextlib.contextmanager
def tensorflow(verbose: bool) -> Iterator[None]:
    """Silence TensorFlow's noise inside the block; do nothing if `verbose`."""
    if verbose:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|google)\b.*")
    with _filtered_stderr():
        yield


@contextlib.contextmanager
def _filtered_stderr() -> Iterator[None]:
    try:
        real = os.dup(2)
    except OSError:  # started without a stderr
        yield
        return
    reader, writer = os.pipe()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(writer)
        _filter_lines(reader, real)
    os.close(reader)
    os.dup2(writer, 2)
    os.close(writer)
    before, sys.stderr = (
        sys.stderr,
        os.fdopen(os.dup(real), "w", buffering=1, encoding="utf-8", errors="replace"),
    )
    try:
        yield
    finally:
        filtered, sys.stderr = sys.stderr, before
        with contextlib.suppress(OSError):  # stderr is full or closed: drop the buffered text
            filtered.close()
        os.dup2(real, 2)  # closes the pipe, so the child exits
        os.close(real)
        os.waitpid(child, 0)


def _filter_lines(reader: int, real: int) -> None:
    """Run the child process: copy lines from `reader` to `real`, without the noise, until the pipe closes."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    os.dup2(real, 2)
    with os.fdopen(reader, "rb") as lines, contextlib.suppress(OSError):
        for line in lines:
            if not _NOISE.match(line):
                os.write(real, line)
    os._exit(0)
