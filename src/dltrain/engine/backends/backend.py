"""The backend interface and shared helpers; importing this module imports neither Keras nor a backend."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import keras
    import numpy as np

INFERENCE_BATCH = 256
LARGEST_COPY = 2**30  # bytes

Recurrence = Literal["split", "unrolled"]
"""Faster implementations of a recurrent layer."""


class Epoch(Protocol):
    """The number of the next epoch of an input pipeline, counted from 0."""

    def assign(self, value: int) -> Any: ...


class Batches(Protocol):
    """Batches (x, y) for Keras's `fit` and `evaluate`."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]: ...


class InputPipeline(Protocol):
    """The batches of one split: `x` of any dtype, multiplied by `scale` into float32, and encoded labels `y`."""

    samples: int
    kind: str  # `memory` or `stream`

    def in_order(self, batch_size: int = INFERENCE_BATCH) -> Batches:
        """Return every sample once, in the order of the split."""

    def shuffled(self, batch_size: int, seed: int, epoch: Epoch, steps: int | None = None) -> Batches:
        """Return every sample once, or the first `steps` batches, in random order.

        The order is a pure function of `seed` and `epoch`, so checkpoints need no state for it.
        """


class Backend(Protocol):
    ERRORS: tuple[type[Exception], ...]  # raised for incompatible arguments and shapes
    JIT_COMPILE: bool  # for `Model.compile`
    AUTO_STEPS_PER_EXECUTION: int

    def start(self, threads: int) -> None:
        """Let GPU memory grow as needed, and set the threads per operation.

        Both hold for the rest of the process, and threads can no longer change after its first operation. 0 are those
        of the process, by default one per core.
        """

    def pinned(self) -> AbstractContextManager[None]:
        """Give the backend its defaults inside the block, and the caller's settings, seeds and determinism back."""

    def seed(self, seed: int, deterministic: bool) -> None:
        """Seed every generator and, on request, make operations deterministic."""

    def libraries(self) -> Mapping[str, str]:
        """Return the libraries that compute, by name, with their versions or whether they are on."""

    def threads(self) -> int:
        """Return the threads per operation; 0 if unset."""

    def gpus(self) -> Sequence[str]:
        """Return the names of the GPUs, such as `NVIDIA H100`; a model runs on the first."""

    def gpu_peak_bytes(self) -> int:
        """Return the peak memory use of the GPU."""

    def out_of_memory(self, error: BaseException) -> bool: ...

    def epoch(self) -> Epoch: ...

    def input_pipeline(self, x: np.ndarray, y: np.ndarray, scale: float, kind: str) -> InputPipeline:
        """Return an input pipeline; `kind` is `memory`, `stream` or `auto`."""

    def speed_up(self, layer: keras.layers.Layer, how: Recurrence) -> bool:
        """Switch an unbuilt recurrent layer to a faster implementation; return whether the backend has one."""

    def fuse(self, model: keras.Sequential) -> bool:
        """Fuse the optimizer's update of a variable into one operation; return whether that is possible."""

    def as_written(self, model: keras.Sequential, changed: Mapping[str, Recurrence]) -> AbstractContextManager[None]:
        """Turn the optimizer and the sped-up layers back into Keras's own inside the block."""

    def evaluate(self, model: keras.Sequential, batches: Batches) -> tuple[dict[str, float], np.ndarray]:
        """Return loss and metrics of a compiled model, equal to Keras's `evaluate`, and its outputs as float32."""

    def first_step(self, model: keras.Sequential, x: Any, y: Any) -> tuple[float, list[np.ndarray | None]]:
        """Return the loss of a batch, regularization included, and the gradient of each trainable variable.

        With loss scaling for float16, the gradients are scaled too.
        """


def streams(x: np.ndarray, kind: str) -> bool:
    """Return whether samples are read on demand instead of copied: those of a mapped file or a very large array."""
    import numpy as np

    return kind == "stream" or (kind == "auto" and (isinstance(x, np.memmap) or x.nbytes > LARGEST_COPY))


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Block imports of modules that are not imported yet; None in `sys.modules` makes an import fail."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
