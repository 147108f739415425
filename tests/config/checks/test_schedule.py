"""`train.schedule`, lengths in epochs and `train.shuffle`: what is accepted, and what is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from dltrain.config.plan import check
from dltrain.errors import ConfigError, Problem

CONFIG = """\
data: {{dataset: {data}, validation: 0.1}}
model: {{layers: [Flatten, Dense: {{units: 10, activation: softmax}}]}}
train:
  optimizer: {optimizer}
  loss: sparse_categorical_crossentropy
  batch_size: {batch_size}
  epochs: 10
  {rest}
"""
# 900 samples for training, 29 steps an epoch, 290 steps in all.
GIVEN = {"data": "{synthetic: {shape: [8, 8, 1], classes: 10, samples: 1000}}", "optimizer": "Adam", "batch_size": "32"}


def problems_of(rest: str = "", **parts: str) -> list[Problem]:
    text = CONFIG.format(rest=rest, **(GIVEN | parts))
    try:
        return list(check("config.yaml", text.encode(), ()).warnings)
    except ConfigError as error:
        return list(error.problems)


def of_rate(rate: str, **parts: str) -> list[Problem]:
    return problems_of(optimizer=f"{{SGD: {{learning_rate: {{{rate}}}}}}}", **parts)


@pytest.mark.parametrize(
    ("rest", "optimizer"),
    [
        ("schedule: {1: 1e-3, 5: 1e-4}", "Adam"),
        ("schedule: {1: 1e-3, 5: 1e-4}", "{Adam: {learning_rate: 1e-3}}"),
        ("schedule: {5: 1e-4}", "{Adam: {learning_rate: 1e-3}}"),
        ("schedule: {10: 1e-4}", "{LossScaleOptimizer: {inner_optimizer: Adam}}"),
        ("schedule: {}", "{Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290}}}}"),
        ("schedule: {2: 0.05}\n  callbacks: [EarlyStopping: {patience: 2}]", "SGD"),
        ("shuffle: false", "Adam"),
    ],
)
def test_schedule_accepts_rates_by_epoch(rest: str, optimizer: str) -> None:
    assert problems_of(rest, optimizer=optimizer) == []


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("{0: 1e-3}", "epochs are whole numbers from 1 on"),
        ("{-1: 1e-3}", "epochs are whole numbers from 1 on"),
        ("{1.5: 1e-3}", "epochs are whole numbers from 1 on"),
        ("{01: 1e-3}", "epochs are whole numbers from 1 on"),
        ("{9999999999: 1e-3}", "epochs are whole numbers from 1 on"),
        ("{1: 0}", "learning rates are numbers above 0"),
        ("{1: -1e-3}", "learning rates are numbers above 0"),
        ("{1: .inf}", "learning rates are numbers above 0"),
        ("{1: 1e39}", "learning rates are numbers above 0"),
        (f"{{1: {'9' * 40}}}", "learning rates are numbers above 0"),
        ("{1: true}", "learning rates are numbers above 0"),
        ("{1: fast}", "learning rates are numbers above 0"),
        ("[1e-3, 1e-4]", "expected the epochs from which learning rates hold"),
        ("1e-3", "expected the epochs from which learning rates hold"),
        ("null", "expected the epochs from which learning rates hold"),
        ("cosine", "write it as the rate: `optimizer: {Adam: {learning_rate: {CosineDecay:"),
        ("{StepLR: {step_size: 3}}", "decay_steps: 87, decay_rate: 0.1, staircase: true}}}}`"),
        ("{ExponentialDecay: {decay_steps: 50}}", "write it as the rate: `optimizer: {Adam: {learning_rate: {Exp"),
    ],
)
def test_schedule_of_another_form_is_told(value: str, hint: str) -> None:
    (problem,) = problems_of(f"schedule: {value}")
    assert (problem.path, problem.severity) == (("train", "schedule"), "error")
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("rest", "optimizer", "code", "severity"),
    [
        ("schedule: {11: 1e-3}", "Adam", "schedule-steps", "warning"),
        ("schedule: {1: 1e-2}", "{Adam: {learning_rate: 1e-3}}", "schedule-idle", "warning"),
        ("schedule: {4: 50}", "Adam", "learning-rate", "warning"),
        ("schedule: {4: 1e-12}", "Adam", "learning-rate", "warning"),
        ("schedule: {4: 1e-3}\n  callbacks: [ReduceLROnPlateau: {patience: 2}]", "Adam", "callback-schedule", "error"),
        (
            "schedule: {1: 1e-3}",
            "{Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290}}}}",
            "schedule",
            "error",
        ),
        (
            "schedule: {1: 1e-3}",
            "{LossScaleOptimizer: {inner_optimizer: {SGD: {learning_rate: {CosineDecay: "
            "{initial_learning_rate: 1e-3, decay_steps: 290}}}}}}",
            "schedule",
            "error",
        ),
        ("schedule: {2: 0.2}", "{AdamW: {weight_decay: 8}}", "optimizer-setting", "warning"),
        ("schedule: {1: 1e-3}", "{Adam: {learning_rate: 50}}", "schedule-idle", "warning"),  # it is never used
    ],
)
def test_schedule_that_something_contradicts_is_told(rest: str, optimizer: str, code: str, severity: str) -> None:
    found = problems_of(rest, optimizer=optimizer)
    assert (code, severity) in [(problem.code, problem.severity) for problem in found]
    if code.startswith("schedule"):
        assert len(found) == 1
        (word,) = re.findall(r"write `(learning_rate: [^`]*)`", found[0].hint) or [""]
        if word:
            assert problems_of(rest, optimizer=f"{{Adam: {{{word}}}}}") == []


@pytest.mark.parametrize(
    "rate",
    [
        "CosineDecay: {initial_learning_rate: 0.1, decay_steps: 10 epochs}",
        "CosineDecay: {initial_learning_rate: 0.01, warmup_target: 0.1, warmup_steps: 3 epochs, decay_steps: 7 epochs}",
        "CosineDecay: {initial_learning_rate: 0, warmup_target: 1, warmup_steps: 0.5 epochs, decay_steps: 9.5 epochs}",
        "CosineDecayRestarts: {initial_learning_rate: 0.1, first_decay_steps: 1 epoch}",
        "ExponentialDecay: {initial_learning_rate: 0.1, decay_steps: 1 epoch, decay_rate: 0.8, staircase: true}",
        "PiecewiseConstantDecay: {boundaries: [1 epoch, 8 epochs], values: [0.1, 0.01, 0.001]}",
    ],
)
@pytest.mark.parametrize("batch_size", ["32", "full", "300"])
def test_schedule_accepts_lengths_in_epochs(rate: str, batch_size: str) -> None:
    if batch_size != "32" and "0.5 epochs" in rate:
        return  # less than a step
    assert of_rate(rate, batch_size=batch_size) == []


@pytest.mark.parametrize(
    ("rate", "code", "message"),
    [
        ("CosineDecay: {initial_learning_rate: 0.1, decay_steps: 3 epochs}", "schedule-steps", "after 87 steps"),
        ("CosineDecay: {initial_learning_rate: 0.1, decay_steps: 90 epochs}", "schedule-steps", "2,610 steps"),
        ("PiecewiseConstantDecay: {boundaries: [12 epochs], values: [0.1, 0.01]}", "schedule-steps", "step 348"),
        ("PiecewiseConstantDecay: {boundaries: [3 epochs, 2 epochs], values: [3, 2, 1]}", "schedule", "do not rise"),
        ("PiecewiseConstantDecay: {boundaries: [3 epochs], values: [0.1]}", "schedule", "2 pieces"),
    ],
)
def test_schedule_in_epochs_that_does_not_fit_the_run_is_told(rate: str, code: str, message: str) -> None:
    (problem,) = of_rate(rate)
    assert problem.code == code
    assert message in problem.message


def test_schedule_in_epochs_is_checked_without_the_steps_of_an_epoch() -> None:
    rate = "PiecewiseConstantDecay: {boundaries: [10 epochs, 9 epochs], values: [3, 2, 1]}"
    found = of_rate(rate, batch_size="many")
    assert {problem.code for problem in found} == {"wrong-value", "schedule"}


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("10e", "write `10 epochs`"),
        ("10epochs", "write `10 epochs`"),
        ("2.5 Epochs", "write `2.5 epochs`"),
        ("290 steps", "write `290`"),
        ("ten epochs", "as in `decay_steps: 1000`"),
        ("-1 epochs", "as in `decay_steps: 1000`"),
        ("[1 epoch]", "as in `decay_steps: 1000`"),
        ("1e9 epochs", "as in `decay_steps: 1000`"),
    ],
)
def test_schedule_length_of_another_form_is_told(written: str, hint: str) -> None:
    (problem,) = of_rate(f"CosineDecay: {{initial_learning_rate: 0.1, decay_steps: {written}}}")
    assert "an integer of at least 1 or epochs such as `10 epochs`" in problem.message
    assert problem.hint == hint


@pytest.mark.parametrize(("batch_size", "told"), [("4", ["shuffle"]), ("full", [])])
def test_order_of_folders_is_one_class_after_the_other(tmp_path: Path, batch_size: str, told: list[str]) -> None:
    for name in "abcdefghij":
        (tmp_path / name).mkdir()
        for index in range(12):
            Image.new("L", (8, 8)).save(tmp_path / name / f"{index}.png")
    data = f"{{image_folder: {{path: {tmp_path}, image_size: [8, 8], color_mode: grayscale}}}}, test: 0.2"
    for rest, codes in (("shuffle: false", told), ("", [])):
        assert [problem.code for problem in problems_of(rest, data=data, batch_size=batch_size)] == codes
