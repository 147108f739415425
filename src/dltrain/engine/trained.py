"""Trained models: the one way from a run to its model outside training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dltrain import runs
from dltrain.config import MAX_BYTES, MOST_SHARDS, Plan, load
from dltrain.config.catalogue.datasets import input_dtype
from dltrain.data.facts import Facts
from dltrain.data.samples import Trained as TrainedOn
from dltrain.engine.events import Listener, ignore
from dltrain.engine.inputs import class_weights
from dltrain.engine.session import Cores, Session, open_session
from dltrain.errors import RunError, UsageError

if TYPE_CHECKING:
    from dltrain.config import Spec
    from dltrain.config.catalogue.labels import LabelEncoding
    from dltrain.data.arrays import Dataset
    from dltrain.data.facts import Task
    from dltrain.engine.model.build import BuiltModel

CheckpointChoice = Literal["best", "last"] | int
_MOST_THREADS = 1_024
PREPROCESS = "preprocess.json"  # what a run has learnt from its data
_MOST_PREPROCESS = 64_000_000  # bytes
_TRAIN_ANEW = "train it anew with this version"
_DTYPES = (
    "bool",
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
)


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run that was found and read: its record, and the plan of its resolved config."""

    run: runs.Run
    record: runs.RunRecord
    plan: Plan

    @property
    def is_config_changed(self) -> bool:
        """Whether resolved.yaml has changed since the run was made."""
        return runs.config_digest(self.plan.file_bytes) not in self.record.resolved_sha256

    @property
    def facts(self) -> Facts:
        """Facts of the data set: those that the run recorded, or of the resolved config. RunError if there are none."""
        found = self.plan.checked.facts
        if found is None or not found.complete:
            name = self.plan.spec.data.dataset.name
            raise RunError(f"the run {self.run.id} does not say what its data set `{name}` holds", "train it anew")
        return found

    @property
    def cores(self) -> Cores:
        """How the run used the cores."""
        shards, threads = self.record.runtime.shards, self.record.runtime.threads
        libraries = self.record.machine.libraries if self.record.machine is not None else {}
        return Cores(
            shards if 0 < shards <= MOST_SHARDS else 1,
            threads if 0 < threads <= _MOST_THREADS else 0,
            {"on": True, "off": False}.get(libraries.get("oneDNN", "")),
        )


@dataclass(frozen=True, slots=True)
class ModelInput:
    """The input of a model: samples of `shape` and `dtype`, with values in [0, 1] if `unit_range`."""

    shape: tuple[int, ...]
    dtype: str
    unit_range: bool


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """The meaning of a model's output.

    Args:
        shape: shape of one sample's output.
        task: what is told of a sample.
        encoding: encoding of the training labels: `index`, `one_hot`, `binary` or `target`.
        from_logits: whether the outputs are logits, which softmax or sigmoid turns into probabilities.
        boundary: value of a single output above which a sample is of the class 1.
        class_names: names of classes or labels in order; empty where targets are numbers.
        units: unit of each regression target; an empty string if unknown.
    """

    shape: tuple[int, ...]
    task: Task
    encoding: LabelEncoding
    from_logits: bool
    boundary: float
    class_names: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """A run's model with the weights of one of its epochs.

    Args:
        opened: the run, its record and its plan.
        session: the backend and device of the model.
        built: the compiled model.
        epoch: epoch of the weights, counted from 1.
        input: shape, dtype and range of the input.
        output: meaning of the output.
    """

    opened: OpenedRun
    session: Session
    built: BuiltModel
    epoch: int
    input: ModelInput
    output: ModelOutput


