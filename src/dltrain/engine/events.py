"""Progress events of the engine; the caller decides how to show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dltrain.errors import Interrupted, Problem


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that takes a moment has begun, such as `starting TensorFlow`."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Warnings of the config check."""

    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class SkippedCheckpoint:
    """A damaged checkpoint is skipped in favour of an older one."""

    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Resuming:
    """A run resumes after `epoch` of `epochs`; 0 without a checkpoint."""

    path: Path
    epoch: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth knowing of the data, though nothing is wrong."""

    text: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Weights to begin with were read: `matched` of the model's `weights`; `fresh` tells of each other one.

    `epoch` is that of the run whose file `source` is; None for another file.
    """

    source: str
    epoch: int | None
    matched: int
    weights: int
    fresh: Sequence[str]


@dataclass(frozen=True, slots=True)
class Stopping:
    """SIGINT, SIGTERM or SIGHUP has arrived: the current step ends first. Sent from a separate thread."""


@dataclass(frozen=True, slots=True)
class Left:
    """The process ends at once, without waiting for the current step. Sent from a separate thread."""

    error: Interrupted


@dataclass(frozen=True, slots=True)
class Prepared:
    """The run exists and training is about to begin.

    `trained` is how many of the `parameters` are trained where layers are frozen. `metric_parts` names the metrics of
    one class or threshold, whose mean is a metric too; without `val_` or `test_`. `jit_compile` is whether XLA compiles
    the training steps of TensorFlow, which makes the first epoch longer.
    """

    run: str
    path: Path
    device: str
    backend: str
    parameters: int
    train_samples: int
    validation_samples: int
    epochs: int
    steps: int
    smoke: bool
    precision: str = "float32"
    metric_parts: tuple[str, ...] = ()
    trained: int | None = None
    jit_compile: bool = False


@dataclass(frozen=True, slots=True)
class StepDone:
    """`step` of `steps` optimizer steps of this epoch are done. Sent a few times per second at most."""

    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch is done. `seconds` and `samples_per_second` exclude validation and checkpoint."""

    epoch: int
    epochs: int
    metrics: Mapping[str, float]
    seconds: float
    samples_per_second: float
    best: bool


@dataclass(frozen=True, slots=True)
class StoppedEarly:
    """EarlyStopping has ended the run in `epoch` of `epochs`; the other fields are those of `runs.EarlyStop`."""

    epoch: int
    epochs: int
    monitor: str
    best_epoch: int
    best: float | None
    min_delta: float | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Profiled:
    """The time profile: rows of (activity, seconds, share of the total)."""

    rows: Sequence[tuple[str, float, float | None]]


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has ended. `metrics` are those of the best epoch and, with the prefix `test_`, of the test split.

    `monitor` is the metric by which the best epoch was chosen.
    """

    run: str
    path: Path
    status: str
    best_epoch: int | None
    monitor: str
    metrics: Mapping[str, float]
    seconds: float


Event = (
    Phase
    | Warned
    | SkippedCheckpoint
    | Noted
    | Loaded
    | Resuming
    | Prepared
    | StepDone
    | Stopping
    | Left
    | EpochDone
    | StoppedEarly
    | Profiled
    | Finished
)
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Ignore an event; the default listener."""
