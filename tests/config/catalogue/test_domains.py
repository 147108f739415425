"""The domain of every loss, against Keras; and the cause of a loss that is NaN."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.domains import lies_within, outputs_of, range_of, suspect
from dltrain.config.catalogue.labels import label_encoding
from dltrain.config.schema import KerasObject
from dltrain.engine.model.construct import construct
from dltrain.engine.model.labels import encode

LOSSES = [loss for loss in entries.names("loss") if loss != "CTC"]
FREE = {"CategoricalHinge", "Circle", "CosineSimilarity", "Hinge", "Huber", "LogCosh", "MeanAbsoluteError"} | {
    *("MeanAbsolutePercentageError", "MeanSquaredError", "SquaredHinge")
}


def value_and_gradient(loss: str, low: float, high: float) -> tuple[float, np.ndarray]:
    outputs = tf.Variable(np.random.default_rng(0).uniform(low, high, (16, 3)).astype(np.float32))
    labels = tf.constant(encode(np.arange(16) % 3, label_encoding(loss, "classes", 3, 3), 3))
    with tf.GradientTape() as tape:
        value = construct("loss", loss, {})(labels, outputs)
    return float(value), np.asarray(tape.gradient(value, outputs))


@pytest.mark.parametrize("loss", LOSSES)
def test_domains_of_losses_are_where_keras_computes(loss: str) -> None:
    domain = outputs_of(loss, {})
    assert (domain is None) == (loss in FREE)
    low, high = domain or (-3, 3)
    value, gradient = value_and_gradient(loss, (low or 0.0) + 0.05, 3 if high is None else high - 0.05)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    "loss", ["CategoricalGeneralizedCrossEntropy", "KLDivergence", "MeanSquaredLogarithmicError", "Poisson"]
)
def test_domains_of_losses_end_where_keras_has_no_gradient_or_number(loss: str) -> None:
    value, gradient = value_and_gradient(loss, -3, -1)
    assert not np.isfinite(value) or not np.isfinite(gradient).all() or (gradient == 0).any()


@pytest.mark.parametrize(
    ("span", "domain", "inside"),
    [
        ((0, 1), (0, 1), True),
        ((0, None), (0, None), True),
        ((0, 1), (0, None), True),
        ((-1, 1), (0, None), False),
        ((0, None), (0, 1), False),
        ((None, 0), (0, None), False),
        (None, (0, None), False),
        (None, None, True),
    ],
)
def test_domains_contain_ranges(span: list[float], domain: list[float], inside: bool) -> None:
    assert lies_within(span, domain) is inside


@pytest.mark.parametrize(
    ("layers", "span"),
    [
        ([("Dense", {"activation": "sigmoid"}), ("Rescaling", {"scale": 2, "offset": -1})], [-1, 1]),
        ([("Dense", {"activation": "relu"}), ("Rescaling", {"scale": -0.5}), ("Dropout", {"rate": 0.1})], [None, 0]),
        ([("Softmax", {}), ("Rescaling", {"scale": [1, 3], "offset": [0, -1]})], [-1, 2]),
        ([("Dense", {"units": 1}), ("Rescaling", {"scale": 2})], None),
        ([("Dense", {"activation": "sigmoid"}), ("BatchNormalization", {})], None),
    ],
)
def test_domains_carry_ranges_through_rescaling(
    layers: list[tuple[str, dict[str, object]]], span: list[float | None] | None
) -> None:
    assert range_of([named(name, **arguments) for name, arguments in layers]) == span


def named(name: str, **arguments: object) -> KerasObject:
    return KerasObject.model_construct(name=name, arguments=arguments)


@pytest.mark.parametrize(
    ("loss", "layers", "cause"),
    [
        ("Poisson", [named("Dense", units=3, activation="linear")], "outputs from 0 on, and the last layer, `Dense`"),
        ("BinaryCrossentropy", [named("Dense", activation="sigmoid"), named("BatchNormalization")], "from 0 to 1"),
        ("Poisson", [named("Dense", activation="softplus"), named("Dropout", rate=0.1), named("Flatten")], ""),
        ("CategoricalCrossentropy", [named("Dense", units=3), named("Softmax")], ""),
        ("MeanAbsolutePercentageError", [named("Dense", units=1)], "divides by the targets"),
        ("MeanSquaredError", [named("Dense", units=1)], ""),
    ],
)
def test_domains_name_the_cause_of_a_loss_that_is_not_finite(loss: str, layers: list[KerasObject], cause: str) -> None:
    assert cause in suspect(named(loss), layers)
    assert bool(suspect(named(loss), layers)) == bool(cause)


def test_domains_do_not_concern_logits() -> None:
    assert suspect(named("BinaryCrossentropy", from_logits=True), [named("Dense", units=1)]) == ""
