"""The cache of decoded images: found again, written anew where anything differs, and never trusted unseen."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from dltrain.data import values
from dltrain.data.caching import cache_folder
from dltrain.data.images import cache
from dltrain.data.images.cache import Pixels, pixels
from dltrain.data.images.decoding import BadImage, Look, decode_all
from dltrain.errors import DataError

LOOK = Look(4, 5)
FILES = ["a/0.png", "a/1.png", "b/2.png"]


class Place(NamedTuple):
    """A folder of images and the cache's, and how many images were decoded."""

    root: Path
    cache: Path
    decoded: list[str]

    def pixels(self, look: Look = LOOK, keep_bad: bool = True) -> Pixels:
        return pixels(self.root, FILES, look, keep_bad)

    def file(self, suffix: str) -> Path:
        (found,) = (self.cache / "dltrain").glob(f"*{suffix}")
        return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    root = tmp_path / "photos"
    for number, file in enumerate(FILES):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 4), (number, 0, 9)).save(root / file)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    decoded: list[str] = []

    def counted(root: Path, files: list[str], look: Look, deep: list[str]) -> Iterator[np.ndarray | BadImage]:
        decoded.extend(files)
        return decode_all(root, files, look, deep=deep)

    monkeypatch.setattr(cache, "decode_all", counted)
    return Place(root, tmp_path / "cache", decoded)


def right(found: Pixels, places: tuple[int, ...] = (0, 1, 2)) -> bool:
    expected = np.zeros((3, 4, 5, 3), np.uint8)
    for number in places:
        expected[number] = (number, 0, 9)
    return np.array_equal(found.values, expected)


@pytest.mark.parametrize("mapped", [False, True])
def test_cache_is_decoded_once(place: Place, monkeypatch: pytest.MonkeyPatch, mapped: bool) -> None:
    monkeypatch.setattr(values, "LARGEST_READ", 10 if mapped else 2**20)
    for _ in range(2):
        found = place.pixels()
        assert right(found)
        assert isinstance(found.values, np.memmap) == mapped
        assert (found.bad, found.note) == ({}, "")
    assert place.decoded == FILES
    names = sorted(path.name.split("-")[0] for path in (place.cache / "dltrain").iterdir())
    assert names == ["images", "images"]  # nothing is left unfinished


def touched(place: Place) -> None:
    os.utime(place.root / FILES[0], ns=(1, 1))


def replaced(place: Place) -> None:
    """Another file of the same size and the same time."""
    path = place.root / FILES[0]
    status = path.stat()
    Image.new("RGB", (5, 4), (0, 0, 9)).save(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_pillow(place: Place) -> None:
    cache.PILLOW = "0"


def flipped(place: Place) -> None:
    data = bytearray(place.file(".npy").read_bytes())
    data[-5] ^= 1
    place.file(".npy").write_bytes(data)


def cut_off(place: Place) -> None:
    place.file(".npy").write_bytes(place.file(".npy").read_bytes()[:-1])


def emptied(place: Place) -> None:
    place.file(".npy").write_bytes(b"")


def foreign(place: Place) -> None:
    np.save(place.file(".npy"), np.zeros((3, 4, 5, 3)))


def pickled(place: Place) -> None:
    np.save(place.file(".npy"), np.array([{}, 1], object), allow_pickle=True)


def removed(place: Place) -> None:
    place.file(".npy").unlink()


def manifest(**changes: Any) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        path = place.file(".json")
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def nonsense(place: Place) -> None:
    place.file(".json").write_bytes(b"[" * 100_000)


@pytest.mark.parametrize(
    "change",
    [
        *(touched, replaced, another_pillow, flipped, cut_off, emptied, foreign, pickled, removed, nonsense),
        manifest(key="0"),
        manifest(bad=3),
        manifest(bad=[[7, "?"]]),
        manifest(bad=[[0]]),
        manifest(shape=[3, 4, 5, 4]),
        manifest(more=1),
        manifest(sha256=None),
    ],
)
def test_cache_that_is_not_of_these_files_is_written_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch, change: Callable[[Place], None]
) -> None:
    monkeypatch.setattr(cache, "PILLOW", "13")
    place.pixels()
    change(place)
    assert right(place.pixels())
    assert place.decoded == FILES * 2
    assert right(place.pixels())
    assert place.decoded == FILES * 2


