"""`data.augment`: layers that are no augmentation, that samples do not fit, or that part samples from their targets."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.datasets import input_dtype
from dltrain.config.catalogue.names import class_name
from dltrain.config.checks.draft import Draft, Placed, value_of
from dltrain.config.checks.shapes import Shape, ShapeError, infer
from dltrain.data.facts import Facts
from dltrain.errors import Problem

_CODE = "augmentation"
_RESHAPED = "remove it, or put it in `model.layers` behind a `Reshape`; `GaussianNoise` and `Dropout` take any samples"
_CROPPED = "write `CenterCrop` or `Resizing` in `model.layers`; `RandomTranslation` here moves images about"


def check_augmentation(draft: Draft) -> Iterator[Problem]:
    for placed in draft.augment:
        kind = class_name(placed.object)
        if kind not in entries.augmentations():
            yield _no_augmentation(draft, placed, kind)
            continue
        yield from _check_rate(draft, placed, kind)
        if draft.data is not None:
            yield from _check_samples(draft, placed, kind, draft.data)


def _no_augmentation(draft: Draft, placed: Placed, kind: str) -> Problem:
    message = f"`{kind}` is no augmentation: it does not change samples by chance in training alone"
    hint = "put it in `model.layers`, where it works in predictions too"
    if kind == "AugMix":
        message = "`AugMix` draws its layers without a seed, so that a run could not be repeated"
        hint = "write `RandAugment: {value_range: [0, 1]}`"
    return draft.tell(_CODE, message, placed.path, hint)


def _check_rate(draft: Draft, placed: Placed, kind: str) -> Iterator[Problem]:
    rate = value_of("layer", placed.object, "rate")
    if entries.trait("layer", kind, "drops") and isinstance(rate, int | float) and rate >= 1:
        message = f"a `rate` of {rate:g} drops everything: nothing of the samples is left"
        yield draft.tell("dropout", message, placed.argument_path("rate"), "write the share to drop: `rate: 0.2`")


def _check_samples(draft: Draft, placed: Placed, kind: str, data: Facts) -> Iterator[Problem]:
    """The samples that the layer gets: those of the data set, since each layer before it keeps their shape."""
    entry = entries.find("layer", kind)
    if input_dtype(data, [layer.object for layer in draft.layers]) == "int32":
        message = f"`{kind}` makes fractions, but the samples of `{data.name}` are whole numbers, such as words"
        yield draft.tell(_CODE, message, placed.path, "remove it; a `Dropout` behind `Embedding` serves its purpose")
        return
    problem = _shape_problem(draft, placed, kind, data.shape)
    if problem is not None:
        yield problem
        return
    if data.unit_range and entry is not None and "value_range" in entry.arguments:
        yield from check_value_range(draft, placed, kind)
    if entries.trait("layer", kind, "augments") == "places" and _has_places(data):
        message = f"`{kind}` moves the pixels of samples, but not their targets of {data.target_shape}"
        hint = "remove it, or take layers that change values alone, such as `RandomBrightness` and `GaussianNoise`"
        yield draft.tell(_CODE, message, placed.path, hint, "warning")


def _shape_problem(draft: Draft, placed: Placed, kind: str, shape: Shape) -> Problem | None:
    path = placed.path
    try:
        inferred = infer(placed.object.name, placed.object.arguments, shape)
    except ShapeError as error:
        if error.argument is not None and error.argument in placed.object.arguments:
            path = placed.argument_path(error.argument)
        of_images = entries.trait("layer", kind, "augments") is not None
        misfit = error.argument is None and not (of_images and len(shape) == 3)
        fix = _RESHAPED if misfit else error.fix
        return draft.tell("shape", f"`{kind}` {error.message}", path, fix)
    if inferred is None or inferred.shape == shape:
        return None
    message = f"`{kind}` makes {inferred.shape} of samples of {shape}, which only training would get"
    return draft.tell(_CODE, message, path, _CROPPED)


def _has_places(data: Facts) -> bool:
    """Whether targets have a value for each pixel of a sample, as masks have; a reconstruction has clean targets."""
    return data.task in ("array", "sequence") and data.target_shape[:2] == data.shape[:2] and len(data.shape) > 2


def check_value_range(draft: Draft, placed: Placed, kind: str) -> Iterator[Problem]:
    """Hold a layer's `value_range` against samples from 0 to 1, which it gets as they are."""
    low, high = value_of("layer", placed.object, "value_range") or (0, 255)
    if high <= 1.5 and low >= -1.5:
        return
    path = placed.argument_path("value_range")
    message = f"`{kind}` takes the images for values from {low:g} to {high:g}, but they are from 0 to 1"
    hint = f"write `{kind}: {{value_range: [0, 1], …}}`"
    yield draft.tell("value-range", message, path, hint, "warning")
