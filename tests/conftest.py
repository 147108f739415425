from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = Path(__file__).parent.parent

TINY = """\
version: 1
name: tiny
data:
  dataset:
    synthetic: {samples: 200, test_samples: 60, features: 4, classes: 3}
model:
  layers:
    - Dense: {units: 8, activation: relu}
    - Dropout: {rate: 0.2}
    - Dense: {units: 3, activation: softmax}
train:
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  epochs: 2
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A config that trains in a moment."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def dltrain(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command itself, as a process in a folder of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dltrain", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    return run
