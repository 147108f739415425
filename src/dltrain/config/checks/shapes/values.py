"""Shapes of layers that encode or scale the values of samples."""

from __future__ import annotations

from dltrain.config.checks.shapes.terms import (
    Arguments,
    Inferred,
    Rule,
    Shape,
    ShapeError,
    axis_of,
    insertion,
    layer,
    learned,
    mismatch,
)

_HALF = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def _encoded(mode: str, tokens: int, shape: Shape) -> Inferred:
    """One number per token; Keras counts along the first axis of a sample, which `one_hot` keeps."""
    if mode == "int":
        return Inferred(shape)
    if mode == "one_hot":
        return Inferred((*(shape[:-1] if shape[-1] == 1 else shape), tokens))
    return Inferred((*shape[1:], tokens))


def _check_vector(arguments: Arguments, shape: Shape) -> None:
    """Raise ShapeError where the shape that Keras infers differs from that of its output."""
    mode = arguments["output_mode"]
    if mode in ("multi_hot", "count") and len(shape) > 1:
        raise mismatch(shape, f"(numbers,) for `output_mode: {mode}`", layer("Flatten"))


def _check_sparse(arguments: Arguments, shape: Shape) -> bool:
    """Return whether the output is sparse. Raises ShapeError where Keras or the next layer takes no sparse one."""
    mode = arguments["output_mode"]
    if arguments["sparse"] and (mode == "int" or (mode == "one_hot" and shape != (1,))):
        message = f"outputs no sparse tensor for `output_mode: {mode}` that the next layer takes"
        raise ShapeError(message, "remove `sparse`", "sparse")
    return bool(arguments["sparse"])


def _category_encoding(arguments: Arguments, shape: Shape) -> Inferred | None:
    _check_vector(arguments, shape)
    if _check_sparse(arguments, shape):
        return None
    if arguments["dtype"] in _HALF and arguments["output_mode"] != "one_hot":
        raise ShapeError(f"cannot count in `{arguments['dtype']}`", "write `dtype: float32`", "dtype")
    return _encoded(arguments["output_mode"], arguments["num_tokens"], shape)


def _discretization(arguments: Arguments, shape: Shape) -> Inferred | None:
    ends = arguments["bin_boundaries"]
    if sorted(ends) != ends:
        hint = f"write `bin_boundaries: [{', '.join(f'{end:g}' for end in sorted(ends))}]`"
        raise ShapeError("needs `bin_boundaries` that rise", hint, "bin_boundaries")
    if _check_sparse(arguments, shape):
        return None
    return _encoded(arguments["output_mode"], len(arguments["bin_boundaries"]) + 1, shape)


def _hashing(arguments: Arguments, shape: Shape) -> Inferred | None:
    mode, bins = arguments["output_mode"], arguments["num_bins"]
    _check_vector(arguments, shape)
    if _check_sparse(arguments, shape):
        return None
    if mode == "one_hot" and shape[-1] != 1:
        encoding = insertion(layer("CategoryEncoding", num_tokens=bins, output_mode="one_hot"))
        hint = f"write `output_mode: int`, and behind it `{encoding.target[0]}`"
        raise ShapeError(f"takes one number for `output_mode: one_hot`, but gets {shape}", hint, "output_mode")
    if mode == "int" and arguments["dtype"] is not None:
        raise ShapeError(f"outputs integers, not `{arguments['dtype']}`", "remove `dtype`", "dtype")
    return _encoded(mode, bins, shape)


def _normalization(arguments: Arguments, shape: Shape) -> Inferred:
    axis, mean, variance = arguments["axis"], arguments["mean"], arguments["variance"]
    axes = [] if axis is None else [axis] if isinstance(axis, int) else axis
    kept = sorted(axis_of(number, shape) for number in axes)
    if (mean is None) != (variance is None):
        given, lacking = ("mean", "variance") if variance is None else ("variance", "mean")
        hint = "write both, or neither: then they are learnt from the training split"
        raise ShapeError(f"has `{given}` without `{lacking}`", hint, given)
    numbers = [len(value) if isinstance(value, list) else None for value in (mean, variance)]
    if numbers[0] != numbers[1]:
        hint = "give both one number, or lists of one length"
        raise ShapeError("needs as many numbers in `variance` as in `mean`", hint, "variance")
    if numbers[0] is None:
        return Inferred(shape)
    if not kept:
        raise ShapeError("takes one number for `mean` without an `axis`", "write `axis: -1`", "mean")
    if numbers[0] not in (1, shape[kept[-1]]):
        message = f"has {numbers[0]} numbers in `mean` for {shape[kept[-1]]} of samples of shape {shape}"
        raise ShapeError(message, f"give one number, or {shape[kept[-1]]}", "mean")
    return Inferred(shape)


def _rescaling(arguments: Arguments, shape: Shape) -> Inferred:
    for key in ("scale", "offset"):
        value = arguments[key]
        if isinstance(value, list) and len(value) not in (1, shape[-1]):
            message = f"has {len(value)} numbers in `{key}` for the last axis of {shape}"
            raise ShapeError(message, f"give one number, or {shape[-1]}", key)
    return Inferred(shape)


def _reversible_embedding(arguments: Arguments, shape: Shape) -> Inferred:
    table = arguments["input_dim"] * arguments["output_dim"]
    return learned((*shape, arguments["output_dim"]), table if arguments["tie_weights"] else 2 * table)


RULES: dict[str, Rule] = {
    "CategoryEncoding": _category_encoding,
    "Discretization": _discretization,
    "Hashing": _hashing,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "ReversibleEmbedding": _reversible_embedding,
}
