"""Sizes of splits, computed before any sample is read."""

from __future__ import annotations


def held_out_samples(samples: int, share: float) -> int:
    """Return the size of the validation split: `share` of all, rounded half to even; at least 1 unless `share` is 0."""
    return max(1, round(samples * share)) if share else 0


def train_samples(samples: int, limit: int | None, share: float) -> int:
    """Return the samples left for training after the limit and the validation share; below 1 if none is left."""
    kept = min(samples, limit or samples)
    return kept - held_out_samples(kept, share)
