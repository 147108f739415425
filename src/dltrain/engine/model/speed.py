"""Automatic choices for fast training: steps per backend call, XLA, recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

from dltrain.config.catalogue.entries import find, trait
from dltrain.config.catalogue.kinds import section_of
from dltrain.config.schema import KerasObject
from dltrain.data.sizes import train_samples
from dltrain.engine.backends.backend import Recurrence
from dltrain.engine.session import DeviceKind

if TYPE_CHECKING:
    from dltrain.config import Plan
    from dltrain.data.facts import Facts

LARGE_STEP = 2e8  # operations, from which on they take longer than their calls
_SLOW_CPU = 30e9  # operations a second, in training
_SLOW_GPU = 1e12
_STEP = 5e-4  # seconds of a step on a slow CPU that computes next to nothing
_GPU_STEP = 2.5e-3  # the same on a GPU without XLA: the host starts one operation after the other
_PASSED = 5e-9  # seconds for a number that a layer makes, or for a weight that the optimizer updates
_TURN = 2e-4  # seconds for a step of a sequence, one after the other
_LONGEST_CALL = 0.5  # seconds
_WORTH_COMPILING = 1.0  # seconds of an epoch, by the same estimate; XLA takes one or two to compile
MOST_SHARDS_OF_UNROLLED = 2  # each has a hundred times as many operations to trace as another shard
_LONGEST_SEQUENCE = 32  # steps; tracing a longer unrolled layer takes more time than it saves
# Samples per epoch. Tracing an unrolled layer takes some seconds more, won back over 30,000 to 40,000 samples.
_WORTH_UNROLLING = 5_000
_RECURRENT = ("LSTM", "GRU", "SimpleRNN")  # the layers that `backends.*.speed_up` knows
# The layers that XLA makes faster, beside those that work at every position alike.
COMPILED = (
    *("Flatten", "Reshape", "Permute", "RepeatVector", "Rescaling", "Normalization", "Embedding", "TimeDistributed"),
    *("GlobalAveragePooling1D", "GlobalMaxPooling1D"),
    *("LSTM", "GRU", "SimpleRNN", "Bidirectional", "RNN", "LSTMCell", "GRUCell", "SimpleRNNCell"),
)
# The same on a GPU: no recurrent layers, which cuDNN computes as a whole.
COMPILED_ON_GPU = (
    *("Flatten", "Reshape", "Permute", "RepeatVector", "Rescaling", "Normalization"),
    *("BatchNormalization", "LayerNormalization", "GroupNormalization"),
    *(f"{kind}Conv{axes}D" for kind in ("", "Separable", "Depthwise") for axes in (1, 2)),
    *("Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    *(f"{kind}{axes}D" for kind in ("ZeroPadding", "Cropping", "UpSampling") for axes in (1, 2, 3)),
    *(f"{kind}Pooling{axes}D" for kind in ("Average", "GlobalAverage", "GlobalMax") for axes in (1, 2, 3)),
    *("MaxPooling1D", "MaxPooling2D"),
)
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


def per_execution(plan: Plan, steps: Steps, most: int, device: DeviceKind = "CPU") -> Steps:
    """Choose the batches per backend call, at most `most` of them unless the config says how many."""
    chosen = plan.spec.train.steps_per_execution
    count = _per_execution(plan, steps.batch_size, most, device) if chosen == "auto" else chosen
    return replace(steps, per_execution=min(count, steps.per_epoch))


def _per_execution(plan: Plan, batch_size: int, most: int, device: DeviceKind) -> int:
    """Return the number of steps that take half a second at most; 1 for unknown layers.

    During a call the progress display stands still and Ctrl-C waits.
    """
    if plan.checked.outline.shape is None:
        return 1
    return max(1, min(most, int(_LONGEST_CALL / _seconds_of_step(plan, batch_size, device))))


def _seconds_of_step(plan: Plan, batch_size: int, device: DeviceKind) -> float:
    """Estimate the time of a step on a slow device, without XLA."""
    rows = plan.checked.outline.rows
    computed = 6 * batch_size * sum(row.after.macs for row in rows)
    if device == "GPU":
        return _GPU_STEP + computed / _SLOW_GPU
    passed = sum(batch_size * prod(row.after.shape) + row.after.trainable for row in rows)
    turns = sum(_turns(row.placed.object, row.before) for row in rows)
    return _STEP + computed / _SLOW_CPU + passed * _PASSED + turns * _TURN


def compiles(plan: Plan, facts: Facts, device: DeviceKind = "CPU") -> bool:
    """Return whether XLA compiles the steps of TensorFlow.

    By default in epochs of a second at least: on a GPU all but those of recurrent layers; on a CPU those of small dense
    models, and of recurrent models whose layers are not all fused, also where they would be unrolled, which takes
    longer. Independent of `epochs` and of `feed`, so a resumed run stays bit-identical.
    """
    spec, outline = plan.spec, plan.checked.outline
    if spec.runtime.backend != "tensorflow":
        return False  # JAX compiles what it runs
    if spec.runtime.jit_compile != "auto":
        return spec.runtime.jit_compile
    samples = samples_of(plan, facts)
    if outline.shape is None or samples < 1 or plan.smoke or spec.data.augment:
        return False
    steps = count_steps(plan, samples)
    long = steps.per_epoch * _seconds_of_step(plan, steps.batch_size, device) >= _WORTH_COMPILING
    if device == "GPU":
        return long and all(map(_gains_on_gpu, spec.model.layers))
    if (
        spec.runtime.shards not in ("auto", 1)
        or spec.runtime.recurrent == "unroll"
        or spec.train.precision != "float32"
    ):
        return False
    small = 6 * steps.batch_size * sum(row.after.macs for row in outline.rows) < LARGE_STEP
    fuses = spec.runtime.recurrent == "auto" and samples >= _WORTH_UNROLLING
    loops = any(how != "fused" for _, how in along_sequences(plan, fuses))
    worth = (small and long) or (loops and (long or fuses))
    return worth and all(map(_gains_from_xla, spec.model.layers))


def _gains_from_xla(layer: KerasObject) -> bool:
    """Return whether XLA makes a layer faster; it makes convolutions slower, and takes minutes for unrolled loops."""
    known = layer.name in COMPILED or trait("layer", layer.name, "positionwise")
    return bool(known) and not layer.arguments.get("unroll") and all(map(_gains_from_xla, wrapped(layer)))


def _gains_on_gpu(layer: KerasObject) -> bool:
    """Return whether XLA compiles a layer on a GPU.

    It has no gradient of max pooling that is the same each time; that of windows side by side is made of others.
    """
    arguments = layer.arguments
    if layer.name.startswith("MaxPooling"):
        size, strides = (_for_each_axis(arguments[key]) for key in ("pool_size", "strides"))
        beside = strides in (size, [None, None]) and arguments["padding"] == "valid"
        return beside and arguments["data_format"] != "channels_first" and layer.name in COMPILED_ON_GPU
    return layer.name in COMPILED_ON_GPU or bool(trait("layer", layer.name, "positionwise"))


def _for_each_axis(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return values * 2 if len(values) == 1 else values


def wrapped(layer: KerasObject) -> Iterator[KerasObject]:
    """Yield the layers that are arguments of a layer, such as that of `Bidirectional`."""
    entry = find("layer", layer.name)
    for key, value in layer.arguments.items():
        if value and entry is not None and section_of(entry.arguments[key]) == "layer":
            yield from map(KerasObject.model_validate, value if isinstance(value, list) else [value])


def along_sequences(plan: Plan, faster: bool) -> Iterator[tuple[float, Recurrence | None]]:
    """Yield what a layer that goes along sequences multiplies and adds in a step of a sample, and how it is computed.

    Args:
        plan: the config.
        faster: whether recurrent layers get a faster implementation, where there is one.
    """
    for row, (layer, masked) in zip(plan.checked.outline.rows, with_masks(plan.spec.model.layers), strict=False):
        if turns := _turns(layer, row.before):
            yield row.after.macs / turns, recurrence(layer, row.before, masked) if faster else None


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
    runtime, samples = plan.spec.runtime, samples_of(plan, facts)
    many = samples >= _WORTH_UNROLLING and not plan.smoke
    few = runtime.shards == "auto" or runtime.shards <= MOST_SHARDS_OF_UNROLLED
    return runtime.recurrent == "unroll" or (runtime.recurrent == "auto" and many and few and not compiles(plan, facts))


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
