from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.runs.faults import Faults, switches_once

from dltrain import runs
from dltrain.errors import RunError


def test_run_update_keeps_other_fields(run: runs.Run) -> None:
    before = run.record()
    run.update(parameters=12, metrics={"val_loss": 0.5})
    assert run.record() == replace(before, parameters=12, metrics={"val_loss": 0.5})
    run.update(metrics={"val_loss": float("nan")})
    assert json.loads(run.read_bytes("run.json"))["metrics"] == {"val_loss": None}
    assert math.isnan(run.record().metrics["val_loss"])


@pytest.mark.parametrize("status", runs.STATUSES)
def test_run_finish_sets_status_end_and_fields(run: runs.Run, status: runs.Status) -> None:
    run.finish(status, best_epoch=3)
    record = run.record()
    assert (record.status, record.best_epoch) == (status, 3)
    assert record.created <= str(record.ended) <= datetime.now(UTC).isoformat()


def test_run_can_be_reopened(run: runs.Run) -> None:
    run.finish("interrupted")
    run.update(status="running", ended=None)
    assert (run.record().status, run.record().ended) == ("running", None)


@pytest.mark.parametrize("fields", [{"status": "done"}, {"id": "x"}, {"created": "x"}])
def test_run_update_rejects_invalid_and_immutable_fields(run: runs.Run, fields: dict[str, Any]) -> None:
    before = run.record()
    with pytest.raises(ValueError, match=r"status|set once"):
        run.update(**fields)
    assert run.record() == before


def test_run_update_on_a_full_disk_leaves_the_record_intact(run: runs.Run, faults: Faults) -> None:
    before, found = run.record(), []
    for k in count(1):
        run.update(seed=before.seed)
        error = faults.full_disk_at(k, lambda: run.update(seed=7))
        found.append(run.record())
        assert {path.name for path in run.path.iterdir()} == {".lock", "config.yaml", "resolved.yaml", "run.json"}
        if error is None:
            break
        assert "run.json: No space left" in error.message
    assert switches_once(found, before, replace(before, seed=7))


def test_run_update_does_not_overwrite_a_damaged_record(run: runs.Run) -> None:
    (run.path / "run.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        run.update(seed=1)
    assert (run.path / "run.json").read_text() == "{"


def test_run_log_prefixes_each_line_with_the_time(run: runs.Run) -> None:
    run.log("one\ntwo")
    run.log("")
    run.log("Grüße \udcff")
    lines = (run.path / "log.txt").read_text(encoding="utf-8").splitlines()
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    assert all(stamp.match(line) for line in lines)
    assert [line[21:] for line in lines] == ["one", "two", "", "Grüße \\udcff"]


def test_run_metrics_round_trip(run: runs.Run) -> None:
    run.add_metrics({"epoch": 1, "loss": 0.1})
    run.add_metrics({"epoch": 2, "loss": float("inf")})
    assert run.metrics() == [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": None}]
    run.rewrite_metrics([{"loss": 0.1}])
    assert run.metrics() == [{"epoch": 1, "loss": 0.1}]


def test_run_write_creates_missing_folders(run: runs.Run) -> None:
    run.write_json("eval/deep/test.json", {"a": float("nan"), "b": [1]})
    run.write_text("eval/note.txt", "Grüße\r\n")
    run.write_bytes("model.keras", b"\0\1")
    assert json.loads(run.read_bytes("eval/deep/test.json")) == {"a": None, "b": [1]}
    assert run.read_bytes("eval/note.txt") == "Grüße\r\n".encode()


def test_run_removes_files_alone(run: runs.Run) -> None:
    run.write_text("eval/note.txt", "a")
    run.write_text("eval/kept/inside.txt", "b")
    for relative in ("eval/note.txt", "eval/note.txt", "eval/kept", "nowhere/x.txt"):
        run.remove(relative)
    assert sorted(path.name for path in (run.path / "eval").rglob("*")) == ["inside.txt", "kept"]


@pytest.mark.parametrize("relative", ["", ".", "..", "../x", "a/../../x", "/etc/x", "a\0"])
def test_run_rejects_paths_outside_of_it(run: runs.Run, relative: str) -> None:
    for work in (run.read_bytes, run.remove, lambda path: run.write_bytes(path, b"x")):
        with pytest.raises(ValueError, match="not a path inside a run"):
            work(relative)
    assert [entry.name for entry in run.path.parent.iterdir()] == [run.id]


def test_run_rejects_folders_that_link_outside_of_it(run: runs.Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (run.path / "eval").symlink_to(outside)
    (run.path / "checkpoints").symlink_to(outside)
    with pytest.raises(RunError, match="leads out of the run"):
        run.write_bytes("eval/test.json", b"x")
    assert not list(outside.iterdir())


def test_run_replaces_a_link_instead_of_writing_through_it(run: runs.Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (run.path / "note.txt").symlink_to(outside)
    run.write_text("note.txt", "theirs")
    assert outside.read_text() == "mine"
    assert run.read_bytes("note.txt") == b"theirs"


@pytest.mark.parametrize(
    "work",
    [
        lambda run: run.update(seed=1),
        lambda run: run.log("x"),
        lambda run: run.add_metrics({"epoch": 1}),
        lambda run: run.write_bytes("eval/a.json", b"x"),
        lambda run: run.commit_checkpoint(1, {"a": b"x"}),
        lambda run: run.read_bytes("config.yaml"),
        lambda run: run.read_checkpoint(1),
    ],
)
def test_run_removed_meanwhile_is_a_run_error_and_is_not_recreated(run: runs.Run, work: Any) -> None:
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match=run.id):
        work(run)
    assert not run.path.exists()


def test_run_checkpoints_are_committed_kept_and_read(run: runs.Run) -> None:
    for epoch in (2, 10, 1):
        assert run.commit_checkpoint(epoch, {"a": b"x"}) == run.path / "checkpoints" / f"epoch-{epoch:04d}"
    assert run.checkpoints() == [1, 2, 10]
    run.keep_checkpoints({10, 2})
    assert run.checkpoints() == [2, 10]
    assert run.read_checkpoint(10) == {"a": b"x"}
