"""A folder of images -> the data set `image_folder`: size and colour from the headers of some files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from dltrain.data.folders.kinds import IMAGES
from dltrain.data.folders.listing import look
from dltrain.data.guesses.guess import FEWEST, Guess, Taken, plural, told
from dltrain.data.images.decoding import Header, headers
from dltrain.errors import DataError

_MOST_FOLDERS = 100  # beside a table that are searched for its images
_GLANCE = 200  # files whose headers are read
_LONGEST = 96  # pixels of a side: what a small CNN learns on a CPU in minutes


def guess_images(path: Path) -> Guess:
    """List a folder of images, and read the headers of some. Raises DataError if it cannot be trained."""
    listing = look(path)
    if listing.error is not None:
        raise DataError(listing.error.message, listing.error.hint)
    files = [file for classes in listing.splits.values() for group in classes.values() for file in group]
    if listing.count("train") < FEWEST:
        raise DataError(f"{path} has {plural(listing.count('train'), 'image')} to train on", f"give at least {FEWEST}")
    arguments, shape = looks(path, files)
    names = listing.class_names
    counts = [len(group) for group in listing.splits["train"].values()]
    few = f", {min(counts):,} to {max(counts):,} images each" if min(counts) != max(counts) else ""
    return Guess(
        source="image_folder",
        found=", ".join(f"{listing.count(split):,} images for {split}" for split in listing.splits),
        arguments=arguments,
        task=Taken("classification", f"{plural(len(names), 'class')}, the folders {told(names)}{few}"),
        kind="images",
        shape=shape,
        train=listing.count("train"),
        classes=len(names),
        has_test=bool(listing.count("test")),
        has_validation=bool(listing.count("validation")),
    )


def looks(root: Path, files: Sequence[str]) -> tuple[dict[str, Taken], tuple[int, int, int]]:
    """Return to what images are brought, and their shape then; by the headers of some of the files.

    Raises DataError if none can be read.
    """
    known = headers(root, files[:: max(1, len(files) // _GLANCE)][:_GLANCE])
    if not known:
        raise DataError(f"none of the images that were looked at in {root} can be read", "look at the files")
    arguments = _size(known)
    grey = all(header.grey for header in known)
    if grey:
        arguments["color_mode"] = Taken("grayscale", "no image that was looked at has colours")
    height, width = arguments["image_size"].value
    return arguments, (height, width, 1 if grey else 3)


def root_of(path: Path, names: Sequence[str]) -> Path | None:
    """Return the folder that has the images which a table names: its own or one in that; None if these are no images.

    Args:
        path: the table.
        names: some of the names.
    """
    if not names or not all(name[name.rfind(".") :].lower() in IMAGES.extensions for name in names):
        return None
    if any(Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name for name in names):
        return None
    with os.scandir(path.absolute().parent) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
    roots = (path.parent / folder for folder in ("", *folders[:_MOST_FOLDERS]))
    return next((root for root in roots if all((root / name).is_file() for name in names)), None)


def _size(known: list[Header]) -> dict[str, Taken]:
    """Return the size to which images are brought, and how."""
    sizes = Counter((header.height, header.width) for header in known)
    (height, width), most = sizes.most_common(1)[0]
    looked = f"of {plural(len(known), 'image')} that {'was' if len(known) == 1 else 'were'} looked at"
    if most == len(known):
        there = f"all {looked} are {height} x {width} (height x width)"
        if max(height, width) <= _LONGEST:
            return {"image_size": Taken([height, width], there)}
        shrunk = [max(1, round(side * _LONGEST / max(height, width))) for side in (height, width)]
        return {"image_size": Taken(shrunk, f"{there}; larger shows more and takes longer")}
    side = max(8, min(_LONGEST, round(median(min(header.height, header.width) for header in known))))
    heights, widths = ([getattr(header, key) for header in known] for key in ("height", "width"))
    ends = f"heights from {min(heights)} to {max(heights)}, widths from {min(widths)} to {max(widths)}"
    return {
        "image_size": Taken([side, side], f"{ends}, {looked}; larger shows more and takes longer"),
        "crop_to_aspect_ratio": Taken(True, "the largest square in the middle; or `pad_to_aspect_ratio`, or stretched"),
    }
