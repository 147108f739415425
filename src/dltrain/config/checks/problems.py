"""The problems of a config as one list."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.objects import FIELDS
from dltrain.errors import Fix, KeyPath, Problem

_MOST_TOLD = 50
_MOST_TEXT = 15_000  # characters of the problems that are told
_MISSING = ("missing-key", "missing-argument")


def told(problems: list[Problem], whole: bool = True) -> tuple[Problem, ...]:
    """Return the problems that a person is told, in order; the last one counts those that are too many.

    Args:
        problems: those that were found.
        whole: whether these are all.
    """
    listed = _in_order(problems)
    kept: set[int] = set()
    room = _MOST_TEXT
    for number, problem in sorted(enumerate(listed), key=lambda item: item[1].severity):  # errors before warnings
        room -= _length(problem)
        if len(kept) == _MOST_TOLD or (kept and room < 0):
            break
        kept.add(number)
    rest = [problem for number, problem in enumerate(listed) if number not in kept]
    if not rest:
        return tuple(listed)
    count = f"{'' if whole else 'at least '}{len(rest):,} more problem{'s' if len(rest) > 1 else ''}"
    severity = min(problem.severity for problem in rest)
    last = Problem("more-problems", count, (), None, "fix those above first", severity, len(rest))
    return (*(listed[number] for number in sorted(kept)), last)


def _length(problem: Problem) -> int:
    """Return about how many characters it takes to tell the problem, in the longest of the formats."""
    where = problem.where
    place = len(where.file) + 2 * min(160, len(where.text)) if where is not None else 0
    return 200 + len(problem.message) + len(problem.hint) + place + sum(12 + len(str(key)) for key in problem.path)


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Sort problems by place, those of the file before those of overrides, and drop duplicates.

    A key that is missing because it is misspelt, or written elsewhere, is one mistake and reported once.
    """
    meant = {path for problem in problems for path in _meant(problem)}
    moved = {problem.fix.target for problem in problems if isinstance(problem.fix, Fix) and problem.fix.kind == "move"}
    keys = {target[-1] for target in moved}

    def told(problem: Problem) -> bool:
        """Whether another problem covers it already."""
        if problem.code in _MISSING and (problem.path in meant or problem.path[-1] in keys):
            return True
        return problem.path == ("model",) and ("model", "layers") in moved

    def place(problem: Problem) -> tuple[bool, str, int, int]:
        where = problem.where
        if where is None:
            return (True, "", 0, 0)
        return (where.origin == "override", where.file, where.line, where.column)

    unique = {(problem.where, problem.message): problem for problem in problems if not told(problem)}
    return sorted(unique.values(), key=place)


def _meant(problem: Problem) -> Iterator[KeyPath]:
    """Yield the keys beside an unknown one that it may stand for, or whose object it belongs to."""
    fix, section = problem.fix, problem.path[:-1]
    if not isinstance(fix, Fix):
        return
    if fix.kind in ("rename", "choose"):
        yield from ((*section, name) for name in fix.target)
    elif fix.kind == "move" and fix.target[: len(section) + 1] in FIELDS:
        yield fix.target[: len(section) + 1]
