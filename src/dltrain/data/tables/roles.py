"""What each column of a table is for: a feature, a target, a way to split, a weight."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.data.facts import SCALINGS, Task
from dltrain.data.tables.table import MOST_TIMES, Column, Numbers, Texts, Wrong, listed, twice_in

_NOT_FEATURES = ("drop", "group", "time", "stratify", "sample_weight")
_MOST_TOLD = 12


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a table by what they are for.

    Args:
        features: in the order in which the model gets them.
        categorical: those of the features that are categories.
        target: the targets, in order; empty where samples are their own.
        group, time, stratify: the column by which shares are held out.
        sample_weight: the column that says what a sample counts in the loss.
        scales: how each feature that is a number is scaled, by name.
    """

    features: tuple[str, ...]
    categorical: frozenset[str]
    target: tuple[str, ...]
    group: str | None
    time: str | None
    stratify: str | None
    sample_weight: str | None
    scales: Mapping[str, str]

    @property
    def used(self) -> list[str]:
        """All columns that are read."""
        others = [self.group, self.time, self.stratify, self.sample_weight]
        return list(dict.fromkeys([*self.features, *self.target, *(name for name in others if name is not None)]))


def roles_of(arguments: Mapping[str, Any], names: Sequence[str], task: Task | None) -> Roles:
    """Return what the columns with these names are for. Raises Wrong at the argument that contradicts them."""
    target = _target(arguments, names, task)
    for key in ("features", "categorical", *_NOT_FEATURES):
        check_names(key, listed_names(arguments.get(key)), names)
    given = listed_names(arguments.get("features"))
    categorical = frozenset(listed_names(arguments.get("categorical")))
    others = {*target, *(name for key in _NOT_FEATURES for name in listed_names(arguments.get(key)))}
    others -= categorical & set(listed_names(arguments.get("stratify")))
    features = tuple(given) if given else tuple(name for name in names if name not in others)
    _check_features(arguments, given, features, target)
    if strange := sorted(categorical - set(features)):
        hint = "remove it from `categorical`"
        hint = f"add it to `features`, or {hint}" if given else hint
        raise Wrong("categorical", f"`{strange[0]}` is a category, but no feature", hint)
    roles = [arguments.get(key) for key in ("group", "time", "stratify", "sample_weight")]
    if sum(role is not None for role in roles[:3]) > 1:
        raise Wrong("group", "`group`, `time` and `stratify` exclude each other", "split by one of them")
    scales = dict(_scales(arguments.get("scale"), features, categorical))
    return Roles(features, categorical, target, roles[0], roles[1], roles[2], roles[3], scales)


def listed_names(value: Any) -> list[str]:
    """Return the columns that an argument names: none, one or several."""
    return [] if value is None else [str(name) for name in value] if isinstance(value, list) else [str(value)]


def _target(arguments: Mapping[str, Any], names: Sequence[str], task: Task | None) -> tuple[str, ...]:
    target = listed_names(arguments.get("target"))
    if not target and task != "reconstruction":
        hint = f"name the column: `target: {names[-1]}`; there are {_told(names)}"
        raise Wrong("target", "no column is the target", hint)
    if task == "reconstruction" and target:
        hint = f"leave the column out: `drop: {listed(target)}`" if set(target) <= set(names) else "remove `target`"
        raise Wrong("target", "in a reconstruction, samples are their own targets", hint)
    check_names("target", target, names)
    return tuple(target)


def check_names(argument: str, given: Sequence[str], names: Sequence[str]) -> None:
    """Raise Wrong at an argument that names a column which is not there, or one twice."""
    there = set(names)
    for name in given:
        if name not in there:
            near = difflib.get_close_matches(name.lower(), [other.lower() for other in names], 1)
            meant = next((other for other in names if near and other.lower() == near[0]), None)
            hint = f"did you mean `{meant}`?" if meant else ""
            raise Wrong(argument, f"there is no column `{name}`: there are {_told(names)}", hint)
    if twice := twice_in(given):
        raise Wrong(argument, f"`{twice}` is named twice", "name it once")


def _check_features(
    arguments: Mapping[str, Any], given: Sequence[str], features: Sequence[str], target: Sequence[str]
) -> None:
    leaked = [name for name in features if name in target]
    if leaked:
        hint = "remove it from `features`"
        raise Wrong("features", f"`{leaked[0]}` is the target, so the model would only copy it", hint)
    if not features:
        raise Wrong("target", "no column is left for the features", "name them: `features: [a, b]`")
    if given and arguments.get("drop") is not None and (both := set(given) & set(listed_names(arguments["drop"]))):
        raise Wrong("drop", f"`{sorted(both)[0]}` is a feature and left out", "remove it from one of them")


def _scales(written: Any, features: Sequence[str], categorical: frozenset[str]) -> Iterator[tuple[str, str]]:
    numbers = [name for name in features if name not in categorical]
    if isinstance(written, str):
        if not numbers:
            raise Wrong("scale", "no feature is a number: there is nothing to scale", "remove `scale`")
        yield from ((name, written) for name in numbers)
    for name, kind in (written or {}).items() if isinstance(written, Mapping) else ():
        check_names("scale", [str(name)], features)
        if str(name) in categorical:
            raise Wrong("scale", f"`{name}` is a category, which has no scale", f"remove `{name}` from `scale`")
        if kind not in SCALINGS:
            raise Wrong("scale", f"`{kind}` is no scale", f"one of {', '.join(SCALINGS)}")
        yield str(name), kind


def columns_of(roles: Roles, task: Task | None, decimal: str, missing: frozenset[str]) -> dict[str, Column]:
    """Return empty columns for all that is read: categories and labels as texts, all else as numbers."""
    texts = {*roles.categorical, *(name for name in (roles.group, roles.stratify, roles.time) if name is not None)}
    texts |= set(roles.target) if task in ("classification", None) else set()
    numbers = (set(roles.features) - roles.categorical) | {roles.sample_weight}
    made: dict[str, Column] = {}
    for name in roles.used:
        if name in texts and name in numbers:
            raise Wrong("features", f"`{name}` cannot be a number and a text at once", "leave it out of `features`")
        if name == roles.time:
            made[name] = Texts(name, missing, most=MOST_TIMES)
        else:
            made[name] = Texts(name, missing) if name in texts else Numbers(name, decimal, missing)
    return made


def _told(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name[:60]}`" for name in names[:_MOST_TOLD])
    return shown + (f" and {len(names) - _MOST_TOLD:,} more" if len(names) > _MOST_TOLD else "")
