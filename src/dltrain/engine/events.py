"""What the engine tells while it works; the caller decides what to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dltrain.errors import Problem


@dataclass(frozen=True, slots=True)
class Phase:
    """Something that takes a moment has begun: `starting TensorFlow`."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """What the check of the config found that probably should not be so."""

    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class SkippedCheckpoint:
    """A checkpoint that cannot be believed: an older one is taken."""

    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Resuming:
    """A run goes on after `epoch` of `epochs`; 0 where there is no checkpoint to go on from."""

    path: Path
    epoch: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """SIGINT or SIGTERM has come: what is being done ends first. Told from a thread of its own."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The run exists and training is about to begin."""

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


@dataclass(frozen=True, slots=True)
class StepDone:
    """At most a few a second: `step` of `steps` optimizer steps of this epoch are done."""

    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """`seconds` and `samples_per_second` are those of training alone, without validation and checkpoint."""

    epoch: int
    epochs: int
    metrics: Mapping[str, float]
    seconds: float
    samples_per_second: float
    best: bool


@dataclass(frozen=True, slots=True)
class Profiled:
    """Where the time went: (what, seconds, share of all)."""

    rows: Sequence[tuple[str, float, float | None]]


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has ended: `metrics` are those of the best epoch and, with `test_` before them, of the test split."""

    run: str
    path: Path
    status: str
    best_epoch: int | None
    metrics: Mapping[str, float]
    seconds: float


Event = Phase | Warned | SkippedCheckpoint | Resuming | Prepared | StepDone | Stopping | EpochDone | Profiled | Finished
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """For callers that do not want to be told."""
