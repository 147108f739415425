"""Loaded data sets, and the hash that identifies their contents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from dltrain.data.facts import Facts


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their targets, in the order of the source.

    `x` has shape (samples, *shape), uint8 for images or float32. `y` holds int64 class indices of shape
    (samples,) for classification, float32 of shape (samples, targets) for regression.
    """

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class RawDataset:
    """A data set as its source provides it, before limits and validation; `x * scale` is the model's float32 input."""

    facts: Facts
    scale: float
    train: Split
    test: Split


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set split for one run: limited, and with its validation samples held out.

    `train_indices` and `validation_indices` are sorted int64 positions in the source's training split;
    together they are the samples kept by `limit_train`. `fingerprint` is `fingerprint()` of those samples and of the
    limited test split. `facts` and `scale` are those of `RawDataset`.
    """

    facts: Facts
    scale: float
    train: Split
    validation: Split | None
    test: Split
    validation_indices: np.ndarray
    train_indices: np.ndarray
    fingerprint: str

    @property
    def name(self) -> str:
        return self.facts.name


def fingerprint(arrays: dict[str, np.ndarray]) -> str:
    """Hash names, dtypes, shapes and values, in dict order, to "sha256:" and 64 hex digits.

    Values are read as little-endian bytes in C order, so memory layout and byte order do not matter.
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{name} {portable.dtype.str} {array.shape}\n".encode())
        digest.update(portable.reshape(-1).view(np.uint8).data)
    return f"sha256:{digest.hexdigest()}"
