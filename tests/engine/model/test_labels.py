from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tests.helpers import failures

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.labels import label_encoding
from dltrain.engine.model.construct import construct
from dltrain.engine.model.labels import classes_of, encode

# Losses over mutually exclusive classes, which need one output per class.
BY_CLASS = {
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "SparseCategoricalCrossentropy",
}


@pytest.mark.parametrize(
    ("loss", "task", "classes", "outputs", "encoding"),
    [
        ("SparseCategoricalCrossentropy", "classification", 10, 10, "index"),
        ("CategoricalCrossentropy", "classification", 10, 10, "one_hot"),
        ("MeanSquaredError", "classification", 10, 10, "one_hot"),
        ("BinaryCrossentropy", "classification", 2, 1, "binary"),
        ("BinaryCrossentropy", "classification", 2, 2, "one_hot"),
        ("MeanSquaredError", "regression", None, 1, "target"),
    ],
)
def test_labels_encoding_follows_the_loss(
    loss: str, task: str, classes: int | None, outputs: int, encoding: str
) -> None:
    assert label_encoding(loss, task, classes, outputs) == encoding


def test_labels_are_encoded() -> None:
    y = np.array([0, 2, 1])
    assert encode(y, "one_hot", 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert encode(np.array([0, 1]), "binary", 2).tolist() == [[0], [1]]
    assert encode(y, "index", 3) is y


@pytest.mark.parametrize(("from_logits", "expected"), [(False, [0, 0, 1]), (True, [0, 1, 1])])
def test_labels_of_one_output_are_thresholded_at_one_half_or_zero(from_logits: bool, expected: list[int]) -> None:
    assert classes_of(np.array([[-1.0], [0.2], [0.9]]), from_logits).tolist() == expected


@pytest.mark.parametrize("classes", [2, 3])
def test_labels_have_the_encoding_that_each_keras_loss_expects(classes: int) -> None:
    def compute(loss: str) -> None:
        generator = np.random.default_rng(0)
        outputs = 1 if classes == 2 and loss not in BY_CLASS else classes
        encoding = label_encoding(loss, "classification", classes, outputs)
        labels = tf.constant(encode(generator.integers(0, classes, 16), encoding, classes))
        predicted = tf.Variable(generator.uniform(0.1, 0.9, (16, outputs)).astype(np.float32))
        with tf.GradientTape() as tape:
            value = construct("loss", loss, {})(labels, predicted)
        gradient = tape.gradient(value, predicted)
        assert np.isfinite(float(value))
        assert gradient.shape == predicted.shape
        assert np.abs(gradient).max() > 0

    assert failures((loss for loss in entries.names("loss") if loss != "CTC"), compute) == {}
