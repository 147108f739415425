"""Signals and closed descriptors, as nohup, cron, terminals and job schedulers use them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import slow_but

import dltrain as package
from dltrain.engine import EpochDone, Stopping
from dltrain.errors import Interrupted

PATIENCE = 120
STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def start(folder: Path, *arguments: str, before: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dltrain", *arguments]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=before
    )


def wait_for(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not list(folder.glob(pattern)) and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize("signum", slow_but([signal.SIGTERM], STOPS))
def test_signals_end_a_training_with_a_checkpoint_and_the_word_on_resuming(
    tiny: Path, tmp_path: Path, signum: signal.Signals
) -> None:
    process = start(tmp_path, "fit", str(tiny), "-s", "train.epochs=100000")
    wait_for(tmp_path, "runs/*/checkpoints/epoch-0001")
    process.send_signal(signum)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signum
    assert "Traceback" not in output
    assert output.splitlines()[-1].startswith("to continue: dltrain resume runs")
    run = package.load_run("latest", tmp_path / "runs")
    assert f"\n{run.path.relative_to(tmp_path)}\n" in output
    assert run.status() == "interrupted"
    assert (run.path / "model.keras").is_file()
    assert package.evaluate(run).samples == 60


def wait_until_caught(process: subprocess.Popen[str], signum: signal.Signals) -> None:
    """Wait until the process has a handler for the signal: before, not even Python has begun."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
        if caught >> (signum - 1) & 1:
            return
        time.sleep(0.005)
    raise AssertionError(f"no handler for {signum.name}")


@pytest.mark.parametrize("signum", STOPS)
def test_signals_before_anything_began_leave_a_line(tiny: Path, tmp_path: Path, signum: signal.Signals) -> None:
    process = start(tmp_path, "fit", str(tiny))
    wait_until_caught(process, signal.SIGHUP)
    process.send_signal(signum)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signum
    assert output.strip().splitlines()[-1].startswith("stopped")
    assert "Traceback" not in output


def test_signals_within_an_exec_keep_the_exit_code(tmp_path: Path) -> None:
    """Imports are full of `exec`: Python remembers an interrupt there, and would end by SIGINT."""
    (tmp_path / "stopped.py").write_text(
        "import os, signal\n"
        "from dltrain import __main__ as entry\n"
        "entry._main = lambda: exec('os.kill(os.getpid(), signal.SIGTERM)')\n"
        "entry.main()\n"
    )
    ended = subprocess.run([sys.executable, "-m", "stopped"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr
    assert ended.stderr.splitlines() == ["stopped"]


@pytest.mark.parametrize("ignored", slow_but([STOPS], [STOPS, *([signum] for signum in STOPS)]))
def test_signals_that_are_ignored_at_the_start_stay_ignored(
    tiny: Path, tmp_path: Path, ignored: list[signal.Signals]
) -> None:
    process = start(
        tmp_path, "fit", str(tiny), before=lambda: [signal.signal(signum, signal.SIG_IGN) for signum in ignored]
    )
    time.sleep(0.3)
    for signum in ignored:
        process.send_signal(signum)
    wait_for(tmp_path, "runs/*/checkpoints/epoch-0001")
    for signum in ignored:
        process.send_signal(signum)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert "stopping" not in output


OTHERS = [signal.SIGALRM, signal.SIGUSR1, signal.SIGWINCH, signal.SIGCHLD]


@pytest.mark.parametrize("signum", slow_but([signal.SIGUSR1, signal.SIGCHLD], OTHERS))
def test_signals_of_the_caller_reach_the_caller_alone(
    tiny: Path, tmp_path: Path, signum: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    got: list[int] = []
    events: list[Any] = []

    def listen(event: Any) -> None:
        events.append(event)
        if isinstance(event, EpochDone):
            for _ in range(3):
                os.kill(os.getpid(), signum)

    before = signal.signal(signum, lambda number, _: got.append(number))
    try:
        run = package.fit(tiny, runs_dir=tmp_path, on_event=listen)
        assert signal.getsignal(signum) is not before
    finally:
        signal.signal(signum, before)
    assert run.status() == "completed"
    assert len(got) >= 3
    assert not any(isinstance(event, Stopping) for event in events)
    assert "BrokenPipe" not in capfd.readouterr().err


@pytest.mark.parametrize("signum", STOPS)
def test_signals_of_a_stop_reach_a_caller_with_a_descriptor_of_its_own(
    tiny: Path, tmp_path: Path, signum: signal.Signals
) -> None:
    def listen(event: Any) -> None:
        if isinstance(event, EpochDone):
            os.kill(os.getpid(), signum)

    handlers = [signal.getsignal(each) for each in STOPS]
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        with pytest.raises(Interrupted) as caught:
            package.fit(tiny, runs_dir=tmp_path, on_event=listen)
        assert signal.set_wakeup_fd(writer) == writer
        assert os.read(reader, 1) == bytes([signum])
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
    assert caught.value.exit_code == 128 + signum
    assert [signal.getsignal(each) for each in STOPS] == handlers


CLOSED = ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"]


@pytest.mark.parametrize(
    ("verb", "closed"),
    [
        pytest.param(verb, closed, marks=[pytest.mark.slow] if verb == "fit" and closed != CLOSED[-1] else [])
        for verb in ("ls", "check", "fit")
        for closed in CLOSED
    ],
)
def test_signals_closed_descriptors_stop_no_verb(tiny: Path, tmp_path: Path, closed: str, verb: str) -> None:
    arguments = "ls" if verb == "ls" else f"{verb} '{tiny}'"
    line = f"'{sys.executable}' -m dltrain {arguments} {closed}"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if verb == "fit":
        assert package.load_run("latest", tmp_path / "runs").status() == "completed"


@pytest.mark.parametrize("folder", ["my runs [x]", "it's", "$HOME"])
def test_signals_tell_a_command_that_a_shell_takes(tiny: Path, tmp_path: Path, folder: str) -> None:
    process = start(tmp_path, "fit", str(tiny), "-s", "train.epochs=100000", "--runs-dir", folder)
    wait_for(tmp_path / folder, "*/checkpoints/epoch-0001")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE)
    told = output.splitlines()[-1].removeprefix("to continue: ")
    _, verb, path = shlex.split(told)
    assert verb == "resume"
    assert (tmp_path / path / "run.json").is_file()
