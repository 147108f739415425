"""What decides bits on a machine is recorded, compared on resume, and shown."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import ROOT, Command, Trained, copied, start_resume

import dltrain as package
from dltrain import runs
from dltrain.config import load
from dltrain.config.catalogue import datasets
from dltrain.engine import machine
from dltrain.engine.model.shards import choose_cores
from dltrain.errors import RunError


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", True),
        ("TF_XLA_FLAGS", True),
        ("XLA_FLAGS", True),
        ("JAX_DEFAULT_MATMUL_PRECISION", True),
        ("ONEDNN_DEFAULT_FPMATH_MODE", True),
        ("OMP_NUM_THREADS", True),
        ("NVIDIA_TF32_OVERRIDE", True),
        ("NPY_DISABLE_CPU_FEATURES", True),
        ("CUBLAS_WORKSPACE_CONFIG", True),
        ("TF_CPP_MIN_LOG_LEVEL", False),
        ("TF_FORCE_GPU_ALLOW_GROWTH", False),
        ("JAX_COMPILATION_CACHE_DIR", False),
        ("XLA_PYTHON_CLIENT_PREALLOCATE", False),
        ("TF_CONFIG", False),
        ("HOME", False),
        ("MY_XLA_FLAGS", False),
        ("NVIDIA_TF32_OVERRIDE_TOKEN", False),
    ],
)
def test_machine_records_the_variables_that_change_bits(
    name: str, counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert (name in machine.environment()) == counts


def test_machine_records_a_long_variable_by_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = set()
    for end in "ab":
        monkeypatch.setenv("XLA_FLAGS", "-" * 100_000 + end)
        texts.add(machine.environment()["XLA_FLAGS"])
    assert len(texts) == 2
    assert max(map(len, texts)) < 300


def changed(run: runs.Run, **fields: Any) -> None:
    path = run.path / "run.json"
    written = json.loads(path.read_text())
    written["machine"] |= fields
    path.write_text(json.dumps(written))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"cores": 96}, "it had 96 cores and has"),
        ({"instructions": "sve2"}, "the processor is now without sve2"),
        ({"device": "GPU: NVIDIA H100"}, "the device was GPU: NVIDIA H100 and is CPU"),
        ({"libraries": {"oneDNN": "7"}}, "oneDNN was 7 and is"),
        ({"libraries": {"cuDNN": "9"}}, "cuDNN was 9 and is not there"),
        ({"environment": {"XLA_FLAGS": "--a"}}, "the variable XLA_FLAGS was --a and is not set"),
    ],
)
def test_machine_differences_are_told_on_resume(
    trained: Trained, tmp_path: Path, fields: dict[str, Any], told: str
) -> None:
    run = copied(trained.stopped(1), tmp_path)
    changed(run, **fields)
    with pytest.raises(RunError) as caught:
        package.resume(run)
    assert told in caught.value.message
    assert "--force" in caught.value.hint
    assert start_resume(run, force=True) == (1, [])
    assert told in "; ".join(run.record().resumed[0].forced)


def test_machine_of_an_older_run_is_not_compared(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.stopped(1), tmp_path)
    path = run.path / "run.json"
    written = json.loads(path.read_text())
    del written["machine"]
    path.write_text(json.dumps(written))
    assert package.resume(run).status() == "completed"


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_machine_ignores_packages_that_do_not_compute(trained: Trained, tmp_path: Path, backend: str) -> None:
    run = copied(trained.stopped(1), tmp_path)
    versions = {**run.record().versions, "scikit-learn": "0.1", backend: "0.1"}
    run.update(versions=versions)
    if backend == "jax":
        assert package.resume(run).status() == "completed"
    else:
        with pytest.raises(RunError, match=r"tensorflow was 0\.1 and is"):
            package.resume(run)


def test_machine_is_compared_recorded_and_shown_by_the_commands(
    tiny: Path, dltrain: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    assert dltrain("fit", tiny, "-s", "train.epochs=1").returncode == 0
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    resume = ["resume", "latest", "-s", "train.epochs=2"]
    refused, forced, shown, described = dltrain.in_turn(
        resume, [*resume, "--force"], ["show", "latest"], ["env", "--json"]
    )
    assert refused.returncode != 0
    assert "TF_ENABLE_ONEDNN_OPTS was 1 and is 0" in refused.stderr.replace("\n", " ")
    assert forced.returncode == 0, forced.stderr
    assert "TF_ENABLE_ONEDNN_OPTS=1" in shown.stdout
    facts = json.loads(described.stdout)
    assert (facts["oneDNN"], facts["TF_ENABLE_ONEDNN_OPTS"]) == ("off", "0")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert f"({cores} core" in facts["device"]


CNN = ["data.limit={train: 160, test: 32}", "train.batch_size=64", "train.epochs=1", "expect={}"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN is chosen on x86_64")
def test_machine_uses_onednn_for_images_and_keeps_it_on_resume(
    dltrain: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["fit", ROOT / "configs" / "cnn_mnist.yaml", *(part for override in CNN for part in ("-s", override))]
    found = {}
    for variable in ("0", None):
        with monkeypatch.context() as patch:
            patch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
            if variable is not None:
                patch.setenv("TF_ENABLE_ONEDNN_OPTS", variable)
            fitted = dltrain(*command)
            assert fitted.returncode == 0, fitted.stderr
        run = runs.find(dltrain.folder / fitted.stdout.strip())
        machine_then = run.record().machine
        assert machine_then is not None
        assert machine_then.libraries == {"oneDNN": "off" if variable == "0" else "on"}
        assert machine_then.environment.get("TF_ENABLE_ONEDNN_OPTS") == variable
        found[variable] = run
    resumed = dltrain("resume", found[None].path, "-s", "train.epochs=2")
    assert resumed.returncode == 0, resumed.stderr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN is chosen on x86_64")
@pytest.mark.parametrize(
    ("config", "overrides", "owns_process", "expected"),
    [
        ("cnn_mnist", [], True, True),
        ("cnn_mnist", [], False, None),  # other code of the process may import TensorFlow
        ("cnn_mnist", ["train.precision=mixed_bfloat16"], True, None),
        ("cnn_mnist", ["runtime.backend=jax"], True, None),
        ("cnn_mnist", ["train.batch_size=1"], True, None),  # too little work
        ("conv_lstm_mnist", [], True, None),
        ("mlp_mnist_mse", ["train.batch_size=1024"], True, None),
    ],
)
def test_machine_chooses_onednn_for_large_steps_of_convolutions(
    config: str, overrides: list[str], owns_process: bool, expected: bool | None
) -> None:
    plan, facts = load(ROOT / "configs" / f"{config}.yaml", overrides), datasets.facts("mnist", {})
    assert facts is not None
    assert choose_cores(plan, facts, owns_process).onednn == expected
