"""What every backend gives, and what they share; importing this module imports neither Keras nor a backend."""

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
"""How a recurrent layer is computed otherwise than Keras would."""


class Epoch(Protocol):
    """Holds the number of the epoch that a pipeline gives next, counted from 0."""

    def assign(self, value: int) -> Any: ...


class Batches(Protocol):
    """What `fit` and `evaluate` of Keras take: (x, y) a batch."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]: ...


class InputPipeline(Protocol):
    """The batches of one split: `x` of any dtype, multiplied by `scale` into float32, and encoded labels `y`."""

    samples: int
    kind: str  # `memory` or `stream`

    def in_order(self, batch_size: int = INFERENCE_BATCH) -> Batches:
        """Every sample once, in the order of the split."""

    def shuffled(self, batch_size: int, seed: int, epoch: Epoch, steps: int | None = None) -> Batches:
        """Every sample once, or the first `steps` batches, in the order that belongs to `seed` and `epoch`.

        The order is a pure function of the two: it needs no state in a checkpoint.
        """


class Backend(Protocol):
    ERRORS: tuple[type[Exception], ...]  # what it raises for arguments and shapes that do not go together
    JIT_COMPILE: bool  # for `Model.compile`
    AUTO_STEPS_PER_EXECUTION: int

    def prepare(self, seed: int, deterministic: bool, threads: int) -> None:
        """Lets GPU memory grow as needed, seeds every generator and, where asked for, makes operations deterministic.

        An operation gets so many `threads`, 0 for as many as there are cores. Threads and determinism hold for the rest
        of the process; threads cannot be changed after its first operation, and then stay.
        """

    def threads(self) -> int:
        """Those that an operation has; 0 where nobody has said."""

    def gpus(self) -> Sequence[str]:
        """The GPUs by name, `NVIDIA H100`; a model runs on the first."""

    def gpu_peak_bytes(self) -> int:
        """The most of the GPU's memory that was in use so far."""

    def out_of_memory(self, error: BaseException) -> bool: ...

    def epoch(self) -> Epoch: ...

    def input_pipeline(self, x: np.ndarray, y: np.ndarray, scale: float, kind: str) -> InputPipeline:
        """`kind`: `memory`, `stream` or `auto`."""

    def speed_up(self, layer: keras.layers.Layer, how: Recurrence) -> bool:
        """Make a recurrent layer that is not built compute as `how` says; whether this backend gains by it."""

    def fuse(self, model: keras.Sequential) -> bool:
        """Makes the optimizer of a compiled model update a variable in one operation; whether it can."""

    def as_written(self, model: keras.Sequential, changed: Mapping[str, Recurrence]) -> AbstractContextManager[None]:
        """Inside the block the optimizer and the layers that were sped up are Keras's own again."""

    def evaluate(self, model: keras.Sequential, batches: Batches) -> tuple[dict[str, float], np.ndarray]:
        """Loss and metrics of a compiled model, as `evaluate` of Keras gives them, and its outputs as float32."""

    def first_step(self, model: keras.Sequential, x: Any, y: Any) -> tuple[float, list[np.ndarray | None]]:
        """The loss of a batch, penalties of regularizers included, and the gradient of each trainable variable.

        Of a loss that is scaled for float16, the gradients are scaled alike.
        """


def streams(x: np.ndarray, kind: str) -> bool:
    """Whether samples are read when they are needed rather than copied: those in a mapped file, and very many."""
    import numpy as np

    return kind == "stream" or (kind == "auto" and (isinstance(x, np.memmap) or x.nbytes > LARGEST_COPY))


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Inside the block those that are not imported yet cannot be; None is Python's own word for that."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
