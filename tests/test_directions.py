"""The direction of metrics, by Keras and by name."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config.catalogue import entries, examples
from dltrain.config.catalogue.names import direction, metric_name
from dltrain.config.schema import KerasObject
from dltrain.directions import direction_of


def metric(own: str, **arguments: Any) -> KerasObject:
    return KerasObject.model_construct(name=own, arguments=arguments)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("loss", "min"),
        ("mean_squared_error", "min"),
        ("MAE", "min"),
        ("rmse", "min"),
        ("false_negatives", "min"),
        ("accuracy", "max"),
        ("auc", "max"),
        ("true_positives", "max"),
        ("cosine_similarity", "max"),
        # No name of Keras's, whatever its end says
        ("my_loss", None),
        ("accuracy_error", None),
        ("lossless", None),
        ("foo", None),
        ("", None),
    ],
)
def test_directions_know_the_names_of_keras_and_guess_no_others(name: str, way: str | None) -> None:
    assert direction_of(name) == way


def test_directions_know_every_metric_of_keras() -> None:
    words = [*entries.names("metric"), *entries.aliases("metric")]
    for word in words:
        way = direction([metric(word)], metric_name(metric(word)))
        assert way is not None
        assert way == direction_of(metric_name(metric(word))), word


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
        ("val_top_loss", "max"),
        ("val_top_loss_cat", "max"),  # a number of its vector
        ("test_missed_0.3", "min"),
        ("val_distance_0", None),  # no vector
    ],
)
def test_directions_of_columns(column: str, way: str | None) -> None:
    metrics = [
        metric("accuracy"),
        metric("MeanAbsoluteError", name="distance"),
        metric("FalsePositives"),
        metric("F1Score", name="top_loss"),
        metric("FalseNegatives", name="missed", thresholds=[0.3, 0.6]),
    ]
    assert direction(metrics, column) == way
