"""Shapes of dense, normalization, reshaping and elementwise layers."""

from __future__ import annotations

import math

from dltrain.config.checks.shapes.terms import (
    Arguments,
    Inferred,
    Rule,
    Shape,
    ShapeError,
    axes_of,
    axis_of,
    layer,
    learned,
    mismatch,
    unchanged,
)


def _dense(arguments: Arguments, shape: Shape) -> Inferred:
    if arguments["lora_rank"] is not None:
        return _with_lora(arguments, shape)
    units = arguments["units"]
    bias = units if arguments["use_bias"] else 0
    return learned((*shape[:-1], units), shape[-1] * units + bias, math.prod(shape) * units)


def _with_lora(arguments: Arguments, shape: Shape) -> Inferred:
    """A frozen kernel beside two low-rank ones that are trainable."""
    units, rank = arguments["units"], arguments["lora_rank"]
    kernel, thin = shape[-1] * units, rank * (shape[-1] + units)
    bias = units if arguments["use_bias"] else 0
    return Inferred((*shape[:-1], units), kernel + thin + bias, thin + bias, math.prod(shape) * units)


def _embedding(arguments: Arguments, shape: Shape) -> Inferred:
    table = arguments["input_dim"] * arguments["output_dim"]
    output = (*shape, arguments["output_dim"])
    if arguments["lora_rank"] is not None:
        thin = arguments["lora_rank"] * (arguments["input_dim"] + arguments["output_dim"])
        return Inferred(output, table + thin, thin)
    return learned(output, table)


def _batch_normalization(arguments: Arguments, shape: Shape) -> Inferred:
    size = shape[axis_of(arguments["axis"], shape)]
    trainable = size * (int(arguments["center"]) + int(arguments["scale"]))
    kept = size * (5 if arguments["renorm"] else 2)
    return Inferred(shape, trainable + kept, trainable)


def _layer_normalization(arguments: Arguments, shape: Shape) -> Inferred:
    size = math.prod(shape[axis] for axis in axes_of(arguments["axis"], shape))
    return learned(shape, size * (int(arguments["center"]) + int(arguments["scale"])))


def _group_normalization(arguments: Arguments, shape: Shape) -> Inferred:
    size = shape[axis_of(arguments["axis"], shape)]
    groups = size if arguments["groups"] == -1 else arguments["groups"]
    if groups < 1 or size % groups:
        hint = f"write `groups: {math.gcd(size, max(groups, 1))}`"
        raise ShapeError(f"cannot divide {size} channels into {groups} groups", hint, "groups")
    return learned(shape, size * (int(arguments["center"]) + int(arguments["scale"])))


def _rms_normalization(arguments: Arguments, shape: Shape) -> Inferred | None:
    axes = axes_of(arguments["axis"], shape)
    if sorted(axes) != list(range(len(shape) - len(axes), len(shape))):
        return None  # Keras aligns the scale with the last axes, whatever `axis` says
    return learned(shape, math.prod(shape[axis] for axis in axes))


def _along_axes(arguments: Arguments, shape: Shape) -> Inferred:
    axes_of(arguments["axis"], shape)
    return Inferred(shape)


def _prelu(arguments: Arguments, shape: Shape) -> Inferred:
    sizes = list(shape)
    shared = arguments["shared_axes"]
    for axis in [shared] if isinstance(shared, int) else shared or ():
        sizes[axis_of(axis, shape, "shared_axes")] = 1
    return learned(shape, math.prod(sizes))


def _flatten(arguments: Arguments, shape: Shape) -> Inferred:
    return Inferred((math.prod(shape),))


