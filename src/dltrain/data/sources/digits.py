"""scikit-learn's digits: 1,797 small images of handwritten digits, for runs that take seconds.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset

TEST_SHARE = 0.2

_FACTS = Facts("digits", "classification", (8, 8, 1), tuple("0123456789"), (), 1438, 359, unit_range=True)
_TEST_SEED = (0,)  # fixed: all runs are tested on the same images, whatever their seed


def read(arguments: Arguments, task: Task | None = None) -> RawDataset:
    """Read the images, uint8 (8, 8, 1), 0 to 16, from scikit-learn, and hold out a stratified test split.

    Raises DataError if scikit-learn is missing.
    """
    import numpy as np

    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.splits import stratified

    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(
            f"the data set `digits` comes with scikit-learn, which cannot be imported: {error}",
            "pip install 'dltrain[digits]'",
        ) from error
    digits = load_digits()
    x, y = digits.images.astype(np.uint8)[..., None], digits.target.astype(np.int64)
    chosen = np.zeros(len(y), bool)
    chosen[stratified(y, round(len(y) * TEST_SHARE), _TEST_SEED)] = True
    return RawDataset(_FACTS, 1 / 16, Split(x[~chosen], y[~chosen]), Split(x[chosen], y[chosen]))


SOURCE = Source(
    "digits",
    "Small handwritten digits: 1,438 images to train on and 359 to test on, 8 x 8 pixels, 10 classes. They "
    "come from scikit-learn: `pip install 'dltrain[digits]'`. Images arrive as (8, 8, 1), from 0 to 1.",
    arguments={},
    facts=lambda arguments, task: _FACTS,
    read=read,
)
