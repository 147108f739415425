"""The interface of a data source: its arguments, the facts known before reading, and the reader."""

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
    """A conflict between two arguments that are each valid: the argument at fault, a message and a hint."""

    argument: str
    message: str
    hint: str


def _consistent(arguments: Arguments) -> Iterable[Contradiction]:
    return ()


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that a config may name.

    Args:
        name: name in a config.
        description: contents of the data set, for `dltrain docs`.
        arguments: accepted arguments, by name.
        facts: valid arguments with defaults -> facts; None if the data must be read first.
        read: valid arguments with defaults -> splits. Raises DataError if the data is missing or damaged.
        contradictions: arguments as written -> conflicts between them.
        example: arguments of an example in the documentation.
    """

    name: str
    description: str
    arguments: Mapping[str, Argument]
    facts: Callable[[Arguments], Facts | None]
    read: Callable[[Arguments], RawDataset]
    contradictions: Callable[[Arguments], Iterable[Contradiction]] = _consistent
    example: Mapping[str, Any] | None = None

    def filled(self, arguments: Arguments) -> dict[str, Any]:
        """Return the arguments with defaults filled in."""
        return {key: argument.default for key, argument in self.arguments.items()} | dict(arguments)
