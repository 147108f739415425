"""Images in folders, one for each class; with `train`, `val` and `test` above them, or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.data.folders.listing import Listing, look
from dltrain.data.folders.names import printable
from dltrain.data.sources.source import Arguments, Contradiction, Source, once
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.images.cache import Pixels
    from dltrain.data.images.decoding import Look
    from dltrain.data.samples import Samples, Trained

_CHANNELS = {"rgb": 3, "grayscale": 1, "rgba": 4}
_LARGEST_SIDE = 16_384
_MOST_TOLD = 20

LOOK = {
    "image_size": Argument(
        ("ints",),
        minimum=1,
        maximum=_LARGEST_SIDE,
        lengths=(2,),
        required=True,
        meaning="Height and width to which all images are resized.",
    ),
    "color_mode": Argument(
        ("words",),
        choices=tuple(_CHANNELS),
        has_default=True,
        default="rgb",
        meaning="3 channels, 1 or 4; without `rgba`, transparent parts are black.",
    ),
    "interpolation": Argument(
        ("words",),
        choices=("bilinear", "nearest", "bicubic", "lanczos", "box"),
        has_default=True,
        default="bilinear",
        meaning="How images are resized; shrinking averages over pixels, except with `nearest`.",
    ),
    "crop_to_aspect_ratio": Argument(
        ("bool",),
        has_default=True,
        default=False,
        meaning="Whether the largest centred part of the wanted proportions is resized; else the image is stretched.",
    ),
    "pad_to_aspect_ratio": Argument(
        ("bool",),
        has_default=True,
        default=False,
        meaning="Whether black borders bring the image to the wanted proportions.",
    ),
}
"""How images are brought to one form."""

ARGUMENTS = {
    "path": Argument(
        ("path",),
        required=True,
        meaning="The folder that holds one folder for each class, or `train`, `val` and `test` with these; relative to "
        "the config's file.",
    ),
    **LOOK,
    "on_bad": Argument(
        ("words",),
        choices=("fail", "skip"),
        has_default=True,
        default="fail",
        meaning="What becomes of files that cannot be read: all are told before training, or left out and counted.",
    ),
}


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    listing = _listing(arguments, task)
    return _facts(arguments, listing) if listing.error is None else None  # `contradictions` tells it


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    yield from check_look(arguments)
    for finding in _listing(arguments, task).findings:
        yield Contradiction("path", finding.message, finding.hint, finding.severity)


def _listing(arguments: Arguments, task: Task | None) -> Listing:
    root, labelled = Path(arguments["path"]), task != "reconstruction"
    found: Listing = once(("images", root, labelled), lambda: look(root, labelled))
    return found


def _facts(arguments: Arguments, listing: Listing) -> Facts:
    return Facts(
        name="image_folder",
        task="classification",
        shape=shape_of(arguments),
        class_names=listing.class_names,
        units=(),
        train=listing.count("train"),
        test=listing.count("test"),
        unit_range=True,
        validation=listing.count("validation"),
    )


def check_look(arguments: Arguments) -> Iterator[Contradiction]:
    """Yield what arguments that bring images to one form say against each other."""
    if arguments.get("crop_to_aspect_ratio") and arguments.get("pad_to_aspect_ratio"):
        message = "`crop_to_aspect_ratio` and `pad_to_aspect_ratio` exclude each other"
        yield Contradiction("pad_to_aspect_ratio", message, "remove one of them")


def shape_of(arguments: Arguments) -> tuple[int, int, int]:
    """Return the shape of an image: (height, width, channels)."""
    height, width = arguments["image_size"]
    return height, width, _CHANNELS[arguments["color_mode"]]


def look_of(arguments: Arguments) -> Look:
    """Return the form to which arguments bring images."""
    from dltrain.data.images.decoding import Look

    fit = "crop" if arguments["crop_to_aspect_ratio"] else "pad" if arguments["pad_to_aspect_ratio"] else "stretch"
    height, width = arguments["image_size"]
    return Look(height, width, arguments["color_mode"], arguments["interpolation"], fit)


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    """Decode the images, or open what an earlier run has decoded: uint8, mapped from a file where that is large.

    Raises DataError if the folder is not as it should be, or with all images that cannot be read.
    """
    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.images.cache import pixels

    listing = _listing(arguments, task)
    if listing.error is not None:
        raise DataError(listing.error.message, listing.error.hint)
    root, skip = Path(arguments["path"]), arguments["on_bad"] == "skip"
    files = [file for classes in listing.splits.values() for group in classes.values() for file in group]
    found = pixels(root, files, look_of(arguments), keep_bad=skip)
    told = _told(root, files, found.bad)
    if found.bad and not skip:
        raise DataError(told, "mend or remove them, or leave them out: `on_bad: skip`")
    splits = _splits(listing, found)
    train = splits["train"]
    missing = sorted(set(range(len(listing.class_names))) - set(train.y.tolist()))
    if missing:
        name = printable(listing.class_names[missing[0]])
        raise DataError(f"the class `{name}` has no image that can be read: {told}", "mend some of them")
    counts = {split: len(splits.get(split, ())) for split in ("train", "test", "validation")}
    known = replace(_facts(arguments, listing), **counts)  # type: ignore[arg-type]
    notes = [*found.notes(root), *([f"{told}; they are left out"] if told else [])]
    test = splits.get("test", Split(train.x[:0], train.y[:0]))
    return RawDataset(known, 1 / 255, train, test, splits.get("validation"), notes=tuple(notes))


def _splits(listing: Listing, found: Pixels) -> dict[str, Split]:
    """Return the images of each split that could be read, and the indices of their classes."""
    import numpy as np

    from dltrain.data.arrays import Split, take

    indices = {name: index for index, name in enumerate(listing.class_names)}
    splits: dict[str, Split] = {}
    start = 0
    for split, classes in listing.splits.items():
        labels = np.repeat([indices[name] for name in classes], [len(group) for group in classes.values()])
        good = np.array([row for row in range(len(labels)) if start + row not in found.bad], np.int64)
        values = found.values[start : start + len(labels)]
        splits[split] = Split(take(values, good), labels[good].astype(np.int64))
        start += len(labels)
    return splits


def _told(root: Path, files: Sequence[str], bad: dict[int, str]) -> str:
    """Return which images are bad and why; empty if none is."""
    if not bad:
        return ""
    shown = [f"{printable(files[place])}: {printable(reason)}" for place, reason in sorted(bad.items())[:_MOST_TOLD]]
    more = [f"and {len(bad) - len(shown):,} more"] if len(bad) > len(shown) else []
    return f"{len(bad):,} of {len(files):,} images in {root} cannot be read: {'; '.join([*shown, *more])}"


def samples(path: Path, arguments: Arguments, like: Trained) -> Samples:
    from dltrain.data.images import new_images

    return new_images.samples(path, look_of(arguments), like, skip=arguments["on_bad"] == "skip")


SOURCE = Source(
    "image_folder",
    "Your own images, in folders: the name of an image's folder is its class. They are decoded once, turned upright as "
    "EXIF says, resized and kept in a cache. Images arrive as (height, width, channels), from 0 to 1.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"path": "photos", "image_size": [64, 64]},
    samples=samples,
)
