"""The vocabulary of shape rules; shapes are of one sample, without the batch axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.document.writer import flow
from dltrain.config.schema import KerasObject
from dltrain.errors import Fix

Shape = tuple[int, ...]
Arguments = Mapping[str, Any]

AXES = {
    1: "(steps, channels)",
    2: "(height, width, channels)",
    3: "(depth, height, width, channels)",
}

# Arguments that are layers.
WRAPPED = ("layer", "backward_layer", "cell")


@dataclass(frozen=True, slots=True)
class Inferred:
    """The output of a layer for one sample.

    Args:
        shape: of the output.
        parameters: numbers in the weights, trainable or not.
        trainable: those that are trainable.
        macs: MACs of a forward pass, counting matrix products and convolutions only.
    """

    shape: Shape
    parameters: int = 0
    trainable: int = 0
    macs: int = 0


# Infers the output for a sample of a shape; None where that is uncertain.
Rule = Callable[[Arguments, Shape], Inferred | None]


class ShapeError(Exception):
    """A layer that does not accept its input.

    Args:
        message: follows `layer 2, `LSTM`, `.
        cure: the layer to insert before it, or a phrase that says what to write.
        argument: the wrong argument; None if it is the position of the layer.
    """

    def __init__(self, message: str, cure: KerasObject | str = "", argument: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.argument = argument

    @property
    def fix(self) -> Fix | str:
        return insertion(self.cure) if isinstance(self.cure, KerasObject) else self.cure


def learned(shape: Shape, weights: int, macs: int = 0) -> Inferred:
    """Return an output of `shape` from a layer whose `weights` are all trainable."""
    return Inferred(shape, weights, weights, macs)


def unchanged(arguments: Arguments, shape: Shape) -> Inferred:
    """The rule of layers without weights that keep the shape."""
    return Inferred(shape)


def per_axis(value: int | list[int] | None, rank: int) -> Shape:
    """Return one number per axis of an argument that may be one number for all."""
    return (value,) * rank if isinstance(value, int) else tuple(value or ())


def split(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    """Return (sizes of the spatial axes, channels) of a sample."""
    if arguments.get("data_format") == "channels_first":
        return shape[1:], shape[0]
    return shape[:-1], shape[-1]


def join(arguments: Arguments, space: Shape, channels: int) -> Shape:
    return (channels, *space) if arguments.get("data_format") == "channels_first" else (*space, channels)


def mismatch(shape: Shape, needed: str, cure: KerasObject | str) -> ShapeError:
    return ShapeError(f"gets samples of shape {shape}, but needs {needed}", cure)


def layer(name: str, **arguments: Any) -> KerasObject:
    return KerasObject.model_construct(name=name, arguments=arguments)


def reshape(*sizes: int) -> KerasObject:
    return layer("Reshape", target_shape=list(sizes))


def insertion(item: KerasObject) -> Fix:
    """Return the fix that inserts a layer before the wrong one."""
    arguments = f": {flow(item.arguments)}" if item.arguments else ""
    return Fix("insert", (f"- {item.name}{arguments}",))


def check_space(kind: str, shape: Shape, rank: int) -> None:
    """Raise ShapeError unless a sample has `rank` spatial axes and one of channels."""
    if len(shape) != rank + 1:
        raise mismatch(shape, AXES[rank], _space_cure(kind, shape, rank))


def _space_cure(kind: str, shape: Shape, rank: int) -> KerasObject | str:
    size = math.prod(shape)
    if len(shape) == rank:
        return reshape(*shape, 1)
    sibling = kind.replace(f"{rank}D", f"{len(shape) - 1}D")
    if rank == 1 and len(shape) > 2 and sibling != kind and entries.find("layer", sibling) is not None:
        return f"write `{sibling}`, or {insertion(reshape(shape[0], math.prod(shape[1:])))}"
    if rank == 1 and len(shape) > 2:
        return reshape(shape[0], math.prod(shape[1:]))
    if len(shape) == rank + 2:
        return f"write `TimeDistributed: {{layer: {{{kind}: …}}}}`, which treats the first axis as steps"
    for channels in (1, 3):
        side = math.isqrt(size // channels)
        if rank == 2 and side > 1 and side * side * channels == size:
            return reshape(side, side, channels)
    return f"give the samples the shape {AXES[rank]} with a `Reshape` before it"


def window(arguments: Arguments, space: Shape, key: str, strides: Shape, dilation: Shape) -> Shape:
    """Return how many positions a window of size `key` has along each axis.

    Raises:
        ShapeError: it is longer than an axis, without padding.
    """
    if arguments["padding"] != "valid":
        return tuple((n - 1) // s + 1 for n, s in zip(space, strides, strict=True))
    size = per_axis(arguments[key], len(space))
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    if any(k > n for k, n in zip(reach, space, strict=True)):
        message = f"has a `{key}` of {_plain(arguments[key])}, which does not fit into {space}"
        raise ShapeError(message, f"use a smaller `{key}` or `padding: same`, or downsample less before it", key)
    return tuple((n - k) // s + 1 for n, k, s in zip(space, reach, strides, strict=True))


def strides_and_dilation(arguments: Arguments, rank: int) -> tuple[Shape, Shape]:
    """Return both for each axis; ShapeError if both are above 1, which no backend supports."""
    strides, dilation = per_axis(arguments["strides"], rank), per_axis(arguments["dilation_rate"], rank)
    if max(strides) > 1 and max(dilation) > 1:
        raise ShapeError("cannot have both `strides` and `dilation_rate` above 1", "keep one of them", "dilation_rate")
    return strides, dilation


def _plain(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def axes_of(axes: int | list[int], shape: Shape) -> list[int]:
    """Return one axis or several as positions in the sample."""
    positions = [axis_of(axis, shape) for axis in (axes if isinstance(axes, list) else [axes])]
    if len(set(positions)) != len(positions) or not positions:
        raise ShapeError(f"needs each axis once, not {axes}", "write `axis: -1`, or a list of different ones", "axis")
    return positions


def axis_of(axis: int, shape: Shape, key: str = "axis") -> int:
    """Return the position in the sample of an axis as Keras counts it: 0 is the batch."""
    whole = len(shape) + 1
    position = axis if axis >= 0 else axis + whole
    if not 0 < position < whole:
        hint = f"axes from 1 to {len(shape)} are the sample's, and -1 is the last"
        raise ShapeError(f"has no axis {axis}: its samples have the shape {shape}", hint, key)
    return position - 1
