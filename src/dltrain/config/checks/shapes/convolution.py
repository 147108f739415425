"""Shapes of layers on spatial axes: convolutions, pooling, padding, cropping."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from dltrain.config.checks.shapes.terms import (
    Arguments,
    Inferred,
    Rule,
    Shape,
    ShapeError,
    check_space,
    join,
    learned,
    mismatch,
    per_axis,
    reshape,
    split,
    strides_and_dilation,
    window,
)

_CHANNELS_FIRST = {1: "(channels, steps)", 2: "(channels, height, width)", 3: "(channels, depth, height, width)"}


def _check(kind: str, arguments: Arguments, shape: Shape, rank: int) -> None:
    """Raise ShapeError unless a sample has `rank` spatial axes and one of channels, in the layer's order."""
    if arguments.get("data_format") != "channels_first":
        check_space(kind, shape, rank)
    elif len(shape) != rank + 1:
        needed = _CHANNELS_FIRST[rank]
        words = f"give the samples the shape {needed} with a `Reshape` before it"
        raise mismatch(shape, needed, reshape(1, *shape) if len(shape) == rank else words)


def _convolution(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"Conv{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    strides, dilation = strides_and_dilation(arguments, rank)
    filters, groups = arguments["filters"], arguments["groups"]
    _check_groups(filters, channels, groups)
    places = window(arguments, space, "kernel_size", strides, dilation)
    kernel = math.prod(per_axis(arguments["kernel_size"], rank)) * (channels // groups) * filters
    bias = filters if arguments["use_bias"] else 0
    return learned(join(arguments, places, filters), kernel + bias, math.prod(places) * kernel)


def _check_groups(filters: int, channels: int, groups: int) -> None:
    if filters % groups:
        hint = f"write a multiple of {groups}, or other `groups`"
        raise ShapeError(f"cannot divide {filters} filters into {groups} groups", hint, "filters")
    if channels % groups:
        hint = f"write `groups: {math.gcd(channels, filters)}`"
        what = "1 channel" if channels == 1 else f"{channels} channels"
        raise ShapeError(f"gets {what}, which cannot be divided into {groups} groups", hint, "groups")


def _transposed(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"Conv{rank}DTranspose", arguments, shape, rank)
    space, channels = split(arguments, shape)
    strides, dilation = strides_and_dilation(arguments, rank)
    size = per_axis(arguments["kernel_size"], rank)
    extra = arguments["output_padding"]
    extras = per_axis(extra, rank) if extra is not None else (None,) * rank
    if any(e is not None and e >= s for e, s in zip(extras, strides, strict=True)):
        hint = "write a smaller `output_padding`, or remove it"
        raise ShapeError("needs an `output_padding` below its `strides`", hint, "output_padding")
    places = []
    for n, k, s, d, e in zip(space, size, strides, dilation, extras, strict=True):
        reach = (k - 1) * d + 1
        if arguments["padding"] == "valid":
            places.append((n - 1) * s + reach + (max(reach, s) - reach if e is None else e))
        else:
            places.append(n * s if e is None else (n - 1) * s + reach % 2 + e)
    filters = arguments["filters"]
    kernel = math.prod(size) * channels * filters
    bias = filters if arguments["use_bias"] else 0
    return learned(join(arguments, tuple(places), filters), kernel + bias, math.prod(space) * kernel)


def _depthwise(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"DepthwiseConv{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    strides, dilation = per_axis(arguments["strides"], rank), per_axis(arguments["dilation_rate"], rank)
    places = window(arguments, space, "kernel_size", strides, dilation)
    filters = channels * arguments["depth_multiplier"]
    kernel = math.prod(per_axis(arguments["kernel_size"], rank)) * filters
    bias = filters if arguments["use_bias"] else 0
    return learned(join(arguments, places, filters), kernel + bias, math.prod(places) * kernel)


def _separable(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"SeparableConv{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    strides, dilation = per_axis(arguments["strides"], rank), per_axis(arguments["dilation_rate"], rank)
    places = window(arguments, space, "kernel_size", strides, dilation)
    filters, wide = arguments["filters"], channels * arguments["depth_multiplier"]
    kernels = math.prod(per_axis(arguments["kernel_size"], rank)) * wide + wide * filters
    bias = filters if arguments["use_bias"] else 0
    return learned(join(arguments, places, filters), kernels + bias, math.prod(places) * kernels)


def _pooling(kind: str, rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"{kind}Pooling{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    strides = per_axis(arguments["strides"] or arguments["pool_size"], rank)
    places = window(arguments, space, "pool_size", strides, (1,) * rank)
    return Inferred(join(arguments, places, channels))


def _global_pooling(kind: str, rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"Global{kind}Pooling{rank}D", arguments, shape, rank)
    _, channels = split(arguments, shape)
    return Inferred(join(arguments, (1,) * rank, channels) if arguments["keepdims"] else (channels,))


def _adaptive_pooling(kind: str, rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"Adaptive{kind}Pooling{rank}D", arguments, shape, rank)
    _, channels = split(arguments, shape)
    return Inferred(join(arguments, per_axis(arguments["output_size"], rank), channels))


def _adaptive_max_pooling(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    inferred = _adaptive_pooling("Max", rank, arguments, shape)
    space, _ = split(arguments, shape)
    size = per_axis(arguments["output_size"], rank)
    # Keras also pools with windows one longer than needed; where these are longer than the axis, TensorFlow
    # divides by zero and the process ends.
    if any(math.ceil(n / out) + 1 > n for out, n in zip(size, space, strict=True)):
        hint = f"write `GlobalMaxPooling{rank}D: {{keepdims: true}}`" if set(size) == {1} else "use plain pooling"
        message = f"has an `output_size` of {arguments['output_size']}, which TensorFlow does not support for {space}"
        raise ShapeError(message, hint, "output_size")
    return inferred


def _spatial_dropout(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"SpatialDropout{rank}D", arguments, shape, rank)
    return Inferred(shape)


def _up_sampling(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"UpSampling{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    factors = per_axis(arguments["size"], rank)
    return Inferred(join(arguments, tuple(n * f for n, f in zip(space, factors, strict=True)), channels))


def _borders(value: object, rank: int) -> list[tuple[int, int]]:
    """Return (before, after) for each axis, from one number, one per axis or one pair per axis."""
    if isinstance(value, int):
        return [(value, value)] * rank
    items = list(value) if isinstance(value, list | tuple) else []
    if rank == 1:
        return [(items[0], items[-1])]
    return [(item, item) if isinstance(item, int) else (item[0], item[1]) for item in items]


def _padding(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"ZeroPadding{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    borders = _borders(arguments["padding"], rank)
    return Inferred(join(arguments, tuple(n + sum(b) for n, b in zip(space, borders, strict=True)), channels))


def _cropping(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    _check(f"Cropping{rank}D", arguments, shape, rank)
    space, channels = split(arguments, shape)
    left = tuple(n - sum(b) for n, b in zip(space, _borders(arguments["cropping"], rank), strict=True))
    if min(left) < 1:
        raise ShapeError(f"crops more than there is: {space}", "write a smaller `cropping`", "cropping")
    return Inferred(join(arguments, left, channels))


_BY_RANK: dict[str, tuple[Callable[[int, Arguments, Shape], Inferred], tuple[int, ...]]] = {
    "Conv{}D": (_convolution, (1, 2, 3)),
    "Conv{}DTranspose": (_transposed, (1, 2, 3)),
    "DepthwiseConv{}D": (_depthwise, (1, 2)),
    "SeparableConv{}D": (_separable, (1, 2)),
    "MaxPooling{}D": (partial(_pooling, "Max"), (1, 2, 3)),
    "AveragePooling{}D": (partial(_pooling, "Average"), (1, 2, 3)),
    "GlobalMaxPooling{}D": (partial(_global_pooling, "Max"), (1, 2, 3)),
    "GlobalAveragePooling{}D": (partial(_global_pooling, "Average"), (1, 2, 3)),
    "AdaptiveMaxPooling{}D": (_adaptive_max_pooling, (1, 2, 3)),
    "AdaptiveAveragePooling{}D": (partial(_adaptive_pooling, "Average"), (1, 2, 3)),
    "SpatialDropout{}D": (_spatial_dropout, (1, 2, 3)),
    "UpSampling{}D": (_up_sampling, (1, 2, 3)),
    "ZeroPadding{}D": (_padding, (1, 2, 3)),
    "Cropping{}D": (_cropping, (1, 2, 3)),
}
RULES: dict[str, Rule] = {
    name.format(rank): partial(rule, rank) for name, (rule, ranks) in _BY_RANK.items() for rank in ranks
}
