"""Initializers, regularizers and constraints against the shape of the weight that they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dltrain.config.catalogue.entries import find, trait
from dltrain.config.checks.draft import Draft, value_of
from dltrain.config.checks.outline import Outline, Row
from dltrain.config.checks.shapes import Shape, infer
from dltrain.config.checks.shapes.weights import Holder, holders
from dltrain.config.schema import KerasObject
from dltrain.errors import KeyPath, Problem

_SECTIONS = ("initializer", "regularizer", "constraint")
_FANS = ("input_axes", "output_axes")
_RANKS = {(2, 2): "a matrix", (2, None): "two axes or more", (3, 3): "three axes"}
_CURES = {
    "vector": "write `Zeros`, `Ones` or `RandomNormal`",
    "initializer": "write `HeNormal` or `GlorotUniform`, which take any shape",
    "regularizer": "write `L2` or `L1`, which take any shape",
}


def check_weights(draft: Draft, outline: Outline) -> Iterator[Problem]:
    for row in outline.rows:
        item = row.placed.object
        for holder in holders(item.name, item.arguments, row.before):
            for key, value in holder.arguments.items():
                prefix, _, section = key.rpartition("_")
                if section not in _SECTIONS or value is None:
                    continue
                path = (*row.placed.path, item.name, *holder.path, key)
                if prefix == "activity":
                    yield from _check_activity(draft, row, holder, path, value)
                elif prefix in holder.weights:
                    what = f"the weight `{prefix}` of {row}"
                    yield from _check(draft, section, value, path, what, holder.weights[prefix])


def _check_activity(draft: Draft, row: Row, holder: Holder, path: KeyPath, value: Any) -> Iterator[Problem]:
    """Check the regularizer of a layer's outputs, whose first axis is the batch: its smallest, where that is known."""
    after = row.after if not holder.path else infer(holder.name, holder.arguments, holder.shape)
    if after is None:
        return
    batch, samples = draft.batch or 2, draft.train_samples or 2
    smallest = min(samples, samples % batch or batch)
    what = f"the output of {row}" if not holder.path else f"the output of `{holder.name}` in {row}"
    yield from _check(draft, "regularizer", value, path, what, (smallest, *after.shape), "(batch, …)")


def _check(
    draft: Draft, section: str, value: Any, path: KeyPath, what: str, shape: Shape, told: str = ""
) -> Iterator[Problem]:
    name, given = (value, {}) if isinstance(value, str) else next(iter(value.items()))
    entry = find(section, name)
    if entry is None:
        return
    item = KerasObject.model_construct(name=name, arguments=given or {})
    cure = _CURES["vector"] if section == "initializer" and len(shape) == 1 else _CURES.get(section, "")
    low, high = trait(section, name, "rank") or (0, None)
    if len(shape) < low or (high is not None and len(shape) > high):
        message = f"`{entry.name}` takes {_RANKS[low, high]}, but {what}, has the shape {_shown(shape, told)}"
        yield draft.tell("weight-shape", message, path, cure)
    elif entry.name == "STFT" and shape[1] != 1:
        message = f"`STFT` takes one input channel, but {what}, has the shape {shape}"
        yield draft.tell("weight-shape", message, path, cure)
    elif entry.name == "OrthogonalRegularizer":
        mode = value_of(section, item, "mode")
        if shape[0 if mode == "rows" else 1] == 1:
            one = "has one in the smallest batch" if told and mode == "rows" else "has one"
            message = f"`OrthogonalRegularizer` compares {mode} with each other, and {what}, {one}"
            yield draft.tell("weight-shape", f"{message}: the loss would not be a number", path, cure)
    elif section == "constraint" and "axis" in entry.arguments:
        yield from _check_axes(draft, item, value_of(section, item, "axis"), (*path, name, "axis"), what, shape)
    elif all(value_of(section, item, key) is not None for key in _FANS):  # one alone does nothing
        for key in _FANS:
            yield from _check_axes(draft, item, value_of(section, item, key), (*path, name, key), what, shape)


def _check_axes(
    draft: Draft, item: KerasObject, axis: int | list[int], path: KeyPath, what: str, shape: Shape
) -> Iterator[Problem]:
    axes, rank = axis if isinstance(axis, list) else [axis], len(shape)
    outside = [number for number in axes if not -rank <= number < rank]
    if outside:
        message = f"`{item.name}` has no axis {outside[0]} in {what}, whose shape is {shape}"
        yield draft.tell("weight-shape", message, path, f"write axes from 0 to {rank - 1}: 0 is the first")
    elif len({number % rank for number in axes}) < len(axes):
        message = f"`{item.name}` has one axis of {what}, twice: {axes}"
        yield draft.tell("weight-shape", message, path, "write each axis once")


def _shown(shape: Shape, told: str) -> str:
    return f"(batch, {', '.join(map(str, shape[1:]))})" if told else str(shape)
