"""A glance finds what a folder holds, at bounded cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.folders.test_listing import CATS, made, under

from dltrain.data.folders import glance as module
from dltrain.data.folders.glance import Glance, glance
from dltrain.data.folders.kinds import IMAGES, TEXTS


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ([], {}),
        (["a.csv", "b/c.csv"], {}),
        (CATS, {IMAGES: "cat/"}),
        ([*CATS, "a/b/c.jpg", "notes/1.txt", "z.txt"], {IMAGES: "cat/", TEXTS: "z.txt"}),
        (under("a/b/c/d/e", *CATS), {IMAGES: "a/b/c/d/e/cat/"}),
    ],
)
def test_glance_finds_a_file_that_is_not_deep(tmp_path: Path, names: list[str], first: dict[object, str]) -> None:
    found = glance(made(tmp_path, *names), IMAGES, TEXTS)
    assert set(found.first) == set(first)
    assert all(path.startswith(first[kind]) for kind, path in found.first.items())
    assert found.whole or found.first


@pytest.mark.parametrize(
    ("names", "looked"),
    [
        ([f"{n}.dat" for n in range(50)], 10),
        ([f"{n}/{k}.dat" for n in range(9) for k in range(9)], 27),
        (["/".join("abcdefghijk"), "l"], 9),
    ],
)
def test_glance_looks_at_a_bounded_number_of_entries(
    tmp_path: Path, names: list[str], looked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EACH", 10)
    monkeypatch.setattr(module, "_MOST", 20)
    assert glance(made(tmp_path, *names), IMAGES) == Glance({}, looked, whole=False)


def test_glance_follows_no_circle_of_links(tmp_path: Path) -> None:
    made(tmp_path, "a/b/", "c/")
    for place in ("a/up", "a/b/up", "c/up", "c/again"):
        (tmp_path / place).symlink_to("..")
    assert glance(tmp_path, IMAGES) == Glance({}, 7, whole=True)
