"""Every expected failure, as a tree of exceptions.

    DltrainError            exit 1    the command or the run failed
    ├── UsageError          exit 2    an argument names nothing that exists or is invalid
    ├── ConfigError         exit 2    a config has problems: all of them, each with its place
    ├── DataError           exit 1    a data set is missing or damaged
    ├── RunError            exit 1    a run directory cannot be written or read
    ├── ExpectationFailed   exit 3    a bound under `expect` did not hold
    ├── Diverged            exit 4    the loss became NaN or infinite
    └── Interrupted         exit 130 (SIGINT), 143 (SIGTERM) or 129 (SIGHUP)

A `DltrainError` is shown as a message. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
# The source of a value: a file, a `-s key=value` argument, or no text at all.
Origin = Literal["file", "override", "default"]
# The keys and list indices that lead to a value: ("model", "layers", 0).
KeyPath = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """Return the path as `-s` takes it: `model.layers.0`."""
    return ".".join(str(key) for key in path)


@dataclass(frozen=True, slots=True)
class Where:
    """A span of one line in a file or in a command-line argument; line and columns count from 1.

    For an override, `file` is the argument itself, `-s key=value`. `end_column` is the first column after the span,
    `text` the whole line.
    """

    file: str
    line: int
    column: int
    end_column: int
    text: str
    origin: Origin = "file"


@dataclass(frozen=True, slots=True)
class Fix:
    """The fix of a problem, as data; users read its `str`.

    Args:
        kind: the kind of change.
        target: for `rename`, the name that is meant; for `choose`, the names to choose from; for `write`, the YAML to
            write instead; for `insert`, a list item to put before it; for `move`, the key path where it belongs.
        words: replaces the kind's own phrase.
    """

    kind: Literal["rename", "choose", "write", "insert", "move", "remove"]
    target: KeyPath = ()
    words: str = ""

    def __str__(self) -> str:
        if self.words:
            return self.words
        target = ", ".join(f"`{item}`" for item in self.target)
        phrases = {
            "rename": f"did you mean {target}?",
            "choose": f"write {target}",
            "write": f"write {target}",
            "insert": f"insert before it: {target}",
            "move": f"it belongs in `{dotted(self.target[:-1])}`" if self.target[1:] else "it belongs at the top level",
            "remove": "remove it",
        }
        return phrases[self.kind]


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning about a config.

    Args:
        code: stable identifier for programs, such as `unknown-key`.
        message: one line that says what is wrong.
        path: key path of the value.
        where: place in the text; None if there is none.
        fix: how to fix it: data where code depends on it, otherwise a phrase, which may be empty.
        severity: an `error` cannot work; a `warning` is probably a mistake.
        count: how many problems this one stands for.
    """

    code: str
    message: str
    path: KeyPath = ()
    where: Where | None = None
    fix: Fix | str = ""
    severity: Severity = "error"
    count: int = 1

    @property
    def hint(self) -> str:
        """The expected value or the text to write instead; may be empty."""
        return str(self.fix)

    def __str__(self) -> str:
        place = f" at {dotted(self.path)}" if self.path else ""
        return f"{self.severity}{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


def tally(problems: int, warnings: int) -> str:
    """Return the counts as text, `2 problems and 1 warning`; a count of zero is left out."""
    counts = ((problems, "problem"), (warnings, "warning"))
    return " and ".join(f"{count} {noun}{'s' if count != 1 else ''}" for count, noun in counts if count)


class DltrainError(Exception):
    """A failure that is not a bug: one sentence, and how to fix it (`hint`, may be empty)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DltrainError):
    exit_code = 2


class ConfigError(DltrainError):
    """All problems of one config, in file order."""

    exit_code = 2

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        errors = sum(problem.count for problem in problems if problem.severity == "error")
        warnings = sum(problem.count for problem in problems if problem.severity == "warning")
        typed = all(problem.where is not None and problem.where.origin == "override" for problem in problems)
        place = "the overrides" if typed and problems else file
        super().__init__(f"{tally(errors, warnings)} in {place}")
        self.file = file
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return the message, and a line for each problem."""
        return "\n".join([self.message, *map(str, self.problems)])


class DataError(DltrainError):
    pass


class RunError(DltrainError):
    """A run cannot be written or read; `reason` is the message without the path, for callers that show the path."""

    def __init__(self, message: str, hint: str = "", reason: str = "") -> None:
        super().__init__(message, hint)
        self.reason = reason or message


class ExpectationFailed(DltrainError):
    exit_code = 3


class Diverged(DltrainError):
    exit_code = 4


class Interrupted(DltrainError):
    """Stopped by signal number `signum`; all complete epochs are kept."""

    def __init__(self, message: str, signum: int, hint: str = "") -> None:
        super().__init__(message, hint)
        self.exit_code = 128 + signum
