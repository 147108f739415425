"""The data sets that a config may name, in the catalogue's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dltrain.config.catalogue.entries import Argument, Entry
from dltrain.config.document.source import Node
from dltrain.errors import Problem, Where


def _argument(*kinds: str, default: Any = None, **bounds: Any) -> Argument:
    empty: dict[str, Any] = {
        "choices": (),
        "minimum": None,
        "maximum": None,
        "above": None,
        "below": None,
        "lengths": (),
    }
    rest = {"nullable": False, "required": False, "has_default": True, "default": default}
    return Argument(kinds=kinds, **(empty | rest | bounds))


ENTRIES: dict[str, Entry] = {
    "mnist": Entry("dataset", "mnist", {}),
    "digits": Entry("dataset", "digits", {}),
    "synthetic": Entry(
        "dataset",
        "synthetic",
        {
            "task": _argument("words", choices=("classification", "regression"), default="classification"),
            "samples": _argument("int", minimum=2, maximum=10_000_000, default=1000),
            "test_samples": _argument("int", minimum=1, maximum=10_000_000, default=200),
            "features": _argument("int", minimum=1, maximum=1_000_000, nullable=True),
            "shape": _argument("ints", minimum=1, lengths=(1, 2, 3, 4), nullable=True),
            "classes": _argument("int", minimum=2, maximum=10_000, default=2),
            "noise": _argument("float", minimum=0, default=0.5),
            "seed": _argument("int", minimum=0, maximum=2**32 - 1, default=0),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a data set before it is read.

    Args:
        shape: of one sample, as (28, 28, 1).
        classes: how many, for classification; a regression has one target a sample.
        train: samples of the training split.
        test: samples of the test split.
        unit_range: whether all values are in [0, 1].
    """

    name: str
    task: Literal["classification", "regression"]
    shape: tuple[int, ...]
    classes: int | None
    train: int
    test: int
    unit_range: bool


def facts(name: str, arguments: Mapping[str, Any]) -> Facts | None:
    """The facts of a data set with valid arguments; None where it has to be read first."""
    match name:
        case "mnist":
            return Facts("mnist", "classification", (28, 28, 1), 10, 60_000, 10_000, True)
        case "digits":
            return Facts("digits", "classification", (8, 8, 1), 10, 1438, 359, True)
        case "synthetic":
            given: dict[str, Any] = {key: value.default for key, value in ENTRIES[name].arguments.items()}
            given |= arguments
            shape = tuple(given["shape"] or [given["features"] or 10])
            classes = given["classes"] if given["task"] == "classification" else None
            return Facts(
                "synthetic", given["task"], shape, classes, given["samples"], given["test_samples"], unit_range=False
            )
    return None


def check_arguments(name: str, arguments: dict[str, Node], where: Where, path: tuple[str | int, ...]) -> list[Problem]:
    """What the arguments of a data set say together: `features` and `shape` exclude each other."""
    given = [key for key in ("features", "shape") if key in arguments and arguments[key].value is not None]
    if name == "synthetic" and len(given) == 2:
        place = arguments["shape"].key or where
        return [Problem("contradiction", "`shape` and `features` both say a sample's shape", path, place, "keep one")]
    return []
