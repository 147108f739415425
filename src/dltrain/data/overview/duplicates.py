"""Samples that are there more than once, within a split and in several: what leaks from training into the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

_MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Repeats:
    """Samples of a split that are also in another, or earlier in the same.

    Args:
        split: where the samples are.
        other: where they are too; the same name for those that repeat an earlier one.
        count: how many samples of `split`.
        conflicts: how many of these have another target there.
        examples: positions of the first such samples in `split`, and of their twins in `other`.
    """

    split: str
    other: str
    count: int
    conflicts: int
    examples: tuple[tuple[int, int], ...]


class Digests:
    """Gathers the hashes of samples: 16 bytes for each."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, rows: np.ndarray) -> None:
        """Take samples of shape (samples, …) in."""
        flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
        size = flat.shape[1] * flat.itemsize
        data = flat.reshape(-1).view(np.uint8).data
        digests = (blake2b(data[at : at + size], digest_size=16).digest() for at in range(0, size * len(rows), size))
        self._parts.append(b"".join(digests))

    def array(self) -> np.ndarray:
        """Return the hashes, uint64 of shape (samples, 2)."""
        return np.frombuffer(b"".join(self._parts), np.uint64).reshape(-1, 2)


def repeats(
    samples: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], positions: Mapping[str, np.ndarray]
) -> list[Repeats]:
    """Return which samples of the splits are there more than once; memory is some 100 bytes for each sample.

    Args:
        samples: hashes of the samples of each split, as `Digests` has them.
        targets: those of their targets, likewise; empty for a split without.
        positions: where the samples of each split are in the source.
    """
    names = list(samples)
    group = _groups(np.concatenate([samples[name] for name in names]))
    starts = np.cumsum([0, *(len(samples[name]) for name in names)])
    of_split = {name: group[starts[i] : starts[i + 1]] for i, name in enumerate(names)}
    groups = int(group.max()) + 1 if len(group) else 0
    found: list[Repeats] = []
    for i, other in enumerate(names):
        first = _first_of(of_split[other], groups)
        for split in names[i:]:
            twins = first[of_split[split]]
            rows = np.flatnonzero((twins >= 0) & ((twins < np.arange(len(twins))) | (split != other)))
            if len(rows):
                found.append(_repeats(split, other, rows, twins[rows], targets, positions))
    return found


def _groups(digests: np.ndarray) -> np.ndarray:
    """Return a number for each sample, the same for equal ones."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ranked = digests[order]
    group = np.empty(len(order), np.int64)
    if len(order):
        group[order] = np.cumsum(np.concatenate([[0], (ranked[1:] != ranked[:-1]).any(axis=1)]))
    return group


def _first_of(group: np.ndarray, groups: int) -> np.ndarray:
    """Return the first sample of each group in a split, -1 where it has none."""
    first = np.full(groups, -1, np.int64)
    first[group[::-1]] = np.arange(len(group) - 1, -1, -1)
    return first


def _repeats(
    split: str,
    other: str,
    rows: np.ndarray,
    twins: np.ndarray,
    targets: Mapping[str, np.ndarray],
    positions: Mapping[str, np.ndarray],
) -> Repeats:
    conflicts = 0
    if len(targets[split]) and len(targets[other]):
        conflicts = int((targets[split][rows] != targets[other][twins]).any(axis=1).sum())
    places = zip(
        positions[split][rows[:_MOST_EXAMPLES]].tolist(), positions[other][twins[:_MOST_EXAMPLES]].tolist(), strict=True
    )
    return Repeats(split, other, len(rows), conflicts, tuple(places))
