"""The time profile of a training, for `fit --profile`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

_INPUT_SECONDS = 2.0


class Stopwatch:
    """Wall seconds by activity; `lap` ends one interval and starts the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.add(name, now - self._since)
        self._since = now

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


def input_seconds(batches: Any, steps: int) -> float:
    """Return the wall seconds that the input pipeline alone takes for `steps` batches, extrapolated from two seconds.

    During training it runs in parallel with the steps, which wait only if it is slower than they are.
    """
    started, taken = time.perf_counter(), 0
    for _ in batches:
        taken += 1
        if time.perf_counter() - started > _INPUT_SECONDS:
            break
    return (time.perf_counter() - started) / max(1, taken) * steps


def rows(seconds: Mapping[str, float]) -> list[tuple[str, float, float | None]]:
    """Return rows of (activity, seconds, share); the input pipeline runs in parallel and has no share."""
    whole = sum(value for name, value in seconds.items() if name != INPUT)
    shares = {name: value / whole if whole else 0.0 for name, value in seconds.items() if name != INPUT}
    return [(name, seconds[name], shares.get(name)) for name in _ORDER if name in seconds]


LOAD, START, BUILD, TRACE = "loading data", "starting the backend", "building the model", "first steps, with tracing"
STEPS, CALLBACKS, VALIDATION = "steps", "callbacks", "validation"
CHECKPOINT, TEST, INPUT = "checkpoints, journal and log", "writing the model, test", "reading and preparing batches"
_ORDER = (LOAD, START, BUILD, TRACE, STEPS, CALLBACKS, VALIDATION, CHECKPOINT, TEST, INPUT)
