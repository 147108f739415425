"""The listing of a folder of images: classes and splits, and what is wrong with a folder."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain.data.folders.listing import Listing, look
from dltrain.data.folders.names import yaml_path

CATS = ("cat/1.jpg", "cat/2.png", "dog/1.jpg")


def made(root: Path, *names: str) -> Path:
    """Create empty files, and folders whose names end in `/`."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    return root


def under(prefix: str, *names: str) -> list[str]:
    return [f"{prefix}/{name}" for name in names]


def counts(listing: Listing) -> dict[str, dict[str, int]]:
    return {split: {name: len(files) for name, files in of.items()} for split, of in listing.splits.items()}


@pytest.mark.parametrize(
    ("train", "validation", "test"), [("train", "val", "test"), ("Train", "valid", "TEST"), ("train", "validation", "")]
)
def test_folders_of_splits_are_found(tmp_path: Path, train: str, validation: str, test: str) -> None:
    made(tmp_path, *under(train, *CATS), *under(validation, "dog/7.webp"), *(under(test, *CATS) if test else ()))
    listing = look(tmp_path)
    assert listing.findings == ()
    both = {"cat": 2, "dog": 1}
    assert counts(listing) == {"train": both, "validation": {"dog": 1}} | ({"test": both} if test else {})
    assert listing.splits["train"]["cat"] == [f"{train}/cat/1.jpg", f"{train}/cat/2.png"]


def test_folders_of_classes_are_in_natural_order(tmp_path: Path) -> None:
    listing = look(made(tmp_path, "10/1.jpg", "2/1.JPG", "b/2.jpeg", "a/x.tiff", "a/10.gif", "a/9.gif"))
    assert listing.class_names == ("2", "10", "a", "b")
    assert listing.splits["train"]["a"] == ["a/10.gif", "a/9.gif", "a/x.tiff"]
    assert not listing.findings


@pytest.mark.parametrize(
    "names",
    [
        [".git/x.jpg", ".DS_Store", "cat/.hidden.jpg", "cat/Thumbs.db", "__MACOSX/cat/1.jpg"],
        ["README.md", "labels.csv", "LICENSE"],
        ["train/1.jpg", "bus/1.jpg"],  # a class of trains
    ],
)
def test_folders_have_other_things_in_them_that_are_ignored(tmp_path: Path, names: list[str]) -> None:
    listing = look(made(tmp_path, *CATS, *names))
    assert not listing.findings
    assert {"cat", "dog"} <= set(listing.class_names) <= {"cat", "dog", "train", "bus"}


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        (["a.jpg", "b.jpg"], "holds 2 images, but no folder for each class", "move them, as in photos/cat/a.jpg"),
        ([], "no image is in", "a folder for each class"),
        (["cat/", "dog/"], "no image is in .*its folders are empty", "a folder for each class"),
        (["cat/1.jpg"], "single class, `cat`", "task: reconstruction"),
        ([*CATS, "cow/", "ant/"], "have no image: `ant`, `cow`", "remove the folders"),
        (under("photos", *CATS), "nested deeper", "write `path: .*/photos/photos`"),
        (under("photos", *under("train", *CATS)), "nested deeper", "write `path: .*/photos/photos`"),
        (under("a/b/photos", *CATS), "nested deeper", "write `path: .*/photos/a/b/photos`"),
        (["a/b/c/d.txt", "a/b/c/e/"], "no image is in .*, and none in the folders below", "a folder of images"),
        ([*under("a", *CATS), *under("b", *CATS)], "nested deeper", "move .* up, or name .*: `path: .*/photos/a`"),
        (["cat/x/1.jpg", "dog/1.jpg"], "hold folders instead of images: `cat`", "move the images"),
        ([*under("test", *CATS)], "has test, but no `train`", "`train`"),
        ([*under("train", *CATS), *under("val", *CATS), *under("valid", *CATS)], "both the validation", "one folder"),
        ([*under("train", *CATS), "test/cow/1.jpg"], "`test` has classes that `train` does not have: `cow`", "remove"),
        ([*under("train", *CATS), "test/Cat/1.jpg"], "does not have: `Cat`", "is `Cat` the class `cat`"),
        (["train/1.jpg", "test/1.jpg"], "train holds 1 image, but no folder", "train/cat/1.jpg"),
        (["c\nat/1.jpg", "dog/1.jpg"], r"no text that can be printed: `c\\nat`", "rename"),
    ],
)
def test_folders_that_are_wrong_are_told(tmp_path: Path, names: list[str], message: str, hint: str) -> None:
    listing = look(made(tmp_path / "photos", *names, "./"))
    (finding,) = listing.findings
    assert listing.error is finding
    assert re.search(message, finding.message), finding.message
    assert re.search(hint, finding.hint), finding.hint
    assert str(tmp_path) in finding.message or "`" in finding.message


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.jpg"], "outside class folders are left out: `1.jpg`"),
        (["cat/a.txt", "cat/b.TXT", "dog/c.heic", "dog/d"], "no images are left out: 2 .txt, 1 .heic, 1 no extension"),
        (["cat/more/1.jpg"], "not looked into: those of `cat`"),
    ],
)
def test_folders_with_files_that_are_left_out_are_doubtful(tmp_path: Path, names: list[str], message: str) -> None:
    listing = look(made(tmp_path, *CATS, *names))
    (finding,) = listing.findings
    assert (finding.severity, listing.error) == ("warning", None)
    assert message in finding.message
    assert counts(listing) == {"train": {"cat": 2, "dog": 1}}


