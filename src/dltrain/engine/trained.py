"""From a run back to what it trained: the one door through which a run becomes a model again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dltrain import runs
from dltrain.config import Plan, load
from dltrain.config.catalogue import datasets
from dltrain.engine.events import Listener, ignore
from dltrain.engine.session import Session, start_session
from dltrain.errors import RunError, UsageError

if TYPE_CHECKING:
    from dltrain.config.catalogue.labels import LabelEncoding
    from dltrain.data.facts import Facts, Task
    from dltrain.engine.model.build import BuiltModel

CheckpointChoice = Literal["best", "last"] | int
_MOST_THREADS = 1_024


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run as it was found: its record and the plan that its resolved config gives."""

    run: runs.Run
    record: runs.RunRecord
    plan: Plan

    @property
    def facts(self) -> Facts:
        """What the resolved config tells of the data set. RunError where it has to be read first."""
        dataset = self.plan.spec.data.dataset
        found = datasets.facts(dataset.name, dataset.arguments)
        if found is None:
            raise RunError(f"the shape of the data set `{dataset.name}` of the run {self.run.id} is not known")
        return found

    @property
    def threads(self) -> int:
        """Threads that one operation of the run had; 0 for as many as there are cores."""
        threads = self.record.runtime.threads
        return threads if 0 < threads <= _MOST_THREADS else 0


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What a model takes: samples of `shape`, of `dtype`; all values in [0, 1] where `unit_range`."""

    shape: tuple[int, ...]
    dtype: str
    unit_range: bool


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """What a model's output means.

    Args:
        shape: of one sample's output.
        task: whether it tells classes apart or predicts numbers.
        encoding: of the labels that it was trained on: `index`, `one_hot`, `binary` or `target`.
        from_logits: whether probabilities are still to be made of it, by softmax or sigmoid.
        class_names: in the order of the integer labels; empty for a regression.
        units: of each target of a regression; empty strings where they are not known.
    """

    shape: tuple[int, ...]
    task: Task
    encoding: LabelEncoding
    from_logits: bool
    class_names: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """A run's model with the weights of one of its epochs.

    Args:
        opened: the run, its record and its plan.
        session: what the model computes with.
        built: the compiled model.
        epoch: whose weights it has, counted from 1.
        input: what it takes.
        output: what its output means.
    """

    opened: OpenedRun
    session: Session
    built: BuiltModel
    epoch: int
    input: ModelInput
    output: ModelOutput


def open_run(run: runs.Run | Path | str, *, runs_dir: Path | str = "runs") -> OpenedRun:
    """Find a run and read what it is, without Keras.

    Args:
        run: the run, its directory or what names it.
        runs_dir: where runs are looked up.

    Raises:
        UsageError: no such run.
        RunError: run.json or resolved.yaml is damaged, or the latter was changed since the run was made.
        ConfigError: resolved.yaml is no config.
    """
    found = run if isinstance(run, runs.Run) else runs.find(str(run), Path(runs_dir))
    record = found.record()
    plan = load(found.plain_file("resolved.yaml"), alone=True)
    if is_config_changed(found, record):
        raise RunError(f"resolved.yaml of the run {found.id} has been changed by hand", "train that config anew")
    return OpenedRun(found, record, plan)


def restored(
    run: runs.Run | OpenedRun | Path | str,
    checkpoint: CheckpointChoice = "best",
    *,
    runs_dir: Path | str = "runs",
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Trained:
    """Rebuild a run's model from its resolved config alone, with the weights of one of its checkpoints.

    Args:
        run: the run, as `open_run` gives or takes it.
        checkpoint: `best`, `last` or an epoch, counted from 1.
        runs_dir: where runs are looked up.
        owns_process: whether the process does this and ends, as a command does.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, or no checkpoint of that epoch.
        RunError: the run has no checkpoint, is damaged, or was changed since it was made.
        ConfigError: resolved.yaml is no config, or Keras refuses its model.
    """
    opened = run if isinstance(run, OpenedRun) else open_run(run, runs_dir=runs_dir)
    _ensure_checkpoint(opened.run, checkpoint)
    session = start_session(opened.plan.spec, opened.threads, owns_process=owns_process, on_event=on_event)
    from dltrain.engine import checkpoint as checkpoints
    from dltrain.engine.model.build import build_model

    facts = opened.facts
    built = build_model(opened.plan, facts, session)
    epoch = checkpoints.restore_weights(opened.run, checkpoint, built.model)
    return Trained(
        opened,
        session,
        built,
        epoch,
        ModelInput(facts.shape, "float32", facts.unit_range),
        ModelOutput(
            tuple(built.model.output_shape[1:]),
            facts.task,
            built.encoding,
            built.from_logits,
            facts.class_names,
            facts.units,
        ),
    )


def is_config_changed(run: runs.Run, record: runs.RunRecord) -> bool:
    """Whether resolved.yaml is another one than the run was made with."""
    return digest(run.read_bytes("resolved.yaml")) not in record.resolved_sha256


def digest(resolved: bytes) -> str:
    """SHA-256 of a resolved config, by which a change to it is seen."""
    return hashlib.sha256(resolved).hexdigest()


def _ensure_checkpoint(run: runs.Run, checkpoint: CheckpointChoice) -> None:
    kept = run.checkpoints()
    if not kept:
        hint = f"it is {run.status()}: no epoch was finished, or its checkpoints were removed"
        raise RunError(f"the run {run.id} has no checkpoint", hint)
    if isinstance(checkpoint, int) and checkpoint not in kept:
        there = ", ".join(map(str, kept))
        raise UsageError(f"the run {run.id} has no checkpoint of epoch {checkpoint}", f"checkpoints there: {there}")
