"""Going on with a run from its newest whole checkpoint, to the same bits as if nothing had happened."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain import data, runs
from dltrain.config import Plan, load
from dltrain.engine import backends
from dltrain.engine.events import Listener, Phase, Resuming, SkippedCheckpoint, ignore
from dltrain.engine.model.speed import recorded_threads
from dltrain.engine.training.fit import RECORDED_PACKAGES, Job, digest, load_data, start_backend, train
from dltrain.engine.training.signals import StopSignal
from dltrain.errors import RunError, UsageError

if TYPE_CHECKING:
    import keras

    from dltrain.engine.training.checkpoint import Checkpoint
    from dltrain.engine.training.recorder import Start

# Keys that change nothing in the epochs that are done, and nothing in the bits of those to come.
_FREE = (("train", "epochs"), ("expect",), ("train", "steps_per_execution"), ("runtime", "feed"))


def resume(
    run: runs.Run | Path | str,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    runs_dir: Path | str = "runs",
    force: bool = False,
    on_event: Listener = ignore,
) -> runs.Run:
    """Goes on with an interrupted, crashed or failed run, or extends a finished one by `train.epochs`.

    With `train.deterministic` and on the same machine and versions, weights, optimizer and journal (its times
    aside) end as those of a run that was never stopped.

    Args:
        run: the run, its directory or what names it.
        overrides: of `train.epochs`, `expect`, `train.steps_per_execution` and `runtime.feed`; nothing else may change.
        runs_dir: where runs are looked up.
        force: go on though data, config or versions are no longer the same; the run records what differs.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, there is nothing left to do, or an override that would change what is done.
        RunError: another process trains it, it is damaged, or data, config or versions differ.
        ExpectationFailed, Diverged, Interrupted, DltrainError: as `fit`.
    """
    found = run if isinstance(run, runs.Run) else runs.find(str(run), Path(runs_dir))
    found = found.locked()
    try:
        with StopSignal(on_event) as stop:
            return _resume(found, overrides, force, stop, on_event)
    finally:
        found.release()


def _resume(
    run: runs.Run, overrides: Sequence[str] | Mapping[str, Any], force: bool, stop: StopSignal, on_event: Listener
) -> runs.Run:
    record = run.record()
    if record["status"] == "diverged":
        raise UsageError(f"the run {run.id} has diverged, and would again", "change the config and `dltrain fit` it")
    plan = _plan(run, overrides, bool(record.get("smoke")))
    on_event(Phase("loading data"))
    dataset = load_data(plan.spec)
    differs = list(_differences(run, record, dataset))
    _refuse(run, differs, force)
    threads = recorded_threads(record)
    start_backend(plan.spec, on_event, threads)
    if backends.current().threads() != threads:
        differs.append(f"an operation had {_count(threads)} and has {_count(backends.current().threads())}")
        _refuse(run, differs, force)
    from dltrain.engine.model import build

    on_event(Phase("building the model"))
    model, form, faster = build.compiled(plan, dataset)
    stop.check(f"dltrain resume {run.path}")
    start, skipped = _start(run, plan, model, on_event)
    epoch = start.checkpoint.epoch if start is not None else 0
    _check_left(run, record, plan, start)
    if start is not None:
        _put_back(model, start.checkpoint)
    run.rewrite_metrics(start.checkpoint.history if start is not None else ())
    run.tidy()
    resolved = plan.resolved()
    entry = {"from_epoch": epoch, "skipped": skipped, "forced": differs, "overrides": list(plan.overrides)}
    run.update(
        status="running",
        ended=None,
        error=None,
        metrics={},
        expect=None,
        best_epoch=start.checkpoint.best_epoch if start is not None else None,
        resolved_sha256=[*_digests(record), digest(resolved)],  # a kill may come before the file is written
        resumed=[*(record.get("resumed") or []), entry],
    )
    run.write_text("resolved.yaml", resolved)
    run.update(resolved_sha256=digest(resolved))
    run.log(f"resumed after epoch {epoch} of {plan.spec.train.epochs}")
    on_event(Resuming(run.path, epoch, plan.spec.train.epochs))
    return train(Job(plan, dataset, model, form, faster, run, on_event), stop, start)


def _refuse(run: runs.Run, differs: Sequence[str], force: bool) -> None:
    if differs and not force:
        hint = "`--force` goes on all the same, and the run records it"
        raise RunError(f"the run {run.id} cannot go on as it was: {'; '.join(differs)}", hint)


def _count(threads: int) -> str:
    return f"{threads} thread{'s' * (threads != 1)}" if threads else "all threads"


def _plan(run: runs.Run, overrides: Sequence[str] | Mapping[str, Any], smoke: bool) -> Plan:
    """The plan of the run with its new epochs.

    Raises:
        UsageError: an override changes something else.
    """
    path = run.plain_file("resolved.yaml")
    before, after = load(path, alone=True), load(path, overrides, alone=True)
    changes = [change for change in _changes(before.spec.dump(), after.spec.dump()) if not _free(change[0])]
    if changes:
        told = "; ".join(f"`{'.'.join(map(str, key))}` from {old} to {new}" for key, old, new in changes)
        free = ", ".join(f"`{'.'.join(map(str, key))}`" for key in _FREE)
        hint = f"only {free} may change; train anew with `dltrain fit`"
        raise UsageError(f"a run that goes on cannot change {told}", hint)
    return replace(after, smoke=smoke)


def _free(path: tuple[str | int, ...]) -> bool:
    return any(path[: len(free)] == free for free in _FREE)


def _changes(
    before: Any, after: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """(path, old, new) of every value that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _changes(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, (*path, index))
    elif before != after:
        yield path, before, after