def open_run(run: runs.Run | Path | str, *, runs_dir: Path | str = "runs") -> OpenedRun:
    """Find a run and read its record and plan, without Keras.

    Args:
        run: the run, its directory, or a reference to it.
        runs_dir: directory in which runs are looked up.

    Raises:
        UsageError: no such run.
        RunError: run.json or resolved.yaml is damaged, or resolved.yaml has changed since the run was made.
        ConfigError: resolved.yaml is not a valid config.
    """
    found = run if isinstance(run, runs.Run) else runs.find(run, runs_dir)
    record = found.record()
    opened = OpenedRun(found, record, resolved_plan(found))
    if not record.resolved_sha256:
        raise RunError(f"run.json of the run {found.id} has lost the hash of its config", "train the config anew")
    if opened.is_config_changed:
        raise RunError(f"resolved.yaml of the run {found.id} has been changed by hand", "train that config anew")
    return opened


def resolved_plan(run: runs.Run, data: bytes | None = None, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Plan:
    """Return the plan of a run's resolved.yaml, which is read once, or of its `data`, with overrides applied.

    Raises:
        RunError: it is missing or not a plain file.
        ConfigError: it is not a valid config.
    """
    written = data if data is not None else run.read_bytes("resolved.yaml", MAX_BYTES)
    return load(run.path / "resolved.yaml", overrides, data=written, facts=_recorded_facts(run))


def preprocess_of(dataset: Dataset, spec: Spec, adapted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run keeps of its data: what was learnt from it, and what new samples have to be like.

    `adapted` is what `Normalization` layers have learnt.
    """
    samples = {"dtype": dataset.train.x.dtype.name, "scale": dataset.scale}
    targets = {"label_values": dataset.label_values, "scale": dataset.target_scale}
    weights = class_weights(dataset, spec.train.class_weight)
    learnt = dict(zip(dataset.facts.labels, weights.tolist(), strict=True)) if weights is not None else None
    known = {"facts": dataset.facts.to_json(), "samples": samples, "targets": targets, "class_weight": learnt}
    learned = {"learnt": dataset.learnt, "normalization": dict(adapted)}
    return {"version": 1, **known, **learned, "notes": [*dataset.notes, *dataset.remarks]}


def learnt_of(opened: OpenedRun) -> Mapping[str, Any] | None:
    """Return what a run has learnt from its training split, as its data set takes it; None if that is nothing."""
    run, written = opened.run, _preprocess(opened)
    learnt = written.get("learnt") if isinstance(written, dict) else None
    if learnt is not None and not isinstance(learnt, dict):
        raise RunError(f"{run.path / PREPROCESS} is damaged: what was learnt is no mapping", _TRAIN_ANEW)
    return learnt


def adapted_of(opened: OpenedRun) -> Any:
    """Return what the `Normalization` layers of a run have learnt, by name; None if that is not recorded."""
    written = _preprocess(opened)
    return written.get("normalization") if isinstance(written, dict) else None


def _preprocess(opened: OpenedRun) -> Any:
    run = opened.run
    return run.read_json(PREPROCESS, _MOST_PREPROCESS) if (run.path / PREPROCESS).is_file() else {}


def trained_on(opened: OpenedRun) -> TrainedOn:
    """Return what the samples of a run were like. RunError if that is not recorded."""
    run, facts = opened.run, opened.facts
    written: Any = run.read_json(PREPROCESS, _MOST_PREPROCESS) if (run.path / PREPROCESS).is_file() else None
    try:
        samples, targets = written["samples"], written["targets"]
        dtype, scale, values, of_targets = samples["dtype"], samples["scale"], targets["label_values"], targets["scale"]
    except (TypeError, KeyError):
        raise RunError(f"the run {run.id} does not say what its samples are like", _TRAIN_ANEW) from None
    whole = values is None or (isinstance(values, list) and all(type(value) is int for value in values))
    if dtype not in _DTYPES or not whole or not all(runs.finite_number(number) for number in (scale, of_targets)):
        raise RunError(f"{run.path / PREPROCESS} is damaged: it does not say what samples are like", _TRAIN_ANEW)
    sizes = [layer.arguments["input_dim"] for layer in opened.plan.spec.model.layers if layer.name == "Embedding"]
    highest = sizes[0] - 1 if sizes and facts.whole else None
    labels = tuple(values) if values is not None else None
    return TrainedOn(facts, dtype, float(scale), labels, float(of_targets), highest, learnt_of(opened))


def _recorded_facts(run: runs.Run) -> Facts | None:
    """Return what a run has recorded of its data set, if its version does. RunError if that is damaged."""
    if not (run.path / PREPROCESS).is_file():
        return None
    try:
        written = run.read_json(PREPROCESS, _MOST_PREPROCESS)
        return Facts.from_json(written.get("facts") if isinstance(written, dict) else None)
    except ValueError as error:
        raise RunError(f"{run.path / PREPROCESS} is damaged: {error}", "train the config anew") from None


@contextmanager
def restored(
    run: runs.Run | OpenedRun | Path | str,
    checkpoint: CheckpointChoice = "best",
    *,
    runs_dir: Path | str = "runs",
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Iterator[Trained]:
    """Rebuild a run's model from its resolved config alone, with the weights of one of its checkpoints.

    The model is for use inside the block: its backend is that of the run there.

    Args:
        run: an opened run, or any argument of `open_run`.
        checkpoint: `best`, `last` or an epoch, counted from 1.
        runs_dir: directory in which runs are looked up.
        owns_process: whether the process exits afterwards, as a command does.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, or no checkpoint of that epoch.
        RunError: the run has no checkpoint, is damaged, or has changed since it was made.
        ConfigError: resolved.yaml is not a valid config, or Keras refuses its model.
    """
    opened = run if isinstance(run, OpenedRun) else open_run(run, runs_dir=runs_dir)
    _ensure_checkpoint(opened.run, checkpoint)
    spec, cores = opened.plan.spec, opened.cores
    with open_session(spec, cores, owns_process=owns_process, on_event=on_event) as session:
        yield _rebuilt(opened, session, checkpoint)


def _rebuilt(opened: OpenedRun, session: Session, checkpoint: CheckpointChoice) -> Trained:
    from dltrain.engine import checkpoint as checkpoints
    from dltrain.engine.model.adapting import from_run
    from dltrain.engine.model.build import build_model

    facts = opened.facts
    _check_size(opened)
    built = build_model(opened.plan, facts, session, from_run(adapted_of(opened), opened.run.id))
    epoch = checkpoints.restore_weights(opened.run, opened.record, checkpoint, built.model)
    return Trained(
        opened,
        session,
        built,
        epoch,
        ModelInput(facts.shape, input_dtype(facts, opened.plan.spec.model.layers), facts.unit_range),
        ModelOutput(
            tuple(built.model.output_shape[1:]),
            facts.task,
            built.encoding,
            built.from_logits,
            built.boundary,
            facts.labels,
            facts.units,
        ),
    )


def _check_size(opened: OpenedRun) -> None:
    """Raise RunError if the model would have other weights than the run had, before it is built."""
    outline, parameters = opened.plan.checked.outline, opened.record.parameters
    found = sum(row.after.parameters for row in outline.rows)
    if outline.shape is not None and parameters is not None and found != parameters:
        message = f"the model of the run {opened.run.id} had {parameters:,} weights, and would have {found:,}"
        raise RunError(message, f"{PREPROCESS}, run.json or resolved.yaml was changed: train it anew")


def _ensure_checkpoint(run: runs.Run, checkpoint: CheckpointChoice) -> None:
    kept = run.checkpoints()
    if not kept:
        hint = f"it is {run.status()}: no epoch was finished, or its checkpoints were removed"
        raise RunError(f"the run {run.id} has no checkpoint", hint)
    if checkpoint in ("best", "last"):
        return
    if type(checkpoint) is not int:
        raise UsageError(f"no checkpoint is called {checkpoint!r}", "`best`, `last` or an epoch")
    if checkpoint not in kept:
        there = ", ".join(map(str, kept))
        raise UsageError(f"the run {run.id} has no checkpoint of epoch {checkpoint}", f"checkpoints there: {there}")
