"""Sizes of splits, computed before any sample is read."""

from __future__ import annotations

TEST, GIVEN = "test", "given"
"""`data.validation` besides a share: the test split, and the validation split that the source has."""


def held_out_samples(samples: int, share: float | str | None) -> int:
    """Return the samples that a share takes, rounded half to even; at least 1 unless the share is 0, None or a name."""
    return max(1, round(samples * share)) if share and not isinstance(share, str) else 0


def train_samples(
    samples: int, limit: int | None, validation: float | str, test: float | None = None, gap: int = 0
) -> int:
    """Return the samples left for training; below 1 if none is left.

    Args:
        samples: all of the source's training split.
        limit: samples to keep of what the test leaves.
        validation: share of the kept samples, or the name of a split that takes none of them.
        test: share of all samples, where the source has no test split.
        gap: samples before each share that no split has.
    """
    tested = held_out_samples(samples, test)
    pool = samples - tested - (gap if tested else 0)
    kept = min(pool, limit or pool)
    validating = held_out_samples(kept, validation)
    return min(kept, pool - gap if validating else kept) - validating
