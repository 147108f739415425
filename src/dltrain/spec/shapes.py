"""What a layer makes of one sample: shape, weights and operations, by rules that are held against Keras by a test."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dltrain.spec import catalogue, shapes_convolution, shapes_plain, shapes_recurrent
from dltrain.spec.shape_terms import Arguments, Inferred, Rule, Shape, ShapeError

__all__ = ["Inferred", "Shape", "ShapeError", "has_rule", "infer"]

_RULES: dict[str, Rule] = {**shapes_plain.RULES, **shapes_convolution.RULES, **shapes_recurrent.RULES}
_WRAPPERS = ("Bidirectional", "RNN", "SpectralNormalization", "TimeDistributed")


def has_rule(name: str) -> bool:
    """Whether there is a rule for a layer of this class name."""
    return name in _RULES or name in _WRAPPERS


def infer(name: str, arguments: Mapping[str, Any], shape: Shape) -> Inferred | None:
    """What a layer makes of a sample of `shape`; None where there is no rule, and so nothing to say.

    Args:
        name: of the layer, or an alias.
        arguments: as written, valid by the catalogue; defaults are filled in here.
        shape: of one sample, without the batch axis.

    Raises:
        ShapeError: the layer does not take such samples.
    """
    entry = catalogue.find("layer", name)
    if entry is None or not has_rule(entry.name):
        return None
    filled = {**_defaults(entry.name), **arguments}
    inferred = _wrapped(entry.name, filled, shape) if entry.name in _WRAPPERS else _RULES[entry.name](filled, shape)
    if inferred is not None and min(inferred.shape, default=1) < 1:
        raise ShapeError(f"leaves nothing of samples of shape {shape}: {inferred.shape}", "make its sizes larger")
    if inferred is not None and filled.get("trainable") is False:
        return Inferred(inferred.shape, inferred.parameters, 0, inferred.multiply_adds)
    return inferred


@cache
def _defaults(name: str) -> dict[str, Any]:
    entry = catalogue.find("layer", name)
    return {key: argument.default for key, argument in entry.arguments.items()} if entry is not None else {}


def _wrapped(name: str, arguments: Arguments, shape: Shape) -> Inferred | None:
    if name == "RNN":
        cell, given = _named(arguments["cell"])
        return shapes_recurrent.rnn(arguments, shape, cell, _defaults(cell) | given)
    inner, given = _named(arguments["layer"])
    if name == "TimeDistributed":
        shapes_recurrent.check_steps(shape)
        one = infer(inner, given, shape[1:])
        if one is None:
            return None
        return Inferred((shape[0], *one.shape), one.parameters, one.trainable, one.multiply_adds * shape[0])
    forward = infer(inner, given, shape)
    if forward is None or name == "SpectralNormalization":
        return _spectral(inner, given, forward)
    backward = arguments["backward_layer"]
    other = infer(*_named(backward), shape) if backward is not None else forward
    return shapes_recurrent.bidirectional(arguments, forward, other) if other is not None else None


def _named(value: Any) -> tuple[str, dict[str, Any]]:
    """Name and written arguments of a nested layer; the name is the class's own."""
    name, arguments = (value, None) if isinstance(value, str) else next(iter(value.items()))
    entry = catalogue.find("layer", name)
    return (entry.name if entry is not None else name), arguments or {}


def _spectral(inner: str, given: Arguments, forward: Inferred | None) -> Inferred | None:
    """The inner layer with one more vector, as long as the last axis of its kernel, that is not learned."""
    if forward is None:
        return None
    filled = {**_defaults(inner), **given}
    size = filled.get("units") or filled.get("filters") or filled.get("output_dim")
    if inner not in ("Dense", "Conv1D", "Conv2D", "Conv3D", "Embedding") or size is None:
        return None
    return Inferred(forward.shape, forward.parameters + size, forward.trainable, forward.multiply_adds)
