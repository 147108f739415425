"""The model's output against the labels, the loss and the metrics."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dltrain.config.catalogue.domains import Range, lies_within, outputs_of, range_of, reach
from dltrain.config.catalogue.entries import find, passes_on, trait
from dltrain.config.catalogue.labels import label_encoding, needed_shape, usual_loss
from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.config.checks.outline import Outline, Row, returns_sequences
from dltrain.config.checks.sense.metrics import check_counts, check_metrics
from dltrain.data.facts import Facts
from dltrain.errors import Fix, KeyPath, Problem, Severity

_Told: TypeAlias = tuple[str, str, Severity]  # message, hint, severity


@dataclass(frozen=True, slots=True)
class _Head:
    """What the output is made of: the layer that makes its numbers, the activation they went through, their range."""

    maker: Row
    activation: str | None
    activation_path: KeyPath
    span: Range | None = None


def check_output(draft: Draft, outline: Outline) -> Iterator[Problem]:
    data, loss = draft.data, kind_of("loss", draft.loss)
    if data is None:
        return
    shape = outline.shape if outline.rows else None
    wanted = _needed(data, loss, shape[-1] if shape else None)
    head = _head(outline.rows) if shape is not None and len(shape) == len(wanted) else None
    if loss is not None and draft.loss is not None:
        output = (shape[-1], head.activation) if shape is not None and head is not None else (None, None)
        problem = _check_targets(draft, draft.loss, loss, data, _usual(data, *output))
        if problem is not None:
            yield problem
            loss = None if problem.severity == "error" else loss
    if shape is None:
        yield from check_metrics(draft, loss, None, None)
        return
    if head is None:
        yield _not_one_vector(draft, data, loss, outline.rows, shape)
        return
    if shape[:-1] != wanted[:-1]:
        yield _other_axes(draft, data, outline.rows[-1], shape, wanted)
        return
    outputs = shape[-1]
    yield from _check_softmaxes(draft, outline.rows)
    yield from _check_dropped(draft, outline.rows)
    problem = _check_units(draft, data, loss, head, outline.rows[-1], outputs)
    if problem is not None:
        yield problem
        if problem.severity == "error":
            return
    activation_problems = list(_check_activation(draft, data, loss, head, outputs))
    yield from activation_problems
    if not any(problem.severity == "error" for problem in activation_problems):
        yield from check_metrics(draft, loss, outputs, head.activation)
        yield from check_counts(draft, head.activation, outputs)


def _usual(data: Facts, outputs: int | None, activation: str | None) -> str:
    """Return what to write for the loss that goes with an output, as far as that is known, and for its activation."""
    fits = activation in (None, "linear") or trait("activation", activation, "range") == [0, 1]
    squashed = "" if fits or data.targets == "numbers" else f" and `activation: {_squashing(data, outputs)}`"
    return f"write `loss: {usual_loss(data.targets, outputs, activation)}`{squashed}"


def _squashing(data: Facts, outputs: int | None) -> str:
    return "sigmoid" if outputs == 1 or data.targets == "flags" else "softmax"


def _check_task(draft: Draft, placed: Placed, loss: str, data: Facts, usual: str) -> Problem | None:
    """The loss against what targets are. Losses of classes judge numbers from 0 to 1 too, such as those of an image."""
    name = placed.object.name
    if not trait("loss", loss, "for_classes") or data.targets == "classes":
        return None
    one_of_classes = trait("loss", loss, "categorical") or trait("loss", loss, "integer_labels")
    if data.targets == "flags":
        if not one_of_classes:
            return None
        message = f"`{name}` tells one class from the others, but a sample of `{data.name}` may have several labels"
        return draft.tell("loss-task", message, placed.path, usual)
    if not one_of_classes and (data.task == "array" or (data.task == "reconstruction" and _may_be_shares(data))):
        return None
    message = f"`{name}` is a loss for classes, but the targets of `{data.name}` are numbers"
    if data.name == "arrays" and data.task in ("sequence", "array") and data.target_shape[-1] > 1:
        hot = f"where they are one-hot, write `task: sequence`, and `classes: {data.target_shape[-1]}` in `arrays`"
        other = "else a loss of numbers, such as `mean_squared_error`"
        return draft.tell("loss-task", message, placed.path, f"{hot}; {other}")
    return draft.tell("loss-task", message, placed.path, usual)


def _may_be_shares(data: Facts) -> bool:
    """Whether all values are from 0 to 1, or may be: those of arrays are known when they are read."""
    return data.unit_range or (data.name == "arrays" and not data.whole and data.highest is None)


def _bounds(data: Facts) -> tuple[float | None, float | None]:
    """The range of targets that are numbers, as far as it is known."""
    return (0, 1) if data.task == "reconstruction" and _may_be_shares(data) else (None, None)


def _check_targets(draft: Draft, placed: Placed, loss: str, data: Facts, usual: str) -> Problem | None:
    """The loss against the targets: 0 and 1 for classes, numbers of any sign otherwise."""
    name, domain = placed.object.name, trait("loss", loss, "targets")
    if (problem := _check_task(draft, placed, loss, data, usual)) is not None:
        return problem
    if trait("loss", loss, "for_sequences"):
        message = f"`{name}` compares sequences of labels, but `{data.name}` has {_targets(data)}"
        return draft.tell("loss-task", message, placed.path, usual)
    if data.targets == "numbers" and domain is not None and not lies_within(_bounds(data), domain):
        message = f"`{name}` takes targets {reach(domain)}, but those of `{data.name}` have any sign"
        return draft.tell("loss-domain", message, placed.path, "write `loss: mean_squared_error`")
    if trait("loss", loss, "divides"):
        zeros = "of any size, near 0 too" if data.targets == "numbers" else "0 and 1"
        message = f"`{name}` divides by the targets, and those of `{data.name}` are {zeros}"
        hint = "write `loss: mean_absolute_error`" if data.targets == "numbers" else usual
        return draft.tell("loss-domain", message, placed.path, hint, "warning")
    return None


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


def _targets(data: Facts) -> str:
    """What the targets of a data set are."""
    if data.task == "reconstruction":
        return f"its samples, {data.shape}, as targets"
    if data.targets == "flags":
        return f"{data.classes} labels per sample"
    if data.targets == "classes":
        classes = f" ({data.classes} classes)" if data.classes else ""
        place = f"one label for each of {data.target_shape} places per sample" if data.target_shape else ""
        return f"{place or 'one label per sample'}{classes}"
    count = data.target_shape[0] if len(data.target_shape) == 1 else 0
    if count == 1:
        return "one number per sample"
    return f"{count} numbers per sample" if count else f"targets of {data.target_shape}"


def _needed(data: Facts, loss: str | None, outputs: int | None = None) -> tuple[int | None, ...]:
    """The output shape that the targets need."""
    if outputs is None:
        outputs = 1 if trait("loss", loss, "binary") else None
    return needed_shape(label_encoding(loss or "", data.targets, data.classes, outputs), data)


def _shown(shape: tuple[int | None, ...]) -> str:
    sizes = ["classes" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _other_axes(
    draft: Draft, data: Facts, last: Row, shape: tuple[int, ...], wanted: tuple[int | None, ...]
) -> Problem:
    """The output has as many axes as it needs, but of other lengths."""
    message = f"the output is {shape} per sample; `{data.name}` has {_targets(data)}, which needs {_shown(wanted)}"
    hint = "compare the shapes of the layers: `padding: same` keeps lengths, strides and pooling divide them"
    return draft.tell("output-shape", message, last.placed.path, hint)


def _not_one_vector(
    draft: Draft, data: Facts, loss: str | None, rows: Sequence[Row], shape: tuple[int, ...]
) -> Problem:
    """The output has more axes than the labels: steps left on, or axes that were never flattened."""
    wanted = _needed(data, loss)
    need = f"the output is {shape} per sample; `{data.name}` has {_targets(data)}, which needs {_shown(wanted)}"
    if data.name == "arrays" and data.task == "sequence" and shape == data.target_shape and shape[-1] > 1:
        hint = f"where the last axis of the targets is one-hot, save labels: `y.argmax(-1)`, which has {shape[:-1]}"
        return draft.tell("output-shape", need, rows[-1].placed.path, hint)
    if len(wanted) > 1 or None in wanted:
        return draft.tell("output-shape", need, rows[-1].placed.path, _to_axes(rows, wanted))
    head = len(rows)
    while head and trait("layer", rows[head - 1].kind, "positionwise"):
        head -= 1
    before = rows[head - 1] if head else None
    if before is not None and len(before.after.shape) == 2 and (layer := returns_sequences(before)) is not None:
        path = layer.argument_path("return_sequences")
        message = f"{before} outputs every step, {before.after.shape}, not only the last: {need}"
        return draft.tell("output-shape", message, path, "write `return_sequences: false`")
    dense = next((row for row in rows[head:] if row.kind == "Dense"), None)
    if dense is None:
        end = _dense(data, wanted[-1] or 1)
        flat = "- Flatten` and `" if len(shape) > 1 else ""
        hint = f"end in `{flat}- {end}`"
        return draft.tell("output-shape", f"{rows[-1]} is the last: {need}", rows[-1].placed.path, hint)
    message = f"{dense} gets samples of shape {dense.before} and works on the last axis alone: {need}"
    return draft.tell("output-shape", message, dense.placed.path, Fix("insert", ("- Flatten",)))


def _to_axes(rows: Sequence[Row], wanted: tuple[int | None, ...]) -> str:
    """How to end in an output of several axes."""
    if None in wanted and len(wanted) == 1:
        return "end in `- Flatten` and `- Dense: {units: …}`"
    recurrent = next((row for row in reversed(rows) if trait("layer", row.kind, "recurrent")), None)
    if recurrent is not None and len(wanted) == 2 and returns_sequences(recurrent) is None:
        return f"write `return_sequences: true` in {recurrent}, and end in `- Dense: {{units: {wanted[-1] or '…'}}}`"
    sizes = ", ".join("…" if size is None else str(size) for size in wanted)
    return f"end in a layer that gives {_shown(wanted)}, or in `- Reshape: {{target_shape: [{sizes}]}}`"


def _dense(data: Facts, units: int) -> str:
    if data.targets == "numbers":
        return f"Dense: {{units: {units}}}"
    if data.targets == "flags":
        return f"Dense: {{units: {units}, activation: sigmoid}}"
    return f"Dense: {{units: {units}, activation: {'sigmoid' if units == 1 else 'softmax'}}}"


def _head(rows: Sequence[Row]) -> _Head:
    span = range_of([row.placed.object for row in rows])
    for row in reversed(rows):
        path = row.placed.argument_path("activation")
        if passes_on(row.kind):
            continue
        if row.kind == "Activation":
            return _Head(_maker(rows), str(value_of("layer", row.placed.object, "activation")), path, span)
        if (activation := trait("layer", row.kind, "applies")) is not None:
            return _Head(_maker(rows), activation, row.placed.path, span)
        if _has_activation(row):
            return _Head(row, value_of("layer", row.placed.object, "activation") or "linear", path, span)
        return _Head(row, None, row.placed.path, span)
    return _Head(rows[-1], None, rows[-1].placed.path)


def _maker(rows: Sequence[Row]) -> Row:
    """The layer that decides how many outputs there are."""
    makers = (row for row in reversed(rows) if not (passes_on(row.kind) or _is_activation(row)))
    return next(makers, rows[-1])


def _is_activation(row: Row) -> bool:
    return row.kind == "Activation" or trait("layer", row.kind, "applies") is not None


def _has_activation(row: Row) -> bool:
    entry = find("layer", row.kind)
    return entry is not None and "activation" in entry.arguments


def _check_units(draft: Draft, data: Facts, loss: str | None, head: _Head, last: Row, outputs: int) -> Problem | None:
    labels = _targets(data)
    maker = head.maker if head.maker.after.shape[-1:] == (outputs,) else last
    key = "units" if "units" in maker.placed.object.arguments else ""
    path = maker.placed.argument_path(key) if key else maker.placed.path
    has = f"`{data.name}` has {labels}, but the model ends in {outputs:,} output{'s' if outputs != 1 else ''}"

    def wrong(hint: str, severity: Severity = "error") -> Problem:
        return draft.tell("output-units", has, path, hint, severity)

    def units(count: int) -> str:
        return f"write `units: {count}`" if key else f"end in `- {_dense(data, count)}`"

    if data.targets != "classes":
        return None if outputs == data.target_shape[-1] else wrong(units(data.target_shape[-1]))
    if data.classes is None:  # known once the labels are read
        several = trait("loss", loss, "categorical") or trait("loss", loss, "integer_labels")
        if outputs == 1 and loss is not None and several:
            softmax = f"as many {f'`{key}`' if key else 'outputs'} as there are classes, with `activation: softmax`"
            return wrong(
                f"write {softmax}; for two classes, `loss: {usual_loss('classes', 1, head.activation)}` will do"
            )
        return None
    classes = data.classes
    if loss is None:
        return None if outputs == classes or (classes == 2 and outputs == 1) else wrong(units(classes))
    encoding = label_encoding(loss, data.targets, data.classes, outputs)
    two = f" and `activation: softmax`, or `loss: {usual_loss(data.targets, 1, head.activation)}`"
    if encoding == "index":
        if outputs < classes:
            return wrong(units(classes) + (two if outputs == 1 and classes == 2 else ""))
        if outputs > classes:
            return wrong(f"{units(classes)}: the others are never right", "warning")
        return None
    if outputs == 1 and classes == 2 and trait("loss", loss, "categorical"):
        return wrong(units(2) + two)
    binary = trait("loss", loss, "binary")
    if outputs == 1 and classes > 2 and binary:
        return wrong(f"{units(classes)}, `activation: softmax` and `loss: sparse_categorical_crossentropy`")
    if encoding == "one_hot" and outputs != classes:
        return wrong(units(1 if binary and classes == 2 else classes))
    if binary and outputs > 1:
        return _binary_loss(draft, outputs)
    return None


def _binary_loss(draft: Draft, outputs: int) -> Problem:
    if draft.loss is None:
        raise ValueError("a draft without a loss")
    name = draft.loss.object.name
    message = f"`{name}` judges each of the {outputs} outputs as a question of its own, not as one choice among them"
    one = "one unit with `activation: sigmoid`, or " if outputs == 2 else ""
    hint = f"use {one}`activation: softmax` with `loss: sparse_categorical_crossentropy`"
    return draft.tell("binary-loss", message, draft.loss.path, hint, "warning")


def _check_activation(draft: Draft, data: Facts, loss: str | None, head: _Head, outputs: int) -> Iterator[Problem]:
    activation = head.activation
    if loss is None or draft.loss is None:
        return
    if activation is None:
        if trait("layer", head.maker.kind, "rescales"):
            yield from _check_rescaled(draft, draft.loss, data, loss, head)
        return
    found: _Told | None = None
    if (alone := trait("activation", activation, "alone")) is not None and outputs == 1:
        instead = "linear" if data.targets == "numbers" else "sigmoid"
        found = f"`{activation}` over one output is always {alone}", f"write `activation: {instead}`", "error"
    elif data.targets == "flags" and trait("activation", activation, "sums_to_one"):
        message = f"`{activation}` lets one label win, but a sample of `{data.name}` may have several"
        found = message, "write `activation: sigmoid`", "error"
    elif data.targets == "numbers" and not trait("loss", loss, "for_classes"):
        if head.span is not None and data.task != "array" and not lies_within(_bounds(data), head.span):
            message = (
                f"`{activation}` outputs numbers {reach(head.span)}, but the targets of `{data.name}` have no bounds"
            )
            found = message, "write `activation: linear`, or remove it", "warning"
    elif value_of("loss", draft.loss.object, "from_logits"):
        found = _not_logits(loss, activation, head.span)
    else:
        found = _not_for_loss(draft.loss, data, loss, head, outputs)
    if found is not None:
        message, hint, severity = found
        yield draft.tell("output-activation", message, head.activation_path, hint, severity)
    if trait("loss", loss, "turns") and outputs == 1:
        message = (
            f"`{draft.loss.object.name}` compares directions: of a single output, only the sign counts, which has "
        )
        hint = _usual(data, outputs, activation)
        yield draft.tell("loss-domain", f"{message}no gradient", draft.loss.path, hint)


def _not_logits(loss: str, activation: str, span: Range | None) -> _Told | None:
    """Return what is wrong with an activation in front of a loss that takes logits."""
    hint = "write `activation: linear`, or remove it"
    if span == [0, 1]:
        message = f"with `from_logits: true` the loss applies {_squash(loss)} itself, after this `{activation}`"
        return message, "remove this activation, or `from_logits`", "warning"
    if span is None or activation == "log_softmax":  # a softmax of its outputs is that of its inputs
        return None
    one_sided = trait("loss", loss, "binary") and (span[0] == 0 or span[1] == 0)
    why = "one of the two answers is never given" if one_sided else "logits have no bounds"
    message = f"with `from_logits: true` the outputs are logits, and `{activation}` makes them {reach(span)}: {why}"
    return message, hint, "warning"


def _not_for_loss(placed: Placed, data: Facts, loss: str, head: _Head, outputs: int) -> _Told | None:
    """Return what is wrong with an activation whose outputs a loss takes as they are."""
    name, activation, span = placed.object.name, head.activation, head.span
    if trait("loss", loss, "probabilities") and span != [0, 1]:
        needed = "sigmoid" if trait("loss", loss, "binary") else "softmax"
        what = f"`{name}` needs probabilities, but the model ends in `activation: {activation}`"
        if activation == "linear" and not _written(head):
            what = f"`{name}` needs probabilities, but the last layer has no activation"
        entry = find("loss", loss)
        has_logits = activation == "linear" and entry is not None and "from_logits" in entry.arguments
        logits = f", or `loss: {{{loss}: {{from_logits: true}}}}`" if has_logits else ""
        return what, f"write `activation: {needed}`{logits}", "error"
    one_choice = trait("loss", loss, "probabilities") and trait("loss", loss, "categorical")
    if one_choice and not trait("activation", activation, "sums_to_one"):
        message = f"`{activation}` judges each class on its own; `{name}` takes probabilities that add up to 1"
        return message, "write `activation: softmax`", "warning"
    if not lies_within(span, domain := outputs_of(loss, placed.object.arguments)) and domain is not None:
        what = f"outputs numbers {reach(span)}" if span is not None else "outputs any number"
        message = f"`{name}` takes outputs {reach(domain)}, but `{activation}` {what}"
        return message, f"write `activation: {_squashing(data, outputs)}`", "error"
    if span is not None and (labels := _out_of_reach(data, loss, span)) is not None:
        needed = "linear" if trait("loss", loss, "categorical") else _squashing(data, outputs)
        needed = "tanh" if trait("loss", loss, "signed") else needed
        message = f"`{name}` {labels}, but `{activation}` outputs numbers {reach(span)}"
        return message, f"write `activation: {needed}`, or remove it", "warning"
    return None


def _out_of_reach(data: Facts, loss: str, span: Range) -> str | None:
    """Return what a loss compares the outputs with, if outputs in this range cannot come near all of it."""
    if data.targets == "numbers" or trait("loss", loss, "integer_labels") or not trait("loss", loss, "for_classes"):
        return None  # a loss for numbers lets the outputs come as near as they can
    if trait("loss", loss, "signed"):
        return "makes -1 and 1 of the labels" if not lies_within((-1, 1), span) else None
    return "compares the outputs with labels of 0 and 1" if not lies_within((0, 1), span) else None


def _check_rescaled(draft: Draft, placed: Placed, data: Facts, loss: str, head: _Head) -> Iterator[Problem]:
    """A layer such as BatchNormalization or Rescaling behind the activation, whose outputs may lie elsewhere."""
    domain, row, span = outputs_of(loss, placed.object.arguments), head.maker, head.span
    name, entry = placed.object.name, find("loss", loss)
    to = f"numbers {reach(span)}" if span is not None else "any numbers"
    if domain is not None and not lies_within(span, domain):
        logits = entry is not None and "from_logits" in entry.arguments
        other = f", or write `loss: {{{loss}: {{from_logits: true}}}}` and no activation" if logits else ""
        message = f"`{name}` takes outputs {reach(domain)}, but {row}, is the last and rescales them to {to}"
        hint = f"put it before the last `Dense`, which has the activation{other}"
        yield draft.tell("output-activation", message, row.placed.path, hint)
    elif span is not None and (labels := _out_of_reach(data, loss, span)) is not None:
        if value_of("loss", placed.object, "from_logits"):
            return
        message = f"`{name}` {labels}, but {row}, is the last and rescales the outputs to {to}"
        yield draft.tell("output-activation", message, row.placed.path, "remove it, or rescale them less", "warning")


def _written(head: _Head) -> bool:
    return "activation" in head.maker.placed.object.arguments


def _squash(loss: str) -> str:
    return "a sigmoid" if trait("loss", loss, "binary") else "a softmax"
