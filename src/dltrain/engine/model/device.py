"""What the model runs on, and with numbers of how many bits."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from pathlib import Path

import keras

from dltrain.engine import backends


def describe() -> str:
    """What the model will run on: `GPU: NVIDIA H100 (2)` or `CPU: <model> (8 cores)`."""
    gpu = backends.current().gpu()
    if gpu is not None:
        return f"GPU: {gpu}"
    return f"CPU: {_processor()} ({backends.cores()} cores)"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Keras's dtype policy inside the block; the caller's own is back afterwards."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
