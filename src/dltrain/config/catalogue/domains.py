"""The domain of a loss: the outputs and targets that it takes, by its traits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from dltrain.config.catalogue.entries import passes_on, trait
from dltrain.config.schema import KerasObject

Range = Sequence[float | None]
"""[lowest, highest], None for no end."""


def outputs_of(loss: str, arguments: Mapping[str, Any]) -> Range | None:
    """Return the range of the outputs that a loss takes; None for any."""
    if trait("loss", loss, "probabilities"):
        return None if arguments.get("from_logits") else (0, 1)
    found: Range | None = trait("loss", loss, "outputs")
    return found


def range_of(layers: Sequence[KerasObject]) -> Range | None:
    """Return the range of the numbers that the last of these layers outputs; None for any."""
    for index, layer in reversed(list(enumerate(layers))):
        if passes_on(layer.name):
            continue
        if layer.name == "Rescaling":
            return _rescaled(range_of(layers[:index]), layer.arguments)
        activation = layer.arguments.get("activation") or trait("layer", layer.name, "applies") or "linear"
        found: Range | None = trait("activation", activation, "range")
        return found
    return None


def _rescaled(span: Range | None, arguments: Mapping[str, Any]) -> Range | None:
    """Return a range after `x * scale + offset`; each may be a list of numbers, one a column."""
    low, high = span or (None, None)
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    scales, offsets = (
        given if isinstance(given, list) else [given]
        for given in (arguments.get("scale", 1.0), arguments.get("offset", 0.0))
    )
    pairs = zip(scales, offsets, strict=True) if len(scales) == len(offsets) else product(scales, offsets)
    moved = [end * scale + offset if scale else offset for scale, offset in pairs for end in ends]
    if not moved or (math.isinf(min(moved)) and math.isinf(max(moved))):
        return None
    return [None if math.isinf(end) else end for end in (min(moved), max(moved))]


def lies_within(span: Range | None, domain: Range | None) -> bool:
    """Return whether all numbers of a range, None for any number, are in a domain."""
    if domain is None:
        return True
    (low, high), (lowest, highest) = span or (None, None), domain
    over = lowest is None or (low is not None and low >= lowest)
    return over and (highest is None or (high is not None and high <= highest))


def reach(span: Range) -> str:
    """A range as a phrase: `from 0 to 1`, `from 0 on`."""
    low, high = span
    if low is None:
        return f"of at most {high:g}"
    return f"from {low:g} on" if high is None else f"from {low:g} to {high:g}"


def suspect(loss: KerasObject, layers: Sequence[KerasObject]) -> str:
    """Return what a loss that is NaN may come from, before any learning rate: outputs or targets out of its domain.

    Empty where the last layer that computes keeps its outputs in it.
    """
    last = next((layer for layer in reversed(layers) if not passes_on(layer.name)), layers[-1])
    domain = outputs_of(loss.name, loss.arguments)
    if domain is not None and not lies_within(range_of(layers), domain):
        return (
            f"`{loss.name}` takes outputs {reach(domain)}, and the last layer, `{last.name}`, does not keep them there"
        )
    if trait("loss", loss.name, "divides"):
        return f"`{loss.name}` divides by the targets, which may be 0"
    return ""
