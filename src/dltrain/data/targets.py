"""The targets of a data set in the form in which its task has them: indices of classes, flags, or numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dltrain.data.arrays import Array, Split
from dltrain.data.facts import Facts, Task, natural
from dltrain.data.values import check_finite
from dltrain.errors import DataError

_MOST_CLASSES = 10_000
_MOST_TOLD = 6
_LARGEST_LABEL = 2**53  # as far as floats are exact
_AS_TRAINED = "save them as those of the training"


class Targets:
    """Turns the targets of one split after the other, the training split first, into what the engine takes.

    Args:
        facts: what the headers say; its class names hold where they are known.
        one_hot: whether labels are written as rows with a single 1.
        values: the whole number of each class, where labels are whole numbers that are not their places among the
            names; None where they are, and where they are read first.
        unknown: what to do about a label that is no class, for a message.
    """

    def __init__(
        self, facts: Facts, one_hot: bool, values: Sequence[int] | None = None, unknown: str = "look at the labels"
    ) -> None:
        self._facts, self._one_hot, self._unknown = facts, one_hot, unknown
        self.names = facts.class_names
        self.values = tuple(values) if values is not None else None

    def split(self, x: Array, y: Array | None, file: str) -> Split:
        """Return a split. Raises DataError if targets do not fit the task, or labels were not in training."""
        if y is None:
            return Split(x, None)
        self._check_form(y, file)
        if self._facts.targets == "classes":
            return Split(x, self._indices(np.asarray(y), file))
        if self._facts.targets == "flags":
            return Split(x, _flags(np.asarray(y), file))
        check_finite(y, file, "targets")
        if self._facts.task == "array" and len(self._facts.target_shape) > 1:
            return Split(x, y)  # of the size of samples: the input pipeline casts them
        return Split(x, np.asarray(y).astype(np.float32).reshape(len(y), *self._facts.target_shape))

    def _check_form(self, y: Array, file: str) -> None:
        """Raise DataError unless targets have the shape that the task needs, and numbers where it needs them."""
        shape, needed = y.shape[1:], self._facts.target_shape
        fitting = [needed]
        if self._facts.targets == "classes":
            fitting = [(*needed, len(self.names or ()))] if self._one_hot else [needed, (*needed, 1)]
        elif self._facts.targets == "numbers" and needed[-1:] == (1,):
            fitting.append(needed[:-1])
        if shape not in fitting:
            raise DataError(f"targets of {file} have the shape {shape} a sample, not {fitting[0]}", _AS_TRAINED)
        if y.dtype.kind == "M":
            raise DataError(f"{file} holds dates, and targets are labels or numbers", _AS_TRAINED)
        if y.dtype.kind in "US" and (self._facts.targets != "classes" or self._one_hot):
            raise DataError(f"{file} holds strings, and targets are numbers here", _AS_TRAINED)

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
        if len(y) and (abs(float(y.max())) > _LARGEST_LABEL or abs(float(y.min())) > _LARGEST_LABEL):
            raise DataError(f"{file} has labels beyond {_LARGEST_LABEL:,}", "number the classes from 0 on")
        return self._of_integers(y.astype(np.int64), file)

    def _of_strings(self, y: np.ndarray, file: str) -> np.ndarray:
        letters = np.ascontiguousarray(y, y.dtype.newbyteorder("=")).view(np.uint32)
        if ((letters > 0x10FFFF) | ((letters >= 0xD800) & (letters < 0xE000))).any():
            raise DataError(f"{file} has labels that are no text: codes without a character", _AS_TRAINED)
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
            self.values = tuple(found)
            self.names = _limited(tuple(map(str, found)), file)
        values = self.values if self.values is not None else range(len(self.names))
        places = {value: place for place, value in enumerate(values)}
        self._ensure_known([str(value) for value in found if value not in places], file)
        return np.array([places[value] for value in found], np.int64)[codes].reshape(y.shape)

    def _ensure_known(self, strange: list[str], file: str) -> None:
        if strange:
            there, more = _listed(self.names or ()), _listed(strange)
            raise DataError(f"{file} has labels that are no class: {more}; there are {there}", self._unknown)


def target_scale(task: Task, dtype: np.dtype | None) -> float:
    """Return what targets are multiplied by: bytes, which are images, as those of samples."""
    return 1 / 255 if task == "array" and dtype == np.uint8 else 1.0


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:60] for name in names[:_MOST_TOLD]) + (", …" if len(names) > _MOST_TOLD else "")


def _limited(names: tuple[str, ...], file: str) -> tuple[str, ...]:
    if len(names) > _MOST_CLASSES:
        hint = "with numbers as targets, write `task: regression`"
        raise DataError(f"{file} has {len(names):,} different labels, more than {_MOST_CLASSES:,} classes", hint)
    if len(names) < 2:
        raise DataError(f"{file} has a single label, {names[0]}: there is nothing to tell apart", "look at the labels")
    return names


def _of_one_hot(y: np.ndarray, file: str) -> np.ndarray:
    flat = y.reshape(-1, y.shape[-1])
    rows = np.flatnonzero(((flat != 0).sum(axis=1) != 1) | (flat.sum(axis=1) != 1))
    if len(rows):
        sample = rows[0] // (len(flat) // len(y))
        shown = _row(flat[rows[0]])
        message = f"{file} has rows that are no class: row {sample} is {shown}, not a single 1 among zeros"
        raise DataError(message, "with several labels a sample, write `task: multi_label`; with numbers, `regression`")
    return y.argmax(axis=-1).astype(np.int64)


def _flags(y: np.ndarray, file: str) -> np.ndarray:
    rows = np.flatnonzero(((y != 0) & (y != 1)).any(axis=1))
    if len(rows):
        message = f"{file} has targets other than 0 and 1: row {rows[0]} is {_row(y[rows[0]])}"
        raise DataError(message, "with numbers as targets, write `task: regression`")
    return y.astype(np.float32)


def _row(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:8].tolist())
    return f"[{shown}{', …' if len(values) > 8 else ''}]"
