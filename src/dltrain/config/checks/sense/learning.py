"""Layers that cannot learn as they start, or that leave nothing of their input."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.names import class_name
from dltrain.config.checks.draft import Draft, Placed, inner, kind_of, value_of
from dltrain.config.checks.outline import Outline, Row
from dltrain.config.checks.shapes import Shape
from dltrain.errors import Problem

# Each makes the numbers of a layer's units; `depthwise_initializer` makes those of its channels, which differ anyway.
_OF_UNITS = ("kernel_initializer", "pointwise_initializer", "embeddings_initializer")
_KERNELS = (*_OF_UNITS, "depthwise_initializer")
# On a small model: with L2(0.1) all weights were below 0.32, with L2(1) below 0.1, with L1(1) below 0.0005.
_LARGE_PENALTY = 1.0
_LARGE_WEIGHTS = 10.0
_WEIGHED = ("kernel_initializer", "pointwise_initializer", "depthwise_initializer", "recurrent_initializer")
_MOST_DROPPED = 0.95
_INNER_LAYERS = ("layer", "cell", "backward_layer")
# They leave of a single number what its own size makes of it: its sign.
_BY_SIZE = ("RMSNormalization", "UnitNormalization")


def check_learning(draft: Draft, outline: Outline) -> Iterator[Problem]:
    parts = [list(_parts(number, placed)) for number, placed in enumerate(draft.layers, 1)]
    yield from _check_adapted(draft, parts)
    layers = [first for first, *_ in parts]
    for index, within in enumerate(parts):
        for layer in within:
            yield from _check_layer(draft, [*layers[:index], layer, *layers[index + 1 :]], index)
    for row in outline.rows:
        yield from _check_normalization(draft, row)


def _check_adapted(draft: Draft, parts: Sequence[Sequence[_Layer]]) -> Iterator[Problem]:
    """A `Normalization` that learns its mean: from the data, so nothing that is learned may stand before it."""
    before = ""
    for within in parts:
        for layer in within:
            if layer.kind != "Normalization" or layer.value("mean") is not None or layer.value("variance") is not None:
                continue
            inside = layer.placed.path != draft.layers[layer.number - 1].path
            if inside or before or layer.value("invert"):
                what = (
                    "it is inside another layer" if inside else f"it stands behind {before}" if before else "it inverts"
                )
                message = f"{layer} has no `mean` and `variance`, and cannot learn them from the data: {what}"
                hint = (
                    "put it first in `layers`, or write `Normalization: {mean: 0, variance: 1}` with those of its input"
                )
                yield draft.tell("normalization", message, layer.placed.path, hint)
        first = within[0]
        plain = any(entries.trait("layer", first.kind, trait) for trait in ("keeps_values", "rescales"))
        before = before or ("" if plain and len(within) == 1 else str(first))


def _check_layer(draft: Draft, layers: Sequence[_Layer], index: int) -> Iterator[Problem]:
    layer = layers[index]
    if value_of("layer", layer.placed.object, "trainable") is not False:
        yield from _check_start(draft, layers, index)
        yield from _check_bias(draft, layers, index)
    yield from _check_spread(draft, layer)
    yield from _check_regularizers(draft, layer)
    yield from _check_constraints(draft, layer)
    yield from _check_values(draft, layer)
    yield from _check_batch_averages(draft, layer)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer with its number in the model; of a wrapper, a layer inside."""

    number: int
    placed: Placed
    backward: bool = False

    @property
    def kind(self) -> str:
        return class_name(self.placed.object)

    def __str__(self) -> str:
        return f"{'the `backward_layer` of ' if self.backward else ''}layer {self.number}, `{self.kind}`"

    def value(self, key: str) -> Any:
        return value_of("layer", self.placed.object, key)

    def constant(self, key: str) -> float | None:
        """The number that an initializer gives to all weights; None for a random one and for an unknown argument."""
        given = inner(self.placed, "layer", key)
        return _constant(given) if given is not None else None

    def has(self, key: str) -> bool:
        entry = entries.find("layer", self.kind)
        return entry is not None and key in entry.arguments


def _parts(number: int, placed: Placed, backward: bool = False) -> Iterator[_Layer]:
    """Yield the layers inside a wrapper, of `Bidirectional` both where both are written; else the layer itself."""
    found = [(key, within) for key in _INNER_LAYERS if (within := inner(placed, "layer", key)) is not None]
    for key, within in found:
        yield from _parts(number, within, backward or key == "backward_layer")
    if not found:
        yield _Layer(number, placed, backward)


