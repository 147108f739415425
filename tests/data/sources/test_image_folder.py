"""The source `image_folder`: splits, classes and pixels of a folder, and what its images make impossible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dltrain.data import values
from dltrain.data.arrays import RawDataset, is_mapped
from dltrain.data.facts import Facts, Task
from dltrain.data.loading import load
from dltrain.data.sources.image_folder import SOURCE
from dltrain.errors import DataError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def written(root: Path, **classes: int) -> dict[str, Any]:
    """Write images of one color a class, and a number an image; `__` stands for `/`."""
    for place, (name, count) in enumerate(classes.items()):
        folder = root / name.replace("__", "/")
        folder.mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (8, 6), (place, number, 0)).save(folder / f"{number:02}.png")
    return {"path": str(root), "image_size": [6, 8]}


def known(arguments: dict[str, Any], task: Task | None = None) -> Facts:
    assert list(SOURCE.contradictions(arguments, task)) == []
    found = SOURCE.facts(SOURCE.filled(arguments), task)
    assert found is not None
    return found


def read(arguments: dict[str, Any], task: Task | None = None) -> RawDataset:
    return SOURCE.read(SOURCE.filled(arguments), task)


@pytest.mark.parametrize("mapped", [False, True])
def test_image_folder_gives_the_splits_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    monkeypatch.setattr(values, "LARGEST_READ", 10 if mapped else 2**20)
    root = tmp_path / "photos"
    arguments = written(root, train__10=3, train__2=2, val__2=1, test__10=1, test__2=2)
    facts = known(arguments)
    assert (facts.train, facts.validation, facts.test) == (5, 1, 3)
    assert (facts.shape, facts.class_names, facts.unit_range) == ((6, 8, 3), ("2", "10"), True)
    raw = read(arguments)
    assert (raw.facts, raw.scale, raw.notes) == (facts, 1 / 255, ())
    assert raw.validation is not None
    assert is_mapped(raw.train.x) == mapped
    for split, labels, places in (
        (raw.train, [0, 0, 1, 1, 1], [1, 1, 0, 0, 0]),
        (raw.validation, [0], [2]),
        (raw.test, [0, 0, 1], [4, 4, 3]),
    ):
        assert (split.y.tolist(), split.y.dtype) == (labels, np.int64)
        assert np.asarray(split.x)[:, 3, 3, 0].tolist() == places
        assert (split.x.dtype, split.x.shape) == (np.uint8, (len(labels), 6, 8, 3))


def test_image_folder_without_splits_is_held_out_by_class(tmp_path: Path) -> None:
    arguments = written(tmp_path / "photos", cat=20, dog=10)
    assert (known(arguments).train, known(arguments).test) == (30, 0)
    dataset = load("image_folder", arguments, validation=0.25, test=0.2, limit_train=None, limit_test=None, seed=1)
    assert [len(split) for split in (dataset.train, dataset.validation or (), dataset.test)] == [18, 6, 6]
    assert np.bincount(dataset.test.y).tolist() == [4, 2]
    colors = np.asarray(dataset.test.x)[:, 0, 0]
    assert colors[:, 0].tolist() == dataset.test.y.tolist()


@pytest.mark.parametrize(
    ("more", "channels", "fit"),
    [
        ({}, 3, "stretch"),
        ({"color_mode": "grayscale", "interpolation": "nearest"}, 1, "stretch"),
        ({"color_mode": "rgba", "crop_to_aspect_ratio": True}, 4, "crop"),
        ({"pad_to_aspect_ratio": True, "interpolation": "lanczos"}, 3, "pad"),
    ],
)
def test_image_folder_decodes_as_its_arguments_say(
    tmp_path: Path, more: dict[str, Any], channels: int, fit: str
) -> None:
    from dltrain.data.images.decoding import Look, decode

    arguments = written(tmp_path / "photos", cat=1, dog=1) | {"image_size": [5, 4]} | more
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photos" / "cat" / "00.png")
    assert known(arguments).shape == (5, 4, channels)
    look = Look(5, 4, more.get("color_mode", "rgb"), more.get("interpolation", "bilinear"), fit)
    expected = decode(tmp_path / "photos" / "cat" / "00.png", look)
    assert np.array_equal(read(arguments).train.x[0], expected)


def test_image_folder_needs_no_classes_for_a_reconstruction(tmp_path: Path) -> None:
    arguments = written(tmp_path / "photos", all=5) | {"path": str(tmp_path / "photos" / "all")}
    facts = known(arguments, "reconstruction")
    assert facts.for_task("reconstruction").target_shape == (6, 8, 3)
    assert len(read(arguments, "reconstruction").train) == 5
    assert SOURCE.facts(SOURCE.filled(arguments), None) is None


def test_image_folder_cannot_both_crop_and_pad(tmp_path: Path) -> None:
    arguments = written(tmp_path / "photos", cat=1, dog=1)
    both = arguments | {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}
    assert [problem.argument for problem in SOURCE.contradictions(both, None)] == ["pad_to_aspect_ratio"]
    assert not list(SOURCE.contradictions(both | {"pad_to_aspect_ratio": False}, None))


@pytest.mark.parametrize("count", [2, 25])
def test_image_folder_tells_all_bad_images_at_once(tmp_path: Path, count: int) -> None:
    arguments = written(tmp_path / "photos", cat=26, dog=3)
    for number in range(count):
        (tmp_path / "photos" / "cat" / f"{number:02}.png").write_bytes(b"" if number % 2 else b"GIF")
    assert list(SOURCE.contradictions(arguments, None)) == []  # only reading can tell
    with pytest.raises(DataError, match=f"{count} of 29 images in .*photos cannot be read: cat/00.png: ") as caught:
        read(arguments)
    assert "cat/01.png: it is empty" in caught.value.message
    assert "on_bad: skip" in caught.value.hint
    assert ("and 5 more" in caught.value.message) == (count == 25)
    assert caught.value.message.count(".png") == min(count, 20)


@pytest.mark.parametrize("mapped", [False, True])
def test_image_folder_leaves_bad_images_out_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    monkeypatch.setattr(values, "LARGEST_READ", 10 if mapped else 2**20)
    arguments = written(tmp_path / "photos", train__cat=3, train__dog=2, test__dog=3) | {"on_bad": "skip"}
    for name in ("train/cat/01", "test/dog/00"):
        (tmp_path / "photos" / f"{name}.png").write_bytes(b"")
    for _ in range(2):  # decoded, then from the cache
        raw = read(arguments)
        (note,) = raw.notes
        assert "2 of 8 images" in note
        assert "train/cat/01.png: it is empty; test/dog/00.png: it is empty; they are left out" in note
        assert (raw.facts.train, raw.facts.test) == (4, 2)
        assert np.asarray(raw.train.x)[:, 0, 0, :2].tolist() == [[0, 0], [0, 2], [1, 0], [1, 1]]
        assert raw.train.y.tolist() == [0, 0, 1, 1]
        assert np.asarray(raw.test.x)[:, 0, 0, 1].tolist() == [1, 2]


def test_image_folder_of_a_class_without_a_good_image_is_told(tmp_path: Path) -> None:
    arguments = written(tmp_path / "photos", cat=1, dog=2) | {"on_bad": "skip"}
    (tmp_path / "photos" / "cat" / "00.png").write_bytes(b"")
    with pytest.raises(DataError, match="the class `cat` has no image that can be read: 1 of 3"):
        read(arguments)


def test_image_folder_that_is_wrong_cannot_be_read(tmp_path: Path) -> None:
    arguments = written(tmp_path / "photos", cat=1)
    (problem,) = SOURCE.contradictions(arguments, None)
    assert problem.argument == "path"
    with pytest.raises(DataError) as caught:
        read(arguments)
    assert (caught.value.message, caught.value.hint) == (problem.message, problem.hint)
