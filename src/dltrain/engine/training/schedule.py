"""Learning rates by epoch: what `train.schedule` says."""

from __future__ import annotations

from collections.abc import Mapping

import keras


def scheduled(rates: Mapping[int, float]) -> list[keras.callbacks.Callback]:
    """Return Keras's callback that sets the learning rates; none where there are none.

    A rate is a pure function of the epoch, so checkpoints need no state for it. Before the first of `rates`, which
    are in the order of their epochs, counted from 1, the optimizer keeps its own.
    """

    def rate(epoch: int, current: float) -> float:
        begun = [value for first, value in rates.items() if first <= epoch + 1]
        return begun[-1] if begun else current

    return [keras.callbacks.LearningRateScheduler(rate)] if rates else []
