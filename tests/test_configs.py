"""Every config in the repository passes `check`, trains on a tiny subset and has a correct header."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import script

import dltrain as package
from dltrain.config import load

SUMS = script("write_addition").write()
script("write_digits").write()  # for the configs that train on files
CONFIGS = sorted((Path(__file__).parent.parent / "configs").rglob("*.yaml"))


def test_configs_are_found() -> None:
    assert len(CONFIGS) >= 8


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_configs_header_has_command_cost_and_result(config: Path) -> None:
    header = config.read_text().split("\nversion:")[0]
    assert f"dltrain fit configs/{config.name}" in header
    assert re.search(r"(?m)^# cost:.*\d", header)
    assert re.search(r"(?m)^# reached:.*\d", header)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_configs_header_commands_pass_check(config: Path) -> None:
    commands = re.findall(r"(?m)^#\s+dltrain fit configs/\S+(.*)$", config.read_text())
    assert commands
    for options in commands:
        overrides = re.findall(r"-s (\S+)", options)
        assert load(config, overrides).spec.name == config.stem


# The others have layers of these, other losses or optimizers.
SLOW = ("cnn_small_mnist", "lstm_mnist", "mlp_mnist_mse", "stacked_lstm_mnist")


@pytest.mark.parametrize(
    "config",
    [pytest.param(path, marks=[pytest.mark.slow] if path.stem in SLOW else [], id=path.stem) for path in CONFIGS],
)
def test_configs_train_on_a_tiny_subset(config: Path, tmp_path: Path) -> None:
    run = package.fit(config, smoke=True, runs_dir=tmp_path)
    record = run.record()
    assert record.status == "completed"
    assert 100 <= (record.data.train or 0) + (record.data.validation or 0) <= 512
    assert 60 <= (record.data.test or 0) <= 128
    assert len(run.metrics()) == 1
    assert record.metrics["test_loss"] > 0
    assert 0 <= record.metrics.get("test_accuracy", 0) <= 1


def test_configs_sums_are_right_and_none_of_the_test_is_in_the_training() -> None:
    arrays, characters = np.load(SUMS, allow_pickle=False), np.array([*"0123456789+ "])
    asked = []
    for split, count in (("train", 45_000), ("test", 5_000)):
        questions = characters[arrays[f"x_{split}"].argmax(-1)][:, ::-1]
        answers = ["".join(row) for row in arrays[f"y_{split}"]]
        assert len(questions) == count
        for question, answer in zip(questions, answers, strict=True):
            a, b = sorted(map(int, "".join(question).split("+")))
            assert answer == f"{a + b:<4}"
            asked.append((a, b))
    assert len(set(asked)) == 50_000
