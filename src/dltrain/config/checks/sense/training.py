"""How the parts of `train` go together: schedules and callbacks against the run's length, sizes against the data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.names import direction, metric_of
from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.config.schema import KerasObject
from dltrain.errors import KeyPath, Problem


def check_training(draft: Draft) -> Iterator[Problem]:
    yield from _check_batch(draft)
    yield from _check_learning_rate(draft)
    yield from _check_callbacks(draft)
    monitor = draft.monitor or ("val_loss" if draft.validation else "loss")
    yield from _check_direction(draft, monitor, draft.mode, ("train", "checkpoint", "mode"))


def _warning(draft: Draft, code: str, message: str, path: KeyPath, hint: str) -> Problem:
    return draft.tell(code, message, path, hint, "warning")


def _check_batch(draft: Draft) -> Iterator[Problem]:
    size, samples = draft.batch_size, draft.train_samples
    if isinstance(size, int) and samples is not None and size > samples:
        message = f"a batch of {size:,} is more than the {samples:,} training samples: one step an epoch"
        yield _warning(draft, "batch-size", message, ("train", "batch_size"), f"write `full`, or at most {samples:,}")


def _check_learning_rate(draft: Draft) -> Iterator[Problem]:
    if draft.optimizer is None:
        return
    rate = value_of("optimizer", draft.optimizer.object, "learning_rate")
    path = draft.optimizer.argument_path("learning_rate")
    kind = kind_of("optimizer", draft.optimizer)
    if isinstance(rate, dict) and len(rate) == 1:
        ((name, arguments),) = rate.items()
        schedule = Placed(path, KerasObject.model_construct(name=name, arguments=arguments or {}))
        yield from _check_schedule(draft, schedule)
        rate = value_of("schedule", schedule.object, "initial_learning_rate")
        path = schedule.argument_path("initial_learning_rate")
        if value_of("schedule", schedule.object, "warmup_target") is not None:
            return
    if not isinstance(rate, int | float):
        return
    if rate == 0:
        yield draft.tell("learning-rate", "a learning rate of 0 learns nothing", path, "try `1e-3`")
    elif entries.trait("optimizer", kind, "adaptive") and rate >= 0.5:
        message = (
            f"a learning rate of {rate:g} is far too high for `{kind}`: each step moves every weight by about as much"
        )
        yield _warning(draft, "learning-rate", message, path, "try `1e-3`")


def _check_schedule(draft: Draft, schedule: Placed) -> Iterator[Problem]:
    if schedule.object.name == "PiecewiseConstantDecay":
        problem = _check_pieces(draft, schedule)
        if problem is not None:
            yield problem
            return
    if draft.steps is None or draft.epochs is None:
        return
    total = draft.steps * draft.epochs
    run = f"the run has {total:,} step{'s' if total != 1 else ''} ({draft.steps:,} an epoch)"
    given = {key: value_of("schedule", schedule.object, key) for key in ("decay_steps", "warmup_steps", "boundaries")}
    warmup = given["warmup_steps"] or 0
    if warmup >= total:
        message = f"the learning rate is still warming up when the run ends: {run}"
        hint = f"write `warmup_steps: {max(1, total // 10)}`"
        yield _warning(draft, "schedule-steps", message, schedule.argument_path("warmup_steps"), hint)
        return
    if schedule.object.name == "PiecewiseConstantDecay":
        late = [bound for bound in given["boundaries"] if bound >= total]
        if late:
            message = f"the learning rate never changes at step {late[0]:g}: {run}"
            yield _warning(
                draft, "schedule-steps", message, schedule.argument_path("boundaries"), "use smaller boundaries"
            )
        return
    yield from _check_decay(draft, schedule, total, run, warmup, given["decay_steps"])


def _check_decay(draft: Draft, schedule: Placed, total: int, run: str, warmup: int, steps: Any) -> Iterator[Problem]:
    name = schedule.object.name
    path = schedule.argument_path("decay_steps")
    if entries.trait("schedule", name, "ends") and isinstance(steps, int | float):
        if value_of("schedule", schedule.object, "cycle"):
            return
        end = steps + warmup
        hint = f"write `decay_steps: {total - warmup}`"
        if end < total * 0.5:
            message = f"the learning rate reaches its end after {end:,} steps and stays there: {run}"
            yield _warning(draft, "schedule-steps", message, path, hint)
        elif end > total * 2:
            message = f"the run ends long before the schedule, which takes {end:,} steps: {run}"
            yield _warning(draft, "schedule-steps", message, path, hint)
    elif name == "ExponentialDecay" and isinstance(steps, int | float):
        rate = value_of("schedule", schedule.object, "decay_rate")
        if isinstance(rate, int | float) and 0 < rate < 1 and rate ** (total / steps) < 1e-6:
            message = f"the learning rate falls to {rate ** (total / steps):.0e} of its start: {run}"
            yield _warning(draft, "schedule-steps", message, path, f"write `decay_steps: {max(1, total // 10)}`")


def _check_pieces(draft: Draft, schedule: Placed) -> Problem | None:
    bounds, values = (value_of("schedule", schedule.object, key) or [] for key in ("boundaries", "values"))
    if len(values) != len(bounds) + 1:
        message = (
            f"{len(bounds)} boundaries cut the run into {len(bounds) + 1} pieces, but there are {len(values)} values"
        )
        path = schedule.argument_path("values")
        return draft.tell("schedule", message, path, f"give {len(bounds) + 1} values")
    if any(after <= before for before, after in itertools.pairwise(bounds)):
        path = schedule.argument_path("boundaries")
        return draft.tell("schedule", "the boundaries do not rise", path, "sort them")
    return None


def _check_callbacks(draft: Draft) -> Iterator[Problem]:
    stopping = [item for item in draft.callbacks if item.object.name == "EarlyStopping"]
    for callback in draft.callbacks:
        yield from _check_mode(draft, callback)
        if callback.object.name == "EarlyStopping":
            yield from _check_stopping(draft, callback)
        if callback.object.name == "ReduceLROnPlateau":
            yield from _check_plateau(draft, callback, stopping)


def _check_mode(draft: Draft, callback: Placed) -> Iterator[Problem]:
    monitor = value_of("callback", callback.object, "monitor")
    mode = value_of("callback", callback.object, "mode")
    if not isinstance(monitor, str):
        return
    yield from _check_direction(draft, monitor, mode, callback.argument_path("mode"))
    metrics = [metric.object for metric in draft.metrics or ()]
    metric = metric_of(metrics, monitor)
    if mode == "auto" and metric is not None and entries.trait("metric", metric.name, "undirected"):
        path = callback.argument_path("monitor")
        message = f"Keras does not know whether a low or a high `{monitor}` is good"
        hint = f"write `mode: {direction(metrics, monitor)}` beside it"
        yield draft.tell("callback-mode", message, path, hint)


def _check_direction(draft: Draft, monitor: str, mode: object, path: KeyPath) -> Iterator[Problem]:
    good = direction([metric.object for metric in draft.metrics or ()], monitor)
    if mode in ("min", "max") and good is not None and mode != good:
        low = "low" if good == "min" else "high"
        message = f"`mode: {mode}` waits for the wrong thing: a {low} `{monitor}` is good"
        yield _warning(draft, "callback-mode", message, path, f"write `mode: {good}`")


def _check_stopping(draft: Draft, callback: Placed) -> Iterator[Problem]:
    patience = value_of("callback", callback.object, "patience")
    start = value_of("callback", callback.object, "start_from_epoch") or 0
    if draft.epochs is None or not isinstance(patience, int) or draft.epochs == 1:
        return
    if start >= draft.epochs or patience + start >= draft.epochs:
        key = "start_from_epoch" if start >= draft.epochs else "patience"
        message = f"`EarlyStopping` can never stop a run of {draft.epochs} epochs"
        hint = f"write a smaller `{key}`, or more `epochs`"
        yield _warning(draft, "callback-idle", message, callback.argument_path(key), hint)


def _check_plateau(draft: Draft, callback: Placed, stopping: Sequence[Placed]) -> Iterator[Problem]:
    optimizer = draft.optimizer
    if optimizer is not None and isinstance(value_of("optimizer", optimizer.object, "learning_rate"), dict):
        message = "`ReduceLROnPlateau` sets the learning rate, but a schedule decides it already"
        hint = f"remove it, or give a number as `learning_rate` in {draft.line(optimizer.path)}"
        yield draft.tell("callback-schedule", message, callback.path, hint)
        return
    patience = value_of("callback", callback.object, "patience")
    path = callback.argument_path("patience")
    for other in stopping:
        same = value_of("callback", other.object, "monitor") == value_of("callback", callback.object, "monitor")
        if same and isinstance(patience, int) and patience >= value_of("callback", other.object, "patience") > 0:
            message = "`EarlyStopping` stops the run before `ReduceLROnPlateau` can help"
            yield _warning(draft, "callback-idle", message, path, "give `ReduceLROnPlateau` less `patience`")
            return
    if isinstance(patience, int) and draft.epochs is not None and patience >= draft.epochs > 1:
        message = f"`ReduceLROnPlateau` can never act in a run of {draft.epochs} epochs"
        yield _warning(draft, "callback-idle", message, path, "write a smaller `patience`, or more `epochs`")
