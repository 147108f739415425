"""Arrays with a value for each training sample: by which shares are held out, and what a sample counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.data.numpy_files.naming import Wrong, named
from dltrain.data.numpy_files.npy import Member

_DIVIDING = ("group", "time", "stratify")
_CODES, _TIMES, _WEIGHTS = "iubUSM", "iufM", "fiub"
_KINDS = {"group": _CODES, "stratify": _CODES, "time": _TIMES, "sample_weight": _WEIGHTS}
_WANTED = {
    "group": "groups are whole numbers or strings",
    "stratify": "they are whole numbers or strings here",
    "time": "times are dates or numbers",
    "sample_weight": "weights are numbers from 0 on",
}
_MENDS = {
    _CODES: 'save `array.astype("int64")`, or strings',
    _TIMES: 'save `array.astype("datetime64[s]")`, or numbers',
    _WEIGHTS: 'save `array.astype("float32")`',
}
_TOLD = {"U": "strings", "S": "strings", "M": "dates", "f": "fractions", "b": "true and false"}


def per_sample(arguments: Mapping[str, Any], members: Mapping[str, Member], samples: int) -> dict[str, Member]:
    """Return the arrays that have a value for each of so many training samples, by argument.

    Raises Wrong where one is not there, or its header says that it has others.
    """
    dividing = [key for key in _DIVIDING if arguments.get(key) is not None]
    if len(dividing) > 1:
        raise Wrong(dividing[0], "`group`, `time` and `stratify` exclude each other", "split by one of them")
    found: dict[str, Member] = {}
    for key in _KINDS:
        member = named(arguments, key, members)
        if member is not None:
            _check(key, member, samples)
            found[key] = member
    return found


def _check(argument: str, member: Member, samples: int) -> None:
    if member.shape not in ((samples,), (samples, 1)):
        message = f"{member.file} has the shape {member.shape}, and there are {samples:,} training samples"
        raise Wrong(argument, message, "save one value for each training sample, in the same order")
    kinds = _KINDS[argument]
    if member.kind not in kinds:
        message = f"{member.file} holds {_TOLD.get(member.kind, 'numbers')}; {_WANTED[argument]}"
        raise Wrong(argument, message, _MENDS[kinds])
