"""Shapes of layers that encode or scale the values of samples."""

from __future__ import annotations

from dltrain.config.checks.shapes.terms import Arguments, Inferred, Rule, Shape, ShapeError, axis_of, learned


def _encoded(mode: str, tokens: int, shape: Shape) -> Inferred | None:
    """One number per token; None where the shape that Keras infers differs from its output."""
    if mode == "int":
        return Inferred(shape)
    if mode == "one_hot":
        return Inferred((*(shape[:-1] if shape[-1] == 1 else shape), tokens))
    return Inferred((tokens,)) if len(shape) == 1 else None


def _category_encoding(arguments: Arguments, shape: Shape) -> Inferred | None:
    if arguments["sparse"]:
        return None
    return _encoded(arguments["output_mode"], arguments["num_tokens"], shape)


def _discretization(arguments: Arguments, shape: Shape) -> Inferred | None:
    ends = arguments["bin_boundaries"]
    if sorted(ends) != ends:
        hint = f"write `bin_boundaries: [{', '.join(f'{end:g}' for end in sorted(ends))}]`"
        raise ShapeError("needs `bin_boundaries` that rise", hint, "bin_boundaries")
    if arguments["sparse"]:
        return None
    return _encoded(arguments["output_mode"], len(arguments["bin_boundaries"]) + 1, shape)


def _hashing(arguments: Arguments, shape: Shape) -> Inferred | None:
    if arguments["sparse"] or (arguments["output_mode"] == "one_hot" and shape[-1] != 1):
        return None
    return _encoded(arguments["output_mode"], arguments["num_bins"], shape)


def _normalization(arguments: Arguments, shape: Shape) -> Inferred:
    axis, mean, variance = arguments["axis"], arguments["mean"], arguments["variance"]
    axes = [] if axis is None else [axis] if isinstance(axis, int) else axis
    kept = sorted(axis_of(number, shape) for number in axes)
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
