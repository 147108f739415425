"""Which array of a file is what: samples and targets of each split, by arguments or by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dltrain.data.facts import Facts, Task
from dltrain.data.numpy_files import npy
from dltrain.data.numpy_files.forms import ALIKE, facts_of, kind_told, scale_of
from dltrain.data.numpy_files.naming import Wrong, listed, named, place_of
from dltrain.data.numpy_files.npy import Member
from dltrain.data.numpy_files.per_sample import per_sample
from dltrain.errors import DataError

_SPLITS = {"train": "train", "test": "test", "val": "validation"}
_NAMED = tuple(f"{what}_{key}" for what in "xy" for key in _SPLITS)
_X = ("x", "images", "data", "samples", "features", "inputs")
_Y = ("y", "labels", "targets", "target", "label")


@dataclass(slots=True)
class Found:
    """The arrays of each split, samples and targets; targets are None where the input is the target.

    Args:
        splits: by name, the training split first.
        unlabelled: samples of a split without targets.
        ignored: targets of the training split that are not used.
        per_sample: arrays with a value for each training sample, by argument.
        facts: what the headers say; None without a task.
        one_hot: whether labels are rows with a single 1.
    """

    splits: dict[str, tuple[Member, Member | None]] = field(default_factory=dict)
    unlabelled: dict[str, Member] = field(default_factory=dict)
    ignored: Member | None = None
    per_sample: dict[str, Member] = field(default_factory=dict)
    facts: Facts | None = None
    one_hot: bool = False


def look(arguments: Mapping[str, Any], task: Task | None) -> Found:
    """Find the arrays, and hold their headers against each other. Raises Wrong at the argument at fault."""
    path = Path(arguments["path"])
    try:
        members = npy.members(path)
    except DataError as error:
        raise Wrong("path", str(error), error.hint) from None
    found = Found()
    for key, split in _SPLITS.items():
        x, y = _choose(arguments, members, "x", key), _choose(arguments, members, "y", key)
        if x is None:
            if y is not None or key == "train":
                raise _missing(arguments, members, f"x_{key}", split, found, y)
            continue
        if task == "reconstruction":
            found.ignored, y = (y if key == "train" else found.ignored), None
        elif y is None and task is not None:
            if key == "train" or arguments.get(f"x_{key}") is not None:
                raise _missing(arguments, members, f"y_{key}", split, found, x)
            found.unlabelled[split] = x  # as competitions have them
            continue
        if key != "train" and x == found.splits["train"][0]:
            message = f"the {split} split is the training split, `{x.name}`: it would say nothing of new samples"
            raise Wrong(place_of(arguments, f"x_{key}"), message, "name other samples, or hold some out")
        found.splits[split] = (x, y)
        _check_samples(x, y, f"x_{key}", found.splits["train"][0], arguments)
    found.per_sample = per_sample(arguments, members, found.splits["train"][0].shape[0])
    if task is not None:
        found.facts, found.one_hot = facts_of(arguments, task, found.splits)
    return found


def _missing(
    arguments: Mapping[str, Any],
    members: dict[str, Member],
    argument: str,
    split: str,
    found: Found,
    other: Member | None,
) -> Wrong:
    """Return the problem of an array that is not found, where the `other` of the split is."""
    samples = argument.startswith("x")
    whose = "training" if split == "train" else split
    what = f"{whose} {'samples' if samples else 'targets'}"
    message = f"no array of {what} is in {Path(arguments['path']).name}, which has {listed(members)}"
    used = {member.name for pair in found.splits.values() for member in pair if member is not None}
    used |= {str(arguments[key]) for key in _NAMED if arguments.get(key) is not None}
    used |= {other.name} if other is not None else set()
    fitting = [
        member.name
        for member in members.values()
        if member.name not in used
        and member.kind != "M"
        and (other is None or member.shape[:1] == other.shape[:1])
        and (len(member.shape) > 1 or not samples)
    ]
    hint = f"name it: `{argument}: {fitting[0]}`" if fitting else ""
    if not fitting and argument == "y_train":
        hint = "where samples are their own targets, write `task: reconstruction` under `data`"
    return Wrong(place_of(arguments, argument), message, hint or f"save it in the file too, as `{argument}`")


def _choose(arguments: Mapping[str, Any], members: dict[str, Member], what: str, key: str) -> Member | None:
    """Return the array that an argument names, or the one whose name says what it is."""
    given = named(arguments, f"{what}_{key}", members)
    if given is not None:
        return given
    words, splits = _X if what == "x" else _Y, {"val": ("val", "valid", "validation"), "train": ("train", "training")}
    names = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(members)}
    for word in words:
        for split in splits.get(key, (key,)):
            for name in (f"{word}{split}", f"{split}{word}"):
                if name in names:
                    return members[names[name]]
    if key != "train":
        return None
    if what == "x" and len(members) == 1:
        return next(iter(members.values()))
    return next((members[names[word]] for word in words if word in names), None)


def _check_samples(x: Member, y: Member | None, argument: str, first: Member, arguments: Mapping[str, Any]) -> None:
    at = place_of(arguments, argument)
    if x.kind in "USM":
        what = "dates" if x.kind == "M" else "strings"
        raise Wrong(at, f"{x.file} holds {what}, not numbers", "samples are numbers")
    if y is not None and y.kind == "M":
        raise Wrong(at, f"{y.file} holds dates; targets are labels or numbers", "save `array.astype(str)` for labels")
    if len(x.shape) < 2:
        shape = f"the shape {x.shape}: " + ("one number a sample" if x.shape else "a single number")
        raise Wrong(at, f"{x.file} has {shape}, and samples have at least one axis", "save `x[:, None]`")
    if 0 in x.shape:
        raise Wrong(at, f"{x.file} is empty: its shape is {x.shape}", "save at least one sample")
    if x.shape[1:] != first.shape[1:]:
        message = f"samples of {x.file} are {x.shape[1:]}, but those of {first.file} are {first.shape[1:]}"
        raise Wrong(at, message, "prepare all splits in the same way")
    if npy.kind_of_values(x.descr, scale_of(arguments, first)) != npy.kind_of_values(
        first.descr, scale_of(arguments, first)
    ):
        message = f"samples of {x.file} are {kind_told(x)}, but those of {first.file} are {kind_told(first)}"
        raise Wrong(at, message, ALIKE)
    if y is not None and y.shape[:1] != x.shape[:1]:
        count = f"{y.shape[0]:,} targets" if y.shape else "a single number"
        message = f"{x.file} has {x.shape[0]:,} samples, but {y.file} has {count}"
        raise Wrong(at, message, "save one target for each sample, in the same order")
