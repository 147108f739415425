"""Backend-specific code: one module per backend, the only one that imports its library.

Importing this package imports neither Keras nor a backend.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dltrain.engine.backends.backend import Backend, without
from dltrain.errors import UsageError

NAMES = ("tensorflow", "jax")
TITLES = {"tensorflow": "TensorFlow", "jax": "JAX"}


def cores() -> int:
    """Return the number of CPU cores available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose(name: str, owns_process: bool = False) -> Backend:
    """Select the backend of Keras for the rest of the process.

    Args:
        name: one of `NAMES`.
        owns_process: whether no other code needs the libraries that Keras imports for its wrappers.

    Raises:
        UsageError: the backend is not installed, or Keras already uses another one.
    """
    if importlib.util.find_spec(name) is None:
        raise UsageError(f"the backend `{name}` is not installed", f"pip install 'dltrain[{name}]'")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
    # Keras and TensorFlow import these if installed, for wrappers and a converter: half a second, unused.
    with without(*({"sklearn", "jax"} - {name} if owns_process else ())), _no_garbage_collection():
        import keras

    if keras.backend.backend() != name:
        before = keras.backend.backend()
        raise UsageError(
            f"Keras computes with {TITLES.get(before, before)} in this process already, not with {TITLES[name]}",
            "one process has one backend: begin a new one",
        )
    return current()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Disable garbage collection during an import: it takes a tenth of the time and finds no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def current() -> Backend:
    """Return the backend that Keras uses; imports Keras and the backend."""
    import keras

    if keras.backend.backend() == "jax":
        from dltrain.engine.backends import jax

        return jax
    from dltrain.engine.backends import tensorflow

    return tensorflow
