"""Formats the problems of a config: text for people, JSON for programs, annotations for GitHub workflows."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable

import click

from dltrain.errors import Problem, Where

_PIPE_WIDTH = 160  # columns, when stderr is not a terminal
_COLORS = {"error": "red", "warning": "yellow"}


def printable(text: object) -> str:
    """Escape control characters, which a name from a file could carry into the terminal."""
    return "".join(
        c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else "\N{REPLACEMENT CHARACTER}" for c in str(text)
    )


def terminal_width() -> int | None:
    """Return the width of the terminal on stderr in columns, or None for a pipe, where text is not wrapped."""
    return max(40, shutil.get_terminal_size().columns) if sys.stderr.isatty() else None


def text(problem: Problem, width: int | None = None) -> str:
    """Format one problem: the message, the place, the source line with the error underlined, the hint.

    Args:
        problem: the problem to format.
        width: columns to wrap at; None keeps the message and the hint on one line each.
    """
    color = _COLORS[problem.severity]
    label = f"{problem.severity}: "
    head = _wrapped(printable(problem.message), width, label, "  ")
    head = click.style(label, fg=color, bold=True) + head[len(label) :]
    hint = printable(problem.hint)
    where = problem.where
    if where is None:
        return f"{head}\n{_wrapped(hint, width, '  = ', '    ')}" if hint else head
    gutter = " " * len(str(where.line))
    line, start, length = _window(where, (width or _PIPE_WIDTH) - len(gutter) - 3)
    mark = " " * start + click.style("^" * length, fg=color, bold=True)
    lines = [head, f"{gutter}--> {_place(where)}", f"{gutter} |", f"{where.line} | {line}"]
    if len(gutter) + 3 + start + length + 1 + len(hint) <= (width or 80):
        return "\n".join([*lines, f"{gutter} | {mark} {hint}".rstrip()])
    wrapped = _wrapped(hint, width, f"{gutter} = ", f"{gutter}   ")
    return "\n".join([*lines, f"{gutter} | {mark}", wrapped])


def _place(where: Where) -> str:
    if where.origin == "override":
        return printable(where.file if len(where.file) <= _PIPE_WIDTH else f"{where.file[: _PIPE_WIDTH - 1]}…")
    return f"{printable(where.file)}:{where.line}:{where.column}"


def _wrapped(text: str, width: int | None, first: str, rest: str) -> str:
    if width is None:
        return first + text
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _window(where: Where, room: int) -> tuple[str, int, int]:
    """Cut the source line to `room` columns around the error: the text, and start and length of the underline."""
    start, length = where.column - 1, max(1, where.end_column - where.column)
    begin = max(0, start - 2 * room)  # a line may be as long as a file
    line = printable(where.text[begin : start + 2 * room].replace("\t", " "))
    start -= begin
    if len(line) > room:
        cut = max(0, min(start - room // 4, len(line) - room))
        before, after = "…" if cut else "", "…" if cut + room < len(line) else ""
        line = before + line[cut + len(before) : cut + room - len(after)] + after
        start -= cut
    start = min(start, max(0, room - 1))
    return line, start, max(1, min(length, max(len(line), start + 1) - start))


def as_json(problems: Iterable[Problem]) -> str:
    """Format problems as a JSON list of objects: severity, code, path, place, message, hint.

    `line`, `column` and `end` (the first column after the error) count from 1; without a place they are null.
    """
    return json.dumps([_object(problem) for problem in problems], indent=2, ensure_ascii=False)


def _object(problem: Problem) -> dict[str, object]:
    where = problem.where
    return {
        "severity": problem.severity,
        "code": problem.code,
        "path": list(problem.path),
        "file": where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "end": where.end_column if where else None,
        "message": problem.message,
        "hint": problem.hint,
    }


def as_github(problems: Iterable[Problem]) -> str:
    """Format each problem as a GitHub workflow command, which GitHub shows at its line in the diff."""
    return "\n".join(_annotation(problem) for problem in problems)


def _annotation(problem: Problem) -> str:
    where = problem.where
    properties = {"title": f"dltrain: {problem.code}"}
    if where is not None and where.origin != "override":
        place = {"file": where.file, "line": where.line, "col": where.column, "endColumn": where.end_column - 1}
        properties = {key: str(value) for key, value in place.items()} | properties
    message = printable(problem.message) + (f"\n{printable(problem.hint)}" if problem.hint else "")
    listed = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{problem.severity} {listed}::{_escaped(message)}"


def _escaped(value: str, more: str = "") -> str:
    """Percent-encode the characters that workflow commands reserve."""
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in value)
