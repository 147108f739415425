"""A training job that is ready to start: model, input pipeline and steps, and their record in run.json."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain import runs
from dltrain.config import Plan
from dltrain.config.catalogue.names import directions
from dltrain.data.arrays import Dataset
from dltrain.engine.backends.backend import INFERENCE_BATCH, MOST_GATHERED_INSIDE, in_file
from dltrain.engine.events import Listener, Phase, Warned
from dltrain.engine.inputs import Pipelines, first_samples, pipelines_of, training_samples
from dltrain.engine.machine import machine_of
from dltrain.engine.model.speed import Steps, compiles, count_steps, per_execution
from dltrain.engine.session import Session
from dltrain.engine.training.initial_weights import Source, load_weights

if TYPE_CHECKING:
    import keras

    from dltrain.engine.backends.backend import Batches, Epoch, Rows
    from dltrain.engine.model.adapting import Learner
    from dltrain.engine.model.build import BuiltModel

RECORDED_PACKAGES = (
    *("dltrain", "tensorflow", "keras", "numpy", "safetensors", "scikit-learn", "jax", "pillow", "tokenizers"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A compiled model with its callbacks, data, session, input pipelines and steps."""

    plan: Plan
    dataset: Dataset
    session: Session
    built: BuiltModel
    callbacks: list[keras.callbacks.Callback]
    inputs: Pipelines
    steps: Steps
    rows: Rows | None = None
    jit_compile: bool = False
    initial_weights: runs.InitialWeights | None = None

    def training_input(self, epoch: Epoch, steps: int | None = None) -> Batches:
        """Return what the model's `fit` takes for an epoch, or for its first steps.

        The order of the samples is a pure function of seed and `epoch`.
        """
        seed, shuffle = self.plan.spec.seed, self.plan.spec.train.shuffle
        if self.rows is not None:
            return self.rows(self.steps.per_execution, seed, epoch, steps, shuffle)
        return self.inputs.train.shuffled(self.steps.batch_size, seed, epoch, steps, shuffle)


def prepare(
    plan: Plan,
    dataset: Dataset,
    session: Session,
    on_event: Listener,
    learn: Learner | None = None,
    source: Source | None = None,
) -> Job:
    """Build the model of a plan and the input pipelines of its splits.

    Args:
        plan: the config.
        dataset: its data.
        session: the backend.
        on_event: called with each event of `engine.events`.
        learn: gives what a run has learnt for its `Normalization`; None to learn it from the data.
        source: gives the weights to begin with; None where all are drawn.

    Raises:
        ConfigError: the data contradicts the config, the model needs more memory than this machine has, Keras refuses
            it or a callback, or loss or metrics do not take its output.
    """
    from dltrain.engine.model.adapting import from_data
    from dltrain.engine.model.augmentation import build_augmentation
    from dltrain.engine.model.build import build_callbacks, build_model, try_out

    plan = _confirmed(plan, dataset, on_event)
    too_large = [warning for warning in plan.checked.warnings if warning.code == "memory"]
    if too_large and session.device.kind == "CPU":  # a GPU may have more memory than the machine
        raise plan.refusal(too_large)
    steps = count_steps(plan, training_samples(dataset, plan.spec))
    plan = plan.in_steps(steps.per_epoch)
    on_event(Phase("building the model"))
    built = build_model(plan, dataset.facts, session, learn or from_data(dataset))
    samples = first_samples(dataset, built.encoding, plan.spec, 2)
    try_out(plan, built, samples)
    augment = build_augmentation(plan, samples[0])
    initial = load_weights(plan, built.model, source, on_event) if source is not None else None
    callbacks = build_callbacks(plan)
    inputs = pipelines_of(dataset, built.encoding, plan.spec, session.backend, augment)
    jit_compile = built.shards == 1 and _compiles(plan, dataset, session)
    if jit_compile or session.device.kind == "CPU":
        session.backend.speed_up_gradients(built.model)
    rows = inputs.train.gathered_inside(built.model, steps.batch_size, jit_compile)
    if jit_compile and plan.spec.runtime.jit_compile is True and augment is not None and session.device.kind == "CPU":
        message = "XLA compiles several steps together, and augmented batches come one by one"
        raise plan.error(("runtime", "jit_compile"), message, "remove it, or `data.augment`", "jit-compile")
    most = session.backend.AUTO_STEPS_PER_EXECUTION if rows is None else MOST_GATHERED_INSIDE
    steps = per_execution(plan, steps, most, session.device.kind)
    built.model.steps_per_execution = steps.per_execution
    return Job(plan, dataset, session, built, callbacks, inputs, steps, rows, rows is not None and jit_compile, initial)


def _compiles(plan: Plan, dataset: Dataset, session: Session) -> bool:
    """Return whether XLA compiles the steps; on a GPU not where samples are read from files, best beside the steps."""
    read_beside = session.device.kind == "GPU" and in_file(dataset.train.x) and plan.spec.runtime.jit_compile == "auto"
    return compiles(plan, dataset.facts, session.device.kind) and not read_beside


def _confirmed(plan: Plan, dataset: Dataset, on_event: Listener) -> Plan:
    """Return the plan with what was learnt from reading the data; what that makes doubtful is told."""
    known = plan.with_facts(dataset.facts)
    told = {(warning.path, warning.message) for warning in plan.checked.warnings}
    new = [warning for warning in known.checked.warnings if (warning.path, warning.message) not in told]
    if new:
        on_event(Warned(tuple(new)))
    return known


def create_run(job: Job, runs_dir: Path) -> runs.Run:
    """Create the run of a job. Raises RunError if it cannot be written."""
    plan = job.plan
    return runs.create(
        runs_dir,
        name=plan.spec.name,
        config=plan.file_bytes,
        resolved=plan.resolved(),
        record={
            "command": runs.provenance.command_line(sys.argv),
            "git": runs.provenance.git_state(Path(plan.file).resolve().parent),
            **record_of(job),
        },
    )


def record_of(job: Job) -> dict[str, Any]:
    """Return the fields of `RunRecord` that are known when training starts or resumes."""
    plan, dataset, session = job.plan, job.dataset, job.session
    return {
        "overrides": plan.overrides,
        "smoke": plan.smoke,
        "seed": plan.spec.seed,
        "versions": runs.provenance.versions(RECORDED_PACKAGES),
        "platform": runs.provenance.platform_text(),
        "device": str(session.device),
        "machine": machine_of(session),
        "runtime": runs.RuntimeRecord(
            backend=plan.spec.runtime.backend,
            feed=job.inputs.train.kind,
            jit_compile=job.jit_compile,
            shards=job.built.shards,
            threads=session.cores.threads,
            precision=plan.precision,
            steps_per_execution=job.steps.per_execution,
            recurrent=job.built.recurrent,
            optimizer=job.built.optimizer,
            inference_batch_size=INFERENCE_BATCH,
        ),
        "data": runs.DataRecord(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            train=len(dataset.train),
            validation=len(dataset.validation) if dataset.validation is not None else 0,
            test=len(dataset.test),
        ),
        "resolved_sha256": (runs.config_digest(plan.resolved().encode()),),
        "initial_weights": job.initial_weights,
        "parameters": job.built.count_parameters(),
        "epochs": plan.spec.train.epochs,
        "directions": directions(plan.spec.train, job.built.metric_parts),
    }
