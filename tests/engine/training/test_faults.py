"""Injected faults during training; docs/reliability.md has a row for each."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import Command, Done, Trained, copied, fingerprint, slow_but

import dltrain as package
from dltrain import runs
from dltrain.engine import EpochDone
from dltrain.errors import DltrainError, RunError
from dltrain.runs import run as run_module
from dltrain.runs import store

EPOCHS = "train.epochs=3"
# A call that puts a file or folder into place: the function, and how the path that it creates ends.
MOMENTS = {
    "the run is created": ("replace", r"runs/[^/.]+"),
    "a checkpoint begins": ("mkdir", r"checkpoints/\.tmp-\w+"),
    "the table is written": ("replace", r"metrics\.csv"),
    "a checkpoint is published": ("replace", r"checkpoints/epoch-0002"),
    "an old checkpoint is discarded": ("replace", r"checkpoints/epoch-0001 -> .*"),  # after the last epoch
    "the model is saved": ("replace", r"model\.keras"),
    "the predictions are saved": ("replace", r"predictions\.csv"),
}
# Kills itself at one call, selected by the path that it creates or by its number.
DRIVER = """
import os, re, sys
config, folder, function, which = sys.argv[1:]
calls = 0
def wrap(name):
    real = getattr(os, name)
    def wrapped(*args, **kwargs):
        global calls
        calls += 1
        made = " -> ".join(map(str, args[: 1 + (name == "replace")]))
        if which == str(calls) or name == function and re.search(f"{which}$", made):
            os._exit(9)
        return real(*args, **kwargs)
    return wrapped
os.replace, os.mkdir, os.fsync = map(wrap, ("replace", "mkdir", "fsync"))
import dltrain
dltrain.fit(config, ["train.epochs=3"], runs_dir=folder)
"""
# The slow tests try every call, split into this many parts.
PARTS = 4


def at_epoch(epoch: int, act: Callable[[], None]) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        if isinstance(event, EpochDone) and event.epoch == epoch:
            act()

    return listen


@pytest.fixture
def expected(trained: Trained) -> dict[str, str]:
    return fingerprint(trained.finished(EPOCHS))


def resume_or_fit(tiny: Path, runs_dir: Path) -> runs.Run:
    """Return the run if it was completed before the fault, else resume it, or start it if nothing was left."""
    for summary in runs.list_runs(runs_dir):
        run = package.load_run(summary.id, runs_dir)
        return run if summary.status == "completed" else package.resume(run)
    return package.fit(tiny, [EPOCHS], runs_dir=runs_dir)


class FullDisk:
    """Every write fails from the given call on, until `free` is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, function: str, which: str | int) -> None:
        self.calls, self.function, self.which = 0, function, which
        self.full = False
        self.freed = False
        for name in ("replace", "fsync", "mkdir"):
            monkeypatch.setattr(os, name, self.wrap(name))

    def wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if isinstance(self.which, int):
                self.full |= self.calls >= self.which
            else:
                made = " -> ".join(map(str, args[: 1 + (name == "replace")]))
                self.full |= name == self.function and bool(re.search(f"{self.which}$", made))
            if self.full and not self.freed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return wrapped

    def free(self) -> None:
        self.freed = True


def fill(tiny: Path, runs_dir: Path, expected: dict[str, str], function: str, which: str | int) -> bool:
    """Train while the disk fills up, free it, and resume; return whether the given call was reached."""
    with pytest.MonkeyPatch.context() as patch:
        disk = FullDisk(patch, function, which)
        message = ""
        try:
            package.fit(tiny, [EPOCHS], runs_dir=runs_dir)
        except DltrainError as error:
            message = error.message
        disk.free()
        assert disk.full == bool(message)
        if message:
            assert "No space left" in message
            assert fingerprint(resume_or_fit(tiny, runs_dir)) == expected
    return disk.full