def test_cache_has_a_file_for_each_look_and_one_for_a_changed_folder(place: Place) -> None:
    place.pixels()
    assert place.pixels(Look(2, 2)).values.shape == (3, 2, 2, 3)
    assert right(place.pixels())
    assert place.decoded == FILES * 2
    touched(place)
    place.pixels()
    assert len(list((place.cache / "dltrain").iterdir())) == 4


def test_cache_of_a_copy_of_the_folder_is_its_own(place: Place) -> None:
    place.pixels()
    other = place.root.parent / "other"
    shutil.copytree(place.root, other)
    pixels(other, FILES, LOOK, keep_bad=True)
    assert place.decoded == FILES * 2


@pytest.mark.parametrize("keep_bad", [True, False])
def test_cache_keeps_which_images_are_bad_if_they_are_left_out(place: Place, keep_bad: bool) -> None:
    (place.root / FILES[1]).write_bytes(b"")
    for _ in range(2):
        found = place.pixels(keep_bad=keep_bad)
        assert found.bad == {1: "it is empty"}
    assert place.decoded == FILES * (1 if keep_bad else 2)
    assert not keep_bad or right(found, (0, 2))
    assert bool(list((place.cache / "dltrain").iterdir())) == keep_bad


def no_home(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: None)


def a_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.cache.touch()


def a_full_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SPARE", 2**80)


def a_failing_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (no_home, "no home directory"),
        (a_file, "cannot write .*cache/dltrain: Not a directory"),
        (a_full_disk, "GiB free"),
        (a_failing_disk, "cannot write .*: Input/output error"),
    ],
)
def test_cache_that_cannot_be_written_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch, change: Callable[[Place, pytest.MonkeyPatch], None], reason: str
) -> None:
    import re

    change(place, monkeypatch)
    found = place.pixels()
    assert right(found)
    assert re.search(f"in memory.*{reason}", found.note)
    assert not list(place.cache.rglob("*.npy"))


def test_cache_and_memory_without_room_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    a_full_disk(place, monkeypatch)
    monkeypatch.setattr(os, "sysconf", lambda name: 5)
    with pytest.raises(DataError, match="fit neither into the memory nor into the cache"):
        place.pixels()


def test_cache_of_a_file_that_vanishes_is_told(place: Place) -> None:
    (place.root / FILES[2]).unlink()
    with pytest.raises(DataError, match=r"cannot read .*b/2\.png"):
        place.pixels()


def test_cache_removes_what_killed_writers_left(place: Place) -> None:
    folder = place.cache / "dltrain"
    folder.mkdir(parents=True)
    for name in ("unfinished-old.npy", "unfinished-new.npy", "other.npy"):
        (folder / name).touch()
    os.utime(folder / "unfinished-old.npy", (1, 1))
    os.utime(folder / "other.npy", (1, 1))
    place.pixels()
    assert {"unfinished-new.npy", "other.npy"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "unfinished-old.npy").exists()


@pytest.mark.parametrize(
    ("cache_home", "expected"), [("/c", "/c/dltrain"), ("", "/home/.cache/dltrain"), ("c", "/home/.cache/dltrain")]
)
def test_cache_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, cache_home: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home")
    monkeypatch.setenv("XDG_CACHE_HOME", cache_home)
    assert cache_folder() == Path(expected)


@pytest.mark.parametrize("kept", [True, False])
def test_cache_tells_images_of_16_bits_whether_they_are_decoded_or_found(
    place: Place, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    assert place.pixels().notes(place.root) == ()
    Image.fromarray(np.full((4, 5), 65535, np.uint16)).save(place.root / FILES[1])
    if not kept:
        monkeypatch.setattr(cache, "cache_folder", lambda: None)
    for _ in range(2):
        found = place.pixels()
        assert found.values[1].min() == 255
        assert f"1 image of 16 bits in {place.root} was scaled to 8" in found.notes(place.root)
