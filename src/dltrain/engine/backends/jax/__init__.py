"""JAX: devices, determinism, and an input pipeline of NumPy batches. TensorFlow is never imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import keras
import numpy as np

from dltrain.engine.backends.backend import (
    INFERENCE_BATCH,
    Augment,
    Batches,
    Epoch,
    InputDtype,
    Recurrence,
    Rows,
    Values,
    make_xla_deterministic,
    streams,
    target_dtype,
    without,
    xla_flags_given_back,
)

# Before JAX looks for devices: it takes three quarters of a GPU's memory at once unless it is told not to.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax

from dltrain.engine.backends.jax.batches import Column, EpochNumber, NumPyBatches, Order, Positions
from dltrain.engine.backends.jax.executions import Executions, is_slower

ERRORS: tuple[type[Exception], ...] = (jax.errors.JaxRuntimeError, jax.errors.JAXTypeError, jax.errors.JAXIndexError)
JIT_COMPILE = True
AUTO_STEPS_PER_EXECUTION = 1  # where batches are not gathered inside: more are a loop in Python, no larger program

# Settings that change results, with their defaults; each is a context manager of `jax`.
_DEFAULTS: Mapping[str, Any] = {
    "default_matmul_precision": None,
    "default_prng_impl": "threefry2x32",
    "default_device": None,
    "disable_jit": False,
    "debug_nans": False,
    "debug_infs": False,
    "legacy_prng_key": "allow",
    "no_tracing": False,
    "numpy_dtype_promotion": "standard",
    "numpy_rank_promotion": "allow",
    "threefry_partitionable": True,
    "transfer_guard": "allow",
}


@contextmanager
def pinned() -> Iterator[None]:
    """Give JAX its defaults inside the block, and the caller's settings and flags back after it."""
    with ExitStack() as stack:
        for name, value in _DEFAULTS.items():
            stack.enter_context(getattr(jax, name)(value))
        stack.enter_context(jax.enable_x64(False) if hasattr(jax, "enable_x64") else _old_enable_x64(False))
        stack.enter_context(xla_flags_given_back())
        if jax.config.read("jax_disable_most_optimizations"):
            stack.callback(jax.config.update, "jax_disable_most_optimizations", True)
            jax.config.update("jax_disable_most_optimizations", False)
        yield


def _old_enable_x64(enabled: bool) -> AbstractContextManager[None]:
    from jax.experimental import enable_x64  # before JAX 0.8

    return enable_x64(enabled)


def start(threads: int) -> None:
    """XLA has its own threads, one per core."""


def seed(seed: int, deterministic: bool) -> None:
    if deterministic:
        make_xla_deterministic()
    jax.devices()  # reads the flags
    # Keras imports TensorFlow if installed, here and when it saves a model. It searches only once: a failure is final.
    with without("tensorflow"):
        keras.utils.set_random_seed(seed)


def threads() -> int:
    return 0


def libraries() -> Mapping[str, str]:
    return {} if jax.default_backend() == "cpu" else {"platform": jax.devices()[0].client.platform_version[:200]}


def gpus() -> Sequence[str]:
    return [] if jax.default_backend() == "cpu" else [device.device_kind for device in jax.devices()]


def gpu_peak_bytes() -> int:
    return int((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0))


def out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


epoch = EpochNumber


def speed_up(layer: keras.layers.Layer, how: Recurrence) -> bool:
    return False  # XLA makes one program of a loop


def speed_up_gradients(model: keras.Sequential) -> None:
    """XLA compiles those of Keras."""


def shard(model: keras.Sequential, shards: int, whole: Sequence[str]) -> bool:
    return False  # XLA divides an operation among the cores


def fuse(model: keras.Sequential) -> bool:
    return False  # XLA fuses what it can


def as_written(model: keras.Sequential, changed: Mapping[str, Recurrence]) -> AbstractContextManager[None]:
    return nullcontext()


def evaluate(model: keras.Sequential, batches: Batches) -> tuple[dict[str, float], np.ndarray]:
    outputs = np.concatenate([np.asarray(model.predict_on_batch(x), np.float32) for x, _ in batches])
    return measure(model, batches), outputs


def measure(model: keras.Sequential, batches: Batches) -> dict[str, float]:
    measured = model.evaluate(batches, verbose=0, return_dict=True)
    return {name: float(value) for name, value in measured.items()}


def first_step(model: keras.Sequential, x: Any, y: Any) -> tuple[float, list[np.ndarray | None]]:
    state = [
        [variable.value for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    ]
    scale = [variable.value for variable in model.optimizer.variables]
    step = jax.value_and_grad(model.compute_loss_and_updates, has_aux=True)
    (_, (loss, *_)), gradients = step(*state, x, y, None, training=True, optimizer_variables=scale)
    return float(loss), [np.asarray(each, np.float32) for each in gradients]


class InputPipeline:
    """Batches of NumPy arrays, in memory or read from a file."""

    def __init__(
        self,
        x: Values,
        y: Values | None,
        scale: float,
        kind: str = "auto",
        dtype: InputDtype = "float32",
        target_scale: float = 1.0,
        weights: np.ndarray | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.samples, self._augment = len(x), augment
        self.kind = "stream" if streams(x, kind) else "memory"
        self._x = Column(x, dtype, scale, self.kind)
        self._y = Column(y, target_dtype(y), target_scale) if y is not None else None
        self._weights = Column(weights, "float32") if weights is not None else None
        self._split = self._x, self._y, self._weights, self.samples

    def in_order(self, batch_size: int = INFERENCE_BATCH) -> NumPyBatches:
        return NumPyBatches(*self._split, batch_size, -(-self.samples // batch_size))

    def shuffled(
        self, batch_size: int, seed: int, epoch: Epoch, steps: int | None = None, shuffle: bool = True
    ) -> NumPyBatches:
        count = -(-self.samples // batch_size) if steps is None else steps
        return NumPyBatches(*self._split, batch_size, count, self._order(seed, epoch, shuffle), self._augment)

    def _order(self, seed: int, epoch: Epoch, shuffle: bool) -> Order:
        if not isinstance(epoch, EpochNumber):
            raise TypeError(f"the epoch of another backend: {epoch!r}")
        return Order(self.samples, seed, epoch, shuffle)

    def gathered_inside(self, model: keras.Sequential, batch_size: int, jit_compile: bool = False) -> Rows | None:
        if self._augment is not None or is_slower(model):  # augmentation is as much work as training, beside it
            return None
        model.train_function = Executions(model, *self._split, batch_size, self.kind == "memory")
        return partial(self._rows, batch_size)

    def _rows(
        self,
        batch_size: int,
        per_execution: int,
        seed: int,
        epoch: Epoch,
        steps: int | None = None,
        shuffle: bool = True,
    ) -> Positions:
        count = -(-self.samples // batch_size) if steps is None else steps
        return Positions(self._order(seed, epoch, shuffle), self.samples, batch_size, count, per_execution)


input_pipeline = InputPipeline
