"""Shapes of layers that crop, resize or augment images: (height, width, channels), without weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from dltrain.config.checks.shapes.terms import (
    Arguments,
    Inferred,
    Rule,
    Shape,
    ShapeError,
    check_space,
    join,
    per_axis,
    split,
)


def _altered(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    check_space(kind, shape, 2)
    return Inferred(shape)


def _blurred(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    if any(size % 2 == 0 for size in per_axis(arguments["kernel_size"], 2)):
        raise ShapeError("needs a `kernel_size` that is odd", "write 3 or 5", "kernel_size")
    return _altered(kind, arguments, shape)


def _coloured(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    """Layers that convert three channels to hue and saturation, or to grey."""
    check_space(kind, shape, 2)
    _, channels = split(arguments, shape)
    if channels != 3:
        message = f"changes colours, which takes 3 channels, but gets {channels}: {shape}"
        raise ShapeError(message, "remove the layer, or use `RandomBrightness` or `RandomContrast`")
    return Inferred(shape)


def _grey(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    check_space(kind, shape, 2)
    _, channels = split(arguments, shape)
    if channels not in (1, 3):
        raise ShapeError(f"takes 1 or 3 channels, but gets {channels}: {shape}", "remove the layer")
    return Inferred(shape)


def _augmented(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    """Layers that draw others by chance, those that convert to grey among them unless `all_ops` is false."""
    return _altered(kind, arguments, shape) if not arguments.get("all_ops", True) else _grey(kind, arguments, shape)


def _equalized(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    """Keras fills up the last tiles with the image's reflection, which cannot be longer than the image."""
    check_space(kind, shape, 2)
    space, _ = split(arguments, shape)
    tiles = arguments["tile_grid_size"]
    if any(math.ceil(n / count) * count - n > n for n, count in zip(space, tiles, strict=True)):
        fitting = [min(n, count) for n, count in zip(space, tiles, strict=True)]
        message = f"has a `tile_grid_size` of {tiles[0]}×{tiles[1]}, too many for {space}"
        raise ShapeError(message, f"write `tile_grid_size: {fitting}`", "tile_grid_size")
    return Inferred(shape)


def _jittered(kind: str, arguments: Arguments, shape: Shape) -> Inferred | None:
    """Certain for three channels in the last axis only: otherwise it depends on which factors are set."""
    check_space(kind, shape, 2)
    sure = shape[-1] == 3 and arguments["data_format"] != "channels_first"
    return Inferred(shape) if sure else None


def _tilted(kind: str, arguments: Arguments, shape: Shape) -> Inferred | None:
    """Uncertain for images one pixel high or wide: by chance Keras finds no transformation for them."""
    check_space(kind, shape, 2)
    space, _ = split(arguments, shape)
    return Inferred(shape) if min(space) > 1 else None


def _sized(kind: str, arguments: Arguments, shape: Shape) -> Inferred:
    check_space(kind, shape, 2)
    if arguments.get("pad_to_aspect_ratio") and arguments.get("crop_to_aspect_ratio"):
        raise ShapeError("can pad or crop to keep the aspect ratio, not both", "keep one", "crop_to_aspect_ratio")
    _, channels = split(arguments, shape)
    return Inferred(join(arguments, (arguments["height"], arguments["width"]), channels))


_BY_NAME: dict[str, Callable[[str, Arguments, Shape], Inferred | None]] = {
    **dict.fromkeys(("CenterCrop", "RandomCrop", "Resizing"), _sized),
    **dict.fromkeys(("RandomColorDegeneration", "RandomHue", "RandomSaturation"), _coloured),
    **dict.fromkeys(
        (
            "AutoContrast",
            "RandomBrightness",
            "RandomContrast",
            "RandomElasticTransform",
            "RandomErasing",
            "RandomFlip",
            "RandomInvert",
            "RandomPosterization",
            "RandomRotation",
            "RandomSharpness",
            "RandomShear",
            "RandomTranslation",
            "RandomZoom",
            "Solarization",
        ),
        _altered,
    ),
    "AugMix": _augmented,
    "ContrastLimitedAdaptiveHistogramEqualization": _equalized,
    "RandAugment": _augmented,
    "RandomColorJitter": _jittered,
    "RandomGaussianBlur": _blurred,
    "RandomGrayscale": _grey,
    "RandomPerspective": _tilted,
}
RULES: dict[str, Rule] = {name: partial(rule, name) for name, rule in _BY_NAME.items()}
