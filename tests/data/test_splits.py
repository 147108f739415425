from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltrain.data.arrays import Division
from dltrain.data.splits import held_out, limited, stratified
from dltrain.errors import DataError

LABELS = np.tile(np.repeat([0, 1, 2], [5, 3, 2]), 10)
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)


@given(sizes=SIZES, share=st.floats(0, 1), seed=st.integers(0, 2**63))
@settings(max_examples=100, deadline=None)
def test_splits_stratified_gives_every_label_its_quota(sizes: list[int], share: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)) * 3, sizes)  # labels need not be consecutive
    count = round(len(labels) * share)
    chosen = stratified(labels, count, (seed,))

    assert chosen.dtype == np.int64
    assert len(chosen) == count
    assert np.all(np.diff(chosen) > 0)
    for label, size in enumerate(sizes):
        assert abs(np.sum(labels[chosen] == label * 3) - size * count / len(labels)) < 1


def test_splits_stratified_gives_the_rest_to_the_largest_remainder() -> None:
    labels = np.repeat([0, 1, 2], [6, 10, 4])  # of 5 samples: 1.5, 2.5 and 1
    assert np.bincount(labels[stratified(labels, 5, (0,))]).tolist() == [2, 2, 1]


def test_splits_stratified_is_the_same_on_every_machine() -> None:
    assert stratified(LABELS, 10, (42, 0)).tolist() == [7, 8, 10, 16, 37, 40, 50, 74, 94, 98]


def test_splits_stratified_depends_on_every_part_of_the_seed() -> None:
    choices = [stratified(LABELS, 20, seed).tolist() for seed in ((1, 0), (2, 0), (1, 1))]
    assert len({tuple(choice) for choice in choices}) == 3


def test_splits_stratified_can_select_every_sample_of_a_stratum() -> None:
    same = np.zeros(10, np.int64)
    assert set().union(*(stratified(same, 3, (seed,)).tolist() for seed in range(40))) == set(range(10))


@pytest.mark.parametrize("limit", [None, 100, 101, 10**9])
def test_splits_limited_keeps_everything_within_the_limit(limit: int | None) -> None:
    assert np.array_equal(limited(LABELS, limit, (0,), Division()), np.arange(100))


def test_splits_limited_keeps_the_proportions() -> None:
    assert np.bincount(LABELS[limited(LABELS, 10, (0,), Division())]).tolist() == [5, 3, 2]


@pytest.mark.parametrize("limit", [0, -5])
def test_splits_limited_rejects_a_limit_below_one(limit: int) -> None:
    with pytest.raises(DataError, match=f"limit of {limit} samples"):
        limited(LABELS, limit, (0,), Division())


@pytest.mark.parametrize(
    ("share", "count"), [(0, 0), (0.001, 1), (0.1, 10), (0.104, 10), (0.106, 11), (0.5, 50), (0.99, 99)]
)
def test_splits_held_out_takes_the_rounded_share_and_at_least_one(share: float, count: int) -> None:
    assert len(held_out(LABELS, share, (0,), "validation", Division())[0]) == count


@pytest.mark.parametrize(("samples", "share"), [(1, 0.1), (2, 0.9), (100, 0.999)])
def test_splits_held_out_rejects_a_share_without_training_samples(samples: int, share: float) -> None:
    with pytest.raises(DataError, match=f"takes all {samples} training samples") as caught:
        held_out(LABELS[:samples], share, (0,), "validation", Division())
    assert "data.validation" in caught.value.hint
    assert "data.limit.train" in caught.value.hint


@pytest.mark.parametrize("share", [1, -0.1, float("nan")])
def test_splits_held_out_rejects_an_invalid_share(share: float) -> None:
    with pytest.raises(DataError, match="makes no sense"):
        held_out(LABELS, share, (0,), "validation", Division())[0]