def _reshape(arguments: Arguments, shape: Shape) -> Inferred:
    target = tuple(arguments["target_shape"])
    size, known = math.prod(shape), math.prod(n for n in target if n != -1)
    free = target.count(-1)
    if free > 1:
        raise ShapeError("can have one size of -1, not several", "write -1 once", "target_shape")
    if free and known and size % known == 0:
        return Inferred(tuple(size // known if n == -1 else n for n in target))
    if not free and known == size:
        return Inferred(target)
    message = f"cannot reshape {shape} to {target}: {size:,} numbers, not {known:,}"
    if free:
        message = f"cannot reshape {shape} to {target}: {size:,} numbers are not a multiple of {known:,}"
    raise ShapeError(message, _reshape_hint(target, size), "target_shape")


def _reshape_hint(target: Shape, size: int) -> str:
    if len(target) > 1 and math.prod(target[1:]) == size:
        return f"write `target_shape: {list(target[1:])}`, without the batch axis"
    for place in reversed(range(len(target))):
        rest = math.prod(n for i, n in enumerate(target) if i != place and n != -1)
        if target.count(-1) == 0 and rest > 0 and size % rest == 0:
            open_target = [-1 if i == place else n for i, n in enumerate(target)]
            return f"write `target_shape: {open_target}`, where -1 stands for the rest"
    return f"choose sizes whose product is {size:,}"


def _permute(arguments: Arguments, shape: Shape) -> Inferred:
    dims = arguments["dims"]
    if sorted(dims) != list(range(1, len(shape) + 1)):
        hint = f"write the numbers from 1 to {len(shape)} in another order"
        raise ShapeError(
            f"has `dims` {list(dims)}, which do not permute the {len(shape)} axes of {shape}", hint, "dims"
        )
    return Inferred(tuple(shape[n - 1] for n in dims))


def _dropout(arguments: Arguments, shape: Shape) -> Inferred:
    """Keras draws one mask of `noise_shape`, the batch axis first, and repeats it along the axes of size 1."""
    mask = arguments["noise_shape"]
    if mask is None:
        return Inferred(shape)
    sizes = ["1" if size in (None, 1) else str(n) for size, n in _aligned(mask, shape)]
    hint = f"write `noise_shape: [{', '.join(['null', *sizes])}]`"
    if len(mask) != len(shape) + 1:
        message = f"has a `noise_shape` of {len(mask)} axes; its samples have {len(shape)}, and the batch is one more"
        raise ShapeError(message, hint, "noise_shape")
    if mask[0] not in (None, 1):
        message = f"has a `noise_shape` for a batch of {mask[0]}; the last batch of an epoch may have another size"
        raise ShapeError(message, hint, "noise_shape")
    if any(size not in (None, 1, n) for size, n in zip(mask[1:], shape, strict=True)):
        message = f"has a `noise_shape` that does not fit its samples, {shape}"
        raise ShapeError(message, hint + ": each size is 1 or the sample's", "noise_shape")
    return Inferred(shape)


def _aligned(mask: list[int | None], shape: Shape) -> list[tuple[int | None, int]]:
    """Return the sizes of a mask with those of the sample that they stand for, counted from the last."""
    sizes = [*([None] * len(shape)), *mask][-len(shape) :]
    return list(zip(sizes, shape, strict=True))


def _repeat_vector(arguments: Arguments, shape: Shape) -> Inferred:
    if len(shape) != 1:
        raise mismatch(shape, "(features,)", layer("Flatten"))
    return Inferred((arguments["n"], shape[0]))


RULES: dict[str, Rule] = {
    "Dense": _dense,
    "Embedding": _embedding,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "GroupNormalization": _group_normalization,
    "RMSNormalization": _rms_normalization,
    "UnitNormalization": _along_axes,
    "PReLU": _prelu,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Softmax": _along_axes,
    "AlphaDropout": _dropout,
    "Dropout": _dropout,
    **dict.fromkeys(
        (
            "Activation",
            "ActivityRegularization",
            "ELU",
            "GaussianDropout",
            "GaussianNoise",
            "Identity",
            "LeakyReLU",
            "Masking",
            "ReLU",
        ),
        unchanged,
    ),
}
