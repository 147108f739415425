"""`data.augment`: Keras's layers as a pure function of samples and random states, outside of the model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from dltrain.config import Plan
from dltrain.engine.model import blame
from dltrain.engine.model.construct import Refused, ask, construct, culprit
from dltrain.engine.session import precision


class Augmentation:
    """Layers in training, one after the other, in float32.

    Every chance is drawn from `states`, one pair of numbers for each random generator of the layers, so that the same
    states give the same samples, in any order and thread. The `seed` of a layer shifts the states that are its own.
    """

    def __init__(self, layers: Sequence[tuple[keras.layers.Layer, int]]) -> None:
        self._layers = [layer for layer, _ in layers]
        self._generators = [(variable, seed) for layer, seed in layers for variable in layer.variables]
        self.states = len(self._generators)

    def __call__(self, x: Any, states: Any, /) -> Any:
        """Return samples of the shape (batch, …); `states` has the shape (`self.states`, 2)."""
        mapping = []
        for index, (variable, seed) in enumerate(self._generators):
            state = keras.ops.cast(states[index], variable.dtype)
            mapping.append((variable, state + keras.ops.convert_to_tensor([seed, 0], variable.dtype)))
        with keras.StatelessScope(state_mapping=mapping):
            for layer in self._layers:
                x = layer(x, training=True)
        return keras.ops.cast(x, "float32")


def build_augmentation(plan: Plan, samples: np.ndarray) -> Augmentation | None:
    """Build the layers of `data.augment` and try them on a few samples; None without any.

    Raises:
        ConfigError: Keras refuses a layer, or it does not take the samples.
    """
    x = keras.ops.convert_to_tensor(samples)
    layers = []
    for index, item in enumerate(plan.spec.data.augment):
        where, thing = ("data", "augment", index), f"`{item.name}`"
        use = partial(_alone, item.name, x)
        try:
            with precision("float32"):
                layer = construct("layer", item.name, item.arguments)
                ask(layer.build, (None, *x.shape[1:]))
            following = _tried(layer, x)
        except Refused as refusal:
            path = refusal.path or culprit("layer", item.name, item.arguments, use)
            hint = f"it gets samples of shape {tuple(x.shape[1:])}"
            raise blame.refusal_at(plan, where, thing, item, refusal, hint, path) from refusal
        if following.shape != x.shape:
            message = f"{thing} makes {tuple(following.shape[1:])} of samples of {tuple(x.shape[1:])}"
            raise plan.error(where, message, "an augmentation keeps their shape: remove it", "augmentation")
        layers.append((layer, int(item.arguments.get("seed") or 0)))
        x = following
    return Augmentation(layers) if layers else None


def _tried(layer: keras.layers.Layer, x: Any) -> Any:
    augment = Augmentation([(layer, 0)])
    return ask(augment, x, np.ones((augment.states, 2), np.int64))


def _alone(name: str, x: Any, arguments: Any) -> Any:
    with precision("float32"):
        return _tried(construct("layer", name, arguments), x)
