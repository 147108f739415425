"""The same MLPs in JAX, an epoch a compiled program: `python plain_jax.py MODEL BATCH EPOCHS SAMPLES DATA.npz`.

Prints as JSON the seconds of each epoch and the test score at the end: accuracy, or mean squared error where targets
are numbers.
"""

import json
import os
import sys
import time
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

model_name, batch_size, epochs, samples = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data = np.load(sys.argv[5])
SIZES = {"mlp": (784, 128, 64, 10), "mlp_table": (20, 64, 64, 1)}[model_name]
RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
numbers = data["y_train"].dtype.kind == "f"


def arrays(split: str, count: int) -> tuple[jax.Array, jax.Array]:
    """Return flat samples, uint8 scaled to 0 to 1, and targets."""
    x, y = data[f"x_{split}"][:count], data[f"y_{split}"][:count]
    if x.dtype == np.uint8:
        x = x.astype(np.float32) / 255
    return jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y)


def apply(parameters: Any, x: jax.Array) -> jax.Array:
    """Return the outputs of the last layer."""
    *hidden, (weights, bias) = parameters
    for kernel, offset in hidden:
        x = jax.nn.relu(x @ kernel + offset)
    return x @ weights + bias


def loss_fn(parameters: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the loss of a batch."""
    outputs = apply(parameters, x)
    if numbers:
        return jnp.mean((outputs - y) ** 2)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None].astype(int), 1))


def adam(state: Any, gradients: Any) -> Any:
    """Return the state after a step of Adam."""
    parameters, means, squares, step = state
    step = step + 1
    rate = RATE * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    means = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, means, gradients)
    squares = jax.tree.map(lambda s, g: BETA_2 * s + (1 - BETA_2) * g * g, squares, gradients)
    parameters = jax.tree.map(lambda p, m, s: p - rate * m / (jnp.sqrt(s) + EPSILON), parameters, means, squares)
    return parameters, means, squares, step


def train(state: Any, x: jax.Array, y: jax.Array, order: jax.Array) -> Any:
    """Train for an epoch on the samples in an order."""

    def step(state: Any, rows: jax.Array) -> tuple[Any, None]:
        return adam(state, jax.grad(loss_fn)(state[0], x[rows], y[rows])), None

    whole = len(order) // batch_size * batch_size
    state, _ = jax.lax.scan(step, state, order[:whole].reshape(-1, batch_size))
    return step(state, order[whole:])[0] if whole < len(order) else state


x_train, y_train = arrays("train", samples)
x_test, y_test = arrays("test", int(os.environ.get("TESTS", "10000")))
generator = np.random.default_rng(42)
initial = [
    (jnp.asarray(generator.uniform(-1, 1, (a, b)) * np.sqrt(6 / (a + b)), jnp.float32), jnp.zeros(b))
    for a, b in pairwise(SIZES)
]
zeros = jax.tree.map(jnp.zeros_like, initial)
state = (initial, zeros, zeros, jnp.zeros(()))
train_epoch = jax.jit(train)
seconds = []
for _ in range(epochs):
    started = time.perf_counter()
    order = generator.permutation(len(x_train)).astype(np.int32)
    state = jax.block_until_ready(train_epoch(state, x_train, y_train, order))
    seconds.append(time.perf_counter() - started)

outputs = apply(state[0], x_test)
score = jnp.mean((outputs - y_test) ** 2) if numbers else jnp.mean(outputs.argmax(1) == y_test)
print(json.dumps({"seconds": seconds, "score": float(score)}))
