"""Properties of a data set that are known before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Properties of a data set that are known before it is read.

    Args:
        name: name of the source.
        task: whether targets are classes or numbers.
        shape: shape of one sample; (height, width, channels) for images.
        class_names: names in the order of the integer labels; empty for a regression.
        units: unit of each regression target, an empty string where unknown; empty for a classification.
        train: samples in the training split.
        test: samples in the test split.
        unit_range: whether all scaled values lie in [0, 1].
    """

    name: str
    task: Task
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    units: tuple[str, ...]
    train: int
    test: int
    unit_range: bool

    @property
    def classes(self) -> int | None:
        """The number of classes; None for a regression."""
        return len(self.class_names) if self.task == "classification" else None
