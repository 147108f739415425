"""Automatic choices for fast training: steps per backend call, recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from dltrain.config.catalogue.entries import trait
from dltrain.config.schema import KerasObject
from dltrain.data.sizes import train_samples
from dltrain.engine.backends.backend import Recurrence

if TYPE_CHECKING:
    from dltrain.config import Plan
    from dltrain.data.facts import Facts

LARGE_STEP = 2e8  # operations, from which on they take longer than their calls
_SLOW_CPU = 30e9  # operations a second, in training
_STEP = 5e-4  # seconds of a step on it that computes next to nothing
_PASSED = 5e-9  # seconds for a number that a layer makes, or for a weight that the optimizer updates
_TURN = 2e-4  # seconds for a step of a sequence, one after the other
_LONGEST_CALL = 0.5  # seconds
_WORTH_COMPILING = 1.0  # seconds of an epoch, by the same estimate; XLA takes one or two to compile
_LONGEST_SEQUENCE = 32  # steps; tracing a longer unrolled layer takes more time than it saves
# Samples per epoch. Tracing an unrolled layer takes some seconds more, won back over 30,000 to 40,000 samples.
_WORTH_UNROLLING = 5_000
_RECURRENT = ("LSTM", "GRU", "SimpleRNN")  # the layers that `backends.*.speed_up` knows
# The arguments that an LSTM must have to be fused.
_FUSED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "go_backwards": False,
}


@dataclass(frozen=True, slots=True)
class Steps:
    """Samples per batch, batches per epoch, batches per backend call."""

    batch_size: int
    per_epoch: int
    per_execution: int


def count_steps(plan: Plan, samples: int) -> Steps:
    """Return the steps for `samples` samples per epoch, one in a backend call."""
    train = plan.spec.train
    batch_size = samples if train.batch_size == "full" else min(train.batch_size, samples)
    return Steps(batch_size, -(-samples // batch_size), 1)


def per_execution(plan: Plan, steps: Steps, most: int) -> Steps:
    """Choose the batches per backend call, at most `most` of them unless the config says how many."""
    chosen = plan.spec.train.steps_per_execution
    count = _per_execution(plan, steps.batch_size, most) if chosen == "auto" else chosen
    return replace(steps, per_execution=min(count, steps.per_epoch))


def _per_execution(plan: Plan, batch_size: int, most: int) -> int:
    """Return the number of steps that take half a second at most; 1 for unknown layers.

    During a call the progress display stands still and Ctrl-C waits.
    """
    if plan.checked.outline.shape is None:
        return 1
    return max(1, min(most, int(_LONGEST_CALL / _seconds_of_step(plan, batch_size))))


def _seconds_of_step(plan: Plan, batch_size: int) -> float:
    """Estimate the time of a step on a slow CPU."""
    rows = plan.checked.outline.rows
    computed = 6 * batch_size * sum(row.after.macs for row in rows)
    passed = sum(batch_size * prod(row.after.shape) + row.after.trainable for row in rows)
    turns = sum(_turns(row.placed.object, row.before) for row in rows)
    return _STEP + computed / _SLOW_CPU + passed * _PASSED + turns * _TURN


def compiles(plan: Plan, facts: Facts) -> bool:
    """Return whether XLA compiles the steps of TensorFlow on a CPU: by default, those of small dense models.

    Independent of `epochs` and of `feed`, so a resumed run stays bit-identical.
    """
    chosen, outline = plan.spec.runtime.jit_compile, plan.checked.outline
    if plan.spec.runtime.backend != "tensorflow":
        return False  # JAX compiles what it runs
    if chosen != "auto":
        return chosen
    samples = samples_of(plan, facts)
    if outline.shape is None or samples < 1 or plan.smoke or plan.spec.train.precision != "float32":
        return False
    steps = count_steps(plan, samples)
    small = 6 * steps.batch_size * sum(row.after.macs for row in outline.rows) < LARGE_STEP
    seconds = steps.per_epoch * _seconds_of_step(plan, steps.batch_size)
    return small and seconds >= _WORTH_COMPILING and all(_is_dense(row.placed.object) for row in outline.rows)


def _is_dense(layer: KerasObject) -> bool:
    """Return whether a layer is of a kind that gains from XLA."""
    if layer.name in ("Flatten", "Reshape", "Rescaling", "Normalization"):
        return True
    return bool(trait("layer", layer.name, "positionwise")) and layer.name != "Masking"


def samples_of(plan: Plan, facts: Facts) -> int:
    """Return how many samples an epoch has; below 1 if none is left."""
    section = plan.spec.data
    return train_samples(facts.train, section.limit.train, section.validation, section.test, facts.gap)


def _turns(layer: KerasObject, shape: Sequence[int]) -> int:
    """Return the steps of a sequence that a layer takes one after the other."""
    if layer.name == "TimeDistributed":
        return shape[0] * _turns(KerasObject.model_validate(layer.arguments["layer"]), shape[1:])
    return shape[0] * (1 + (layer.name == "Bidirectional")) if trait("layer", layer.name, "recurrent") else 0


def speeds_up_recurrence(plan: Plan, facts: Facts) -> bool:
    """Return whether recurrent layers are unrolled or fused.

    Independent of `epochs`, so extending a run stays bit-identical.
    """
    kind, samples = plan.spec.runtime.recurrent, samples_of(plan, facts)
    return kind == "unroll" or (kind == "auto" and not plan.smoke and samples >= _WORTH_UNROLLING)


def recurrence(layer: KerasObject, shape: Sequence[int | None], masked: bool) -> Recurrence | None:
    """Return the faster implementation of a layer; None for Keras's own.

    Args:
        layer: the layer with all defaults filled in.
        shape: input shape of one sample.
        masked: whether a mask may skip steps, which a fused LSTM does not support.
    """
    short = len(shape) == 2 and shape[0] is not None and 1 < shape[0] <= _LONGEST_SEQUENCE
    if layer.name not in _RECURRENT or not short or layer.arguments["unroll"]:
        return None
    plain = layer.name == "LSTM" and all(layer.arguments[key] == value for key, value in _FUSED.items())
    return "fused" if plain and not masked else "unrolled"


def with_masks(layers: Sequence[KerasObject]) -> Iterator[tuple[KerasObject, bool]]:
    """Yield each layer with whether an earlier layer may mask steps."""
    masked = False
    for layer in layers:
        yield layer, masked
        masked = masked or layer.name == "Masking" or bool(layer.arguments.get("mask_zero"))
