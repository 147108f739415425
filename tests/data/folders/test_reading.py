"""Folders are read within bounds, and circles of links end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.data.folders.test_listing import CATS, made, under

from dltrain.data.folders import reading
from dltrain.data.folders.kinds import IMAGES, TEXTS
from dltrain.data.folders.listing import files_below, look


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_OTHERS", 30)
    monkeypatch.setattr(reading, "_AT_ONCE", 8)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("names", [[f"x/y{n}/" for n in range(60)], [f"x/{n}.dat" for n in range(60)]])
@pytest.mark.parametrize("found", ["no image", "1 image"])
def test_reading_ends_where_hardly_anything_is_of_the_kind(tmp_path: Path, names: list[str], found: str) -> None:
    made(tmp_path, *names, *(["a/1.jpg"] if found != "no image" else []))
    _, (finding,) = files_below(tmp_path)
    assert f"files and folders in {tmp_path} were looked at, and {found} found" in finding.message
    assert "name the folder that holds the images" in finding.hint
    assert int(finding.message.split()[0]) < 60
    assert look(tmp_path).error in (finding, look(tmp_path, around=False).error)


@pytest.mark.usefixtures("small")
def test_reading_goes_on_among_files_of_the_kind_and_their_notes(tmp_path: Path) -> None:
    made(tmp_path, *(f"{c}/{n}{end}" for c in "ab" for n in range(60) for end in (".jpg", ".json", ".txt")))
    assert len(files_below(tmp_path)[0]) == look(tmp_path).count("train") == 120


@pytest.mark.parametrize("listed", [files_below, look])
def test_reading_ends_at_the_most_files(tmp_path: Path, listed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.data.folders import findings

    for module in (reading, findings):
        monkeypatch.setattr(module, "MOST_FILES", 5)
    made(tmp_path, *(f"{c}/{n}.jpg" for c in "ab" for n in range(3)))
    found = look(tmp_path).findings if listed is look else files_below(tmp_path)[1]
    assert [finding.message for finding in found] == [f"{tmp_path} holds more than 5 images"]


def test_reading_of_files_below_follows_no_circle_of_links(tmp_path: Path) -> None:
    root = made(tmp_path / "photos", *CATS, *under(".store", "cow/1.jpg"))
    for folder in ("cat", "dog", ".store/cow"):
        for name in ("up", "again"):
            (root / folder / name).symlink_to("..")
    (root / "cow").symlink_to(".store/cow")  # which is not looked into otherwise
    (root / "pets").symlink_to("dog")
    assert files_below(root) == (["cat/1.jpg", "cat/2.png", "cow/1.jpg", "dog/1.jpg"], [])
    assert files_below(root, TEXTS) == ([], [])


def test_reading_leaves_out_what_is_no_file_and_has_no_name_of_the_kind(tmp_path: Path) -> None:
    root = made(tmp_path / "photos", *CATS)
    os.mkfifo(root / "cat" / "pipe")
    (root / "dog" / "link").symlink_to(root / "cat" / "pipe")
    listing = look(root)
    assert listing.error is None
    assert [finding.message for finding in listing.findings] == [
        "files in class folders that are no images are left out: 2 no extension"
    ]


def test_reading_tells_only_so_many_extensions_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_EXTENSIONS", 2)
    made(tmp_path, "a.b", "a.c", "b.c", "a.d", "a.e")
    others = reading.Reader(tmp_path, IMAGES.extensions).folder("").others
    assert others.total() == 5
    assert others["others"] >= 2
    assert len(others) == 3


def test_reading_of_files_below_ends_where_many_things_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dltrain.data.folders import listing

    monkeypatch.setattr(listing, "_MOST_PROBLEMS", 3)
    for number in range(9):
        folder = made(tmp_path, f"{number}/1.jpg") / str(number)
        (folder / "2.jpg").symlink_to("nowhere")
    files, (finding,) = files_below(tmp_path)
    assert files == [f"{number}/1.jpg" for number in range(4)]
    assert "a broken link: `0/2.jpg`, `1/2.jpg`, `2/2.jpg`, `3/2.jpg`" in finding.message
