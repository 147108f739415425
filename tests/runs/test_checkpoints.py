from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from itertools import count, groupby
from pathlib import Path
from typing import Any

import pytest
from tests.runs.faults import FOREVER, Faults, switches_once

from dltrain.errors import RunError
from dltrain.runs import checkpoints

OLD = {"weights.safetensors": b"old weights", "state.json": b"{}"}
NEW = {"weights.safetensors": b"new", "optimizer.safetensors": b"o"}


def _names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def _folder(parent: Path, k: int) -> Path:
    """Create and return the folder of attempt `k`."""
    (parent / str(k)).mkdir()
    return parent / str(k)


def test_checkpoints_commit_writes_files_and_manifest(tmp_path: Path) -> None:
    path = checkpoints.commit(tmp_path, 7, OLD)
    assert path == tmp_path / "epoch-0007"
    assert _names(path) == ["manifest.json", "state.json", "weights.safetensors"]
    assert json.loads((path / "manifest.json").read_bytes()) == {
        "schema_version": 1,
        "epoch": 7,
        "files": {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in OLD.items()},
    }
    assert checkpoints.read(tmp_path, 7) == OLD


def test_checkpoints_epochs_are_sorted_by_number_and_need_a_manifest(tmp_path: Path) -> None:
    for epoch in (10_000, 9, 12):
        checkpoints.commit(tmp_path, epoch, OLD)
    for other in ("epoch-0003", "epoch-00004", "epoch-5", "epoch-x", ".tmp-1"):
        (tmp_path / other).mkdir()
    (tmp_path / "epoch-00004" / "manifest.json").touch()
    (tmp_path / ".tmp-1" / "manifest.json").touch()
    assert checkpoints.epochs(tmp_path) == [9, 12, 10_000]


def test_checkpoints_epochs_without_a_directory_are_empty(tmp_path: Path) -> None:
    assert checkpoints.epochs(tmp_path / "none") == []


@pytest.mark.parametrize("name", ["manifest.json", "", ".", "..", "a/b", "../x", ".hidden", "a\0", "/etc/x"])
def test_checkpoints_commit_rejects_all_but_plain_file_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        checkpoints.commit(tmp_path, 1, {name: b""})
    assert _names(tmp_path) == []


def test_checkpoints_commit_rejects_a_negative_epoch(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="-1"):
        checkpoints.commit(tmp_path, -1, OLD)


def test_checkpoints_commit_of_a_new_epoch_is_all_or_nothing(tmp_path: Path, faults: Faults) -> None:
    found = []
    for k in count(1):
        folder = _folder(tmp_path, k)
        checkpoints.commit(folder, 1, OLD)
        error = faults.full_disk_at(k, partial(checkpoints.commit, folder, 2, NEW))
        assert checkpoints.read(folder, 1) == OLD
        found.append(_names(folder))
        if error is None:
            break
        assert "epoch-0002: No space left" in error.message
    assert switches_once(found, ["epoch-0001"], ["epoch-0001", "epoch-0002"])
    assert checkpoints.read(tmp_path / str(found.index(found[-1]) + 1), 2) == NEW


def test_checkpoints_commit_over_an_epoch_keeps_one_intact_on_a_full_disk(tmp_path: Path, faults: Faults) -> None:
    found = []
    for k in count(1):
        folder = _folder(tmp_path, k)
        checkpoints.commit(folder, 1, OLD)
        error = faults.full_disk_at(k, partial(checkpoints.commit, folder, 1, NEW))
        found.append(checkpoints.read(folder, 1))
        if faults.calls < k:
            break
        if error is None:  # only the removal of the old one failed, and that can wait
            assert found[-1] == NEW
        else:
            assert "epoch-0001: No space left" in error.message
            assert _names(folder) == ["epoch-0001"]
    assert switches_once(found, OLD, NEW)


def test_checkpoints_commit_over_an_epoch_keeps_one_on_a_failing_disk(tmp_path: Path, faults: Faults) -> None:
    found, failed = [], []
    for k in count(1):
        folder = _folder(tmp_path, k)
        checkpoints.commit(folder, 1, OLD)
        error = faults.full_disk_at(k, partial(checkpoints.commit, folder, 1, NEW), last=FOREVER)
        assert checkpoints.epochs(folder) == [1]
        found.append(checkpoints.read(folder, 1))
        failed.append(error is not None)
        assert error is None or "epoch-0001: No space left" in error.message
        checkpoints.keep(folder, {1})
        assert checkpoints.read(folder, 1) == found[-1]
        assert _names(folder) == ["epoch-0001"]
        if faults.calls < k:
            break
    assert switches_once(found, OLD, NEW)
    # Failures are reported until the new one is in place: after that, the removal of the old one can wait.
    assert switches_once(failed, True, False)
    assert failed.count(True) >= found.count(OLD)


def test_checkpoints_commit_over_an_epoch_survives_a_kill_at_each_step(tmp_path: Path, faults: Faults) -> None:
    found = []
    for k in count(1):
        folder = _folder(tmp_path, k)
        checkpoints.commit(folder, 1, OLD)
        killed = faults.kill_at(k, partial(checkpoints.commit, folder, 1, NEW))
        assert checkpoints.epochs(folder) == [1]
        found.append(checkpoints.read(folder, 1))
        checkpoints.commit(folder, 1, {"again": b""})
        checkpoints.keep(folder, {1})
        assert checkpoints.read(folder, 1) == {"again": b""}
        assert _names(folder) == ["epoch-0001"]
        if not killed:
            break
    assert switches_once(found, OLD, NEW)


