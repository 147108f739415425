"""Arrays by the names that a config gives them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from dltrain.data.numpy_files.npy import Member


class Wrong(Exception):
    """A problem with an argument, or the file that it names."""

    def __init__(self, argument: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.argument, self.message, self.hint = argument, message, hint


def named(arguments: Mapping[str, Any], argument: str, members: Mapping[str, Member]) -> Member | None:
    """Return the array that an argument names; None where it names none. Raises Wrong if there is no such array."""
    given = arguments.get(argument)
    if given is None:
        return None
    name = str(given).removesuffix(".npy")
    if name not in members:
        lower = {other.lower(): other for other in members}
        near = difflib.get_close_matches(name.lower(), lower, 1)
        hint = f"did you mean `{lower[near[0]]}`?" if near else ""
        raise Wrong(argument, f"there is no array `{given}`: the file has {listed(members)}", hint)
    return members[name]


def listed(members: Mapping[str, Member]) -> str:
    """Return arrays with their shapes, for a message."""
    shown = [f"`{name}` {member.shape}" for name, member in list(members.items())[:8]]
    return ", ".join(shown) + (", …" if len(members) > 8 else "")


def place_of(arguments: Mapping[str, Any], argument: str) -> str:
    """Return where the problem of an array stands: at its argument, or else at the path of the file."""
    return argument if arguments.get(argument) is not None else "path"
