"""Max pooling with a faster gradient: the bits of Keras, and no trace in the saved model."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tests.helpers import Trained

from dltrain.engine.backends import tensorflow


def gradients(layer: keras.layers.Layer, x: np.ndarray, upstream: int, fast: bool) -> list[np.ndarray]:
    """Return the outputs of a pooling, and the gradient of its input for a drawn one of its output."""
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    if fast:
        tensorflow.speed_up_gradients(model)

    @tf.function  # type: ignore[untyped-decorator]
    def step(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = model(images)
        drawn = np.random.default_rng(upstream).normal(size=outputs.shape).astype(outputs.dtype.as_numpy_dtype)
        return outputs, tape.gradient(outputs, images, drawn)

    return [found.numpy() for found in step(tf.constant(x))]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("values", [2, 5, 10_000])  # few values: many ties
@pytest.mark.parametrize(
    ("shape", "pool_size"),
    [
        ((6, 6, 3), 2),
        ((7, 9, 2), 2),
        ((7, 9, 2), (3, 2)),
        ((5, 4, 1), (1, 4)),
        ((5, 4, 1), (5, 4)),
        ((3, 8, 4), (1, 1)),
        ((9, 2), 2),
        ((9, 3), 4),
        ((4, 1), 1),
    ],
)
def test_pooling_has_the_bits_of_keras(shape: tuple[int, ...], pool_size: Any, values: int, dtype: str) -> None:
    draws = np.random.default_rng(values)
    x = (draws.integers(0, values, (3, *shape)) - values // 2).astype(np.float32)
    kind = keras.layers.MaxPooling2D if len(shape) == 3 else keras.layers.MaxPooling1D
    made = [gradients(kind(pool_size, dtype=dtype), x, 1, fast) for fast in (False, True)]
    for plain, fast in zip(*made, strict=True):
        assert np.array_equal(plain, fast)


@pytest.mark.parametrize(
    ("arguments", "fast"),
    [
        ({}, True),
        ({"strides": 2}, True),
        ({"pool_size": 3, "strides": 2}, False),
        ({"pool_size": 2, "strides": 3}, False),
        ({"padding": "same"}, False),
        ({"data_format": "channels_first"}, False),
    ],
)
def test_pooling_is_faster_where_windows_lie_side_by_side(arguments: dict[str, Any], fast: bool) -> None:
    model = keras.Sequential([keras.Input((8, 8, 8)), keras.layers.MaxPooling2D(**arguments)])
    tensorflow.speed_up_gradients(model)
    assert (type(model.layers[0]) is not keras.layers.MaxPooling2D) == fast


def test_pooling_leaves_no_trace_in_the_saved_model(trained: Trained) -> None:
    layers = "[{Reshape: {target_shape: [2, 2, 1]}}, MaxPooling2D, Flatten, Dense: {units: 3, activation: softmax}]"
    run = trained.finished(f"model.layers={layers}", "train.epochs=1", "runtime.shards=2")
    with zipfile.ZipFile(run.path / "model.keras") as file:
        saved = json.loads(file.read("config.json"))
    assert saved["class_name"] == "Sequential"
    assert "MaxPooling2D" in [layer["class_name"] for layer in saved["config"]["layers"]]
    assert keras.models.load_model(run.path / "model.keras").layers
