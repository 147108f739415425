"""Arrays with a value for each training sample: which splits they make, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data.arrays import Dataset
from dltrain.data.loading import load
from dltrain.data.sources.arrays import SOURCE
from dltrain.errors import DataError

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)).astype(np.float32)
Y = np.arange(N) % 2
PATIENTS = RNG.integers(0, 12, N)
DAYS = np.datetime64("2024-01-01") + RNG.permutation(N)


def written(folder: Path, **arrays: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"x": X, "y": Y} | arrays
    np.savez(folder / "data.npz", **values)
    return {"path": str(folder / "data.npz")}


def loaded(arguments: dict[str, Any], **how: Any) -> Dataset:
    splits = {"validation": 0.2, "test": 0.2, "limit_train": None, "limit_test": None, "seed": 1} | how
    return load("arrays", arguments, task=splits.pop("task", "classification"), **splits)


@pytest.mark.parametrize(
    "groups",
    [
        PATIENTS,
        PATIENTS.astype(str),
        PATIENTS.astype("S"),
        PATIENTS[:, None].astype(np.uint8),
        np.datetime64("2024-01-01") + PATIENTS,
    ],
    ids=["numbers", "strings", "bytes", "column", "days"],
)
def test_per_sample_groups_stay_together(tmp_path: Path, groups: np.ndarray) -> None:
    data = loaded(written(tmp_path, patient=groups) | {"group": "patient"})
    splits = [set(PATIENTS[rows]) for rows in (data.train_indices, data.validation_indices, data.test_indices)]
    assert all(splits)
    assert set.union(*splits) == set(PATIENTS)
    assert sum(map(len, splits)) == len(set(PATIENTS))


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        DAYS.astype("datetime64[ns]"),
        DAYS.astype(int),
        DAYS.astype(float) / 7,
        2**53 + DAYS.astype(np.uint64),  # not all of them are floats
    ],
    ids=["days", "nanoseconds", "whole", "fractions", "large"],
)
def test_per_sample_times_hold_the_latest_out(tmp_path: Path, times: np.ndarray) -> None:
    data = loaded(written(tmp_path, when=times) | {"time": "when"})
    order = np.argsort(DAYS)
    assert data.test_indices.tolist() == sorted(order[-12:].tolist())
    assert data.validation_indices.tolist() == sorted(order[-22:-12].tolist())


def test_per_sample_strata_have_their_share_in_each_split(tmp_path: Path) -> None:
    kinds = np.repeat(["often", "rare"], [50, 10])
    data = loaded(written(tmp_path, kind=kinds) | {"stratify": "kind"})
    assert np.unique(kinds[data.test_indices], return_counts=True)[1].tolist() == [10, 2]


@pytest.mark.parametrize("weights", [np.arange(N), np.arange(N) / 7, Y == 1, np.arange(N)[:, None].astype(np.float16)])
def test_per_sample_weights_are_those_of_the_training_samples(tmp_path: Path, weights: np.ndarray) -> None:
    more = {"x_test": X[:9], "y_test": Y[:9]}
    data = loaded(written(tmp_path, w=weights, **more) | {"sample_weight": "w"}, test=None)
    assert data.train.weight is not None
    assert data.train.weight.dtype == np.float32
    np.testing.assert_allclose(data.train.weight, weights.reshape(-1)[data.train_indices], rtol=1e-6)
    assert data.test.weight is None


def test_per_sample_arrays_are_part_of_a_reconstruction(tmp_path: Path) -> None:
    arguments = written(tmp_path, w=np.arange(N), patient=PATIENTS) | {"sample_weight": "w", "group": "patient"}
    data = loaded(arguments, task="reconstruction")
    assert data.train.weight is not None
    assert data.train.weight.tolist() == data.train_indices.tolist()
    assert not set(PATIENTS[data.train_indices]) & set(PATIENTS[data.test_indices])


def test_per_sample_weights_change_the_fingerprint(tmp_path: Path) -> None:
    found = [loaded(written(tmp_path, w=np.full(N, w)) | {"sample_weight": "w"}).fingerprint for w in (1, 2)]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("given", "argument", "message", "hint"),
    [
        ({"group": "patients"}, "group", r"no array `patients`: the file has `x` .60, 3.,", "did you mean `patient`?"),
        ({"group": "day", "time": "day"}, "group", "exclude each other", "split by one of them"),
        ({"time": "day", "stratify": "y"}, "time", "exclude each other", "split by one of them"),
        (
            {"group": "short"},
            "group",
            r"`short` of data.npz has the shape .59,., and there are 60",
            "one value",
        ),
        ({"sample_weight": "x"}, "sample_weight", r"has the shape .60, 3.,", "one value for each training sample"),
        ({"sample_weight": "word"}, "sample_weight", "holds strings; weights are numbers from 0 on", "float32"),
        ({"sample_weight": "day"}, "sample_weight", "holds dates; weights are numbers", "float32"),
        ({"time": "word"}, "time", "holds strings; times are dates or numbers", "datetime64"),
        ({"group": "share"}, "group", "holds fractions; groups are whole numbers or strings", "int64"),
        ({"stratify": "share"}, "stratify", "holds fractions", "int64"),
        ({"x_train": "day"}, "x_train", "holds dates, not numbers", "samples are numbers"),
        ({"y_train": "day"}, "path", "holds dates; targets are labels or numbers", "astype"),
    ],
)
def test_per_sample_arrays_that_do_not_fit_are_told_from_their_headers(
    tmp_path: Path, given: dict[str, str], argument: str, message: str, hint: str
) -> None:
    import re

    arrays = {"patient": PATIENTS, "day": DAYS, "short": Y[1:], "word": Y.astype(str), "share": X[:, 0]}
    arguments = written(tmp_path, **arrays) | given
    (problem,) = SOURCE.contradictions(arguments, "classification")
    assert problem.argument == argument
    assert re.search(message, problem.message), problem.message
    assert hint in problem.hint
    with pytest.raises(DataError):
        loaded(arguments)


HOLED = np.where(np.arange(N) == 7, np.nan, 1.0)
UNDATED = np.where(np.arange(N) == 7, np.datetime64("NaT"), DAYS)


@pytest.mark.parametrize(
    ("argument", "values", "message"),
    [
        ("sample_weight", HOLED, "NaN or infinity in 1 of 60 weights: row 7"),
        ("sample_weight", np.where(HOLED > 0, 1.0, 1e39), "NaN or infinity in 1 of 60 weights"),
        ("sample_weight", np.where(Y, 1, -2), "`v` of data.npz has -2 in row 0"),
        ("time", HOLED, "NaN or infinity in 1 of 60 times: row 7"),
        ("time", UNDATED, "lacks 1 of 60 dates: first in row 7"),
        ("group", UNDATED, "lacks 1 of 60 dates"),
        ("group", Y * 0, "are of one group"),
        ("time", Y * 0, "all have the same time"),
    ],
)
def test_per_sample_values_that_cannot_be_are_told(
    tmp_path: Path, argument: str, values: np.ndarray, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        loaded(written(tmp_path, v=values) | {argument: "v"})
