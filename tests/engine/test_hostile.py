"""An untrusted run is data: nothing in it is imported, opens an outside file or is used unchecked."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import Trained, copied

import dltrain as package
from dltrain import runs
from dltrain.engine import SkippedCheckpoint
from dltrain.engine.model import weights
from dltrain.errors import DltrainError, RunError

ALLOWED = ("/proc/", "/sys/", "/dev/null", "/dev/urandom")


@pytest.fixture
def run(trained: Trained, tmp_path: Path) -> runs.Run:
    return copied(trained.finished(), tmp_path / "runs")


def reseal(run: runs.Run, epoch: int) -> None:
    """Rewrite the manifest to match the files, as an attacker who knows the format would."""
    folder = run.path / "checkpoints" / f"epoch-{epoch:04d}"
    files = {
        path.name: {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    (folder / "manifest.json").write_text(json.dumps({"schema_version": 1, "epoch": epoch, "files": files}))


def checkpoint(run: runs.Run) -> Path:
    return run.path / "checkpoints" / f"epoch-{run.checkpoints()[-1]:04d}"


def huge_header(run: runs.Run) -> None:
    (checkpoint(run) / "weights.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")


def long_header(run: runs.Run) -> None:
    header = json.dumps(
        {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(200_000)}
    ).encode()
    (checkpoint(run) / "weights.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)


def huge_tensor(run: runs.Run) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    (checkpoint(run) / "weights.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)


def sparse_file(run: runs.Run) -> None:
    with (checkpoint(run) / "weights.safetensors").open("r+b") as file:
        file.truncate(2**27)


def other_shapes(run: runs.Run) -> None:
    path = checkpoint(run) / "weights.safetensors"
    values = weights.from_bytes(path.read_bytes(), "it")
    path.write_bytes(weights.to_bytes({name: np.zeros((3, 3), np.float32) for name in values}))


def other_names(run: runs.Run) -> None:
    path = checkpoint(run) / "weights.safetensors"
    values = weights.from_bytes(path.read_bytes(), "it")
    path.write_bytes(weights.to_bytes({f"../{name}": value for name, value in values.items()}))


def pickled(run: runs.Run) -> None:
    import pickle

    (checkpoint(run) / "weights.safetensors").write_bytes(pickle.dumps({"a": 1}))


def deep_state(run: runs.Run) -> None:
    (checkpoint(run) / "state.json").write_text("[" * 100_000)


def linked(run: runs.Run) -> None:
    path = checkpoint(run) / "weights.safetensors"
    outside = run.path.parent.parent / "outside.safetensors"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)


DAMAGES = [
    huge_header,
    long_header,
    huge_tensor,
    sparse_file,
    other_shapes,
    other_names,
    pickled,
    deep_state,
    linked,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_hostile_checkpoint_never_changes_an_evaluation(run: runs.Run, damage: Callable[[runs.Run], None]) -> None:
    sound = package.evaluate(run) if damage is deep_state else None
    damage(run)
    reseal(run, run.checkpoints()[-1])
    if damage is deep_state:  # run.json knows the best epoch of a completed run, and its weights are intact
        assert package.evaluate(run) == sound
        return
    with pytest.raises(RunError):
        package.evaluate(run)


HUGE = 10**400


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("epoch",), float("inf")),
        pytest.param(("best", "epoch"), float("inf"), marks=pytest.mark.slow),
        pytest.param(("best", "value"), HUGE, marks=pytest.mark.slow),
        (("best", "value"), "nan"),
        pytest.param(("best", "monitor"), "zzz", marks=pytest.mark.slow),
        pytest.param(("seed",), 99, marks=pytest.mark.slow),
        pytest.param(("history", 0, "loss"), HUGE, marks=pytest.mark.slow),
        pytest.param(("history", 0), {}, marks=pytest.mark.slow),
        (("history", 0, "\x1b]0;title\x07"), 1),
        pytest.param(("history", 0, "=cmd|calc"), 1, marks=pytest.mark.slow),
        pytest.param(("history", 0, "epoch"), 99, marks=pytest.mark.slow),
        (("callbacks", 0, "state", "wait"), None),
        pytest.param(("callbacks", 0, "state", "wait"), HUGE, marks=pytest.mark.slow),
        pytest.param(("callbacks", 0, "state", "best"), [1], marks=pytest.mark.slow),
        pytest.param(("callbacks", 0, "state", "more"), 1, marks=pytest.mark.slow),
    ],
)
def test_hostile_state_is_skipped(run_with_callback: runs.Run, keys: tuple[str | int, ...], value: object) -> None:
    path = checkpoint(run_with_callback) / "state.json"
    state = json.loads(path.read_text())
    part = state
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path.write_text(json.dumps(state))
    reseal(run_with_callback, run_with_callback.checkpoints()[-1])
    skipped: list[Any] = []
    resumed = package.resume(run_with_callback, {"train.epochs": 3}, on_event=skipped.append)
    assert [event.epoch for event in skipped if isinstance(event, SkippedCheckpoint)] == [2]
    assert resumed.record().resumed[0].from_epoch == 1
    assert "\x1b" not in (run_with_callback.path / "metrics.csv").read_text()


@pytest.fixture
def run_with_callback(trained: Trained, tmp_path: Path) -> runs.Run:
    callbacks = "train.callbacks=[EarlyStopping: {patience: 9, restore_best_weights: true}]"
    return copied(trained.finished(callbacks), tmp_path / "runs")


def test_hostile_weights_of_a_callback_are_skipped(run_with_callback: runs.Run) -> None:
    (checkpoint(run_with_callback) / "callback-0.safetensors").write_bytes(
        weights.to_bytes({"0000": np.zeros((9, 9), np.float32)})
    )
    reseal(run_with_callback, run_with_callback.checkpoints()[-1])
    assert package.resume(run_with_callback, {"train.epochs": 3}).record().resumed[0].from_epoch == 1


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_hostile_checkpoint_is_skipped_or_rejected_by_resume(run: runs.Run, damage: Callable[[runs.Run], None]) -> None:
    damage(run)
    reseal(run, run.checkpoints()[-1])
    try:
        resumed = package.resume(run, {"train.epochs": 3})
    except DltrainError:
        return
    assert resumed.record().resumed[0].from_epoch < 2


@pytest.mark.parametrize(
    "text",
    [
        "model: {layers: [{Lambda: {function: x}}]}",
        "model: {layers: [{TFSMLayer: {filepath: /etc}}]}",
        "model: {layers: [{StringLookup: {vocabulary: /etc/passwd}}]}",
        "extends: /etc/passwd",
        "model: !!python/object/apply:os.system [id]",
    ],
)
def test_hostile_config_in_a_run_executes_no_code(run: runs.Run, text: str) -> None:
    path = run.path / "resolved.yaml"
    path.write_text(path.read_text().replace("model:", "old:") + text + "\n")
    with pytest.raises(package.ConfigError):
        package.evaluate(run)


@pytest.fixture
def watched() -> Iterator[list[tuple[str, Any]]]:
    """Record audit events; a hook cannot be removed, so this one is switched off at the end."""
    events: list[tuple[str, Any]] = []
    state = {"on": True}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if state["on"] and event in ("open", "import", "socket.connect", "socket.bind", "subprocess.Popen", "os.exec"):
            events.append((event, arguments[0] if arguments else None))

    sys.addaudithook(hook)
    yield events
    state["on"] = False


def test_hostile_run_opens_no_outside_file_and_imports_nothing(
    run: runs.Run, tmp_path: Path, watched: list[tuple[str, Any]]
) -> None:
    package.evaluate(run)  # runs the lazy imports
    (run.path / "numpy.py").write_text("raise SystemExit")
    (run.path / "checkpoints" / "sitecustomize.py").write_text("raise SystemExit")
    folder = os.getcwd()  # noqa: PTH109
    os.chdir(run.path)
    try:
        watched.clear()
        package.evaluate(run)
        seen = list(watched)
    finally:
        os.chdir(folder)
    modules = {str(name) for event, name in seen if event == "import"} - set(sys.modules)
    assert not modules
    assert not [event for event, _ in seen if event not in ("open", "import")]
    root = str(run.path.resolve())
    package_root = str(Path(package.__file__).parent)
    opened = [os.fsdecode(path) for event, path in seen if event == "open" and not isinstance(path, int) and path]
    outside = [
        path
        for path in opened
        if not str(Path(path).resolve()).startswith((root, package_root, *ALLOWED))
        and not path.endswith((".py", ".pyc"))
    ]
    assert opened
    assert not outside
