"""NumPy arrays in files: an npz file, an npy file, or a directory of npy files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.data.numpy_files import npy
from dltrain.data.numpy_files.finding import Found, look
from dltrain.data.numpy_files.forms import MOST_CLASSES, scale_of
from dltrain.data.numpy_files.naming import Wrong
from dltrain.data.numpy_files.npy import Member
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset


def _member(what: str, split: str) -> Argument:
    names = "`x_train`, `train_images`, `x`" if what == "samples" else "`y_train`, `train_labels`, `y`"
    meaning = f"The array of {split} {what}, by its name; found without a word where it has one such as {names}."
    if split != "training":
        meaning = f"The same for the {split} split, where there is one."
    return Argument(("str",), nullable=True, has_default=True, meaning=meaning)


_VALUES = (
    ("sample_weight", "The array that says what each training sample counts in the loss"),
    ("group", "The array whose values stay together in one split, such as a patient; whole numbers or strings"),
    ("time", "The array by which the latest samples are held out: dates (`datetime64`), or numbers"),
    ("stratify", "The array of whose values each split has its share; by default the classes"),
)
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
        maximum=MOST_CLASSES,
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
    **{name: Argument(("str",), nullable=True, has_default=True, meaning=f"{meaning}.") for name, meaning in _VALUES},
}


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    try:
        return look(arguments, task).facts
    except Wrong:
        return None  # `contradictions` tells it


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    filled = SOURCE.filled(arguments)
    try:
        found = look(filled, task)
    except Wrong as wrong:
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
        return look(SOURCE.filled({"path": str(path), **names}), None).splits
    except Wrong as wrong:
        raise DataError(wrong.message, wrong.hint) from None


def _unused(arguments: Arguments, found: Found) -> Iterator[Contradiction]:
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
        _, y = look(SOURCE.filled(arguments), None).splits["train"]
    except Wrong:
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


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    """Open the arrays: those of an npy file, or of an npz file without compression, stay in the file.

    Raises DataError if a file is damaged, samples or targets are not finite, or labels do not fit.
    """
    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.per_sample import division_of, weights_of
    from dltrain.data.targets import Targets, target_scale
    from dltrain.data.values import checked_samples, opened

    try:
        found = look(arguments, task)
    except Wrong as wrong:
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
    train = replace(splits["train"], weight=weights_of(found.per_sample))
    none = Split(train.x[:0], train.y[:0] if train.y is not None else None)
    test, validation = splits.get("test", none), splits.get("validation")
    of_targets = target_scale(found.facts.task, train.y.dtype if train.y is not None else None)
    return RawDataset(
        known,
        scale,
        train,
        test,
        validation,
        of_targets,
        label_values=targets.values,
        division=division_of(found.per_sample),
    )


def _unknown(arguments: Arguments, found: Found) -> str:
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
