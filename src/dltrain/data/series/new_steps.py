"""New steps for a trained model: windows over them, the last of which forecast what is not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.samples import Ahead, Samples, Trained
from dltrain.data.series.form import Form, Roles, form_of
from dltrain.data.series.look import check_table, names_of, opened
from dltrain.data.series.preparing import Learnt, scaled_steps
from dltrain.data.series.reading import labelled
from dltrain.data.series.steps import Steps, has_inputs, has_targets, starts_in, steps_in, target_of
from dltrain.data.series.windows import Windows
from dltrain.data.tables.roles import listed_names
from dltrain.data.tables.table import Table, Wrong
from dltrain.data.targets import Targets
from dltrain.errors import DataError

_MOST_TOLD = 6


class Names(Sequence[str]):
    """The file and a row of it for each window, made when they are asked for."""

    def __init__(self, file: str, rows: np.ndarray) -> None:
        self._file, self._rows = file, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [f"{self._file}:{row}" for row in self._rows[place].tolist()]
        return f"{self._file}:{self._rows[place]}"


def samples(path: Path, arguments: Mapping[str, Any], like: Trained) -> Samples:
    """Return the windows over the steps of a file: each `sequence_stride`, and the last one of each series.

    They are named by their last row. Those with targets are scored. Raises DataError if a column is missing, a series
    is shorter than a window, or values are missing as they were not in the training.
    """
    learnt, form = Learnt.of_run(like.learnt, like.facts), form_of(arguments, like.facts.task)
    try:
        steps, has_target = _steps(path, arguments, learnt, like)
        starts, notes = _starts(steps, form, arguments["missing"], path)
    except Wrong as wrong:
        raise wrong.as_error() from None
    series = scaled_steps(steps.features, learnt.of(learnt.features))
    x = Windows(series, starts, form.length, form.rate)
    split, scored = Split(x, None), None
    if has_target and like.facts.task != "reconstruction":
        split, scored = _with_targets(x, steps, form, learnt, like)
    return Samples(
        str(path),
        split,
        like.facts.task == "reconstruction" or (scored is not None and len(scored) > 0),
        Names(str(path), steps.rows[starts + form.last]),
        tuple(notes),
        scored,
        partial(_ahead, path, series, steps, form, learnt, like, made_up=arguments["missing"] == "interpolate"),
    )


def _steps(path: Path, arguments: Mapping[str, Any], learnt: Learnt, like: Trained) -> tuple[Steps, bool]:
    """Return the steps of a file, and whether it has the columns of the targets."""
    names = names_of(path, arguments)
    known = set(names)
    if lacking := [name for name in learnt.features if name not in known]:
        there = ", ".join(f"`{name[:60]}`" for name in names[:12]) + (", …" if len(names) > 12 else "")
        shown = ", ".join(f"`{name[:60]}`" for name in lacking[:_MOST_TOLD])
        message = f"{path} has no column {shown}: it has {there}"
        raise Wrong("path", message, "save the columns as those of the training")
    target = learnt.target or tuple(listed_names(arguments["target"]))
    has_target = set(target) <= set(names)
    time, group = (str(arguments[key]) if arguments[key] is not None else None for key in ("time", "group"))
    roles = Roles(learnt.features, target if has_target else (), time, group, {})
    file = opened(path, arguments, roles, like.facts.task, names)
    if isinstance(file, Table):
        check_table(file, roles, arguments["date_format"], like.facts.task)
    return steps_in(file, names, roles, arguments, new=True), has_target


def _starts(steps: Steps, form: Form, missing: str, path: Path) -> tuple[np.ndarray, list[str]]:
    needed, ends = form.last + 1, steps.ends
    latest = ends[1:] - needed
    starts = np.union1d(starts_in(ends, needed, form.stride), latest[latest >= ends[:-1]])
    if not len(starts):
        longest = int(np.diff(ends).max())
        message = f"{path} has {longest:,} steps{' at most in a series' if len(ends) > 2 else ''}, and a window takes "
        raise Wrong("path", f"{message}{needed:,}", "give more of the past")
    whole = has_inputs(steps, starts, form, missing)
    if not whole.any():
        raise Wrong("path", f"no window of {path} is without a missing value", "fill these values")
    left = np.count_nonzero(~whole)
    return starts[whole], [f"{left:,} of {len(starts):,} windows of {path} lack a value and are left out"] * bool(left)


def _with_targets(
    x: Windows, steps: Steps, form: Form, learnt: Learnt, like: Trained
) -> tuple[Split, np.ndarray | None]:
    """Return the windows with the targets of those that have such, and their places."""
    ends = steps.ends[np.searchsorted(steps.ends, x.starts, "right")]
    rows = np.flatnonzero(x.starts + form.span <= ends)
    rows = rows[has_targets(steps, x.starts[rows], form)]
    if like.facts.targets == "classes":
        known = "the model was trained without it: leave these rows out, or their labels"
        targets = Targets(replace(like.facts, target_shape=()), False, like.label_values, known)
        return labelled(x, steps, form, like.facts.task, targets, rows), rows
    series = scaled_steps(target_of(steps), learnt.of(learnt.target))
    y = Windows(series, x.starts[rows] + form.first_target, form.horizon, flat=like.facts.task == "regression")
    return Split(x, y), rows


def _ahead(
    path: Path, series: np.ndarray, steps: Steps, form: Form, learnt: Learnt, like: Trained, *, made_up: bool
) -> Ahead:
    """Return the ends of the series.

    Raises DataError if forecasts cannot be the next steps of a window, or what stands for a missing last step is
    `made_up` of steps behind it.
    """
    if like.facts.task not in ("regression", "sequence") or set(learnt.target) != set(learnt.features):
        lacking = ", ".join(f"`{name}`" for name in learnt.features if name not in learnt.target) or "labels"
        message = f"the model does not predict all that its windows have: {lacking}"
        raise DataError(message, "only a model that predicts all its features can go on from its own forecasts")
    if form.shift != 1:
        message = f"the model was trained with `shift: {form.shift}`, so its forecasts do not follow on the last step"
        raise DataError(message, "train with `shift: 1`")
    needed = form.last + 1
    short = np.flatnonzero(np.diff(steps.ends) < needed)
    if len(short):
        message = f"{len(short):,} series of {path} are shorter than a window of {needed:,} steps"
        raise DataError(message, "give more of their past, or leave them out")
    ends = np.stack([series[end - needed : end] for end in steps.ends[1:].tolist()])
    bad = np.flatnonzero(np.isnan(ends).any(axis=(1, 2)) | (made_up & ~steps.there[steps.ends[1:] - 1]))
    if len(bad):
        row = int(steps.rows[steps.ends[1:][bad[0]] - 1])
        raise DataError(f"values are missing at the end of {path}, before row {row} (counted from 0)", "fill them")
    order = [learnt.target.index(name) for name in learnt.features]
    return Ahead(ends, form.rate, np.array(order), Names(str(path), steps.rows[steps.ends[1:] - 1]))
