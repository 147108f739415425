"""How many windows files have, before training and without NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dltrain.data.numpy_files.npy import Member
from dltrain.data.series.form import Form, Roles
from dltrain.data.tables.table import Numbers, Table, Texts


def steps_of(file: Table | Member, roles: Roles) -> list[int]:
    """Return the steps of each series of a file."""
    if not isinstance(file, Table):
        return [file.shape[0]]
    groups = table_codes(file, roles)
    if groups is None:
        return [len(file)]
    counts: dict[int, int] = {}
    for code in groups:
        counts[code] = counts.get(code, 0) + 1
    return list(counts.values())


def table_codes(table: Table, roles: Roles) -> Any:
    """Return the group of each row of a table; None where all are of one series."""
    column = table.columns[roles.group] if roles.group is not None else None
    return column.codes if isinstance(column, Texts) else None


def count_windows(file: Table | Member, roles: Roles, form: Form, missing: str | None) -> int:
    """Return how many windows of a file lack nothing, as `missing` says; without that, and of an array, all."""
    used = [*roles.features, *roles.target]
    if missing is None or not isinstance(file, Table) or not any(file.columns[name].count_missing for name in used):
        return sum(map(form.count, steps_of(file, roles)))
    return sum(_whole(file, rows, roles, form, missing) for rows in _series(file, roles))


def _series(table: Table, roles: Roles) -> Iterator[Sequence[int]]:
    """Yield the rows of each series."""
    codes = table_codes(table, roles)
    if codes is None:
        yield range(len(table))
        return
    found: dict[int, list[int]] = {}
    for row, code in enumerate(codes):
        found.setdefault(code, []).append(row)
    yield from found.values()


def _whole(table: Table, rows: Sequence[int], roles: Roles, form: Form, missing: str) -> int:
    features, targets = ([_lacks(table, rows, name) for name in names] for names in (roles.features, roles.target))
    lacking = [any(flags) for flags in zip(*features, strict=True)]
    if missing in ("ffill", "interpolate"):  # nothing is before the first value
        begins = [flags.index(False) if False in flags else len(flags) for flags in features]
        features = [[step < begin for step in range(len(rows))] for begin in begins]
    inputs = _sums([any(flags) for flags in zip(*features, strict=True)], form.rate)
    without = [any(flags) for flags in zip(*targets, strict=True)] if targets else [False] * len(rows)
    outputs = _sums(without, form.target_rate)
    count = 0
    for start in range(0, len(rows) - form.span + 1, form.stride):
        last, first = start + form.last, start + form.first_target
        behind = first + form.horizon * form.target_rate
        whole = inputs[last + form.rate] == inputs[start] and outputs[behind] == outputs[first]
        count += whole and not (missing == "interpolate" and lacking[last])
    return count


def _lacks(table: Table, rows: Sequence[int], name: str) -> list[bool]:
    column = table.columns[name]
    if isinstance(column, Numbers):
        return [column.values[row] != column.values[row] for row in rows]
    empty = column.words.get("", -1)
    return [column.codes[row] == empty for row in rows]


def _sums(flags: Sequence[bool], rate: int) -> list[int]:
    """Return how many flags are set before each step, counting back every `rate`-th."""
    found = [0] * rate
    for step, flag in enumerate(flags):
        found.append(found[step] + flag)
    return found
