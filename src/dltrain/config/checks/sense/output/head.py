"""The end of a model: the layer that makes its outputs, and the activation that they go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dltrain.config.catalogue.domains import Range, range_of
from dltrain.config.catalogue.entries import find, passes_on, trait
from dltrain.config.checks.draft import value_of
from dltrain.config.checks.outline import Row
from dltrain.errors import KeyPath


@dataclass(frozen=True, slots=True)
class Head:
    """What the output is made of: the layer that makes its numbers, the activation they went through, their range."""

    maker: Row
    activation: str | None
    activation_path: KeyPath
    span: Range | None = None


def head_of(rows: Sequence[Row]) -> Head:
    span = range_of([row.placed.object for row in rows])
    for row in reversed(rows):
        path = row.placed.argument_path("activation")
        if passes_on(row.kind):
            continue
        if row.kind == "Activation":
            return Head(_maker(rows), str(value_of("layer", row.placed.object, "activation")), path, span)
        if (activation := trait("layer", row.kind, "applies")) is not None:
            return Head(_maker(rows), activation, row.placed.path, span)
        if _has_activation(row):
            return Head(row, value_of("layer", row.placed.object, "activation") or "linear", path, span)
        return Head(row, None, row.placed.path, span)
    return Head(rows[-1], None, rows[-1].placed.path)


def _maker(rows: Sequence[Row]) -> Row:
    """The layer that decides how many outputs there are."""
    makers = (row for row in reversed(rows) if not (passes_on(row.kind) or _is_activation(row)))
    return next(makers, rows[-1])


def _is_activation(row: Row) -> bool:
    return row.kind == "Activation" or trait("layer", row.kind, "applies") is not None


def _has_activation(row: Row) -> bool:
    entry = find("layer", row.kind)
    return entry is not None and "activation" in entry.arguments


def is_written(head: Head) -> bool:
    return "activation" in head.maker.placed.object.arguments
