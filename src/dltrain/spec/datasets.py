"""The data sets that a config may name, in the catalogue's own terms."""

from __future__ import annotations

from typing import Any

from dltrain.errors import Problem, Where
from dltrain.spec.catalogue import Argument, Entry
from dltrain.spec.reader import Node


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


def check_arguments(name: str, arguments: dict[str, Node], where: Where, path: tuple[str | int, ...]) -> list[Problem]:
    """What the arguments of a data set say together: `features` and `shape` exclude each other."""
    given = [key for key in ("features", "shape") if key in arguments and arguments[key].value is not None]
    if name == "synthetic" and len(given) == 2:
        place = arguments["shape"].key or where
        return [Problem("contradiction", "`shape` and `features` both say a sample's shape", path, place, "keep one")]
    return []
