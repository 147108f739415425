"""The column of a table to predict, and whether it holds classes or numbers."""

from __future__ import annotations

from dltrain.data.facts import natural
from dltrain.data.guesses.columns import Profile
from dltrain.data.guesses.guess import Taken, missing_column, plural, told
from dltrain.data.guesses.look import Look
from dltrain.errors import DataError

_TARGETS = ("target", "label", "labels", "class", "y", "species", "category", "outcome", "diagnosis")
_FEW = 20  # different whole numbers that are likely classes
_MOST_CLASSES = 1_000


def target_of(look: Look, given: str | None) -> tuple[Profile, str]:
    """Return the column to predict, the one that is given, and why it was taken. Raises DataError."""
    names = list(look.columns)
    if given is not None:
        if given not in look.columns:
            raise missing_column(given, names, look.path)
        return look.columns[given], ""
    other = "to predict another column, write `dltrain init --from … --target NAME`, or change this and the model's end"
    by_name = {name.lower(): name for name in reversed(names)}
    for word in _TARGETS:
        if word in by_name and _can_be_target(look, look.columns[by_name[word]]):
            return look.columns[by_name[word]], f"taken by its name; {other}"
    for name in reversed(names):
        if _can_be_target(look, look.columns[name]):
            last = "the last column" if name == names[-1] else "the last column that can be one"
            return look.columns[name], f"{last}; {other}"
    raise DataError(f"no column of {look.path} can be a target", "name it: `--target NAME`")


def task_of(look: Look, column: Profile) -> tuple[Taken, int]:
    """Return the task and the number of classes, 0 for numbers. Raises DataError where a target cannot be told."""
    values, content = look.distinct(column), column.content
    name = told([column.name])
    if values < 2:
        raise DataError(f"{name} of {look.path} has a single value: there is nothing to tell", "name another target")
    if content in ("text", "date", "code") or (content == "index" and not column.numbers):
        if column.many or values > _MOST_CLASSES or not look.repeats(column):
            message = f"{name} of {look.path} has {values:,} different texts in {plural(look.rows, 'row')}"
            if column.amount:
                raise DataError(f"{message}, such as {told([column.amount])}", "if they are numbers, write plain ones")
            raise DataError(message, "classes come again and again: name another column, `--target NAME`")
        named = sorted((word for word in column.counts if word not in look.missing), key=natural)
        return Taken("classification", f"{name} has {plural(values, 'class')}: {told(named)}"), values
    rows = look.rows - look.lacking(column)
    if column.whole and not column.many and values <= _FEW and (values == 2 or values <= rows / 3):
        alternative = "if they are amounts, write `regression`, one unit without an activation, `mean_squared_error`, "
        why = f"{name} has {plural(values, 'whole number')} in {plural(rows, 'row')}; {alternative}"
        return Taken("classification", f"{why}`mae`, and `target_scale: standard` above"), values
    kind = f"numbers from {column.lowest:g} to {column.highest:g}"
    alternative = "if they are labels, write `classification` and end in a `Dense` of as many units with `softmax`"
    return Taken("regression", f"{name} has {kind}; {alternative}"), 0


def _can_be_target(look: Look, column: Profile) -> bool:
    content = column.content
    if content == "text":
        return look.repeats(column) and 2 <= look.distinct(column) <= _MOST_CLASSES
    return content in ("number", "code")
