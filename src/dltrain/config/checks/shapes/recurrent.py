"""Shapes of recurrent layers, and of those that wrap another layer."""

from __future__ import annotations

import math
from functools import partial

from dltrain.config.catalogue.entries import trait
from dltrain.config.checks.shapes.terms import (
    Arguments,
    Inferred,
    Rule,
    Shape,
    ShapeError,
    join,
    learned,
    mismatch,
    per_axis,
    reshape,
    split,
    strides_and_dilation,
    window,
)

GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def check_sequence(shape: Shape) -> None:
    """Raise ShapeError unless a sample is a sequence of vectors."""
    if len(shape) == 1:
        raise mismatch(shape, "(steps, features)", reshape(shape[0], 1))
    if len(shape) != 2:
        raise mismatch(shape, "(steps, features)", reshape(shape[0], math.prod(shape[1:])))


def _weights(kind: str, arguments: Arguments, features: int) -> int:
    """Return the parameters of a cell: kernel, recurrent kernel and bias."""
    units, gates = arguments["units"], GATES[kind]
    biases = 2 if kind == "GRU" and arguments["reset_after"] else 1
    return gates * units * (features + units + (biases if arguments["use_bias"] else 0))


def _recurrent(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    check_sequence(shape)
    return _steps_of(kind, arguments, arguments["return_sequences"], shape)


def _steps_of(kind: str, cell: Arguments, every_step: bool, shape: Shape) -> Inferred:
    steps, features = shape
    units = cell["units"]
    operations = steps * GATES[kind] * units * (features + units)
    output = (steps, units) if every_step else (units,)
    return learned(output, _weights(kind, cell, features), operations)


def _cell(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    hint = f"write `{kind}`, or `RNN: {{cell: {{{kind}Cell: {{units: {arguments['units']}}}}}}}`"
    raise ShapeError("is one step of a recurrent layer, not a layer of its own", hint)


def _convolutional(rank: int, arguments: Arguments, shape: Shape) -> Inferred:
    axes = {1: "(steps, width, channels)", 2: "(steps, height, width, channels)"}
    if len(shape) != rank + 2:
        needed = axes.get(rank, "(steps, depth, height, width, channels)")
        words = f"give the samples the shape {needed}"
        raise mismatch(shape, needed, reshape(shape[0], 1, *shape[1:]) if len(shape) == rank + 1 else words)
    steps, (space, channels) = shape[0], split(arguments, shape[1:])
    places = window(arguments, space, "kernel_size", *strides_and_dilation(arguments, rank))
    filters = arguments["filters"]
    kernels = math.prod(per_axis(arguments["kernel_size"], rank)) * 4 * filters * (channels + filters)
    output = join(arguments, places, filters)
    whole = (steps, *output) if arguments["return_sequences"] else output
    bias = 4 * filters if arguments["use_bias"] else 0
    return learned(whole, kernels + bias, steps * math.prod(places) * kernels)


RULES: dict[str, Rule] = {
    **{kind: partial(_recurrent, kind) for kind in GATES},
    **{f"{kind}Cell": partial(_cell, kind) for kind in GATES},
    **{f"ConvLSTM{rank}D": partial(_convolutional, rank) for rank in (1, 2, 3)},
}


def rnn(arguments: Arguments, shape: Shape, cell: str, cell_arguments: Arguments) -> Inferred | None:
    """Infer an `RNN` around a cell; None for a cell without a rule."""
    if not trait("layer", cell, "cell"):
        hint = "write `cell: {LSTMCell: {units: 64}}`"
        raise ShapeError(f"takes a recurrent cell, and `{cell}` is not one", hint, "cell")
    kind = cell.removesuffix("Cell")
    if kind not in GATES:
        return None
    check_sequence(shape)
    return _steps_of(kind, cell_arguments, arguments["return_sequences"], shape)


def check_goes_along(key: str, name: str) -> None:
    """Raise ShapeError unless a layer for `Bidirectional` is recurrent."""
    if not trait("layer", name, "recurrent") or name == "Bidirectional":
        message = f"takes a recurrent layer as its `{key}`, and `{name}` is not one"
        raise ShapeError(message, "as in `layer: {LSTM: {units: 64}}`", key)


def check_pair(forward: Arguments, backward: Arguments) -> None:
    """Raise ShapeError unless two layers process a sequence in opposite directions, with outputs that can be merged."""
    if forward["go_backwards"] == backward["go_backwards"]:
        hint = "write `go_backwards: true` in `backward_layer` alone"
        raise ShapeError("needs one layer that goes forwards and one that goes backwards", hint, "backward_layer")
    if forward["return_sequences"] != backward["return_sequences"]:
        hint = "write the same `return_sequences` in both"
        raise ShapeError("has one layer that returns every step and one that does not", hint, "backward_layer")


def bidirectional(arguments: Arguments, forward: Inferred, backward: Inferred) -> Inferred:
    """Infer two recurrent layers on one sequence, merged."""
    mode = arguments["merge_mode"]
    if mode is None:
        hint = "write `merge_mode: concat`"
        raise ShapeError("has two outputs without a `merge_mode`; the next layer takes one", hint, "merge_mode")
    one = forward.shape
    if one != backward.shape:
        message = f"cannot merge {one} with {backward.shape}"
        raise ShapeError(message, "give both layers the same `units` and `return_sequences`", "backward_layer")
    shape = (*one[:-1], 2 * one[-1]) if mode == "concat" else one
    return Inferred(
        shape,
        forward.parameters + backward.parameters,
        forward.trainable + backward.trainable,
        forward.macs + backward.macs,
    )


def check_steps(shape: Shape) -> None:
    """Raise ShapeError if there is no axis of steps before those of the inner layer."""
    if len(shape) < 2:
        raise mismatch(shape, "(steps, …)", reshape(shape[0], 1))
