"""New images for a trained model: a file, or a folder of them, decoded as those of the training."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.folders.listing import files_below
from dltrain.data.folders.names import printable
from dltrain.data.images.decoding import BadImage, Look, decode_all
from dltrain.data.samples import Samples, Trained, read_samples
from dltrain.errors import DataError

_MOST_TOLD = 20
_MOST_IN_MEMORY = 2**28  # bytes; more are kept in a temporary file


def samples(path: Path, look: Look, like: Trained, *, skip: bool) -> Samples:
    """Decode an image, or all images of a folder and the folders in it; arrays in npz and npy files are images too.

    Where each image is in a folder with the name of one of the classes, that is its label.
    Raises DataError with all files that are no images, unless such are left out.
    """
    if path.suffix in (".npz", ".npy"):
        return read_samples(path, like)
    if path.is_dir():
        root = path
        files, findings = files_below(root)
        if findings:
            raise DataError(findings[0].message, findings[0].hint)
        if not files and any(path.glob("*.npy")):
            return read_samples(path, like)
        if not files:
            raise DataError(f"no image is in {path.absolute()}", "name a folder that has some, or image files")
    elif not path.exists():
        raise DataError(f"there is no {path.absolute()}", "name an image, or a folder of images")
    else:
        root, files = path.parent, [path.name]
    y, lacking = _labels([root / file for file in files], like)
    found = decoded(str(path), root, files, look, like, y, skip=skip)
    if not 0 < lacking < len(files):
        return found
    note = f"{lacking:,} of {len(files):,} images in {path} are in no folder of a class, so they are not scored"
    return replace(found, notes=(*found.notes, note))


def decoded(
    source: str,
    root: Path,
    files: Sequence[str],
    look: Look,
    like: Trained,
    y: np.ndarray | None,
    called: Sequence[str] | None = None,
    *,
    skip: bool,
) -> Samples:
    """Decode images in their order, with targets where there are such, and the names of samples if not their paths.

    Raises DataError with all files that are no images, unless such are left out.
    """
    values, bad = _decoded(root, files, look)
    if bad and not (skip and len(bad) < len(files)):
        raise DataError(_told(root, files, bad), "mend or remove them")
    kept = np.array([place for place in range(len(files)) if place not in bad], np.int64)
    named = called if called is not None else [os.fsencode(root / file).decode("utf-8", "replace") for file in files]
    names = [named[place] for place in kept]
    x, y = (values, y) if not bad else (values[kept], y[kept] if y is not None else None)
    notes = (f"{_told(root, files, bad)}; they are left out",) if bad else ()
    labelled = y is not None or like.facts.task == "reconstruction"
    return Samples(source, Split(x, y), labelled, names, notes)


def _decoded(root: Path, files: Sequence[str], look: Look) -> tuple[np.ndarray, dict[int, str]]:
    """Return the pixels of all files, uint8 of shape (files, *look.shape), and why some have none, by place."""
    shape = (len(files), *look.shape)
    if int(np.prod(shape)) > _MOST_IN_MEMORY:
        with tempfile.TemporaryFile() as file:  # the mapping keeps it
            values: np.ndarray = np.memmap(file, np.uint8, "w+", shape=shape)
    else:
        values = np.zeros(shape, np.uint8)
    bad: dict[int, str] = {}
    for place, found in enumerate(decode_all(root, files, look)):
        if isinstance(found, BadImage):
            bad[place] = str(found)
        else:
            values[place] = found
    return values, bad


def _labels(files: Sequence[Path], like: Trained) -> tuple[np.ndarray | None, int]:
    """Return the classes that the folders of all files name, None where one names none, and how many name none."""
    if like.facts.task != "classification":
        return None, len(files)
    places = {name: place for place, name in enumerate(like.facts.labels)}
    found = [places.get(file.parent.name) for file in files]
    return np.array(found, np.int64) if None not in found else None, found.count(None)


def _told(root: Path, files: Sequence[str], bad: dict[int, str]) -> str:
    shown = [f"{printable(files[place])}: {printable(why)}" for place, why in sorted(bad.items())[:_MOST_TOLD]]
    more = f"; and {len(bad) - _MOST_TOLD:,} more" if len(bad) > _MOST_TOLD else ""
    return f"{len(bad):,} of {len(files):,} images in {root} cannot be read: {'; '.join(shown)}{more}"
