from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data import loading
from dltrain.data.arrays import Dataset
from dltrain.errors import DataError

SYNTHETIC = {"samples": 200, "test_samples": 60, "shape": [4], "classes": 3, "noise": 0.5, "seed": 0}
TASKS = ["classification", "regression"]


def load(task: str = "classification", **cuts: Any) -> Dataset:
    plain: dict[str, Any] = {"validation": 0.0, "limit_train": None, "limit_test": None, "seed": 42}
    return loading.load("synthetic", SYNTHETIC | {"task": task}, **(plain | cuts))


@pytest.mark.parametrize("task", TASKS)
def test_loading_without_limits_returns_the_source(task: str) -> None:
    dataset = load(task)
    assert dataset.validation is None
    assert len(dataset.validation_indices) == 0
    assert np.array_equal(dataset.train_indices, np.arange(200))
    assert (len(dataset.train.x), len(dataset.test.x)) == (200, 60)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("limit", "validation", "held"), [(None, 0.1, 20), (50, 0.3, 15), (50, 0.001, 1), (999, 0.5, 100)]
)
def test_loading_indices_refer_to_the_source(task: str, limit: int | None, validation: float, held: int) -> None:
    whole, cut = load(task), load(task, limit_train=limit, validation=validation)
    assert cut.validation is not None
    assert len(cut.validation_indices) == held
    assert len(cut.train_indices) + held == min(limit or 200, 200)
    assert not set(cut.train_indices) & set(cut.validation_indices)
    for split, rows in ((cut.train, cut.train_indices), (cut.validation, cut.validation_indices)):
        assert rows.dtype == np.int64
        assert np.all(np.diff(rows) > 0)
        assert np.array_equal(split.x, whole.train.x[rows])
        assert np.array_equal(split.y, whole.train.y[rows])


def test_loading_stratifies_limits_and_validation() -> None:
    cut = load(limit_train=90, limit_test=30, validation=0.2)
    assert cut.validation is not None
    assert Counter(cut.train.y.tolist()) == dict.fromkeys(range(3), 24)
    assert Counter(cut.validation.y.tolist()) == dict.fromkeys(range(3), 6)
    assert Counter(cut.test.y.tolist()) == dict.fromkeys(range(3), 10)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("cuts", [{"validation": 0.3}, {"limit_train": 20}, {"seed": 7}])
def test_loading_keeps_the_test_split_unchanged(task: str, cuts: dict[str, Any]) -> None:
    whole, cut = load(task), load(task, **cuts)
    assert np.array_equal(cut.test.x, whole.test.x)
    assert np.array_equal(cut.test.y, whole.test.y)


@pytest.mark.parametrize("task", TASKS)
def test_loading_splits_are_determined_by_the_seed(task: str) -> None:
    one, same, other = (load(task, validation=0.2, limit_train=150, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.validation_indices, same.validation_indices)
    assert np.array_equal(one.train_indices, same.train_indices)
    assert one.fingerprint == same.fingerprint
    assert not np.array_equal(one.validation_indices, other.validation_indices)


@pytest.mark.parametrize("cuts", [{"validation": 0.1}, {"validation": 0.5, "seed": 3}, {"limit_train": 200}])
def test_loading_fingerprint_does_not_depend_on_the_validation_split(cuts: dict[str, Any]) -> None:
    assert load(**cuts).fingerprint == load().fingerprint


@pytest.mark.parametrize("cuts", [{"limit_train": 199}, {"limit_test": 59}, {"task": "regression"}])
def test_loading_fingerprint_changes_with_the_samples(cuts: dict[str, Any]) -> None:
    assert load(**cuts).fingerprint != load().fingerprint


def test_loading_rejects_an_unknown_name() -> None:
    with pytest.raises(DataError, match="no data set `minst`") as caught:
        loading.load("minst", {}, validation=0, limit_train=None, limit_test=None, seed=0)
    assert "mnist" in caught.value.hint


def test_loading_mnist_gives_the_splits_of_the_configs() -> None:
    dataset = loading.load("mnist", {}, validation=0.1, limit_train=None, limit_test=500, seed=42)
    assert dataset.validation is not None
    assert dataset.train.x.shape == (54_000, 28, 28, 1)
    assert dataset.validation.x.shape == (6_000, 28, 28, 1)
    assert dataset.test.x.shape == (500, 28, 28, 1)
    assert dataset.train.x.dtype == np.uint8
    assert dataset.train.x.flags.c_contiguous


def test_loading_mnist_fingerprint_is_fixed() -> None:
    dataset = loading.load("mnist", {}, validation=0.0, limit_train=None, limit_test=None, seed=0)
    assert dataset.fingerprint == "sha256:902d2f6960b6b3d90998fcc6223893154c5e9dfbc8124bdddf043940af682d12"


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_loading_finds_bundled_data_sets_by_name(name: str) -> None:
    dataset = loading.load(name, {}, validation=0.1, limit_train=100, limit_test=50, seed=0)
    assert dataset.name == name
    assert (len(dataset.train.y), len(dataset.validation_indices), len(dataset.test.y)) == (90, 10, 50)


def test_loading_reconstruction_has_the_input_as_target() -> None:
    dataset = load(task="classification", validation=0.1)
    again = loading.load(
        "synthetic", SYNTHETIC, task="reconstruction", validation=0.1, limit_train=None, limit_test=None, seed=42
    )
    assert again.train.y is None
    assert again.facts.target_shape == again.facts.shape
    assert again.facts.targets == "numbers"
    assert len(again.train) == len(dataset.train)


def own(folder: Path, **arrays: np.ndarray) -> dict[str, Any]:
    np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]
    return {"path": str(folder / "data.npz")}


