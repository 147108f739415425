"""The shape of the model's output against the targets: its axes, and the number of outputs."""

from __future__ import annotations

from collections.abc import Sequence

from dltrain.config.catalogue.entries import trait
from dltrain.config.catalogue.labels import label_encoding, needed_shape, usual_loss
from dltrain.config.checks.draft import Draft
from dltrain.config.checks.outline import Row, returns_sequences
from dltrain.config.checks.sense.output.head import Head
from dltrain.config.checks.sense.output.targets import targets_of
from dltrain.data.facts import Facts
from dltrain.errors import Fix, Problem, Severity


def needed_output(data: Facts, loss: str | None, outputs: int | None = None) -> tuple[int | None, ...]:
    """The output shape that the targets need."""
    if outputs is None:
        outputs = 1 if trait("loss", loss, "binary") else None
    return needed_shape(label_encoding(loss or "", data.targets, data.classes, outputs), data)


def _shown(shape: tuple[int | None, ...]) -> str:
    sizes = ["classes" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def other_axes(draft: Draft, data: Facts, last: Row, shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> Problem:
    """The output has as many axes as it needs, but of other lengths."""
    message = f"the output is {shape} per sample; `{data.name}` has {targets_of(data)}, which needs {_shown(wanted)}"
    hint = "compare the shapes of the layers: `padding: same` keeps lengths, strides and pooling divide them"
    return draft.tell("output-shape", message, last.placed.path, hint)


def not_one_vector(draft: Draft, data: Facts, loss: str | None, rows: Sequence[Row], shape: tuple[int, ...]) -> Problem:
    """The output has more axes than the labels: steps left on, or axes that were never flattened."""
    wanted = needed_output(data, loss)
    need = f"the output is {shape} per sample; `{data.name}` has {targets_of(data)}, which needs {_shown(wanted)}"
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


def check_units(draft: Draft, data: Facts, loss: str | None, head: Head, last: Row, outputs: int) -> Problem | None:
    labels = targets_of(data)
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
