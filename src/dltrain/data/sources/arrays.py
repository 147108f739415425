"""NumPy arrays in files: an npz file, an npy file, or a directory of npy files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data import npy
from dltrain.data.facts import Facts, Task
from dltrain.data.npy import Member
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset

_SPLITS = {"train": "train", "test": "test", "val": "validation"}
_X = ("x", "images", "data", "samples", "features", "inputs")
_Y = ("y", "labels", "targets", "target", "label")
_UINT8_SCALE = 1 / 255
_MOST_CLASSES = 10_000
_ALIKE = "save all splits with the same dtype"


def _member(what: str, split: str) -> Argument:
    names = "`x_train`, `train_images`, `x`" if what == "samples" else "`y_train`, `train_labels`, `y`"
    meaning = f"The array of {split} {what}, by its name; found without a word where it has one such as {names}."
    if split != "training":
        meaning = f"The same for the {split} split, where there is one."
    return Argument(("str",), nullable=True, has_default=True, meaning=meaning)


ARGUMENTS = {
    "path": Argument(
        ("path",),
        required=True,
        meaning="An .npz file, an .npy file, or a directory of .npy files; relative to the config's file.",
    ),
    "x_train": _member("samples", "training"),
    "y_train": _member("targets", "training"),
    "x_val": _member("samples", "validation"),
    "y_val": _member("targets", "validation"),
    "x_test": _member("samples", "test"),
    "y_test": _member("targets", "test"),
    "classes": Argument(
        ("int", "strs"),
        minimum=2,
        maximum=_MOST_CLASSES,
        nullable=True,
        has_default=True,
        meaning="How many classes there are, labels counting from 0, or their names in order; by default the "
        "different labels of the training split.",
    ),
    "scale": Argument(
        ("float",),
        nullable=True,
        has_default=True,
        meaning="What samples are multiplied by: by default 1/255 for uint8, so that images are from 0 to 1, else 1.",
    ),
}


class _Wrong(Exception):
    """A problem with an argument, or the file that it names."""

    def __init__(self, argument: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.argument, self.message, self.hint = argument, message, hint


@dataclass(slots=True)
class _Found:
    """The arrays of each split, samples and targets; targets are None where the input is the target.

    Args:
        splits: by name, the training split first.
        unlabelled: samples of a split without targets.
        ignored: targets of the training split that are not used.
        facts: what the headers say; None without a task.
        one_hot: whether labels are rows with a single 1.
    """

    splits: dict[str, tuple[Member, Member | None]] = field(default_factory=dict)
    unlabelled: dict[str, Member] = field(default_factory=dict)
    ignored: Member | None = None
    facts: Facts | None = None
    one_hot: bool = False


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    try:
        return _look(arguments, task).facts
    except _Wrong:
        return None  # `contradictions` tells it


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    filled = SOURCE.filled(arguments)
    try:
        found = _look(filled, task)
    except _Wrong as wrong:
        yield Contradiction(wrong.argument, wrong.message, wrong.hint)
        return
    yield from _unused(filled, found)
    for name, x in found.unlabelled.items():
        message = f"`{x.name}` has no targets, so it is no {name} split"
        hint = "name them, as in `y_test: NAME`; or predict it after training: `dltrain predict`"
        yield Contradiction("path", message, hint, "warning")
    y = found.ignored
    if y is not None and y.shape == found.splits["train"][0].shape:
        message = f"`{y.name}` is not used: in a reconstruction, samples are their own targets"
        yield Contradiction("path", message, "with other targets, write `task: array` under `data`", "warning")


def splits_of(path: Path, names: Arguments) -> dict[str, tuple[Member, Member | None]]:
    """Return the samples and targets of each split, the training split first; targets are None where none are found.

    Args:
        path: the file or directory.
        names: arguments that name arrays; others are found by their names.

    Raises DataError if there are no training samples, or headers contradict each other.
    """
    try:
        return _look(SOURCE.filled({"path": str(path), **names}), None).splits
    except _Wrong as wrong:
        raise DataError(wrong.message, wrong.hint) from None


def _unused(arguments: Arguments, found: _Found) -> Iterator[Contradiction]:
    """Yield a warning of arrays that look like samples of the test, where no array is that split."""
    if "test" in found.splits or "test" in found.unlabelled:
        return
    used = {member.name for pair in found.splits.values() for member in pair if member is not None}
    first = found.splits["train"][0]
    likely = [
        member
        for member in npy.members(Path(arguments["path"])).values()
        if "test" in member.name.lower() and member.name not in used and member.shape[1:] == first.shape[1:]
    ]
    if len(likely) == 1:
        message = f"`{likely[0].name}` {likely[0].shape} is not used, though samples of a test may be in it"
        yield Contradiction("path", message, f"name it and its targets: `x_test: {likely[0].name}`", "warning")


def likely_tasks(arguments: Arguments) -> str:
    """Return the tasks that the shape of the targets allows, as a phrase."""
    try:
        _, y = _look(SOURCE.filled(arguments), None).splits["train"]
    except _Wrong:
        y = None
    labels = "`classification` for labels of classes"
    if y is None:
        return "write `task: reconstruction`, where samples are their own targets"
    if y.kind in "US":
        return "write `task: classification`" if len(y.shape) == 1 else "write `task: sequence`"
    if len(y.shape) == 1 or y.shape[1:] == (1,):
        return f"write `task: regression` for numbers, or {labels}"
    if len(y.shape) == 2:
        several = (
            "`multi_label` for a column of 0 and 1 a label, `regression` for numbers, `sequence` for a label a step"
        )
        return f"write `task: classification` for one-hot rows, {several}"
    return "write `task: array` for numbers, or `sequence` for a label a step or pixel"


def _look(arguments: Arguments, task: Task | None) -> _Found:
    """Find the arrays, and hold their headers against each other. Raises _Wrong at the argument at fault."""
    path = Path(arguments["path"])
    try:
        members = npy.members(path)
    except DataError as error:
        raise _Wrong("path", str(error), error.hint) from None
    found = _Found()
    for key, split in _SPLITS.items():
        x, y = _choose(arguments, members, "x", key), _choose(arguments, members, "y", key)
        if x is None:
            if y is not None or key == "train":
                raise _missing(arguments, members, f"x_{key}", split, found, y)
            continue
        if task == "reconstruction":
            found.ignored, y = (y if key == "train" else found.ignored), None
        elif y is None and task is not None:
            if key == "train" or arguments.get(f"x_{key}") is not None:
                raise _missing(arguments, members, f"y_{key}", split, found, x)
            found.unlabelled[split] = x  # as competitions have them
            continue
        if key != "train" and x == found.splits["train"][0]:
            message = f"the {split} split is the training split, `{x.name}`: it would say nothing of new samples"
            raise _Wrong(_at(arguments, f"x_{key}"), message, "name other samples, or hold some out")
        found.splits[split] = (x, y)
        _check_samples(x, y, f"x_{key}", found.splits["train"][0], arguments)
    if task is not None:
        _add_facts(arguments, task, found)
    return found


def _missing(
    arguments: Arguments, members: dict[str, Member], argument: str, split: str, found: _Found, other: Member | None
) -> _Wrong:
    """Return the problem of an array that is not found, where the `other` of the split is."""
    samples = argument.startswith("x")
    whose = "training" if split == "train" else split
    what = f"{whose} {'samples' if samples else 'targets'}"
    message = f"no array of {what} is in {Path(arguments['path']).name}, which has {_listed(members)}"
    used = {member.name for pair in found.splits.values() for member in pair if member is not None}
    used |= {str(arguments[key]) for key in ARGUMENTS if key[:2] in ("x_", "y_") and arguments.get(key) is not None}
    used |= {other.name} if other is not None else set()
    fitting = [
        member.name
        for member in members.values()
        if member.name not in used
        and (other is None or member.shape[:1] == other.shape[:1])
        and (len(member.shape) > 1 or not samples)
    ]
    hint = f"name it: `{argument}: {fitting[0]}`" if fitting else ""
    if not fitting and argument == "y_train":
        hint = "where samples are their own targets, write `task: reconstruction` under `data`"
    return _Wrong(_at(arguments, argument), message, hint or f"save it in the file too, as `{argument}`")


def _at(arguments: Arguments, key: str) -> str:
    return key if arguments.get(key) is not None else "path"


def _listed(members: dict[str, Member]) -> str:
    shown = [f"`{name}` {member.shape}" for name, member in list(members.items())[:8]]
    return ", ".join(shown) + (", …" if len(members) > 8 else "")


def _choose(arguments: Arguments, members: dict[str, Member], what: str, key: str) -> Member | None:
    """Return the array that an argument names, or the one whose name says what it is."""
    argument = f"{what}_{key}"
    given = arguments.get(argument)
    if given is not None:
        name = str(given).removesuffix(".npy")
        if name not in members:
            raise _Wrong(argument, f"there is no array `{given}`: the file has {_listed(members)}")
        return members[name]
    words, splits = _X if what == "x" else _Y, {"val": ("val", "valid", "validation"), "train": ("train", "training")}
    names = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(members)}
    for word in words:
        for split in splits.get(key, (key,)):
            for name in (f"{word}{split}", f"{split}{word}"):
                if name in names:
                    return members[names[name]]
    if key != "train":
        return None
    if what == "x" and len(members) == 1:
        return next(iter(members.values()))
    return next((members[names[word]] for word in words if word in names), None)


def _check_samples(x: Member, y: Member | None, argument: str, first: Member, arguments: Arguments) -> None:
    at = _at(arguments, argument)
    if x.kind in "US":
        raise _Wrong(at, f"{x.file} holds strings, not numbers", "samples are numbers")
    if len(x.shape) < 2:
        shape = f"the shape {x.shape}: " + ("one number a sample" if x.shape else "a single number")
        raise _Wrong(at, f"{x.file} has {shape}, and samples have at least one axis", "save `x[:, None]`")
    if 0 in x.shape:
        raise _Wrong(at, f"{x.file} is empty: its shape is {x.shape}", "save at least one sample")
    if x.shape[1:] != first.shape[1:]:
        message = f"samples of {x.file} are {x.shape[1:]}, but those of {first.file} are {first.shape[1:]}"
        raise _Wrong(at, message, "prepare all splits in the same way")
    if npy.kind_of_values(x.descr, scale_of(arguments, first)) != npy.kind_of_values(
        first.descr, scale_of(arguments, first)
    ):
        message = f"samples of {x.file} are {_kind(x)}, but those of {first.file} are {_kind(first)}"
        raise _Wrong(at, message, _ALIKE)
    if y is not None and y.shape[:1] != x.shape[:1]:
        count = f"{y.shape[0]:,} targets" if y.shape else "a single number"
        message = f"{x.file} has {x.shape[0]:,} samples, but {y.file} has {count}"
        raise _Wrong(at, message, "save one target for each sample, in the same order")


def _add_facts(arguments: Arguments, task: Task, found: _Found) -> None:
    splits = found.splits
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
        found.facts = replace(known, target_shape=x.shape[1:])
        return
    if 0 in y.shape:
        raise _Wrong("path", f"{y.file} is empty: its shape is {y.shape}", "save a target for each sample")
    for _, other in splits.values():
        if other is not None and other.shape[1:] != y.shape[1:]:
            message = f"targets of {other.file} are {other.shape[1:]}, those of {y.file} are {y.shape[1:]}"
            raise _Wrong("path", message, "save both in the same form")
        if other is not None and _of_targets(other, task) != _of_targets(y, task):
            message = f"targets of {other.file} are {_kind(other)}, those of {y.file} are {_kind(y)}"
            raise _Wrong("path", message, _ALIKE)
    rule = {"classification": _classes, "multi_label": _flags, "sequence": _steps}.get(task, _numbers)
    found.facts, found.one_hot = rule(arguments, known, y)


def _kind(member: Member) -> str:
    return "strings" if member.kind in "US" else member.descr.lstrip("<>|=")


def _of_targets(member: Member, task: Task) -> str:
    values = npy.kind_of_values(member.descr, 1 / 255)
    return values if values == "strings" or (task == "array" and values == "bytes") else "numbers"


def scale_of(arguments: Arguments, x: Member) -> float:
    """Return what samples are multiplied by."""
    given = arguments.get("scale")
    if given is not None:
        return float(given)
    return _UINT8_SCALE if x.descr[1:] == "u1" else 1.0


def _names(arguments: Arguments, count: int | None = None) -> tuple[str, ...] | None:
    """Return the classes as the config has them; None where the labels must be read."""
    given = arguments.get("classes")
    if isinstance(given, list):
        names = tuple(str(name) for name in given)
        if len(set(names)) < len(names) or len(names) < 2:
            raise _Wrong("classes", "`classes` needs at least two different names")
    elif given is not None:
        names = tuple(map(str, range(given)))
    else:
        names = tuple(map(str, range(count or 0)))
        if count is None:
            return None
    if count is not None and count > _MOST_CLASSES:
        message = f"targets have {count:,} columns, more than {_MOST_CLASSES:,} classes"
        raise _Wrong("path", message, "with numbers as targets, write `task: regression`")
    if count is not None and len(names) != count:
        raise _Wrong("classes", f"`classes` says {len(names)}, but targets have {count} columns")
    return names


def _classes(arguments: Arguments, known: Facts, y: Member) -> tuple[Facts, bool]:
    if len(y.shape) == 2 and y.shape[1] > 1 and y.kind not in "US":
        return replace(known, class_names=_names(arguments, y.shape[1])), True
    if len(y.shape) > 2 or (len(y.shape) == 2 and y.shape[1] != 1):
        hint = "with a label a step, write `task: sequence`; with numbers, `task: array`"
        raise _Wrong("path", f"{y.file} has the shape {y.shape}; a classification has one label a sample", hint)
    return replace(known, class_names=_names(arguments)), False


def _flags(arguments: Arguments, known: Facts, y: Member) -> tuple[Facts, bool]:
    if len(y.shape) != 2 or y.kind in "US":
        message = f"{y.file} has the shape {y.shape}; for several labels a sample, each label has a column of 0 and 1"
        raise _Wrong("path", message, "with one label a sample, write `task: classification`")
    return replace(known, class_names=_names(arguments, y.shape[1]), target_shape=y.shape[1:]), False


def _steps(arguments: Arguments, known: Facts, y: Member) -> tuple[Facts, bool]:
    """Whole numbers and strings are labels; floats are numbers, unless `classes` says that they are labels.

    Floats and booleans whose last axis has as many places as there are classes are one-hot.
    """
    if len(y.shape) < 2:
        message = f"{y.file} has the shape {y.shape}; a sequence has a label or number a step"
        raise _Wrong("path", message, "with one a sample, write `task: classification` or `task: regression`")
    given = arguments.get("classes")
    count = len(given) if isinstance(given, list) else given
    if len(y.shape) > 2 and y.shape[-1] == count and y.kind in "bf":
        return replace(known, class_names=_names(arguments, count), target_shape=y.shape[1:-1]), True
    if y.kind != "f" or given is not None:
        shape = y.shape[1:-1] if len(y.shape) > 2 and y.shape[-1] == 1 else y.shape[1:]
        return replace(known, class_names=_names(arguments), target_shape=shape), False
    shape = y.shape[1:] if len(y.shape) > 2 else (*y.shape[1:], 1)
    return replace(known, target_shape=shape), False


def _numbers(arguments: Arguments, known: Facts, y: Member) -> tuple[Facts, bool]:
    if y.kind in "US":
        hint = "with names of classes, write `task: classification`"
        raise _Wrong("path", f"{y.file} holds strings; the targets of a {known.task} are numbers", hint)
    if known.task == "regression" and len(y.shape) > 2:
        message = f"{y.file} has the shape {y.shape}; a regression has one number or several a sample"
        raise _Wrong("path", message, "write `task: array`")
    if arguments.get("classes") is not None:
        hint = "remove `classes`, or write `task: classification`"
        raise _Wrong("classes", f"the targets of a {known.task} are numbers, not classes", hint)
    shape = y.shape[1:] or (1,)
    units = ("",) * shape[0] if known.task == "regression" else ()
    return replace(known, target_shape=shape, units=units), False


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    """Open the arrays: those of an npy file, or of an npz file without compression, stay in the file.

    Raises DataError if a file is damaged, samples or targets are not finite, or labels do not fit.
    """
    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.targets import Targets, target_scale
    from dltrain.data.values import checked_samples, opened

    try:
        found = _look(arguments, task)
    except _Wrong as wrong:
        raise DataError(wrong.message, wrong.hint) from None
    if found.facts is None:
        raise DataError("`arrays` does not say what its targets are", "write `task` under `data`")
    scale = scale_of(arguments, found.splits["train"][0])
    targets = Targets(found.facts, found.one_hot, unknown=_unknown(arguments, found))
    splits: dict[str, Split] = {}
    ends: list[float] = []
    for name, (x, y) in found.splits.items():
        samples = opened(x)
        ends += checked_samples(samples, x.file, found.facts.whole)
        splits[name] = targets.split(samples, opened(y) if y is not None else None, y.file if y is not None else "")
    lowest, highest = sorted((min(ends) * scale, max(ends) * scale))
    known = replace(
        found.facts,
        class_names=targets.names,
        lowest=lowest,
        highest=highest,
        unit_range=found.facts.unit_range or (not found.facts.whole and lowest >= 0 and highest <= 1),
    )
    train = splits["train"]
    none = Split(train.x[:0], train.y[:0] if train.y is not None else None)
    test, validation = splits.get("test", none), splits.get("validation")
    of_targets = target_scale(found.facts.task, train.y.dtype if train.y is not None else None)
    return RawDataset(known, scale, train, test, validation, of_targets, label_values=targets.values)


def _unknown(arguments: Arguments, found: _Found) -> str:
    """Return what to do about a label that is no class."""
    given = arguments.get("classes")
    if isinstance(given, list):
        return "`classes` lists all names in order; labels are such names, or their places from 0 on"
    if given is not None:
        return f"`classes: {given}` are the labels 0 to {given - 1}: write a larger number"
    return "the training split has no such label: name all with `classes`, or split anew"


SOURCE = Source(
    "arrays",
    "Your own NumPy arrays: an .npz file, an .npy file or a directory of them. uint8 samples arrive from 0 to 1, whole "
    "numbers and fractions as they are. Large files are read as they are needed, not copied.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"path": "data.npz"},
    has_task=False,
    likely_tasks=likely_tasks,
)
