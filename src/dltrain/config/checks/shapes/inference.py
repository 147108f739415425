"""Infers a layer's output shape, weights and MACs for one sample, by rules that a test compares with Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.checks.shapes.audio import RULES as AUDIO
from dltrain.config.checks.shapes.convolution import RULES as CONVOLUTION
from dltrain.config.checks.shapes.einsum import RULES as EINSUM
from dltrain.config.checks.shapes.einsum import einsum
from dltrain.config.checks.shapes.images import RULES as IMAGES
from dltrain.config.checks.shapes.plain import RULES as PLAIN
from dltrain.config.checks.shapes.recurrent import RULES as RECURRENT
from dltrain.config.checks.shapes.recurrent import bidirectional, check_goes_along, check_pair, check_steps, rnn
from dltrain.config.checks.shapes.terms import Arguments, Inferred, Shape, ShapeError, layer, reshape
from dltrain.config.checks.shapes.values import RULES as VALUES
from dltrain.config.schema import KerasObject


def infer(name: str, arguments: Mapping[str, Any], shape: Shape) -> Inferred | None:
    """Infer the output of a layer for a sample of `shape`; None for a layer without a rule.

    Args:
        name: of the layer, or an alias.
        arguments: as written and valid; defaults are filled in here.
        shape: of one sample, without the batch axis.

    Raises:
        ShapeError: the layer does not accept such samples.
    """
    entry = entries.find("layer", name)
    if entry is None or entry.name not in RULES or not shape or not _needed(entry.name) <= arguments.keys():
        return None
    filled = {**_defaults(entry.name), **arguments}
    if _halves(filled):
        return None
    inferred = RULES[entry.name](filled, shape)
    if inferred is not None and min(inferred.shape, default=1) < 1:
        raise ShapeError(f"leaves nothing of samples of shape {shape}: {inferred.shape}", "make its sizes larger")
    return _frozen(inferred) if inferred is not None and filled.get("trainable") is False else inferred


def _frozen(inferred: Inferred) -> Inferred:
    return Inferred(inferred.shape, inferred.parameters, 0, inferred.macs)


@cache
def _defaults(name: str) -> dict[str, Any]:
    entry = entries.find("layer", name)
    return {key: argument.default for key, argument in entry.arguments.items()} if entry is not None else {}


@cache
def _needed(name: str) -> frozenset[str]:
    """Return the required arguments of a layer."""
    entry = entries.find("layer", name)
    return frozenset(key for key, argument in entry.arguments.items() if argument.required) if entry else frozenset()


def _halves(arguments: Arguments) -> bool:
    """Whether an activation halves the last axis: Keras's own shape inference ignores that."""
    given = (arguments.get("activation"), arguments.get("recurrent_activation"))
    return any(entries.trait("activation", name, "halves") for name in given)


def _rnn(arguments: Arguments, shape: Shape) -> Inferred | None:
    cell, given = named(arguments["cell"])
    filled = {**_defaults(cell), **given}
    unknown = _halves(filled) or not _needed(cell) <= given.keys()
    looped = None if unknown else rnn(arguments, shape, cell, filled)
    return _frozen(looped) if looped is not None and filled.get("trainable") is False else looped


def _time_distributed(arguments: Arguments, shape: Shape) -> Inferred | None:
    inner, given = named(arguments["layer"])
    check_steps(shape)
    try:
        one = infer(inner, given, shape[1:])
    except ShapeError as error:
        message = f"runs `{inner}` on each step, which {error.message}"
        raise ShapeError(message, _at_every_step_before(error.cure, shape[0]), "layer") from error
    if one is None:
        return None
    return Inferred((shape[0], *one.shape), one.parameters, one.trainable, one.macs * shape[0])


def _at_every_step_before(cure: KerasObject | str, steps: int) -> KerasObject | str:
    """Return the layer to put before `TimeDistributed` if its inner layer needs `cure` before it."""
    if isinstance(cure, str):
        return cure
    if cure.name == "Reshape":
        return reshape(steps, *cure.arguments["target_shape"])
    return layer("TimeDistributed", layer=cure.model_dump())


def _bidirectional(arguments: Arguments, shape: Shape) -> Inferred | None:
    inner, given = named(arguments["layer"])
    check_goes_along("layer", inner)
    first = {**_defaults(inner), **given}
    second: tuple[str, Arguments] = (inner, {**given, "go_backwards": True})
    backward = arguments["backward_layer"]
    if backward is not None:
        name, written = named(backward)
        check_goes_along("backward_layer", name)
        second = (name, written)
    elif first["go_backwards"]:
        raise ShapeError("has a `layer` that goes backwards already", "remove `go_backwards` from its `layer`", "layer")
    check_pair(first, {**_defaults(second[0]), **second[1]})
    forward, other = infer(inner, given, shape), infer(*second, shape)
    if forward is None or other is None:
        return None
    return bidirectional(arguments, forward, other)


def filled(name: str, arguments: Arguments) -> dict[str, Any]:
    """Return a layer's arguments with Keras's defaults where none are written."""
    return {**_defaults(name), **arguments}


def named(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the class name and the written arguments of a nested layer."""
    name, arguments = (value, None) if isinstance(value, str) else next(iter(value.items()))
    entry = entries.find("layer", name)
    return (entry.name if entry is not None else name), arguments or {}


def _spectral_normalization(arguments: Arguments, shape: Shape) -> Inferred | None:
    """Infer the inner layer with one more vector, not trainable, as long as the last axis of its kernel."""
    inner, given = named(arguments["layer"])
    forward = infer(inner, given, shape)
    if forward is None:
        return None
    filled = {**_defaults(inner), **given}
    size = _kernel_end(inner, filled, shape)
    if size is None:
        hint = "wrap `Dense`, `EinsumDense`, `Embedding` or a convolution"
        raise ShapeError(f"scales the kernel of a layer, and `{inner}` has none", hint, "layer")
    if filled.get("lora_rank") is not None:
        hint = f"remove `lora_rank` of `{inner}`"
        raise ShapeError("cannot scale the kernel of a layer with `lora_rank`, which is not one weight", hint, "layer")
    if inner == "SpectralNormalization":
        return None
    return Inferred(forward.shape, forward.parameters + size, forward.trainable, forward.macs)


def _kernel_end(name: str, filled: Arguments, shape: Shape) -> int | None:
    """Return the size of the kernel's last axis; None for a layer without a single kernel."""
    if name.startswith(("SeparableConv", "ConvLSTM")):
        return None
    if name == "SpectralNormalization":
        return 0
    if name.endswith("Transpose"):
        return shape[0] if filled["data_format"] == "channels_first" else shape[-1]
    if name.startswith("DepthwiseConv"):
        return int(filled["depth_multiplier"])
    if name.startswith("Conv"):
        return int(filled["filters"])
    if name == "EinsumDense":
        return einsum(filled, shape).kernel_shape[-1]
    key = {"Dense": "units", "Embedding": "output_dim", "ReversibleEmbedding": "output_dim"}.get(name)
    return int(filled[key]) if key is not None else None


RULES: dict[str, Callable[[Arguments, Shape], Inferred | None]] = {
    **PLAIN,
    **VALUES,
    **IMAGES,
    **AUDIO,
    **CONVOLUTION,
    **EINSUM,
    **RECURRENT,
    "Bidirectional": _bidirectional,
    "RNN": _rnn,
    "SpectralNormalization": _spectral_normalization,
    "TimeDistributed": _time_distributed,
}
