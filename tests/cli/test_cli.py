"""The command line: output, exit codes, and no traceback for a user's mistake."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.helpers import TINY, Command, Done, Trained, copied, slow_but

import dltrain as package
from dltrain import runs


def test_cli_fit_prints_one_plain_line_per_epoch_and_the_run_last(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    done = dltrain("fit", tiny)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert (tmp_path / line / "run.json").is_file()
    assert re.search(r"(?m)^epoch 1/2  loss \d\.\d{4}  accuracy \d\.\d{4}  val_loss .*/s", done.stderr)
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert not re.search(r"oneDNN|cuda|absl|rebuild TensorFlow|UserWarning", done.stderr)


PATIENCE = 300  # seconds; a test that takes this long has failed
ESCAPE = "\x1b]0;title\x07\x1b[31m"
FITTED = "fit", "tiny.yaml", "--smoke"
GATE = "fit", "tiny.yaml", "-s", 'expect={test_loss: "< -1.5"}'
STOPPING = "EarlyStopping: {monitor: loss, mode: max, patience: 1}"
DIVERGING = ("train.optimizer=SGD: {learning_rate: 1e30}", "train.loss=mse", "model.layers.2.Dense={units: 3}")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> dict[str, Done]:
    """Results of the commands that need TensorFlow but no separate process."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "tiny.yaml").write_text(TINY)
    elsewhere = folder / ESCAPE
    shutil.copytree(hostile(copied(trained.finished(), folder / "hostile")).path, elsewhere)
    commands: dict[str, tuple[object, ...]] = {
        "fit": (*FITTED, "--name", "first"),
        "ls": ("ls",),
        "ls --json": ("ls", "--json"),
        "show": ("show", "latest"),
        "show --json": ("show", "latest", "--json"),
        "eval --json": ("eval", "latest", "--json"),
        "eval": ("eval", "latest"),
        "env": ("env", "--json"),
        "gate fit": GATE,
        "gate eval": ("eval", "latest"),
        "gate smoke": (*GATE, "--smoke"),
        "diverging": ("fit", "tiny.yaml", *(word for text in DIVERGING for word in ("-s", text))),
        "stopped": ("fit", "tiny.yaml", "-s", f"train.callbacks=[{STOPPING}]"),
        "stopped show": ("show", "latest"),
        "hostile ls": ("ls", "--runs-dir", "hostile"),
        "hostile show": ("show", elsewhere),
        "hostile eval": ("eval", elsewhere),
    }
    return dict(zip(commands, Command(folder).in_turn(*commands.values()), strict=True))


def hostile(run: runs.Run) -> runs.Run:
    """Put escape sequences into every name in a run."""
    record = json.loads((run.path / "run.json").read_text())
    record["metrics"][f"test_{ESCAPE}"] = 1
    record["device"] = record["command"] = ESCAPE
    record["runtime"] = {"feed": ESCAPE, "recurrent": {ESCAPE: ESCAPE}}
    (run.path / "run.json").write_text(json.dumps(record))
    (run.path / "metrics.jsonl").write_text(json.dumps({"epoch": 1, ESCAPE: 1}) + "\n")
    return run


def test_cli_verbs_read_the_run_that_fit_wrote(results: dict[str, Done]) -> None:
    assert "first" in results["ls"].stdout
    assert "completed (smoke)" in results["ls"].stdout
    assert json.loads(results["ls --json"].stdout)[0]["name"] == "first"
    shown = results["show"].stdout
    assert results["fit"].stdout.strip() in shown
    assert re.search(
        r"(?m)^runtime +feed memory, steps_per_execution \d+, optimizer fused, shards 1, threads all$", shown
    )
    assert len(json.loads(results["show --json"].stdout)["epochs"]) == 1
    evaluated = json.loads(results["eval --json"].stdout)
    assert evaluated["samples"] == 60
    assert f"accuracy  {evaluated['metrics']['accuracy']:.4f}" in results["eval"].stdout


def test_cli_env_reports_versions_and_device(results: dict[str, Done]) -> None:
    assert {"python", "tensorflow", "keras", "device"} <= json.loads(results["env"].stdout).keys()


