"""Prices of houses: California, 1990, and Boston, 1978.

Sources: R. K. Pace and R. Barry, "Sparse Spatial Autoregressions", 1997; D. Harrison and D. L. Rubinfeld, "Hedonic
prices and the demand for clean air", 1978; both in StatLib.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.downloads.remote import Remote
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FILE_CALIFORNIA = Remote(
    "california_housing.npz",
    _URL + "california_housing.npz",
    "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    "datasets/california_housing.npz",
)
FILE_BOSTON = Remote(
    "boston_housing.npz",
    _URL + "boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    "datasets/boston_housing.npz",
)
_SIZES = {"large": 20_640, "small": 600}

ARGUMENTS_BOSTON = {
    "test_split": Argument(
        ("float",),
        minimum=0,
        maximum=0.9,
        has_default=True,
        default=0.2,
        meaning="Share of the samples that is the test split.",
    ),
    "seed": Argument(
        ("int",),
        minimum=0,
        maximum=2**32 - 1,
        has_default=True,
        default=113,
        meaning="Of the order of the samples, and so of the test split.",
    ),
}
ARGUMENTS_CALIFORNIA = {
    "version": Argument(
        ("words",),
        choices=tuple(_SIZES),
        has_default=True,
        default="large",
        meaning="All 20,640 samples, or the first 600.",
    ),
    **ARGUMENTS_BOSTON,
}


def _facts(name: str, features: int, unit: str, samples: int, test_split: float) -> Facts:
    train = int(samples * (1 - test_split))  # the very expression of Keras, rounding and all
    return Facts(name, "regression", (features,), (), (unit,), train, samples - train, False, target_shape=(1,))


def _facts_california(arguments: Arguments, task: Task | None = None) -> Facts:
    samples = _SIZES[arguments["version"]]
    return _facts("california_housing", 8, "dollars", samples, arguments["test_split"])


def _facts_boston(arguments: Arguments, task: Task | None = None) -> Facts:
    return _facts("boston_housing", 13, "1,000 dollars", 506, arguments["test_split"])


def read_california(arguments: Arguments, task: Task | None = None, file: Remote = FILE_CALIFORNIA) -> RawDataset:
    """Read the districts, float32 (8,), and the median price of a house in each, in dollars.

    Raises DataError if the file cannot be had.
    """
    return _read(_facts_california(arguments), arguments, file, _SIZES[arguments["version"]])


def read_boston(arguments: Arguments, task: Task | None = None, file: Remote = FILE_BOSTON) -> RawDataset:
    """Read the districts, float32 (13,), and the median price of a house in each, in thousands of dollars.

    Raises DataError if the file cannot be had.
    """
    return _read(_facts_boston(arguments), arguments, file, 506)


def _read(facts: Facts, arguments: Arguments, file: Remote, samples: int) -> RawDataset:
    import numpy as np

    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.downloads.archives import npz_arrays
    from dltrain.data.downloads.fetching import fetch

    fetched = fetch(facts.name, [file])
    x, y = (np.asarray(values)[:samples] for values in npz_arrays(fetched.contents[0], file.path, ("x", "y")))
    if x.dtype.kind != "f" or y.dtype.kind not in "fi" or x.shape != (len(y), *facts.shape) or y.ndim != 1:
        raise DataError(f"{file.path} has other contents than samples and prices", "remove it from the cache")
    order = np.arange(len(x))
    np.random.RandomState(arguments["seed"]).shuffle(order)  # as Keras does
    x, y = x[order].astype(np.float32), y[order].astype(np.float32)[:, None]
    end = int(len(x) * (1 - arguments["test_split"]))
    known = replace(facts, train=end, test=len(x) - end)
    return RawDataset(known, 1.0, Split(x[:end], y[:end]), Split(x[end:], y[end:]), notes=fetched.notes)


CALIFORNIA = Source(
    "california_housing",
    "Prices of houses in districts of California, in dollars: 20,640 samples of 8 numbers (median income, age of "
    "houses, rooms and bedrooms a household, inhabitants, inhabitants a household, latitude, longitude). It is "
    "downloaded once, 1 MiB. Numbers arrive as they are.",
    ARGUMENTS_CALIFORNIA,
    _facts_california,
    read_california,
    example={"version": "small"},
)
BOSTON = Source(
    "boston_housing",
    "Prices of houses in districts of Boston, in 1,000 dollars: 506 samples of 13 numbers. Keras discourages its use "
    "except to illustrate ethical issues: one of the numbers supposes that segregation by race raises prices; "
    "`california_housing: {version: small}` takes its place. It is downloaded once, 1 MiB. Numbers arrive as they are.",
    ARGUMENTS_BOSTON,
    _facts_boston,
    read_boston,
    example={"test_split": 0.25},
)
