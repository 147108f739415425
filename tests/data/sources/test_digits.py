from __future__ import annotations

import sys

import numpy as np
import pytest

from dltrain.data.sources import digits
from dltrain.errors import DataError


def test_digits_load_describes_the_arrays() -> None:
    source = digits.read({})
    assert source.train.x.shape == (1438, *source.facts.shape) == (1438, 8, 8, 1)
    assert source.test.x.shape == (359, *source.facts.shape)
    assert source.train.x.dtype == source.test.x.dtype == np.uint8
    assert source.train.y.dtype == source.test.y.dtype == np.int64
    assert (source.facts.name, source.facts.task, source.facts.classes) == ("digits", "classification", 10)
    assert source.train.x.max() * source.scale == 1


def test_digits_load_puts_every_image_in_one_split_in_order() -> None:
    from sklearn import datasets

    source, original = digits.read({}), datasets.load_digits().images
    rows = {image.tobytes(): row for row, image in enumerate(original.astype(np.uint8))}
    train, test = ([rows[image.tobytes()] for image in split.x] for split in (source.train, source.test))
    assert len(rows) == len(original)
    assert sorted(train + test) == list(range(len(original)))
    assert train == sorted(train)
    assert test == sorted(test)


def test_digits_load_stratifies_the_test_split() -> None:
    source = digits.read({})
    in_test, in_train = np.bincount(source.test.y), np.bincount(source.train.y)
    assert np.all(np.abs(in_test - (in_test + in_train) * 359 / 1797) < 1)


def test_digits_load_without_scikit_learn_suggests_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match="scikit-learn") as caught:
        digits.read({})
    assert caught.value.hint == "pip install 'dltrain[digits]'"
