"""The problems of a config as one list."""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.config.catalogue.objects import FIELDS
from dltrain.errors import Fix, KeyPath, Problem

_MISSING = ("missing-key", "missing-argument")


def in_order(problems: list[Problem]) -> list[Problem]:
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
