"""scikit-learn's digits: 1,797 small images of handwritten digits, for runs that take seconds.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository.
"""

from __future__ import annotations

import numpy as np

from dltrain.data.arrays import Source, Split
from dltrain.data.splits import stratified
from dltrain.errors import DataError

TEST_SHARE = 0.2
_TEST_SEED = (0,)  # fixed, so that all runs are tested on the same images whatever their seed


def load() -> Source:
    """Take the images, uint8 (8, 8, 1), 0 to 16, from scikit-learn, and cut off a stratified test split.

    Raises DataError where scikit-learn is missing.
    """
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
    train, test = Split(x[~chosen], y[~chosen]), Split(x[chosen], y[chosen])
    names = tuple(str(digit) for digit in range(10))
    return Source("digits", "classification", (8, 8, 1), 10, names, 1 / 16, train, test)
