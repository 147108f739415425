"""Texts in files: what is no text is told by its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dltrain.data.tables.table import Wrong
from dltrain.data.text import files
from dltrain.data.text.files import lines_of, parts_of, text_of

NOT_TEXTS = [
    (b"abc\ndef\xff\n", "utf-8", "invalid start byte at byte 7"),
    (b"\xef\xbb\xbfabc\ndef\xff\n", "utf-8", "invalid start byte at byte 10"),
    (b"x" * 100_000 + b"\xe4\n", "utf-8", "at byte 100,000"),
    (b"abc", "utf-16", "not written in utf-16"),
    (b"\x89PNG\0\0", "latin-1", "NUL characters"),
    (b"abc", "latin1-x", "there is no encoding `latin1-x`"),
    (b"abc", "utf\0", "there is no encoding `utf\0`"),
    (b"abc", "rot13", "there is no encoding `rot13`"),
]


@pytest.mark.parametrize(("data", "encoding", "told"), NOT_TEXTS)
def test_files_that_are_no_text_are_told(tmp_path: Path, data: bytes, encoding: str, told: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    readers: tuple[Callable[[], object], ...] = (
        lambda: text_of(path, encoding),
        lambda: list(lines_of(path, encoding)),
        lambda: list(parts_of(path, encoding, words=True)),
    )
    for read in readers:
        with pytest.raises(Wrong, match=told) as caught:
            read()
        assert caught.value.argument == ("path" if "NUL" in told else "encoding")


def test_files_give_their_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone two\r\nthree\n\nfour")
    assert text_of(path, "utf-8") == "one two\r\nthree\n\nfour"
    assert list(lines_of(path, "utf-8")) == ["one two", "three", "", "four"]
    assert "".join(parts_of(path, "utf-8", words=False)) == "one two\nthree\n\nfour"


@pytest.mark.parametrize("size", [1, 3, 7])
def test_files_in_parts_keep_words_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(files, "_PART", size)
    path = tmp_path / "a.txt"
    path.write_text("a bb ccc\n\nd")
    if size == 1:
        with pytest.raises(Wrong, match="a word of more than 1 characters"):
            list(parts_of(path, "utf-8", words=True))
        return
    parts = list(parts_of(path, "utf-8", words=True))
    assert "".join(parts) == "a bb ccc\n\nd"
    assert [word for part in parts for word in part.split()] == ["a", "bb", "ccc", "d"]


def test_files_that_are_too_large_for_one_text_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 4)
    (tmp_path / "a.txt").write_text("12345")
    for read in (lambda: text_of(tmp_path / "a.txt", "utf-8"), lambda: list(lines_of(tmp_path / "a.txt", "utf-8"))):
        with pytest.raises(Wrong, match=r"larger than|more than 4 characters"):
            read()


@pytest.mark.parametrize(("name", "told"), [("b.txt", "does not exist"), (".", "is a folder, not a text")])
def test_files_that_are_none_are_told(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(Wrong, match=told) as caught:
        list(lines_of(tmp_path / name, "utf-8"))
    assert "a.txt" in caught.value.hint or name == "."


@pytest.mark.parametrize("path", ["/dev/zero", "fifo"])
def test_files_that_never_end_are_no_texts(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    for read in (lambda: text_of(tmp_path / path, "utf-8"), lambda: list(lines_of(tmp_path / path, "utf-8"))):
        with pytest.raises(Wrong, match="no plain file"):
            read()
