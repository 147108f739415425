"""`run.json`: the record of a run, validated once when it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

from dltrain.errors import RunError
from dltrain.runs.atomic import read_file, trouble
from dltrain.runs.json_text import from_json
from dltrain.runs.provenance import GitState
from dltrain.runs.values import (
    Reader,
    as_count,
    as_directions,
    as_flag,
    as_mapping,
    as_metrics,
    as_number,
    as_part,
    as_text,
    as_text_by_name,
    as_texts,
    plain,
    wrong,
)

Status = Literal["running", "completed", "interrupted", "failed", "diverged"]

STATUSES: tuple[str, ...] = get_args(Status)
SCHEMA_VERSION = 1
FILE_NAME = "run.json"
_LARGEST = 1_000_000  # bytes; a real one has a few thousand


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """The data set of a run: its name, the hash of its samples, and the size of each split."""

    name: str = ""
    fingerprint: str = ""
    train: int | None = None
    validation: int | None = None
    test: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRecord:
    """The backend of a run, and the choices made for its speed.

    Args:
        backend: `tensorflow` or `jax`.
        feed: `memory` or `stream`.
        jit_compile: whether XLA compiles the steps of TensorFlow.
        shards: parts of a batch that are computed side by side.
        threads: threads per operation; 0 for one per core.
        precision: the dtype policy, and in mixed precision the dtype of the output.
        steps_per_execution: optimizer steps per backend call.
        recurrent: the faster implementation of a recurrent layer, by layer name.
        optimizer: `fused` or `keras`.
        inference_batch_size: batch size in evaluation.
    """

    backend: str = ""
    feed: str = ""
    jit_compile: bool = False
    shards: int = 1
    threads: int = 0
    precision: str | None = None
    steps_per_execution: int | None = None
    recurrent: Mapping[str, str] = field(default_factory=dict)
    optimizer: str = ""
    inference_batch_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """The machine of a run, as far as it decides bits.

    Args:
        device: kind and name, such as `CPU: AMD EPYC`.
        cores: those available to the process.
        instructions: vector instructions of the processor, sorted, such as `avx avx2 fma`.
        libraries: oneDNN (`on` or `off`) or those of a GPU with their versions, by name.
        environment: the variables that choose how libraries compute, by name.
    """

    device: str = ""
    cores: int | None = None
    instructions: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """One resume of a run: its last completed epoch, skipped checkpoints, forced differences and overrides."""

    from_epoch: int = 0
    skipped: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRecord:
    """The outcome of the bounds under `expect`: a sentence for each that does not hold."""

    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStop:
    """The end of a run by EarlyStopping: after `epoch`, with the best value of `monitor` in `best_epoch`; from 1.

    Args:
        best: the last value that counted as an improvement.
        min_delta: the smallest gain that counts as an improvement; None where any does.
        baseline: the value that `monitor` did not reach; None where it did, and where there is none.
    """

    epoch: int = 0
    monitor: str = ""
    best_epoch: int = 0
    best: float | None = None
    min_delta: float | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialWeights:
    """The weights that a run began with, as far as they were not drawn.

    Args:
        source: the file that they were read from.
        epoch: of the run that the file belongs to; None for another file.
        sha256: of the file.
        matched: how many weights of the model it gave.
        weights: how many the model has.
        fresh: a phrase for each weight that it did not give.
    """

    source: str = ""
    epoch: int | None = None
    sha256: str = ""
    matched: int = 0
    weights: int = 0
    fresh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The contents of run.json.

    Args:
        id, name, status, created: present in every run; `created` and `ended` are ISO 8601 in UTC.
        command: the shell-quoted command line.
        overrides: as given with `-s`.
        smoke: whether this is a smoke run.
        versions: versions of Python and packages, by name.
        git: state of the repository around the config; None without one.
        resolved_sha256: hash of resolved.yaml; several if a kill may have come between the writes of the two files.
        machine: that which the run began on; None in runs of older versions.
        initial_weights: those that it began with; None where all were drawn.
        parameters: number of values in the model's weights.
        best_epoch: counted from 1; None before the first epoch ends.
        metrics: metrics of the best epoch, and with the prefix `test_` of the test split; NaN for null in JSON.
        directions: whether low (`min`) or high (`max`) values are better, by the name of the loss or metric.
        epochs: requested epochs.
        early_stop: None unless EarlyStopping ended the run.
        expect: None until the bounds are checked.
        seconds: duration of the last session, from the start of its training.
        error: the error that ended a failed run.
        resumed: each resume, oldest first.
        unknown: top-level fields of other versions, kept unchanged.
    """

    id: str
    name: str
    status: Status
    created: str
    ended: str | None = None
    command: str = ""
    overrides: tuple[str, ...] = ()
    smoke: bool = False
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    device: str = ""
    machine: MachineRecord | None = None
    runtime: RuntimeRecord = RuntimeRecord()
    git: GitState | None = None
    data: DataRecord = DataRecord()
    resolved_sha256: tuple[str, ...] = ()
    initial_weights: InitialWeights | None = None
    parameters: int | None = None
    best_epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    early_stop: EarlyStop | None = None
    expect: ExpectRecord | None = None
    seconds: float | None = None
    error: str | None = None
    resumed: tuple[Resumption, ...] = ()
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_fields(cls, written: Mapping[str, Any]) -> Self:
        """Make a record from JSON fields. ValueError for a missing field or a wrong type."""
        for key in ("id", "name", "status", "created"):
            if not isinstance(written.get(key), str):
                raise ValueError(f"`{key}` is missing or not text")
        if written["status"] not in STATUSES:
            raise ValueError(f"status is {written['status']!r}, not one of {', '.join(STATUSES)}")
        read = {
            key: _READERS[key](key, value) for key, value in written.items() if key in _READERS and value is not None
        }
        others = {key: value for key, value in written.items() if key not in _READERS and key != "schema_version"}
        return cls(**read, unknown=others)

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON fields, `schema_version` first; unset ones of `_ABSENT_UNLESS_SET` are left out."""
        found = {"schema_version": SCHEMA_VERSION, **dict(_written(self))}
        hashes = self.resolved_sha256
        return found | ({"resolved_sha256": hashes[0]} if len(hashes) == 1 else {}) | dict(self.unknown)


def read_record(directory: Path, *, known: bool = False) -> RunRecord:
    """Read the `run.json` of a run. RunError names the file if it is damaged.

    Args:
        directory: the run's directory.
        known: leave out the fields of other versions, which only a writer needs.
    """
    path = directory / FILE_NAME
    with trouble("read", path):
        data = read_file(path, _LARGEST)
    try:
        written = from_json(data)
    except ValueError as error:
        hint = f"its config is whole all the same: dltrain fit {directory / 'resolved.yaml'}"
        raise RunError(f"{path} is damaged: not JSON ({error})", hint) from error
    if not isinstance(written, dict):
        raise RunError(f"{path} is damaged: not a JSON object")
    version = written.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RunError(f"{path} was written by a newer dltrain (schema_version {version})", "upgrade dltrain")
    if version != SCHEMA_VERSION:
        raise RunError(f"{path} is damaged: schema_version is {version!r}, not {SCHEMA_VERSION}")
    try:
        record = RunRecord.from_fields(written)
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}") from None
    return replace(record, unknown={}) if known else record


# Fields left out of run.json while unset; a new run.json shows the others as null or empty.
_ABSENT_UNLESS_SET = (
    "directions",
    "epochs",
    "early_stop",
    "expect",
    "initial_weights",
    "machine",
    "seconds",
    "error",
    "resumed",
)


def _written(record: Any) -> Iterator[tuple[str, Any]]:
    for f in fields(record):
        value = getattr(record, f.name)
        if f.name == "unknown" or (f.name in _ABSENT_UNLESS_SET and not value and value != 0):
            continue
        yield f.name, plain(value)


def _hashes(key: str, value: Any) -> tuple[str, ...]:
    return as_texts(key, value if isinstance(value, list) else [value])


def _git(key: str, value: Any) -> GitState | None:
    found = as_mapping(key, value)
    commit, dirty = found.get("commit"), found.get("dirty")
    if commit is None:
        return None
    return {"commit": as_text(f"{key}.commit", commit), "dirty": dirty is not None and as_flag(f"{key}.dirty", dirty)}


def _resumed(key: str, value: Any) -> tuple[Resumption, ...]:
    if not isinstance(value, list):
        raise wrong(key, value)
    one = as_part(Resumption, from_epoch=as_count, skipped=as_texts, forced=as_texts, overrides=as_texts)
    return tuple(one(key, item) for item in value)


_READERS: dict[str, Reader] = {
    **dict.fromkeys(("id", "name", "status", "created", "ended", "command", "platform", "device", "error"), as_text),
    **dict.fromkeys(("seed", "parameters", "best_epoch", "epochs"), as_count),
    "smoke": as_flag,
    "seconds": as_number,
    "overrides": as_texts,
    "versions": as_text_by_name,
    "metrics": as_metrics,
    "directions": as_directions,
    "resolved_sha256": _hashes,
    "git": _git,
    "data": as_part(DataRecord, name=as_text, fingerprint=as_text, train=as_count, validation=as_count, test=as_count),
    "runtime": as_part(
        RuntimeRecord,
        backend=as_text,
        feed=as_text,
        jit_compile=as_flag,
        shards=as_count,
        threads=as_count,
        precision=as_text,
        steps_per_execution=as_count,
        recurrent=as_text_by_name,
        optimizer=as_text,
        inference_batch_size=as_count,
    ),
    "machine": as_part(
        MachineRecord,
        device=as_text,
        cores=as_count,
        instructions=as_text,
        libraries=as_text_by_name,
        environment=as_text_by_name,
    ),
    "early_stop": as_part(
        EarlyStop,
        epoch=as_count,
        monitor=as_text,
        best_epoch=as_count,
        best=as_number,
        min_delta=as_number,
        baseline=as_number,
    ),
    "initial_weights": as_part(
        InitialWeights,
        source=as_text,
        epoch=as_count,
        sha256=as_text,
        matched=as_count,
        weights=as_count,
        fresh=as_texts,
    ),
    "expect": as_part(ExpectRecord, failed=as_texts),
    "resumed": _resumed,
}
