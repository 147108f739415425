"""Samples that are given to a trained model: held against those that it was trained on."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.facts import Facts
from dltrain.data.numpy_files import npy
from dltrain.data.numpy_files.npy import Member
from dltrain.data.targets import Targets, target_scale
from dltrain.data.values import checked_samples, opened
from dltrain.errors import DataError, UsageError

_MOST_TOLD = 6
_MOST_NEAR = 1_000
_AS_BEFORE = "prepare samples as those of the training"
_PAIRS = [("x", "y"), ("X", "Y"), ("X", "y")]  # what names of samples have, and those of their targets
_PAIRS += [(x, y) for x in ("images", "data", "features", "inputs") for y in ("labels", "targets", "target")]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run was trained on, as far as new samples must be like it.

    Args:
        facts: of its data set.
        dtype: of its samples.
        scale: what they are multiplied by.
        label_values: the whole numbers that stand for its classes, where they are not the indices.
        target_scale: what targets that are numbers are multiplied by.
        highest: the highest whole number that the model takes; None where samples are no such numbers.
        learnt: what the data set has learnt from the training split; None if that is nothing.
    """

    facts: Facts
    dtype: str
    scale: float
    label_values: tuple[int, ...] | None
    target_scale: float
    highest: int | None
    learnt: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Ahead:
    """The ends of series, which forecasts of a model continue.

    Args:
        ends: the last steps of each, as the model gets them, of shape (series, steps, features).
        rate: from one step of a window to the next.
        order: the place of each feature among the targets.
        names: where each series ends.
    """

    ends: np.ndarray
    rate: int
    order: np.ndarray
    names: Sequence[str]


@dataclass(frozen=True, eq=False)
class Beginnings:
    """Texts that a model continues, token by token.

    Args:
        windows: the last tokens of each, as the model gets them, of shape (texts, tokens).
        names: where each text comes from.
        tokens: what the model may say, by its class.
        between: what stands between tokens.
    """

    windows: np.ndarray
    names: Sequence[str]
    tokens: Mapping[int, str]
    between: str


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of one file, with their targets where the file has such.

    Args:
        file: the file, as messages and rows name it.
        split: the samples; `y` is None without targets.
        labelled: whether there are targets.
        names: where each sample comes from; None for the file and the row, counted from 0.
        notes: what reading has found that the user should know.
        scored: the places of the samples that have targets, where not all do: then `y` is theirs.
        ahead: what predictions continue; raises DataError where they cannot, None where samples do not go on.
    """

    file: str
    split: Split
    labelled: bool
    names: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    scored: np.ndarray | None = None
    ahead: Callable[[], Ahead | Beginnings] | None = None

    def __len__(self) -> int:
        return len(self.split)

    def named(self, rows: range) -> list[str]:
        """Return where some samples come from."""
        if self.names is None:
            return [f"{self.file}:{row}" for row in rows]
        return list(self.names[rows.start : rows.stop])


def paths_of(inputs: Sequence[Path | str]) -> list[Path]:
    """Return the paths that are meant. Raises UsageError where there are none."""
    paths = [path for text in inputs for path in _paths(text)]
    if not paths:
        raise UsageError("no samples are given", "name the files that have them")
    return paths


def _paths(text: Path | str) -> list[Path]:
    """Return the paths that a pattern such as `photos/*.jpg` fits, in order; of a path itself, that."""
    path = Path(text)
    if not any(letter in str(text) for letter in "*?[") or path.exists():
        return [path]
    plain = (Path(each) for each in glob.iglob(str(text)))  # noqa: PTH207  absolute ones too
    found = sorted(_recursive(path) if "**" in path.parts else plain)
    if not found:
        near = next((other for other in _beside(path) if fnmatch(other.name.lower(), path.name.lower())), None)
        hint = f"there is {near.name}: capitals count" if near is not None else "a pattern such as `photos/*.jpg`"
        raise UsageError(f"no file fits {text}", hint)
    return found


def _beside(path: Path) -> Iterator[Path]:
    """Yield the first paths in the folder of a path; none where it is a pattern itself."""
    with contextlib.suppress(OSError):
        yield from islice(path.parent.iterdir(), _MOST_NEAR)


def _recursive(pattern: Path) -> Iterator[Path]:
    """Yield what fits a pattern with `**`, which follows no links, as they may lead in circles; nothing hidden."""
    parts = [part if part == "**" else re.sub(r"\*+", "*", part) for part in pattern.relative_to(pattern.anchor).parts]
    root, all_files = Path(pattern.anchor), parts[-1] == "**"
    for path in root.glob("/".join([*parts, "*"] if all_files else parts)):
        hidden = any(part[0] == "." and part not in parts for part in path.relative_to(root).parts)
        if not hidden and (path.is_file() or not all_files):
            yield path


def unscored(given: Sequence[Samples]) -> list[str]:
    """Return a note where some of several files have targets, but not all; else none."""
    without = [samples.file for samples in given if not samples.labelled]
    if len(without) in (0, len(given)):
        return []
    told = ", ".join(without[:_MOST_TOLD]) + (", …" if len(without) > _MOST_TOLD else "")
    return [f"{len(without):,} of {len(given):,} inputs have no targets, so nothing is scored: {told}"]


def read_samples(path: Path, like: Trained, said: Mapping[str, Any] | None = None) -> Samples:
    """Open the samples in an npz file, an npy file or a directory of npy files.

    The array with samples is called `x`, or is the only one of their shape; that with targets is `y`, or has the name
    that goes with the samples, as `y_test` with `x_test`. Raises DataError if they are not like those of the run.

    Args:
        path: the file or directory.
        like: what the samples must be like.
        said: the names of arrays in the config of the run, such as `x_train`; files may have these names too.
    """
    pairs = _pairs_said(said or {})
    shown = os.fsencode(path).decode("utf-8", "replace")
    members, facts = npy.members(path), like.facts
    x = _samples_in(members, facts, shown, [name for name, _ in pairs])
    _check_like(x, facts, like.dtype, like.scale)
    samples = opened(x)
    _, top = checked_samples(samples, x.file, facts.whole)
    if facts.whole and like.highest is not None and top > like.highest:
        raise DataError(f"{x.file} has numbers up to {top:,.0f}, and the model takes 0 to {like.highest:,}", _AS_BEFORE)
    if facts.task == "reconstruction":
        return Samples(shown, Split(samples, None), True)
    y = next((members[name] for name in _targets_of(x.name, pairs) if name in members), None)
    if y is None or y is x:
        return Samples(shown, Split(samples, None), False)
    if y.shape[:1] != x.shape[:1]:
        message = f"{x.file} has {x.shape[0]:,} samples, but {y.file} has the shape {y.shape}"
        raise DataError(message, "save one target for each sample, or none")
    one_hot = facts.task == "classification" and len(y.shape) == 2 and y.shape[1] > 1 and y.kind not in "US"
    if facts.task == "array" and target_scale("array", np.dtype(y.descr)) != like.target_scale:
        was = "uint8" if like.target_scale != 1.0 else "no uint8"
        raise DataError(f"targets of {y.file} are {np.dtype(y.descr).name}, and were {was} in training", _AS_BEFORE)
    unknown = "the model was trained without it: leave these samples out, or their targets"
    targets = Targets(facts, one_hot, like.label_values, unknown)
    return Samples(shown, targets.split(samples, opened(y), y.file), True)


def _pairs_said(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names of samples that a config says, each with that of the targets."""
    pairs = [(said.get(f"x_{split}"), said.get(f"y_{split}")) for split in ("test", "val", "train")]
    return [(str(x).removesuffix(".npy"), str(y or "y").removesuffix(".npy")) for x, y in pairs if x is not None]


