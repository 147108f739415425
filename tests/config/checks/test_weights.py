"""Initializers, regularizers and constraints against the weights that they are for, compared with Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.config import load
from dltrain.config.catalogue.entries import find, names, trait
from dltrain.config.checks.shapes.weights import holders
from dltrain.engine.model.construct import KERAS_ERRORS, construct
from dltrain.errors import ConfigError

SHAPES = {1: (4,), 2: (3, 4), 3: (3, 1, 4), 4: (3, 3, 2, 4), 5: (2, 2, 2, 2, 2)}
LAYERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Dense", {"units": 3}, (5, 4)),
    ("Embedding", {"input_dim": 7, "output_dim": 2}, (4,)),
    ("ReversibleEmbedding", {"input_dim": 7, "output_dim": 2}, (4,)),
    ("Conv1D", {"filters": 4, "kernel_size": 2, "groups": 2}, (6, 4)),
    ("Conv2D", {"filters": 3, "kernel_size": [2, 3], "data_format": "channels_first"}, (2, 6, 6)),
    ("Conv3D", {"filters": 3, "kernel_size": 2}, (4, 4, 4, 2)),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 2}, (6, 4)),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 2}, (6, 6, 2)),
    ("Conv3DTranspose", {"filters": 3, "kernel_size": 2}, (4, 4, 4, 2)),
    ("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 3}, (6, 2)),
    ("DepthwiseConv2D", {"kernel_size": 2}, (6, 6, 2)),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 2}, (6, 2)),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 2, "depth_multiplier": 2}, (6, 6, 2)),
    ("LSTM", {"units": 3}, (5, 2)),
    ("GRU", {"units": 3}, (5, 2)),
    ("GRU", {"units": 3, "reset_after": False}, (5, 2)),
    ("SimpleRNN", {"units": 3, "use_bias": False}, (5, 2)),
    ("ConvLSTM1D", {"filters": 3, "kernel_size": 2}, (4, 6, 2)),
    ("ConvLSTM2D", {"filters": 3, "kernel_size": 2}, (4, 6, 6, 2)),
    ("ConvLSTM3D", {"filters": 3, "kernel_size": 2}, (2, 4, 4, 4, 2)),
    ("BatchNormalization", {"center": False}, (5, 2)),
    ("GroupNormalization", {"groups": 2}, (5, 4)),
    ("LayerNormalization", {"axis": [1, 2]}, (5, 4)),
    ("PReLU", {"shared_axes": [1]}, (5, 4)),
    ("EinsumDense", {"equation": "...ab,bc->...ac", "output_shape": [4, 2], "bias_axes": "c"}, (3, 4, 5)),
    ("EinsumDense", {"equation": "abc...,cx->axb...", "output_shape": [2, 3], "bias_axes": "x"}, (3, 4, 5)),
]
WRAPPED: list[tuple[str, dict[str, Any], tuple[int, ...], tuple[str, ...]]] = [
    ("TimeDistributed", {"layer": {"Conv1D": {"filters": 2, "kernel_size": 2}}}, (3, 5, 4), ("layer", "Conv1D")),
    ("Bidirectional", {"layer": {"LSTM": {"units": 3}}}, (5, 2), ("layer", "LSTM")),
    ("RNN", {"cell": {"GRUCell": {"units": 3}}}, (5, 2), ("cell", "GRUCell")),
    ("SpectralNormalization", {"layer": {"Dense": {"units": 3}}}, (5,), ("layer", "Dense")),
]


@pytest.mark.parametrize(("name", "given", "shape"), LAYERS)
def test_weights_have_the_shapes_that_keras_gives_them(
    name: str, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    (holder,) = holders(name, given, shape)
    layer = construct("layer", name, given)
    layer(keras.Input(shape))
    weights = [tuple(variable.shape) for variable in layer.weights if "seed" not in variable.path]
    assert sorted(holder.weights.values()) == sorted(weights)


@pytest.mark.parametrize(("name", "given", "shape", "path"), WRAPPED)
def test_weights_of_wrapped_layers_are_known(
    name: str, given: dict[str, Any], shape: tuple[int, ...], path: tuple[str, ...]
) -> None:
    (holder,) = holders(name, given, shape)
    assert holder.path == path
    layer = construct("layer", name, given)
    layer(keras.Input(shape))
    assert set(holder.weights.values()) <= {tuple(variable.shape) for variable in layer.weights}


def test_weights_are_known_of_every_layer_that_takes_initializers() -> None:
    taking = {name for name in names("layer") for key in arguments(name) if key.endswith("_initializer")}
    cells = {name for name in taking if name.endswith("Cell")}  # within `RNN` alone
    assert taking - cells == {name for name, _, _ in LAYERS}


def arguments(name: str) -> set[str]:
    entry = find("layer", name)
    assert entry is not None
    return set(entry.arguments)


@pytest.mark.parametrize("section", ["initializer", "regularizer"])
def test_weights_ranks_are_those_that_keras_takes(section: str) -> None:
    for name in names(section):
        low, high = trait(section, name, "rank") or (0, None)
        for rank, shape in SHAPES.items():
            assert works(section, name, shape) == (low <= rank <= (high or rank)), (name, rank)


def works(section: str, name: str, shape: tuple[int, ...]) -> bool:
    made = construct(section, name, {})
    try:
        if section == "initializer":
            return tuple(made(shape).shape) == shape
        made(np.ones(shape, "float32"))
    except KERAS_ERRORS:
        return False
    return True


def problems(layer: dict[str, Any], *behind: Any, shape: tuple[int, ...] = (8, 8, 1), **train: Any) -> list[Any]:
    """Return the problems of a config whose first layer is `layer`."""
    config = {
        "data": {"dataset": {"synthetic": {"shape": list(shape), "classes": 10}}},
        "model": {"layers": [layer, *behind, "Flatten", {"Dense": {"units": 10, "activation": "softmax"}}]},
        "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 1, **train},
    }
    try:
        return list(load(config).checked.warnings)
    except ConfigError as error:
        return list(error.problems)


def conv(**given: Any) -> dict[str, Any]:
    return {"Conv2D": {"filters": 2, "kernel_size": 3, **given}}


def dense(**given: Any) -> dict[str, Any]:
    return {"Dense": {"units": 3, **given}}


def fans(into: list[int], out: list[int] | None) -> dict[str, Any]:
    return {"GlorotUniform": {"input_axes": into, "output_axes": out}}


def lstm(**given: Any) -> dict[str, Any]:
    return {"LSTM": {"units": 3, **given}}


@pytest.mark.parametrize(
    ("layer", "shape", "path", "message"),
    [
        (conv(kernel_constraint={"MaxNorm": {"axis": 5}}), (8, 8, 1), "kernel_constraint.MaxNorm.axis", "no axis 5"),
        (
            conv(kernel_constraint={"max_norm": {"axis": -5}}),
            (8, 8, 1),
            "kernel_constraint.max_norm.axis",
            "no axis -5",
        ),
        (conv(bias_constraint={"UnitNorm": {"axis": 1}}), (8, 8, 1), "bias_constraint.UnitNorm.axis", "is (2,)"),
        (
            dense(kernel_constraint={"MinMaxNorm": {"axis": [0, -2]}}),
            (4,),
            "kernel_constraint.MinMaxNorm.axis",
            "twice",
        ),
        (conv(kernel_initializer="identity"), (8, 8, 1), "kernel_initializer", "takes a matrix"),
        (conv(bias_initializer="orthogonal"), (8, 8, 1), "bias_initializer", "`bias` of layer 1"),
        (lstm(bias_initializer="Orthogonal"), (5, 2), "bias_initializer", "(12,)"),
        (dense(kernel_initializer="STFT"), (4,), "kernel_initializer", "three axes"),
        (conv(kernel_regularizer="OrthogonalRegularizer"), (8, 8, 1), "kernel_regularizer", "(3, 3, 1, 2)"),
        (conv(activity_regularizer="OrthogonalRegularizer"), (8, 8, 1), "activity_regularizer", "(batch, 6, 6, 2)"),
        (dense(kernel_initializer=fans([0], [2])), (4,), "GlorotUniform.output_axes", "no axis 2"),
        (lstm(kernel_initializer=fans([-3], [1])), (5, 2), "GlorotUniform.input_axes", "no axis -3"),
        (
            {"Bidirectional": {"layer": lstm(activity_regularizer="OrthogonalRegularizer", return_sequences=True)}},
            (5, 2),
            "layer.LSTM.activity_regularizer",
            "the output of `LSTM` in layer 1, `Bidirectional`, has the shape (batch, 5, 3)",
        ),
        (dense(kernel_regularizer="OrthogonalRegularizer"), (1,), "kernel_regularizer", "compares rows"),
        ({"BatchNormalization": {"gamma_initializer": "Identity"}}, (5, 2), "gamma_initializer", "(2,)"),
        (
            {"TimeDistributed": {"layer": dense(kernel_constraint={"MaxNorm": {"axis": 2}})}},
            (5, 2),
            "layer.Dense.kernel_constraint.MaxNorm.axis",
            "no axis 2",
        ),
        (
            {"Bidirectional": {"layer": lstm(recurrent_regularizer="OrthogonalRegularizer", bias_initializer="STFT")}},
            (5, 2),
            "layer.LSTM.bias_initializer",
            "three axes",
        ),
    ],
)
def test_weights_tell_what_does_not_fit_at_its_argument(
    layer: dict[str, Any], shape: tuple[int, ...], path: str, message: str
) -> None:
    found = problems(layer, shape=shape)
    assert len(found) == 1, found
    assert message in found[0].message
    assert found[0].hint
    assert ".".join(map(str, found[0].path)).endswith(path)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (dense(kernel_initializer=fans([0], [-1])), (4,)),
        (dense(kernel_initializer=fans([5], None)), (4,)),
        (conv(kernel_constraint={"MaxNorm": {"axis": [0, 1, 2]}}, bias_constraint="NonNeg"), (8, 8, 1)),
        (conv(kernel_initializer="orthogonal", bias_initializer="ones", use_bias=False), (8, 8, 1)),
        (conv(use_bias=False, bias_initializer="orthogonal"), (8, 8, 1)),
        (lstm(recurrent_initializer="identity", recurrent_regularizer="OrthogonalRegularizer"), (5, 2)),
        (dense(kernel_regularizer={"OrthogonalRegularizer": {"mode": "columns"}}), (1,)),
        ({"GRU": {"units": 3, "bias_initializer": "Orthogonal"}}, (5, 2)),
        ({"Conv1D": {"filters": 3, "kernel_size": 4, "kernel_initializer": "STFT"}}, (8, 1)),
    ],
)
def test_weights_leave_alone_what_fits(layer: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert problems(layer, shape=shape) == []
