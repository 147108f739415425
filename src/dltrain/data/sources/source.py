"""What every source of data says of itself: its arguments, what is known before it is read, how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dltrain.arguments import Argument
from dltrain.data.facts import Facts

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two arguments that are each valid and do not go together: the one at fault, what is wrong, how to mend it."""

    argument: str
    message: str
    hint: str


def _consistent(arguments: Arguments) -> Iterable[Contradiction]:
    return ()


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that a config may name.

    Args:
        name: as a config writes it.
        description: what it holds, for `dltrain docs`.
        arguments: what it takes.
        facts: valid arguments, defaults filled in -> what is known; None where it has to be read first.
        read: valid arguments, defaults filled in -> the splits. Raises DataError where they are missing or damaged.
        contradictions: the arguments as written -> what does not go together.
        example: arguments that show how it is written.
    """

    name: str
    description: str
    arguments: Mapping[str, Argument]
    facts: Callable[[Arguments], Facts | None]
    read: Callable[[Arguments], RawDataset]
    contradictions: Callable[[Arguments], Iterable[Contradiction]] = _consistent
    example: Mapping[str, Any] | None = None

    def filled(self, arguments: Arguments) -> dict[str, Any]:
        """The arguments with defaults where nothing is written."""
        return {key: argument.default for key, argument in self.arguments.items()} | dict(arguments)