def _samples_in(members: dict[str, Member], facts: Facts, file: str, said: Sequence[str]) -> Member:
    """Return the array that has samples. Raises DataError if that is not plain."""
    named = next((member for name, member in members.items() if name.lower() == "x"), None)
    if named is None and len(there := {name for name in said if name in members}) == 1:
        named = members[there.pop()]
    fitting = [member for member in members.values() if member.shape[1:] == facts.shape]
    found = [named] if named is not None else fitting or list(members.values())
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"`{member.name}` {member.shape}" for member in found[:8])
    raise DataError(
        f"which array of {file} has the samples? There are {listed}", "save them as `x`, their targets as `y`"
    )


def _targets_of(name: str, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the names that targets of samples have: those that a config says, or `y_test` of `x_test`."""
    like = [name.replace(x, y, 1) for x, y in _PAIRS if x in name]
    return (*(y for x, y in pairs if x == name), *like, "y", "Y", "labels", "targets")


def _check_like(x: Member, facts: Facts, dtype: str, scale: float) -> None:
    """Raise DataError if samples have another shape than those of the run, or values of another kind."""
    if x.shape == facts.shape:
        hint = "save it with an axis before it: `x[None]`"
        raise DataError(f"{x.file} has the shape {x.shape}: a single sample, not a list of samples", hint)
    if x.shape[1:] != facts.shape:
        raise DataError(f"samples of {x.file} are {x.shape[1:]}, those of the run are {facts.shape}", _AS_BEFORE)
    if 0 in x.shape:
        raise DataError(f"{x.file} is empty: its shape is {x.shape}", "save at least one sample")
    trained = np.dtype(dtype)
    if npy.kind_of_values(x.descr, scale) != npy.kind_of_values(trained.str, scale):
        what = "strings" if x.kind in "US" else np.dtype(x.descr).name
        hint = f"save them as {trained.name}, prepared as for training"
        if trained == np.uint8 and scale != 1.0:
            hint = 'images from 0 to 1 are bytes after `(x * 255).round().astype("uint8")`'
        raise DataError(f"samples of {x.file} are {what}, those of the run are {trained.name}", hint)
