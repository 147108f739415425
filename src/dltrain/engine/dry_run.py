"""A dry run: one real batch forward and backward through the built model, before training."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltrain.config import Plan
from dltrain.config.catalogue import entries
from dltrain.config.catalogue.domains import suspect
from dltrain.config.document.source import place_of
from dltrain.engine.events import Listener, Phase, ignore
from dltrain.engine.inputs import load_data
from dltrain.engine.model.shards import choose_cores
from dltrain.engine.session import Device, Session, open_session
from dltrain.engine.training.initial_weights import find_source
from dltrain.engine.training.job import Job, prepare
from dltrain.errors import Problem

if TYPE_CHECKING:
    import keras

    from dltrain.engine.backends.backend import Batches

_TIMED_SECONDS = 3.0
# A start loss that differs from the loss of uniform guesses by more than this factor gets a warning.
_FAR = 2.0
# The same for inputs without a fixed range, in nats above it. On synthetic images, whose pixels have unit variance and
# vary together, healthy models begin at up to 6 nats more, and those with inputs 100 times larger at 8 to 14.
_FAR_ABOVE = 8.0


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A built layer: `output` is the shape of one sample; `macs` is None without a rule for the layer."""

    name: str
    kind: str
    output: tuple[int | None, ...]
    parameters: int
    macs: int | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """The results of a dry run.

    Args:
        layers: the built layers, in order.
        start_loss: loss of the first batch before any step, without regularization.
        expected_loss: loss of uniform guesses; None if the loss does not define one.
        steps: optimizer steps per epoch.
        epoch_seconds: estimate for these steps, timed on a few; without validation and checkpoints.
        peak_bytes: peak memory of the GPU, or of this process on a CPU.
        device: the device it ran on.
        warnings: probable mistakes.
    """

    layers: Sequence[LayerRow]
    start_loss: float
    expected_loss: float | None
    steps: int
    epoch_seconds: float
    peak_bytes: int
    device: Device
    warnings: tuple[Problem, ...]


def dry_run(plan: Plan, *, owns_process: bool = False, on_event: Listener = ignore) -> DryRun:
    """Build the model of a plan and train it for a few steps on its data; nothing is written.

    Raises:
        ConfigError: the model cannot be built, or its loss or gradients are not finite on the first batch.
        DataError: the data cannot be read.
    """
    source = find_source(plan, Path("runs"))
    dataset = load_data(plan.spec, on_event, told=plan.checked.told)
    cores = choose_cores(plan, dataset.facts, owns_process)
    with open_session(plan.spec, cores, owns_process=owns_process, on_event=on_event) as session:
        return _tried_out(prepare(plan, dataset, session, on_event, source=source), on_event)


def _tried_out(job: Job, on_event: Listener) -> DryRun:
    plan, session = job.plan, job.session
    epoch = session.backend.epoch()
    on_event(Phase("one batch forward and backward"))
    first = job.inputs.train.shuffled(job.steps.batch_size, plan.spec.seed, epoch, 1, plan.spec.train.shuffle)
    loss, warnings = _first_batch(job, *next(iter(first)))
    expected = _expected_loss(plan, job.built.model)
    highest = None if expected is None else expected * _FAR if job.dataset.facts.unit_range else expected + _FAR_ABOVE
    if expected is not None and highest is not None and not expected / _FAR <= loss <= highest:
        warnings.append(_far_start(plan, loss, expected))
    on_event(Phase("timing a few steps"))
    seconds = _seconds_per_step(job, partial(job.training_input, epoch)) * job.steps.per_epoch
    return DryRun(
        layers=_layer_rows(plan, job.built.model),
        start_loss=loss,
        expected_loss=expected,
        steps=job.steps.per_epoch,
        epoch_seconds=seconds,
        peak_bytes=_peak_bytes(session),
        device=session.device,
        warnings=tuple(warnings),
    )


def _layer_rows(plan: Plan, model: keras.Sequential) -> list[LayerRow]:
    known = {row.name: row.after.macs for row in plan.checked.outline.rows}
    return [
        LayerRow(
            layer.name,
            type(layer).__name__,
            tuple(layer.output.shape[1:]),
            layer.count_params(),
            known.get(layer.name),
        )
        for layer in model.layers
    ]


