"""TensorFlow's start-up chatter, kept from the terminal; its errors come through.

TensorFlow's C++ writes to file descriptor 2 before any setting reaches it. So that descriptor becomes a pipe to a small
child process that drops what is known to be chatter and passes on the rest: were this process to crash, its last
words would still arrive. Python's own stderr goes past the pipe.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator

_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} "  # Google's log prefix: information and warnings
    rb"|\d{4}-\d\d-\d\d \S+: [IW] "  # TensorFlow's own
    rb"|To enable the following instructions:"
    rb"|E\d{4} .*(failed call to cuInit|Unable to register cu\w+ factory|computation placer already registered)"
)


@contextlib.contextmanager
def tensorflow(verbose: bool) -> Iterator[None]:
    """Inside the block TensorFlow starts and works quietly; with `verbose` nothing is held back."""
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
        _pass_on(reader, real)
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
        with contextlib.suppress(OSError):  # full or gone: what it still holds is given up
            filtered.close()
        os.dup2(real, 2)  # closes the pipe, so that the child ends
        os.close(real)
        os.waitpid(child, 0)


def _pass_on(reader: int, real: int) -> None:
    """The child: lines from `reader` to `real`, without chatter, until the other end closes."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    os.dup2(real, 2)
    with os.fdopen(reader, "rb") as lines, contextlib.suppress(OSError):
        for line in lines:
            if not _CHATTER.match(line):
                os.write(real, line)
    os._exit(0)
