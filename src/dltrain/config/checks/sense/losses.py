"""Settings of the loss, and of metrics that are losses, with which they say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.checks.draft import Draft, Placed, kind_of, value_of
from dltrain.errors import Problem

_MOST_SMOOTHING = 0.9
# The factors of a loss: where all are 0, it is 0 whatever the model says.
_FACTORS = {"CategoricalFocalCrossentropy": ("alpha",), "Tversky": ("alpha", "beta")}


def check_losses(draft: Draft) -> Iterator[Problem]:
    if draft.loss is not None:
        yield from _check_smoothing(draft, "loss", draft.loss)
        factors = _FACTORS.get(kind_of("loss", draft.loss) or "", ())
        if factors and all(value_of("loss", draft.loss.object, key) == 0 for key in factors):
            keys = " and ".join(f"`{key}: 0`" for key in factors)
            message = f"with {keys} the loss is always 0: nothing is learned"
            path = draft.loss.argument_path(factors[0])
            yield draft.tell("loss-setting", message, path, f"write a `{factors[0]}` above 0", "warning")
    for metric in draft.metrics or ():
        yield from _check_smoothing(draft, "metric", metric)


def _check_smoothing(draft: Draft, section: str, placed: Placed) -> Iterator[Problem]:
    smoothing = value_of(section, placed.object, "label_smoothing")
    if not isinstance(smoothing, int | float) or smoothing < _MOST_SMOOTHING:
        return
    message = f"a `label_smoothing` of {smoothing:g} leaves {1 - smoothing:.0%} of the labels"
    if smoothing >= 1:
        message = "a `label_smoothing` of 1 makes all labels alike: there is nothing to learn from them"
    path = placed.argument_path("label_smoothing")
    hint = "write the share to take from the labels, such as `label_smoothing: 0.1`"
    yield draft.tell("label-smoothing", message, path, hint, "warning")
