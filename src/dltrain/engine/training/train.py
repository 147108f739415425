"""A job -> a trained, tested and recorded run."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from dltrain import runs
from dltrain.engine import backends
from dltrain.engine.evaluation import evaluate_model, failed_bounds
from dltrain.engine.events import Finished, Listener, Phase, Prepared, Profiled, StoppedEarly
from dltrain.engine.training.job import Job
from dltrain.engine.training.profile import INPUT, TEST, Stopwatch, input_seconds, rows
from dltrain.engine.training.signals import StopSignal
from dltrain.errors import Diverged, ExpectationFailed, Interrupted

if TYPE_CHECKING:
    from dltrain.engine.training.recorder import Recorder
    from dltrain.engine.training.start import Start


def train(
    job: Job,
    run: runs.Run,
    stop: StopSignal,
    on_event: Listener,
    *,
    start: Start | None = None,
    watch: Stopwatch | None = None,
) -> runs.Run:
    """Train, from the beginning or from `start`, and finish the run; every exit writes its status to run.json."""
    started = time.perf_counter()
    recorder: Recorder | None = None

    def finish(status: runs.Status, metrics: Mapping[str, float], error: str | None = None, **fields: object) -> None:
        seconds = time.perf_counter() - started
        best, monitor = recorder.best_epoch if recorder else None, str(job.plan.spec.train.checkpoint.monitor)
        run.finish(status, best_epoch=best, metrics=dict(metrics), error=error, seconds=round(seconds, 3), **fields)
        run.log(f"{status} after {len(recorder.history) if recorder else 0} epochs")
        on_event(Finished(run.id, run.path, status, best, monitor, metrics, seconds))

    def interrupted(message: str, signum: int) -> Interrupted:
        return Interrupted(message, signum, f"dltrain resume {quote(str(run.path))}")

    def leave(signum: int) -> Interrupted:
        finish("interrupted", {})
        return interrupted(f"stopped in epoch {len(recorder.history) + 1 if recorder else 1}", signum)

    try:
        on_event(_prepared(job, run))
        recorder = _new_recorder(job, run, stop, on_event, start)
        with stop.may_leave(leave):
            _run_epochs(job, recorder, start)
        trained = time.perf_counter()
        _keep_best(job, run, recorder)
        if stop.signum is not None:
            done = len(recorder.history)
            ended = done >= job.plan.spec.train.epochs
            message = "stopped before the evaluation" if ended else f"stopped in epoch {done + 1}"
            raise interrupted(message, stop.signum)
        if (early := recorder.early_stop) is not None:
            run.log(f"EarlyStopping ended the run in epoch {early.epoch}")
            on_event(_stopped_early(job, early))
        on_event(Phase("evaluating"))
        tested, _ = evaluate_model(job.dataset, job.built, job.session, job.inputs.test, run, "test")
        metrics = {**recorder.best_row, **{f"test_{name}": value for name, value in tested.metrics.items()}}
        if watch is not None:
            watch.add(TEST, time.perf_counter() - trained)
            on_event(_profiled(job, run, watch, recorder))
    except (Interrupted, KeyboardInterrupt):
        finish("interrupted", {})
        raise
    except BaseException as error:
        run.log(traceback.format_exc())
        finish("diverged" if isinstance(error, Diverged) else "failed", {}, error=str(error))
        if job.session.backend.out_of_memory(error):
            from dltrain.engine.model.blame import out_of_memory

            raise out_of_memory() from error
        raise
    failed = failed_bounds(job.plan.spec.expect, metrics)
    finish("completed", metrics, expect=runs.ExpectRecord(failed=tuple(failed)), early_stop=early)
    if failed:
        raise ExpectationFailed("; ".join(failed))
    return run


def _prepared(job: Job, run: runs.Run) -> Prepared:
    return Prepared(
        run=run.id,
        path=run.path,
        device=str(job.session.device),
        backend=backends.TITLES[job.plan.spec.runtime.backend],
        parameters=job.built.count_parameters(),
        train_samples=len(job.dataset.train),
        validation_samples=len(job.dataset.validation) if job.dataset.validation is not None else 0,
        epochs=job.plan.spec.train.epochs,
        steps=job.steps.per_epoch,
        smoke=job.plan.smoke,
        precision=job.plan.precision,
        metric_parts=job.built.metric_parts,
        trained=job.built.count_trained() if job.plan.spec.train.freeze else None,
        jit_compile=job.jit_compile,
    )


def _stopped_early(job: Job, early: runs.EarlyStop) -> StoppedEarly:
    return StoppedEarly(epochs=job.plan.spec.train.epochs, **asdict(early))


def _new_recorder(job: Job, run: runs.Run, stop: StopSignal, on_event: Listener, start: Start | None) -> Recorder:
    from dltrain.engine.training.recorder import Recorder

    counter, samples = job.session.backend.epoch(), job.inputs.train.samples
    return Recorder(job.plan.spec, run, counter, samples, stop, on_event, job.callbacks, start)


def _run_epochs(job: Job, recorder: Recorder, start: Start | None) -> None:
    """Train to the last epoch. Raises ConfigError if Keras refuses a step."""
    from dltrain.engine.model import blame
    from dltrain.engine.model.construct import Refused
    from dltrain.engine.training.schedule import scheduled

    spec = job.plan.spec
    done = start.checkpoint.epoch if start is not None else 0
    if start is not None and (start.checkpoint.stopped or done >= spec.train.epochs):
        recorder.on_train_begin()  # the callbacks get the state with which they ended the run
        recorder.discard_checkpoints()  # the run may have stopped between its last checkpoint and this
        return
    try:
        blame.guarded(
            job.session,
            job.built.model.fit,
            job.training_input(recorder.counter),
            initial_epoch=done,
            epochs=spec.train.epochs,
            validation_data=job.inputs.validation.in_order() if job.inputs.validation else None,
            callbacks=[*scheduled(spec.train.schedule), *job.callbacks, recorder],
            shuffle=False,  # the input pipeline shuffles, where it is to
            verbose=0,
        )
    except Refused as refusal:
        raise blame.training_at_fault(job.plan, job.built.model, refusal, job.jit_compile) from refusal


def _keep_best(job: Job, run: runs.Run, recorder: Recorder) -> None:
    """Assign the best weights to the model and write `model.keras` atomically."""
    from dltrain.engine.model import weights

    if recorder.best_epoch is None:
        return
    weights.assign(weights.named_variables(job.built.model), recorder.best_weights, "the best epoch")
    run.write_bytes("model.keras", _keras_file(job, run))


def _keras_file(job: Job, run: runs.Run) -> bytes:
    """Return the model in Keras's file format, with plain Keras layers only."""
    with (
        runs.atomic.trouble("write", run.path / "model.keras"),
        tempfile.TemporaryDirectory(prefix=".tmp-model-", dir=run.path) as folder,
        job.session.backend.as_written(job.built.model, job.built.recurrent),
    ):
        file = Path(folder) / "model.keras"
        job.built.model.save(file)
        return file.read_bytes()


def _profiled(job: Job, run: runs.Run, watch: Stopwatch, recorder: Recorder) -> Profiled:
    for name, seconds in recorder.watch.seconds.items():
        watch.add(name, seconds)
    train = job.inputs.train
    if job.rows is None or train.kind == "stream":  # otherwise the steps gather their batches
        spec, counter = job.plan.spec, job.session.backend.epoch()
        batches = train.shuffled(job.steps.batch_size, spec.seed, counter, shuffle=spec.train.shuffle)
        watch.add(INPUT, input_seconds(batches, job.steps.per_epoch * len(recorder.history)))
    told = rows(watch.seconds)
    run.write_json("profile.json", {name: round(seconds, 4) for name, seconds, _ in told})
    return Profiled(told)
