"""A config -> a run: load, check, build, train, evaluate, record."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain import data, runs
from dltrain.config import Plan, Spec, load
from dltrain.engine import backends
from dltrain.engine.evaluation import evaluate_model, failed_bounds, inputs_of
from dltrain.engine.events import Finished, Listener, Phase, Prepared, Profiled, Warned, ignore
from dltrain.engine.model.speed import steps_of, threads_for
from dltrain.engine.training.profile import BUILD, INPUT, LOAD, START, TEST, Stopwatch, feed_seconds, rows
from dltrain.engine.training.signals import StopSignal
from dltrain.errors import Diverged, DltrainError, ExpectationFailed, Interrupted, UsageError

if TYPE_CHECKING:
    import keras

    from dltrain.config.catalogue.labels import LabelForm
    from dltrain.engine.training.recorder import Recorder, Start

RECORDED_PACKAGES = ("dltrain", "tensorflow", "keras", "numpy", "safetensors", "scikit-learn", "jax")


def fit(
    config: Path | str,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    smoke: bool = False,
    name: str | None = None,
    runs_dir: Path | str = "runs",
    profile: bool = False,
    on_event: Listener = ignore,
) -> runs.Run:
    """Trains the model that a config describes, on a GPU when TensorFlow finds one.

    Args:
        config: the YAML file.
        overrides: `key.path=value` texts, or a mapping from key paths to values.
        smoke: one epoch on 512 training and 128 test samples, judged by no gate.
        name: the run's name, instead of the config's.
        runs_dir: where the run's directory is made.
        profile: tell where the time went, in an event and in profile.json of the run.
        on_event: called with each event of `engine.events`.

    Raises:
        ConfigError: the config, or the model that it describes, cannot be trained; no run is left.
        ExpectationFailed: trained and recorded, but a bound under `expect` does not hold.
        Diverged: the loss became NaN or infinite.
        Interrupted: SIGINT or SIGTERM.
        DltrainError: data or run directory cannot be read or written.
    """
    if name is not None and not runs.valid_name(name):
        raise UsageError(f"`{name}` cannot be a run's name", f"as in `{runs.slug(name)}`: letters, digits, . _ -")
    plan = load(config, overrides, smoke=smoke, name=name)
    runs.ensure_writable(Path(runs_dir))
    if plan.checked.warnings:
        on_event(Warned(plan.checked.warnings))
    watch = Stopwatch()
    with StopSignal(on_event) as stop:
        on_event(Phase("loading data"))
        dataset = load_data(plan.spec)
        watch.lap(LOAD)
        start_backend(plan.spec, on_event, threads_for(plan, dataset))
        from dltrain.engine.model import build, device

        watch.lap(START)
        on_event(Phase("building the model"))
        model, form, faster = build.compiled(plan, dataset)
        watch.lap(BUILD)
        stop.check()
        run = runs.create(
            Path(runs_dir),
            name=plan.spec.name,
            config=plan.file_bytes,
            resolved=plan.resolved(),
            record=_record(plan, dataset, build.parameters(model), device.describe()),
        )
        try:
            run.write_json("validation_indices.json", [int(index) for index in dataset.validation_indices])
            return train(Job(plan, dataset, model, form, faster, run, on_event, watch if profile else None), stop)
        finally:
            run.release()


@dataclass(frozen=True, slots=True)
class Job:
    """A built model, what it is to learn from, and the run that it belongs to."""

    plan: Plan
    dataset: data.Dataset
    model: keras.Sequential
    form: LabelForm
    faster: Mapping[str, Any]  # what computes otherwise than Keras would, as run.json has it
    run: runs.Run
    on_event: Listener
    watch: Stopwatch | None = None


def load_data(plan: Spec) -> data.Dataset:
    """The splits that a spec asks for."""
    section = plan.data
    return data.load(
        section.dataset.name,
        section.dataset.arguments,
        validation=section.validation,
        limit_train=section.limit.train,
        limit_test=section.limit.test,
        seed=plan.seed,
    )


def start_backend(plan: Spec, on_event: Listener, threads: int = 0) -> None:
    """Starts what the config computes with, seeded; `threads` as in `Backend.prepare`.

    Raises:
        UsageError: it is not installed, or Keras computes with another one in this process.
    """
    on_event(Phase(f"starting {backends.TITLES[plan.runtime.backend]}"))
    backends.choose(plan.runtime.backend).prepare(plan.seed, plan.train.deterministic, threads)


def digest(resolved: str) -> str:
    """SHA-256 of a resolved config, by which a change to it is seen."""
    return hashlib.sha256(resolved.encode()).hexdigest()


def _record(plan: Plan, dataset: data.Dataset, parameters: int, device: str) -> dict[str, Any]:
    return {
        "command": runs.provenance.command_line(sys.argv),
        "overrides": list(plan.overrides),
        "smoke": plan.smoke,
        "seed": plan.spec.seed,
        "versions": runs.provenance.versions(RECORDED_PACKAGES),
        "platform": runs.provenance.platform_text(),
        "device": device,
        "runtime": {"backend": plan.spec.runtime.backend, "threads": backends.current().threads()},
        "git": runs.provenance.git_state(Path(plan.file).resolve().parent),
        "data": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "train": len(dataset.train.x),
            "validation": len(dataset.validation.x) if dataset.validation else 0,
            "test": len(dataset.test.x),
        },
        "resolved_sha256": digest(plan.resolved()),
        "parameters": parameters,
        "best_epoch": None,
        "metrics": {},
    }


def train(job: Job, stop: StopSignal, start: Start | None = None) -> runs.Run:
    """Trains, from the beginning or from `start`, and finishes the run: each way out leaves its status in run.json."""
    run = job.run
    started = time.perf_counter()
    recorder: Recorder | None = None
    try:
        recorder = _fit_model(job, stop, start)
        trained = time.perf_counter()
        _keep_best(job, recorder)
        if stop.signum is not None:
            raise Interrupted(
                f"stopped in epoch {len(recorder.history) + 1}", stop.signum, f"dltrain resume {run.path}"
            )
        metrics = {**recorder.best_row, **_test(job)}
        if job.watch is not None:
            job.watch.add(TEST, time.perf_counter() - trained)
            _tell_profile(job, job.watch, recorder)
    except Interrupted:
        _finish(job, "interrupted", recorder, {}, started)
        raise
    except KeyboardInterrupt:
        _finish(job, "interrupted", recorder, {}, started)
        raise
    except BaseException as error:
        run.log(traceback.format_exc())
        run.update(error=str(error))
        _finish(job, "diverged" if isinstance(error, Diverged) else "failed", recorder, {}, started)
        if backends.current().out_of_memory(error):
            hint = "a smaller `batch_size`, a smaller model, or `data.limit`"
            raise DltrainError("out of memory during training", hint) from error
        raise
    failed = failed_bounds(job.plan.spec.expect, metrics)
    run.update(expect={"failed": failed})
    _finish(job, "completed", recorder, metrics, started)
    if failed:
        raise ExpectationFailed("; ".join(failed))
    return run


def _tell_profile(job: Job, watch: Stopwatch, recorder: Recorder) -> None:
    for name, seconds in recorder.watch.seconds.items():
        watch.add(name, seconds)
    batch_size, steps, _ = steps_of(job.plan, len(job.dataset.train.x))
    inputs = inputs_of(job.dataset, "train", job.form, job.plan.spec.runtime.feed)
    batches = inputs.shuffled(batch_size, job.plan.spec.seed, backends.current().epoch())
    watch.add(INPUT, feed_seconds(batches, steps * len(recorder.history)))
    told = rows(watch.seconds)
    job.run.write_json("profile.json", {name: round(seconds, 4) for name, seconds, _ in told})
    job.on_event(Profiled(told))


def _fit_model(job: Job, stop: StopSignal, start: Start | None) -> Recorder:
    from dltrain.engine.model import build, device
    from dltrain.engine.training.recorder import Recorder

    plan, dataset, model, run = job.plan, job.dataset, job.model, job.run
    train = plan.spec.train
    samples = len(dataset.train.x)
    batch_size, steps, at_once = steps_of(plan, samples)
    model.steps_per_execution = at_once
    inputs = inputs_of(dataset, "train", job.form, plan.spec.runtime.feed)
    chosen = {
        "backend": plan.spec.runtime.backend,
        "feed": inputs.kind,
        "threads": backends.current().threads(),
        "steps_per_execution": at_once,
        **job.faster,
        "inference_batch_size": backends.INFERENCE_BATCH,
    }
    run.update(runtime=chosen, epochs=train.epochs)
    computing = "" if plan.spec.runtime.backend == "tensorflow" else f", {backends.TITLES[plan.spec.runtime.backend]}"
    job.on_event(
        Prepared(
            run=run.id,
            path=run.path,
            device=device.describe() + computing,
            parameters=build.parameters(model),
            train_samples=samples,
            validation_samples=len(dataset.validation.x) if dataset.validation else 0,
            epochs=train.epochs,
            steps=steps,
            smoke=plan.smoke,
        )
    )
    epoch = backends.current().epoch()
    callbacks = build.callbacks(plan)
    recorder = Recorder(plan.spec, run, epoch, samples, stop, job.on_event, callbacks, start)
    done = start.checkpoint.epoch if start is not None else 0
    if start is not None and (start.checkpoint.stopped or done >= train.epochs):
        return recorder
    validation = (
        inputs_of(dataset, "validation", job.form, plan.spec.runtime.feed).in_order() if dataset.validation else None
    )
    batches = inputs.shuffled(batch_size, plan.spec.seed, epoch)
    model.fit(
        batches,
        initial_epoch=done,
        epochs=train.epochs,
        validation_data=validation,
        callbacks=[*callbacks, recorder],
        shuffle=False,  # the feed shuffles
        verbose=0,
    )
    return recorder


def _keep_best(job: Job, recorder: Recorder) -> None:
    """Puts the best weights into the model and writes `model.keras`, atomically."""
    from dltrain.engine.model import weights

    if recorder.best_epoch is None:
        return
    weights.assign(weights.named_variables(job.model), recorder.best_weights, "the best epoch")
    job.run.write_bytes("model.keras", _keras_file(job))


def _keras_file(job: Job) -> bytes:
    """The model as Keras saves it, every layer one of Keras's own."""
    import tempfile

    directory = job.run.path
    with (
        runs.atomic.trouble("write", directory / "model.keras"),
        tempfile.TemporaryDirectory(prefix=".tmp-model-", dir=directory) as folder,
        backends.current().as_written(job.model, job.faster["recurrent"]),
    ):
        file = Path(folder) / "model.keras"
        job.model.save(file)
        return file.read_bytes()


def _test(job: Job) -> dict[str, float]:
    job.on_event(Phase("evaluating"))
    evaluation = evaluate_model(job.plan.spec, job.dataset, job.model, job.form, job.run, "test")
    return {f"test_{name}": value for name, value in evaluation.metrics.items()}


def _finish(
    job: Job, status: runs.Status, recorder: Recorder | None, metrics: Mapping[str, float], started: float
) -> None:
    best = recorder.best_epoch if recorder else None
    seconds = time.perf_counter() - started
    job.run.finish(status, best_epoch=best, metrics=dict(metrics), seconds=round(seconds, 3))
    job.run.log(f"{status} after {len(recorder.history) if recorder else 0} epochs")
    job.on_event(Finished(job.run.id, job.run.path, status, best, metrics, seconds))