def _constant(initializer: Placed) -> float | None:
    """Return the number that an initializer gives to all weights; None where they differ."""

    def given(key: str) -> float:
        return float(value_of("initializer", initializer.object, key))

    match kind_of("initializer", initializer):
        case "Zeros":
            return 0.0
        case "Ones":
            return 1.0
        case "Constant":
            return given("value")
        case "RandomNormal" | "TruncatedNormal":
            return given("mean") if given("stddev") == 0 else None
        case "RandomUniform":
            return given("minval") if given("minval") == given("maxval") else None
        case "Orthogonal" | "Identity":
            return 0.0 if given("gain") == 0 else None
        case _:
            return None


def _check_start(draft: Draft, layers: Sequence[_Layer], index: int) -> Iterator[Problem]:
    """Weights that all start with the same number."""
    layer = layers[index]
    key = _zeros(layer)
    if key is not None and (flat := _flat_after(layers, index)) is not None:
        path = layer.placed.argument_path(key)
        message = (
            f"{layer} starts with zeros, and `{flat}` passes no gradient at 0: it never learns, nor do those before"
        )
        yield draft.tell("initializer", message, path, f"remove `{key}`", "warning")
        return
    key = next((key for key in _OF_UNITS if layer.constant(key) is not None), None)
    if key is None:
        return
    units = next((layer.value(key) for key in ("units", "filters", "output_dim") if layer.has(key)), None)
    hidden = any(later.has(of_units) for later in layers[index + 1 :] for of_units in _OF_UNITS)
    if not hidden or not isinstance(units, int) or units == 1:
        return
    if layer.has("recurrent_initializer") and layer.constant("recurrent_initializer") is None:
        return  # the units differ by what they take from their state
    message = f"the {units:,} units of {layer} start with the same weights, so at first they are one"
    hint = f"remove `{key}`, or write a random one, such as `{key}: glorot_uniform`"
    yield draft.tell("initializer", message, layer.placed.argument_path(key), hint, "warning")


def _check_bias(draft: Draft, layers: Sequence[_Layer], index: int) -> Iterator[Problem]:
    """A bias so far below zero that the activation passes nothing on."""
    layer, after = layers[index], layers[index + 1 : index + 2]
    bias = layer.constant("bias_initializer")
    if bias is None or bias > -_LARGE_WEIGHTS or layer.value("use_bias") is False:
        return
    flat = _flat_after(layers, index)
    normalized = layer.value("activation") in (None, "linear") and after and after[0].kind == "BatchNormalization"
    if flat is not None and flat.lower() in ("relu", "relu6") and not normalized:
        message = f"{layer} starts with a bias of {bias:g}: `{flat}` makes 0 of its outputs and passes no gradient"
        path = layer.placed.argument_path("bias_initializer")
        yield draft.tell("initializer", message, path, "remove `bias_initializer`", "warning")


def _check_spread(draft: Draft, layer: _Layer) -> Iterator[Problem]:
    """Weights that are drawn from a wide distribution."""
    for key in _WEIGHED:
        initializer = inner(layer.placed, "layer", key)
        kind = kind_of("initializer", initializer)
        if initializer is None or kind not in ("RandomNormal", "TruncatedNormal"):
            continue
        spread = value_of("initializer", initializer.object, "stddev")
        if isinstance(spread, int | float) and spread >= _LARGE_WEIGHTS:
            message = f"weights with a `stddev` of {spread:g} start so large that training hardly gets anywhere"
            path = initializer.argument_path("stddev")
            yield draft.tell("initializer", message, path, f"write `stddev: 0.05`, or remove `{key}`", "warning")


def _zeros(layer: _Layer) -> str | None:
    """Return the initializer because of which the layer outputs 0 for every input at first; None where it does not."""

    def zero(key: str, used: str) -> bool:
        return not layer.has(key) or layer.value(used) is False or layer.constant(key) == 0

    scale = "gamma_initializer"
    if layer.constant(scale) == 0 and layer.value("scale") is not False and zero("beta_initializer", "center"):
        return scale
    if not zero("bias_initializer", "use_bias"):
        return None
    return next((key for key in _KERNELS if layer.constant(key) == 0), None)


