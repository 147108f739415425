"""Scales of columns, learnt from the steps of the training windows, and the windows over scaled steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dltrain.data.arrays import Prepared, Split
from dltrain.data.facts import Facts, Scale
from dltrain.data.learnt.scaling import learn_scale, scaled
from dltrain.data.series.form import Form, Roles
from dltrain.data.series.windows import Windows
from dltrain.errors import DataError

_CHUNK = 2**18  # steps
_TRAIN_ANEW = "train it anew with this version"


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt of the columns of a series.

    Args:
        features, target: the columns, in order.
        scales: of columns that are scaled, by name.
    """

    features: tuple[str, ...]
    target: tuple[str, ...]
    scales: Mapping[str, Scale]

    def of(self, columns: Sequence[str]) -> tuple[Scale, ...]:
        """Return the scales of some columns; none where all stay as they are."""
        found = tuple(self.scales.get(name, Scale()) for name in columns)
        return found if any(name in self.scales for name in columns) else ()

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        scales = {name: asdict(scale) for name, scale in self.scales.items()}
        return {"features": list(self.features), "target": list(self.target), "scales": scales}

    @classmethod
    def of_run(cls, learnt: Mapping[str, Any] | None, facts: Facts) -> Learnt:
        """Return what a run has learnt. Raises DataError if that is damaged, or of other columns."""
        found = cls.from_json((learnt or {}).get("series"))
        numbers = facts.target_shape[-1] if _has_numbers(facts) else 0
        columns = len(found.target)
        if len(found.features) != facts.shape[-1] or (columns == 0) != (numbers == 0) or numbers % (columns or 1):
            message = f"the run has learnt of {len(found.features)} features and {columns} targets, which it has not"
            raise DataError(message, _TRAIN_ANEW)
        return found

    @classmethod
    def from_json(cls, written: Any) -> Learnt:
        """Return what `to_json` gave. Raises DataError if it is none."""
        try:
            columns = [written["features"], written["target"]]
            if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in columns):
                raise ValueError("columns are lists of names")
            scales = {str(name): Scale.from_json(scale) for name, scale in written["scales"].items()}
            return cls(tuple(columns[0]), tuple(columns[1]), scales)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            message = f"what the run has learnt of its series is damaged: {error}"
            raise DataError(message, _TRAIN_ANEW) from None


def _has_numbers(facts: Facts) -> bool:
    """Return whether targets are numbers, of columns."""
    return facts.task in ("regression", "sequence") and facts.targets == "numbers"


def learn(roles: Roles, form: Form, training: Split, facts: Facts) -> tuple[Learnt, list[str]]:
    """Learn scales from all steps that the windows of the training split and their targets touch.

    Raises DataError if a column cannot be scaled.
    """
    x, y = training.x, training.y
    touched = np.zeros(len(x.series) + 1, np.int64)
    np.add.at(touched, x.starts, 1)
    np.add.at(touched, x.starts + form.span, -1)
    of_training = touched[:-1].cumsum() > 0
    columns = dict(zip(roles.features, x.series.T, strict=True))
    if isinstance(y, Windows) and _has_numbers(facts):
        columns = dict(zip(roles.target, y.series.T, strict=True)) | columns
    scales: dict[str, Scale] = {}
    constant: list[str] = []
    for name, values in columns.items():
        there = values[of_training]
        there = there[~np.isnan(there)]
        if len(there) > 1 and (there == there[0]).all():
            constant.append(name)
        if name in roles.scales:
            try:
                scales[name] = learn_scale(roles.scales[name], there)
            except ValueError as error:
                message = f"the column `{name}` cannot be scaled: {error}"
                raise DataError(message, "scale it with `standard`") from None
    shown = ", ".join(f"`{name}`" for name in constant[:8])
    notes = [f"the same value in all training steps, from which nothing is learned: {shown}"] if constant else []
    return Learnt(roles.features, roles.target if _has_numbers(facts) else (), scales), notes


def prepared(facts: Facts, form: Form, learnt: Learnt, notes: Sequence[str], training: Split) -> Prepared:
    """Return what makes of windows over the steps of a file those over scaled steps."""
    known: dict[tuple[int, tuple[Scale, ...]], tuple[np.ndarray, np.ndarray]] = {}
    of_features, of_target = learnt.of(learnt.features), learnt.of(learnt.target)

    def once(series: np.ndarray, scales: tuple[Scale, ...]) -> np.ndarray:
        key = (id(series), scales)
        if key not in known:
            known[key] = (series, scaled_steps(series, scales))  # the first keeps its id from being used again
        return known[key][1]

    def apply(split: Split) -> Split:
        y = split.y
        if isinstance(y, Windows) and _has_numbers(facts):
            y = y.over(once(y.series, of_target))
        return Split(split.x.over(once(split.x.series, of_features)), y)

    series = once(training.x.series, of_features)
    repeated = form.horizon if facts.task == "regression" else 1
    facts = replace(
        facts,
        lowest=float(np.nanmin(series)),
        highest=float(np.nanmax(series)),
        target_scales=of_target * repeated if _has_numbers(facts) else (),
    )
    return Prepared(facts, apply, {"series": learnt.to_json()}, tuple(notes))


def scaled_steps(series: np.ndarray, scales: Sequence[Scale]) -> np.ndarray:
    """Return all steps of a series as float32, each column by its scale."""
    found = np.empty(series.shape, np.float32)
    for start in range(0, len(series), _CHUNK):
        found[start : start + _CHUNK] = scaled(series[start : start + _CHUNK], scales)
    return found
