"""Settings of the optimizer that have no effect, or with which the weights do not learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dltrain.config.catalogue import entries, objects
from dltrain.config.checks.draft import Draft, Placed, inner, kind_of, value_of
from dltrain.config.checks.sense.schedules import peak_rate
from dltrain.errors import Problem

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_SMALLEST_CLIP = 1e-6
# Its published decay is above 1, with small rates; its two betas are not averages of gradients and of their squares.
_OF_SIGNS = "Lion"
_LARGEST_EPSILON = 1.0  # Keras names it a good choice for Inception


def check_optimizer(draft: Draft) -> Iterator[Problem]:
    optimizer = draft.optimizer
    while optimizer is not None:
        yield from _check_idle(draft, optimizer)
        yield from _check_averages(draft, optimizer)
        yield from _check_steps(draft, optimizer)
        yield from _check_sizes(draft, optimizer)
        optimizer = inner(optimizer, "optimizer", "inner_optimizer")


def _tell(draft: Draft, optimizer: Placed, key: str, message: str, hint: str) -> Problem:
    return draft.tell("optimizer-setting", message, optimizer.argument_path(key), hint, "warning")


def _check_idle(draft: Draft, optimizer: Placed) -> Iterator[Problem]:
    """Settings that change nothing."""

    def given(key: str) -> Any:
        return value_of("optimizer", optimizer.object, key)

    for key in _CLIPS:
        if given(key) == 0:  # Keras clips where the value is above 0
            hint = f"remove it, or write `{key}: 1.0`"
            yield _tell(draft, optimizer, key, f"`{key}: 0` clips nothing: it stands for no clipping", hint)
    if given("nesterov") and given("momentum") == 0:
        message = "`nesterov: true` has no effect without `momentum`"
        yield _tell(draft, optimizer, "nesterov", message, "write `momentum: 0.9` beside it")
    entry = objects.find("optimizer", optimizer.object.name)
    for key in ("ema_momentum", "ema_overwrite_frequency"):
        if given("use_ema") is False and entry is not None and given(key) != entry.arguments[key].default:
            message = f"`{key}` has no effect without `use_ema: true`"
            yield _tell(draft, optimizer, key, message, "write `use_ema: true` beside it, or remove it")


def _check_averages(draft: Draft, optimizer: Placed) -> Iterator[Problem]:
    """Moving averages that never move, and steps that grow without end or become NaN."""

    def given(key: str) -> Any:
        return value_of("optimizer", optimizer.object, key)

    if given("momentum") == 1:
        message = "with `momentum: 1` no gradient is ever forgotten: steps grow and overshoot"
        yield _tell(draft, optimizer, "momentum", message, "write `momentum: 0.9`")
    if given("rho") == 1:
        message = "with `rho: 1` the average of squared gradients stays 0, and steps are not scaled by it"
        yield _tell(draft, optimizer, "rho", message, "write `rho: 0.9`")
    if given("use_ema") and given("ema_momentum") == 1:
        message = (
            "with `ema_momentum: 1` the average of the weights stays at the first ones, which it puts back at the end"
        )
        yield _tell(draft, optimizer, "ema_momentum", message, "write `ema_momentum: 0.99`")


def _check_sizes(draft: Draft, optimizer: Placed) -> Iterator[Problem]:
    """Numbers with which the weights hardly move, or only shrink."""
    kind = kind_of("optimizer", optimizer)

    def given(key: str) -> float:
        value = value_of("optimizer", optimizer.object, key)
        return value if isinstance(value, int | float) else 0.0

    for key in _CLIPS:
        if 0 < given(key) < _SMALLEST_CLIP:
            message = f"`{key}: {given(key):g}` cuts every gradient to almost nothing: the weights hardly move"
            yield _tell(draft, optimizer, key, message, f"write `{key}: 1.0`, or remove it")
    if entries.trait("optimizer", kind, "adaptive") and given("epsilon") > _LARGEST_EPSILON:
        message = (
            f"an `epsilon` of {given('epsilon'):g} outweighs the gradients that it is added to: weights hardly move"
        )
        yield _tell(draft, optimizer, "epsilon", message, "leave it at Keras's default")
    if kind == _OF_SIGNS:
        return
    decay, rate = given("weight_decay"), peak_rate(draft, optimizer)
    if decay >= 1 and (rate is None or decay * rate < 1):
        message = f"a `weight_decay` of {decay:g} draws every weight to 0, whatever the data say"
        yield _tell(draft, optimizer, "weight_decay", message, "write a smaller one, such as `weight_decay: 1e-4`")
    for prefix in ("", "adam_"):
        first, second = (f"{prefix}beta_{number}" for number in (1, 2))
        if given(first) > given(second) > 0:
            message = (
                f"`{first}` is above `{second}`: squared gradients are forgotten before the gradients that they scale"
            )
            written = first if first in optimizer.object.arguments else second
            yield _tell(draft, optimizer, written, message, f"write `{first}: 0.9, {second}: 0.999`")


def _check_steps(draft: Draft, optimizer: Placed) -> Iterator[Problem]:
    """Settings against the learning rate and the length of the run."""
    decay, rate = value_of("optimizer", optimizer.object, "weight_decay"), peak_rate(draft, optimizer)
    if isinstance(decay, int | float) and rate is not None and decay * rate >= 1:
        message = (
            f"a `weight_decay` of {decay:g} and a learning rate of {rate:g} take {decay * rate:.0%} "
            "of every weight at each step"
        )
        yield _tell(draft, optimizer, "weight_decay", message, "write a smaller one, such as `weight_decay: 1e-4`")
    if draft.steps is None or draft.epochs is None:
        return
    total = draft.steps * draft.epochs
    run = f"the run has {total:,} step{'s' if total != 1 else ''} ({draft.steps:,} an epoch)"
    waits = value_of("optimizer", optimizer.object, "gradient_accumulation_steps")
    if waits is not None and waits > total:
        message = f"the weights never change: they wait for the gradients of {waits:,} steps, but {run}"
        hint = f"write at most {total:,}, or remove it" if total > 1 else "remove it"
        yield _tell(draft, optimizer, "gradient_accumulation_steps", message, hint)
    warmup = value_of("optimizer", optimizer.object, "warmup_steps")
    if warmup and warmup >= total:
        message = f"the learning rate is still warming up when the run ends: {run}"
        yield _tell(draft, optimizer, "warmup_steps", message, f"write `warmup_steps: {max(1, total // 10)}`")
