"""The direction of metrics, by Keras and by name."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config.catalogue import entries, examples
from dltrain.config.catalogue.names import direction, metric_name
from dltrain.config.schema import KerasObject
from dltrain.directions import lower_is_better


def metric(own: str, **arguments: Any) -> KerasObject:
    return KerasObject.model_construct(name=own, arguments=arguments)


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("loss", True),
        ("val_loss", True),
        ("test_mean_squared_error", True),
        ("sparse_categorical_crossentropy", True),
        ("val_rmse", True),
        ("kl_divergence", True),
        ("false_negatives", True),
        ("accuracy", False),
        ("val_auc", False),
        ("r2_score", False),
        ("true_positives", False),
        ("cosine_similarity", False),
        ("lossless", False),
    ],
)
def test_directions_follow_the_suffix_of_a_name(metric: str, lower: bool) -> None:
    assert lower_is_better(metric) is lower


def test_directions_match_keras_if_it_defines_one() -> None:
    import keras

    wrong = []
    for name in entries.names("metric"):
        found = entries.find("metric", name)
        assert found is not None
        made = getattr(keras.metrics, name)(**examples.arguments(found))
        known = {"up": "max", "down": "min", None: None}[getattr(made, "_direction", None)]
        undirected = bool(entries.trait("metric", name, "undirected"))
        if undirected == (known is not None) or known not in (
            None,
            direction([metric(name)], metric_name(metric(name))),
        ):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("word", [word for word, own in entries.aliases("metric").items() if own is not None])
def test_directions_of_a_metric_and_its_aliases_are_the_same(word: str) -> None:
    entry = entries.find("metric", word)
    assert entry is not None
    assert direction([metric(word)], word) == direction([metric(entry.name)], metric_name(metric(entry.name)))


@pytest.mark.parametrize(
    ("column", "way"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("accuracy", "max"),
        ("test_accuracy", "max"),
        ("val_distance", "min"),  # by its class, not by its name
        ("val_false_positives", "min"),
        ("val_nothing", None),
        ("val_auc", None),
    ],
)
def test_directions_of_columns(column: str, way: str | None) -> None:
    metrics = [metric("accuracy"), metric("MeanAbsoluteError", name="distance"), metric("FalsePositives")]
    assert direction(metrics, column) == way
