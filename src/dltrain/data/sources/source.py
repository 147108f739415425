"""The interface of a data source: its arguments, the facts known before reading, and the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.errors import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from dltrain.data.arrays import RawDataset
    from dltrain.data.samples import Samples, Trained

Arguments = Mapping[str, Any]
SEEN: ContextVar[dict[str, Any] | None] = ContextVar("seen", default=None)
"""What looks at files have found, by what was asked, where that is kept: within a check."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A conflict between two arguments that are each valid, or with files: the argument at fault, message and hint."""

    argument: str
    message: str
    hint: str
    severity: Severity = "error"


def _consistent(arguments: Arguments, task: Task | None) -> Iterable[Contradiction]:
    return ()


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that a config may name.

    Args:
        name: name in a config.
        description: contents of the data set, for `dltrain docs`.
        arguments: accepted arguments, by name.
        facts: valid arguments with defaults, and the task -> facts; None if they are known only from the data. Without
            a task, that of the source; a source that has none gives None.
        read: the same -> splits. Raises DataError if the data is missing or damaged.
        contradictions: arguments as written, and the task -> conflicts between them, and with the files they name.
        has_task: whether the source itself says what its targets are.
        likely_tasks: arguments as written -> the tasks that its targets allow, as a phrase, if it does not.
        samples: a file with new samples, the arguments of the run and what it was trained on -> samples as those of
            the training; None where they are arrays.
        example: arguments of an example in the documentation.
    """

    name: str
    description: str
    arguments: Mapping[str, Argument]
    facts: Callable[[Arguments, Task | None], Facts | None]
    read: Callable[[Arguments, Task | None], RawDataset]
    contradictions: Callable[[Arguments, Task | None], Iterable[Contradiction]] = _consistent
    example: Mapping[str, Any] | None = None
    has_task: bool = True
    likely_tasks: Callable[[Arguments], str] | None = None
    samples: Callable[[Path, Arguments, Trained], Samples] | None = None

    def filled(self, arguments: Arguments) -> dict[str, Any]:
        """Return the arguments with defaults filled in."""
        return {key: argument.default for key, argument in self.arguments.items()} | dict(arguments)


def once(key: object, look: Callable[[], Any]) -> Any:
    """Return what `look` does; within a check, what it did for the same key."""
    seen, told = SEEN.get(), repr(key)
    if seen is None:
        return look()
    if told not in seen:
        seen[told] = look()
    return seen[told]
