"""The backend interface and shared helpers; importing this module imports neither Keras nor a backend."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import keras
    import numpy as np

INFERENCE_BATCH = 256
LARGEST_COPY = 2**30  # bytes
MOST_GATHERED_INSIDE = 1_000  # steps of an execution
_XLA_DETERMINISTIC = "--xla_gpu_deterministic_ops=true"

InputDtype = Literal["float32", "int32"]


class Values(Protocol):
    """An array, or some rows of one that stays in a file."""

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def nbytes(self) -> int: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


class Augment(Protocol):
    """Changes samples by chance; a pure function of them and of its random states.

    `states` is how many pairs of whole numbers from 0 to 2**31 - 1 it takes.
    """

    states: int

    def __call__(self, x: Any, states: Any, /) -> Any: ...


Recurrence = Literal["fused", "unrolled"]
"""Faster implementations of a recurrent layer."""


class Epoch(Protocol):
    """The number of the next epoch of an input pipeline, counted from 0."""

    def assign(self, value: int) -> Any: ...


class Batches(Protocol):
    """Batches (x, y), or (x, y, weights), for Keras's `fit` and `evaluate`."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


class Rows(Protocol):
    """Makes the positions of samples for each execution of an epoch, or of its first steps.

    The batches are those of `InputPipeline.shuffled`.
    """

    def __call__(
        self, per_execution: int, seed: int, epoch: Epoch, steps: int | None = None, shuffle: bool = True
    ) -> Batches: ...


class InputPipeline(Protocol):
    """The batches of one split: samples `x` and encoded targets `y`."""

    samples: int
    kind: str  # `memory` or `stream`

    def in_order(self, batch_size: int = INFERENCE_BATCH) -> Batches:
        """Return every sample once, in the order of the split."""

    def shuffled(
        self, batch_size: int, seed: int, epoch: Epoch, steps: int | None = None, shuffle: bool = True
    ) -> Batches:
        """Return every sample once, or the first `steps` batches, in random order, or in that of the split.

        The order is a pure function of `seed` and `epoch`, and augmentation one of these and the step, so checkpoints
        need no state for them.
        """

    def gathered_inside(self, model: keras.Sequential, batch_size: int, jit_compile: bool = False) -> Rows | None:
        """Let the training function of a model gather its batches itself; None where that is no faster.

        With `jit_compile`, TensorFlow compiles the steps of a call by XLA, which changes bits.

        An execution of several steps is one program then, which waits for nothing. The result is what `fit` takes.
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

    def input_pipeline(
        self,
        x: Values,
        y: Values | None,
        scale: float,
        kind: str,
        dtype: InputDtype = "float32",
        target_scale: float = 1.0,
        weights: np.ndarray | None = None,
        augment: Augment | None = None,
    ) -> InputPipeline:
        """Return the input pipeline of a split.

        Args:
            x: samples of any dtype.
            y: targets: int64 labels, which stay so, or numbers of any dtype; None if the input is the target.
            scale: what samples are multiplied by, as float32.
            kind: `memory`, `stream` or `auto`.
            dtype: that of the model's input; int32 only without a scale.
            target_scale: what targets that are numbers are multiplied by, as float32.
            weights: what each sample counts in the loss, float32 of shape (samples,), as a third part of batches.
            augment: what shuffled batches of samples go through, those in order not; targets stay as they are.
        """

    def speed_up(self, layer: keras.layers.Layer, how: Recurrence) -> bool:
        """Switch an unbuilt recurrent layer to a faster implementation; return whether the backend has one."""

    def speed_up_gradients(self, model: keras.Sequential) -> None:
        """Switch layers to faster gradients that are the same bit for bit."""

    def shard(self, model: keras.Sequential, shards: int, whole: Sequence[str]) -> bool:
        """Let a model compute each batch in shards, side by side; return whether the backend can.

        Layers named in `whole` get all samples of a batch.
        """

    def fuse(self, model: keras.Sequential) -> bool:
        """Fuse the optimizer's update of a variable into one operation; return whether that is possible."""

    def as_written(self, model: keras.Sequential, changed: Mapping[str, Recurrence]) -> AbstractContextManager[None]:
        """Turn model, optimizer and the sped-up layers back into Keras's own inside the block."""

    def evaluate(self, model: keras.Sequential, batches: Batches) -> tuple[dict[str, float], np.ndarray]:
        """Return loss and metrics of a compiled model, equal to Keras's `evaluate`, and its outputs as float32."""

    def measure(self, model: keras.Sequential, batches: Batches) -> dict[str, float]:
        """Return what `evaluate` does, without the outputs, in the memory of a batch."""

    def first_step(self, model: keras.Sequential, x: Any, y: Any) -> tuple[float, list[np.ndarray | None]]:
        """Return the loss of a batch, regularization included, and the gradient of each trainable variable.

        With loss scaling for float16, the gradients are scaled too.
        """


def cores() -> int:
    """Return the number of CPU cores available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def streams(values: Values, kind: str) -> bool:
    """Return whether values are read on demand instead of copied: those of a mapped file or a very large array."""
    return kind == "stream" or (kind == "auto" and (in_file(values) or values.nbytes > LARGEST_COPY))


def in_file(values: Values) -> bool:
    """Return whether values are read from a file."""
    import numpy as np

    return isinstance(values, np.memmap) or not isinstance(values, np.ndarray)


def target_dtype(values: Values) -> str:
    """Return the dtype of targets in batches: int64 for labels, float32 for numbers."""
    return "int64" if values.dtype.name == "int64" else "float32"


@contextmanager
def xla_flags_given_back() -> Iterator[None]:
    """Give the environment its `XLA_FLAGS` back after the block."""
    before = os.environ.get("XLA_FLAGS")
    try:
        yield
    finally:
        os.environ.pop("XLA_FLAGS", None)
        if before is not None:
            os.environ["XLA_FLAGS"] = before


def make_xla_deterministic() -> None:
    """Ask XLA for the same bits each time on a GPU, by a flag that it reads when it is first used in a process."""
    flags = os.environ.get("XLA_FLAGS", "")
    if _XLA_DETERMINISTIC not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_XLA_DETERMINISTIC}".strip()


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
