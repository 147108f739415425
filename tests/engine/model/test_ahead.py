"""Tokens that follow in a text: the likeliest, or drawn by seed, place and step alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.engine.model.ahead import LIKELIEST, Choice, choice_of, continued
from dltrain.errors import UsageError

WINDOWS = np.array([[0, 2], [2, 3], [4, 4]], np.int32)


def after_the_last(windows: np.ndarray) -> np.ndarray:
    """A model that finds the token behind the last one likely, its neighbours less, and 0 always most."""
    found = np.full((len(windows), 6), 0.01, np.float32)
    last = windows[:, -1]
    for ahead, share in ((1, 0.5), (2, 0.3)):
        found[np.arange(len(windows)), 2 + (last - 2 + ahead) % 4] = share
    found[:, 0] = 0.9
    return found


def told(choice: Choice, steps: int = 8, windows: np.ndarray = WINDOWS, first: int = 0) -> Any:
    return continued(after_the_last, windows, [2, 3, 4, 5], steps, choice, first)


def test_ahead_the_likeliest_token_that_may_follow_is_the_end_of_the_next_window() -> None:
    tokens, outputs = told(LIKELIEST, 4)
    assert tokens.tolist() == [[3, 4, 5, 2], [4, 5, 2, 3], [5, 2, 3, 4]]
    assert np.all(outputs == np.float32(0.5))
    assert np.array_equal(told(Choice(0.0, 7), 4)[0], tokens)
    assert np.array_equal(told(Choice(0.01), 4)[0], tokens)


def test_ahead_what_is_drawn_depends_on_seed_place_and_step_alone() -> None:
    tokens = told(Choice(1.0, 7), 20)[0]
    assert np.array_equal(told(Choice(1.0, 7), 20)[0], tokens)
    assert np.array_equal(told(Choice(1.0, 7), 5)[0], tokens[:, :5])
    assert np.array_equal(told(Choice(1.0, 7), 20, WINDOWS[1:], 1)[0], tokens[1:])
    assert not np.array_equal(told(Choice(1.0, 8), 20)[0], tokens)
    assert set(tokens.reshape(-1).tolist()) <= {2, 3, 4, 5}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_ahead_a_temperature_evens_shares_out(temperature: float) -> None:
    windows = np.full((4000, 2), 2, np.int32)
    tokens = told(Choice(temperature, 1), 1, windows)[0][:, 0]
    given = np.array([0.01, 0.5, 0.3, 0.01]) ** (1 / temperature)
    assert np.bincount(tokens, minlength=6)[2:] / 4000 == pytest.approx(given / given.sum(), abs=0.03)


def test_ahead_a_model_that_gives_nothing_still_draws_a_token() -> None:
    for value in (0.0, -1.0, np.nan):
        nothing = np.full((3, 6), value, np.float32)
        tokens, _ = continued(lambda windows, given=nothing: given, WINDOWS, [2, 5], 3, Choice(1.0))  # type: ignore[misc]
        assert set(tokens.reshape(-1).tolist()) <= {2, 5}


@pytest.mark.parametrize(
    ("temperature", "seed", "texts", "message"),
    [
        (0.5, None, False, "where a text goes on"),
        (None, 3, False, "where a text goes on"),
        (None, 3, True, "a seed is for tokens that are drawn"),
        (-0.1, None, True, "temperature of -0.1 makes no sense"),
        (float("nan"), None, True, "temperature of nan makes no sense"),
        ("hot", None, True, "temperature of 'hot' makes no sense"),
        (1.0, -3, True, "seed of -3 makes no sense"),
        (1.0, 0.5, True, "seed of 0.5 makes no sense"),
    ],
)
def test_ahead_choices_that_make_no_sense_are_told(temperature: Any, seed: Any, texts: bool, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        choice_of(temperature, seed, texts=texts)
    assert caught.value.hint