def test_checkpoints_commit_of_a_new_epoch_survives_a_kill_at_each_step(tmp_path: Path, faults: Faults) -> None:
    found = []
    for k in count(1):
        folder = _folder(tmp_path, k)
        checkpoints.commit(folder, 1, OLD)
        killed = faults.kill_at(k, partial(checkpoints.commit, folder, 2, NEW))
        found.append(checkpoints.epochs(folder))
        checkpoints.keep(folder, {1, 2})
        assert _names(folder) == [f"epoch-000{epoch}" for epoch in found[-1]]
        if not killed:
            break
    assert switches_once(found, [1], [1, 2])


def _truncate(path: Path) -> None:
    (path / "weights.safetensors").write_bytes(b"old")


def _flip(path: Path) -> None:
    (path / "weights.safetensors").write_bytes(b"OLD weights")


def _link(path: Path) -> None:
    (path / "state.json").rename(path.parent / "elsewhere")
    (path / "state.json").symlink_to(path.parent / "elsewhere")


def _other_epoch(path: Path) -> None:
    shutil.copytree(path, path.with_name("epoch-0002"))
    shutil.rmtree(path)
    path.with_name("epoch-0002").rename(path)
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "epoch": 2}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncate, "weights.safetensors has size 3 bytes, the manifest says 11 bytes"),
        (_flip, "weights.safetensors has sha256 "),
        (lambda path: (path / "state.json").unlink(), "state.json is missing"),
        (lambda path: (path / "extra").touch(), "extra is not in the manifest"),
        (_link, "state.json is not a plain file"),
        (_other_epoch, "speaks of epoch 2, not 1"),
        (lambda path: (path / "manifest.json").write_bytes(b'{"fi'), "not JSON"),
        (lambda path: (path / "manifest.json").write_bytes(b"[]"), "no table of files"),
        (lambda path: (path / "manifest.json").write_bytes(b'{"files": {"a": 1}}'), "no table of files"),
        (lambda path: (path / "manifest.json").unlink(), "no checkpoint of epoch 1"),
    ],
)
def test_checkpoints_read_reports_what_differs(tmp_path: Path, damage: Callable[[Path], Any], message: str) -> None:
    damage(checkpoints.commit(tmp_path, 1, OLD))
    with pytest.raises(RunError) as caught:
        checkpoints.read(tmp_path, 1)
    assert message in caught.value.message
    assert str(tmp_path) in caught.value.message


def test_checkpoints_read_never_follows_the_manifest_outside_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s")
    path = checkpoints.commit(tmp_path, 1, {"a": b"s"})
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"a"', json.dumps(str(secret))))
    with pytest.raises(RunError, match="damaged"):
        checkpoints.read(tmp_path, 1)


def test_checkpoints_read_of_a_missing_epoch_lists_the_existing_ones(tmp_path: Path) -> None:
    checkpoints.commit(tmp_path, 3, OLD)
    with pytest.raises(RunError, match="no checkpoint of epoch 4") as caught:
        checkpoints.read(tmp_path, 4)
    assert caught.value.hint == "checkpoints there: 3"


def test_checkpoints_keep_removes_the_others_and_leftovers(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        checkpoints.commit(tmp_path, epoch, OLD)
    (tmp_path / ".tmp-dir").mkdir()
    (tmp_path / ".tmp-dir" / "weights").touch()
    (tmp_path / ".tmp-file").touch()
    (tmp_path / "notes.txt").touch()
    shutil.copytree(tmp_path / "epoch-0001", tmp_path / ".old-epoch-0002")
    checkpoints.keep(tmp_path, [2])
    assert _names(tmp_path) == ["epoch-0002", "notes.txt"]
    assert checkpoints.read(tmp_path, 2) == OLD


def test_checkpoints_keep_does_not_restore_an_unwanted_epoch(tmp_path: Path) -> None:
    checkpoints.commit(tmp_path, 1, OLD).rename(tmp_path / ".old-epoch-0001")
    assert checkpoints.read(tmp_path, 1) == OLD
    checkpoints.keep(tmp_path, [])
    assert _names(tmp_path) == []


def test_checkpoints_keep_without_a_directory_does_nothing(tmp_path: Path) -> None:
    checkpoints.keep(tmp_path / "none", [1])
    assert _names(tmp_path) == []


def test_checkpoints_keep_survives_a_kill_at_each_step(tmp_path: Path, faults: Faults) -> None:
    found = []
    for k in count(1):
        folder = _folder(tmp_path, k)
        for epoch in (1, 2, 3):
            checkpoints.commit(folder, epoch, OLD)
        killed = faults.kill_at(k, partial(checkpoints.keep, folder, [3]))
        left = checkpoints.epochs(folder)
        assert all(checkpoints.read(folder, epoch) == OLD for epoch in left)
        found.append(left)
        checkpoints.keep(folder, [3])
        assert _names(folder) == ["epoch-0003"]
        if not killed:
            break
    assert found == sorted(found)
    assert [left for left, _ in groupby(found)] == [[1, 2, 3], [2, 3], [3]]


def test_checkpoints_keep_killed_while_deleting_leaves_none_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.commit(tmp_path, 1, OLD)

    def die(path: Path) -> None:
        (path / "state.json").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.keep(tmp_path, [])
    assert checkpoints.epochs(tmp_path) == []
