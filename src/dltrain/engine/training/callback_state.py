"""The state of Keras's callbacks between epochs: saved from them and restored into them.

Only fields that change during training are saved. Callbacks derive the rest from their arguments: EarlyStopping, for
example, flips the sign of `min_delta` at the first metric, so a restored `min_delta` would be flipped twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from dltrain.errors import RunError
from dltrain.runs import EarlyStop

_CARRIED = {
    "EarlyStopping": ("wait", "stopped_epoch", "best", "best_epoch"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "TerminateOnNaN": (),
}
_MEASURED = ("best",)  # a metric, None before the first; all others count epochs


def scalars(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """Return the numbers of a callback as JSON values; infinities become strings."""
    return {name: _to_json(getattr(callback, name)) for name in _CARRIED[type(callback).__name__]}


def arrays(callback: keras.callbacks.Callback) -> dict[str, np.ndarray]:
    """Return the weights that EarlyStopping keeps to restore at the end, numbered; empty for other callbacks."""
    kept = getattr(callback, "best_weights", None)
    return {f"{index:04d}": np.asarray(value) for index, value in enumerate(kept or ())}


def check(kind: str, state: Mapping[str, Any], kept: Mapping[str, np.ndarray], model: keras.Model) -> None:
    """Check the state of a callback that was read from a checkpoint.

    Raises:
        RunError: wrong fields, an impossible number, or weights whose shapes are not the model's.
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
    """Restore a checked state. Call after the callback's `on_train_begin`, which clears it."""
    for name, value in state.items():
        setattr(callback, name, _from_json(value, name))
    if kept:
        callback.best_weights = [kept[name] for name in sorted(kept)]


def early_stop(callbacks: Iterable[keras.callbacks.Callback]) -> EarlyStop | None:
    """Return how EarlyStopping ended the training; None if it did not."""
    for callback in callbacks:
        if (
            isinstance(callback, keras.callbacks.EarlyStopping) and callback.stopped_epoch > 0
        ):  # it never is in the first
            best = float(callback.best) if callback.best is not None else math.nan
            # Keras counts from the best epoch only where that was better than the baseline.
            missed = callback.baseline is not None and callback.wait > callback.stopped_epoch - callback.best_epoch
            return EarlyStop(
                epoch=callback.stopped_epoch + 1,
                monitor=callback.monitor,
                best_epoch=callback.best_epoch + 1,
                best=best if math.isfinite(best) else None,
                min_delta=abs(float(callback.min_delta)) or None,  # Keras gives it the sign of the direction
                baseline=float(callback.baseline) if missed else None,
            )
    return None


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
