"""Samples that are given to a trained model: held against those that it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dltrain.data import npy
from dltrain.data.arrays import Split
from dltrain.data.facts import Facts
from dltrain.data.npy import Member
from dltrain.data.targets import Targets
from dltrain.data.values import checked_samples, opened
from dltrain.errors import DataError

_X = ("x", "x_new", "x_test", "test_images", "images", "samples", "features", "inputs")
_Y = ("y", "y_new", "y_test", "test_labels", "labels", "targets")


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of one file, with their targets where the file has such.

    Args:
        file: the file, as messages and rows name it.
        split: the samples; `y` is None without targets.
        labelled: whether there are targets.
        target_scale: what targets that are numbers are multiplied by.
    """

    file: str
    split: Split
    labelled: bool
    target_scale: float = 1.0

    def __len__(self) -> int:
        return len(self.split)


def read_samples(path: Path, facts: Facts, dtype: str, scale: float, highest: int | None) -> Samples:
    """Open the samples in an npz file, an npy file or a directory of npy files.

    Args:
        path: the file.
        facts: of the data set of the run.
        dtype: of its samples.
        scale: what they are multiplied by.
        highest: the highest whole number that the model takes; None where samples are no such numbers.

    Raises DataError if they are not like those of the run.
    """
    members = npy.members(path)
    x = _chosen(members, _X) or (next(iter(members.values())) if len(members) == 1 else None)
    if x is None:
        listed = ", ".join(f"`{name}` {member.shape}" for name, member in list(members.items())[:8])
        raise DataError(f"which array has the samples? {path} has {listed}", "name it `x`, and its targets `y`")
    _check_like(x, facts, dtype, scale)
    samples = opened(x)
    top = checked_samples(samples, x.file, facts.whole)
    if top is not None and highest is not None and top > highest:
        raise DataError(f"{x.file} has numbers up to {top:,}, and the model takes 0 to {highest:,}", _AS_BEFORE)
    y = _chosen(members, _Y)
    if facts.task == "reconstruction":
        return Samples(path.name, Split(samples, None), True, scale)
    if y is None or y is x:
        return Samples(path.name, Split(samples, None), False)
    if y.shape[:1] != x.shape[:1]:
        raise DataError(f"{x.file} has {x.shape[0]:,} samples, but {y.file} has the shape {y.shape}")
    one_hot = facts.task == "classification" and len(y.shape) == 2 and y.shape[1] > 1
    if not one_hot and y.shape[1:] not in (facts.target_shape, (1,), (*facts.target_shape, 1)) and y.shape[1:]:
        message = f"targets of {y.file} have the shape {y.shape[1:]}, those of the run {facts.target_shape}"
        raise DataError(message, "leave them out, or save them as for training")
    targets = Targets(facts, one_hot, named=False)
    return Samples(path.name, targets.split(samples, opened(y), y.file), True, targets.scale(y))


_AS_BEFORE = "prepare samples as those of the training"


def _chosen(members: dict[str, Member], words: tuple[str, ...]) -> Member | None:
    names = {name.lower(): name for name in members}
    return next((members[names[word]] for word in words if word in names), None)


def _check_like(x: Member, facts: Facts, dtype: str, scale: float) -> None:
    """Raise DataError if samples have another shape than those of the run, or values of another kind."""
    if x.shape == facts.shape:
        hint = "save it with an axis before it: `x[None]`"
        raise DataError(f"{x.file} has the shape {x.shape}: a single sample, not a list of samples", hint)
    if x.shape[1:] != facts.shape:
        raise DataError(f"samples of {x.file} are {x.shape[1:]}, those of the run are {facts.shape}", _AS_BEFORE)
    if 0 in x.shape:
        raise DataError(f"{x.file} is empty: its shape is {x.shape}", "save at least one sample")
    trained, given = np.dtype(dtype), np.dtype(x.descr) if x.kind not in "US" else None
    if given is None or _values(given, scale) != _values(trained, scale):
        what = given.name if given is not None else "strings"
        hint = f"save them as {trained.name}, prepared as for training"
        raise DataError(f"samples of {x.file} are {what}, those of the run are {trained.name}", hint)


def _values(dtype: np.dtype, scale: float) -> str:
    """What a dtype says of values; bytes that are scaled are those of images."""
    if dtype == np.uint8 and scale != 1.0:
        return "bytes"
    return {"f": "fractions", "b": "flags"}.get(dtype.kind, "whole numbers")
