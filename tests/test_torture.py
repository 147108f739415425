from __future__ import annotations

import subprocess
import sys

import pytest
from tests.helpers import ROOT

SCRIPT = ROOT / "scripts" / "torture.py"


@pytest.mark.parametrize(
    ("model", "rounds", "seed"),
    [
        ("cnn", 1, 36),  # its only kill comes in the middle of the training
        pytest.param("cnn", 25, 0, marks=pytest.mark.slow),
        pytest.param("stacked-lstm", 25, 0, marks=pytest.mark.slow),
    ],
)
def test_torture_killed_and_resumed_runs_are_bit_identical(model: str, rounds: int, seed: int) -> None:
    command = [sys.executable, str(SCRIPT), "--rounds", str(rounds), "--models", model, "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{rounds} of {rounds} rounds ended in the same bits" in done.stdout


@pytest.mark.parametrize(("rounds", "works", "seed"), [(1, 0, 1), pytest.param(10, 3, 0, marks=pytest.mark.slow)])
def test_torture_of_places_that_strangers_made(rounds: int, works: int, seed: int) -> None:
    options = ["--rounds", str(rounds), "--works", str(works), "--seed", str(seed)]
    command = [sys.executable, str(ROOT / "scripts" / "torture_strangers.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:]
