"""What can go wrong around a training, injected; docs/reliability.md has a row for each."""

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
from tests.helpers import Trained, copied, fingerprint

import dltrain as package
from dltrain import runs
from dltrain.engine import EpochDone
from dltrain.errors import DltrainError, RunError
from dltrain.runs import run as run_module
from dltrain.runs import store

EPOCHS = "train.epochs=3"
# A call that puts something in its place: the function, and how the path ends that it makes.
MOMENTS = {
    "the run is created": ("replace", r"runs/[^/.]+"),
    "a checkpoint begins": ("mkdir", r"checkpoints/\.tmp-\w+"),
    "the table is written": ("replace", r"metrics\.csv"),
    "a checkpoint is published": ("replace", r"checkpoints/epoch-0002"),
    "an old checkpoint is discarded": ("replace", r"checkpoints/\.tmp-\w+"),  # after the last epoch
    "the model is saved": ("replace", r"model\.keras"),
}
# Kills itself at one call: given by what it makes, or by its number.
DRIVER = """
import os, re, sys
config, folder, function, which = sys.argv[1:]
calls = 0
def wrap(name):
    real = getattr(os, name)
    def wrapped(*args, **kwargs):
        global calls
        calls += 1
        if which == str(calls) or name == function and re.search(f"{which}$", str(args[name == "replace"])):
            os._exit(9)
        return real(*args, **kwargs)
    return wrapped
os.replace, os.mkdir, os.fsync = map(wrap, ("replace", "mkdir", "fsync"))
import dltrain
dltrain.fit(config, ["train.epochs=3"], runs_dir=folder)
"""
# The slow tests walk through every call, in so many parts.
PARTS = 4


def at_epoch(epoch: int, act: Callable[[], None]) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        if isinstance(event, EpochDone) and event.epoch == epoch:
            act()

    return listen


@pytest.fixture
def whole(trained: Trained) -> dict[str, str]:
    return fingerprint(trained.whole(EPOCHS))


def finished(tiny: Path, runs_dir: Path) -> runs.Run:
    """The run taken up again, or begun where nothing was left of it."""
    if runs.list_runs(runs_dir):
        return package.resume("latest", runs_dir=runs_dir)
    return package.fit(tiny, [EPOCHS], runs_dir=runs_dir)


class FullDisk:
    """Every write fails from the call on that it is told, until `free` is called."""

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
                made = str(args[1 if name == "replace" else 0])
                self.full |= name == self.function and bool(re.search(f"{self.which}$", made))
            if self.full and not self.freed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return wrapped

    def free(self) -> None:
        self.freed = True


def fill(tiny: Path, runs_dir: Path, whole: dict[str, str], function: str, which: str | int) -> bool:
    """Train while the disk fills up, free it, and go on: whether the call that it is told came at all."""
    with pytest.MonkeyPatch.context() as patch:
        disk = FullDisk(patch, function, which)
        told = ""
        try:
            package.fit(tiny, [EPOCHS], runs_dir=runs_dir)
        except DltrainError as error:
            told = error.message
        disk.free()
        assert disk.full == bool(told)
        if told:
            assert "No space left" in told
            assert fingerprint(finished(tiny, runs_dir)) == whole
    return disk.full


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != "the table is written"])
def test_faults_a_disk_that_is_full_loses_nothing_that_was_there(
    tiny: Path, tmp_path: Path, whole: dict[str, str], moment: str
) -> None:
    assert fill(tiny, tmp_path / "runs", whole, *MOMENTS[moment])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_faults_a_disk_that_is_full_at_any_step_loses_nothing_that_was_there(
    tiny: Path, tmp_path: Path, whole: dict[str, str], part: int
) -> None:
    k = part + 1
    while fill(tiny, tmp_path / f"runs-{k}", whole, "", k):
        k += PARTS
    assert k > 50


def kill(tiny: Path, runs_dir: Path, whole: dict[str, str], function: str, which: str) -> bool:
    """Train until the call that it is told kills the process, and go on: whether the call came at all."""
    command = [sys.executable, "-c", DRIVER, str(tiny), str(runs_dir), function, which]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode in (0, 9), done.stderr[-2000:]
    if done.returncode == 9:
        left = [summary.status for summary in runs.list_runs(runs_dir)]
        assert set(left) <= {"crashed", "completed"}
        if "completed" not in left:
            assert fingerprint(finished(tiny, runs_dir)) == whole
    return done.returncode == 9


@pytest.mark.parametrize(
    "moment", ["the table is written", "a checkpoint is published", "an old checkpoint is discarded"]
)
def test_faults_a_kill_during_a_commit_loses_at_most_the_epoch(
    tiny: Path, tmp_path: Path, whole: dict[str, str], moment: str
) -> None:
    assert kill(tiny, tmp_path / "runs", whole, *MOMENTS[moment])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_faults_a_kill_at_any_step_loses_at_most_the_epoch(
    tiny: Path, tmp_path: Path, whole: dict[str, str], part: int
) -> None:
    k = part + 1
    while kill(tiny, tmp_path / f"runs-{k}", whole, "", str(k)):
        k += PARTS
    assert k > 50


def test_faults_a_runs_directory_that_goes_is_told_and_not_made_again(tiny: Path, tmp_path: Path) -> None:
    listen = at_epoch(1, lambda: shutil.rmtree(tmp_path / "runs"))
    with pytest.raises(RunError, match="No such file") as caught:
        package.fit(tiny, [EPOCHS], runs_dir=tmp_path / "runs", on_event=listen)
    assert "moved or removed" in caught.value.hint
    assert not (tmp_path / "runs").exists()


def test_faults_two_fits_of_one_name_are_two_runs(tiny: Path, tmp_path: Path) -> None:
    inner: list[runs.Run] = []
    listen = at_epoch(1, lambda: inner.append(package.fit(tiny, [EPOCHS], runs_dir=tmp_path)))
    outer = package.fit(tiny, [EPOCHS], runs_dir=tmp_path, on_event=listen)
    assert len(runs.list_runs(tmp_path)) == 2
    assert inner[0].path != outer.path
    assert inner[0].record().name == outer.record().name


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema_version": 1}', b"[" * 100_000])
def test_faults_a_damaged_run_json_is_named(trained: Trained, tmp_path: Path, damage: bytes) -> None:
    run = copied(trained.whole(), tmp_path)
    (run.path / "run.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"run\.json"):
        package.resume(run)
    assert runs.list_runs(tmp_path)[0].status == "damaged"


def test_faults_a_damaged_row_of_the_journal_is_named_and_mended(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.whole(), tmp_path)
    path = run.path / "metrics.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"epoch": 1', b'"epoch" 1', 1))
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 1") as caught:
        run.metrics()
    assert "dltrain resume" in caught.value.hint
    assert len(package.resume(run, {"train.epochs": 3}).metrics()) == 3


def test_faults_a_clock_that_goes_back_changes_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, str]
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
    assert fingerprint(run) == whole
