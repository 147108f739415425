"""Shapes of the weights that a layer makes, by the prefix of their arguments: `kernel` for `kernel_initializer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dltrain.config.checks.shapes.einsum import einsum
from dltrain.config.checks.shapes.inference import filled, named
from dltrain.config.checks.shapes.recurrent import GATES
from dltrain.config.checks.shapes.terms import WRAPPED, Arguments, Shape, axes_of, axis_of, per_axis, split
from dltrain.errors import KeyPath


@dataclass(frozen=True, slots=True)
class Holder:
    """A layer with weights.

    Args:
        path: the keys to it from the arguments of the layer that wraps it; empty for the layer itself.
        name: its class.
        arguments: as written.
        shape: of the samples that it takes.
        weights: the shapes of its weights by prefix; a weight that it does not make is left out.
    """

    path: KeyPath
    name: str
    arguments: Arguments
    shape: Shape
    weights: Mapping[str, Shape]


def holders(name: str, arguments: Mapping[str, Any], shape: Shape) -> Iterator[Holder]:
    """Yield a layer that takes samples of `shape`, and those that it wraps; one without a rule is left out.

    Args:
        name: of the layer, or an alias.
        arguments: as written.
        shape: of one sample, without the batch axis; one that the layer accepts.
    """
    name, _ = named({name: arguments})
    rule = _RULES.get(name)
    if rule is not None:
        yield Holder((), name, arguments, shape, rule(filled(name, arguments), shape))
    inner_shape = shape[1:] if name == "TimeDistributed" else shape
    for key in WRAPPED:
        inner = arguments.get(key)
        if not isinstance(inner, dict):
            continue
        ((written, given),) = inner.items()
        for holder in holders(written, given or {}, inner_shape):
            yield replace(holder, path=(key, written, *holder.path))


def _with_bias(weights: Mapping[str, Shape], arguments: Arguments, *bias: int) -> dict[str, Shape]:
    return {**weights, "bias": bias} if arguments["use_bias"] else dict(weights)


def _dense(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    units = arguments["units"]
    return _with_bias({"kernel": (shape[-1], units)}, arguments, units)


def _einsum_dense(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    read = einsum(arguments, shape)
    bias = arguments["bias_axes"]
    return {"kernel": read.kernel_shape, **({"bias": read.bias_shape(bias)} if bias is not None else {})}


def _embedding(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return {"embeddings": (arguments["input_dim"], arguments["output_dim"])}


def _convolution(rank: int, arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    _, channels = split(arguments, shape)
    filters = arguments["filters"]
    kernel = (*per_axis(arguments["kernel_size"], rank), channels // arguments["groups"], filters)
    return _with_bias({"kernel": kernel}, arguments, filters)


def _transposed(rank: int, arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    _, channels = split(arguments, shape)
    filters = arguments["filters"]
    kernel = (*per_axis(arguments["kernel_size"], rank), filters, channels)
    return _with_bias({"kernel": kernel}, arguments, filters)


def _depthwise(rank: int, arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    _, channels = split(arguments, shape)
    each = arguments["depth_multiplier"]
    kernel = (*per_axis(arguments["kernel_size"], rank), channels, each)
    return _with_bias({"depthwise": kernel}, arguments, channels * each)


def _separable(rank: int, arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    _, channels = split(arguments, shape)
    each, filters = arguments["depth_multiplier"], arguments["filters"]
    weights = {
        "depthwise": (*per_axis(arguments["kernel_size"], rank), channels, each),
        "pointwise": (*(1,) * rank, channels * each, filters),
    }
    return _with_bias(weights, arguments, filters)


def _recurrent(kind: str, arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    units = arguments["units"]
    wide = GATES[kind] * units
    weights = {"kernel": (shape[-1], wide), "recurrent": (units, wide)}
    twice = kind == "GRU" and arguments["reset_after"]
    return _with_bias(weights, arguments, *((2, wide) if twice else (wide,)))


def _convolutional(rank: int, arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    _, channels = split(arguments, shape[1:])
    size, filters = per_axis(arguments["kernel_size"], rank), arguments["filters"]
    weights = {"kernel": (*size, channels, 4 * filters), "recurrent": (*size, filters, 4 * filters)}
    return _with_bias(weights, arguments, 4 * filters)


def _batch_normalization(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    size = (shape[axis_of(arguments["axis"], shape)],)
    return {"moving_mean": size, "moving_variance": size, **_scaled(arguments, size)}


def _group_normalization(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return _scaled(arguments, (shape[axis_of(arguments["axis"], shape)],))


def _layer_normalization(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return _scaled(arguments, tuple(shape[axis] for axis in axes_of(arguments["axis"], shape)))


def _scaled(arguments: Arguments, size: Shape) -> dict[str, Shape]:
    return {key: size for key, made in (("beta", "center"), ("gamma", "scale")) if arguments[made]}


def _prelu(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    sizes, shared = list(shape), arguments["shared_axes"]
    for axis in [shared] if isinstance(shared, int) else shared or ():
        sizes[axis_of(axis, shape, "shared_axes")] = 1
    return {"alpha": tuple(sizes)}


_RULES: dict[str, Callable[[Arguments, Shape], dict[str, Shape]]] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "ReversibleEmbedding": _embedding,
    **{f"Conv{rank}D": partial(_convolution, rank) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": partial(_transposed, rank) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": partial(_depthwise, rank) for rank in (1, 2)},
    **{f"SeparableConv{rank}D": partial(_separable, rank) for rank in (1, 2)},
    **{f"{kind}{cell}": partial(_recurrent, kind) for kind in GATES for cell in ("", "Cell")},
    **{f"ConvLSTM{rank}D": partial(_convolutional, rank) for rank in (1, 2, 3)},
    "BatchNormalization": _batch_normalization,
    "GroupNormalization": _group_normalization,
    "LayerNormalization": _layer_normalization,
    "PReLU": _prelu,
}
