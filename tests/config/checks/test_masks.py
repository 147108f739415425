"""A lost mask is told where Keras warns of it, and nowhere else."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.config.catalogue import entries, examples
from dltrain.config.document.writer import flow
from dltrain.config.plan import check
from dltrain.engine.model.construct import KERAS_ERRORS, construct
from dltrain.errors import ConfigError

TABLE = {"Embedding": {"input_dim": 4, "output_dim": 3, "mask_zero": True}}
CONFIG = """\
data: {{dataset: {{synthetic: {{shape: {shape}, classes: 3}}}}}}
model: {{layers: {layers}}}
train: {{optimizer: Adam, loss: mse, epochs: 1}}
"""


def lost(shape: list[int], layers: list[Any]) -> list[str]:
    return told(shape, layers, "mask-lost")


def told(shape: list[int], layers: list[Any], code: str) -> list[str]:
    text = CONFIG.format(shape=shape, layers=flow(layers))
    try:
        found = check("config.yaml", text.encode(), ()).warnings
    except ConfigError as error:
        found = tuple(error.problems)
    return [problem.message for problem in found if problem.code == code]


def warned(shape: list[int], layers: list[Any]) -> bool | None:
    """Whether Keras says that a layer destroys the mask; None where it does not take the input at all."""
    tensor = keras.Input(shape)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for layer in layers:
                name, arguments = parts(layer)
                tensor = construct("layer", name, arguments)(tensor)
        except Exception:  # noqa: BLE001
            return None
    return any("does not support masking" in str(warning.message) for warning in caught)


@pytest.mark.parametrize("shape", [[6, 4], [8, 8, 3], [4, 8, 8, 3]])
@pytest.mark.parametrize("name", [name for name in entries.names("layer") if not entries.trait("layer", name, "cell")])
def test_masks_are_lost_where_keras_warns(name: str, shape: list[int]) -> None:
    entry = entries.find("layer", name)
    assert entry is not None
    layers = ["Masking", {name: arguments} if (arguments := examples.arguments(entry)) else name]
    expected = warned(shape, layers)
    found = lost(shape, layers)
    if expected is not None and found:
        assert expected
    if expected and any(row for row in outline_rows(shape, layers) if row == name):
        assert len(found) == 1
        assert found[0].startswith(f"layer 2, `{name}` loses the mask of `Masking` in line 2")


def outline_rows(shape: list[int], layers: list[Any]) -> list[str]:
    """The layers whose shapes the checks know."""
    from dltrain.config.checks.draft import make_draft
    from dltrain.config.checks.outline import make_outline
    from dltrain.config.composition import compose

    composed = compose("config.yaml", CONFIG.format(shape=shape, layers=flow(layers)).encode(), (), False)
    draft = make_draft(composed.tree, composed.layers, composed.problems)
    return [row.kind for row in make_outline(draft).rows]


RESHAPED = {"TimeDistributed": {"layer": {"Reshape": {"target_shape": [4, 1]}}}}


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ([6, 4], ["Masking", "Softmax"]),
        ([6, 4], ["Masking", {"Activation": {"activation": "softmax"}}]),
        ([6, 4], ["Masking", {"Dense": {"units": 4}}, {"Softmax": {"axis": 1}}]),
        ([6, 4], ["Masking", {"TimeDistributed": {"layer": "Softmax"}}]),
        ([6, 4], ["Masking", {"TimeDistributed": {"layer": {"Dense": {"units": 4}}}}]),
        ([5, 6, 4], ["Masking", {"ConvLSTM1D": {"filters": 2, "kernel_size": 2}}]),
        ([6, 4], ["Masking", RESHAPED, {"ConvLSTM1D": {"filters": 2, "kernel_size": 2}}]),
        ([5, 6, 4], ["Masking", {"TimeDistributed": {"layer": {"LSTM": {"units": 2}}}}]),
        ([5, 6, 4], ["Masking", {"TimeDistributed": {"layer": {"LSTM": {"units": 2}}}}, {"GRU": {"units": 2}}]),
        ([6, 4], ["Masking", RESHAPED, {"TimeDistributed": {"layer": {"LSTM": {"units": 2}}}}]),
        ([5, 6, 4], ["Masking", {"TimeDistributed": {"layer": "GlobalAveragePooling1D"}}]),
        ([6, 4], ["Masking", RESHAPED, {"TimeDistributed": {"layer": "GlobalAveragePooling1D"}}]),
        ([6, 4], ["Masking", {"GlobalAveragePooling1D": {"data_format": "channels_first"}}]),
        ([6, 4], ["Masking", "BatchNormalization"]),
        ([6, 4], ["Masking", RESHAPED, "BatchNormalization"]),
        ([6], [TABLE, {"LSTM": {"units": 2}}]),
        ([6], [TABLE, "Softmax"]),
        ([5, 6], [TABLE, {"ConvLSTM1D": {"filters": 2, "kernel_size": 2}}]),
    ],
)
def test_masks_that_a_layer_cannot_take_are_told_as_keras_refuses_them(shape: list[int], layers: list[Any]) -> None:
    made = [construct("layer", *parts(layer)) for layer in layers]
    try:
        keras.Sequential([keras.Input(shape), *made])(np.zeros((2, *shape), "float32"))
    except KERAS_ERRORS:
        refused = True
    else:
        refused = False
    before = [{"Discretization": {"bin_boundaries": [0]}}] if layers[0] is TABLE else []
    assert bool(told(shape, [*before, *layers], "mask")) == refused


def parts(layer: Any) -> tuple[str, dict[str, Any]]:
    return (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))


@pytest.mark.parametrize(
    ("layers", "loses"),
    [
        (["Masking", {"LSTM": {"units": 3}}, {"Dense": {"units": 3}}], None),
        (["Masking", {"LSTM": {"units": 3, "return_sequences": True}}, {"GRU": {"units": 3}}], None),
        (["Masking", {"Dense": {"units": 3}}, "GlobalAveragePooling1D"], None),
        (["Masking", {"LSTM": {"units": 3}}, {"Reshape": {"target_shape": [1, 3]}}, "Flatten"], None),
        (["Masking", {"LSTM": {"units": 3, "return_sequences": True}}, "Flatten"], "layer 3, `Flatten`"),
        (["Masking", {"Conv1D": {"filters": 3, "kernel_size": 2}}, {"LSTM": {"units": 3}}], "layer 2, `Conv1D`"),
        (["Masking", {"Conv1D": {"filters": 3, "kernel_size": 2}}, "Flatten"], "layer 2, `Conv1D`"),
        (["Masking", "GlobalMaxPooling1D"], "layer 2, `GlobalMaxPooling1D`"),
        (["Masking", {"Bidirectional": {"layer": {"LSTM": {"units": 3}}}}, {"Dense": {"units": 3}}], None),
        (
            ["Masking", {"Bidirectional": {"layer": {"LSTM": {"units": 3, "return_sequences": True}}}}, "Flatten"],
            "layer 3, `Flatten`",
        ),
        (["Flatten", {"Dense": {"units": 3}}], None),
    ],
)
def test_masks_are_told_once_at_the_layer_that_loses_them(layers: list[Any], loses: str | None) -> None:
    found = lost([6, 4], layers)
    assert bool(found) == warned([6, 4], layers)
    assert [message.partition(" loses")[0] for message in found] == ([] if loses is None else [loses])
