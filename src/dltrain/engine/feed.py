"""Arrays -> tf.data: the images stay where they are, and only indices are shuffled.

A batch is gathered, cast and scaled inside `map`, so that an epoch never holds more than a few float32 batches.
The order of an epoch is a pure function of the seed and the epoch's number.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

INFERENCE_BATCH = 256


class Feed:
    """The batches of one split: `x` of any dtype, multiplied by `scale` into float32, and encoded labels `y`."""

    def __init__(self, x: np.ndarray, y: np.ndarray, scale: float) -> None:
        self.samples = len(x)
        self._scale = scale
        with tf.device("CPU:0"):  # the feed runs on the host; the device gets whole batches
            self._x = tf.constant(x)
            self._y = tf.constant(y)

    def _floats(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, tf.float32)
        return x if self._scale == 1.0 else x * tf.constant(self._scale, tf.float32)

    def in_order(self, batch_size: int = INFERENCE_BATCH) -> tf.data.Dataset:
        """Every sample once, in the order of the split."""
        size, steps = min(batch_size, self.samples), -(-self.samples // batch_size)

        def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = slice(step * size, tf.minimum((step + 1) * size, self.samples))
            return self._floats(self._x[rows]), self._y[rows]

        return _finite(tf.data.Dataset.range(steps).map(batch, num_parallel_calls=tf.data.AUTOTUNE), steps)

    def shuffled(self, batch_size: int, seed: int, epoch: tf.Variable) -> tf.data.Dataset:
        """Every sample once, in the order that belongs to `seed` and to the value of `epoch` when iteration begins."""
        steps = -(-self.samples // batch_size)

        def one_epoch(_: tf.Tensor) -> tf.data.Dataset:
            indices = tf.range(self.samples, dtype=tf.int64)
            key = tf.stack([tf.constant(seed, tf.int64), epoch.read_value()])
            order = tf.random.experimental.stateless_shuffle(indices, seed=key)

            def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                rows = order[step * batch_size : tf.minimum((step + 1) * batch_size, self.samples)]
                return self._floats(tf.gather(self._x, rows)), tf.gather(self._y, rows)

            return tf.data.Dataset.range(steps).map(batch, num_parallel_calls=2, deterministic=True)

        return _finite(tf.data.Dataset.from_tensors(0).flat_map(one_epoch), steps)


def _finite(dataset: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    return dataset.prefetch(tf.data.AUTOTUNE).apply(tf.data.experimental.assert_cardinality(steps))


def epoch_variable() -> tf.Variable:
    """Holds the number of the epoch that `Feed.shuffled` gives next, counted from 0."""
    with tf.device("CPU:0"):
        return tf.Variable(0, dtype=tf.int64, trainable=False)
