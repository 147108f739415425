"""The learning rates of Keras's schedules, computed without Keras."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.rates import rate_of, samples, zero_from
from dltrain.engine.model.construct import construct

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("CosineDecay", {"decay_steps": 60}),
    ("CosineDecay", {"decay_steps": 60, "alpha": 0.2}),
    ("CosineDecay", {"decay_steps": 60, "warmup_target": 0.3, "warmup_steps": 20}),
    ("CosineDecay", {"decay_steps": 60, "warmup_steps": 20}),
    ("CosineDecayRestarts", {"first_decay_steps": 13}),
    ("CosineDecayRestarts", {"first_decay_steps": 13, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}),
    ("CosineDecayRestarts", {"first_decay_steps": 13, "t_mul": 0.5}),
    ("ExponentialDecay", {"decay_steps": 30, "decay_rate": 0.5}),
    ("ExponentialDecay", {"decay_steps": 30, "decay_rate": 4, "staircase": True}),
    ("ExponentialDecay", {"decay_steps": 30, "decay_rate": -0.5}),
    ("ExponentialDecay", {"decay_steps": 30, "decay_rate": 0}),
    ("InverseTimeDecay", {"decay_steps": 30, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"decay_steps": 30, "decay_rate": -0.7, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 60}),
    ("PolynomialDecay", {"decay_steps": 25, "power": 2.0, "cycle": True, "end_learning_rate": 0.01}),
    ("PolynomialDecay", {"decay_steps": 60, "power": 0}),
    ("PiecewiseConstantDecay", {"boundaries": [10, 30.5], "values": [0.1, 0.01, 0.001]}),
]


@pytest.mark.parametrize(("name", "given"), SCHEDULES)
def test_rates_are_those_of_keras(name: str, given: dict[str, Any]) -> None:
    if name != "PiecewiseConstantDecay":
        given = {"initial_learning_rate": 0.1, **given}
    schedule, rate = construct("schedule", name, given), rate_of(name, given)
    assert rate is not None
    for step in (0, 1, 5, 10, 11, 19, 20, 21, 29, 30, 31, 59, 60, 61, 75, 100):
        assert rate(step) == pytest.approx(float(schedule(step)), rel=1e-4, abs=1e-8, nan_ok=True), step


def test_rates_know_every_schedule() -> None:
    assert {name for name, _ in SCHEDULES} == set(entries.names("schedule"))


def test_rates_beyond_every_number_are_infinite() -> None:
    rate = rate_of("ExponentialDecay", {"initial_learning_rate": 1, "decay_steps": 1, "decay_rate": 10})
    assert rate is not None
    assert rate(400) == math.inf


@pytest.mark.parametrize("total", [1, 2, 5, 256, 257, 1_000_000])
def test_rates_samples_cover_the_run(total: int) -> None:
    steps = samples(total)
    assert steps[0] == 0
    assert steps[-1] == total - 1
    assert len(steps) == min(total, 256)


@pytest.mark.parametrize(
    ("decay_steps", "total", "first"), [(700, 1000, 700), (999, 1000, 999), (1000, 1000, 1000), (1, 3, 1), (5, 1, 1)]
)
def test_rates_find_the_first_step_without_learning(decay_steps: int, total: int, first: int) -> None:
    rate = rate_of("CosineDecay", {"initial_learning_rate": 1e-3, "decay_steps": decay_steps})
    assert rate is not None
    assert zero_from(rate, total) == first
