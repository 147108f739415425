from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import sys
import tracemalloc
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.runs.faults import Faults, switches_once

from dltrain import runs
from dltrain.errors import RunError, UsageError
from dltrain.names import slug
from dltrain.runs import ids
from dltrain.runs.record import read_record

FILES = {".lock", "config.yaml", "resolved.yaml", "run.json"}


def _create(runs_dir: Path, name: str = "cnn", **record: Any) -> runs.Run:
    return runs.create(runs_dir, name=name, config=b"a: 1\r\n", resolved="é: 1\n", record=record)


def _names(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def test_store_create_writes_the_three_files(runs_dir: Path) -> None:
    run = _create(runs_dir, seed=42, overrides=("train.epochs=1",))
    assert _names(runs_dir) == {run.id}
    assert _names(run.path) == FILES
    assert run.read_bytes("config.yaml") == b"a: 1\r\n"
    assert run.read_bytes("resolved.yaml") == "é: 1\n".encode()
    record = run.record()
    written = json.loads(run.read_bytes("run.json"))
    assert list(written)[:6] == ["schema_version", "id", "name", "status", "created", "ended"]
    assert record == runs.RunRecord(
        id=run.id,
        name="cnn",
        status="running",
        created=record.created,
        seed=42,
        overrides=("train.epochs=1",),
    )
    assert ids.read_id(run.id) == (record.created[:20] + "000000Z", "cnn")


@pytest.mark.parametrize("name", ["", "a/b", "..", "my config", "x" * 65])
def test_store_create_rejects_an_invalid_name_and_suggests_one(runs_dir: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a run") as caught:
        _create(runs_dir, name)
    assert slug(name) in caught.value.hint
    assert not runs_dir.exists()


@pytest.mark.parametrize("key", ["id", "status", "ended"])
def test_store_create_rejects_a_record_with_reserved_fields(runs_dir: Path, key: str) -> None:
    with pytest.raises(ValueError, match=key):
        _create(runs_dir, **{key: "x"})


def test_store_create_leaves_nothing_if_the_record_is_not_json(runs_dir: Path) -> None:
    with pytest.raises(TypeError):
        _create(runs_dir, path=runs_dir)
    assert _names(runs_dir) == set()


def test_store_create_on_a_full_disk_leaves_nothing(runs_dir: Path, faults: Faults) -> None:
    runs_dir.mkdir()
    for k in count(1):
        error = faults.full_disk_at(k, lambda: _create(runs_dir))
        if error is None:
            break
        assert "No space left" in error.message
        assert "--runs-dir" in error.hint
        assert _names(runs_dir) == set()
    assert k > 1
    assert [_names(path) for path in runs_dir.iterdir()] == [FILES]


def test_store_create_killed_at_any_step_leaves_a_complete_run_or_none(tmp_path: Path, faults: Faults) -> None:
    found = []
    for k in count(1):
        runs_dir = tmp_path / str(k)
        runs_dir.mkdir()
        killed = faults.kill_at(k, partial(_create, runs_dir))
        listed = runs.list_runs(runs_dir)
        assert all(_names(summary.path) == FILES for summary in listed)
        found.append([summary.status for summary in listed])
        if not killed:
            break
    assert switches_once(found, [], ["crashed"])


def test_store_create_retries_on_a_taken_id(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    real = secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", lambda n: next(digits) if n == 2 else real(n))
    monkeypatch.setattr(ids, "_ID_TIME", "20260101-000000")
    first, second = _create(runs_dir), _create(runs_dir)
    assert (first.id, second.id) == ("20260101-000000-cnn-aaaa", "20260101-000000-cnn-bbbb")
    assert second.record().id == second.id
    assert _names(runs_dir) == {first.id, second.id}


def test_store_create_survives_losing_the_race_for_an_id(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace
    rivals: list[Path] = []

    def rival_first(source: Path, target: Path) -> None:
        if not rivals:
            rivals.append(Path(target))
            Path(target).mkdir()
            (Path(target) / "run.json").write_text("rival")
        real(source, target)

    monkeypatch.setattr(os, "replace", rival_first)
    run = _create(runs_dir)
    assert run.path != rivals[0]
    assert (rivals[0] / "run.json").read_text() == "rival"
    assert _names(runs_dir) == {run.id, rivals[0].name}


def test_store_create_gives_up_when_every_id_is_taken(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltrain.runs.store.new_id", lambda *_: "taken")
    (runs_dir / "taken").mkdir(parents=True)
    with pytest.raises(RunError, match="100 ids in a row"):
        _create(runs_dir)
    assert _names(runs_dir) == {"taken"}


def test_store_ensure_writable_creates_an_empty_directory(runs_dir: Path) -> None:
    runs.ensure_writable(runs_dir / "deep")
    runs.ensure_writable(runs_dir / "deep")
    assert _names(runs_dir / "deep") == set()


@pytest.mark.parametrize("relative", ["file", "file/runs", "dangling"])
def test_store_ensure_writable_rejects_a_file_in_its_place(tmp_path: Path, relative: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RunError, match=f"cannot write in the runs directory .*{relative}: ") as caught:
        runs.ensure_writable(tmp_path / relative)
    assert caught.value.hint == "choose another place with `--runs-dir DIR`"
    assert caught.value.exit_code == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize("directory", ["/proc", "/proc/self/runs"])
def test_store_ensure_writable_rejects_what_even_root_cannot_write(directory: str) -> None:
    with pytest.raises(RunError, match="cannot write in the runs directory /proc"):
        runs.ensure_writable(Path(directory))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["open", "fsync"])
def test_store_ensure_writable_reports_the_reason_and_cleans_up(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    runs_dir.mkdir()

    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(RunError, match=os.strerror(number)):
        runs.ensure_writable(runs_dir)
    monkeypatch.undo()
    assert _names(runs_dir) == set()


def test_store_list_runs_without_a_directory_is_empty(runs_dir: Path) -> None:
    assert runs.list_runs(runs_dir) == []


def test_store_list_runs_of_a_file_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(RunError, match=r"cannot read .*runs"):
        runs.list_runs(tmp_path / "runs")


def test_store_list_runs_puts_the_newest_last_even_within_a_second(runs_dir: Path) -> None:
    made = [_create(runs_dir, name) for name in ("z", "y", "x", "w", "a")]
    made[0].finish("completed", metrics={"val_accuracy": 0.5})
    listed = runs.list_runs(runs_dir)
    assert [summary.id for summary in listed] == [run.id for run in made]
    assert listed[0] == runs.RunSummary(
        id=made[0].id,
        path=made[0].path,
        name="z",
        status="completed",
        created=made[0].record().created,
        record=made[0].record(),
    )


def test_store_list_runs_includes_damaged_runs_and_skips_other_entries(runs_dir: Path) -> None:
    run = _create(runs_dir)
    early = runs_dir / "20200101-000000-old-ffff"
    early.mkdir()
    late = runs_dir / "29990101-000000-new-0000"
    late.mkdir()
    (late / "run.json").write_text('{"schema_ver')
    (runs_dir / "renamed").mkdir()
    (runs_dir / "renamed" / "run.json").write_text("[]")
    (runs_dir / "notes").mkdir()
    (runs_dir / ".tmp-x").mkdir()
    (runs_dir / ".tmp-x" / "run.json").touch()
    (runs_dir / "README.md").touch()
    listed = runs.list_runs(runs_dir)
    assert [(summary.id, summary.name, summary.status) for summary in listed] == [
        ("renamed", "renamed", runs.DAMAGED),
        (early.name, "old", runs.DAMAGED),
        (run.id, "cnn", "running"),
        (late.name, "new", runs.DAMAGED),
    ]
    assert "No such file" in listed[1].problem
    assert "not JSON" in listed[3].problem


def test_store_list_runs_takes_the_id_from_run_json(runs_dir: Path) -> None:
    run = _create(runs_dir)
    run.path.rename(runs_dir / "kept")
    (summary,) = runs.list_runs(runs_dir)
    assert (summary.id, summary.path) == (run.id, runs_dir / "kept")
    assert runs.find(run.id, runs_dir).path == runs.find("kept", runs_dir).path == summary.path


@pytest.mark.parametrize("name", ["zz-latest", "00-first", "20991231-000000-x-ffff"])
def test_store_list_runs_follows_no_link(runs_dir: Path, name: str) -> None:
    first, last = _create(runs_dir), _create(runs_dir)
    (runs_dir / name).symlink_to(first.path)
    (runs_dir / "loop").symlink_to("loop")
    (runs_dir / "gone").symlink_to("nowhere")
    assert [summary.path for summary in runs.list_runs(runs_dir)] == [first.path, last.path]
    assert runs.find("latest", runs_dir).path == last.path


@pytest.mark.parametrize("name", ["copy", "zz", "20991231-000000-x-ffff"])
def test_store_list_runs_keeps_the_order_where_a_run_was_copied(runs_dir: Path, name: str) -> None:
    first, last = _create(runs_dir), _create(runs_dir)
    shutil.copytree(first.path, runs_dir / name)
    assert [summary.id for summary in runs.list_runs(runs_dir)] == [first.id, first.id, last.id]
    assert runs.find("latest", runs_dir).path == last.path
    assert runs.find(first.id, runs_dir).path == first.path
    assert runs.find(name, runs_dir).path == runs_dir / name
    first.path.rename(runs_dir / "moved")
    with pytest.raises(UsageError, match="fits 2 runs") as caught:
        runs.find(first.id, runs_dir)
    assert "moved" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["epoch-" + "9" * 249, "epoch-" + "1" * 100, ".old-epoch-" + "9" * 244, "epoch-9999999999"]
)
def test_store_list_runs_with_a_long_name_in_a_run(runs_dir: Path, name: str) -> None:
    run = _create(runs_dir)
    (run.path / "checkpoints" / name).mkdir(parents=True)
    (run.path / "checkpoints" / name / "manifest.json").touch()
    (summary,) = runs.list_runs(runs_dir)
    assert summary.epochs_done() == 0


def test_store_list_runs_keeps_only_what_is_known_in_memory(runs_dir: Path) -> None:
    for _ in range(10):
        run = _create(runs_dir)
        fields = json.loads((run.path / "run.json").read_text())
        (run.path / "run.json").write_text(json.dumps({**fields, "more": [[]] * 50_000}))
    tracemalloc.start()
    listed = runs.list_runs(runs_dir)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [summary.status for summary in listed] == ["running"] * 10
    assert now < 1_000_000
    assert peak < 60_000_000
    run.update(seed=3)
    assert len(run.record().unknown["more"]) == 50_000


@pytest.mark.parametrize("depth", [60, 600, 900, 100_000])
def test_store_list_runs_with_deeply_nested_fields(runs_dir: Path, depth: int) -> None:
    run = _create(runs_dir)
    fields = (run.path / "run.json").read_text().rstrip().removesuffix("}")
    (run.path / "run.json").write_text(f'{fields}, "deep": {"[" * depth}{"]" * depth}}}')
    (summary,) = runs.list_runs(runs_dir)
    assert summary.status == runs.DAMAGED
    with pytest.raises(RunError, match="nested too deeply"):
        run.record()


def test_store_list_runs_reads_each_run_once(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [_create(runs_dir) for _ in range(5)]
    read: list[Path] = []

    def counted(path: Path, known: bool = False) -> runs.RunRecord:
        read.append(path)
        return read_record(path, known=known)

    monkeypatch.setattr("dltrain.runs.store.read_record", counted)
    assert len(runs.list_runs(runs_dir)) == 5
    assert sorted(read) == sorted(run.path for run in made)
