"""The callback that records a training: journal, checkpoints, best weights, events, signals."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import keras
import numpy as np

from dltrain.config.catalogue.domains import suspect
from dltrain.config.catalogue.names import direction
from dltrain.engine.checkpoint import CallbackState, Checkpoint, to_files
from dltrain.engine.events import EpochDone, Listener, StepDone
from dltrain.engine.model import weights
from dltrain.engine.training import callback_state
from dltrain.engine.training.profile import CALLBACKS, CHECKPOINT, STEPS, TRACE, VALIDATION, Stopwatch
from dltrain.engine.training.signals import StopSignal
from dltrain.engine.training.tensorboard import EventWriter
from dltrain.errors import Diverged
from dltrain.runs import EarlyStop, Run

if TYPE_CHECKING:
    from dltrain.config import Spec
    from dltrain.engine.backends.backend import Epoch
    from dltrain.engine.training.start import Start

STEP_EVENTS_PER_SECOND = 5
KEPT_CHECKPOINTS = 2


class Recorder(keras.callbacks.Callback):
    """Record a training. Must be the last callback, so checkpoints hold the changes of the others."""

    def __init__(
        self,
        spec: Spec,
        run: Run,
        counter: Epoch,
        samples: int,
        stop: StopSignal,
        on_event: Listener,
        others: list[keras.callbacks.Callback],
        start: Start | None = None,
    ) -> None:
        super().__init__()
        self._spec, self._run, self._stop, self._on_event = spec, run, stop, on_event
        self.counter, self._samples, self._others = counter, samples, others
        self._events = EventWriter(run)
        checkpoint = spec.train.checkpoint
        self._monitor = str(checkpoint.monitor)
        mode = direction(spec.train.metrics, self._monitor) if checkpoint.mode == "auto" else checkpoint.mode
        self._sign = 1.0 if mode == "min" else -1.0
        self.best_epoch: int | None = None
        self.best_weights: dict[str, np.ndarray] = {}
        self.history: list[Mapping[str, float]] = []
        self._best_value = math.inf
        self._epoch = 0
        self._start = start
        if start is not None:
            self._epoch = start.checkpoint.epoch
            self.best_epoch, self.best_weights = start.checkpoint.best_epoch, dict(start.best_weights)
            self.history, self._best_value = [*start.checkpoint.history], self._sign * start.checkpoint.best_value
        self.watch = Stopwatch()
        self._started = self._trained = self._told = self._traced = self._validating = 0.0

    @property
    def best_row(self) -> Mapping[str, float]:
        """The metrics of the best epoch; empty before the first epoch ends."""
        return self.history[self.best_epoch - 1] if self.best_epoch is not None else {}

    @property
    def early_stop(self) -> EarlyStop | None:
        return callback_state.early_stop(self._others)

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Restore the other callbacks, which have just cleared their state."""
        if self._start is not None:
            for callback, state in zip(self._others, self._start.checkpoint.callbacks, strict=True):
                callback_state.restore(callback, state.numbers, state.kept)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.counter.assign(epoch)
        self._epoch = epoch + 1
        self._started = self._trained = time.perf_counter()

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self._validating = time.perf_counter()

    def on_test_end(self, logs: Mapping[str, float] | None = None) -> None:
        self.watch.add(VALIDATION, time.perf_counter() - self._validating)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        now = self._trained = time.perf_counter()
        if not self._traced:
            self._traced = now - self._started
            self.watch.add(TRACE, self._traced)
        if self._stop.signum is not None and not self.model.stop_training:
            self.model.stop_training = True
        if now - self._told >= 1 / STEP_EVENTS_PER_SECOND:
            self._told = now
            loss = float((logs or {}).get("loss", math.nan))
            self._check_finite(loss)
            self._on_event(StepDone(self._epoch, batch + 1, int(self.params["steps"]), loss))
        self.watch.add(CALLBACKS, time.perf_counter() - now)

    def on_test_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        if self._stop.signum is not None:
            self.model.stop_evaluating = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if self._stop.signum is not None:
            return  # the epoch is incomplete: it leaves neither a row nor a checkpoint
        self._stop.must_stay()  # from now on, there is something to keep
        ended = time.perf_counter()
        row = {name: float(value) for name, value in (logs or {}).items()}
        self._check_finite(row["loss"])
        row.setdefault("learning_rate", float(self.model.optimizer.learning_rate))
        seconds = self._trained - self._started
        value = self._sign * row[self._monitor]
        best = value < self._best_value
        current = weights.arrays(weights.named_variables(self.model))
        if best:
            self._best_value, self.best_epoch, self.best_weights = value, self._epoch, current
        self.history.append(row)
        self._run.add_metrics({"epoch": self._epoch, **row, "seconds": round(seconds, 3)})
        self._save(current)
        if best:
            self._run.update(best_epoch=self._epoch)
        self._events.write(self._epoch, row)
        rate = self._samples / seconds if seconds > 0 else 0.0
        self._run.log(f"epoch {self._epoch}: " + ", ".join(f"{name} {number:.6g}" for name, number in row.items()))
        self.watch.add(CHECKPOINT, time.perf_counter() - ended)
        self.watch.add(STEPS, seconds - (self._traced if len(self.history) == 1 else 0.0))
        self._on_event(EpochDone(self._epoch, self._spec.train.epochs, row, seconds, rate, best))

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        self._events.close()

    def _check_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            cause = suspect(self._spec.train.loss, self._spec.model.layers)
            slower = "lower the learning rate, or set `clipnorm` in the optimizer"
            hint = f"{cause}: mend that first, then {slower}" if cause else slower
            raise Diverged(f"the loss became {loss} in epoch {self._epoch}", hint)

    def _save(self, current: Mapping[str, np.ndarray]) -> None:
        checkpoint = Checkpoint(
            epoch=self._epoch,
            seed=self._spec.seed,
            weights=current,
            optimizer=weights.arrays(weights.named_optimizer_variables(self.model)),
            best_epoch=self.best_epoch or self._epoch,
            best_value=self._sign * self._best_value,
            monitor=self._monitor,
            callbacks=tuple(
                CallbackState(type(c).__name__, callback_state.scalars(c), callback_state.arrays(c))
                for c in self._others
            ),
            stopped=bool(self.model.stop_training),
            history=tuple(self.history),
        )
        self._run.commit_checkpoint(self._epoch, to_files(checkpoint))
        self.discard_checkpoints()

    def discard_checkpoints(self) -> None:
        """Keep the best and the newest checkpoints up to this epoch; a resume skipped those of later ones."""
        newest = [epoch for epoch in self._run.checkpoints() if epoch <= self._epoch][-KEPT_CHECKPOINTS:]
        self._run.keep_checkpoints({*newest, self.best_epoch or self._epoch})
