"""Rows that are read again where they are asked for: the same as in an array, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dltrain.data.tables.again import Again
from dltrain.errors import DataError

ROWS = np.arange(100).reshape(50, 2)


def again(sizes: list[int], opened: list[int]) -> Again:
    def parts() -> Iterator[np.ndarray]:
        opened.append(0)
        yield from np.split(ROWS, np.cumsum(sizes))[: len(sizes)]

    return Again("t.csv", ROWS.shape, ROWS.dtype, parts)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltrain.data.tables.again._BEHIND", 8)


@pytest.mark.parametrize("sizes", [[50], [20, 20, 10], [1] * 50])
@pytest.mark.parametrize(
    "rows", [slice(0, 50), slice(10, 35), slice(3, 3), slice(45, 90), [49, 0, 7, 7], np.array([], int)]
)
def test_again_gives_the_rows_of_the_array(sizes: list[int], rows: slice | list[int]) -> None:
    found = again(sizes, [])
    assert np.array_equal(found[slice(30, 40)], ROWS[30:40])
    assert np.array_equal(found[rows], ROWS[rows])
    assert np.array_equal(np.asarray(found), ROWS)


def test_again_reads_once_for_batches_that_are_nearly_in_order() -> None:
    opened: list[int] = []
    found = again([15, 15, 15, 5], opened)
    for start in range(0, 48, 8):  # as two threads may ask
        assert np.array_equal(found[start + 4 : start + 8], ROWS[start + 4 : start + 8])
        assert np.array_equal(found[start : start + 4], ROWS[start : start + 4])
    assert len(opened) == 1
    assert np.array_equal(found[16:20], ROWS[16:20])
    assert len(opened) == 2


def test_again_gives_threads_their_own_rows() -> None:
    found = again([15, 15, 15, 5], [])
    with ThreadPoolExecutor(4) as threads:
        batches = list(threads.map(lambda start: found[start : start + 4], range(0, 50, 4)))
    assert np.array_equal(np.concatenate(batches), ROWS)


def test_again_tells_of_a_file_that_has_fewer_rows_by_now() -> None:
    with pytest.raises(DataError, match=r"t\.csv has changed"):
        again([15, 15], [])[20:40]
