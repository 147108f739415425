"""What a window is: its steps, those of its targets, and the columns of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.data.facts import SCALINGS, Task
from dltrain.data.tables.roles import check_names, listed_names
from dltrain.data.tables.table import Wrong, listed


@dataclass(frozen=True, slots=True)
class Form:
    """Where the steps of a window and of its targets are, counted from its first step.

    Args:
        length: steps of a window.
        rate: from one step of it to the next.
        stride: from the first step of one window to that of the next.
        shift: from the last step of a window to its first target.
        horizon: steps that are targets; 0 where windows are their own.
        target_rate: from one of these to the next.
    """

    length: int
    rate: int
    stride: int
    shift: int
    horizon: int
    target_rate: int = 1

    @property
    def last(self) -> int:
        """The last step of a window."""
        return (self.length - 1) * self.rate

    @property
    def first_target(self) -> int:
        """The first step that is a target."""
        return self.last + self.shift

    @property
    def span(self) -> int:
        """How many steps there are from the first step of a window to its last step or target."""
        return 1 + max(self.last, self.first_target + (self.horizon - 1) * self.target_rate if self.horizon else 0)

    def count(self, steps: int) -> int:
        """Return how many windows a series has."""
        return max(0, (steps - self.span) // self.stride + 1)


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a series by what they are for.

    Args:
        features: what each step of a window has, in order.
        target: the columns to predict, or that of the labels; empty in a reconstruction.
        time: the column of times.
        group: the column that tells several series apart.
        scales: how columns are scaled, by name.
    """

    features: tuple[str, ...]
    target: tuple[str, ...]
    time: str | None
    group: str | None
    scales: Mapping[str, str]


def has_labels(arguments: Mapping[str, Any], task: Task | None) -> bool:
    """Return whether targets are labels: those of a sequence are, where `classes` names them, else numbers."""
    return task == "classification" or (task == "sequence" and arguments["classes"] is not None)


def form_of(arguments: Mapping[str, Any], task: Task | None) -> Form:
    """Return what a window is. Raises Wrong at an argument that contradicts the task."""
    length, rate, stride = (arguments[key] for key in ("sequence_length", "sampling_rate", "sequence_stride"))
    horizon, given = arguments["horizon"], arguments["shift"]
    if task == "classification" and horizon != 1:
        raise Wrong("horizon", "in a classification, a window has a single label", "remove `horizon`")
    own = {"reconstruction": "in a reconstruction, windows are their own targets"}
    if has_labels(arguments, task):
        own["sequence"] = "with `classes`, each step of a window has its own label"
    for key, plain in (("horizon", 1), ("shift", None)):
        if task in own and arguments[key] != plain:
            raise Wrong(key, own[task], f"remove `{key}`")
    if task == "reconstruction":
        return Form(length, rate, stride, 0, 0)
    if task in own:
        return Form(length, rate, stride, -(length - 1) * rate, length, rate)
    if task in ("multi_label", "array"):
        hint = "write `task: regression` to forecast numbers, or `task: classification` for labels"
        raise Wrong("target", f"a series has no targets for the task `{task}`", hint)
    shift = given if given is not None else 0 if task == "classification" else 1
    form = Form(length, rate, stride, shift, horizon)
    if form.first_target < 0:
        message = f"with `shift: {shift}`, targets begin before the window of {form.last + 1:,} steps"
        raise Wrong("shift", message, f"it is at least {-form.last}")
    return form


def roles_of(arguments: Mapping[str, Any], names: Sequence[str], task: Task | None, form: Form) -> Roles:
    """Return what the columns with these names are for. Raises Wrong at the argument that contradicts them."""
    for key in ("target", "features", "drop", "time", "group"):
        check_names(key, listed_names(arguments[key]), names)
    target, features, drop = (listed_names(arguments[key]) for key in ("target", "features", "drop"))
    time, group = (str(arguments[key]) if arguments[key] is not None else None for key in ("time", "group"))
    labels = has_labels(arguments, task)
    if labels and len(target) != 1:
        raise Wrong("target", "no single column has the labels", f"name it: `target: {names[-1]}`")
    if task == "reconstruction" and target:
        hint = f"leave the column out: `drop: {listed(target)}`"
        raise Wrong("target", "in a reconstruction, windows are their own targets", hint)
    if time is not None and time == group:
        raise Wrong("group", f"`{group}` is the column of times", "name another column")
    others = [*drop, *(name for name in (time, group) if name is not None)]
    apart = labels or (task == "regression" and form.shift < 1)
    if not features:
        left_out = {*others, *(target if apart else ())}
        features = [name for name in names if name not in left_out]
    for key, columns in (("features", features), ("target", target)):
        if both := [name for name in columns if name in others]:
            raise Wrong(key, f"`{both[0]}` is named for another use too", f"remove it from `{key}`")
    if not features:
        raise Wrong("features", "no column is left for the windows", "name them: `features: [a, b]`")
    if not target and task != "reconstruction":
        target = features
    _check_copies(features, target, task, form, labels)
    scaled = features if labels else [*features, *(n for n in target if n not in features)]
    return Roles(tuple(features), tuple(target), time, group, _scales(arguments["scale"], scaled))


def _check_copies(features: Sequence[str], target: Sequence[str], task: Task | None, form: Form, labels: bool) -> None:
    """Raise Wrong where a window has what is to be predicted."""
    both = [name for name in target if name in features]
    if not both or task in (None, "reconstruction"):
        return
    if labels:
        raise Wrong("features", f"`{both[0]}` has the labels, so the model would only copy it", "remove it")
    if form.shift < 1 and (task == "regression" or form.first_target <= 0 or form.horizon == 1):
        message = f"with `shift: {form.shift}`, windows have the values of `{both[0]}` that are to be predicted"
        raise Wrong(
            "shift", message, "write `shift: 1` to predict the next step, or leave the column out of `features`"
        )


def _scales(written: Any, names: Sequence[str]) -> dict[str, str]:
    if isinstance(written, Mapping):
        check_names("scale", [str(name) for name in written], names)
        if strange := [kind for kind in written.values() if kind not in SCALINGS]:
            raise Wrong("scale", f"`{strange[0]}` is no scale", f"one of {', '.join(SCALINGS)}")
        return {str(name): str(kind) for name, kind in written.items()}
    return dict.fromkeys(names, str(written)) if written is not None else {}
