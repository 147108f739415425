"""Adam in one operation per variable: same state, same formula, a dozen fewer operations."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam with TensorFlow's own kernel for it; Kingma and Ba, Adam, 2015, end of section 2."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if isinstance(gradient, tf.IndexedSlices):  # the gradient of an embedding
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(tf.constant(self.beta_1, tf.float32), step),
            beta2_power=tf.pow(tf.constant(self.beta_2, tf.float32), step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


def _handle(variable: Any) -> tf.Tensor:
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


def fuse(model: keras.Sequential) -> bool:
    """Fuse the optimizer of a model if it is Keras's Adam, and return whether it is fused; AMSGrad has no kernel.

    The kernel supports a single dtype; for a variable of another one, TensorFlow would abort the process.
    """
    adam = type(model.optimizer) is keras.optimizers.Adam and not model.optimizer.amsgrad
    if not adam or any(variable.dtype != "float32" for variable in model.trainable_variables):
        return False
    model.optimizer.__class__ = FusedAdam
    return True