def _flat_after(layers: Sequence[_Layer], index: int) -> str | None:
    """Return the activation that a layer's output goes through, if it is flat at 0; None otherwise."""
    own = layers[index].value("activation")
    if own not in (None, "linear"):
        return own if entries.trait("activation", str(own), "flat_at_zero") else None
    for layer in layers[index + 1 :]:
        if layer.kind == "Activation":
            name = str(layer.value("activation"))
            return name if entries.trait("activation", name, "flat_at_zero") else None
        if layer.kind == "ReLU":
            return "ReLU" if layer.value("negative_slope") == 0 else None
        keeps_zero = any(entries.trait("layer", layer.kind, key) for key in ("drops", "keeps_values", "flattens"))
        if not keeps_zero and not (layer.kind == "BatchNormalization" and layer.constant("beta_initializer") == 0):
            return None
    return None


def _check_regularizers(draft: Draft, layer: _Layer) -> Iterator[Problem]:
    entry = entries.find("layer", layer.kind)
    for key in entry.arguments if entry is not None else ():
        weighs = key.endswith("_regularizer") and key != "activity_regularizer"
        regularizer = inner(layer.placed, "layer", key) if weighs else None
        if regularizer is None:
            continue
        for factor in ("l1", "l2"):
            given = value_of("regularizer", regularizer.object, factor)
            if isinstance(given, int | float) and given >= _LARGE_PENALTY:
                message = f"`{factor}: {given:g}` holds these weights near 0, whatever the data say"
                path = regularizer.argument_path(factor)
                yield draft.tell("regularizer", message, path, f"write `{factor}: 1e-4`, or up to 0.01", "warning")


def _check_constraints(draft: Draft, layer: _Layer) -> Iterator[Problem]:
    entry = entries.find("layer", layer.kind)
    for key in entry.arguments if entry is not None else ():
        constraint = inner(layer.placed, "layer", key) if key.endswith("_constraint") else None
        if constraint is None:
            continue
        low, high, rate = (
            value_of("constraint", constraint.object, name) for name in ("min_value", "max_value", "rate")
        )
        name = constraint.object.name
        if high == 0:
            message, argument, hint = f"`{name}` with `max_value: 0` keeps these weights at 0", "max_value", "2.0"
        elif low is not None and high is not None and low > high:
            message, argument, hint = f"no weights have a norm from {low:g} to {high:g}", "min_value", "0.0"
        elif rate == 0:
            message, argument, hint = f"`{name}` with `rate: 0` constrains nothing", "rate", "1.0"
        else:
            continue
        path = constraint.argument_path(argument)
        yield draft.tell("constraint", message, path, f"write `{argument}: {hint}`", "warning")


def _check_values(draft: Draft, layer: _Layer) -> Iterator[Problem]:
    """Arguments with which a layer passes on nothing of its input, or all of it unchanged."""

    def tell(key: str, message: str, hint: str) -> Problem:
        return draft.tell("layer-setting", message, layer.placed.argument_path(key), hint, "warning")

    for key in ("dropout", "recurrent_dropout"):
        share = layer.value(key)
        if isinstance(share, int | float) and share >= 1:
            what = "input" if key == "dropout" else "state from step to step"
            message = f"a `{key}` of {share:g} drops all of {layer}'s {what}"
            yield tell(key, message, f"write the share to drop, such as `{key}: 0.2`")
    for key in ("dropout", "recurrent_dropout", *(["rate"] if entries.trait("layer", layer.kind, "drops") else [])):
        share = layer.value(key)
        if isinstance(share, int | float) and _MOST_DROPPED <= share < 1:
            message = f"a `{key}` of {share:g} leaves little for {layer} to pass on in training"
            yield tell(key, message, f"write the share to drop, such as `{key}: 0.2`")
    if layer.kind == "Rescaling" and layer.value("scale") == 0:
        yield tell("scale", "a `scale` of 0 leaves nothing of the input", "write another `scale`, or remove the layer")
    if layer.kind == "ReLU" and layer.value("max_value") == 0 and layer.value("negative_slope") == 0:
        yield tell("max_value", "with `max_value: 0` every output is 0", "remove `max_value`, or write `6.0`")
    if layer.kind in ("ReLU", "LeakyReLU") and layer.value("negative_slope") == 1 and layer.value("max_value") is None:
        message = f"{layer} changes nothing with `negative_slope: 1`"
        yield tell("negative_slope", message, "write a smaller one, such as `negative_slope: 0.1`")
    if layer.kind == "Normalization":
        variance = layer.value("variance")
        if 0 in (variance if isinstance(variance, list) else [variance]):
            what = "multiplied" if layer.value("invert") else "divided"
            message = f"with a `variance` of 0 the input is {what} by 1e-7, Keras's least deviation"
            yield tell("variance", message, "write the variance of the data, such as `1.0`")


