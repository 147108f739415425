"""Training on JAX, each in a process of its own: a process has one backend."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dltrain.engine import backends
from dltrain.errors import UsageError

CONFIGS = sorted((Path(__file__).parent.parent.parent / "configs").glob("*.yaml"))
SCRIPT = """
import json, sys
import dltrain
from tests.engine.training.test_resume import fingerprint, stopped
config, folder, overrides = sys.argv[1], sys.argv[2], sys.argv[3:]
{body}
import keras
kept = keras.saving.load_model(run.path / "model.keras")
assert kept.count_params() == run.record().parameters
assert "tensorflow" not in sys.modules, "TensorFlow was imported"
print(json.dumps([keras.backend.backend(), *result]))
"""
TRAIN = "run = dltrain.fit(config, overrides, smoke=True, runs_dir=folder); result = [dltrain.evaluate(run).metrics]"
RESUME = """
whole = fingerprint(dltrain.fit(config, overrides, runs_dir=folder + "/whole"))
from pathlib import Path
run = dltrain.resume(stopped(Path(config), Path(folder + "/parts"), 1, *overrides))
result = [whole, fingerprint(run)]
"""


def on_jax(body: str, *arguments: str, **environment: str) -> list[Any]:
    command = [sys.executable, "-c", SCRIPT.replace("{body}", body), *arguments, "runtime.backend=jax"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "config",
    [pytest.param(c, id=c.stem, marks=[] if "cnn_mnist" in c.stem else [pytest.mark.slow]) for c in CONFIGS],
)
def test_backends_jax_trains_and_evaluates_every_config_without_tensorflow(config: Path, tmp_path: Path) -> None:
    backend, metrics = on_jax(TRAIN, str(config), str(tmp_path), KERAS_BACKEND="tensorflow")
    assert backend == "jax"
    assert 0 < metrics["loss"] < 10
    (run,) = tmp_path.iterdir()
    assert yaml.safe_load((run / "resolved.yaml").read_text())["runtime"]["backend"] == "jax"
    written = {path.name for path in run.iterdir() if not path.name.startswith(".")}
    assert written == {
        "checkpoints", "config.yaml", "eval", "log.txt", "metrics.csv", "metrics.jsonl", "model.keras", "resolved.yaml",
        "run.json", "tensorboard", "validation_indices.json",
    }  # fmt: skip


def test_backends_jax_resumes_to_the_same_bits(tiny: Path, tmp_path: Path) -> None:
    layers = "[Dense: {units: 8, activation: relu}, Dropout: {rate: 0.5}, Dense: {units: 3, activation: softmax}]"
    _, whole, resumed = on_jax(RESUME, str(tiny), str(tmp_path), f"model.layers={layers}", "train.epochs=3")
    assert resumed == whole


def test_backends_another_one_in_the_same_process_is_refused() -> None:
    assert backends.choose("tensorflow") is backends.current()
    with pytest.raises(UsageError, match="with TensorFlow in this process already"):
        backends.choose("jax")


def test_backends_one_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="not installed") as caught:
        backends.choose("jax")
    assert "pip install" in caught.value.hint


def test_backends_without_hides_modules_inside_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with backends.without("json", "this.is.nowhere", "wave"):
        assert importlib.import_module("json") is json
        with pytest.raises(ImportError):
            importlib.import_module("wave")
    assert importlib.import_module("wave") is sys.modules["wave"]
    assert "this.is.nowhere" not in sys.modules


def test_backends_command_line_imports_no_more_than_it_needs() -> None:
    code = (
        "import sys\nfrom dltrain.engine import backends\nbackends.choose('tensorflow', True)\n"
        "print(sorted({'sklearn', 'jax'} & set(sys.modules)))\nimport sklearn, gc\nprint(gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]
