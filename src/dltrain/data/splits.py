"""Seeded choices of samples: those that a limit keeps, and those held out for validation."""

from __future__ import annotations

import numpy as np

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


def limited(labels: np.ndarray, limit: int | None, seed: tuple[int, ...]) -> np.ndarray:
    """Choose `limit` samples, stratified; all samples if there are no more.

    Returns: sorted int64 positions. Raises DataError for a limit below 1.
    """
    if limit is not None and limit < 1:
        raise DataError(f"a limit of {limit} samples leaves nothing", "`data.limit` counts samples, from 1 on")
    if limit is None or limit >= len(labels):
        return np.arange(len(labels), dtype=np.int64)
    return stratified(labels, limit, seed)


def held_out(labels: np.ndarray, share: float, seed: tuple[int, ...], split: str = "validation") -> np.ndarray:
    """Choose the samples of `split`, validation or test: `share` of all, stratified; at least one unless it is 0.

    Returns: sorted int64 positions, round(share·n) of them (half to even).
    Raises DataError if `share` is outside [0, 1) or no training sample would be left.
    """
    if not 0 <= share < 1:
        raise DataError(f"a {split} share of {share:g} makes no sense", f"`data.{split}` is at least 0 and below 1")
    if share == 0:
        return np.empty(0, np.int64)
    count = held_out_samples(len(labels), share)
    if count >= len(labels):
        raise DataError(
            f"a {split} share of {share:g} takes all {len(labels)} training samples",
            f"lower `data.{split}`, or take more samples (`data.limit.train`)",
        )
    return stratified(labels, count, seed)
