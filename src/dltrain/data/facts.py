"""Properties of a data set that are known before it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

Task = Literal["classification", "multi_label", "regression", "sequence", "reconstruction", "array"]
TASKS: tuple[Task, ...] = get_args(Task)

Targets = Literal["classes", "flags", "numbers"]
"""What targets are: the index of a class, a 0 or 1 for each label, or numbers."""


def _has_surrogates(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key that sorts the names of classes as people do: `2` before `10`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part)) if part.isdecimal() and len(part) < 20 else (1, part) for part in parts]


SCALINGS = ("standard", "minmax", "log")
"""How numbers are scaled: see `data.learnt.scaling`."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What makes a number one of a plain range: `(f(x) - shift) / scale`, where f is log(1 + x) with `log`, else x."""

    shift: float = 0.0
    scale: float = 1.0
    log: bool = False

    @classmethod
    def from_json(cls, written: Any) -> Self:
        """Return a scale as JSON has it. Raises ValueError if it is none."""
        if not isinstance(written, Mapping) or written.keys() != {"shift", "scale", "log"}:
            raise ValueError("this is no scale")
        shift, scale, log = written["shift"], written["scale"], written["log"]
        numbers = all(isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e300 for n in (shift, scale))
        if not numbers or not scale or not isinstance(log, bool):
            raise ValueError("a scale has two finite numbers, the second not 0, and a boolean")
        return cls(float(shift), float(scale), log)


@dataclass(frozen=True, slots=True)
class Facts:
    """Properties of a data set that are known before it is read.

    Args:
        name: name of the source.
        task: what is to be told of a sample.
        shape: shape of one sample; (height, width, channels) for images.
        class_names: names in the order of the integer labels; empty where targets are numbers, None where the labels
            must be read first.
        units: unit of each regression target, an empty string where unknown; empty where targets are not numbers.
        train: samples in the training split.
        test: samples in the test split; 0 if the source has none.
        unit_range: whether all scaled values lie in [0, 1].
        validation: samples in a validation split of the source's own; 0 if it has none.
        target_shape: shape of one sample's target; () for the index of a class.
        whole: whether all values are whole numbers that stay so, as the indices of words do.
        lowest, highest: of all values as they arrive, where they are known.
        target_scales: what has made the targets that the model gets of those of the source, one for each number; empty
            where they are the same.
        target_names: what each number of a target is called; empty where they have no names.
        gap: samples before each share held out by time that no split has, as they reach into it.
    """

    name: str
    task: Task
    shape: tuple[int, ...]
    class_names: tuple[str, ...] | None
    units: tuple[str, ...]
    train: int
    test: int
    unit_range: bool
    validation: int = 0
    target_shape: tuple[int, ...] = ()
    whole: bool = False
    lowest: float | None = None
    highest: float | None = None
    target_scales: tuple[Scale, ...] = ()
    target_names: tuple[str, ...] = ()
    gap: int = 0

    @property
    def targets(self) -> Targets:
        """What targets are."""
        if self.task == "multi_label":
            return "flags"
        if self.task == "classification" or (self.task == "sequence" and self.class_names != ()):
            return "classes"
        return "numbers"

    @property
    def classes(self) -> int | None:
        """The number of classes or labels; None where targets are numbers, or must be read first."""
        return len(self.class_names) if self.class_names else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes or labels, as far as they are known."""
        return self.class_names or ()

    @property
    def complete(self) -> bool:
        """Whether reading the data would add nothing."""
        return self.class_names is not None and not (self.whole and self.highest is None)

    def for_task(self, task: Task | None) -> Facts:
        """Return the facts where a task is said; a reconstruction has its input as the target."""
        if task != "reconstruction":
            return self
        return replace(self, task=task, class_names=(), units=(), target_names=(), target_shape=self.shape)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: Any) -> Self:
        """Return facts that `to_json` gave. Raises ValueError if they are not such."""
        if not isinstance(written, Mapping) or not written.keys() <= {field.name for field in fields(cls)}:
            raise ValueError("these are no facts of a data set")
        values: dict[str, Any] = dict(written)
        for key in ("shape", "class_names", "units", "target_shape", "target_names"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
            elif key in values and not (key == "class_names" and values[key] is None):
                raise ValueError(f"`{key}` is no list")
        scales = values.get("target_scales", ())
        if not isinstance(scales, list | tuple):
            raise ValueError("`target_scales` is no list")
        values["target_scales"] = tuple(map(Scale.from_json, scales))
        try:
            found = cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from None
        sizes = (*found.shape, *found.target_shape, found.train, found.test, found.validation, found.gap)
        texts = (found.name, *found.labels, *found.units, *found.target_names)
        ends = (found.lowest, found.highest)
        if not (
            all(isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**48 for size in sizes)
            and all(isinstance(text, str) and not _has_surrogates(text) for text in texts)
            and len(set(found.labels)) == len(found.labels)
            and found.task in TASKS
            and isinstance(found.unit_range, bool)
            and isinstance(found.whole, bool)
            and all(end is None or isinstance(end, int | float) for end in ends)
            and 0 < len(found.shape) < 32
            and len(found.target_shape) < 32
            and len(found.target_names) in (0, found.target_shape[-1] if found.target_shape else 0)
            and len(found.target_scales) in (0, found.target_shape[-1] if found.target_shape else 0)
        ):
            raise ValueError("the facts of the data set have values of other types")
        return found
