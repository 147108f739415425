"""The sheet of numbers: scikit-learn's figures to 1e-9, beside constant guesses and other forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from dltrain.metrics.numbers import array_sheet, errors_by_step, number_sheet

EXACT: Any = {"rel": 1e-9, "abs": 1e-9}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("numbers", [1, 3])
def test_numbers_have_the_figures_of_the_reference(numbers: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    truth = draws.normal(50, 10, (200, numbers))
    guess = truth + draws.normal(1, 4, (200, numbers))
    sheet = number_sheet(
        truth, guess, list("xyz")[:numbers], centre=np.full(numbers, 49.0), median=np.full(numbers, 48.0)
    )
    for index, found in enumerate(sheet.numbers):
        true, given = truth[:, index], guess[:, index]
        assert {name: each.value for name, each in found.scores.items()} == pytest.approx(
            {
                "mae": reference.mean_absolute_error(true, given),
                "rmse": reference.root_mean_squared_error(true, given),
                "mape": reference.mean_absolute_percentage_error(true, given),
                "r2": reference.r2_score(true, given),
                "bias": np.mean(true - given),
            },
            **EXACT,
        )
        assert found.guess == pytest.approx(
            {"mae": np.mean(np.abs(true - 48)), "rmse": np.sqrt(np.mean((true - 49) ** 2))}, **EXACT
        )
        assert found.residuals["0.5"] == pytest.approx(np.median(true - given), **EXACT)
        assert found.largest == pytest.approx(np.max(np.abs(true - given)), **EXACT)
        mae = found.scores["mae"]
        assert mae.low is not None
        assert mae.high is not None
        assert mae.low < mae.value < mae.high  # type: ignore[operator]


def test_numbers_that_are_missing_or_zero_are_left_out() -> None:
    truth = np.array([[0.0], [2.0], [np.nan], [4.0]])
    (found,) = number_sheet(truth, np.array([[1.0], [1.0], [1.0], [5.0]]), []).numbers
    assert found.scores["mae"].value == pytest.approx(1.0)
    assert found.scores["mape"].value == pytest.approx((0.5 + 0.25) / 2)  # of 2 and 4
    (none,) = number_sheet(np.full((3, 1), np.nan), np.zeros((3, 1)), ["x"]).numbers
    assert none.scores["mae"].value is None
    assert none.largest is None
    (same,) = number_sheet(np.ones((3, 1)), np.ones((3, 1)), ["x"]).numbers
    assert same.scores["r2"].value is None  # nothing varies
    assert same.scores["mae"].value == 0.0


@pytest.mark.parametrize("constant", [0.1, 1e30, -7.3, 0.0])
def test_numbers_that_do_not_vary_have_no_r2(constant: float) -> None:
    truth = np.full((60, 1), constant)
    (found,) = number_sheet(truth, truth + 1.0, []).numbers
    assert found.scores["r2"].value is None


def test_numbers_by_step_stand_beside_forecasts_to_beat() -> None:
    draws = np.random.default_rng(3)
    truth = draws.normal(size=(50, 4, 2))
    guess, naive = truth + np.arange(4)[:, None] / 10, np.zeros_like(truth)
    truth[0, 0, 0] = np.nan
    steps, over_all = errors_by_step(truth, guess, {"naive": naive})
    assert [step.mae for step in steps] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert [step.rmse for step in steps] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert [step.baselines["naive"] for step in steps] == pytest.approx(np.nanmean(np.abs(truth), axis=(0, 2)).tolist())
    assert over_all == pytest.approx({"naive": np.nanmean(np.abs(truth))})


def test_numbers_of_arrays_have_the_errors_of_samples() -> None:
    draws = np.random.default_rng(4)
    errors = draws.exponential(size=(300, 12))
    sheet = array_sheet(errors.mean(axis=1), (errors**2).mean(axis=1))
    assert sheet.scores["mae"].value == pytest.approx(errors.mean(), **EXACT)
    assert sheet.scores["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()), **EXACT)
    assert np.mean(errors.mean(axis=1) > sheet.by_sample["0.95"]) == pytest.approx(0.05, abs=0.005)
