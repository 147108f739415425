"""Backend-specific code: one module per backend, the only one that imports its library.

Importing this package imports neither Keras nor a backend.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import resource
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from dltrain.engine.backends.backend import Backend, without
from dltrain.engine.backends.backend import cores as cores
from dltrain.errors import DltrainError, UsageError

NAMES = ("tensorflow", "jax")
TITLES = {"tensorflow": "TensorFlow", "jax": "JAX"}
_NEEDED = {"tensorflow": set[str](), "jax": {"jax", "scipy"}}

_LEAST_ADDRESS_SPACE = 3_000_000_000  # bytes; with 2.5 GB, TensorFlow aborts


def choose(name: str, owns_process: bool = False, onednn: bool | None = None) -> Backend:
    """Select the backend of Keras for the rest of the process.

    Args:
        name: one of `NAMES`.
        owns_process: whether no other code needs the libraries that Keras imports for its wrappers.
        onednn: whether TensorFlow computes with oneDNN, where neither the environment nor a process that has imported
            it already says so; None for its own choice.

    Raises:
        UsageError: the backend is not installed, or Keras already uses another one.
        DltrainError: it cannot be loaded, or the process may use too little memory for it.
    """
    if importlib.util.find_spec(name) is None:
        raise UsageError(f"the backend `{name}` is not installed", f"pip install 'dltrain[{name}]'")
    _refuse_fork(name)
    _check_address_space(name)
    # Keras and TensorFlow import these if installed, for wrappers, pictures and a converter: a second, unused.
    unused = {"sklearn", "matplotlib", "jax", "scipy"} - _NEEDED[name] if owns_process else ()
    try:
        with _variable("KERAS_BACKEND", name), _onednn(onednn), without(*unused), _no_garbage_collection():
            import keras
    except (ImportError, OSError) as error:
        hint = f"install it anew: pip install --force-reinstall --no-deps keras {name}"
        raise DltrainError(f"cannot load {TITLES[name]}: {str(error)[:500]}", hint) from error
    if keras.backend.backend() != name:
        before = keras.backend.backend()
        raise UsageError(
            f"Keras computes with {TITLES.get(before, before)} in this process already, not with {TITLES[name]}",
            "one process has one backend: begin a new one",
        )
    return current()


_process: list[int] = []  # that which started the backend


def _refuse_fork(name: str) -> None:
    """Raise UsageError in a process that was forked after the backend had started: its threads are missing there."""
    if _process and _process[0] != os.getpid():
        hint = "start processes with `spawn`, as in `multiprocessing.get_context('spawn')`"
        raise UsageError(f"{TITLES[name]} was started before this process was forked, and would hang in it", hint)
    if not _process:
        _process.append(os.getpid())


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment inside the block, in which a library is imported that reads it."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def _onednn(wanted: bool | None) -> AbstractContextManager[None]:
    """Let TensorFlow use oneDNN or not, if it is imported inside the block and the user does not say."""
    name = "TF_ENABLE_ONEDNN_OPTS"
    return nullcontext() if wanted is None or os.environ.get(name) else _variable(name, str(int(wanted)))


def _check_address_space(name: str) -> None:
    """Raise DltrainError where `ulimit -v` leaves too little: TensorFlow would end the process without a word."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_ADDRESS_SPACE:
        message = f"this process may use {limit / 1e9:.1f} GB of address space; {TITLES[name]} needs at least 3 GB"
        raise DltrainError(message, "raise the limit: `ulimit -v unlimited`")


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
