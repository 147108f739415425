from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tests.helpers import failures

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.labels import boundary, label_encoding
from dltrain.data.facts import Targets
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
    ("loss", "targets", "classes", "outputs", "encoding"),
    [
        ("SparseCategoricalCrossentropy", "classes", 10, 10, "index"),
        ("CategoricalCrossentropy", "classes", 10, 10, "one_hot"),
        ("MeanSquaredError", "classes", 10, 10, "one_hot"),
        ("BinaryCrossentropy", "classes", 2, 1, "binary"),
        ("BinaryCrossentropy", "classes", 2, 2, "one_hot"),
        ("MeanSquaredError", "numbers", None, 1, "target"),
    ],
)
def test_labels_encoding_follows_the_loss(
    loss: str, targets: Targets, classes: int | None, outputs: int, encoding: str
) -> None:
    assert label_encoding(loss, targets, classes, outputs) == encoding


def test_labels_are_encoded() -> None:
    y = np.array([0, 2, 1])
    assert encode(y, "one_hot", 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert encode(np.array([0, 1]), "binary", 2).tolist() == [[0], [1]]
    assert encode(y, "index", 3) is y


@pytest.mark.parametrize(("boundary", "expected"), [(0.5, [0, 0, 1]), (0.0, [0, 1, 1])])
def test_labels_of_one_output_are_the_sides_of_its_boundary(boundary: float, expected: list[int]) -> None:
    assert classes_of(np.array([[-1.0], [0.2], [0.9]]), boundary).tolist() == expected


def test_labels_have_the_boundary_between_those_that_the_loss_makes() -> None:
    """By Keras: the loss of an output beyond the boundary is lower for the label 1 than for 0."""

    def compute(loss: str) -> None:
        at = boundary(loss, from_logits=False)
        for output in (at - 0.3, at + 0.3):
            made = construct("loss", loss, {})
            of_label = [float(made(tf.constant([[label]]), tf.constant([[output]]))) for label in (0.0, 1.0)]
            assert (of_label[1] < of_label[0]) == (output > at), of_label

    # The others are no distances of a single output from its label.
    others = {*BY_CLASS, "CTC", "Dice", "KLDivergence", "MeanAbsolutePercentageError", "Poisson", "Tversky"}
    assert failures((loss for loss in entries.names("loss") if loss not in others), compute) == {}


@pytest.mark.parametrize("classes", [2, 3])
def test_labels_have_the_encoding_that_each_keras_loss_expects(classes: int) -> None:
    def compute(loss: str) -> None:
        generator = np.random.default_rng(0)
        outputs = 1 if classes == 2 and loss not in BY_CLASS else classes
        encoding = label_encoding(loss, "classes", classes, outputs)
        labels = tf.constant(encode(generator.integers(0, classes, 16), encoding, classes))
        predicted = tf.Variable(generator.uniform(0.1, 0.9, (16, outputs)).astype(np.float32))
        with tf.GradientTape() as tape:
            value = construct("loss", loss, {})(labels, predicted)
        gradient = tape.gradient(value, predicted)
        assert np.isfinite(float(value))
        assert gradient.shape == predicted.shape
        assert np.abs(gradient).max() > 0

    assert failures((loss for loss in entries.names("loss") if loss != "CTC"), compute) == {}
