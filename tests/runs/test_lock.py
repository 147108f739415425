from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dltrain import runs
from dltrain.errors import RunError
from dltrain.runs import lock

HOLD = """
import sys, time
from pathlib import Path
from dltrain.runs import lock
held = lock.acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_lock_is_held_by_a_new_run(run: runs.Run) -> None:
    assert lock.held(run.path)
    assert run.status() == "running"
    with pytest.raises(RunError, match=f"is being trained by process {os.getpid()}"):
        runs.Run(run.path).locked()


def test_lock_can_be_acquired_again_after_release(run: runs.Run) -> None:
    run.release()
    run.release()
    assert not lock.held(run.path)
    assert run.status() == "crashed"
    again = runs.Run(run.path).locked()
    assert run.status() == "running"
    again.release()


def test_lock_of_a_killed_process_is_free(run: runs.Run) -> None:
    run.release()
    process = holder(run.path)
    assert lock.held(run.path)
    with pytest.raises(RunError, match=f"process {process.pid}"):
        lock.acquire(run.path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 60
    while lock.held(run.path) and time.monotonic() < until:
        time.sleep(0.01)
    lock.acquire(run.path).release()


def test_lock_readers_do_not_block_a_writer(run: runs.Run) -> None:
    run.release()
    for _ in range(20):
        assert not lock.held(run.path)
        lock.acquire(run.path).release()


def test_lock_does_not_follow_a_link(run: runs.Run, tmp_path: Path) -> None:
    run.release()
    target = tmp_path / "elsewhere"
    target.write_text("mine")
    (run.path / lock.NAME).unlink()
    (run.path / lock.NAME).symlink_to(target)
    with pytest.raises(RunError):
        lock.acquire(run.path)
    assert target.read_text() == "mine"


def test_lock_without_a_lock_file_is_free(run: runs.Run) -> None:
    run.release()
    (run.path / lock.NAME).unlink()
    assert not lock.held(run.path)
    assert runs.list_runs(run.path.parent)[0].status == "crashed"
