"""Samples and their order: batches of NumPy arrays, or positions from which a program gathers its batches."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import jax
import keras
import numpy as np

from dltrain.engine.backends.backend import Augment, Values, in_file

# Programs of the same steps may differ in the sizes of their arguments alone. Given the positions of a single step, XLA
# fuses the gathering in another way, with other last digits. So it may in a loop that accesses less than 2**10 bytes on
# a CPU; source: small_while_loop_hoisting_pass.cc of XLA.
LEAST_STEPS = 2
_LEAST_BYTES = 2**11
_LARGEST = 4  # bytes of a number on the device: JAX has none of 64 bits


class EpochNumber:
    def __init__(self) -> None:
        self.value = 0

    def assign(self, value: int) -> None:
        self.value = value


class Order:
    """The positions of the samples in an epoch: a pure function of seed and epoch."""

    def __init__(self, samples: int, seed: int, epoch: EpochNumber, shuffle: bool) -> None:
        self._samples, self._seed, self._epoch, self._shuffle = samples, seed, epoch, shuffle
        self._kept: tuple[int, np.ndarray] | None = None

    @property
    def key(self) -> list[int]:
        return [self._seed, self._epoch.value]

    def __getitem__(self, places: slice) -> slice | np.ndarray:
        if not self._shuffle:
            return places
        if self._kept is None or self._kept[0] != self._epoch.value:
            generator = np.random.Generator(np.random.PCG64(self.key))
            self._kept = (self._epoch.value, generator.permutation(self._samples))
        return self._kept[1][places]


class Column:
    """Samples, targets or weights, which are cast and scaled for each batch."""

    def __init__(self, values: Values, dtype: str, scale: float = 1.0, kind: str = "stream") -> None:
        self._values = np.array(values[:]) if kind == "memory" and in_file(values) else values
        self._dtype, self._scale = np.dtype(dtype), scale
        # As in the data set if that is smaller: uint8 images take a quarter of the memory.
        self._kept = values.dtype.newbyteorder("=") if values.dtype.itemsize < _LARGEST else self._dtype

    @property
    def bytes(self) -> int:
        """The bytes of a sample on the device."""
        return prod(self._values.shape[1:]) * min(self._kept.itemsize, _LARGEST)

    def gather(self, rows: Any) -> np.ndarray:
        """Return a batch."""
        found = np.asarray(self._values[rows]).astype(self._dtype)
        return found if self._scale == 1 else found * self._dtype.type(self._scale)

    def read(self, rows: Any) -> np.ndarray:
        """Return what a program takes batches from: neither cast nor scaled, and `_LEAST_BYTES` at least."""
        found = np.asarray(self._values[rows]).astype(self._kept, copy=False)
        missing = -(-_LEAST_BYTES // max(1, self.bytes)) - len(found)
        return found if missing <= 0 else np.concatenate([found, np.zeros((missing, *found.shape[1:]), found.dtype)])

    def take(self, held: jax.Array, rows: jax.Array) -> jax.Array:
        """Return a batch, inside a program."""
        found = held.at[rows].get(mode="promise_in_bounds").astype(jax.dtypes.canonicalize_dtype(self._dtype))
        return found if self._scale == 1 else found * self._dtype.type(self._scale)


class NumPyBatches(keras.utils.PyDataset):
    """Batches that are gathered on demand; with `order` None, in the order of the split."""

    def __init__(
        self,
        x: Column,
        y: Column | None,
        weights: Column | None,
        samples: int,
        size: int,
        steps: int,
        order: Order | None = None,
        augment: Augment | None = None,
    ) -> None:
        super().__init__(workers=1)
        self._x, self._y, self._weights, self._samples = x, y, weights, samples
        self._size, self._steps, self._order = size, steps, order
        self._states = augment.states if augment is not None else 0
        self._augment = jax.jit(augment) if augment is not None else None

    @property
    def num_batches(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        places = slice(step * self._size, min((step + 1) * self._size, self._samples))
        rows = places if self._order is None else self._order[places]
        x = self._x.gather(rows)
        y = x if self._y is None else self._y.gather(rows)
        if self._augment is not None and self._order is not None:
            seeds = np.random.SeedSequence([*self._order.key, step])
            x = self._augment(x, seeds.generate_state(2 * self._states).reshape(-1, 2) >> 1)
        return (x, y) if self._weights is None else (x, y, self._weights.gather(rows))

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        return (self[step] for step in range(self._steps))


class Positions(keras.utils.PyDataset):
    """The positions of the samples of each execution of an epoch, and how many these are."""

    def __init__(self, order: Order, samples: int, size: int, steps: int, per_execution: int) -> None:
        super().__init__(workers=1)
        self._order, self._last, self._steps = order, min(samples, steps * size), steps
        self._together, self._length = per_execution * size, max(LEAST_STEPS, per_execution) * size

    @property
    def num_batches(self) -> int:
        # Keras counts steps and takes an element for each execution: it leaves those behind the last one.
        return self._steps

    def __getitem__(self, execution: int) -> tuple[np.ndarray, np.ndarray]:
        places = slice(execution * self._together, min((execution + 1) * self._together, self._last))
        found = self._order[places]
        rows = np.arange(found.start, max(found.start, found.stop)) if isinstance(found, slice) else found
        return padded(rows.astype(np.int32), self._length), np.array(len(rows))


def padded(rows: np.ndarray, length: int) -> np.ndarray:
    """Return positions of always the same number: another one would be another program."""
    return np.pad(rows, (0, length - len(rows)))
