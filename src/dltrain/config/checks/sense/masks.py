"""The mask of padded steps: which layers make it, those that cannot take it, and the first one that loses it."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.entries import trait
from dltrain.config.catalogue.names import class_name
from dltrain.config.checks.draft import Draft, Placed, inner, value_of
from dltrain.config.checks.outline import Outline, Row, returns_sequences
from dltrain.config.checks.shapes import Shape
from dltrain.errors import Problem


def check_masks(draft: Draft, outline: Outline) -> Iterator[Problem]:
    maker: Row | None = None
    for row in outline.rows:
        if maker is not None and (why := _refusal(row.placed, row.before, _axes(maker))):
            message = f"{row} cannot take the mask of `{maker.kind}` in {draft.line(maker.placed.path)}: {why}"
            yield draft.tell("mask", message, row.placed.path, _cure(row, maker))
            return
        if _makes_mask(row):
            maker = row
        elif maker is not None and (trait("layer", row.kind, "ends_mask") or _ends_sequence(row)):
            maker = None
        elif maker is not None and not trait("layer", row.kind, "masks"):
            message = (
                f"{row} loses the mask of `{maker.kind}` in {draft.line(maker.placed.path)}: "
                "from here on, masked steps count like all others"
            )
            hint = (
                f"put a recurrent layer or `GlobalAveragePooling1D` before it, or leave the mask of `{maker.kind}` out"
            )
            yield draft.tell("mask-lost", message, row.placed.path, hint, "warning")
            maker = None


def _makes_mask(row: Row) -> bool:
    return row.kind == "Masking" or bool(value_of("layer", row.placed.object, "mask_zero"))


def _axes(maker: Row) -> int:
    """The axes of a mask, without the batch: one number for each vector, or for each position in a table."""
    return len(maker.before) - (1 if maker.kind == "Masking" else 0)


def _refusal(placed: Placed, shape: Shape, axes: int) -> str:
    """Return why a layer cannot take a mask of as many axes for samples of `shape`; empty where it can."""
    kind = class_name(placed.object)
    if kind == "Softmax":
        return "it takes one of all numbers"
    if kind == "TimeDistributed":
        nested = inner(placed, "layer", "layer")
        return _refusal(nested, shape[1:], axes - 1) if nested is not None else ""
    if kind == "BatchNormalization" and axes != len(shape) - 1:
        return f"it takes one of all vectors of {shape}"
    if kind == "GlobalAveragePooling1D" and value_of("layer", placed.object, "data_format") == "channels_first":
        return "it is of steps, and the layer takes the channels first"
    if (trait("layer", kind, "recurrent") or kind == "GlobalAveragePooling1D") and axes != 1:
        return "it takes one of steps, and the mask is of places within them" if axes else "it takes one of steps"
    return ""


def _cure(row: Row, maker: Row) -> str:
    if row.kind == "Softmax":
        return f"write `Activation: {{activation: softmax}}`, or leave the mask of `{maker.kind}` out"
    return f"leave the mask of `{maker.kind}` out"


def _ends_sequence(row: Row) -> bool:
    """Whether a recurrent layer returns its last step alone, which has no mask."""
    return bool(trait("layer", row.kind, "recurrent")) and returns_sequences(row) is None
