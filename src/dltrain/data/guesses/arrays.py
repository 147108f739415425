"""Arrays of NumPy -> the data set `arrays`: which array is what, the task, and what a sample is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.data.arrays import chunks
from dltrain.data.guesses.guess import FEWEST, Guess, Taken, plural, told
from dltrain.data.numpy_files import npy
from dltrain.data.numpy_files.npy import Member
from dltrain.data.sources import arrays
from dltrain.data.values import opened
from dltrain.errors import DataError

_FEW = 20  # different whole numbers that are likely classes
_MOST_CLASSES = 1_000
_MOST_INDICES = 1_000_000
_GLANCE = 2_000  # samples whose values are looked at
_FEWEST_STEPS = 5  # of a sequence of indices
_CHANNELS = (1, 3, 4)
# Names of arrays with a value for each training sample, the kinds that they have, and what they do.
_ROLES = {"group": ("group", "groups"), "sample_weight": ("sample_weight", "sample_weights")}
_KINDS = {"group": "iuUS", "sample_weight": "iuf"}
_FOR = {
    "group": "samples of one are all in the same split",
    "sample_weight": "what a training sample counts in the loss",
}
_OTHERWISE = "if not, change `task`, the last layer and the loss"


def guess_arrays(path: Path) -> Guess:
    """Look at the headers of arrays, at some samples and at all targets. Raises DataError if they are no data set."""
    splits, named = _splits(path)
    named |= _of_roles(path, splits)
    x, y = splits["train"]
    if y is None:
        there = ", ".join(f"`{name}` {member.shape}" for name, member in list(npy.members(path).items())[:8])
        raise DataError(f"{path} has no array of targets: {there}", "name the arrays `x_train` and `y_train`")
    if x.shape[0] < FEWEST:
        raise DataError(f"{x.file} has {plural(x.shape[0], 'sample')}", f"give at least {FEWEST}")
    task, classes, shape = _task(x, y)
    guess = Guess(
        source="arrays",
        found=", ".join(_found(name, pair) for name, pair in splits.items()) + _unused(path, splits, named),
        arguments=named,
        task=task,
        kind="other",
        shape=x.shape[1:],
        train=x.shape[0],
        classes=classes,
        target_shape=shape,
        has_test="test" in splits and splits["test"][1] is not None,
        has_validation="validation" in splits and splits["validation"][1] is not None,
        unit_targets=y.descr[1:] == "u1",
    )
    _sample(guess, x, [pair[0] for pair in splits.values()])
    return guess


def _splits(path: Path) -> tuple[dict[str, tuple[Member, Member | None]], dict[str, Taken]]:
    """Return the arrays of each split, and the arguments that name them where their own names do not tell them."""
    named = _by_shape(path)
    try:
        splits = arrays.splits_of(path, {})
        if splits["train"][1] is not None or not named:
            return splits, {}
    except DataError:
        if not named:
            raise
    return arrays.splits_of(path, {key: taken.value for key, taken in named.items()}), named


def _found(split: str, pair: tuple[Member, Member | None]) -> str:
    of = [f"{told([m.name])} {m.shape} {_dtype(m)}" for m in pair if m is not None]
    return f"{' and '.join(of)} for {split}"


def _of_roles(path: Path, splits: Mapping[str, tuple[Member, Member | None]]) -> dict[str, Taken]:
    """Return the arguments for arrays that have a value for each training sample, and the name of what it is for."""
    ours = {name: key for key, names in _ROLES.items() for name in names}
    found: dict[str, Taken] = {}
    for name, member in npy.members(path).items():
        key = ours.get(name.lower(), "")
        if member.shape == splits["train"][0].shape[:1] and member.kind in _KINDS.get(key, ""):
            found.setdefault(key, Taken(name, f"taken by its name: {_FOR[key]}"))
    return found


def _unused(path: Path, splits: Mapping[str, tuple[Member, Member | None]], named: Mapping[str, Taken]) -> str:
    """Return which arrays are not used, as the end of a sentence."""
    used = {member.name for pair in splits.values() for member in pair if member is not None}
    used |= {taken.value for taken in named.values()}
    rest = [name for name in npy.members(path) if name not in used]
    return f"; not used: {told(rest)}" if rest else ""


def _dtype(member: Member) -> str:
    return "texts" if member.kind in "US" else np.dtype(member.descr).name


def _by_shape(path: Path) -> dict[str, Taken]:
    """Return samples and targets of a file whose names do not tell them: the larger array has the samples."""
    members = [member for member in npy.members(path).values() if member.shape]
    if len(members) != 2 or members[0].shape[0] != members[1].shape[0]:
        return {}
    y, x = sorted(members, key=lambda member: math.prod(member.shape[1:]))
    if len(x.shape) < 2 or math.prod(x.shape[1:]) == math.prod(y.shape[1:]):
        return {}
    return {"x_train": Taken(x.name, "the larger array"), "y_train": Taken(y.name, "the smaller array")}


def _task(x: Member, y: Member) -> tuple[Taken, int, tuple[int, ...]]:
    """Return the task, the number of classes, 0 for numbers, and the shape of a target."""
    shape = y.shape[1:] if y.shape[1:] != (1,) else ()
    if y.kind in "US":
        values = len(_distinct(y, _MOST_CLASSES))
        if shape:
            return Taken("sequence", f"`{y.name}` has a text for each step"), values, shape
        return Taken("classification", f"`{y.name}` has {values:,} different texts"), values, ()
    if not shape:
        return _of_one(x, y)
    if len(shape) == 1 and (found := _of_flags(y)) is not None:
        return found
    steps = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
    labels = _labels(y) if y.kind in "iub" and y.shape[0] and steps == x.shape[1 : 1 + len(steps)] else 0
    if labels and (y.descr[1:] != "u1" or labels <= _FEW):
        why = f"`{y.name}` has one of {labels:,} labels for each step of a sample; {_OTHERWISE}"
        return Taken("sequence", why), labels, steps
    if len(shape) == 1:
        return Taken("regression", f"`{y.name}` has {plural(shape[0], 'number')} for each sample"), 0, shape
    if len(x.shape) == 3 and len(shape) == 2 and shape[0] == x.shape[1] and y.kind == "f":
        return Taken("sequence", f"`{y.name}` has {plural(shape[-1], 'number')} for each step"), 0, shape
    return Taken("array", f"`{y.name}` has an array of numbers for each sample"), 0, shape


def _of_one(x: Member, y: Member) -> tuple[Taken, int, tuple[int, ...]]:
    labels = _labels(y)
    if labels:
        why = f"`{y.name}` has {plural(labels, 'different whole number')}; if they are amounts, write `regression`, "
        why += "one unit without an activation, `mean_squared_error` and `mae`"
        return Taken("classification", why), labels, ()
    low, high = _ends(opened(y))
    why = f"`{y.name}` has numbers from {low:g} to {high:g}; if they are labels, write `classification`, and end in a "
    return Taken("regression", f"{why}`Dense` of as many units with `softmax`"), 0, (1,)


def _labels(y: Member) -> int:
    """Return how many labels there are, 0 where whole numbers are too many for labels, or there are others."""
    if y.kind == "b":
        return 2
    found = _distinct(y, _MOST_CLASSES)
    if len(found) < 2 or any(value != math.floor(value) for value in found if math.isfinite(value)):
        return 0
    if not all(map(math.isfinite, found)):
        return 0
    counted = min(found) in (0, 1) and max(found) - min(found) + 1 == len(found) and len(found) * 5 <= _count(y)
    few = len(found) <= _FEW and (len(found) == 2 or len(found) * 3 <= _count(y))
    return len(found) if few or (counted and y.kind in "iu") else 0


def _count(y: Member) -> int:
    return math.prod(y.shape)


def _distinct(y: Member, most: int) -> set[Any]:
    """Return the different values, up to a few more than `most`."""
    found: set[Any] = set()
    for chunk in chunks(opened(y)):
        found.update(np.unique(np.asarray(chunk)).tolist())
        if len(found) > most:
            break
    return found


def _of_flags(y: Member) -> tuple[Taken, int, tuple[int, ...]] | None:
    """Return the task of rows of 0 and 1; None for other numbers."""
    single = True
    for chunk in chunks(opened(y)):
        if not ((chunk == 0) | (chunk == 1)).all():
            return None
        single = single and bool((chunk.astype(np.int64).sum(axis=1) == 1).all())
    width = y.shape[1]
    if single:
        return Taken("classification", f"`{y.name}` has rows with a single 1: one of {width:,} classes"), width, ()
    return (
        Taken("multi_label", f"`{y.name}` has a column of 0 and 1 for each of {width:,} labels; {_OTHERWISE}"),
        width,
        (width,),
    )


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest of finite values; those that are not are told when they are read."""
    low, high = math.inf, -math.inf
    for chunk in chunks(values):
        finite = chunk[np.isfinite(chunk)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low, high


def _sample(guess: Guess, x: Member, all_x: Sequence[Member]) -> None:
    """Say what a sample is, and which layers and arguments prepare it."""
    shape = x.shape[1:]
    some = opened(x)[:_GLANCE]
    low, high = _ends(some.astype(np.float64) if some.dtype.kind == "b" else some)
    whole = x.kind in "iu" and x.descr[1:] != "u1"
    if _is_image(x):
        _image(guess, x, high)
    elif whole and len(shape) == 1 and _are_indices(np.asarray(some)):
        guess.kind = "indices"
        guess.vocabulary = 1 + int(max(_ends(opened(member))[1] for member in all_x))
        why = "whole numbers are taken for indices, of words or the like; if they are amounts, put "
        guess.before = [Taken(None, f"{why}`Normalization` in the place of `Embedding` and the layer behind it")]
    else:
        guess.kind = {1: "vector", 2: "steps"}.get(len(shape), "other")  # type: ignore[assignment]
        if len(shape) == 2:
            guess.before.append(
                Taken(None, f"samples are taken for {shape[0]:,} steps of {plural(shape[1], 'number')}")
            )
        if x.descr[1:] != "u1" and x.kind != "b" and (high > 1 or low < -1):
            why = f"values from {low:g} to {high:g} come to a mean of 0 and a deviation of 1, learnt from the training"
            guess.before.append(Taken("Normalization", why))


def _is_image(x: Member) -> bool:
    shape = x.shape[1:]
    if len(shape) == 3:
        return shape[-1] in _CHANNELS or shape[0] in _CHANNELS
    return len(shape) == 2 and min(shape) >= 8 and (shape[0] == shape[1] or x.descr[1:] == "u1")


def _image(guess: Guess, x: Member, high: float) -> None:
    shape, guess.kind = x.shape[1:], "images"
    if len(shape) == 2:
        why = f"samples are taken for images of {shape[0]} x {shape[1]} pixels, which have a channel here"
        guess.shape = (*shape, 1)
        guess.before.append(Taken({"Reshape": {"target_shape": list(guess.shape)}}, why))
    elif shape[-1] not in _CHANNELS:
        guess.shape = (*shape[1:], shape[0])
        why = f"{shape[0]} is taken for the number of channels, which stand last here"
        guess.before.append(Taken({"Permute": {"dims": [2, 3, 1]}}, why))
    if x.descr[1:] != "u1" and high > 2:
        bright = 65_535 if high > 255 else 255
        guess.arguments["scale"] = Taken(1 / bright, f"values are up to {high:g}: 1/{bright:,} brings them to 0 to 1")


def _are_indices(some: np.ndarray) -> bool:
    """Return whether whole numbers of shape (samples, steps) are of one range in all columns, from 0 on."""
    if some.shape[1] < _FEWEST_STEPS or some.min() < 0 or not 2 <= some.max() <= _MOST_INDICES:
        return False
    return bool(np.median(some.max(axis=0)) > some.max() / 4)
