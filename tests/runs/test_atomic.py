from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.runs.faults import Faults, switches_once

from dltrain.errors import RunError
from dltrain.runs import atomic


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    os.umask(before)
    yield os.umask
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_atomic_write_file_replaces_and_leaves_no_other_files(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic.write_file(path, b"old")
    atomic.write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["a.json"]


def test_atomic_write_file_accepts_the_longest_name(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    atomic.write_file(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("mask", "file_mode", "directory_mode"),
    [(0o022, 0o644, 0o755), (0o002, 0o664, 0o775), (0o077, 0o600, 0o700), (0o000, 0o664, 0o775)],
)
def test_atomic_modes_follow_the_umask_and_are_never_world_writable(
    tmp_path: Path, umask: Callable[[int], int], mask: int, file_mode: int, directory_mode: int
) -> None:
    umask(mask)
    atomic.make_directories(tmp_path / "a" / "b")
    atomic.make_subdirectories(tmp_path, tmp_path / "c" / "d")
    atomic.write_file(tmp_path / "file", b"x")
    atomic.append(tmp_path / "log", b"x")
    with atomic.staged_directory(tmp_path, {"f": b"x"}) as stage:
        stage.replace(tmp_path / "published")
    for directory in ("a", "a/b", "c", "c/d", "published"):
        assert _mode(tmp_path / directory) == directory_mode
    for file in ("file", "log", "published/f"):
        assert _mode(tmp_path / file) == file_mode


def test_atomic_write_file_survives_a_full_disk_at_each_step(tmp_path: Path, faults: Faults) -> None:
    path, found = tmp_path / "a.json", []
    for k in count(1):
        atomic.write_file(path, b"old")
        error = faults.full_disk_at(k, lambda: atomic.write_file(path, b"new"))
        found.append(path.read_bytes())
        assert _names(tmp_path) == ["a.json"]
        if error is None:
            break
        assert "a.json: No space left on device" in error.message
        assert "free some space" in error.hint
    assert switches_once(found, b"old", b"new")


def test_atomic_write_file_survives_a_kill_at_each_step(tmp_path: Path, faults: Faults) -> None:
    path, found = tmp_path / "a.json", []
    for k in count(1):
        atomic.write_file(path, b"old")
        killed = faults.kill_at(k, lambda: atomic.write_file(path, b"new"))
        found.append(path.read_bytes())
        if not killed:
            break
    assert switches_once(found, b"old", b"new")


def test_atomic_write_file_cleans_up_after_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_file(tmp_path / "a", b"x")
    assert _names(tmp_path) == []


def test_atomic_write_file_does_not_replace_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(RunError, match="cannot write"):
        atomic.write_file(tmp_path / "a", b"x")
    assert _names(tmp_path) == ["a"]


def test_atomic_write_file_in_a_missing_directory_names_the_target(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"gone/a\.json: No such file") as caught:
        atomic.write_file(tmp_path / "gone" / "a.json", b"x")
    assert "removed meanwhile" in caught.value.hint


def test_atomic_append_appends_and_truncates(tmp_path: Path) -> None:
    path = tmp_path / "log"
    atomic.append(path, b"one\ntor")
    atomic.append(path, b"two\n", at=4)
    atomic.append(path, b"three\n", sync=True)
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_atomic_failed_append_keeps_the_old_length(tmp_path: Path, faults: Faults) -> None:
    path = tmp_path / "log"
    atomic.append(path, b"one\ntorn")
    error = faults.full_disk_at(1, lambda: atomic.append(path, b"two\n", at=4, sync=True))
    assert error is not None
    assert "No space left" in error.message
    assert path.read_bytes() == b"one\n"


def test_atomic_append_rejects_a_device() -> None:
    with pytest.raises(RunError, match="/dev/null is not a plain file"):
        atomic.append(Path("/dev/null"), b"x")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_atomic_sync_directory_tolerates_file_systems_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    atomic.sync_directory(tmp_path)
    with pytest.raises(OSError, match=os.strerror(number)):
        atomic.write_new(tmp_path / "f", b"")


def test_atomic_sync_directory_reports_an_io_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        atomic.sync_directory(tmp_path)


def test_atomic_make_subdirectories_does_not_recreate_a_removed_root(tmp_path: Path) -> None:
    root = tmp_path / "run"
    with pytest.raises(FileNotFoundError):
        atomic.make_subdirectories(root, root / "eval")
    assert not root.exists()


def test_atomic_discard_of_a_link_keeps_its_target(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    atomic.discard(tmp_path / "link")
    atomic.discard(tmp_path / "never was")
    assert _names(tmp_path) == ["precious"]