BAD_INPUT = [
    (["fit", "no.yaml"], 2, "no such config"),
    (["check", "."], 2, "is a directory"),
    (["check", "empty.yaml"], 2, "contains no config"),
    (["check", "latin.yaml"], 2, "not valid UTF-8"),
    (["check", "open.yaml"], 2, "never closed"),
    (["fit", "tiny.yaml", "-s", "train.epohcs=3"], 2, "did you mean `epochs`?"),
    (["fit", "tiny.yaml", "-s", "train.epochs=many"], 2, "must be an integer"),
    (["fit", "tiny.yaml", "-s", "model.layers.1=Dorpout"], 2, "did you mean `Dropout`?"),
    (["fit", "tiny.yaml", "-s", "model.layers.1.Dropout.rat=0.1"], 2, "it is `rate` here"),
    (["fit", "tiny.yaml", "--name", "a b"], 2, "cannot be a run's name"),
    (["fit", "tiny.yaml", "--runs-dir", "tiny.yaml"], 1, "--runs-dir"),
    (["eval", "latest"], 2, "no runs"),
    (["show", "x\x1b[31my"], 2, "no run"),
    (["eval"], 2, "Missing argument"),
    (["fti"], 2, "No such command"),
]


def test_cli_bad_input_prints_a_message_and_creates_nothing(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "open.yaml").write_text("a: [1, 2\nb: 3\n")
    before = sorted(tmp_path.iterdir())
    found = dltrain.in_turn(*(arguments for arguments, _, _ in BAD_INPUT))
    for (arguments, code, says), done in zip(BAD_INPUT, found, strict=True):
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stderr
    assert [p for p in sorted(tmp_path.iterdir()) if p not in before and list(p.iterdir())] == []


