"""Layers that take integers for positions in a table, behind layers that output them."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config import load
from dltrain.errors import ConfigError, Problem


def problems(*layers: Any, shape: tuple[int, ...] = (6,)) -> list[Problem]:
    config = {
        "data": {"dataset": {"synthetic": {"shape": list(shape), "classes": 3}}},
        "model": {"layers": [*layers, "Flatten", {"Dense": {"units": 3, "activation": "softmax"}}]},
        "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 1},
    }
    try:
        return list(load(config).checked.warnings)
    except ConfigError as error:
        return list(error.problems)


def bins(**given: Any) -> dict[str, Any]:
    return {"Discretization": {"bin_boundaries": [0, 1], **given}}


def hashing(**given: Any) -> dict[str, Any]:
    return {"Hashing": {"num_bins": 4, **given}}


def table(size: int) -> dict[str, Any]:
    return {"Embedding": {"input_dim": size, "output_dim": 2}}


def tokens(count: int, **given: Any) -> dict[str, Any]:
    return {"CategoryEncoding": {"num_tokens": count, **given}}


@pytest.mark.parametrize(
    ("layers", "severity", "message"),
    [
        ([bins(), table(2)], "error", "has 2 positions, but `Discretization` in line 4 outputs integers up to 2"),
        ([bins(), "Flatten", table(2)], "error", "up to 2"),
        ([hashing(), {"ReversibleEmbedding": {"input_dim": 3, "output_dim": 2}}], "error", "up to 3"),
        ([bins(output_mode="multi_hot"), table(1)], "error", "up to 1"),
        ([bins(output_mode="count"), table(6)], "error", "up to 6"),
        ([bins(), tokens(2)], "warning", "has 2 positions"),
        ([table(9)], "error", "`synthetic` holds fractions"),
        ([{"Dense": {"units": 4}}, table(9)], "error", "`Dense` in line 4 outputs fractions"),
        ([bins(), {"Rescaling": {"scale": 2}}, table(9)], "error", "`Rescaling` in line 5 outputs fractions"),
        ([tokens(3)], "error", "`synthetic` holds fractions"),
    ],
)
def test_inputs_of_tables_are_integers_below_their_size(layers: list[Any], severity: str, message: str) -> None:
    (found,) = [problem for problem in problems(*layers) if problem.code == "embedding-input"]
    assert found.severity == severity
    assert message in found.message
    assert found.hint


@pytest.mark.parametrize(
    "layers",
    [
        [bins(), table(3)],
        [bins(), "Flatten", table(3)],
        [hashing(), table(4)],
        [bins(output_mode="multi_hot"), table(2)],
        [bins(output_mode="count"), table(7)],
        [bins(), tokens(3, output_mode="one_hot")],
        [bins(), hashing(num_bins=2), tokens(2)],
    ],
)
def test_inputs_of_tables_that_fit_are_left_alone(layers: list[Any]) -> None:
    assert [problem.message for problem in problems(*layers)] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_words": 50, "output_mode": "multi_hot"}, "`imdb` holds a 0 or 1 for each word"),
        ({"num_words": 50, "sequence_length": 9}, "`imdb` holds integers up to 49"),
        ({"num_words": 50, "sequence_length": 9, "oov_char": 60}, "`imdb` holds integers up to 60"),
        ({"num_words": 40, "sequence_length": 9}, ""),
        ({"sequence_length": 9}, ""),
    ],
)
def test_inputs_of_words_are_integers_below_the_size_of_the_table(arguments: dict[str, Any], message: str) -> None:
    config = {
        "data": {"dataset": {"imdb": arguments}},
        "model": {"layers": [table(40), "Flatten", {"Dense": {"units": 1, "activation": "sigmoid"}}]},
        "train": {"optimizer": "Adam", "loss": "binary_crossentropy", "epochs": 1},
    }
    try:
        found = list(load(config).checked.warnings)
    except ConfigError as error:
        found = list(error.problems)
    assert [message in problem.message for problem in found] == ([True] if message else [])
