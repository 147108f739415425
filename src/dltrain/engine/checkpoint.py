"""Training state <-> the files of a checkpoint: JSON and safetensors, which cannot hold code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dltrain.engine.model import weights
from dltrain.errors import RunError
from dltrain.names import valid_column
from dltrain.runs import Run, RunRecord
from dltrain.runs.checkpoints import DAMAGED_HINT
from dltrain.runs.checkpoints import WEIGHTS as WEIGHTS
from dltrain.runs.json_text import to_json

if TYPE_CHECKING:
    import keras

SCHEMA_VERSION = 3
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"

Arrays = Mapping[str, np.ndarray]
Row = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CallbackState:
    """The state of one callback: class name, numbers, and the weights that it keeps."""

    name: str
    numbers: Mapping[str, Any]
    kept: Arrays


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The complete state from which training continues after `epoch`.

    Args:
        epoch: completed epochs.
        seed: the run's seed, which determines the sample order of every epoch.
        weights: the model's variables, random states included.
        optimizer: the optimizer's variables.
        best_epoch: the best epoch so far.
        best_value: value of the monitored metric in that epoch.
        monitor: name of the monitored metric.
        callbacks: states in the order of the config.
        stopped: whether a callback ended the training after this epoch.
        history: metrics of each completed epoch, from the first; NaN for values that were not finite.
    """

    epoch: int
    seed: int
    weights: Arrays
    optimizer: Arrays
    best_epoch: int
    best_value: float
    monitor: str
    callbacks: tuple[CallbackState, ...]
    stopped: bool
    history: tuple[Row, ...]


def to_files(checkpoint: Checkpoint) -> dict[str, bytes]:
    state = {
        "schema_version": SCHEMA_VERSION,
        "epoch": checkpoint.epoch,
        "seed": checkpoint.seed,
        "best": {
            "epoch": checkpoint.best_epoch,
            "monitor": checkpoint.monitor,
            "value": checkpoint.best_value if math.isfinite(checkpoint.best_value) else str(checkpoint.best_value),
        },
        "callbacks": [{"name": each.name, "state": dict(each.numbers)} for each in checkpoint.callbacks],
        "stopped": checkpoint.stopped,
        "history": checkpoint.history,
    }
    files = {
        WEIGHTS: weights.to_bytes(checkpoint.weights),
        OPTIMIZER: weights.to_bytes(checkpoint.optimizer),
        STATE: to_json(state),
    }
    kept = {_kept(index): each.kept for index, each in enumerate(checkpoint.callbacks) if each.kept}
    return files | {name: weights.to_bytes(arrays) for name, arrays in kept.items()}


def from_files(files: Mapping[str, bytes], place: str) -> Checkpoint:
    """Parse the verified files of a checkpoint; `place` names it in messages.

    Raises:
        RunError: a file is missing or invalid.
    """
    try:
        state = json.loads(files[STATE])
        if state["schema_version"] != SCHEMA_VERSION:
            version = state["schema_version"]
            raise RunError(f"{place} was written by another version of dltrain (state {version}, not {SCHEMA_VERSION})")
        callbacks = tuple(
            CallbackState(str(each["name"]), dict(each["state"]), _arrays(files, _kept(index), place, optional=True))
            for index, each in enumerate(state["callbacks"])
        )
        return Checkpoint(
            epoch=int(state["epoch"]),
            seed=int(state["seed"]),
            weights=_arrays(files, WEIGHTS, place),
            optimizer=_arrays(files, OPTIMIZER, place),
            best_epoch=int(state["best"]["epoch"]),
            best_value=float(state["best"]["value"]),
            monitor=str(state["best"]["monitor"]),
            callbacks=callbacks,
            stopped=state["stopped"] is True,
            history=_history(state["history"], int(state["epoch"])),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__} {error}"
        raise RunError(f"{STATE} of {place} is damaged: {reason}", reason=reason) from None


def _history(rows: list[Mapping[str, Any]], epochs: int) -> tuple[Row, ...]:
    if len(rows) != epochs:
        raise ValueError(f"the history has {len(rows)} epochs, not {epochs}")
    names = set(rows[0]) if rows else set()
    if "loss" not in names or not all(map(valid_column, names)):
        raise ValueError("the history has other names than metrics have")
    if any(set(row) != names for row in rows):
        raise ValueError("the history has other metrics in one epoch than in another")
    return tuple({str(key): math.nan if value is None else float(value) for key, value in row.items()} for row in rows)


def _kept(index: int) -> str:
    return f"callback-{index}.safetensors"


def _arrays(files: Mapping[str, bytes], name: str, place: str, optional: bool = False) -> Arrays:
    if optional and name not in files:
        return {}
    if name not in files:
        raise RunError(f"{place} has no {name}")
    return weights.from_bytes(files[name], f"{place}/{name}")


def restore_weights(run: Run, record: RunRecord, choice: Literal["best", "last"] | int, model: keras.Sequential) -> int:
    """Assign the weights of one of a run's checkpoints to a model.

    Args:
        run: a run with at least one checkpoint.
        record: its run.json.
        choice: `best`, `last` or an epoch.
        model: the model that the run's config builds.

    Returns:
        the epoch of that checkpoint, counted from 1.

    Raises:
        RunError: the checkpoint is missing or damaged, or does not fit the model; then nothing is assigned.
    """
    limit = weights.most_bytes(model)
    epoch = (
        _best_epoch(run, record, limit) if choice == "best" else max(run.checkpoints()) if choice == "last" else choice
    )
    file = f"checkpoints/epoch-{epoch:04d}/{WEIGHTS}"
    read = run.read_checkpoint(epoch, limit, [WEIGHTS])
    if WEIGHTS not in read:
        raise RunError(f"{file} is missing")
    weights.assign(weights.named_variables(model), weights.from_bytes(read[WEIGHTS], file), file)
    return epoch


def _best_epoch(run: Run, record: RunRecord, limit: int) -> int:
    """Return the best epoch, from run.json; the newest checkpoint of a run that is not completed may know a later one.

    An older checkpoint knows only the epochs up to its own, and a kill may come between a checkpoint and run.json.

    Raises:
        RunError: the checkpoint that knows the best epoch is damaged, or that of the best epoch is missing.
    """
    kept, recorded = run.checkpoints(), record.best_epoch or 0
    best = recorded if record.status == "completed" else max(recorded, _best_until(run, max(kept), limit))
    if best not in kept:
        hint = f"{run.path / 'model.keras'} has its weights" if record.status == "completed" else DAMAGED_HINT
        raise RunError(f"the checkpoint of the best epoch, {best}, is missing in the run {run.id}", hint)
    return best


def _best_until(run: Run, epoch: int, limit: int) -> int:
    try:
        return int(json.loads(run.read_checkpoint(epoch, limit, [STATE])[STATE])["best"]["epoch"])
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError):
        raise RunError(f"{STATE} of epoch {epoch} of the run {run.id} is damaged", DAMAGED_HINT) from None