def test_folders_of_a_test_without_classes_are_left_out(tmp_path: Path) -> None:
    listing = look(made(tmp_path, *under("train", *CATS), *under("test", "1.jpg", "2.jpg")))
    (finding,) = listing.findings
    assert finding.message == "images outside class folders are left out: `test/1.jpg`, `test/2.jpg`"
    assert list(listing.splits) == ["train"]


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("phots", "no such folder: .*/phots", "did you mean `path: .*/photos`?"),
        ("Photos", "no such folder", "did you mean `path: .*/photos`?"),
        ("else", "no such folder", "has the folders `photos`"),
        ("x/y/photos", "no such folder", "there is no .*/x/y, only "),
        ("photos.zip", "a file, not a folder", "unpack it"),
        ("data.npz", "a file, not a folder", "arrays: {path: .*/data.npz}"),
        ("photos/cat/1.jpg", "a file, not a folder", "write `path: .*/photos`"),
        ("x.yaml", "a file, not a folder", "the folder that holds the folders"),
        ("photos/cat", "holds 2 images, but no folder", "write the folder above: `path: .*/photos`"),
    ],
)
def test_folders_of_other_names_are_told(tmp_path: Path, path: str, message: str, hint: str) -> None:
    made(tmp_path, *under("photos", *CATS), "photos.zip", "data.npz", "x.yaml")
    (finding,) = look(tmp_path / path).findings
    assert re.search(message, finding.message)
    assert re.search(hint, finding.hint)
    suggested = re.search("`path: ([^`]*)`", finding.hint)
    if suggested:
        assert look(Path(suggested[1])).error is None


@pytest.mark.parametrize(("names", "told"), [(CATS, True), ((), False)])
def test_folders_of_training_beside_another_split_are_doubtful(
    tmp_path: Path, names: tuple[str, ...], told: bool
) -> None:
    made(tmp_path, *under("train", *CATS), *under("test", *names), "test/")
    listing = look(tmp_path / "train")
    assert listing.error is None
    assert [f"path: {tmp_path}`" in finding.hint for finding in listing.findings] == [True] * told


def links_out(root: Path) -> None:
    made(root.parent, "elsewhere/9.jpg")
    (root / "cat" / "9.jpg").symlink_to(root.parent / "elsewhere" / "9.jpg")


def links_a_class_out(root: Path) -> None:
    (root / "cow").symlink_to(made(root.parent / "elsewhere", "9.jpg"))


def has_a_broken_link(root: Path) -> None:
    (root / "cat" / "9.jpg").symlink_to(root / "cat" / "none.jpg")


def has_a_circle(root: Path) -> None:
    (root / "cat" / "9.jpg").symlink_to(root / "cat" / "9.jpg")


