"""An execution of several training steps as one program, which gathers its batches on the device.

Every input pipeline runs the same program, whatever it holds on the device: all samples, or those of a few steps. The
number of steps is an argument of the program. So neither of them changes a bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import keras
import numpy as np

from dltrain.engine.backends.backend import LARGEST_COPY
from dltrain.engine.backends.jax.batches import LEAST_STEPS, Column, padded

_READ = 2**22  # bytes of samples that are read together, while the device computes with those before

_CONVOLUTIONS = ("Conv", "Spectrogram")  # in names of layers

State = tuple[list[jax.Array], ...]
Logs = Mapping[str, jax.Array]
Held = Sequence[jax.Array | np.ndarray]


def is_slower(model: keras.Sequential) -> bool:
    """Return whether executions of a model are slower than its steps one at a time: on a CPU, those with convolutions.

    XLA computes their gradients several times as slowly inside a loop there: github.com/jax-ml/jax/issues/12868.
    """
    names = [type(layer).__name__ for layer in model._flatten_layers()]  # of layers inside wrappers too
    return jax.default_backend() == "cpu" and any(part in name for name in names for part in _CONVOLUTIONS)


class Executions:
    """The `train_function` of a model for elements (positions of samples, how many of them)."""

    def __init__(
        self,
        model: keras.Sequential,
        x: Column,
        y: Column | None,
        weights: Column | None,
        samples: int,
        size: int,
        in_memory: bool,
    ) -> None:
        self._columns = columns = [column for column in (x, y, weights) if column is not None]
        self._size = size
        sample = sum(column.bytes for column in columns)
        whole = in_memory and samples * sample <= LARGEST_COPY
        self._held = tuple(jax.device_put(column.read(slice(None))) for column in columns) if whole else None
        self._read = size * max(LEAST_STEPS, _READ // (size * sample))
        program = partial(_steps, model, columns, y is None)
        self._program = jax.jit(program, static_argnames="size", donate_argnames="state")

    def __call__(self, state: State, iterator: Iterator[Any]) -> tuple[Logs, State]:
        rows, samples = next(iterator)
        logs: Logs = {}
        for held, positions, count, size in self._parts(np.asarray(rows), int(samples)):
            jax.block_until_ready(logs)
            logs, state = self._program(state, held, positions, count, size=size)
        jax.block_until_ready(logs)  # Ctrl-C and the clock wait for this execution alone
        return logs, state

    def _parts(self, rows: np.ndarray, samples: int) -> Iterator[tuple[Held, np.ndarray, int, int]]:
        """Yield what the program takes: samples, positions in them, the number of steps, samples per step."""
        size = self._size
        whole = samples - samples % size
        together = len(rows) if self._held is not None else min(self._read, len(rows))
        for first in range(0, whole, together):
            count = min(together, whole - first) // size
            yield *self._on_device(padded(rows[first : first + together], together)), count, size
        if whole < samples:
            last = samples - whole
            yield *self._on_device(padded(rows[whole:samples], LEAST_STEPS * last)), 1, last

    def _on_device(self, rows: np.ndarray) -> tuple[Held, np.ndarray]:
        if self._held is not None:
            return self._held, rows
        return tuple(column.read(rows) for column in self._columns), np.arange(len(rows), dtype=np.int32)


def _steps(
    model: keras.Sequential,
    columns: Sequence[Column],
    input_is_target: bool,
    state: State,
    held: Held,
    rows: jax.Array,
    count: jax.Array,
    size: int,
) -> tuple[Logs, State]:
    """Train `count` steps, each of `size` samples."""

    def step(index: jax.Array, state: State) -> State:
        some = jax.lax.dynamic_slice_in_dim(rows, index * size, size)
        x, *others = (column.take(part, some) for column, part in zip(columns, held, strict=True))
        batch = (x, x, *others) if input_is_target else (x, *others)
        _, after = model.train_step(state, batch)
        return tuple(map(list, after))

    state = jax.lax.fori_loop(0, count, step, state)
    with keras.StatelessScope(state_mapping=list(zip(model.metrics_variables, state[-1], strict=True))):
        return model.get_metrics_result(), state
