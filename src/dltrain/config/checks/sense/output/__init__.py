"""The model's output against the labels, the loss and the metrics."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from dltrain.config.catalogue.entries import passes_on, trait
from dltrain.config.checks.draft import Draft, kind_of, value_of
from dltrain.config.checks.outline import Outline, Row
from dltrain.config.checks.sense.metrics import check_counts, check_metrics
from dltrain.config.checks.sense.output.activation import check_activation
from dltrain.config.checks.sense.output.head import head_of
from dltrain.config.checks.sense.output.shape import check_units, needed_output, not_one_vector, other_axes
from dltrain.config.checks.sense.output.targets import check_targets, usual_here
from dltrain.errors import Problem


def check_output(draft: Draft, outline: Outline) -> Iterator[Problem]:
    data, loss = draft.data, kind_of("loss", draft.loss)
    if data is None:
        return
    shape = outline.shape if outline.rows else None
    wanted = needed_output(data, loss, shape[-1] if shape else None)
    head = head_of(outline.rows) if shape is not None and len(shape) == len(wanted) else None
    if loss is not None and draft.loss is not None:
        output = (shape[-1], head.activation) if shape is not None and head is not None else (None, None)
        problem = check_targets(draft, draft.loss, loss, data, usual_here(data, *output))
        if problem is not None:
            yield problem
            loss = None if problem.severity == "error" else loss
    if shape is None:
        yield from check_metrics(draft, loss, None, None)
        return
    if head is None:
        yield not_one_vector(draft, data, loss, outline.rows, shape)
        return
    if shape[:-1] != wanted[:-1]:
        yield other_axes(draft, data, outline.rows[-1], shape, wanted)
        return
    outputs = shape[-1]
    yield from _check_softmaxes(draft, outline.rows)
    yield from _check_dropped(draft, outline.rows)
    problem = check_units(draft, data, loss, head, outline.rows[-1], outputs)
    if problem is not None:
        yield problem
        if problem.severity == "error":
            return
    activation_problems = list(check_activation(draft, data, loss, head, outputs))
    yield from activation_problems
    if not any(problem.severity == "error" for problem in activation_problems):
        yield from check_metrics(draft, loss, outputs, head.activation)
        yield from check_counts(draft, head.activation, outputs)


def _check_softmaxes(draft: Draft, rows: Sequence[Row]) -> Iterator[Problem]:
    """Softmax is for the output: inside it lets one number win, twice it flattens what the first has said."""
    computing = deque(row for row in rows if not passes_on(row.kind))
    last = max((row.number for row in computing if not trait("layer", row.kind, "rescales")), default=0)
    for row in rows:
        while computing and computing[0].number <= row.number:
            computing.popleft()
        if row.number >= last:
            break  # the last, or told as what the loss does not take
        path = row.placed.argument_path("activation") if row.kind != "Softmax" else row.placed.path
        hint = f"write `{'ReLU' if row.kind == 'Softmax' else 'activation: relu'}`"
        if (alone := _of_one_number(row)) is not None:
            name, value = alone
            message = f"{row} takes a `{name}` over an axis of one number, which is always {value}"
            if row.kind == "Softmax" and row.before[-1] > 1:
                hint = f"{hint}, or `Softmax` with `axis: -1`"
            yield draft.tell("softmax", message, path, hint, "warning")
            continue
        if not _ends_in_softmax(row):
            continue
        behind = computing[0]
        twice = _ends_in_softmax(behind) and behind.kind in ("Softmax", "Activation")
        message = (
            f"{row} ends in a softmax, and {behind} takes another of it"
            if twice
            else (f"{row} has a softmax inside the model, where it lets one number win")
        )
        yield draft.tell("softmax", message, path, "remove one of them" if twice else hint, "warning")


def _ends_in_softmax(row: Row) -> bool:
    return row.kind == "Softmax" or row.placed.object.arguments.get("activation") == "softmax"


def _of_one_number(row: Row) -> tuple[str, int] | None:
    """Return the activation of a layer and its value, where it is taken over an axis of a single number."""
    name = str(trait("layer", row.kind, "applies") or row.placed.object.arguments.get("activation"))
    value: int | None = trait("activation", name, "alone")
    axis = value_of("layer", row.placed.object, "axis") if row.kind == "Softmax" else -1
    axes = axis if isinstance(axis, list) else [axis]
    sizes = [row.after.shape[index - 1 if index > 0 else index] for index in axes]
    return (name, value) if value is not None and set(sizes) == {1} else None


def _check_dropped(draft: Draft, rows: Sequence[Row]) -> Iterator[Problem]:
    last = rows[-1]
    if trait("layer", last.kind, "drops"):
        message = f"{last} is the last, so it drops the model's own answers"
        yield draft.tell("output-dropout", message, last.placed.path, "put it before the last `Dense`", "warning")