@pytest.mark.parametrize(
    "moment",
    slow_but(
        ["the run is created", "a checkpoint is published", "the model is saved"],
        [moment for moment in MOMENTS if moment != "the table is written"],
    ),
)
def test_faults_full_disk_loses_no_saved_data(
    tiny: Path, tmp_path: Path, expected: dict[str, str], moment: str
) -> None:
    assert fill(tiny, tmp_path / "runs", expected, *MOMENTS[moment])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_faults_full_disk_at_any_step_loses_no_saved_data(
    tiny: Path, tmp_path: Path, expected: dict[str, str], part: int
) -> None:
    k = part + 1
    while fill(tiny, tmp_path / f"runs-{k}", expected, "", k):
        k += PARTS
    assert k > 50


def kill(tiny: Path, runs_dir: Path, expected: dict[str, str], function: str, which: str) -> bool:
    """Train until the given call kills the process, and resume; return whether the call was reached."""
    command = [sys.executable, "-c", DRIVER, str(tiny), str(runs_dir), function, which]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode in (0, 9), done.stderr[-2000:]
    if done.returncode == 9:
        left = [summary.status for summary in runs.list_runs(runs_dir)]
        assert set(left) <= {"crashed", "completed"}
        assert fingerprint(resume_or_fit(tiny, runs_dir)) == expected
    return done.returncode == 9


@pytest.mark.parametrize(
    "moment",
    slow_but(
        ["a checkpoint is published"],
        ["the table is written", "a checkpoint is published", "an old checkpoint is discarded"],
    ),
)
def test_faults_kill_during_a_commit_loses_at_most_the_epoch(
    tiny: Path, tmp_path: Path, expected: dict[str, str], moment: str
) -> None:
    assert kill(tiny, tmp_path / "runs", expected, *MOMENTS[moment])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_faults_kill_at_any_step_loses_at_most_the_epoch(
    tiny: Path, tmp_path: Path, expected: dict[str, str], part: int
) -> None:
    k = part + 1
    while kill(tiny, tmp_path / f"runs-{k}", expected, "", str(k)):
        k += PARTS
    assert k > 50


def test_faults_removed_runs_directory_is_reported_and_not_recreated(tiny: Path, tmp_path: Path) -> None:
    listen = at_epoch(1, lambda: shutil.rmtree(tmp_path / "runs"))
    with pytest.raises(RunError, match="No such file") as caught:
        package.fit(tiny, [EPOCHS], runs_dir=tmp_path / "runs", on_event=listen)
    assert "moved or removed" in caught.value.hint
    assert not (tmp_path / "runs").exists()


def test_faults_two_fits_with_one_name_create_two_runs(tiny: Path, tmp_path: Path, dltrain: Command) -> None:
    inner: list[Done] = []
    listen = at_epoch(1, lambda: inner.append(dltrain("fit", tiny, "-s", "train.epochs=1")))
    outer = package.fit(tiny, [EPOCHS], runs_dir=tmp_path / "runs", on_event=listen)
    other = runs.Run(tmp_path / inner[0].stdout.strip())
    assert len(runs.list_runs(tmp_path / "runs")) == 2
    assert other.path != outer.path
    assert other.record().name == outer.record().name


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema_version": 1}', b"[" * 100_000])
def test_faults_damaged_run_json_is_reported(trained: Trained, tmp_path: Path, damage: bytes) -> None:
    run = copied(trained.finished(), tmp_path)
    (run.path / "run.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"run\.json"):
        package.resume(run)
    assert runs.list_runs(tmp_path)[0].status == "damaged"


def test_faults_damaged_journal_row_is_reported_and_repaired(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.finished(), tmp_path)
    path = run.path / "metrics.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"epoch": 1', b'"epoch" 1', 1))
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 1") as caught:
        run.metrics()
    assert "dltrain resume" in caught.value.hint
    assert len(package.resume(run, {"train.epochs": 3}).metrics()) == 3


def test_faults_clock_set_back_changes_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, str]
) -> None:
    class Past(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Past:
            return cls(1999, 12, 31, tzinfo=UTC)

    def back() -> None:
        monkeypatch.setattr(store, "datetime", Past)
        monkeypatch.setattr(run_module, "datetime", Past)

    run = package.fit(tiny, [EPOCHS], runs_dir=tmp_path, on_event=at_epoch(1, back))
    assert run.record().status == "completed"
    assert (run.record().seconds or 0) > 0
    assert fingerprint(run) == expected
