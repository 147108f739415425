"""Going on with a run from its newest whole checkpoint, to the same bits as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain import data, runs, spec
from dltrain.engine.events import Listener, Phase, SkippedCheckpoint, ignore
from dltrain.engine.signals import StopSignal
from dltrain.engine.training import RECORDED_PACKAGES, Job, digest, load_data, start_backend, train
from dltrain.errors import RunError, UsageError

if TYPE_CHECKING:
    import keras

    from dltrain.engine.checkpoint import Checkpoint
    from dltrain.engine.recorder import Start

# Keys that change nothing in the epochs that are done.
_FREE = (("train", "epochs"), ("expect",))


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
        overrides: of `train.epochs` and `expect`; nothing else may change.
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
        with StopSignal() as stop:
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
    if differs and not force:
        hint = "`--force` goes on all the same, and the run records it"
        raise RunError(f"the run {run.id} cannot go on as it was: {'; '.join(differs)}", hint)
    start_backend(plan.spec, on_event)
    from dltrain.engine import build
    from dltrain.engine.recorder import KEPT_CHECKPOINTS

    on_event(Phase("building the model"))
    model, form = build.compiled(plan, dataset)
    stop.check()
    start, skipped = _start(run, plan, model, on_event)
    epoch = start.checkpoint.epoch if start is not None else 0
    _check_left(run, record, plan, start)
    if start is not None:
        _put_back(model, start.checkpoint)
    run.rewrite_metrics(start.checkpoint.history if start is not None else ())
    newest = [done for done in run.checkpoints() if done <= epoch][-KEPT_CHECKPOINTS:]
    run.keep_checkpoints({*newest, *([start.checkpoint.best_epoch] if start is not None else [])})
    resolved = plan.resolved()
    run.write_text("resolved.yaml", resolved)
    entry = {"from_epoch": epoch, "skipped": skipped, "forced": differs, "overrides": list(plan.overrides)}
    run.update(
        status="running",
        ended=None,
        error=None,
        resolved_sha256=digest(resolved),
        resumed=[*record.get("resumed", []), entry],
    )
    run.log(f"resumed behind epoch {epoch}")
    return train(Job(plan, dataset, model, form, run, on_event), stop, start)


def _plan(run: runs.Run, overrides: Sequence[str] | Mapping[str, Any], smoke: bool) -> spec.Plan:
    """The plan of the run with its new epochs.

    Raises:
        UsageError: an override changes something else.
    """
    path = run.path / "resolved.yaml"
    before, after = spec.load(path, alone=True), spec.load(path, overrides, alone=True)
    changes = [change for change in _changes(before.spec.dump(), after.spec.dump()) if not _free(change[0])]
    if changes:
        told = "; ".join(f"`{'.'.join(map(str, key))}` from {old} to {new}" for key, old, new in changes)
        hint = "only `train.epochs` and `expect` may change; train anew with `dltrain fit`"
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
    if record.get("resolved_sha256") != digest(run.read_bytes("resolved.yaml").decode("utf-8", "replace")):
        yield "resolved.yaml has been changed by hand"
    versions = record.get("versions")
    before = versions if isinstance(versions, dict) else {}
    now = runs.provenance.versions(RECORDED_PACKAGES)
    for package in sorted(before.keys() | now.keys()):
        if before.get(package) != now.get(package):
            yield f"{package} was {before.get(package, 'not there')} and is {now.get(package, 'not there')}"


def _start(
    run: runs.Run, plan: spec.Plan, model: keras.Sequential, on_event: Listener
) -> tuple[Start | None, list[str]]:
    """The newest checkpoint that is whole, with the weights of the best epoch; None where there is none."""
    from dltrain.engine import weights
    from dltrain.engine.checkpoint import WEIGHTS, from_files
    from dltrain.engine.recorder import Start

    limit = weights.most_bytes(model)
    names = [callback.name for callback in plan.spec.train.callbacks]
    skipped: list[str] = []
    for epoch in reversed(run.checkpoints()):
        try:
            checkpoint = from_files(run.read_checkpoint(epoch, limit), f"epoch {epoch}")
            best = checkpoint.best_epoch
            if checkpoint.epoch != epoch or not 1 <= best <= epoch:
                raise RunError(f"its state speaks of epoch {checkpoint.epoch} and of {best} as the best")
            if [state.name for state in checkpoint.callbacks] != names:
                raise RunError("its state has other callbacks than the config")
            best_weights = weights.from_bytes(run.read_checkpoint(best, limit)[WEIGHTS], f"epoch {best}/{WEIGHTS}")
            weights.check(weights.named_variables(model), best_weights, f"epoch {best}/{WEIGHTS}")
        except RunError as error:
            skipped.append(error.message)
            on_event(SkippedCheckpoint(epoch, error.message))
            continue
        return Start(checkpoint, best_weights), skipped
    return None, skipped


def _check_left(run: runs.Run, record: Mapping[str, Any], plan: spec.Plan, start: Start | None) -> None:
    """Raises UsageError where nothing is left to train."""
    epochs, done = plan.spec.train.epochs, start.checkpoint.epoch if start is not None else 0
    if done > epochs:
        raise UsageError(f"the run {run.id} has {done} epochs already", f"`-s train.epochs=N` with N above {done}")
    if record["status"] != "completed":
        return
    if start is not None and start.checkpoint.stopped:
        raise UsageError(f"the run {run.id} was ended by EarlyStopping in epoch {done}", "it has nothing left to do")
    if done == epochs:
        raise UsageError(f"the run {run.id} is complete", f"to go on: `-s train.epochs=N` with N above {done}")


def _put_back(model: keras.Sequential, checkpoint: Checkpoint) -> None:
    from dltrain.engine import weights

    place = f"epoch {checkpoint.epoch}"
    weights.assign(weights.named_variables(model), checkpoint.weights, f"{place}/weights")
    weights.assign(weights.named_optimizer_variables(model), checkpoint.optimizer, f"{place}/optimizer")
