"""A lost mask is told where Keras warns of it, and nowhere else."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import pytest

from dltrain.config.catalogue import entries, examples
from dltrain.config.document.writer import flow
from dltrain.config.plan import check
from dltrain.engine.model.construct import construct
from dltrain.errors import ConfigError

CONFIG = """\
data: {{dataset: {{synthetic: {{shape: {shape}, classes: 3}}}}}}
model: {{layers: {layers}}}
train: {{optimizer: Adam, loss: mse, epochs: 1}}
"""


def lost(shape: list[int], layers: list[Any]) -> list[str]:
    text = CONFIG.format(shape=shape, layers=flow(layers))
    try:
        found = check("config.yaml", text.encode(), ()).warnings
    except ConfigError as error:
        found = tuple(error.problems)
    return [problem.message for problem in found if problem.code == "mask-lost"]


def warned(shape: list[int], layers: list[Any]) -> bool | None:
    """Whether Keras says that a layer destroys the mask; None where it does not take the input at all."""
    tensor = keras.Input(shape)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for layer in layers:
                name, arguments = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
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
