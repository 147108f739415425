"""Arrays with a value for each training sample, read: how shares are held out, and what samples count in the loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dltrain.data.arrays import Division
from dltrain.data.numpy_files.npy import Member
from dltrain.data.values import check_finite, opened
from dltrain.errors import DataError


def division_of(members: Mapping[str, Member]) -> Division:
    """Return how shares are held out, by the arrays of `group`, `time` or `stratify`.

    Raises DataError if a file is damaged, or a value is missing.
    """
    strata, groups, times = (
        _codes(members[key], key) if key in members else None for key in ("stratify", "group", "time")
    )
    return Division(strata, groups, times)


def _codes(member: Member, argument: str) -> np.ndarray:
    """Return the place of each value among the different ones, in order: no time is rounded."""
    values = np.asarray(opened(member)).reshape(-1)
    check_finite(values, member.file, {"group": "groups", "time": "times"}.get(argument, "samples"))
    if values.dtype.kind == "M" and (missing := np.isnat(values)).any():
        count, first = np.count_nonzero(missing), int(np.flatnonzero(missing)[0])
        message = f"{member.file} lacks {count:,} of {len(values):,} dates: first in row {first} (counted from 0)"
        raise DataError(message, "remove these samples, or replace what is missing")
    return np.unique(values, return_inverse=True)[1]


def weights_of(members: Mapping[str, Member]) -> np.ndarray | None:
    """Return what each sample counts in the loss, float32; None where no array says so.

    Raises DataError if the file is damaged, or a weight is not finite or below 0.
    """
    member = members.get("sample_weight")
    if member is None:
        return None
    values = np.asarray(opened(member)).reshape(-1)
    check_finite(values, member.file, "weights")
    if (values < 0).any():
        row = int(np.flatnonzero(values < 0)[0])
        message = f"{member.file} has {values[row]:g} in row {row} (counted from 0)"
        raise DataError(message, "weights are numbers from 0 on")
    return values.astype(np.float32)
