"""Training on JAX, in separate processes: a process has one backend."""

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
from tests.helpers import ROOT, TINY

from dltrain.engine import backends
from dltrain.engine.backends.backend import without
from dltrain.errors import UsageError

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
# Trains and evaluates each config, then stops and resumes a small one, all in one process.
SCRIPT = """
import json, sys
from pathlib import Path
import dltrain
from tests.helpers import fingerprint, stopped
folder, configs = Path(sys.argv[1]), sys.argv[2:]
def measured(run):
    import keras
    kept = keras.saving.load_model(run.path / "model.keras")
    assert kept.count_params() == run.record().parameters
    return dltrain.evaluate(run).metrics["loss"]
jax, found = "runtime.backend=jax", {}
for config in configs:
    run = dltrain.fit(config, [jax], smoke=True, runs_dir=folder / Path(config).stem)
    found[config] = measured(run)
tiny = folder / "tiny.yaml"
changed = [jax, "train.epochs=3", "data.augment=[GaussianNoise: {stddev: 0.1}]", "train.schedule={2: 0.1, 3: 0.05}"]
whole = dltrain.fit(tiny, changed, runs_dir=folder / "whole")
found["tiny"], found["whole"] = measured(whole), fingerprint(whole)
found["rates"] = [row["learning_rate"] for row in whole.metrics()]
found["resumed"] = fingerprint(dltrain.resume(stopped(tiny, folder / "parts", 1, *changed)))
assert "tensorflow" not in sys.modules, "TensorFlow was imported"
import keras
print(json.dumps([keras.backend.backend(), found]))
"""


def on_jax(folder: Path, *configs: Path) -> tuple[str, dict[str, Any]]:
    (folder / "tiny.yaml").write_text(TINY)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), *map(str, configs)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    backend, found = json.loads(done.stdout.splitlines()[-1])
    return backend, found


@pytest.mark.parametrize("configs", [[], pytest.param(CONFIGS, marks=pytest.mark.slow)], ids=["tiny", "all"])
def test_backends_jax_trains_evaluates_and_resumes_without_tensorflow(configs: list[Path], tmp_path: Path) -> None:
    backend, found = on_jax(tmp_path, *configs)
    assert backend == "jax"
    assert all(0 < found[str(config)] < 10 for config in ["tiny", *configs])
    assert found["resumed"] == found["whole"]
    assert found["rates"] == pytest.approx([0.01, 0.1, 0.05])
    (run,) = (tmp_path / "whole").iterdir()
    assert yaml.safe_load((run / "resolved.yaml").read_text())["runtime"]["backend"] == "jax"
    written = {path.name for path in run.iterdir() if not path.name.startswith(".")}
    assert written == {
        "checkpoints", "config.yaml", "eval", "log.txt", "metrics.csv", "metrics.jsonl", "model.keras",
        "preprocess.json", "resolved.yaml",
        "run.json", "tensorboard", "validation_indices.json",
    }  # fmt: skip


def test_backends_rejects_a_second_backend_in_the_same_process() -> None:
    assert backends.choose("tensorflow") is backends.current()
    with pytest.raises(UsageError, match="with TensorFlow in this process already"):
        backends.choose("jax")


def test_backends_reports_a_backend_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="not installed") as caught:
        backends.choose("jax")
    assert "pip install" in caught.value.hint


def test_backends_without_hides_modules_only_inside_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with without("json", "this.is.nowhere", "wave"):
        assert importlib.import_module("json") is json
        with pytest.raises(ImportError):
            importlib.import_module("wave")
    assert importlib.import_module("wave") is sys.modules["wave"]
    assert "this.is.nowhere" not in sys.modules


def test_backends_command_line_imports_only_what_it_needs() -> None:
    code = (
        "import sys\nfrom dltrain.engine import backends\nbackends.choose('tensorflow', True)\n"
        "print(sorted({'sklearn', 'jax', 'matplotlib', 'scipy'} & set(sys.modules)))\n"
        "import sklearn, matplotlib, gc\nprint(gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]
