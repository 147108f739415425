"""The steps of a file, series by series, and the windows over them that lack nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dltrain.data.numpy_files.npy import Member
from dltrain.data.series.counting import table_codes
from dltrain.data.series.form import Form, Roles
from dltrain.data.series.look import HINT
from dltrain.data.tables.table import Numbers, Table, Texts, Wrong
from dltrain.data.tables.times import times_of
from dltrain.data.values import opened


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a file, those of one series together.

    Args:
        file: as messages name it.
        features: numbers of shape (steps, features); what is missing is NaN, or what stands for it.
        there: whether each step has all its features without that, bool of shape (steps,).
        target: numbers of shape (steps, targets), NaN where missing; None where there are none.
        labels: names of labels of each step, with their codes; None where there are none.
        ends: the first step of each series, and of none after the last.
        rows: the row of each step in the file.
        ranks: the place of each step's time among all times.
        groups: the series of each step.
    """

    file: str
    features: np.ndarray
    there: np.ndarray
    target: np.ndarray | None
    labels: tuple[list[str], np.ndarray] | None
    ends: np.ndarray
    rows: np.ndarray
    ranks: np.ndarray
    groups: np.ndarray


def steps_in(
    file: Table | Member, names: Sequence[str], roles: Roles, arguments: Mapping[str, Any], *, new: bool = False
) -> Steps:
    """Return the steps of a file. Raises Wrong where values are missing and may not be: targets of `new` ones may."""
    cells = _of_array(file, names) if isinstance(file, Member) else _of_table(file)
    count = len(next(iter(cells.values())))
    groups, ranks = np.zeros(count, np.int64), np.arange(count)
    if isinstance(file, Table):
        codes = table_codes(file, roles)
        groups = np.frombuffer(codes, np.intc).astype(np.int64) if codes is not None else groups
        time = file.columns[roles.time] if roles.time is not None else None
        if isinstance(time, Texts):
            _, ranks = np.unique(np.array(list(times_of(file, time, arguments["date_format"]))), return_inverse=True)
    rows = np.argsort(groups, kind="stable")
    groups = groups[rows]
    ends = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1, [count]])
    in_order = len(ends) == 2  # a single series: nothing is moved
    columns = {name: values if in_order else values[rows] for name, values in cells.items()}
    features = np.stack([columns[name] for name in roles.features], axis=1)
    shown = file.file if isinstance(file, Table) else str(file.path)
    first, hint = partial(_first, file, rows), f"fill them, or train anew: {HINT}" if new else HINT
    _check_numbers(features, shown, arguments["missing"], first, hint)
    target = labels = None
    if roles.target and isinstance(file, Table) and isinstance(file.columns[roles.target[0]], Texts):
        labels = file.columns[roles.target[0]].names, columns[roles.target[0]].astype(np.int64)  # type: ignore[union-attr]
    elif roles.target and roles.target == roles.features:
        target = features
    elif roles.target:
        target = np.stack([columns[name] for name in roles.target], axis=1)
        _check_numbers(target, shown, "drop" if new else arguments["missing"], first, hint)
    filled = _filled(features, ends, arguments["missing"])
    there = ~np.isnan(features).any(axis=1)
    return Steps(shown, filled, there, target, labels, ends, rows, ranks[rows], groups)


def _of_array(member: Member, names: Sequence[str]) -> dict[str, np.ndarray]:
    values = opened(member)
    values = values.reshape(len(values), -1)
    return {name: values[:, place].astype(np.float64) for place, name in enumerate(names)}


def _of_table(table: Table) -> dict[str, np.ndarray]:
    return {
        name: np.frombuffer(column.values) if isinstance(column, Numbers) else np.frombuffer(column.codes, np.intc)
        for name, column in table.columns.items()
    }