def has_a_pipe(root: Path) -> None:
    os.mkfifo(root / "cat" / "9.jpg")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (links_out, r"links lead out of .*photos: `cat/9.jpg -> .*elsewhere/9.jpg`"),
        (links_a_class_out, "links lead out of"),
        (has_a_broken_link, "broken link: `cat/9.jpg`"),
        (has_a_circle, "broken link: `cat/9.jpg`"),
        (has_a_pipe, "neither file nor folder.*`cat/9.jpg`"),
    ],
)
def test_folders_with_links_out_and_pipes_are_refused(
    tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    root = made(tmp_path / "photos", *CATS)
    change(root)
    (finding,) = look(root).findings
    assert finding.severity == "error"
    assert re.search(message, finding.message), finding.message


def test_folders_may_be_links_and_have_links_inside(tmp_path: Path) -> None:
    root = made(tmp_path / "photos", *CATS)
    (root / "dog" / "2.jpg").symlink_to("../cat/1.jpg")
    (tmp_path / "link").symlink_to(root)
    listing = look(tmp_path / "link")
    assert not listing.findings
    assert counts(listing) == {"train": {"cat": 2, "dog": 2}}


def test_folders_that_may_not_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "photos", *CATS)
    listed = os.scandir

    def refuse(path: Path) -> Any:  # as the system does to all but root
        if Path(path).name == "cat":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (finding,) = look(root).findings
    assert "Permission denied" in finding.message


@pytest.mark.parametrize(
    ("names", "classes"), [(["1.jpg", "2.jpg"], {"": 2}), (["cat/1.jpg"], {"cat": 1}), (CATS, {"cat": 2, "dog": 1})]
)
def test_folders_without_labels_need_no_classes(tmp_path: Path, names: list[str], classes: dict[str, int]) -> None:
    listing = look(made(tmp_path, *names), labelled=False)
    assert not listing.findings
    assert counts(listing) == {"train": classes}


@pytest.mark.parametrize(("folders", "told"), [(3, False), (4, True)])
def test_folders_have_a_limit_of_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: int, told: bool
) -> None:
    from dltrain.data.folders import listing as module

    monkeypatch.setattr(module, "MOST_CLASSES", 3)
    listing = look(made(tmp_path, *(f"{number}/1.jpg" for number in range(folders))))
    assert [finding.message.endswith("4 folders, more than 3 classes") for finding in listing.findings] == [True] * told


@pytest.mark.parametrize(
    ("path", "written"),
    [("/a/b-c.d", "/a/b-c.d"), ("/a b", "'/a b'"), ("/it's", "'/it''s'"), ("/a: #b", "'/a: #b'"), ("-x", "'-x'")],
)
def test_folders_paths_are_written_as_yaml_has_them(path: str, written: str) -> None:
    import yaml

    assert yaml_path(path) == written
    assert yaml.safe_load(f"path: {written}") == {"path": path}


def test_folders_of_a_whole_disk_are_told_by_what_may_be_meant(tmp_path: Path) -> None:
    root = made(tmp_path / "disk", "home/me/notes.txt", "home/you/", "srv/x/y/", *under("srv/data/photos", *CATS))
    os.mkfifo(root / "home" / "pipe")
    (root / "srv" / "out").symlink_to(tmp_path)
    (root / "srv" / "nowhere").symlink_to(root / "none")
    (finding,) = look(root).findings
    assert "nested deeper" in finding.message
    assert f"`path: {root}/srv/data/photos`" in finding.hint
    assert look(root, around=False).error is not None


def test_folders_beside_are_told_by_their_first_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.data.folders import listing as module

    monkeypatch.setattr(module, "_EACH", 3)
    many = [f"{c}/{n}.jpg" for c in ("cat", "dog") for n in range(9)]
    made(tmp_path, *under("train", *many), *under("test", *many))
    (finding,) = look(tmp_path / "train").findings
    assert finding.message == f"{tmp_path} has images for test too, which are not used"
    assert look(tmp_path / "train").count("train") == 18
    assert look(tmp_path, each=3).count("train") <= 6
