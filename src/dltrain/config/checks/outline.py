"""The layers of a model and the shapes between them, inferred without Keras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dltrain.config.catalogue.entries import trait
from dltrain.config.catalogue.names import class_name, layer_names
from dltrain.config.checks.draft import Draft, Placed, value_of
from dltrain.config.checks.shapes import Inferred, Shape, ShapeError, infer
from dltrain.config.schema import KerasObject
from dltrain.errors import KeyPath, Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One layer, with its input and output shape per sample."""

    number: int
    placed: Placed
    name: str
    kind: str
    before: Shape
    after: Inferred

    def __str__(self) -> str:
        return f"layer {self.number}, `{self.kind}`"


@dataclass(frozen=True, slots=True)
class Outline:
    """The layers as far as their shapes are known.

    Args:
        rows: the layers in order.
        shape: of one sample of the model's output; None where the rows do not reach the end.
        ended: why they do not, if that is no error.
        problems: the first layer that does not fit, and duplicate names.
    """

    rows: tuple[Row, ...] = ()
    shape: Shape | None = None
    ended: str = ""
    problems: tuple[Problem, ...] = field(default=())


def make_outline(draft: Draft) -> Outline:
    doubled = tuple(_doubled_names(draft))
    if draft.data is None:
        return Outline(problems=doubled)
    rows: list[Row] = []
    shape: Shape = draft.data.shape
    names = layer_names([placed.object for placed in draft.layers])
    for number, (placed, name) in enumerate(zip(draft.layers, names, strict=True), 1):
        kind = class_name(placed.object)
        try:
            inferred = infer(placed.object.name, placed.object.arguments, shape)
        except ShapeError as error:
            return Outline(tuple(rows), problems=(*doubled, _problem(draft, rows, placed, number, shape, error)))
        if inferred is None:
            ended = f"no rule for layer {number}, `{kind}`: shapes after it are checked when the model is built"
            return Outline(tuple(rows), ended=ended, problems=doubled)
        rows.append(Row(number, placed, name, kind, shape, inferred))
        shape = inferred.shape
    return Outline(tuple(rows), shape if draft.whole else None, "", doubled)


def _doubled_names(draft: Draft) -> Iterable[Problem]:
    first: dict[str, Placed] = {}
    names = layer_names([placed.object for placed in draft.layers])
    for placed, name in zip(draft.layers, names, strict=True):
        other = first.setdefault(name, placed)
        if other is placed:
            continue
        given = placed if "name" in placed.object.arguments else other
        path = given.argument_path("name") if "name" in given.object.arguments else given.path
        hint = "give each layer its own name"
        if other.path == placed.path:
            hint = "remove `name`: in a `repeat` it would be given to every copy"
        yield Problem("duplicate-name", f"a second layer is named `{name}`", path, draft.where(path), hint)


def _problem(
    draft: Draft, rows: Sequence[Row], placed: Placed, number: int, shape: Shape, error: ShapeError
) -> Problem:
    path = placed.path
    if error.argument is not None and error.argument in placed.object.arguments:
        path = placed.argument_path(error.argument)
    fix = error.fix
    if placed.object.arguments.get("data_format") == "channels_first" and shape[-1] < shape[0]:
        path, fix = placed.argument_path("data_format"), "remove `data_format`: samples have their channels last"
    if error.argument is None and len(shape) == 1 and (cause := _flattened_by(rows)) is not None:
        fix = _undo(draft, cause)
    kind = class_name(placed.object)
    return Problem("shape", f"layer {number}, `{kind}`, {error.message}", path, draft.where(path), fix)


def _flattened_by(rows: Sequence[Row]) -> Row | None:
    """Return the last layer that reduced its input to one vector per sample."""
    for row in reversed(rows):
        if len(row.before) > 1:
            return row
    return None


def _undo(draft: Draft, cause: Row) -> str:
    line = draft.line(cause.placed.path)
    if trait("layer", cause.kind, "recurrent"):
        inner = f"the layer inside `{cause.kind}`" if cause.kind == "Bidirectional" else f"`{cause.kind}`"
        return f"{inner} in {line} returns only its last step: write `return_sequences: true` there"
    if trait("layer", cause.kind, "flattens"):
        return f"`{cause.kind}` in {line} turns each sample into one vector: remove it, or move it after this layer"
    return f"`{cause.kind}` in {line} turns each sample into one vector: put this layer before it"


def returns_sequences(row: Row) -> Placed | None:
    """Return the recurrent layer itself, if it returns every step of a sequence."""
    if not trait("layer", row.kind, "recurrent"):
        return None
    inner = row.placed.object
    if row.kind == "Bidirectional":
        layer = inner.arguments.get("layer")
        name, arguments = (layer, {}) if isinstance(layer, str) else next(iter((layer or {"": {}}).items()))
        inner = KerasObject.model_construct(name=name, arguments=arguments or {})
        path: KeyPath = row.placed.argument_path("layer")
    else:
        path = row.placed.path
    return Placed(path, inner) if value_of("layer", inner, "return_sequences") else None
