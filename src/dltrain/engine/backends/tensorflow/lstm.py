"""Recurrent layers of short sequences, faster on a CPU: same weights, same mathematics.

Keras runs a loop with a dozen small TensorFlow operations per step. Here an LSTM is unrolled, with the product of
inputs and kernel computed once for all steps. Its gradient is explicit, so each weight product is one operation for
all steps.
Formulas: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997, with forget gates (Gers et al., 2000), backwards in
time. The gates stand in Keras's order: input, forget, candidate, output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from dltrain.engine.backends.backend import Recurrence


class FusedLSTM(keras.layers.LSTM):
    """Keras's LSTM with a faster implementation."""

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        if mask is not None or sequences.shape[1] is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        weights = [tf.convert_to_tensor(w) for w in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)]
        run = tf.custom_gradient(lambda *tensors: _recurrence(self.return_sequences, *tensors))
        *outputs, hidden, carry = run(sequences, *weights, *initial_state)
        return hidden, outputs[0] if outputs else hidden, [hidden, carry]


def speed_up(layer: keras.layers.Layer, how: Recurrence) -> None:
    """Switch an unbuilt recurrent layer to the implementation `how`."""
    if how == "fused":
        layer.__class__ = FusedLSTM
    else:
        layer.unroll = True


def _recurrence(
    sequences: bool,
    x: tf.Tensor,
    kernel: tf.Tensor,
    recurrent: tf.Tensor,
    bias: tf.Tensor,
    hidden: tf.Tensor,
    carry: tf.Tensor,
) -> tuple[tuple[tf.Tensor, ...], Callable[..., tuple[tf.Tensor, ...]]]:
    """X (samples, steps, features) -> outputs (samples, steps, units) if `sequences`, last hidden state, last carry."""
    steps, features = x.shape[1], x.shape[2]
    samples = tf.shape(x)[0]
    flat = tf.reshape(tf.transpose(x, (1, 0, 2)), (-1, features))
    projected = tf.split(tf.nn.bias_add(tf.matmul(flat, kernel), bias), steps, axis=0)
    hiddens, kept = [], []
    for inputs in projected:
        before = tf.split(inputs + tf.matmul(hidden, recurrent), 4, axis=1)
        i, f, g, o = tf.sigmoid(before[0]), tf.sigmoid(before[1]), tf.tanh(before[2]), tf.sigmoid(before[3])
        hiddens.append(hidden)
        new = f * carry + i * g
        squashed = tf.tanh(new)
        kept.append((i, f, g, o, carry, squashed))
        hidden, carry = o * squashed, new
    outputs = [tf.stack([*hiddens[1:], hidden], axis=1)] if sequences else []

    def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        *d_outputs, d_hidden, d_carry = upstream
        by_step = tf.unstack(d_outputs[0], axis=1) if sequences else []
        transposed = tf.transpose(recurrent)  # once: a product that transposes it takes a quarter longer
        gates = []
        for step in reversed(range(steps)):
            i, f, g, o, old, squashed = kept[step]
            d_hidden = d_hidden + by_step[step] if sequences else d_hidden
            d_carry = d_carry + tf.raw_ops.TanhGrad(y=squashed, dy=d_hidden * o)
            d_gates = tf.concat(
                [
                    tf.raw_ops.SigmoidGrad(y=i, dy=d_carry * g),
                    tf.raw_ops.SigmoidGrad(y=f, dy=d_carry * old),
                    tf.raw_ops.TanhGrad(y=g, dy=d_carry * i),
                    tf.raw_ops.SigmoidGrad(y=o, dy=d_hidden * squashed),
                ],
                axis=1,
            )
            gates.append(d_gates)
            d_hidden, d_carry = tf.matmul(d_gates, transposed), d_carry * f
        d_all = tf.concat(gates[::-1], axis=0)
        d_flat = tf.matmul(d_all, kernel, transpose_b=True)
        return (
            tf.transpose(tf.reshape(d_flat, (steps, samples, features)), (1, 0, 2)),
            tf.matmul(flat, d_all, transpose_a=True),
            tf.matmul(tf.concat(hiddens, axis=0), d_all, transpose_a=True),
            tf.squeeze(
                tf.matmul(tf.ones((1, steps * samples), d_all.dtype), d_all), 0
            ),  # a sum over rows, a third of its time
            d_hidden,
            d_carry,
        )

    return (*outputs, hidden, carry), gradient
