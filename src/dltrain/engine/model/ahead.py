"""Predictions that go on: forecasts of a series, and the tokens that follow in a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dltrain.errors import UsageError

_SEED = 42
_HOTTEST = 100.0


@dataclass(frozen=True, slots=True)
class Choice:
    """How the next token is chosen: the likeliest, or above a temperature of 0, one that is drawn."""

    temperature: float = 0.0
    seed: int = _SEED


LIKELIEST = Choice()


def choice_of(temperature: float | None, seed: int | None, *, texts: bool) -> Choice:
    """Return the choice that options say. Raises UsageError where they make no sense."""
    if temperature is None and seed is None:
        return LIKELIEST
    if not texts:
        raise UsageError("tokens are drawn where a text goes on", "with `--steps`, of a run on one long text")
    if temperature is None:
        raise UsageError("a seed is for tokens that are drawn", "add a temperature, such as 0.8")
    if type(temperature) not in (int, float) or not 0 <= temperature <= _HOTTEST:
        hint = f"a number from 0, the likeliest tokens, over 1, as the model says, to {_HOTTEST:g}"
        raise UsageError(f"a temperature of {temperature!r} makes no sense", hint)
    if seed is not None and (type(seed) is not int or seed < 0):
        raise UsageError(f"a seed of {seed!r} makes no sense", "a whole number from 0")
    return Choice(float(temperature), _SEED if seed is None else seed)


Model = Callable[[np.ndarray], np.ndarray]


def forecast(model: Model, ends: np.ndarray, rate: int, order: np.ndarray, steps: int) -> np.ndarray:
    """Return forecasts of shape (series, steps, columns); those so far are the end of the window of the next.

    Args:
        model: windows -> the steps that follow.
        ends: the last steps of each series, of shape (series, steps, features).
        rate: from one step of a window to the next.
        order: the place of each feature among the columns.
        steps: how many to forecast.
    """
    window, parts, count = ends, list[np.ndarray](), 0
    while count < steps:
        found = model(window[:, ::rate]).reshape(len(window), -1, len(order))
        parts.append(found)
        count += found.shape[1]
        window = np.concatenate([window, found[..., order]], axis=1)[:, -window.shape[1] :]
    return np.concatenate(parts, axis=1)[:, :steps]


def continued(
    model: Model,
    windows: np.ndarray,
    allowed: Sequence[int],
    steps: int,
    choice: Choice,
    first: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens that follow windows, and what the model gave them, each of shape (windows, steps).

    What is drawn depends on the seed, the place of a text among all (`first` is that of the first window) and the step.

    Args:
        model: windows -> what it gives each token.
        windows: tokens of shape (windows, length).
        allowed: the tokens that may follow.
        steps: how many do.
        choice: how they are chosen.
        first: the place of the first window.
    """
    rows, places = np.arange(len(windows)), np.array(allowed)
    chances = [np.random.default_rng([choice.seed, first + row]) for row in range(len(windows))]
    tokens, outputs = np.empty((len(windows), steps), np.int64), np.empty((len(windows), steps), np.float32)
    for step in range(steps):
        found = model(windows)
        given = found[:, places].astype(np.float64)
        drawn = np.array([chance.random() for chance in chances]) if choice.temperature else None
        tokens[:, step] = places[given.argmax(axis=1) if drawn is None else _drawn(given, drawn, choice.temperature)]
        outputs[:, step] = found[rows, tokens[:, step]]
        windows = np.concatenate([windows[:, 1:], tokens[:, step, None].astype(windows.dtype)], axis=1)
    return tokens, outputs


def _drawn(given: np.ndarray, drawn: np.ndarray, temperature: float) -> np.ndarray:
    """Return for each row the place that a number from 0 to 1 falls on, of shares that a temperature has evened out."""
    most = np.maximum(given.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    shares = np.power(np.clip(given / most, 0, 1), 1 / temperature)
    ends = np.cumsum(shares, axis=1)
    place: np.ndarray = (ends <= drawn[:, None] * ends[:, -1:]).sum(axis=1)
    return np.minimum(place, given.shape[1] - 1)
