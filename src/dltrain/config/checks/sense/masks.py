"""The mask of padded steps: which layers make it, and the first one that loses it."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.entries import trait
from dltrain.config.checks.draft import Draft, value_of
from dltrain.config.checks.outline import Outline, Row, returns_sequences
from dltrain.errors import Problem


def check_masks(draft: Draft, outline: Outline) -> Iterator[Problem]:
    maker: Row | None = None
    for row in outline.rows:
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


def _ends_sequence(row: Row) -> bool:
    """Whether a recurrent layer returns its last step alone, which has no mask."""
    return bool(trait("layer", row.kind, "recurrent")) and returns_sequences(row) is None
