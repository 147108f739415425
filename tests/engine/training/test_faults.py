"""What can go wrong around a training, injected; docs/reliability.md has a row for each."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.training.test_resume import fingerprint

import dltrain as package
from dltrain import runs
from dltrain.engine import EpochDone
from dltrain.errors import DltrainError, RunError

EPOCHS = "train.epochs=3"
# Fails or kills at the k-th call of os.replace and os.fsync, counted together.
DRIVER = """
import os, sys
config, folder, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = 0
def wrap(function):
    def wrapped(*args, **kwargs):
        global calls
        calls += 1
        if calls == k:
            os._exit(9)
        return function(*args, **kwargs)
    return wrapped
os.replace, os.fsync = wrap(os.replace), wrap(os.fsync)
import dltrain
dltrain.fit(config, ["train.epochs=3"], runs_dir=folder)
print(calls)
"""


def at_epoch(epoch: int, act: Callable[[], None]) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        if isinstance(event, EpochDone) and event.epoch == epoch:
            act()

    return listen


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from tests.conftest import TINY

    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.yaml").write_text(TINY)
    return fingerprint(package.fit(folder / "tiny.yaml", [EPOCHS], runs_dir=folder / "runs"))


def finished(tiny: Path, runs_dir: Path) -> runs.Run:
    """The run taken up again, or begun where nothing was left of it."""
    if runs.list_runs(runs_dir):
        return package.resume("latest", runs_dir=runs_dir)
    return package.fit(tiny, [EPOCHS], runs_dir=runs_dir)


class FullDisk:
    """Every write from the k-th on fails until `free` is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, k: int) -> None:
        self.calls, self.k, self.full = 0, k, True
        for name in ("replace", "fsync", "mkdir"):
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.full and self.calls >= self.k:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*args, **kwargs)

        return wrapped


@pytest.mark.parametrize(
    "k", [pytest.param(k, marks=[] if k in (3, 12, 31, 44) else [pytest.mark.slow]) for k in range(1, 60)]
)
def test_faults_a_disk_that_is_full_loses_nothing_that_was_there(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, str], k: int
) -> None:
    disk = FullDisk(monkeypatch, k)
    told = ""
    try:
        package.fit(tiny, [EPOCHS], runs_dir=tmp_path / "runs")
    except DltrainError as error:
        told = error.message
    disk.full = False
    if told:
        assert "No space left" in told
        assert fingerprint(finished(tiny, tmp_path / "runs")) == whole
    else:
        assert disk.calls < k


@pytest.mark.parametrize(
    "k", [pytest.param(k, marks=[] if k in (14, 33) else [pytest.mark.slow]) for k in range(1, 60)]
)
def test_faults_a_kill_at_any_step_of_a_commit_loses_at_most_the_epoch(
    tiny: Path, tmp_path: Path, whole: dict[str, str], k: int
) -> None:
    command = [sys.executable, "-c", DRIVER, str(tiny), str(tmp_path / "runs"), str(k)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode in (0, 9), done.stderr[-2000:]
    if done.returncode == 9:
        for summary in runs.list_runs(tmp_path / "runs"):
            assert summary.status in ("crashed", "completed")
        if [s for s in runs.list_runs(tmp_path / "runs") if s.status == "completed"]:
            return
        assert fingerprint(finished(tiny, tmp_path / "runs")) == whole


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
def test_faults_a_damaged_run_json_is_named(tiny: Path, tmp_path: Path, damage: bytes) -> None:
    run = package.fit(tiny, runs_dir=tmp_path)
    (run.path / "run.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"run\.json"):
        package.resume(run)
    assert runs.list_runs(tmp_path)[0].status == "damaged"


def test_faults_a_damaged_row_of_the_journal_is_named_and_mended(tiny: Path, tmp_path: Path) -> None:
    run = package.fit(tiny, ["train.epochs=2"], runs_dir=tmp_path)
    path = run.path / "metrics.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"epoch": 1', b'"epoch" 1', 1))
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 1") as caught:
        run.metrics()
    assert "dltrain resume" in caught.value.hint
    assert len(package.resume(run, {"train.epochs": 3}).metrics()) == 3


def test_faults_a_clock_that_goes_back_changes_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, str]
) -> None:
    from datetime import UTC, datetime

    from dltrain.runs import run as run_module
    from dltrain.runs import store

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