def _first(file: Table | Member, rows: np.ndarray, wrong: np.ndarray) -> str:
    """Return in how many steps a value is wrong, and where the first of them is in the file, whose `rows` they are."""
    found = rows[wrong.any(axis=1)]
    row, count = int(found.min()), len(found)
    place = file.place(row) if isinstance(file, Table) else f"row {row} (counted from 0)"
    return f"{count:,} step{'s' * (count != 1)}, first in {place}"


def _check_numbers(values: np.ndarray, file: str, missing: str, first: Callable[[np.ndarray], str], hint: str) -> None:
    """Raise Wrong for infinity, and for NaN where nothing may be missing."""
    with np.errstate(over="ignore"):
        infinite = np.isinf(values.astype(np.float32))
    if infinite.any():
        message = f"{file} has infinity, or a number beyond float32, in {first(infinite)}"
        raise Wrong("path", message, "replace these before training")
    if missing == "fail" and (lacking := np.isnan(values)).any():
        raise Wrong("missing", f"{file} lacks values in {first(lacking)}", hint)


def _filled(values: np.ndarray, ends: np.ndarray, rule: str) -> np.ndarray:
    """Return the values with those that stand for missing ones: the last before them, or on the line to the next."""
    if rule not in ("ffill", "interpolate") or not np.isnan(values).any():
        return values
    found = values.copy()
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        for column in range(values.shape[1]):
            part = found[start:end, column]
            known = np.flatnonzero(~np.isnan(part))
            if not len(known) or len(known) == len(part):
                continue
            places = np.arange(len(part))
            if rule == "interpolate":
                part[:] = np.interp(places, known, part[known])
                part[: known[0]] = np.nan  # nothing is before them
            else:
                last = np.searchsorted(known, places, "right") - 1
                part[:] = np.where(last >= 0, part[known[last]], np.nan)
    return found


def starts_in(ends: np.ndarray, steps: int, stride: int) -> np.ndarray:
    """Return the first steps of windows that take so many steps, int64; none crosses from one series to another."""
    parts = [
        np.arange(start, end - steps + 1, stride, dtype=np.int64)
        for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    return np.concatenate([np.empty(0, np.int64), *parts])


def are_whole(values: np.ndarray, starts: np.ndarray, length: int, rate: int = 1) -> np.ndarray:
    """Return whether windows lack no value, bool of shape (windows,), in linear time."""
    lacking = np.isnan(values).any(axis=1)
    if not lacking.any() or not len(starts):
        return np.ones(len(starts), bool)
    padded = np.zeros(-(-(len(lacking) + rate) // rate) * rate, np.int64)
    padded[rate : rate + len(lacking)] = lacking
    sums = padded.reshape(-1, rate).cumsum(axis=0).reshape(-1)  # of every `rate`-th step so far
    whole: np.ndarray = sums[starts + rate + (length - 1) * rate] == sums[starts]
    return whole


def has_label(steps: Steps) -> np.ndarray:
    """Return whether each step has its label, bool of shape (steps,)."""
    if steps.labels is None:
        return ~np.isnan(target_of(steps)[:, 0])
    words, codes = steps.labels
    there: np.ndarray = codes != (words.index("") if "" in words else -1)
    return there


def target_of(steps: Steps) -> np.ndarray:
    """Return the numbers to predict, of shape (steps, targets)."""
    return steps.target if steps.target is not None else steps.features


def has_targets(steps: Steps, starts: np.ndarray, form: Form) -> np.ndarray:
    """Return whether windows have all their targets."""
    values = target_of(steps)
    if steps.labels is not None:
        values = np.where(has_label(steps), 0.0, np.nan)[:, None]
    return are_whole(values, starts + form.first_target, form.horizon, form.target_rate)


def has_inputs(steps: Steps, starts: np.ndarray, form: Form, rule: str) -> np.ndarray:
    """Return whether windows have all their steps.

    With `interpolate`, one whose last step is missing has not: what stands for it is made of the steps to predict.
    """
    whole = are_whole(steps.features, starts, form.length, form.rate)
    if rule == "interpolate" and len(starts):
        whole &= steps.there[starts + form.last]
    return whole
