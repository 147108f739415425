from __future__ import annotations

from pathlib import Path

import pytest
from tests.runs.faults import Faults

from dltrain import runs


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    return Faults(monkeypatch)


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def run(runs_dir: Path) -> runs.Run:
    return runs.create(runs_dir, name="cnn", config=b"version: 1\n", resolved="version: 1\n", record={"seed": 42})
