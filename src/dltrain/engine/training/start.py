"""The starting point of a resume: the newest valid checkpoint, and the weights of the best epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import keras
import numpy as np

from dltrain import runs
from dltrain.engine.checkpoint import WEIGHTS, Checkpoint, from_files
from dltrain.engine.events import Listener, SkippedCheckpoint
from dltrain.engine.model import weights
from dltrain.engine.training import callback_state
from dltrain.errors import RunError

if TYPE_CHECKING:
    from dltrain.config import Spec


@dataclass(frozen=True, slots=True)
class Start:
    """The starting point of a resume: a checkpoint, and the weights of the best epoch so far."""

    checkpoint: Checkpoint
    best_weights: Mapping[str, np.ndarray]


def find_start(
    run: runs.Run, spec: Spec, model: keras.Sequential, on_event: Listener
) -> tuple[Start | None, list[str]]:
    """Return the newest checkpoint that is valid and fits the config, or None; and why others were skipped."""
    limit = weights.most_bytes(model)
    skipped: list[str] = []

    def skip(epoch: int, error: RunError) -> None:
        skipped.append(error.message)
        on_event(SkippedCheckpoint(epoch, error.reason))

    for epoch in reversed(run.checkpoints()):
        try:
            checkpoint = from_files(run.read_checkpoint(epoch, limit), f"epoch {epoch}")
            _check_state(checkpoint, epoch, spec, model)
        except RunError as error:
            skip(epoch, error)
            continue
        best = checkpoint.best_epoch
        try:
            found = run.read_checkpoint(best, limit, [WEIGHTS]).get(WEIGHTS, b"")
            best_weights = weights.from_bytes(found, f"epoch {best}/{WEIGHTS}")
            weights.check(weights.named_variables(model), best_weights, f"epoch {best}/{WEIGHTS}")
        except RunError as error:
            skip(best, error)  # this epoch becomes the best
            value = checkpoint.history[-1][checkpoint.monitor]
            return Start(replace(checkpoint, best_epoch=epoch, best_value=value), checkpoint.weights), skipped
        return Start(checkpoint, best_weights), skipped
    return None, skipped


def put_back(model: keras.Sequential, checkpoint: Checkpoint) -> None:
    """Assign the variables of a checkpoint to model and optimizer. Raises RunError if they do not fit."""
    place = f"epoch {checkpoint.epoch}"
    weights.assign(weights.named_variables(model), checkpoint.weights, f"{place}/weights")
    weights.assign(weights.named_optimizer_variables(model), checkpoint.optimizer, f"{place}/optimizer")


def _check_state(checkpoint: Checkpoint, epoch: int, spec: Spec, model: keras.Sequential) -> None:
    """Check a checkpoint against the config and the model.

    Raises:
        RunError: it does not belong to this run.
    """
    if checkpoint.epoch != epoch or not 1 <= checkpoint.best_epoch <= epoch:
        raise RunError(f"its state speaks of epoch {checkpoint.epoch} and of {checkpoint.best_epoch} as the best")
    if checkpoint.seed != spec.seed:
        raise RunError(f"its seed is {checkpoint.seed}, not {spec.seed}")
    if checkpoint.monitor not in checkpoint.history[-1] or math.isnan(checkpoint.best_value):
        raise RunError(f"it judges by `{checkpoint.monitor}`, which its history does not have")
    if [state.name for state in checkpoint.callbacks] != [callback.name for callback in spec.train.callbacks]:
        raise RunError("its state has other callbacks than the config")
    for state in checkpoint.callbacks:
        callback_state.check(state.name, state.numbers, state.kept, model)
    weights.check(weights.named_variables(model), checkpoint.weights, "weights")
    weights.check(weights.named_optimizer_variables(model), checkpoint.optimizer, "optimizer")
