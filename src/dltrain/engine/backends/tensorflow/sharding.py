"""A batch in shards that are computed side by side, one a core, for layers that treat samples one by one.

An operation on all cores waits for the slowest of them; shards wait once a step. Outputs are joined before the loss,
so losses, metrics and regularizers are those of the whole batch, and the backward pass is split as the forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class ShardedSequential(keras.Sequential):
    """Keras's Sequential that computes a batch in `shards`; layers named in `whole` get the samples together."""

    shards: int
    whole: frozenset[str]

    def call(self, inputs: Any, training: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        samples = tf.shape(inputs)[0]
        parts = [inputs]
        for layer in self.layers:
            if layer.name in self.whole:
                parts = [_joined(parts, samples)]
            elif len(parts) == 1:
                parts = _split(parts[0], self.shards, samples)
            parts = [layer(part) for part in parts]  # which know from this call whether they train
        return _joined(parts, samples)


def shard(model: keras.Sequential, shards: int, whole: Sequence[str]) -> None:
    """Let a model compute each batch in shards; layers named in `whole` get all of its samples."""
    model.__class__ = ShardedSequential
    model.shards, model.whole = shards, frozenset(whole)


def _split(batch: tf.Tensor, shards: int, samples: tf.Tensor) -> list[tf.Tensor]:
    """Split a batch into shards that differ by at most one sample.

    Not all operations take an empty shard: a batch of fewer samples is repeated, and `_joined` cuts its outputs off.
    """
    mask = getattr(batch, "_keras_mask", None)
    sizes = [(tf.maximum(samples, shards) + place) // shards for place in range(shards)]

    def divided(values: tf.Tensor) -> list[tf.Tensor]:
        enough = tf.cond(samples < shards, lambda: tf.concat([values] * shards, 0)[:shards], lambda: values)
        parts: list[tf.Tensor] = tf.split(enough, sizes, num=shards)
        for part in parts:
            part.set_shape((None, *values.shape[1:]))
        return parts

    parts = divided(batch)
    for part, of_part in zip(parts, divided(mask) if mask is not None else (), strict=False):
        part._keras_mask = of_part
    return parts


def _joined(parts: Sequence[tf.Tensor], samples: tf.Tensor) -> tf.Tensor:
    if len(parts) == 1:
        return parts[0]

    def joined(values: Sequence[tf.Tensor]) -> tf.Tensor:
        found = tf.concat(values, 0)
        return tf.cond(samples < len(parts), lambda: found[:samples], lambda: found)

    batch, masks = joined(parts), [getattr(part, "_keras_mask", None) for part in parts]
    if all(mask is not None for mask in masks):
        batch._keras_mask = joined(masks)
    return batch
