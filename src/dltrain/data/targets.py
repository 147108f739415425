"""The targets of a data set in the form in which its task has them: indices of classes, flags, or numbers."""

from __future__ import annotations

import re

import numpy as np

from dltrain.data.arrays import Array, Split
from dltrain.data.facts import Facts, natural
from dltrain.data.npy import Member
from dltrain.data.values import check_finite
from dltrain.errors import DataError

_MOST_CLASSES = 10_000
_MOST_TOLD = 6


class Targets:
    """Turns the targets of one split after the other, the training split first, into what the engine takes.

    Args:
        facts: what the headers say; its class names hold where they are known.
        one_hot: whether labels are written as rows with a single 1.
        named: whether the config lists the names of classes; then whole numbers are their places in the list.
    """

    def __init__(self, facts: Facts, one_hot: bool, named: bool) -> None:
        self._facts, self._one_hot, self._named = facts, one_hot, named
        self.names = facts.class_names
        # The whole number of each class, where it is not its place.
        self._values = [int(name) for name in self.names or ()] if self._are_numbers() else None

    def _are_numbers(self) -> bool:
        names = self._facts.labels
        return not self._named and bool(names) and all(re.fullmatch(r"-?\d{1,18}", name) for name in names)

    def split(self, x: Array, y: Array | None, file: str) -> Split:
        """Return a split. Raises DataError if targets do not fit the task, or labels were not in training."""
        if y is None:
            return Split(x, None)
        if self._facts.targets == "classes":
            return Split(x, self._indices(np.asarray(y), file))
        if self._facts.targets == "flags":
            return Split(x, _flags(np.asarray(y), file))
        check_finite(y, file, "targets")
        if self._facts.task == "array" and len(self._facts.target_shape) > 1:
            return Split(x, y)  # of the size of samples: the input pipeline casts them
        return Split(x, np.asarray(y).astype(np.float32).reshape(len(y), *self._facts.target_shape))

    def scale(self, member: Member | None) -> float:
        """Return what targets are multiplied by: bytes, which are images, are scaled as those of samples."""
        return 1 / 255 if member is not None and self._facts.task == "array" and member.descr[1:] == "u1" else 1.0

    def _indices(self, y: np.ndarray, file: str) -> np.ndarray:
        if self._one_hot:
            return _of_one_hot(y, file)
        y = y.reshape(len(y), *self._facts.target_shape)
        if y.dtype.kind == "S":
            y = np.char.decode(y, "utf-8", "replace")
        if y.dtype.kind == "U":
            return self._of_strings(y, file)
        if y.dtype.kind == "f":
            check_finite(y, file, "labels")
            if (y != np.floor(y)).any():
                raise DataError(f"{file} has fractions as labels", "with numbers as targets, write `task: regression`")
        return self._of_integers(y.astype(np.int64), file)

    def _of_strings(self, y: np.ndarray, file: str) -> np.ndarray:
        found, codes = np.unique(y, return_inverse=True)
        if self.names is None:
            self.names = _limited(tuple(sorted(map(str, found), key=natural)), file)
        places = {name: place for place, name in enumerate(self.names)}
        self._ensure_known([str(name) for name in found if str(name) not in places], file)
        return np.array([places[str(name)] for name in found], np.int64)[codes].reshape(y.shape)

    def _of_integers(self, y: np.ndarray, file: str) -> np.ndarray:
        unique, codes = np.unique(y, return_inverse=True)
        found = [int(value) for value in unique]
        if self.names is None:
            self._values = found
            self.names = _limited(tuple(map(str, found)), file)
        values = self._values if self._values is not None else list(range(len(self.names)))
        places = {value: place for place, value in enumerate(values)}
        self._ensure_known([str(value) for value in found if value not in places], file)
        return np.array([places[value] for value in found], np.int64)[codes].reshape(y.shape)

    def _ensure_known(self, strange: list[str], file: str) -> None:
        if not strange:
            return
        more = ", …" if len(strange) > _MOST_TOLD else ""
        there = ", ".join((self.names or ())[:_MOST_TOLD]) + (", …" if len(self.names or ()) > _MOST_TOLD else "")
        message = f"{file} has labels that are no class: {', '.join(strange[:_MOST_TOLD])}{more}; there are {there}"
        hint = (
            "`classes` counts from 0, or lists the names"
            if self._named or self._values is None
            else ("the training split has no such label: name all with `classes`, or split anew")
        )
        raise DataError(message, hint)


def _limited(names: tuple[str, ...], file: str) -> tuple[str, ...]:
    if len(names) > _MOST_CLASSES:
        hint = "with numbers as targets, write `task: regression`"
        raise DataError(f"{file} has {len(names):,} different labels, more than {_MOST_CLASSES:,} classes", hint)
    if len(names) < 2:
        raise DataError(f"{file} has a single label, {names[0]}: there is nothing to tell apart", "look at the labels")
    return names


def _of_one_hot(y: np.ndarray, file: str) -> np.ndarray:
    rows = np.flatnonzero(((y != 0).sum(axis=1) != 1) | (y.sum(axis=1) != 1))
    if len(rows):
        message = f"{file} has rows that are no class: row {rows[0]} is {_row(y[rows[0]])}, not a single 1 among zeros"
        raise DataError(message, "with several labels a sample, write `task: multi_label`; with numbers, `regression`")
    return y.argmax(axis=1).astype(np.int64)


def _flags(y: np.ndarray, file: str) -> np.ndarray:
    rows = np.flatnonzero(((y != 0) & (y != 1)).any(axis=1))
    if len(rows):
        message = f"{file} has targets other than 0 and 1: row {rows[0]} is {_row(y[rows[0]])}"
        raise DataError(message, "with numbers as targets, write `task: regression`")
    return y.astype(np.float32)


def _row(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:8].tolist())
    return f"[{shown}{', …' if len(values) > 8 else ''}]"
