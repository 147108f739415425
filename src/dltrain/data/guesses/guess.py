"""What was taken for what, and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from dltrain.data.folders.names import printable
from dltrain.errors import DataError

Kind = Literal["vector", "images", "steps", "indices", "other"]
"""What a sample is: numbers without order; (height, width, channels); (steps, numbers); indices of words; else."""

FEWEST = 5  # samples of which a test and a validation split can be held out


@dataclass(frozen=True, slots=True)
class Taken:
    """A value of the config, and why it is this one; an empty reason where there is nothing to say."""

    value: Any
    why: str = ""


@dataclass(slots=True)
class Guess:
    """A data set, with what a model for it must know.

    Args:
        source: name of the data set.
        found: what is there, in a sentence.
        arguments: those of the data set besides `path`.
        task: what is to be told of a sample; its reason names the alternative.
        kind: what a sample is.
        shape: of a sample as the first layer behind `before` gets it; empty where only the data set knows it.
        train: samples in the training split, of which others may still be held out.
        classes: how many classes or labels there are; 0 where targets are numbers.
        target_shape: of the target of a sample, where it is not a class.
        vocabulary: the number of indices that samples may have, 0 included.
        has_test, has_validation: whether the data set has such a split of its own.
        before: layers that prepare samples, with the reason for each.
        unit_targets: whether targets are numbers from 0 to 1, as those of images are.
        padded: whether the index 0 fills up samples that are shorter.
    """

    source: str
    found: str
    arguments: dict[str, Taken]
    task: Taken
    kind: Kind
    shape: tuple[int, ...]
    train: int
    classes: int = 0
    target_shape: tuple[int, ...] = ()
    vocabulary: int = 0
    has_test: bool = False
    has_validation: bool = False
    before: list[Taken] = field(default_factory=list)
    unit_targets: bool = False
    padded: bool = False


def told(names: Iterable[str], most: int = 6) -> str:
    """Return names for a comment: in backticks, printable, on one line."""
    known = list(names)
    shown = ", ".join(f"`{printable(name[:60])}`" for name in known[:most])
    return shown + (f" and {len(known) - most:,} more" if len(known) > most else "")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 row`, `1,024 rows`, `3 classes`."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"


def missing_column(name: str, names: list[str], path: object) -> DataError:
    """Return the error for a target that is no column."""
    near = difflib.get_close_matches(name.lower(), [other.lower() for other in names], 1)
    meant = next((other for other in names if near and other.lower() == near[0]), None)
    hint = f"did you mean `{meant}`?" if meant else f"there are {told(names, 12)}"
    return DataError(f"{path} has no column `{printable(name)}`", hint)
