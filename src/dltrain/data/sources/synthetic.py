"""Synthetic data of any shape, to try a model in seconds: nothing is downloaded, nothing is stored."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset

_FEATURES = 10  # if neither `shape` nor `features` is given
_MOST_SAMPLES = 10_000_000

ARGUMENTS = {
    "task": Argument(
        ("words",),
        choices=("classification", "regression"),
        has_default=True,
        default="classification",
        meaning="Whether to tell classes apart or to predict a number.",
    ),
    "samples": Argument(
        ("int",),
        minimum=2,
        maximum=_MOST_SAMPLES,
        has_default=True,
        default=1000,
        meaning="Size of the training split.",
    ),
    "test_samples": Argument(
        ("int",),
        minimum=1,
        maximum=_MOST_SAMPLES,
        has_default=True,
        default=200,
        meaning="Size of the test split.",
    ),
    "features": Argument(
        ("int",),
        minimum=1,
        maximum=1_000_000,
        nullable=True,
        has_default=True,
        meaning=f"Numbers in a sample; {_FEATURES} where `shape` is missing too.",
    ),
    "shape": Argument(
        ("ints",),
        minimum=1,
        lengths=(1, 2, 3, 4),
        nullable=True,
        has_default=True,
        meaning="A sample's shape instead of `features`: `[50, 3]` a sequence, `[28, 28, 1]` an image.",
    ),
    "classes": Argument(
        ("int",),
        minimum=2,
        maximum=10_000,
        has_default=True,
        default=2,
        meaning="How many classes, for classification.",
    ),
    "noise": Argument(
        ("float",),
        minimum=0,
        has_default=True,
        default=0.5,
        meaning="How blurred the samples are; 0 is not at all.",
    ),
    "seed": Argument(("int",), minimum=0, maximum=2**32 - 1, has_default=True, default=0, meaning="Of the samples."),
}


def facts(arguments: Arguments, task: Task | None = None) -> Facts:
    classification = arguments["task"] == "classification"
    names = tuple(str(label) for label in range(arguments["classes"])) if classification else ()
    return Facts(
        name="synthetic",
        task=arguments["task"],
        shape=tuple(arguments["shape"] or [arguments["features"] or _FEATURES]),
        class_names=names,
        units=() if classification else ("standard deviations",),
        train=arguments["samples"],
        test=arguments["test_samples"],
        unit_range=False,
        target_shape=() if classification else (1,),
    )


def read(arguments: Arguments, task: Task | None = None) -> RawDataset:
    """Draw a training and a test split from one distribution; the same arguments draw the same bytes.

    Raises DataError if the arrays do not fit in memory. `data/generators.py` has the formulas.
    """
    from dltrain.data import generators
    from dltrain.data.arrays import RawDataset

    known = facts(arguments)
    noise, seed, samples = float(arguments["noise"]), arguments["seed"], (known.train, known.test)
    try:
        if known.classes is None:
            train, test = generators.regression(known.shape, samples, noise, seed)
        else:
            train, test = generators.classification(known.shape, known.classes, samples, noise, seed)
    except MemoryError as error:
        size = sum(samples) * math.prod(known.shape) * 4 / 2**30
        raise DataError(f"synthetic data of {size:,.1f} GiB does not fit in memory", "lower `samples`") from error
    return RawDataset(known, 1.0, train, test)


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    if arguments.get("shape") is not None and arguments.get("features") is not None:
        yield Contradiction("shape", "`shape` and `features` both say a sample's shape", "keep one")


SOURCE = Source(
    "synthetic",
    "Made-up samples of any shape, the same ones for the same arguments: to try a model out in seconds.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"samples": 1000, "features": 10, "classes": 3},
)
