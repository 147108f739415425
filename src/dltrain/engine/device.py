"""TensorFlow's devices, determinism and random state: set up before the first operation."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf


def prepare(seed: int, deterministic: bool) -> None:
    """Lets GPU memory grow as needed, seeds every generator and, where asked for, makes operations deterministic.

    Determinism holds for the rest of the process: TensorFlow cannot take it back.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):  # the GPU is in use already: its memory is set up
            tf.config.experimental.set_memory_growth(gpu, True)
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def describe() -> str:
    """What the model will run on: `GPU: NVIDIA H100 (2)` or `CPU: <model> (8 cores)`."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        count = f" ({len(gpus)} of them, one used)" if len(gpus) > 1 else ""
        return f"GPU: {details.get('device_name', gpus[0].name)}{count}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"CPU: {_processor()} ({cores} cores)"


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
