"""The source `arrays`: which array is what, what targets are, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data.arrays import RawDataset
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.arrays import SOURCE
from dltrain.errors import DataError

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(6, 4)
LABELS = np.array([0, 1, 2, 0, 1, 2])
HOT = np.eye(3)[LABELS]


def written(folder: Path, **arrays: Any) -> dict[str, Any]:
    values: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(folder / "data.npz", **values)
    return {"path": str(folder / "data.npz")}


def known(arguments: dict[str, Any], task: Task) -> Facts:
    assert list(SOURCE.contradictions(arguments, task)) == []
    found = SOURCE.facts(SOURCE.filled(arguments), task)
    assert found is not None
    return found


def read(arguments: dict[str, Any], task: Task) -> RawDataset:
    return SOURCE.read(SOURCE.filled(arguments), task)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test", "x_val", "y_val"),
        ("X_train", "Y_train", "X_test", "Y_test", "X_valid", "Y_valid"),
        ("train_images", "train_labels", "test_images", "test_labels", "val_images", "val_labels"),
        ("train_data", "train_targets", "test_data", "test_targets", "validation_data", "validation_targets"),
        ("x", "y", "x_test", "y_test", "x_val", "y_val"),
    ],
)
def test_arrays_are_found_by_the_names_that_people_give_them(tmp_path: Path, names: tuple[str, ...]) -> None:
    values = (X, LABELS, X[:2], LABELS[:2], X[:3], LABELS[:3])
    arguments = written(tmp_path, **dict(zip(names, values, strict=True)))
    facts = known(arguments, "classification")
    assert (facts.shape, facts.train, facts.test, facts.validation) == ((4,), 6, 2, 3)
    raw = read(arguments, "classification")
    assert np.array_equal(raw.train.x, X)
    assert raw.test.y.tolist() == LABELS[:2].tolist()
    assert raw.validation is not None
    assert raw.validation.y.tolist() == LABELS[:3].tolist()


def test_arrays_are_those_that_the_config_names(tmp_path: Path) -> None:
    arguments = written(tmp_path, a=X, b=X + 1, labels_2=LABELS) | {"x_train": "b", "y_train": "labels_2.npy"}
    assert np.array_equal(read(arguments, "classification").train.x, X + 1)


def test_arrays_may_be_a_directory_of_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x_train.npy", X)
    np.save(tmp_path / "y_train.npy", LABELS)
    raw = read({"path": str(tmp_path)}, "classification")
    assert raw.facts.class_names == ("0", "1", "2")
    assert len(raw.test) == 0


@pytest.mark.parametrize(
    ("labels", "classes", "names", "indices"),
    [
        (LABELS, None, ("0", "1", "2"), [0, 1, 2, 0, 1, 2]),
        (LABELS + 1, None, ("1", "2", "3"), [0, 1, 2, 0, 1, 2]),
        (LABELS[:, None], None, ("0", "1", "2"), [0, 1, 2, 0, 1, 2]),
        (LABELS.astype(np.float64), None, ("0", "1", "2"), [0, 1, 2, 0, 1, 2]),
        (LABELS == 1, None, ("0", "1"), [0, 1, 0, 0, 1, 0]),
        (np.array([-1, 1, -1, 1, 1, 1]), None, ("-1", "1"), [0, 1, 0, 1, 1, 1]),
        (np.array([*"abcabc"]), None, ("a", "b", "c"), [0, 1, 2, 0, 1, 2]),
        (np.array(["10", "2", "1", "10", "2", "1"]), None, ("1", "2", "10"), [2, 1, 0, 2, 1, 0]),
        (np.array([b"no", b"yes"] * 3), None, ("no", "yes"), [0, 1] * 3),
        (np.eye(3)[LABELS], None, ("0", "1", "2"), [0, 1, 2, 0, 1, 2]),
        (np.eye(3)[LABELS], ["x", "y", "z"], ("x", "y", "z"), [0, 1, 2, 0, 1, 2]),
        (LABELS, 5, ("0", "1", "2", "3", "4"), [0, 1, 2, 0, 1, 2]),
        (LABELS, ["cat", "dog", "cow"], ("cat", "dog", "cow"), [0, 1, 2, 0, 1, 2]),
        (np.array([*"abcabc"]), ["c", "b", "a"], ("c", "b", "a"), [2, 1, 0, 2, 1, 0]),
    ],
)
def test_arrays_labels_become_indices_of_classes(
    tmp_path: Path, labels: np.ndarray, classes: Any, names: tuple[str, ...], indices: list[int]
) -> None:
    arguments = written(tmp_path, x=X, y=labels) | ({"classes": classes} if classes else {})
    facts = known(arguments, "classification")
    assert facts.class_names in (None, names)
    raw = read(arguments, "classification")
    assert (raw.facts.class_names, raw.train.y.tolist(), raw.train.y.dtype) == (names, indices, np.int64)


@pytest.mark.parametrize(
    ("task", "targets", "shape", "kind"),
    [
        ("regression", np.arange(6), (1,), "numbers"),
        ("regression", np.arange(12.0).reshape(6, 2), (2,), "numbers"),
        ("multi_label", np.arange(18).reshape(6, 3) % 2, (3,), "flags"),
        ("sequence", np.arange(24).reshape(6, 4) % 3, (4,), "classes"),
        ("sequence", (np.arange(24).reshape(6, 4, 1) % 3), (4,), "classes"),
        ("sequence", np.arange(24.0).reshape(6, 4), (4, 1), "numbers"),
        ("array", np.zeros((6, 3, 3, 1)), (3, 3, 1), "numbers"),
        ("reconstruction", LABELS, (4,), "numbers"),
    ],
)
def test_arrays_targets_follow_the_task(
    tmp_path: Path, task: Task, targets: np.ndarray, shape: tuple[int, ...], kind: str
) -> None:
    arguments = written(tmp_path, x=X, y=targets)
    facts = known(arguments, task)
    assert (facts.target_shape, facts.targets) == (shape, kind)
    y = read(arguments, task).train.y
    if task == "reconstruction":
        assert y is None
    else:
        assert y.shape == (6, *shape)
        assert y.dtype == (np.int64 if kind == "classes" else np.float64 if task == "array" else np.float32)


@pytest.mark.parametrize(
    ("dtype", "scale", "unit", "whole", "expected"),
    [
        ("uint8", None, True, False, 1 / 255),
        ("uint8", 1, False, True, 1.0),
        ("int64", None, False, True, 1.0),
        ("float64", None, False, False, 1.0),
        ("bool", None, True, False, 1.0),
        ("float32", 0.5, False, False, 0.5),
    ],
)
def test_arrays_samples_are_scaled_by_their_dtype(
    tmp_path: Path, dtype: str, scale: float | None, unit: bool, whole: bool, expected: float
) -> None:
    x = (np.arange(24) % 2 * 200).reshape(6, 4).astype(dtype)
    arguments = written(tmp_path, x=x, y=LABELS) | {"scale": scale}
    raw = read(arguments, "classification")
    assert (raw.facts.unit_range, raw.facts.whole, raw.scale) == (unit, whole, expected)
    assert raw.facts.highest == pytest.approx(x.max() * expected)
    assert raw.facts.lowest == 0


@pytest.mark.parametrize(
    ("arrays", "task", "extra", "argument", "message"),
    [
        ({"a": X, "b": LABELS}, "classification", {}, "path", "no array of training samples.*`a`"),
        ({"x": X}, "classification", {}, "path", "no array of training targets"),
        ({"x": X, "y": LABELS}, "classification", {"y_train": "z"}, "y_train", "no array `z`.*`x`"),
        ({"x": X, "y": LABELS[:5]}, "classification", {}, "path", "6 samples, but .* 5 targets"),
        ({"x": LABELS, "y": LABELS}, "classification", {}, "path", "at least one axis"),
        ({"x": np.array(["a"] * 6), "y": LABELS}, "classification", {}, "path", "strings, not numbers"),
        ({"x": X[:0], "y": LABELS[:0]}, "classification", {}, "path", "is empty"),
        ({"x": X, "y": LABELS, "x_test": X[:, :2], "y_test": LABELS}, "classification", {}, "path", "are .2,., but"),
        ({"x": X, "y": np.zeros((6, 3, 2))}, "classification", {}, "path", "one label a sample"),
        ({"x": X, "y": LABELS}, "multi_label", {}, "path", "each label has a column"),
        ({"x": X, "y": LABELS}, "sequence", {}, "path", "a label or number a step"),
        ({"x": X, "y": np.array([*"abcabc"])}, "regression", {}, "path", "holds strings"),
        ({"x": X, "y": np.zeros((6, 3, 2))}, "regression", {}, "path", "one number or several"),
        ({"x": X, "y": LABELS}, "regression", {"classes": 3}, "classes", "numbers, not classes"),
        ({"x": X, "y": np.eye(3)[LABELS]}, "classification", {"classes": 4}, "classes", "says 4, but .* 3 columns"),
        ({"x": X, "y": LABELS}, "classification", {"classes": ["a", "a"]}, "classes", "different names"),
    ],
)
def test_arrays_that_contradict_each_other_are_told_from_their_headers(
    tmp_path: Path, arrays: dict[str, Any], task: Task, extra: dict[str, Any], argument: str, message: str
) -> None:
    import re

    arguments = written(tmp_path, **arrays) | extra
    (problem,) = SOURCE.contradictions(arguments, task)
    assert problem.argument == argument
    assert re.search(message, problem.message), problem.message
    with pytest.raises(DataError):
        read(arguments, task)


@pytest.mark.parametrize(
    ("arrays", "task", "message"),
    [
        (
            {"x_train": X, "y_train": LABELS, "x_test": (X * 100).astype(np.uint8)},
            "classification",
            "are u1, but .* f4",
        ),
        ({"x_train": X, "y_train": X[:, 0], "x_test": X + 1, "y_test": np.array([*"abcdef"])}, "regression", "strings"),
        (
            {"x_train": X, "y_train": np.eye(3)[LABELS], "x_test": X, "y_test": np.full((6, 3), "a")},
            "classification",
            "",
        ),
        ({"x_train": X, "y_train": X, "x_test": X + 1, "y_test": X.astype(np.uint8)}, "array", "are u1"),
        ({"x": X, "y": X[:, :0]}, "regression", "is empty"),
        ({"x": X, "y": np.zeros((6, 10_001))}, "multi_label", "more than 10,000"),
    ],
)
def test_arrays_splits_that_are_not_alike_are_told(
    tmp_path: Path, arrays: dict[str, Any], task: Task, message: str
) -> None:
    import re

    if "x_test" in arrays and "y_test" not in arrays:
        arrays = arrays | {"y_test": arrays["y_train"]}
    (problem,) = SOURCE.contradictions(written(tmp_path, **arrays), task)
    assert re.search(message, problem.message), problem.message


def test_arrays_test_split_that_is_the_training_split_is_refused(tmp_path: Path) -> None:
    arguments = written(tmp_path, x_train=X, y_train=LABELS) | {"x_test": "x_train", "y_test": "y_train"}
    (problem,) = SOURCE.contradictions(arguments, "classification")
    assert problem.argument == "x_test"
    assert "is the training split" in problem.message


def test_arrays_without_targets_or_beside_the_task_are_told(tmp_path: Path) -> None:
    arguments = written(tmp_path, x_train=X, y_train=LABELS, x_test=X + 1)
    (note,) = SOURCE.contradictions(arguments, "classification")
    assert (note.severity, "`x_test` has no targets" in note.message) == ("warning", True)
    (note,) = SOURCE.contradictions(written(tmp_path, x=X, y=X + 1), "reconstruction")
    assert (note.severity, "task: array" in note.hint) == ("warning", True)


@pytest.mark.parametrize(
    ("targets", "tasks"),
    [
        (None, "reconstruction"),
        (LABELS, "regression classification"),
        (np.array([*"abcabc"]), "classification"),
        (np.eye(3)[LABELS], "classification multi_label regression sequence"),
        (np.zeros((6, 4, 4)), "array sequence"),
    ],
)
def test_arrays_tasks_that_the_targets_allow(tmp_path: Path, targets: Any, tasks: str) -> None:
    from dltrain.data.sources.arrays import likely_tasks

    phrase = likely_tasks(written(tmp_path, x=X, **({} if targets is None else {"y": targets})))
    assert all(task in phrase for task in tasks.split())


def test_arrays_that_are_proposed_could_be_right(tmp_path: Path) -> None:
    positional = written(tmp_path, arr_0=X, arr_1=LABELS, arr_2=X[:2], arr_3=LABELS[:2])
    named = positional | {"x_train": "arr_0", "y_train": "arr_1", "x_test": "arr_2"}
    (problem,) = SOURCE.contradictions(named, "classification")
    assert problem.hint == "name it: `y_test: arr_3`"


NAN = X.copy()
NAN[[1, 4], 2] = [np.nan, np.inf]


@pytest.mark.parametrize(
    ("arrays", "task", "message"),
    [
        ({"x": NAN, "y": LABELS}, "classification", r"NaN or infinity in 2 of 6 samples: rows 1, 4"),
        ({"x": X, "y": NAN[:, 2]}, "regression", r"NaN or infinity in 2 of 6 targets"),
        ({"x": X, "y": LABELS + 0.5}, "classification", "fractions as labels"),
        ({"x": X.astype(float) * 1e300, "y": LABELS}, "classification", "NaN or infinity"),
        ({"x": X, "y": np.array([2**63, 5] * 3, np.uint64)}, "classification", "labels beyond"),
        ({"x": X, "y": np.array([1e30, 2e30] * 3)}, "classification", "labels beyond"),
        ({"x": X, "y": np.array(["a", "\ud800"] * 3)}, "classification", "no text"),
        ({"x": X, "y": LABELS * 0}, "classification", "a single label"),
        ({"x": X, "y": np.full((6, 3), 0.5)}, "classification", "not a single 1 among zeros"),
        ({"x": X, "y": np.full((6, 3), 2)}, "multi_label", "other than 0 and 1"),
        ({"x": np.full((6, 4), 2**40), "y": LABELS}, "classification", "beyond 32 bits"),
        ({"x": X, "y": LABELS % 2, "x_test": X, "y_test": LABELS}, "classification", "labels that are no class: 2"),
    ],
)
def test_arrays_with_bad_values_are_told_before_training(
    tmp_path: Path, arrays: dict[str, Any], task: Task, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, **arrays), task)


def test_arrays_labels_beyond_the_classes_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no class: 2"):
        read(written(tmp_path, x=X, y=LABELS) | {"classes": 2}, "classification")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_arrays_one_hot_steps_are_labels_where_classes_say_so(tmp_path: Path, dtype: Any) -> None:
    labels = np.arange(24).reshape(6, 4) % 5
    arguments = written(tmp_path, x=np.zeros((6, 4, 2), np.float32), y=np.eye(5)[labels].astype(dtype)) | {"classes": 5}
    facts = known(arguments, "sequence")
    assert (facts.target_shape, facts.classes) == ((4,), 5)
    assert read(arguments, "sequence").train.y.tolist() == labels.tolist()


def test_arrays_of_a_test_that_are_not_used_are_told(tmp_path: Path) -> None:
    arguments = written(tmp_path, data=X, target=LABELS, my_testing=X[:2], my_answers=LABELS[:2])
    (told,) = SOURCE.contradictions(arguments, "classification")
    assert (told.severity, told.hint) == ("warning", "name it and its targets: `x_test: my_testing`")
    arguments = written(tmp_path, trainX=X, trainy=LABELS, testX=X[:2], testy=LABELS[:2])
    assert known(arguments, "classification").test == 2
