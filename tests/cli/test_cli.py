"""The command itself: outputs, exit codes, and no traceback for a user's mistake."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dltrain import runs

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_cli_fit_prints_the_run_last_and_a_plain_line_an_epoch(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    done = dltrain("fit", tiny)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert (tmp_path / line / "run.json").is_file()
    assert re.search(r"(?m)^epoch 1/2  loss \d\.\d{4}  accuracy \d\.\d{4}  val_loss .*/s", done.stderr)
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert not re.search(r"oneDNN|cuda|absl|rebuild TensorFlow|UserWarning", done.stderr)


def test_cli_verbs_read_what_fit_has_written(dltrain: Command, tiny: Path) -> None:
    path = dltrain("fit", tiny, "--smoke", "--name", "first").stdout.strip()
    listed = dltrain("ls").stdout
    assert "first" in listed
    assert "completed (smoke)" in listed
    assert json.loads(dltrain("ls", "--json").stdout)[0]["name"] == "first"
    shown = dltrain("show", "latest").stdout
    assert path in shown
    assert re.search(r"(?m)^runtime +feed memory, steps_per_execution \d+, optimizer fused, threads 0$", shown)
    assert len(json.loads(dltrain("show", "latest", "--json").stdout)["epochs"]) == 1
    evaluated = json.loads(dltrain("eval", "latest", "--json").stdout)
    assert evaluated["samples"] == 60
    text = dltrain("eval", "latest").stdout
    assert f"accuracy  {evaluated['metrics']['accuracy']:.4f}" in text


def test_cli_env_names_versions_and_device(dltrain: Command) -> None:
    facts = json.loads(dltrain("env", "--json").stdout)
    assert {"python", "tensorflow", "keras", "device"} <= facts.keys()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["fit", "no.yaml"], 2, "no such config"),
        (["check", "."], 2, "is a directory"),
        (["check", "empty.yaml"], 2, "holds no config"),
        (["check", "latin.yaml"], 2, "not valid UTF-8"),
        (["check", "open.yaml"], 2, "never closed"),
        (["fit", "tiny.yaml", "-s", "train.epohcs=3"], 2, "did you mean `epochs`?"),
        (["fit", "tiny.yaml", "-s", "train.epochs=many"], 2, "must be a whole number"),
        (["fit", "tiny.yaml", "-s", "model.layers.1=Dorpout"], 2, "did you mean `Dropout`?"),
        (["fit", "tiny.yaml", "-s", "model.layers.1.Dropout.rat=0.1"], 2, "did you mean `rate`?"),
        (["fit", "tiny.yaml", "--name", "a b"], 2, "cannot be a run's name"),
        (["fit", "tiny.yaml", "--runs-dir", "tiny.yaml"], 1, "--runs-dir"),
        (["eval", "latest"], 2, "no runs"),
        (["show", "x\x1b[31my"], 2, "no run"),
        (["eval"], 2, "Missing argument"),
        (["fti"], 2, "No such command"),
    ],
)
def test_cli_bad_input_gets_a_message_and_leaves_nothing(
    dltrain: Command, tiny: Path, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "open.yaml").write_text("a: [1, 2\nb: 3\n")
    before = sorted(tmp_path.iterdir())
    done = dltrain(*arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout == ""
    assert [p for p in sorted(tmp_path.iterdir()) if p not in before and list(p.iterdir())] == []


def test_cli_gate_exits_3_with_value_and_bound(dltrain: Command, tiny: Path) -> None:
    gate = ["-s", 'expect={test_loss: "< -1.5"}']
    done = dltrain("fit", tiny, *gate)
    assert done.returncode == 3
    assert "expected < -1.5" in done.stderr
    assert done.stdout.strip().startswith("runs/")
    assert dltrain("eval", "latest").returncode == 3
    assert dltrain("fit", tiny, *gate, "--smoke").returncode == 0


def test_cli_divergence_exits_4(dltrain: Command, tiny: Path) -> None:
    overrides = ["train.optimizer=SGD: {learning_rate: 1e30}", "train.loss=mse", "model.layers.2.Dense={units: 3}"]
    done = dltrain("fit", tiny, *[part for text in overrides for part in ("-s", text)])
    assert done.returncode == 4
    assert "the loss became" in done.stderr


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_cli_signal_leaves_an_interrupted_run_with_a_checkpoint(
    tiny: Path, tmp_path: Path, signum: int, code: int
) -> None:
    command = [sys.executable, "-m", "dltrain", "fit", str(tiny), "-s", "train.epochs=100000"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/checkpoints/epoch-0002")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    run = tmp_path / stdout.strip().splitlines()[-1]
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    assert (run / "model.keras").is_file()
    evaluated = subprocess.run([sys.executable, "-m", "dltrain", "eval", str(run)], cwd=tmp_path, capture_output=True)
    assert evaluated.returncode == 0


def test_cli_signal_is_answered_during_a_long_call_and_the_second_ends_it(tiny: Path, tmp_path: Path) -> None:
    """One call computes the whole epoch, in which Python calls no handler."""
    words = ["train.batch_size=1", "train.steps_per_execution=1000000", "data.dataset.synthetic.samples=200000"]
    command = [sys.executable, "-m", "dltrain", "fit", str(tiny), *(f"-s{word}" for word in words)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("on "):
            break
    time.sleep(5)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert "stopping after this step" in process.stderr.readline()
    assert time.monotonic() - started < 1
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    (run,) = (tmp_path / "runs").iterdir()
    assert not (run / "checkpoints" / "epoch-0001").exists()


def test_cli_signal_before_training_leaves_no_run(tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dltrain", "fit", str(tiny)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "runs").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert list((tmp_path / "runs").iterdir()) == []


def test_cli_killed_run_is_crashed_and_resumes(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dltrain", "fit", str(tiny), "-s", "train.epochs=400"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch   3/400"):
            break
    assert json.loads(dltrain("ls", "--json").stdout)[0]["status"] == "running"
    busy = dltrain("resume", "latest")
    assert busy.returncode == 1
    assert f"is being trained by process {process.pid}" in busy.stderr
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    (listed,) = json.loads(dltrain("ls", "--json").stdout)
    assert listed["status"] == "crashed"
    epoch = listed["resumes_from"]
    assert epoch >= 3
    assert f"resumes after epoch {epoch}" in dltrain("ls").stdout
    done = dltrain("resume", "latest", "-s", f"train.epochs={epoch + 2}")
    assert done.returncode == 0, done.stderr
    assert f"epoch {epoch + 1}/{epoch + 2}" in done.stderr
    assert done.stdout.strip() == listed["path"]
    again = dltrain("resume", "latest")
    assert again.returncode == 2
    assert "is complete" in again.stderr
    refused = dltrain("resume", "latest", "-s", "train.batch_size=8")
    assert refused.returncode == 2
    assert "cannot change `train.batch_size` from 32 to 8" in refused.stderr


ESCAPE = "\x1b]0;title\x07\x1b[31m"


def test_cli_names_in_a_run_are_inert(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    run = Path(dltrain("fit", tiny, "-s", "train.epochs=1").stdout.strip())
    record = json.loads((tmp_path / run / "run.json").read_text())
    record["metrics"][f"test_{ESCAPE}"] = 1
    record["device"] = record["command"] = ESCAPE
    record["runtime"] = {"feed": ESCAPE, "recurrent": {ESCAPE: ESCAPE}}
    (tmp_path / run / "run.json").write_text(json.dumps(record))
    (tmp_path / run / "metrics.jsonl").write_text(json.dumps({"epoch": 1, ESCAPE: 1}) + "\n")
    elsewhere = tmp_path / ESCAPE
    shutil.copytree(tmp_path / run, elsewhere)
    for command in (("show", run), ("ls",), ("show", elsewhere), ("eval", elsewhere)):
        done = dltrain(*command)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", ["ls", "show latest", pytest.param("fit tiny.yaml", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("where", "code"), [(">&-", 0), (">/dev/full", 1), ("2>/dev/full", 0), ("2>&1 | head -1", 0)])
def test_cli_output_that_cannot_be_written_is_no_bug(
    tiny: Path, tmp_path: Path, arguments: str, where: str, code: int
) -> None:
    run = runs.create(tmp_path / "runs", name="a", config=b"", resolved="", record={})
    run.finish("completed")
    command = f"{sys.executable} -m dltrain {arguments} {where}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    newest = runs.list_runs(tmp_path / "runs")[-1]
    assert newest.status == "completed"


@pytest.mark.parametrize("blocks", [16, 60])
def test_cli_a_file_that_may_not_grow_is_told(tiny: Path, tmp_path: Path, blocks: int) -> None:
    command = f"ulimit -f {blocks}; {sys.executable} -m dltrain fit {tiny} -s train.epochs=200"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