def _first_batch(job: Job, x: Any, y: Any, *weights: Any) -> tuple[float, list[Problem]]:
    """Return the loss of the first batch, and warnings about its gradients."""
    from dltrain.engine.model import blame
    from dltrain.engine.model.construct import Refused, ask

    plan, model = job.plan, job.built.model
    try:
        whole, gradients = ask(job.session.backend.first_step, model, x, y)
    except Refused as refusal:
        raise blame.training_at_fault(plan, model, refusal) from refusal
    penalty = float(sum(float(value) for value in model.losses))
    if not math.isfinite(whole):
        if (error := blame.not_finite_at_fault(plan, x)) is not None:
            raise error
        scale = "look at the scale of the data, at the initializers and at activations without bounds"
        hint = suspect(plan.spec.train.loss, plan.spec.model.layers) or scale
        raise plan.error(("train", "loss"), f"the loss of the first batch is {whole}", hint, "start-loss")
    return whole - penalty, _check_gradients(plan, model, gradients)


def _check_gradients(plan: Plan, model: keras.Sequential, gradients: Sequence[np.ndarray | None]) -> list[Problem]:
    """Warn of layers whose gradients are missing or all zero: they learn nothing.

    Raises:
        ConfigError: a gradient is not finite.
    """
    largest: dict[int, float] = {}
    of_variable = dict(zip((id(v) for v in model.trainable_variables), gradients, strict=True))
    for index, layer in enumerate(model.layers):
        for variable in layer.trainable_variables:
            gradient = of_variable[id(variable)]
            size = 0.0 if gradient is None else float(np.abs(gradient).max(initial=0.0))
            if not math.isfinite(size):
                message = f"the gradient of layer {index + 1}, `{layer.name}`, is not finite on the first batch"
                raise plan.error(("model", "layers", index), message, "lower the layer's scale", "gradient")
            largest[index] = max(size, largest.get(index, 0.0))
    stuck = [index for index, size in largest.items() if size == 0.0]
    if not stuck:
        return []
    names = ", ".join(f"`{model.layers[index].name}`" for index in stuck[:4]) + (", …" if len(stuck) > 4 else "")
    path = plan.checked.layers[stuck[0]]
    message = f"no gradient reaches {names}: nothing is learned there"
    hint = "look at what stands behind: an activation that is flat, or a layer that cannot be differentiated"
    return [Problem("gradient", message, path, place_of(plan.checked.tree, path), hint, "warning")]


def _expected_loss(plan: Plan, model: keras.Sequential) -> float | None:
    """Return the cross-entropy of uniform guesses: ln(classes), or ln 2 for binary outputs."""
    loss, outputs = plan.spec.train.loss.name, model.output_shape[-1]
    if not entries.trait("loss", loss, "crossentropy"):
        return None
    if entries.trait("loss", loss, "binary"):
        return math.log(2)
    return math.log(outputs) if outputs and outputs > 1 else None


def _far_start(plan: Plan, loss: float, expected: float) -> Problem:
    path = ("train", "loss")
    message = f"the loss of the first batch is {loss:.3g}; uniform guesses have {expected:.3g}"
    hint = "look at the scale of the data, the initializers, and the last activation against the loss"
    return Problem("start-loss", message, path, place_of(plan.checked.tree, path), hint, "warning")


def _seconds_per_step(job: Job, batches: Callable[[int], Batches]) -> float:
    """Return the wall time of one optimizer step; the first execution, which traces, is not timed.

    Raises:
        ConfigError: Keras refuses the step.
    """
    from dltrain.engine.model import blame
    from dltrain.engine.model.construct import Refused

    model, steps, at_once = job.built.model, job.steps.per_epoch, job.steps.per_execution
    try:
        blame.guarded(job.session, model.fit, batches(at_once), shuffle=False, verbose=0)
    except Refused as refusal:
        raise blame.training_at_fault(job.plan, model, refusal, job.jit_compile) from refusal
    timed, seconds = 0, 0.0
    count = min(at_once, steps)
    while seconds < _TIMED_SECONDS / 2:
        started = time.perf_counter()
        model.fit(batches(count), shuffle=False, verbose=0)
        seconds += time.perf_counter() - started
        timed += count
        if count >= steps:
            break
        count = max(at_once, min(steps, 4 * count) // at_once * at_once)
    return seconds / timed


def _peak_bytes(session: Session) -> int:
    if session.device.kind == "GPU":
        return session.backend.gpu_peak_bytes()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