def _differences(run: runs.Run, record: Mapping[str, Any], dataset: data.Dataset) -> Iterator[str]:
    """What is no longer as it was when the run was made."""
    known = record.get("data")
    if not isinstance(known, dict) or known.get("fingerprint") != dataset.fingerprint:
        yield f"the data set `{dataset.name}` has changed"
    if digest(run.read_bytes("resolved.yaml").decode("utf-8", "replace")) not in _digests(record):
        yield "resolved.yaml has been changed by hand"
    versions = record.get("versions")
    before = versions if isinstance(versions, dict) else {}
    now = runs.provenance.versions(RECORDED_PACKAGES)
    for package in sorted(before.keys() | now.keys()):
        if before.get(package) != now.get(package):
            yield f"{package} was {before.get(package, 'not there')} and is {now.get(package, 'not there')}"


def _digests(record: Mapping[str, Any]) -> list[Any]:
    """Of the resolved configs that the run may have; two where a kill came between run.json and resolved.yaml."""
    known = record.get("resolved_sha256")
    return known if isinstance(known, list) else [known]


def _start(run: runs.Run, plan: Plan, model: keras.Sequential, on_event: Listener) -> tuple[Start | None, list[str]]:
    """The newest checkpoint that is whole, with the weights of the best epoch; None where there is none."""
    from dltrain.engine.model import weights
    from dltrain.engine.training.checkpoint import WEIGHTS, from_files
    from dltrain.engine.training.recorder import Start

    limit = weights.most_bytes(model)
    skipped: list[str] = []

    def pass_over(epoch: int, error: RunError) -> None:
        skipped.append(error.message)
        on_event(SkippedCheckpoint(epoch, error.message.rpartition(" is damaged: ")[2]))

    for epoch in reversed(run.checkpoints()):
        try:
            checkpoint = from_files(run.read_checkpoint(epoch, limit), f"epoch {epoch}")
            _check_state(checkpoint, epoch, plan, model)
        except RunError as error:
            pass_over(epoch, error)
            continue
        best = checkpoint.best_epoch
        try:
            found = run.read_checkpoint(best, limit, [WEIGHTS]).get(WEIGHTS, b"")
            best_weights = weights.from_bytes(found, f"epoch {best}/{WEIGHTS}")
            weights.check(weights.named_variables(model), best_weights, f"epoch {best}/{WEIGHTS}")
        except RunError as error:
            pass_over(best, error)  # the best that is left is this one
            value = checkpoint.history[-1][checkpoint.monitor]
            return Start(replace(checkpoint, best_epoch=epoch, best_value=value), checkpoint.weights), skipped
        return Start(checkpoint, best_weights), skipped
    return None, skipped


def _check_state(checkpoint: Checkpoint, epoch: int, plan: Plan, model: keras.Sequential) -> None:
    """Holds a checkpoint against the config and the model.

    Raises:
        RunError: it cannot be one of this run.
    """
    from dltrain.engine.model import weights
    from dltrain.engine.training import callback_state

    if checkpoint.epoch != epoch or not 1 <= checkpoint.best_epoch <= epoch:
        raise RunError(f"its state speaks of epoch {checkpoint.epoch} and of {checkpoint.best_epoch} as the best")
    if checkpoint.seed != plan.spec.seed:
        raise RunError(f"its seed is {checkpoint.seed}, not {plan.spec.seed}")
    if checkpoint.monitor not in checkpoint.history[-1] or math.isnan(checkpoint.best_value):
        raise RunError(f"it judges by `{checkpoint.monitor}`, which its history does not have")
    if [state.name for state in checkpoint.callbacks] != [callback.name for callback in plan.spec.train.callbacks]:
        raise RunError("its state has other callbacks than the config")
    for state in checkpoint.callbacks:
        callback_state.check(state.name, state.numbers, state.kept, model)
    weights.check(weights.named_variables(model), checkpoint.weights, "weights")
    weights.check(weights.named_optimizer_variables(model), checkpoint.optimizer, "optimizer")


def _check_left(run: runs.Run, record: Mapping[str, Any], plan: Plan, start: Start | None) -> None:
    """Raises UsageError where nothing is left to train."""
    epochs, done = plan.spec.train.epochs, start.checkpoint.epoch if start is not None else 0
    if done > epochs:
        raise UsageError(f"the run {run.id} has {done} epochs already", f"`-s train.epochs=N` with N from {done} on")
    if record["status"] != "completed":
        return
    if start is not None and start.checkpoint.stopped:
        raise UsageError(f"the run {run.id} was ended by EarlyStopping in epoch {done}", "it has nothing left to do")
    if done == epochs:
        raise UsageError(f"the run {run.id} is complete", f"dltrain resume {run.path} -s train.epochs={2 * done}")


def _put_back(model: keras.Sequential, checkpoint: Checkpoint) -> None:
    from dltrain.engine.model import weights

    place = f"epoch {checkpoint.epoch}"
    weights.assign(weights.named_variables(model), checkpoint.weights, f"{place}/weights")
    weights.assign(weights.named_optimizer_variables(model), checkpoint.optimizer, f"{place}/optimizer")
