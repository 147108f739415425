"""The files of a series -> windows, their targets and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dltrain.data.arrays import Division, Prepared, RawDataset, Split
from dltrain.data.facts import Facts, Task
from dltrain.data.series.form import Form, Roles
from dltrain.data.series.look import Found, check_length, look
from dltrain.data.series.naive import naive_error, naive_forecast
from dltrain.data.series.preparing import Learnt, learn, prepared
from dltrain.data.series.steps import Steps, has_inputs, has_label, has_targets, starts_in, steps_in, target_of
from dltrain.data.series.windows import Windows
from dltrain.data.tables.table import Wrong
from dltrain.data.targets import Targets


def read(arguments: Mapping[str, Any], task: Task | None) -> RawDataset:
    """Read series whole. Raises DataError if they are damaged, or have no window that lacks nothing."""
    try:
        found = look(arguments, task, whole=True)
        if task is None or found.facts is None:
            raise Wrong("target", "`series` does not say what its targets are", "write `task` under `data`")
        return _raw_dataset(found, arguments, found.facts)
    except Wrong as wrong:
        raise wrong.as_error() from None


def _raw_dataset(found: Found, arguments: Mapping[str, Any], known: Facts) -> RawDataset:
    form, roles, notes = found.form, found.roles, [note for _, note in found.notes]
    labels = Targets(replace(known, target_shape=()), one_hot=False)
    splits: dict[str, Split] = {}
    division = Division()
    for name, file in found.files.items():
        check_length(file, roles, form)
        steps = steps_in(file, found.names, roles, arguments)
        starts, note = _starts(steps, form, arguments["missing"])
        notes += [note] if note else []
        splits[name] = _split(steps, starts, form, known, labels)
        if name == "train":
            division = _division(steps, starts, form, roles)
    train = splits["train"]
    counts = {"train": 0, "test": 0, "validation": 0} | {name: len(split) for name, split in splits.items()}
    known = replace(known, class_names=labels.names, **counts)  # type: ignore[arg-type]

    def learned(training: Split, learnt: Mapping[str, Any] | None) -> Prepared:
        if learnt is not None:
            return prepared(known, form, Learnt.of_run(learnt, known), (), training)
        of_training, told = learn(roles, form, training, known)
        return prepared(known, form, of_training, told, training)

    return RawDataset(
        known,
        1.0,
        train,
        splits.get("test", train.take(np.empty(0, np.int64))),
        splits.get("validation"),
        notes=tuple(notes),
        label_values=labels.values,
        division=division,
        learn=learned,
        remark=lambda name, split: naive_error(name, split, form),
        baselines=lambda split: naive_forecast(split, form),
    )


def _starts(steps: Steps, form: Form, missing: str) -> tuple[np.ndarray, str]:
    """Return the first steps of windows that lack neither a step nor a target, and what is told of the others."""
    starts = starts_in(steps.ends, form.span, form.stride)
    whole = has_inputs(steps, starts, form, missing)
    if steps.target is not None or steps.labels is not None:
        whole &= has_targets(steps, starts, form)
    if not whole.any():
        message = f"none of the {len(starts):,} windows of {steps.file} is without a missing value"
        raise Wrong("missing", message, "write `missing: ffill`, or lower `sequence_length`")
    left = np.count_nonzero(~whole)
    note = f"{left:,} of {len(starts):,} windows of {steps.file} lack a value and are left out" if left else ""
    return starts[whole], note


def _split(steps: Steps, starts: np.ndarray, form: Form, known: Facts, labels: Targets) -> Split:
    x = Windows(steps.features, starts, form.length, form.rate)
    if known.task == "reconstruction":
        return Split(x, None)
    if known.targets == "classes":
        return labelled(x, steps, form, known.task, labels)
    first = starts + form.first_target
    return Split(x, Windows(target_of(steps), first, form.horizon, flat=known.task == "regression"))


def labelled(x: Windows, steps: Steps, form: Form, task: Task, labels: Targets, rows: Any = slice(None)) -> Split:
    """Return windows with the labels of some of them, as indices: one of each, or of a sequence one of each step.

    Raises DataError if there are labels that are no class.
    """
    first = x.starts[rows] + form.first_target
    if task == "classification":
        return labels.split(x, _labels_at(steps, first), steps.file)
    codes, there = np.full((len(steps.features), 1), -1, np.int64), np.flatnonzero(has_label(steps))
    codes[there, 0] = labels.split(there, _labels_at(steps, there), steps.file).y
    return Split(x, Windows(codes, first, form.horizon, form.target_rate, flat=True))


def _labels_at(steps: Steps, places: np.ndarray) -> np.ndarray:
    """Return the labels of some steps: strings, or numbers."""
    if steps.labels is not None:
        words, codes = steps.labels
        return np.array(words, np.str_)[codes[places]]
    found: np.ndarray = target_of(steps)[places, 0]
    return found


def _division(steps: Steps, starts: np.ndarray, form: Form, roles: Roles) -> Division:
    """Return how shares are held out so that no step is in windows or targets of two splits.

    The latest windows, by their first step; before them, those that reach into theirs are left out. Where several
    series have no common times, whole series.
    """
    if roles.group is not None and roles.time is None:
        return Division(groups=steps.groups[starts])
    first, last = steps.ranks[starts], steps.ranks[starts + form.span - 1]
    return Division(times=first, gap=int((last - first).max()))
