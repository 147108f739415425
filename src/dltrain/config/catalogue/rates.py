"""The learning rate of a step, as Keras's schedules compute it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.kinds import epochs_of, section_of
from dltrain.config.schema import KerasObject

Rate = Callable[[int], float]
_COUNTS_EPOCHS = {"epochs", "epochs_list"}  # the kinds of arguments that count steps or epochs

_SAMPLES = 256


def rate_of(name: str, given: Mapping[str, Any]) -> Rate | None:
    """Return the function from a step, counted from 0, to the learning rate; None where there is no such function.

    There is none where steps are given in epochs. Where Keras's formula has no value, the rate is NaN; beyond the
    largest number, it is infinite.

    Args:
        name: a schedule of Keras.
        given: its arguments, valid each on its own; defaults are added.
    """
    entry = entries.find("schedule", name)
    formula = _FORMULAS.get(name)
    if entry is None or formula is None:
        return None
    written: dict[str, Any] = {key: argument.default for key, argument in entry.arguments.items()} | dict(given)
    try:
        arguments: dict[str, Any] = {
            key: float(value) if type(value) is int else value for key, value in written.items()
        }
    except OverflowError:
        return None
    if any(epochs_of(item) is not None for value in arguments.values() for item in _listed(value)):
        return None  # an epoch is of unknown length
    if name == "PiecewiseConstantDecay" and len(arguments["values"]) != len(arguments["boundaries"]) + 1:
        return None

    def rate(step: int) -> float:
        try:
            value = formula(arguments, step)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan
        return math.nan if isinstance(value, complex) else float(value)

    return rate


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def in_steps(section: str, name: str, given: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Return the arguments of an object, and of those in it, with optimizer steps for what is given in epochs.

    Args:
        section: of the object in the catalogue.
        name: its name.
        given: its arguments: `{decay_steps: 10 epochs}`.
        steps: optimizer steps in an epoch.
    """
    entry = entries.find(section, name)
    found = dict(given)
    for key, value in given.items() if entry is not None else ():
        argument = entry.arguments.get(key) if entry is not None else None
        if argument is None:
            continue
        if _COUNTS_EPOCHS & set(argument.kinds):
            least = int(argument.minimum or 0)
            counted = [_as_steps(item, steps, least) for item in _listed(value)]
            found[key] = counted if isinstance(value, list) else counted[0]
        inner = section_of(argument)
        if inner is not None and isinstance(value, dict) and len(value) == 1:
            ((kind, arguments),) = value.items()
            found[key] = {kind: in_steps(inner, kind, arguments or {}, steps)}
    return found


def _as_steps(value: Any, steps: int, least: int) -> Any:
    epochs = epochs_of(value)
    return value if epochs is None else max(least, round(epochs * steps))


def scheduled_rate(optimizer: KerasObject) -> Rate | None:
    """Return the learning rate by step of an optimizer, which may be wrapped; None if it has no schedule."""
    rate, wrapped = (optimizer.arguments.get(key) for key in ("learning_rate", "inner_optimizer"))
    if wrapped is not None:
        return scheduled_rate(KerasObject.model_validate(wrapped))
    if not isinstance(rate, dict):
        return None
    schedule = KerasObject.model_validate(rate)
    return rate_of(schedule.name, schedule.arguments)


def samples(total: int) -> list[int]:
    """Return steps of a run of `total` steps, evenly spaced, with the first and the last."""
    count = min(total, _SAMPLES)
    return sorted({round(index * (total - 1) / max(1, count - 1)) for index in range(count)})


def zero_from(rate: Rate, total: int) -> int:
    """Return the first step from which on the rate is 0 to the end of the run; `total` where it is not."""
    steps = samples(total)
    zeros = [rate(step) == 0 for step in steps]
    tail = len(zeros) - next((index for index, zero in enumerate(reversed(zeros)) if not zero), len(zeros))
    if tail == len(zeros):
        return total
    before = steps[tail - 1] if tail else -1
    return bisect_left(range(total), True, before + 1, steps[tail], key=lambda step: rate(step) == 0)


def _exponential(arguments: Mapping[str, Any], step: int) -> Any:
    return arguments["initial_learning_rate"] * arguments["decay_rate"] ** _periods(arguments, step)


def _inverse_time(arguments: Mapping[str, Any], step: int) -> Any:
    return arguments["initial_learning_rate"] / (1 + arguments["decay_rate"] * _periods(arguments, step))


def _periods(arguments: Mapping[str, Any], step: int) -> float:
    periods = step / arguments["decay_steps"]
    return math.floor(periods) if arguments["staircase"] else periods


def _pieces(arguments: Mapping[str, Any], step: int) -> Any:
    # Keras compares with the type of the step: the boundaries lose their fractions.
    boundaries = [int(boundary) for boundary in arguments["boundaries"]]
    return arguments["values"][bisect_left(boundaries, step)]


def _polynomial(arguments: Mapping[str, Any], step: int) -> Any:
    steps, end = arguments["decay_steps"], arguments["end_learning_rate"]
    if arguments["cycle"]:
        steps *= math.ceil(step / steps) or 1
    left = 1 - min(step, steps) / steps
    return (arguments["initial_learning_rate"] - end) * left ** arguments["power"] + end


def _cosine(arguments: Mapping[str, Any], step: int) -> Any:
    initial, target, warmup = (arguments[key] for key in ("initial_learning_rate", "warmup_target", "warmup_steps"))
    if target is None:
        warmup, target = 0, initial
    if step < warmup:
        return initial + (target - initial) * step / warmup
    return target * _half_wave(min(step - warmup, arguments["decay_steps"]) / arguments["decay_steps"], 1, arguments)


def _cosine_restarts(arguments: Mapping[str, Any], step: int) -> Any:
    periods, growth = step / arguments["first_decay_steps"], arguments["t_mul"]
    if growth == 1:
        restart = math.floor(periods)
        periods -= restart
    else:
        restart = math.floor(math.log(1 - periods * (1 - growth)) / math.log(growth))
        periods = (periods - (1 - growth**restart) / (1 - growth)) / growth**restart
    return arguments["initial_learning_rate"] * _half_wave(periods, arguments["m_mul"] ** restart, arguments)


def _half_wave(share: float, height: float, arguments: Mapping[str, Any]) -> float:
    """Return `height` at the share 0, and `alpha` at 1."""
    alpha: float = arguments["alpha"]
    wave = 0.5 * (1 + math.cos(math.pi * share)) if share != 1 else 0.0
    return (1 - alpha) * height * wave + alpha


_FORMULAS: dict[str, Callable[[Mapping[str, Any], int], Any]] = {
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _cosine_restarts,
    "ExponentialDecay": _exponential,
    "InverseTimeDecay": _inverse_time,
    "PiecewiseConstantDecay": _pieces,
    "PolynomialDecay": _polynomial,
}