def load_own(arguments: dict[str, Any], **cuts: Any) -> Dataset:
    plain: dict[str, Any] = {"validation": 0.1, "limit_train": None, "limit_test": None, "seed": 42}
    return loading.load("arrays", arguments, task="classification", **(plain | cuts))


X, Y = np.arange(100, dtype=np.float32).reshape(50, 2), np.arange(50) % 2


def test_loading_holds_out_a_test_split_where_there_is_none(tmp_path: Path) -> None:
    dataset = load_own(own(tmp_path, x=X, y=Y), test=0.2, validation=0.25)
    assert dataset.validation is not None
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (30, 10, 10)
    rows = [dataset.train_indices, dataset.validation_indices, dataset.test_indices]
    assert sorted(np.concatenate(rows).tolist()) == list(range(50))
    for split, chosen in zip((dataset.train, dataset.validation, dataset.test), rows, strict=True):
        assert np.array_equal(split.x, X[chosen])
        assert Counter(split.y.tolist()) == dict.fromkeys(range(2), len(chosen) // 2)
    limited = load_own(own(tmp_path, x=X, y=Y), test=0.2, limit_test=4, limit_train=20)
    assert set(limited.test_indices) <= set(dataset.test_indices)
    assert (len(limited.test), len(limited.train)) == (4, 18)


@pytest.mark.parametrize("share", [None, 0.0])
def test_loading_needs_a_test_split(tmp_path: Path, share: float | None) -> None:
    with pytest.raises(DataError, match="no test split"):
        load_own(own(tmp_path, x=X, y=Y), test=share)


def test_loading_validates_on_the_split_that_is_named(tmp_path: Path) -> None:
    arguments = own(tmp_path, x=X, y=Y, x_val=X[:6] + 1, y_val=Y[:6], x_test=X[:4] + 2, y_test=Y[:4])
    given = load_own(arguments, validation="given")
    assert given.validation is not None
    assert np.array_equal(given.validation.x, X[:6] + 1)
    assert (len(given.train), len(given.validation_indices)) == (50, 0)
    test = load_own(arguments, validation="test")
    assert test.validation is not None
    assert np.array_equal(test.validation.x, test.test.x)
    assert given.fingerprint != test.fingerprint  # the given samples count too
    with pytest.raises(DataError, match="no validation split"):
        load_own(own(tmp_path, x=X, y=Y), test=0.2, validation="given")


def test_loading_rows_of_a_mapped_file_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.data import values
    from dltrain.data.arrays import Rows

    arguments = own(tmp_path, x=X, y=Y)
    in_memory = load_own(arguments, test=0.2)
    monkeypatch.setattr(values, "LARGEST_READ", 16)
    mapped = load_own(arguments, test=0.2)
    assert isinstance(mapped.train.x, Rows)
    assert mapped.fingerprint == in_memory.fingerprint
    assert np.array_equal(mapped.train.x[3:7], in_memory.train.x[3:7])
    assert np.array_equal(np.asarray(mapped.train.x), in_memory.train.x)


@pytest.mark.parametrize(
    ("labels", "limit", "told"),
    [
        (["x"] * 20 + ["y"] * 20, None, []),
        (["x"] * 20 + ["y"] * 20 + ["z"], None, ["a single training sample is of `z`"]),
        (["x"] * 20 + ["y"] * 20 + ["z"], 30, []),
        (["x"] * 20 + ["y", "z"], None, ["a single training sample is of each `y`, `z`"]),
    ],
)
def test_loading_tells_classes_that_training_hardly_has(
    tmp_path: Path, labels: list[str], limit: int | None, told: list[str]
) -> None:
    arrays = own(tmp_path, x=np.arange(len(labels), dtype=np.float32)[:, None], y=np.array(labels))
    dataset = load_own(arrays, test=0.1, limit_train=limit)
    assert [note.partition(":")[0] for note in dataset.notes] == told


def test_loading_tells_classes_that_training_never_has(tmp_path: Path) -> None:
    dataset = load_own(own(tmp_path, x=X, y=Y) | {"classes": 4}, test=0.2)
    assert dataset.notes == ("no training sample is of `2`, `3`: the model cannot learn what it never sees",)
