"""How the parts of `train` go together: callbacks against the run's length, the batch against the data; the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.names import direction, metric_of
from dltrain.config.catalogue.phrases import with_article
from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.config.checks.sense.monitors import is_share
from dltrain.config.checks.sense.schedules import peak_rate, trained_by
from dltrain.config.document.suggest import listing, rename, short
from dltrain.errors import KeyPath, Problem

_MOST_SMOOTHING = 0.9
# A `min_delta` as a share of all that can be gained: it is gained once; with no patience it must be every epoch.
_ONE_GAIN, _FIRST_GAIN = 0.5, 0.25
# The factors of a loss: where all are 0, it is 0 whatever the model says.
_FACTORS = {"CategoricalFocalCrossentropy": ("alpha",), "Tversky": ("alpha", "beta")}
_BY_CLASS = ("image_folder",)  # the samples of a split are in the order of their classes


def check_training(draft: Draft) -> Iterator[Problem]:
    yield from _check_batch(draft)
    yield from _check_order(draft)
    yield from _check_schedule(draft)
    yield from _check_class_weight(draft)
    yield from _check_oversample(draft)
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


def _check_order(draft: Draft) -> Iterator[Problem]:
    name = draft.data.name if draft.data is not None else None
    if draft.shuffle is False and name in _BY_CLASS and draft.batch_size != "full":
        message = f"without shuffling, `{name}` gives one class after the other: a batch holds samples of one class"
        yield _warning(draft, "shuffle", message, ("train", "shuffle"), "remove it, or write `shuffle: true`")


def _check_schedule(draft: Draft) -> Iterator[Problem]:
    """Learning rates by epoch: nothing else sets the rate, and the run reaches each of them."""
    path = ("train", "schedule")
    if not draft.schedule:
        return
    for callback in draft.callbacks:
        if callback.object.name == "ReduceLROnPlateau":
            message = "`ReduceLROnPlateau` sets the learning rate, but `train.schedule` decides it already"
            hint = f"remove it, or `schedule` in {draft.line(path)}"
            yield draft.tell("callback-schedule", message, callback.path, hint)
    optimizer = trained_by(draft.optimizer) if draft.optimizer is not None else None
    rate = value_of("optimizer", optimizer.object, "learning_rate") if optimizer is not None else None
    if optimizer is not None and isinstance(rate, dict | str):
        message = "`train.schedule` sets the learning rate, but a schedule of the optimizer decides it already"
        hint = f"remove it, or give a number as `learning_rate` in {draft.line(optimizer.path)}"
        yield draft.tell("schedule", message, path, hint)
    elif (
        optimizer is not None and "learning_rate" in optimizer.object.arguments and draft.schedule.get(1, rate) != rate
    ):
        message = f"a `learning_rate` of {rate:g} has no effect: `train.schedule` sets it from epoch 1 on"
        where = optimizer.argument_path("learning_rate")
        yield _warning(draft, "schedule-idle", message, where, f"write `learning_rate: {draft.schedule[1]:g}`")
    late = [epoch for epoch in draft.schedule if draft.epochs is not None and epoch > draft.epochs]
    if late:
        message = f"a run of {draft.epochs} epoch{'s' * (draft.epochs != 1)} never comes to epoch {late[0]}"
        yield _warning(draft, "schedule-steps", message, (*path, str(late[0])), "remove it, or write more `epochs`")


def _check_class_weight(draft: Draft) -> Iterator[Problem]:
    weights, data, path = draft.class_weight, draft.data, ("train", "class_weight")
    if weights is None or data is None:
        return
    loss = kind_of("loss", draft.loss)
    if data.task != "classification":
        message = f"`class_weight` weighs classes, but `{data.name}` is for a {data.task}"
        if data.task in ("multi_label", "sequence"):
            message = f"`class_weight` weighs samples by their class, but a sample of `{data.name}` has several labels"
        yield draft.tell("class-weight", message, path, "remove `class_weight`")
    elif entries.trait("loss", loss, "mixes_batch") == "always" and draft.loss is not None:
        message = f"`{draft.loss.object.name}` judges a batch as a whole: its samples have no weights"
        yield draft.tell("class-weight", message, path, "remove `class_weight`, or write another loss")
    elif isinstance(weights, Mapping):
        known = data.class_names
        for name in weights:
            if known is not None and name not in known:
                message = f"`class_weight` names `{short(name)}`, which is no class of `{data.name}`"
                near = rename(name, known) or f"its classes: {listing(known, 16)}"
                yield draft.tell("class-weight", message, (*path, name), near)
        if known is not None and set(known) <= set(weights) and len(set(weights.values())) == 1:
            message = "all classes have the same weight, which only changes the learning rate"
            yield _warning(draft, "class-weight", message, path, "remove `class_weight`")


def _check_oversample(draft: Draft) -> Iterator[Problem]:
    path = ("train", "oversample")
    if not draft.oversample or draft.data is None:
        return
    if draft.data.task != "classification":
        message = f"`oversample` repeats samples of rare classes, but `{draft.data.name}` is for a {draft.data.task}"
        yield draft.tell("class-weight", message, path, "remove `oversample`")
    elif draft.class_weight == "balanced":
        message = "rare classes count twice: `oversample` repeats their samples, and `class_weight` weighs them more"
        yield draft.tell("class-weight", message, path, "remove `oversample`")


def _check_callbacks(draft: Draft) -> Iterator[Problem]:
    stopping = [item for item in draft.callbacks if item.object.name == "EarlyStopping"]
    for callback in draft.callbacks:
        yield from _check_mode(draft, callback)
        yield from _check_improvement(draft, callback)
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


def _check_direction(draft: Draft, monitor: str, mode: object, path: KeyPath) -> Iterator[Problem]:
    good = direction([metric.object for metric in draft.metrics or ()], monitor)
    if mode in ("min", "max") and good is not None and mode != good:
        low = "low" if good == "min" else "high"
        message = f"`mode: {mode}` waits for the wrong thing: a {low} `{monitor}` is good"
        yield _warning(draft, "callback-mode", message, path, f"write `mode: {good}`")


def _check_improvement(draft: Draft, callback: Placed) -> Iterator[Problem]:
    """A `min_delta` or a `baseline` that lies beyond what the monitored metric can reach."""
    monitor = value_of("callback", callback.object, "monitor")
    delta = value_of("callback", callback.object, "min_delta")
    metric = metric_of([metric.object for metric in draft.metrics or ()], str(monitor))
    share = metric is not None and is_share(metric)
    reach = 1.0 if share else _guess_loss(draft, monitor)
    if reach is None or not isinstance(delta, int | float):
        return
    why = "it is a share, from 0 to 1" if share else f"that of guesses is {reach:.2g}"
    if delta >= reach * (_FIRST_GAIN if value_of("callback", callback.object, "patience") == 0 else _ONE_GAIN):
        ever = "can never" if share and delta >= 1 else "hardly ever can"
        message = f"`{monitor}` {ever} improve by a `min_delta` of {delta:g}: {why}"
        path = callback.argument_path("min_delta")
        yield _warning(draft, "callback-monitor", message, path, "write a small one, such as `min_delta: 0.001`")
        return
    baseline = value_of("callback", callback.object, "baseline")
    if not share and isinstance(baseline, int | float) and baseline - delta <= 0:
        message = f"`{monitor}` can never be better than a `baseline` of {baseline:g}: it is at least 0"
        path = callback.argument_path("baseline")
        yield _warning(draft, "callback-monitor", message, path, "write a larger `baseline`")
    elif share and isinstance(baseline, int | float) and baseline + delta >= 1:
        message = f"`{monitor}` can never be better than a `baseline` of {baseline:g}: {why}"
        hint = f"write `baseline: {baseline / 100:g}`" if 1 < baseline < 100 else "write a smaller `baseline`"
        yield _warning(draft, "callback-monitor", message, callback.argument_path("baseline"), hint)


def _guess_loss(draft: Draft, monitor: object) -> float | None:
    """Return the cross-entropy of guesses, if `monitor` is the loss and the loss is a cross-entropy; None otherwise."""
    loss = kind_of("loss", draft.loss)
    if monitor not in ("loss", "val_loss") or not entries.trait("loss", loss, "crossentropy"):
        return None
    if entries.trait("loss", loss, "binary"):
        return math.log(2)
    classes = draft.data.classes if draft.data is not None else None
    return math.log(classes) if classes and classes > 1 else None


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
    yield from _check_lowering(draft, callback)
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


def _check_lowering(draft: Draft, callback: Placed) -> Iterator[Problem]:
    """The learning rate that `ReduceLROnPlateau` leads to."""
    low, factor = (value_of("callback", callback.object, key) for key in ("min_lr", "factor"))
    rate = peak_rate(draft, trained_by(draft.optimizer)) if draft.optimizer is not None else None
    if rate is not None and low >= rate > 0:
        message = f"`ReduceLROnPlateau` can never act: its `min_lr` of {low:g} is not below the learning rate, {rate:g}"
        hint = "remove `min_lr`, or write a smaller one"
        yield _warning(draft, "callback-idle", message, callback.argument_path("min_lr"), hint)
    elif factor == 0 == low:
        message = "with `factor: 0` the first plateau sets the learning rate to 0: nothing is learned after it"
        yield _warning(draft, "callback-idle", message, callback.argument_path("factor"), "write `factor: 0.1`")


def check_losses(draft: Draft) -> Iterator[Problem]:
    if draft.loss is not None:
        yield from _check_smoothing(draft, "loss", draft.loss)
        factors = _FACTORS.get(kind_of("loss", draft.loss) or "", ())
        if factors and all(value_of("loss", draft.loss.object, key) == 0 for key in factors):
            keys = " and ".join(f"`{key}: 0`" for key in factors)
            message = f"with {keys} the loss is always 0: nothing is learned"
            path = draft.loss.argument_path(factors[0])
            yield draft.tell(
                "loss-setting", message, path, f"write {with_article(factors[0], quoted=True)} above 0", "warning"
            )
    for metric in draft.metrics or ():
        yield from _check_smoothing(draft, "metric", metric)


def _check_smoothing(draft: Draft, section: str, placed: Placed) -> Iterator[Problem]:
    smoothing = value_of(section, placed.object, "label_smoothing")
    if not isinstance(smoothing, int | float) or smoothing < _MOST_SMOOTHING:
        return
    message = f"a `label_smoothing` of {smoothing:g} leaves {1 - smoothing:.0%} of the labels"
    if smoothing >= 1:
        message = "a `label_smoothing` of 1 makes all labels alike: there is nothing to learn from them"
    path = placed.argument_path("label_smoothing")
    hint = "write the share to take from the labels, such as `label_smoothing: 0.1`"
    yield draft.tell("label-smoothing", message, path, hint, "warning")
