"""What is known of a data set before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a data set before it is read.

    Args:
        name: of the source.
        task: whether targets are classes or numbers.
        shape: of one sample, images (height, width, channels).
        class_names: of a classification, in the order of its integer labels; empty for a regression.
        units: of each target of a regression, empty strings where they are not known; none for a classification.
        train: samples of the training split.
        test: samples of the test split.
        unit_range: whether all values are in [0, 1] once they are scaled.
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
        """How many classes; None for a regression."""
        return len(self.class_names) if self.task == "classification" else None
