"""What is told of a data set: counts, values, features, duplicates, the first samples; and its pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dltrain.data.arrays import Dataset, Joined, Rows, Split
from dltrain.data.facts import Facts, Scale, Task
from dltrain.data.loading import load
from dltrain.data.overview import duplicates, pictures
from dltrain.data.overview.moments import Moments
from dltrain.data.overview.summary import Summary, summary_of

RNG = np.random.default_rng(5)
NAMES = ("cat", "dog", "$eel_")


def data(
    train: Any, validation: Any = None, test: Any = None, y: Any = None, task: Task = "classification", **more: Any
) -> Dataset:
    """Return a data set of arrays; `y` has the targets of each split, by default all of class 0."""
    given = {"train": train, "validation": validation, "test": test if test is not None else train[:0]}
    y = y or {name: np.zeros(len(x), np.int64) for name, x in given.items() if x is not None}
    splits = {name: Split(x, y.get(name)) for name, x in given.items() if x is not None}
    known: dict[str, Any] = {"class_names": NAMES if task == "classification" else (), "units": (), "target_shape": ()}
    known |= more.pop("facts", {})
    facts = Facts(name="own", task=task, shape=train.shape[1:], train=0, test=0, unit_range=False, **known)
    none = np.empty(0, np.int64)
    options: dict[str, Any] = {"scale": 1.0, "target_scale": 1.0, "fingerprint": "", "train_indices": none}
    options |= {"validation_indices": none, "test_indices": none} | more
    return Dataset(
        facts=facts, train=splits["train"], validation=splits.get("validation"), test=splits["test"], **options
    )


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("bad", [0.0, 0.2])
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_summary_moments_are_those_of_all_rows(bad: float, pieces: int) -> None:
    rows = numbers(500, 4) * [1, 100, 1e-3, 0] + [0, 5, 1e3, 7]
    rows[RNG.random(rows.shape) < bad] = np.nan
    rows[3, 1] = np.inf if bad else 0
    moments = Moments(4)
    for piece in np.array_split(rows, pieces):
        moments.add(piece)
    finite = np.where(np.isfinite(rows), rows, np.nan)
    for place, values in enumerate(moments.columns(2.0)):
        column = finite[:, place] * 2
        assert (values.lowest, values.highest) == (np.nanmin(column), np.nanmax(column))
        assert values.mean == pytest.approx(np.nanmean(column))
        assert values.std == pytest.approx(np.nanstd(column), abs=1e-9)
        assert values.missing == np.isnan(rows[:, place]).sum()
        assert values.infinite == np.isinf(rows[:, place]).sum()
        assert values.constant == (place == 3 and not bad)
    whole = moments.all()
    assert whole.mean == pytest.approx(np.nanmean(finite))
    assert whole.std == pytest.approx(np.nanstd(finite))
    assert whole.missing == np.isnan(rows).sum()


def test_summary_moments_of_nothing_finite_are_none() -> None:
    moments = Moments(1)
    moments.add(np.full((3, 1), np.nan))
    assert moments.columns()[0] == moments.all()
    assert (moments.all().mean, moments.all().missing, moments.all().constant) == (None, 3, False)


@pytest.mark.parametrize("kind", ["array", "rows", "joined"])
def test_summary_tells_counts_values_and_the_first_samples(kind: str) -> None:
    x = np.arange(24, dtype=np.uint8).reshape(6, 4)
    train: Any = {
        "array": x,
        "rows": Rows(np.concatenate([x[3:], x[:3]]), np.array([3, 4, 5, 0, 1, 2])),
        "joined": Joined([x[:2], x[2:]]),
    }[kind]
    y = {"train": np.array([0, 1, 1, 1, 2, 2]), "test": np.array([2])}
    found = summary_of(data(train, None, numbers(1, 4), y, scale=0.5, train_indices=np.array([0, 3, 4, 6, 8, 9])))
    train_split, test_split = found.splits
    assert (train_split.samples, train_split.counts, test_split.counts) == (6, (1, 3, 2), (0, 0, 1))
    assert (train_split.values.lowest, train_split.values.highest, train_split.values.mean) == (0, 11.5, 5.75)
    assert [(each.name, each.values.highest) for each in found.features] == [
        ("0", 10.0),
        ("1", 10.5),
        ("2", 11.0),
        ("3", 11.5),
    ]
    assert found.first[1].values == (2.0, 2.5, 3.0, 3.5)
    assert [(sample.position, sample.target) for sample in found.first] == [
        (0, "cat"),
        (3, "dog"),
        (4, "dog"),
        (6, "dog"),
        (8, "$eel_"),
    ]
    assert found.repeats == ()
    json.dumps(found.to_json())


def pairs(found: Summary) -> dict[tuple[str, str], tuple[int, int, tuple[tuple[int, int], ...]]]:
    return {(each.split, each.other): (each.count, each.conflicts, each.examples) for each in found.repeats}


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int32])
@pytest.mark.parametrize("shape", [(3,), (4, 4, 1)])
def test_summary_finds_duplicates_within_and_between_splits(shape: tuple[int, ...], dtype: Any) -> None:
    x = RNG.permutation(240)[: 20 * int(np.prod(shape[:1]))].reshape(20, -1)[..., None]
    x = np.broadcast_to(x.reshape(20, *shape[:1], *[1] * len(shape[1:])), (20, *shape)).astype(dtype)
    train, validation, test = x[:10].copy(), x[10:14].copy(), x[14:].copy()
    train[7] = train[2]
    train[9] = train[2]
    validation[3] = train[9]
    test[0], test[4], test[5] = train[1], validation[0], test[1]
    y = {"train": np.zeros(10, np.int64), "validation": np.zeros(4, np.int64), "test": np.array([1, 0, 0, 0, 0, 0])}
    found = summary_of(data(train, validation, test, y))
    assert pairs(found) == {
        ("train", "train"): (2, 0, ((7, 2), (9, 2))),
        ("validation", "train"): (1, 0, ((3, 2),)),
        ("test", "train"): (1, 1, ((0, 1),)),
        ("test", "validation"): (1, 0, ((4, 0),)),
        ("test", "test"): (1, 0, ((5, 1),)),
    }
    messages = [message for message, _ in found.warnings]
    assert "1 of 6 test samples is also in the train split: test 0 = train 1" in messages
    assert "1 of 4 validation samples is also in the train split: validation 3 = train 2" in messages
    assert len(messages) == 2


def test_summary_positions_of_duplicates_are_those_of_the_source() -> None:
    x = numbers(6, 2)
    indices: dict[str, Any] = {"train_indices": np.array([2, 5, 8]), "validation_indices": np.array([1, 9])}
    found = summary_of(data(x[:3], x[1:3], x[2:4], **indices))
    assert pairs(found)["validation", "train"] == (2, 0, ((1, 5), (9, 8)))
    assert pairs(found)["test", "train"] == (1, 0, ((0, 8),))  # a split of the source's own


def test_summary_equal_samples_with_other_targets_are_told_within_a_split() -> None:
    x = np.zeros((4, 2), np.float32)
    found = summary_of(data(x, y={"train": np.array([0, 0, 1, 2])}))
    assert pairs(found) == {("train", "train"): (3, 2, ((1, 0), (2, 0), (3, 0)))}
    assert [message for message, _ in found.warnings] == ["2 of 4 train samples have another target than an equal one"]


def test_summary_a_validation_split_that_is_the_test_split_is_no_leak() -> None:
    x = numbers(6, 2)
    both = data(x[:3], None, x[3:])
    found = summary_of(replace(both, validation=both.test))
    assert [split.name for split in found.splits] == ["train", "test"]
    assert found.warnings == ()


def test_summary_constant_features_and_numbers_that_are_none_are_told() -> None:
    x = numbers(8, 3)
    x[:, 1] = 4
    x[2, 0] = np.nan
    found = summary_of(data(x, y={"train": np.arange(8) % 3}))
    assert found.constant == ("1",)
    assert found.warnings == (("the train split has 1 NaN and 0 infinite numbers", ""),)


@pytest.mark.parametrize(
    ("task", "y", "facts", "counts", "first"),
    [
        ("multi_label", np.array([[1, 0], [1, 1]], np.float32), {"class_names": ("a", "b")}, (2, 1), ("a",)),
        ("sequence", np.array([[0, 2], [2, 2]]), {"class_names": NAMES}, (1, 0, 3), ("cat", "$eel_")),
    ],
)
def test_summary_counts_labels_of_other_tasks(
    task: Task, y: np.ndarray, facts: dict[str, Any], counts: tuple[int, ...], first: tuple[str, ...]
) -> None:
    found = summary_of(data(numbers(2, 2, 3), y={"train": y}, task=task, facts={**facts, "target_shape": (2,)}))
    assert (found.splits[0].counts, found.first[0].target) == (counts, first)


def test_summary_targets_are_told_in_the_unit_of_the_source() -> None:
    y = np.array([[-1.0], [1.0]], np.float32)
    facts = {"target_shape": (1,), "units": ("km",), "target_scales": (Scale(20, 10),)}
    found = summary_of(data(numbers(2, 3), y={"train": y}, task="regression", facts=facts))
    values = found.splits[0].targets[0]
    assert (values.lowest, values.highest, values.mean, values.std) == (10, 30, 20, 10)
    assert found.first[0].target == (10.0,)


@pytest.mark.parametrize(("task", "y"), [("reconstruction", None), ("array", numbers(5, 4, 4))])
def test_summary_of_targets_that_are_arrays(task: Task, y: np.ndarray | None) -> None:
    shape = (4, 4)
    found = summary_of(data(numbers(5, 4, 4), y={"train": y}, task=task, facts={"target_shape": shape}))
    assert len(found.splits[0].targets) == (task == "array")


def test_summary_tokens_are_shown_as_words(tmp_path: Path) -> None:
    x = np.array([[2, 3, 1, 0], [3, 0, 0, 0]], np.int32)
    learnt = {"text": {"vocabulary": ["the", "end"], "idf": None}}
    found = summary_of(data(x, learnt=learnt, facts={"class_names": NAMES, "whole": True, "highest": 3.0}))
    assert [sample.words for sample in found.first] == ["the end [UNK]", "end"]
    assert (found.dtype, found.features) == ("int32", ())


def test_summary_features_have_the_names_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n" + "1,x,no\n,,yes\n5,x,no\n7,z,yes\n" * 5)
    arguments = {"path": str(tmp_path / "t.csv"), "target": "y", "missing": "mean", "categorical": ["b"]}
    options: dict[str, Any] = {"validation": 0.25, "test": 0.25, "limit_train": None, "limit_test": None, "seed": 3}
    found = summary_of(load("csv", arguments, task="classification", **options))
    assert [feature.name for feature in found.features] == ["a", "b=(missing)", "b=x", "b=z"]
    missing = sum(sample.values[1] for sample in found.first)
    assert found.filled.keys() == {"a"}
    assert found.filled["a"] >= missing
    assert {(each.split, each.other) for each in found.repeats} >= {("test", "train"), ("train", "train")}


@pytest.mark.parametrize("shape", [(3, 2), (6,)])
def test_summary_features_have_the_names_of_a_series(shape: tuple[int, ...]) -> None:
    known = {"series": {"features": ["u", "v"], "target": ["v", "u"], "scales": {}}}
    called = ("v[0]", "u[0]", "v[1]", "u[1]")
    facts = {"target_shape": (4,), "target_names": called}
    options: dict[str, Any] = {"y": {"train": numbers(4, 4)}, "task": "regression", "facts": facts}
    found = summary_of(data(numbers(4, *shape), learnt=known, **options))
    assert found.target_names == called
    several = ["u[0]", "v[0]", "u[1]", "v[1]", "u[2]", "v[2]"]
    assert [feature.name for feature in found.features] == (["u", "v"] if len(shape) == 2 else several)


def test_summary_a_group_has_its_first_sample_as_the_twin() -> None:
    digests = duplicates.Digests()
    digests.add(np.array([[1], [2], [1], [1], [2]], np.uint8))
    found = duplicates.repeats(
        {"train": digests.array()}, {"train": np.empty((0, 2), np.uint64)}, {"train": np.arange(5)}
    )
    assert found[0].examples == ((2, 0), (3, 0), (4, 1))


@pytest.mark.parametrize(
    ("shape", "task", "written"),
    [
        ((8, 9, 3), "classification", {"samples", "targets"}),
        ((8, 9, 1), "reconstruction", {"samples"}),
        ((5, 2), "classification", {"windows", "targets"}),
        ((5, 2), "regression", {"windows", "targets"}),
        ((3,), "regression", {"features", "targets"}),
        ((300,), "multi_label", {"targets"}),
    ],
)
def test_summary_pictures_are_of_what_there_is_to_draw(
    tmp_path: Path, shape: tuple[int, ...], task: Task, written: set[str]
) -> None:
    count = 7
    y = {
        "classification": np.arange(count) % 3,
        "regression": numbers(count, 2),
        "multi_label": np.ones((count, 3), np.float32),
    }.get(task)
    names = () if task in ("regression", "reconstruction") else NAMES
    target_shape = y.shape[1:] if y is not None else shape
    learnt = {"series": {"features": ["u", "v"], "target": ["v"]}} if (task, shape) == ("regression", (5, 2)) else None
    dataset = data(
        numbers(count, *shape),
        y={"train": y},
        task=task,
        learnt=learnt,
        facts={"class_names": names, "target_shape": target_shape},
    )
    paths = pictures.write(dataset, summary_of(dataset), tmp_path / "new" / "folder")
    assert {path.stem for path in paths} == written
    for path in paths:
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert len(image.convert("L").getcolors() or ()) > 1
            assert image.width < 2_000


def test_summary_pictures_show_each_class_in_turn() -> None:
    split = Split(numbers(9, 2), np.array([0, 0, 0, 0, 1, 1, 2, 0, 1]))
    assert pictures.chosen(split, 3, 5).tolist() == [0, 4, 6, 1, 5]
    assert pictures.chosen(Split(numbers(9, 2), None), 0, 3).tolist() == [0, 4, 8]
