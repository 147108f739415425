"""The activation of the model's output against the targets and the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from dltrain.config.catalogue.domains import Range, lies_within, outputs_of, reach
from dltrain.config.catalogue.entries import find, trait
from dltrain.config.checks.draft import Draft, Placed, value_of
from dltrain.config.checks.sense.output.head import Head, is_written
from dltrain.config.checks.sense.output.targets import bounds_of, squashing, usual_here
from dltrain.data.facts import Facts
from dltrain.errors import Problem, Severity

_Told: TypeAlias = tuple[str, str, Severity]  # message, hint, severity


def check_activation(draft: Draft, data: Facts, loss: str | None, head: Head, outputs: int) -> Iterator[Problem]:
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
        if head.span is not None and data.task != "array" and not lies_within(bounds_of(data), head.span):
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
        hint = usual_here(data, outputs, activation)
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


def _not_for_loss(placed: Placed, data: Facts, loss: str, head: Head, outputs: int) -> _Told | None:
    """Return what is wrong with an activation whose outputs a loss takes as they are."""
    name, activation, span = placed.object.name, head.activation, head.span
    if trait("loss", loss, "probabilities") and span != [0, 1]:
        needed = "sigmoid" if trait("loss", loss, "binary") else "softmax"
        what = f"`{name}` needs probabilities, but the model ends in `activation: {activation}`"
        if activation == "linear" and not is_written(head):
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
        return message, f"write `activation: {squashing(data, outputs)}`", "error"
    if span is not None and (labels := _out_of_reach(data, loss, span)) is not None:
        needed = "linear" if trait("loss", loss, "categorical") else squashing(data, outputs)
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


def _check_rescaled(draft: Draft, placed: Placed, data: Facts, loss: str, head: Head) -> Iterator[Problem]:
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


def _squash(loss: str) -> str:
    return "a sigmoid" if trait("loss", loss, "binary") else "a softmax"
