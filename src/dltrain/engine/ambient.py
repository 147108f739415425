"""State of the process that changes a run: pinned for it, and given back after it.

Keras, NumPy and Python keep settings that any code, a file in the home directory or an environment variable may change.
What belongs to a backend is pinned by `backends.*.pinned`.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dltrain.errors import UsageError

_lock = threading.Lock()


@contextmanager
def alone() -> Iterator[None]:
    """Keep other threads from using the backend meanwhile: seeds, dtypes and settings belong to the whole process.

    Raises:
        UsageError: another call of `fit`, `resume` or `evaluate` runs in this process.
    """
    if not _lock.acquire(blocking=False):
        hint = "one after the other, or each in a process of its own: `dltrain fit`, or multiprocessing with `spawn`"
        raise UsageError("another training or evaluation runs in this process", hint)
    try:
        yield
    finally:
        _lock.release()


os.register_at_fork(after_in_child=lambda: _lock.release() if _lock.locked() else None)


@contextmanager
def pinned(owns_process: bool = False) -> Iterator[None]:
    """Give Keras, NumPy and Python their defaults inside the block, and the caller's settings and seeds back after it.

    Args:
        owns_process: whether the process exits afterwards; then memory is not freed.
    """
    import numpy as np

    before = random.getstate(), np.random.get_state()
    try:
        with ExitStack() as stack:
            stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
            stack.enter_context(_warnings_are_no_errors())
            if not owns_process:
                stack.enter_context(_garbage_collected())
            stack.enter_context(_keras_defaults())
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


@contextmanager
def _warnings_are_no_errors() -> Iterator[None]:
    """Let `python -W error` not end a run where Keras warns."""
    with warnings.catch_warnings():
        warnings.filters = [("default", *each[1:]) if each[0] == "error" else each for each in warnings.filters]
        yield


@contextmanager
def _garbage_collected() -> Iterator[None]:
    """Free what the block leaves behind: a model and its functions are cycles.

    Without the objects of before, which are set aside, this takes hundredths of a second, not a second.
    """
    set_aside = gc.get_freeze_count() == 0
    if set_aside:
        gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        if set_aside:
            gc.unfreeze()


@contextmanager
def _keras_defaults() -> Iterator[None]:
    """Keras as in a fresh process without keras.json: settings, seeds, names, scopes and custom objects."""
    import keras
    from keras.src.backend.common import global_state  # nothing public gives all of it back

    settings = (
        (keras.config.set_floatx, keras.config.floatx(), "float32"),
        (keras.config.set_epsilon, keras.config.epsilon(), 1e-7),
        (keras.config.set_image_data_format, keras.config.image_data_format(), "channels_last"),
        (keras.config.set_max_epochs, keras.config.max_epochs(), None),
        (keras.config.set_max_steps_per_epoch, keras.config.max_steps_per_epoch(), None),
    )
    custom = keras.saving.get_custom_objects()
    objects = dict(custom)
    # As `keras.utils.clear_session` does, but the caller's are kept; and its TensorFlow graphs are left alone.
    trackers = global_state.GLOBAL_STATE_TRACKER, global_state.GLOBAL_SETTINGS_TRACKER
    global_state.GLOBAL_STATE_TRACKER, global_state.GLOBAL_SETTINGS_TRACKER = threading.local(), threading.local()
    custom.clear()
    for assign, _, default in settings:
        assign(default)
    try:
        yield
    finally:
        global_state.GLOBAL_STATE_TRACKER, global_state.GLOBAL_SETTINGS_TRACKER = trackers
        for assign, value, _ in settings:
            assign(value)
        custom.clear()
        custom.update(objects)