def test_cli_bad_input_exits_the_same_in_a_separate_process(dltrain: Command, tiny: Path) -> None:
    done = dltrain("fit", tiny, "-s", "train.epohcs=3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean `epochs`?" in done.stderr
    assert "Traceback" not in done.stderr


def test_cli_gate_exits_3_with_value_and_bound(results: dict[str, Done]) -> None:
    assert results["gate fit"].returncode == 3
    assert "expected < -1.5" in results["gate fit"].stderr
    assert results["gate fit"].stdout.strip().startswith("runs/")
    assert results["gate eval"].returncode == 3
    assert results["gate smoke"].returncode == 0


def test_cli_divergence_exits_4(results: dict[str, Done]) -> None:
    assert results["diverging"].returncode == 4
    assert "the loss became" in results["diverging"].stderr


def test_cli_fit_and_show_tell_that_early_stopping_ended_the_run(results: dict[str, Done]) -> None:
    told = r"EarlyStopping ended the run in epoch 2 of 2: loss was best in epoch 1, \d\.\d{4}$"
    assert re.search(rf"(?m)^{told}", results["stopped"].stderr)
    shown = r"(?m)^stopped +by EarlyStopping in epoch 2: loss was best in epoch 1, \d\.\d{4}$"
    assert re.search(shown, results["stopped show"].stdout)
    assert "stopped" not in results["show"].stdout


def test_cli_prints_no_escape_sequences_from_a_run(results: dict[str, Done]) -> None:
    for command in ("hostile ls", "hostile show", "hostile eval"):
        done = results[command]
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr


def begun(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command, and return once its training is to begin."""
    command = [sys.executable, "-m", "dltrain", *arguments]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("on "):
            break
    return process


LONG_CALL = ["train.batch_size=1", "train.steps_per_execution=1000000"]  # one call computes the whole epoch


@pytest.mark.parametrize("verb", slow_but(["fit"], ["fit", "resume"]))
@pytest.mark.parametrize("signum", slow_but([signal.SIGINT], [signal.SIGINT, signal.SIGTERM]))
def test_cli_signal_ends_a_long_call_where_nothing_is_lost(
    tiny: Path, tmp_path: Path, verb: str, signum: signal.Signals
) -> None:
    """Python runs no signal handler during a call, as while XLA compiles the first one."""
    words = [*LONG_CALL, "data.dataset.synthetic.samples=1000000"]
    process = begun(tmp_path, "fit", str(tiny), *(f"-s{word}" for word in words))
    if verb == "resume":
        process.kill()
        process.communicate()
        process = begun(tmp_path, "resume", "latest")
    assert process.stderr is not None
    time.sleep(5)  # until the call has started; before that, the signal would be handled as well
    process.send_signal(signum)
    assert process.wait(timeout=PATIENCE) == 128 + signum
    told = process.stderr.read()
    process.stderr.close()
    assert "stopping after this step" in told
    assert "\nstopped in epoch 1\nto continue: dltrain resume runs" in told
    assert "Traceback" not in told
    run = package.load_run("latest", tmp_path / "runs")
    assert run.status() == "interrupted"
    assert not list(run.path.glob("checkpoints/epoch-*"))  # did not wait for the call: minutes


@pytest.mark.slow
def test_cli_second_signal_exits_during_a_long_call(tiny: Path, tmp_path: Path) -> None:
    words = [*LONG_CALL, "data.dataset.synthetic.samples=150000", "train.epochs=100"]
    process = begun(tmp_path, "fit", str(tiny), *(f"-s{word}" for word in words))
    assert process.stderr is not None
    assert process.stderr.readline().startswith("epoch")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert "stopping after this step" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) in (130, -signal.SIGINT)
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize("arguments", [["eval", "latest"], ["check", "tiny.yaml", "--build"]], ids=["eval", "check"])
@pytest.mark.parametrize("signum", slow_but([signal.SIGINT], [signal.SIGINT, signal.SIGTERM]))
def test_cli_signal_ends_a_verb_that_trains_nothing(
    trained: Trained, tiny: Path, tmp_path: Path, arguments: list[str], signum: signal.Signals
) -> None:
    copied(trained.finished(), tmp_path / "runs")
    command = [sys.executable, "-m", "dltrain", *arguments]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while "tensorflow" not in Path(f"/proc/{process.pid}/maps").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signum)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signum, stderr
    assert stderr.splitlines()[-1].startswith("stopped")
    assert "Traceback" not in stderr


def test_cli_killed_run_is_listed_as_crashed_and_resumes(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dltrain", "fit", str(tiny), "-s", "train.epochs=400"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch   3/400"):
            break
    process.send_signal(signal.SIGSTOP)  # alive, but takes no time from the other commands
    listed, busy = dltrain.in_turn(("ls", "--json"), ("resume", "latest"))
    assert json.loads(listed.stdout)[0]["status"] == "running"
    assert busy.returncode == 1
    assert f"is being trained by process {process.pid}" in busy.stderr
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    as_json, as_text = dltrain.in_turn(("ls", "--json"), ("ls",))
    (crashed,) = json.loads(as_json.stdout)
    assert crashed["status"] == "crashed"
    epoch = crashed["resumes_from"]
    assert epoch >= 3
    assert f"resumes after epoch {epoch}" in as_text.stdout
    resume = ("resume", "latest")
    done, again, refused = dltrain.in_turn(
        (*resume, "-s", f"train.epochs={epoch + 2}"), resume, (*resume, "-s", "train.batch_size=8")
    )
    assert done.returncode == 0, done.stderr
    assert f"epoch {epoch + 1}/{epoch + 2}" in done.stderr
    assert done.stdout.strip() == crashed["path"]
    assert again.returncode == 2
    assert "is complete" in again.stderr
    assert refused.returncode == 2
    assert "cannot change `train.batch_size` from `32` to `8`" in refused.stderr


@pytest.mark.parametrize("arguments", ["ls", "show latest", pytest.param("fit tiny.yaml", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("where", "code"), [(">&-", 0), (">/dev/full", 1), ("2>/dev/full", 0), ("2>&1 | head -1", 0)])
def test_cli_unwritable_output_gives_no_traceback(
    tiny: Path, tmp_path: Path, arguments: str, where: str, code: int
) -> None:
    run = runs.create(tmp_path / "runs", name="a", config=b"", resolved="", record={})
    run.finish("completed")
    command = f"{sys.executable} -m dltrain {arguments} {where}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    newest = runs.list_runs(tmp_path / "runs")[-1]
    assert newest.status == "completed"


# Blocks of 512 bytes: too few for the run itself, for a checkpoint after some epochs, and for the TensorBoard log.
@pytest.mark.parametrize("blocks", slow_but([8], [4, 8, 12]))
def test_cli_file_size_limit_is_reported(tiny: Path, tmp_path: Path, blocks: int) -> None:
    command = f"ulimit -f {blocks}; {sys.executable} -m dltrain fit {tiny} -s train.epochs=200"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
