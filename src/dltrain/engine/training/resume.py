"""Resume a run from its newest valid checkpoint, bit-identical to an uninterrupted run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from dltrain import runs
from dltrain.calls import flag_of, listener_of
from dltrain.config import Plan, changes
from dltrain.config.catalogue.rates import scheduled_rate, zero_from
from dltrain.config.document.source import place_of
from dltrain.data.arrays import Dataset
from dltrain.engine import backends
from dltrain.engine.events import Listener, Resuming, Warned, ignore
from dltrain.engine.inputs import load_data
from dltrain.engine.machine import differences, machine_of
from dltrain.engine.session import Session, open_session
from dltrain.engine.trained import OpenedRun, adapted_of, learnt_of, resolved_plan
from dltrain.engine.training.initial_weights import find_source, load_weights
from dltrain.engine.training.job import RECORDED_PACKAGES, Job, prepare, record_of
from dltrain.engine.training.signals import StopSignal, not_begun
from dltrain.engine.training.train import train
from dltrain.errors import Problem, RunError, UsageError, dotted

if TYPE_CHECKING:
    from dltrain.engine.checkpoint import Checkpoint
    from dltrain.engine.training.start import Start

# Keys that affect neither the completed epochs nor the bits of later ones.
_MOST_SHOWN = 4
_FREE = (("train", "epochs"), ("expect",), ("train", "steps_per_execution"), ("runtime", "feed"))


def resume(
    run: runs.Run | Path | str,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    runs_dir: Path | str = "runs",
    force: bool = False,
    from_scratch: bool = False,
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> runs.Run:
    """Resume an interrupted, crashed or failed run, or extend a finished one by `train.epochs`.

    With `train.deterministic`, on the same machine and versions, weights, optimizer and journal (except its times)
    are bit-identical to those of a run that was never stopped.

    Args:
        run: the run, its directory, or a reference to it.
        overrides: of `train.epochs`, `expect`, `train.steps_per_execution` and `runtime.feed`; no other key may change.
        runs_dir: directory in which runs are looked up.
        force: resume although data, config or versions have changed; the run records the differences.
        from_scratch: where the run has checkpoints and none of them can be used, train it anew from its first epoch.
        owns_process: whether the process exits afterwards, as a command does. Then a second signal ends it.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, nothing left to train, or an override of another key.
        RunError: another process trains the run, it is damaged, none of its checkpoints can be used, or data, config
            or versions differ.
        ExpectationFailed, Diverged, Interrupted, DltrainError: as in `fit`.
    """
    listener_of(on_event)
    for what, value in (("force", force), ("from_scratch", from_scratch), ("owns_process", owns_process)):
        flag_of(value, f"`{what}`")
    found = run if isinstance(run, runs.Run) else runs.find(run, runs_dir)
    with found.locked() as held, StopSignal(on_event, owns_process) as stop:
        opened = _reopened(held, overrides)
        again = f"dltrain resume {quote(str(held.path))}"
        dataset = load_data(opened.plan.spec, on_event, partial(stop.check, again), learnt_of(opened))
        differs = list(_differences(opened, dataset))
        _refuse(held, differs, force)
        spec, cores = opened.plan.spec, opened.cores
        with ExitStack() as stack:
            with stop.may_leave(partial(not_begun, hint=again)):
                session = stack.enter_context(open_session(spec, cores, owns_process=owns_process, on_event=on_event))
                from dltrain.engine.model.adapting import from_run

                differs += _machine_differences(opened, session)
                _refuse(held, differs, force)
                job = prepare(opened.plan, dataset, session, on_event, from_run(adapted_of(opened), held.id))
            stop.check(again)
            start = _go_on(opened, job, differs, from_scratch, on_event)
            try:
                return train(job, held, stop, on_event, start=start)
            finally:
                del job, start  # the session frees what nothing names


def _reopened(run: runs.Run, overrides: Sequence[str] | Mapping[str, Any]) -> OpenedRun:
    """Open a run with overrides applied to its resolved config.

    Raises:
        UsageError: the run has diverged, or an override changes a key that is not free.
    """
    record = run.record()
    if record.status == "diverged":
        raise UsageError(f"the run {run.id} has diverged, and would again", "change the config and `dltrain fit` it")
    before = resolved_plan(run)
    after = resolved_plan(run, before.file_bytes, overrides)
    found = [change for change in changes(before.spec, after.spec) if not _free(change.path)]
    if found:
        told = "; ".join(map(str, found[:_MOST_SHOWN]))
        told += f"; and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        free = ", ".join(f"`{dotted(key)}`" for key in _FREE)
        hint = f"only {free} may change; train anew with `dltrain fit`"
        raise UsageError(f"a resumed run cannot change {told}", hint)
    return OpenedRun(run, record, replace(after, smoke=record.smoke))


def _go_on(opened: OpenedRun, job: Job, differs: Sequence[str], from_scratch: bool, on_event: Listener) -> Start | None:
    """Restore the newest valid checkpoint, and update the run's files to resume from it.

    Raises:
        UsageError: nothing is left to train.
        RunError: none of the run's checkpoints can be used.
    """
    from dltrain.engine.training.start import find_start, put_back

    run, record, plan = opened.run, opened.record, opened.plan
    start, skipped = find_start(run, plan.spec, job.built.model, on_event)
    if start is None and skipped and not from_scratch:
        hint = f"`dltrain resume {quote(str(run.path))} --from-scratch` trains it anew from its first epoch"
        raise RunError(f"the run {run.id} has checkpoints, but none can be used: {skipped[0]}", hint)
    checkpoint = start.checkpoint if start is not None else None
    _check_left(opened, checkpoint)
    if checkpoint is not None:
        put_back(job.built.model, checkpoint)
    elif (source := find_source(plan, run.path.parent)) is not None:  # stopped before its first checkpoint
        before = record.initial_weights
        load_weights(plan, job.built.model, source, on_event, before.sha256 if before is not None else None)
    run.rewrite_metrics(checkpoint.history if checkpoint is not None else ())
    run.tidy()
    epoch = checkpoint.epoch if checkpoint is not None else 0
    resolved = plan.resolved()
    entry = runs.Resumption(
        from_epoch=epoch, skipped=tuple(skipped), forced=tuple(differs), overrides=tuple(plan.overrides)
    )
    now = record_of(job)
    run.update(
        status="running",
        ended=None,
        error=None,
        metrics={},
        expect=None,
        early_stop=None,
        best_epoch=checkpoint.best_epoch if checkpoint is not None else None,
        runtime=now["runtime"],
        epochs=now["epochs"],
        directions=now["directions"],
        resolved_sha256=(
            *record.resolved_sha256,
            *now["resolved_sha256"],
        ),  # a kill may come before the file is written
        resumed=(*record.resumed, entry),
    )
    run.write_text("resolved.yaml", resolved)
    run.update(resolved_sha256=now["resolved_sha256"])
    run.log(f"resumed after epoch {epoch} of {plan.spec.train.epochs}")
    on_event(Resuming(run.path, epoch, plan.spec.train.epochs))
    idle = _idle_epochs(plan, epoch, job.steps.per_epoch)
    if idle is not None:
        run.log(idle.message)
        on_event(Warned((idle,)))
    return start


def _idle_epochs(plan: Plan, done: int, steps: int) -> Problem | None:
    """Return a warning if the learning rate is 0 in whole epochs that are left, as behind the end of a CosineDecay.

    Args:
        plan: the config.
        done: completed epochs.
        steps: optimizer steps per epoch.
    """
    epochs = plan.spec.train.epochs
    rate = scheduled_rate(plan.spec.train.optimizer)
    zero = zero_from(rate, epochs * steps) if rate is not None else epochs * steps
    first = max(done, math.ceil(zero / steps)) + 1
    if first > epochs:
        return None
    span = f"epoch {first} learns" if first == epochs else f"epochs {first} to {epochs} learn"
    message = f"the learning rate is 0 from step {zero:,} on ({steps:,} an epoch): {span} nothing"
    hint = "a resumed run keeps its schedule: for more epochs, `dltrain fit` with one that lasts as long"
    path = ("train", "epochs")
    return Problem("schedule-steps", message, path, place_of(plan.checked.tree, path), hint, "warning")


def _refuse(run: runs.Run, differs: Sequence[str], force: bool) -> None:
    if differs and not force:
        hint = "`--force` resumes it anyway, and the run records that"
        raise RunError(f"the run {run.id} cannot be resumed to the same bits: {'; '.join(differs)}", hint)


def _count(threads: int) -> str:
    return f"{threads} thread{'s' * (threads != 1)}" if threads else "all threads"


def _free(path: tuple[str | int, ...]) -> bool:
    return any(path[: len(free)] == free for free in _FREE)


def _differences(opened: OpenedRun, dataset: Dataset) -> Iterator[str]:
    """Yield a sentence for each difference in data, config or versions since the run was made."""
    known = opened.plan.checked.facts
    renamed = known is not None and known.labels != dataset.facts.labels
    if renamed or opened.record.data.fingerprint != dataset.fingerprint:
        yield f"the data set `{dataset.name}` has changed"
    if opened.is_config_changed:
        yield "resolved.yaml has been changed by hand"
    before, now = opened.record.versions, runs.provenance.versions(RECORDED_PACKAGES)
    for package in sorted((before.keys() | now.keys()) - _unused(opened.plan.spec.runtime.backend)):
        if before.get(package) != now.get(package):
            yield f"{package} was {before.get(package, 'not there')} and is {now.get(package, 'not there')}"


def _unused(backend: str) -> set[str]:
    """Return the recorded packages that do not compute: the other backends, and the sources of data sets."""
    return {*backends.NAMES, "scikit-learn", "pillow", "tokenizers"} - {backend}


def _machine_differences(opened: OpenedRun, session: Session) -> Iterator[str]:
    """Yield a sentence for each difference in threads and machine since the run was made."""
    before, now = opened.cores.threads, session.cores.threads
    if before != now:
        yield f"an operation had {_count(before)} and has {_count(now)}"
    if opened.record.machine is not None:
        yield from differences(opened.record.machine, machine_of(session))


def _check_left(opened: OpenedRun, checkpoint: Checkpoint | None) -> None:
    """Raise UsageError if nothing is left to train."""
    run, epochs, done = opened.run, opened.plan.spec.train.epochs, checkpoint.epoch if checkpoint is not None else 0
    if done > epochs:
        raise UsageError(f"the run {run.id} has {done} epochs already", f"`-s train.epochs=N` with N from {done} on")
    if opened.record.status != "completed":
        return
    if checkpoint is not None and checkpoint.stopped:
        hint = f"callbacks change in a new run: dltrain fit {run.path / 'resolved.yaml'} -s 'train.callbacks=[]'"
        raise UsageError(f"the run {run.id} was ended by EarlyStopping in epoch {done}", hint)
    if done == epochs:
        raise UsageError(
            f"the run {run.id} is complete", f"dltrain resume {quote(str(run.path))} -s train.epochs={2 * done}"
        )
