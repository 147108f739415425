"""Seeded choices of samples: those that a limit keeps, and those held out for validation."""

from __future__ import annotations

import numpy as np

from dltrain.data.arrays import Division
from dltrain.data.sizes import held_out_samples
from dltrain.errors import DataError


def stratified(labels: np.ndarray, count: int, seed: tuple[int, ...]) -> np.ndarray:
    """Choose `count` samples; every label keeps its share.

    A label with m of n samples gets m·count/n of the choice, rounded by largest remainder (ties: the smaller
    label); its samples are drawn without replacement with PCG64. With a single label the choice is plainly random.
    `count` must not exceed the number of samples.

    Returns: sorted int64 positions, shape (count,).
    """
    generator = np.random.Generator(np.random.PCG64(list(seed)))
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
    quotas = _largest_remainder([int(size) for size in sizes], count)
    chosen = [generator.permutation(rows)[:quota] for rows, quota in zip(members, quotas, strict=True)]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _largest_remainder(sizes: list[int], count: int) -> list[int]:
    total = sum(sizes)
    quotas = [size * count // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda label: -(sizes[label] * count % total))
    for label in by_remainder[: count - sum(quotas)]:
        quotas[label] += 1
    return quotas


def limited(labels: np.ndarray, limit: int | None, seed: tuple[int, ...], division: Division) -> np.ndarray:
    """Choose `limit` samples, stratified, or the latest ones of a division by time; all if there are no more.

    Returns: sorted int64 positions. Raises DataError for a limit below 1.
    """
    if limit is not None and limit < 1:
        raise DataError(f"a limit of {limit} samples leaves nothing", "`data.limit` counts samples, from 1 on")
    if limit is None or limit >= len(labels):
        return np.arange(len(labels), dtype=np.int64)
    if division.times is not None:
        return np.sort(_by_time(division.times)[-limit:])
    return stratified(labels, limit, seed)


def held_out(
    labels: np.ndarray,
    share: float,
    seed: tuple[int, ...],
    split: str,
    division: Division,
    kept: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the samples of `split`, validation or test: `share` of all or of `kept`, at least one unless it is 0.

    They are stratified by `labels`, or by `division.strata`; whole groups, or the latest samples, where the division
    says so.

    Returns: sorted int64 positions, round(share·n) of them (half to even; of groups, as near as whole ones come), and
    those of the samples that are left out of all splits.
    Raises DataError if `share` is outside [0, 1) or no training sample would be left.
    """
    if not 0 <= share < 1:
        raise DataError(f"a {split} share of {share:g} makes no sense", f"`data.{split}` is at least 0 and below 1")
    none = np.empty(0, np.int64)
    if share == 0:
        return none, none
    count = held_out_samples(len(labels) if kept is None else kept, share)
    if count >= len(labels):
        raise DataError(
            f"a {split} share of {share:g} takes all {len(labels)} training samples",
            f"lower `data.{split}`, or take more samples (`data.limit.train`)",
        )
    if division.times is not None:
        return _latest(division, count, split)
    if division.groups is not None:
        return _groups(division.groups, count, seed, split), none
    return stratified(labels if division.strata is None else division.strata, count, seed), none


def _by_time(times: np.ndarray) -> np.ndarray:
    return np.argsort(times, kind="stable")


def _latest(division: Division, count: int, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the latest samples and, before them, those of the gap; samples of one time stay together."""
    times = division.times
    order = _by_time(times)  # type: ignore[arg-type]
    moments = times[order]  # type: ignore[index]
    first = int(np.searchsorted(moments, moments[-count], "left"))
    end = int(np.searchsorted(moments, moments[first] - division.gap, "left"))
    if end == 0:
        what = "all have the same time" if first == 0 else f"the gap between them is {division.gap:,}"
        raise DataError(f"no training sample is before those of the {split} split: {what}", f"lower `data.{split}`")
    return np.sort(order[first:]), np.sort(order[end:first])


def _groups(groups: np.ndarray, count: int, seed: tuple[int, ...], split: str) -> np.ndarray:
    """Return the samples of groups that are drawn one after the other, as long as they come nearer to `count`."""
    generator = np.random.Generator(np.random.PCG64(list(seed)))
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        hint = "split without `group`"
        if split == "validation":
            hint += ", or train without validation: `validation: 0`"
        raise DataError(f"the samples to train on are of one group: none is left for the {split} split", hint)
    chosen: list[int] = []
    taken = 0
    for group in generator.permutation(len(sizes)).tolist():
        size = int(sizes[group])
        if chosen and abs(taken + size - count) >= abs(taken - count):
            continue
        if len(chosen) + 1 == len(sizes):
            break
        chosen.append(group)
        taken += size
        if taken >= count:
            break
    return np.flatnonzero(np.isin(codes, chosen)).astype(np.int64)
