"""What the targets of the data are, and the loss against them."""

from __future__ import annotations

from dltrain.config.catalogue.domains import lies_within, reach
from dltrain.config.catalogue.entries import trait
from dltrain.config.catalogue.labels import usual_loss
from dltrain.config.checks.draft import Draft, Placed
from dltrain.data.facts import Facts
from dltrain.errors import Problem


def usual_here(data: Facts, outputs: int | None, activation: str | None) -> str:
    """Return what to write for the loss that goes with an output, as far as that is known, and for its activation."""
    fits = activation in (None, "linear") or trait("activation", activation, "range") == [0, 1]
    squashed = "" if fits or data.targets == "numbers" else f" and `activation: {squashing(data, outputs)}`"
    return f"write `loss: {usual_loss(data.targets, outputs, activation)}`{squashed}"


def squashing(data: Facts, outputs: int | None) -> str:
    return "sigmoid" if outputs == 1 or data.targets == "flags" else "softmax"


def check_targets(draft: Draft, placed: Placed, loss: str, data: Facts, usual: str) -> Problem | None:
    """The loss against the targets: 0 and 1 for classes, numbers of any sign otherwise."""
    name, domain = placed.object.name, trait("loss", loss, "targets")
    if (problem := _check_task(draft, placed, loss, data, usual)) is not None:
        return problem
    if trait("loss", loss, "for_sequences"):
        message = f"`{name}` compares sequences of labels, but `{data.name}` has {targets_of(data)}"
        return draft.tell("loss-task", message, placed.path, usual)
    if data.targets == "numbers" and domain is not None and not lies_within(bounds_of(data), domain):
        message = f"`{name}` takes targets {reach(domain)}, but those of `{data.name}` have any sign"
        return draft.tell("loss-domain", message, placed.path, "write `loss: mean_squared_error`")
    if trait("loss", loss, "divides"):
        zeros = "of any size, near 0 too" if data.targets == "numbers" else "0 and 1"
        message = f"`{name}` divides by the targets, and those of `{data.name}` are {zeros}"
        hint = "write `loss: mean_absolute_error`" if data.targets == "numbers" else usual
        return draft.tell("loss-domain", message, placed.path, hint, "warning")
    return None


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


def bounds_of(data: Facts) -> tuple[float | None, float | None]:
    """The range of targets that are numbers, as far as it is known."""
    return (0, 1) if data.task == "reconstruction" and _may_be_shares(data) else (None, None)


def targets_of(data: Facts) -> str:
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
