"""A config -> a run: load, check, build, train, evaluate, record."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain import data, runs, spec
from dltrain.engine.evaluation import evaluate_model, failed_bounds, inputs_of
from dltrain.engine.events import Finished, Listener, Phase, Prepared, Warned, ignore
from dltrain.errors import Diverged, DltrainError, ExpectationFailed, Interrupted, UsageError

if TYPE_CHECKING:
    import keras

    from dltrain.engine.recorder import Recorder, StopSignal
    from dltrain.spec.labels import LabelForm

RECORDED_PACKAGES = ("dltrain", "tensorflow", "keras", "numpy", "safetensors", "scikit-learn")
AUTO_STEPS_PER_EXECUTION = 16


def fit(
    config: Path | str,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    smoke: bool = False,
    name: str | None = None,
    runs_dir: Path | str = "runs",
    on_event: Listener = ignore,
) -> runs.Run:
    """Trains the model that a config describes, on a GPU when TensorFlow finds one.

    Args:
        config: the YAML file.
        overrides: `key.path=value` texts, or a mapping from key paths to values.
        smoke: one epoch on 512 training and 128 test samples, judged by no gate.
        name: the run's name, instead of the config's.
        runs_dir: where the run's directory is made.
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
    plan = spec.load(config, overrides, smoke=smoke, name=name)
    runs.ensure_writable(Path(runs_dir))
    if plan.checked.warnings:
        on_event(Warned(plan.checked.warnings))
    on_event(Phase("loading data"))
    dataset = load_data(plan.spec)
    on_event(Phase("starting TensorFlow"))
    from dltrain.engine import build, device

    device.prepare(plan.spec.seed, plan.spec.train.deterministic)
    on_event(Phase("building the model"))
    model, form = build.compiled(plan, dataset)
    run = runs.create(
        Path(runs_dir),
        name=plan.spec.name,
        config=plan.text,
        resolved=plan.resolved(),
        record=_record(plan, dataset, build.parameters(model), device.describe()),
    )
    run.write_json("validation_indices.json", [int(index) for index in dataset.validation_indices])
    return _train(plan, dataset, model, form, run, on_event)


def load_data(plan: spec.Spec) -> data.Dataset:
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


def steps_of(train: spec.TrainSpec, samples: int) -> tuple[int, int, int]:
    """(samples in a batch, batches in an epoch, batches in one call of TensorFlow)."""
    batch_size = samples if train.batch_size == "full" else min(train.batch_size, samples)
    steps = -(-samples // batch_size)
    wanted = AUTO_STEPS_PER_EXECUTION if train.steps_per_execution == "auto" else train.steps_per_execution
    return batch_size, steps, min(wanted, steps)


def _record(plan: spec.Plan, dataset: data.Dataset, parameters: int, device: str) -> dict[str, Any]:
    return {
        "command": runs.provenance.command_line(sys.argv),
        "overrides": list(plan.overrides),
        "smoke": plan.smoke,
        "seed": plan.spec.seed,
        "versions": runs.provenance.versions(RECORDED_PACKAGES),
        "platform": runs.provenance.platform_text(),
        "device": device,
        "git": runs.provenance.git_state(Path(plan.file).resolve().parent),
        "data": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "train": len(dataset.train.x),
            "validation": len(dataset.validation.x) if dataset.validation else 0,
            "test": len(dataset.test.x),
        },
        "parameters": parameters,
        "best_epoch": None,
        "metrics": {},
    }


