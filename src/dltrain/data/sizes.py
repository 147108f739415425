"""How many samples a split has, worked out before any is read."""

from __future__ import annotations


def held_out_samples(samples: int, share: float) -> int:
    """Samples that validation takes: `share` of all, rounded half to even; at least one where `share` is not 0."""
    return max(1, round(samples * share)) if share else 0


def train_samples(samples: int, limit: int | None, share: float) -> int:
    """Samples left to train on once the limit and the held-out share are taken; below 1 where none is."""
    kept = min(samples, limit or samples)
    return kept - held_out_samples(kept, share)
