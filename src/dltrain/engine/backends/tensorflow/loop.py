"""Several training steps as one program, which is given the samples of all of them.

With XLA, the steps are compiled together: where an operation takes less time than its call, as in small dense layers or
on a GPU, they run at two to three times the speed; convolutions on a CPU run slower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

Scale = Callable[[Sequence[tf.Tensor]], tuple[tf.Tensor, ...]]
Steps = Callable[[Sequence[tf.Tensor]], Any]


def plain(model: keras.Sequential, scale: Scale, batch_size: int) -> Steps:
    """Return a function that trains on samples, batch by batch.

    Args:
        model: is trained.
        scale: makes of samples, targets and weights, as they are kept, what a model is trained with.
        batch_size: samples of a step.
    """

    def train(gathered: Sequence[tf.Tensor]) -> None:
        held = scale(gathered)

        def step(first: tf.Tensor) -> tf.Tensor:
            model.train_step(tuple(part[first : first + batch_size] for part in held))
            return first + batch_size

        tf.while_loop(lambda first: first < tf.shape(held[0])[0], step, [0], parallel_iterations=1)

    return train


def compiled(model: keras.Sequential, scale: Scale, batch_size: int, together: int) -> Steps:
    """Return a function that does the same for at most `together` samples, compiled by XLA.

    XLA compiles for shapes. Every whole batch goes through the same program, however many there are in a call, so its
    bits are the same; for a smaller last batch, another program would take as long to compile, and saves one step.
    A batch is scaled as it is read.
    """

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def steps(count: tf.Tensor, *held: tf.Tensor) -> tf.Tensor:
        def step(done: tf.Tensor) -> tf.Tensor:
            model.train_step(scale([part[done] for part in held]))
            return done + 1

        return tf.while_loop(lambda done: done < count, step, [0], parallel_iterations=1)[0]

    def last(held: Sequence[tf.Tensor], start: tf.Tensor) -> int:
        model.train_step(scale([part[start:] for part in held]))
        return 0

    def train(held: Sequence[tf.Tensor]) -> None:
        samples = tf.shape(held[0])[0]
        count, rest = samples // batch_size, samples % batch_size
        steps(count, *(_batches(part, together // batch_size, batch_size) for part in held))
        tf.cond(rest > 0, lambda: last(held, samples - rest), lambda: 0)

    return train


def _batches(part: tf.Tensor, count: int, batch_size: int) -> tf.Tensor:
    """Return `count` whole batches; those that lack are zeros, and samples that make no whole batch are left out."""
    shape, missing = part.shape[1:], count * batch_size - tf.shape(part)[0]
    margins = [[0, missing], *([0, 0] for _ in shape)]
    filled = tf.cond(missing > 0, lambda: tf.pad(part, margins), lambda: part)
    return tf.ensure_shape(tf.reshape(filled, (count, batch_size, *shape)), (count, batch_size, *shape))