def _train(
    plan: spec.Plan,
    dataset: data.Dataset,
    model: keras.Sequential,
    form: LabelForm,
    run: runs.Run,
    on_event: Listener,
) -> runs.Run:
    """Trains and finishes the run, whatever happens: each way out leaves its status in run.json."""
    from dltrain.engine.recorder import StopSignal

    started = time.perf_counter()
    recorder: Recorder | None = None
    try:
        with StopSignal() as stop:
            recorder = _fit_model(plan, dataset, model, form, run, stop, on_event)
        _keep_best(model, run, recorder)
        if stop.signum is not None:
            raise Interrupted(f"stopped in epoch {len(run.metrics()) + 1}", stop.signum, f"the run is in {run.path}")
        metrics = {**recorder.best_row, **_test(plan, dataset, model, form, run, on_event)}
    except Interrupted:
        _finish(run, "interrupted", recorder, {}, started, on_event)
        raise
    except KeyboardInterrupt:
        _finish(run, "interrupted", recorder, {}, started, on_event)
        raise
    except BaseException as error:
        run.log(traceback.format_exc())
        run.update(error=str(error))
        _finish(run, "diverged" if isinstance(error, Diverged) else "failed", recorder, {}, started, on_event)
        if _out_of_memory(error):
            hint = "a smaller `batch_size`, a smaller model, or `data.limit`"
            raise DltrainError("out of memory during training", hint) from error
        raise
    failed = failed_bounds(plan.spec.expect, metrics)
    run.update(expect={"failed": failed})
    _finish(run, "completed", recorder, metrics, started, on_event)
    if failed:
        raise ExpectationFailed("; ".join(failed))
    return run


def _out_of_memory(error: BaseException) -> bool:
    import tensorflow as tf

    return isinstance(error, tf.errors.ResourceExhaustedError | MemoryError)


def _fit_model(
    plan: spec.Plan,
    dataset: data.Dataset,
    model: keras.Sequential,
    form: LabelForm,
    run: runs.Run,
    stop: StopSignal,
    on_event: Listener,
) -> Recorder:
    from dltrain.engine import build, feed
    from dltrain.engine.recorder import Recorder

    train = plan.spec.train
    samples = len(dataset.train.x)
    batch_size, steps, at_once = steps_of(train, samples)
    model.steps_per_execution = at_once
    run.update(steps_per_execution=at_once)
    held_out = len(dataset.validation.x) if dataset.validation else 0
    on_event(
        Prepared(
            run.id,
            run.path,
            run.record()["device"],
            build.parameters(model),
            samples,
            held_out,
            train.epochs,
            steps,
            plan.smoke,
        )
    )
    epoch = feed.epoch_variable()
    callbacks = build.callbacks(plan)
    recorder = Recorder(plan.spec, run, epoch, samples, stop, on_event, callbacks)
    validation = inputs_of(dataset, "validation", form).in_order() if dataset.validation else None
    batches = inputs_of(dataset, "train", form).shuffled(batch_size, plan.spec.seed, epoch)
    model.fit(
        batches,
        epochs=train.epochs,
        validation_data=validation,
        callbacks=[*callbacks, recorder],
        shuffle=False,  # the feed shuffles
        verbose=0,
    )
    return recorder


def _keep_best(model: keras.Sequential, run: runs.Run, recorder: Recorder) -> None:
    """Puts the best weights into the model and writes `model.keras`, atomically."""
    from dltrain.engine import weights

    if recorder.best_epoch is None:
        return
    weights.assign(weights.named_variables(model), recorder.best_weights, "the best epoch")
    run.write_bytes("model.keras", _keras_file(model, run.path))


def _keras_file(model: keras.Sequential, directory: Path) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory(prefix=".tmp-model-", dir=directory) as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        return file.read_bytes()


def _test(
    plan: spec.Plan,
    dataset: data.Dataset,
    model: keras.Sequential,
    form: LabelForm,
    run: runs.Run,
    on_event: Listener,
) -> dict[str, float]:
    on_event(Phase("evaluating"))
    evaluation = evaluate_model(plan.spec, dataset, model, form, run, "test")
    return {f"test_{name}": value for name, value in evaluation.metrics.items()}


def _finish(
    run: runs.Run,
    status: runs.Status,
    recorder: Recorder | None,
    metrics: Mapping[str, float],
    started: float,
    on_event: Listener,
) -> None:
    best = recorder.best_epoch if recorder else None
    seconds = time.perf_counter() - started
    run.finish(status, best_epoch=best, metrics=dict(metrics), seconds=round(seconds, 3))
    on_event(Finished(run.id, run.path, status, best, metrics, seconds))
