"""Limits of the process (`ulimit`): a message instead of a traceback or an abort."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import Trained, copied, slow_but

from dltrain.config.checks.sense.sizes import machine_bytes

CONFIG = """
data: {dataset: {synthetic: {shape: [4], classes: 2, samples: 64}}}
model: {layers: [Dense: {units: 2, activation: softmax}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}
"""


def limited(folder: Path, kind: int, limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "config.yaml").write_text(CONFIG)
    return subprocess.run(
        [sys.executable, "-m", "dltrain", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)),
    )


@pytest.mark.parametrize("gigabytes", slow_but([0.5, 2.5], [0.5, 1, 2.5]))
@pytest.mark.parametrize("verb", [("fit", "config.yaml"), ("check", "--build", "config.yaml"), ("env",)])
def test_limits_of_the_address_space_are_told(tmp_path: Path, gigabytes: float, verb: tuple[str, ...]) -> None:
    done = limited(tmp_path, resource.RLIMIT_AS, int(gigabytes * 1e9), *verb)
    assert (done.returncode, done.stdout) == (1, "")
    assert "address space" in done.stderr
    assert "ulimit -v" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize("files", slow_but([5, 8], [5, 6, 8, 10]))
@pytest.mark.parametrize("verb", [("ls",), ("check", "config.yaml"), ("fit", "config.yaml")])
def test_limits_of_open_files_are_told(tmp_path: Path, files: int, verb: tuple[str, ...]) -> None:
    done = limited(tmp_path, resource.RLIMIT_NOFILE, files, *verb)
    assert done.returncode in (0, 1)
    if "init_import_site" not in done.stderr:  # then Python itself did not start
        assert "Traceback" not in done.stderr
        assert done.returncode == 0 or "oo many" in done.stderr


def test_limits_of_the_disk_leave_no_half_of_a_file(tmp_path: Path, trained: Trained) -> None:
    copied(trained.finished(), tmp_path / "runs")
    np.save(tmp_path / "x.npy", np.zeros((2_000, 4), np.float32))
    data, predict = ("data", "config.yaml", "--pictures", "pictures"), ("predict", "latest", "x.npy", "-o", "y.csv")
    for command in (data, predict):
        assert limited(tmp_path, resource.RLIMIT_CORE, 0, *command).returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "y.csv", *(tmp_path / "pictures").iterdir())}
    assert len(before) >= 3
    for command in (data, predict, (*predict[:-1], "other.csv")):
        done = limited(tmp_path, resource.RLIMIT_FSIZE, 5_000, *command)
        assert done.returncode in (1, 2)
        assert f"{command[-1]}: File too large" in done.stderr
        assert "Traceback" not in done.stderr
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"config.yaml", "pictures", "runs", "x.npy", "y.csv"}
    assert {path: path.read_bytes() for path in (tmp_path / "y.csv", *(tmp_path / "pictures").iterdir())} == before


def test_limits_bound_the_memory_that_a_model_may_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    before = machine_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (10**11 if soft == resource.RLIM_INFINITY else soft, hard))
    try:
        assert (machine_bytes() or 0) <= min(before or 10**18, 10**11)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
