"""What the headers of arrays say of a data set: the facts of each task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dltrain.data.facts import Facts, Task
from dltrain.data.numpy_files import npy
from dltrain.data.numpy_files.naming import Wrong
from dltrain.data.numpy_files.npy import Member

_UINT8_SCALE = 1 / 255
MOST_CLASSES = 10_000
ALIKE = "save all splits with the same dtype"


def facts_of(
    arguments: Mapping[str, Any], task: Task, splits: Mapping[str, tuple[Member, Member | None]]
) -> tuple[Facts, bool]:
    """Return what the headers of all splits say, and whether labels are rows with a single 1. Raises Wrong."""
    x, y = splits["train"]
    scale = scale_of(arguments, x)
    whole = x.kind in "iu" and scale == 1.0
    known = Facts(
        name="arrays",
        task=task,
        shape=x.shape[1:],
        class_names=(),
        units=(),
        train=x.shape[0],
        test=splits["test"][0].shape[0] if "test" in splits else 0,
        unit_range=(x.descr[1:] == "u1" and 0 <= scale <= _UINT8_SCALE * 1.000001) or (x.kind == "b" and scale == 1.0),
        validation=splits["validation"][0].shape[0] if "validation" in splits else 0,
        whole=whole,
    )
    if y is None:
        return replace(known, target_shape=x.shape[1:]), False
    if 0 in y.shape:
        raise Wrong("path", f"{y.file} is empty: its shape is {y.shape}", "save a target for each sample")
    for _, other in splits.values():
        if other is not None and other.shape[1:] != y.shape[1:]:
            message = f"targets of {other.file} are {other.shape[1:]}, those of {y.file} are {y.shape[1:]}"
            raise Wrong("path", message, "save both in the same form")
        if other is not None and _of_targets(other, task) != _of_targets(y, task):
            message = f"targets of {other.file} are {kind_told(other)}, those of {y.file} are {kind_told(y)}"
            raise Wrong("path", message, ALIKE)
    rule = {"classification": _classes, "multi_label": _flags, "sequence": _steps}.get(task, _numbers)
    return rule(arguments, known, y)


def kind_told(member: Member) -> str:
    return "strings" if member.kind in "US" else member.descr.lstrip("<>|=")


def _of_targets(member: Member, task: Task) -> str:
    values = npy.kind_of_values(member.descr, 1 / 255)
    return values if values == "strings" or (task == "array" and values == "bytes") else "numbers"


def scale_of(arguments: Mapping[str, Any], x: Member) -> float:
    """Return what samples are multiplied by."""
    given = arguments.get("scale")
    if given is not None:
        return float(given)
    return _UINT8_SCALE if x.descr[1:] == "u1" else 1.0


def _names(arguments: Mapping[str, Any], count: int | None = None) -> tuple[str, ...] | None:
    """Return the classes as the config has them; None where the labels must be read."""
    given = arguments.get("classes")
    if isinstance(given, list):
        names = tuple(str(name) for name in given)
        if len(set(names)) < len(names) or len(names) < 2:
            raise Wrong("classes", "`classes` needs at least two different names")
    elif given is not None:
        names = tuple(map(str, range(given)))
    else:
        names = tuple(map(str, range(count or 0)))
        if count is None:
            return None
    if count is not None and count > MOST_CLASSES:
        message = f"targets have {count:,} columns, more than {MOST_CLASSES:,} classes"
        raise Wrong("path", message, "with numbers as targets, write `task: regression`")
    if count is not None and len(names) != count:
        raise Wrong("classes", f"`classes` says {len(names)}, but targets have {count} columns")
    return names


def _classes(arguments: Mapping[str, Any], known: Facts, y: Member) -> tuple[Facts, bool]:
    if len(y.shape) == 2 and y.shape[1] > 1 and y.kind not in "US":
        return replace(known, class_names=_names(arguments, y.shape[1])), True
    if len(y.shape) > 2 or (len(y.shape) == 2 and y.shape[1] != 1):
        hint = "with a label a step, write `task: sequence`; with numbers, `task: array`"
        raise Wrong("path", f"{y.file} has the shape {y.shape}; a classification has one label a sample", hint)
    return replace(known, class_names=_names(arguments)), False


def _flags(arguments: Mapping[str, Any], known: Facts, y: Member) -> tuple[Facts, bool]:
    if len(y.shape) != 2 or y.kind in "US":
        message = f"{y.file} has the shape {y.shape}; for several labels a sample, each label has a column of 0 and 1"
        raise Wrong("path", message, "with one label a sample, write `task: classification`")
    return replace(known, class_names=_names(arguments, y.shape[1]), target_shape=y.shape[1:]), False


def _steps(arguments: Mapping[str, Any], known: Facts, y: Member) -> tuple[Facts, bool]:
    """Whole numbers and strings are labels; floats are numbers, unless `classes` says that they are labels.

    Floats and booleans whose last axis has as many places as there are classes are one-hot.
    """
    if len(y.shape) < 2:
        message = f"{y.file} has the shape {y.shape}; a sequence has a label or number a step"
        raise Wrong("path", message, "with one a sample, write `task: classification` or `task: regression`")
    given = arguments.get("classes")
    count = len(given) if isinstance(given, list) else given
    if len(y.shape) > 2 and y.shape[-1] == count and y.kind in "bf":
        return replace(known, class_names=_names(arguments, count), target_shape=y.shape[1:-1]), True
    if y.kind != "f" or given is not None:
        shape = y.shape[1:-1] if len(y.shape) > 2 and y.shape[-1] == 1 else y.shape[1:]
        return replace(known, class_names=_names(arguments), target_shape=shape), False
    shape = y.shape[1:] if len(y.shape) > 2 else (*y.shape[1:], 1)
    return replace(known, target_shape=shape), False


def _numbers(arguments: Mapping[str, Any], known: Facts, y: Member) -> tuple[Facts, bool]:
    if y.kind in "US":
        hint = "with names of classes, write `task: classification`"
        raise Wrong("path", f"{y.file} holds strings; the targets of a {known.task} are numbers", hint)
    if known.task == "regression" and len(y.shape) > 2:
        message = f"{y.file} has the shape {y.shape}; a regression has one number or several a sample"
        raise Wrong("path", message, "write `task: array`")
    if arguments.get("classes") is not None:
        hint = "remove `classes`, or write `task: classification`"
        raise Wrong("classes", f"the targets of a {known.task} are numbers, not classes", hint)
    shape = y.shape[1:] or (1,)
    units = ("",) * shape[0] if known.task == "regression" else ()
    return replace(known, target_shape=shape, units=units), False
