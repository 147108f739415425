"""What Keras's callbacks remember between epochs, out of them and back into them.

Only what changes while they work is carried. The rest they make anew from their arguments: EarlyStopping, for one,
turns its `min_delta` round when it first looks at a metric, so that a carried one would be turned twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dltrain.errors import RunError

_CARRIED = {
    "EarlyStopping": ("wait", "stopped_epoch", "best", "best_epoch"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "TerminateOnNaN": (),
}
_MEASURED = ("best",)  # a metric, None before the first; all others count epochs


def scalars(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """The numbers, as JSON holds them; infinities as words."""
    return {name: _to_json(getattr(callback, name)) for name in _CARRIED[type(callback).__name__]}


def arrays(callback: keras.callbacks.Callback) -> dict[str, np.ndarray]:
    """The weights that EarlyStopping keeps to give them back at the end, numbered; none for the others."""
    kept = getattr(callback, "best_weights", None)
    return {f"{index:04d}": np.asarray(value) for index, value in enumerate(kept or ())}


def check(kind: str, state: Mapping[str, Any], kept: Mapping[str, np.ndarray], model: keras.Model) -> None:
    """Holds a state that was read against what such a callback of `model` can have.

    Raises:
        RunError: other fields, a number that cannot be, or weights of other shapes than the model's.
    """
    if state.keys() != set(_CARRIED[kind]):
        raise RunError(f"the state of `{kind}` has {sorted(state)}, not {sorted(_CARRIED[kind])}")
    for name, value in state.items():
        number = _from_json(value, f"{kind}.{name}")
        counts = isinstance(number, int) and 0 <= number < 2**31
        if not counts if name not in _MEASURED else number is not None and not abs(number) <= math.inf:
            raise RunError(f"`{name}` of `{kind}` is {str(value)[:40]}")
    if kept and [kept[name].shape for name in sorted(kept)] != [tuple(weight.shape) for weight in model.weights]:
        raise RunError(f"the weights that `{kind}` keeps are not those of the model")


def restore(callback: keras.callbacks.Callback, state: Mapping[str, Any], kept: Mapping[str, np.ndarray]) -> None:
    """Puts a state that was checked back, after the callback's `on_train_begin`, which clears it."""
    for name, value in state.items():
        setattr(callback, name, _from_json(value, name))
    if kept:
        callback.best_weights = [kept[name] for name in sorted(kept)]


def _to_json(value: Any) -> float | int | str | None:
    if value is None or isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _from_json(value: Any, name: str) -> float | int | None:
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    if value in ("inf", "-inf", "nan"):
        return float(value)
    raise RunError(f"the checkpoint's `{name}` is {value!r}, not a number")