def _check_batch_averages(draft: Draft, layer: _Layer) -> Iterator[Problem]:
    """The moving averages of BatchNormalization, which evaluation uses: they start at mean 0 and variance 1."""
    if layer.kind != "BatchNormalization" or draft.steps is None or draft.epochs is None:
        return
    momentum, total = layer.value("momentum"), draft.steps * draft.epochs
    usual = (entries.find("layer", layer.kind) or entries.Entry("", "", {})).arguments["momentum"].default
    if not isinstance(momentum, int | float) or not isinstance(usual, float) or momentum <= usual:
        return
    left = momentum**total
    if left > 0.5:
        what = "stay at" if left == 1 else f"are {left:.0%}"
        message = (
            f"with `momentum: {momentum:g}` the averages for evaluation {what} their first values when the run ends"
        )
        path = layer.placed.argument_path("momentum")
        yield draft.tell("normalization", message, path, f"write `momentum: {usual:g}`, or less", "warning")


def _check_normalization(draft: Draft, row: Row) -> Iterator[Problem]:
    """A mean and a variance of too few numbers: one number less its own mean is 0."""
    if row.kind == "BatchNormalization" and value_of("layer", row.placed.object, "trainable") is not False:
        yield from _check_batch_normalization(draft, row)
        return
    count = _normalized_together(row)
    if count == 1:
        left = "only its sign, 1 or -1" if row.kind in _BY_SIZE else "0 of it"
        message = f"{row} normalizes each number by itself, which leaves {left}"
        hint = "put it before a layer with more units, or remove it"
        if row.kind == "GroupNormalization":
            hint = "write fewer `groups`" if value_of("layer", row.placed.object, "groups") != 1 else hint
        elif math.prod(row.before) > 1:
            hint = f"write `axis: {_wide(row.before)}`, which has more numbers, or remove the layer"
        yield draft.tell("normalization", message, row.placed.path, hint, "warning")


def _check_batch_normalization(draft: Draft, row: Row) -> Iterator[Problem]:
    axis = value_of("layer", row.placed.object, "axis")
    samples = min(draft.batch or 2, draft.train_samples or 2)
    if samples > 1 or not isinstance(axis, int):
        return
    sizes = list(row.before)
    del sizes[axis - 1 if axis > 0 else axis]
    if math.prod(sizes) == 1:
        message = f"{row} normalizes over a batch of one sample, which leaves 0 of every number in training"
    else:
        message = (
            f"{row} normalizes each sample by itself in training (a batch of one), and by averages of all in evaluation"
        )
    path = ("train", "batch_size") if draft.batch_size == 1 else row.placed.path
    hint = "write a larger `batch_size`, or `LayerNormalization` instead of the layer"
    yield draft.tell("normalization", message, path, hint, "warning")


def _normalized_together(row: Row) -> int | None:
    """Return how many numbers are scaled together; None for a layer that does not scale by them."""
    shape = row.before
    if row.kind in ("LayerNormalization", *_BY_SIZE):
        axis = value_of("layer", row.placed.object, "axis")
        axes = axis if isinstance(axis, list) else [axis]
        return math.prod(shape[index - 1 if index > 0 else index] for index in axes)
    if row.kind == "GroupNormalization":
        axis, groups = (value_of("layer", row.placed.object, key) for key in ("axis", "groups"))
        channels = shape[axis - 1 if axis > 0 else axis]
        return math.prod(shape) // (channels if groups == -1 else groups)
    return None


def _wide(shape: Shape) -> int:
    """Return the last axis of samples if it has more than one number, else the longest; the batch counts as axis 0."""
    return -1 if shape[-1] > 1 else max(range(len(shape)), key=lambda index: shape[index]) + 1
