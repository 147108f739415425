"""Loaded data sets, and the hash that identifies their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dltrain.data.facts import Facts

_CHUNK = 2**24  # bytes


class Rows:
    """Some rows of an array, read when they are asked for: for arrays that stay in a file."""

    def __init__(self, array: np.ndarray, rows: np.ndarray) -> None:
        self._array, self._rows = array, rows
        self.dtype, self.shape = array.dtype, (len(rows), *array.shape[1:])
        self.nbytes = int(np.prod(self.shape, dtype=np.int64)) * array.dtype.itemsize
        self.ndim = array.ndim

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any) -> np.ndarray:
        found: np.ndarray = self._array[self._rows[rows]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def taken(self, rows: np.ndarray) -> Rows:
        """Return some of the rows."""
        return Rows(self._array, self._rows[rows])


class Joined:
    """Arrays one after the other, read when they are asked for."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._arrays = arrays
        self._starts = np.cumsum([0, *map(len, arrays)])
        self.dtype = np.result_type(*(array.dtype for array in arrays))
        self.shape = (int(self._starts[-1]), *arrays[0].shape[1:])
        self.nbytes = sum(int(array.nbytes) for array in arrays)
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        owners = np.searchsorted(self._starts, wanted, "right") - 1
        for owner in np.unique(owners):
            inside = owners == owner
            found[inside] = self._arrays[owner][wanted[inside] - self._starts[owner]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)


class Made:
    """Rows that are made when they are asked for: for samples that would take much more memory than their source.

    Args:
        shape: of all rows.
        dtype: of their values.
        make: positions of rows, int64 -> these rows.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, make: Callable[[np.ndarray], np.ndarray]) -> None:
        self.shape, self.dtype, self._make = shape, np.dtype(dtype), make
        self.nbytes = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        self.ndim = len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self._make(np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)


Array = Any  # np.ndarray, or Rows, Joined or Made, which are used in the same way


def take(array: Array, rows: np.ndarray) -> Array:
    """Return rows of an array: a copy, or `Rows` of an array that is mapped from a file or made on demand."""
    if len(rows) == len(array):  # rows are sorted and different
        return array
    if hasattr(array, "taken"):
        return array.taken(rows)
    return Rows(array, rows) if is_mapped(array) else array[rows]


def is_mapped(array: Array) -> bool:
    """Return whether the values of an array stay in a file, or are made when they are asked for."""
    return isinstance(array, np.memmap | Rows | Made)


def chunks(array: Array) -> Iterator[np.ndarray]:
    """Yield the rows of an array in order, some megabytes at a time."""
    step = max(1, _CHUNK // max(1, array.nbytes // max(1, len(array))))
    for start in range(0, len(array), step):
        yield np.asarray(array[start : start + step])


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their targets, in the order of the source.

    `x` has shape (samples, *shape). `y` is of shape (samples, *target_shape): int64 indices of classes, or float32;
    None where the input is the target. `weight` is what each sample counts in the loss, float32 of shape (samples,).
    """

    x: Array
    y: Array
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> Split:
        """Return some samples; `rows` are sorted and different."""
        weight = self.weight[rows] if self.weight is not None else None
        return Split(take(self.x, rows), take(self.y, rows) if self.y is not None else None, weight)


@dataclass(frozen=True, eq=False)
class Division:
    """How shares are held out of the training split of a source: at random, by class, unless one of these says more.

    All arrays have a value for each sample.

    Args:
        strata: each split gets its share of samples with the same value.
        groups: samples with the same value stay in one split.
        times: held out are the latest samples.
        gap: in the unit of `times`, how long before the first sample held out samples are left out.
    """

    strata: np.ndarray | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    gap: float = 0

    def take(self, rows: np.ndarray) -> Division:
        """Return the same of some samples."""
        strata, groups, times = (
            part[rows] if part is not None else None for part in (self.strata, self.groups, self.times)
        )
        return Division(strata, groups, times, self.gap)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What was learnt from the training split, and what it makes of each split.

    Args:
        facts: of the data set as it arrives.
        apply: makes of the samples and targets of the source those that the model gets.
        learnt: the same knowledge as plain data, for JSON.
        notes: what the user should know.
    """

    facts: Facts
    apply: Callable[[Split], Split]
    learnt: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawDataset:
    """A data set as its source provides it, before limits and validation; `x * scale` is the model's float32 input.

    `test` is empty and `validation` None where the source has no such split. Targets that are numbers are multiplied by
    `target_scale`. `notes` are what reading has found that the user should know. `label_values` are the whole numbers
    that stand for classes, where they are not the indices. `learn` learns from the training split what prepares all
    splits, or takes what an earlier run has learnt; None where there is nothing to learn. `remark` returns what a
    person should know of a split by its name, validation or test, before its figures. `baselines` returns forecasts of
    a split that need no model, by name, of shape (samples, steps, numbers) in the unit of the source.
    """

    facts: Facts
    scale: float
    train: Split
    test: Split
    validation: Split | None = None
    target_scale: float = 1.0
    notes: tuple[str, ...] = ()
    label_values: tuple[int, ...] | None = None
    division: Division = Division()
    learn: Callable[[Split, Mapping[str, Any] | None], Prepared] | None = None
    remark: Callable[[str, Split], Iterator[str]] | None = None
    baselines: Callable[[Split], Mapping[str, np.ndarray]] | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set split for one run: limited, and with its validation samples held out.

    `train_indices`, `validation_indices` and `test_indices` are sorted int64 positions in the source's training
    split; those of validation and test are empty where these splits are not part of it. `fingerprint` is
    `fingerprint()` of the samples that are used. `facts`, both scales, `notes` and `label_values` are
    those of `RawDataset`; `learnt` is what `Prepared` has. `remarks` are worth knowing, though nothing is wrong.
    `baselines` returns those of `RawDataset` for a split by its name.
    """

    facts: Facts
    scale: float
    target_scale: float
    train: Split
    validation: Split | None
    test: Split
    validation_indices: np.ndarray
    train_indices: np.ndarray
    test_indices: np.ndarray
    fingerprint: str
    notes: tuple[str, ...] = ()
    label_values: tuple[int, ...] | None = None
    learnt: Mapping[str, Any] | None = None
    remarks: tuple[str, ...] = ()
    baselines: Callable[[str], Mapping[str, np.ndarray]] | None = None

    @property
    def name(self) -> str:
        return self.facts.name


def fingerprint(arrays: dict[str, Array]) -> str:
    """Hash names, dtypes, shapes and values, in dict order, to "sha256:" and 64 hex digits.

    Values are read as little-endian bytes in C order, so memory layout and byte order do not matter.
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        order = array.dtype.newbyteorder("<")
        digest.update(f"{name} {order.str} {array.shape}\n".encode())
        if hasattr(array, "parts"):  # what the rows are made of, which is less than the rows
            digest.update(fingerprint(array.parts()).encode())
            continue
        for chunk in chunks(array):
            digest.update(np.ascontiguousarray(chunk, order).reshape(-1).view(np.uint8).data)
    return f"sha256:{digest.hexdigest()}"
