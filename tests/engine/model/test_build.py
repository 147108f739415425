from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.config import load
from dltrain.engine.model.adapting import from_run
from dltrain.engine.model.build import build_callbacks, build_model
from dltrain.engine.model.construct import Refused, ask
from dltrain.engine.session import open_session
from dltrain.errors import ConfigError

NOTHING = from_run({}, "")


def raise_error(**arguments: Any) -> Any:
    raise ValueError("Exception encountered when calling it.\n\nno such thing\n\nArguments received: …")


@pytest.mark.parametrize(
    "layers",
    [
        "[Dense: {units: 3, activation: softmax}]",
        "[Dense: {units: 3}, Softmax]",
        "[Dense: {units: 3, activation: softmax}, Dropout: {rate: 0.2}, Flatten]",
        "[Reshape: {target_shape: [2, 2]}, LSTM: {units: 3, activation: softmax}]",
        "[Reshape: {target_shape: [2, 2]}, Bidirectional: {layer: {GRU: {units: 3}}, merge_mode: sum}]",
        "[Reshape: {target_shape: [2, 2]}, RNN: {cell: {GRUCell: {units: 3}}}]",
        "[Reshape: {target_shape: [1, 4]}, TimeDistributed: {layer: {Dense: {units: 3}}}, Flatten]",
        "[Dense: {units: 3}, BatchNormalization]",
    ],
)
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_build_in_mixed_precision_outputs_float32(tiny: Path, tmp_path: Path, precision: str, layers: str) -> None:
    from dltrain.engine.inputs import load_data

    plan = load(
        tiny, [f"model.layers={layers}", f"train.precision={precision}", "train.loss=mse", "runtime.optimizer=keras"]
    )
    with open_session(plan.spec) as session:
        model = build_model(plan, load_data(plan.spec).facts, session, NOTHING).model
    model.save(tmp_path / "model.keras")
    for each in (model, keras.models.load_model(tmp_path / "model.keras")):
        outputs = each.predict_on_batch(np.linspace(0, 1, 80, dtype=np.float32).reshape(20, 4))
        assert outputs.dtype == np.float32
        # More than 16 bits of each number are in use.
        assert not np.array_equal(outputs, outputs.astype("float16").astype("float32"))
        if "softmax" in layers.lower() and "LSTM" not in layers:
            assert np.abs(outputs.sum(axis=-1) - 1).max() < 1e-6


def test_build_reports_a_callback_that_keras_rejects_at_its_line(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = load(tiny, ["train.callbacks=[TerminateOnNaN, EarlyStopping: {patience: 1}]"])
    monkeypatch.setattr(keras.callbacks, "EarlyStopping", raise_error)
    with pytest.raises(ConfigError) as caught:
        build_callbacks(plan)
    (problem,) = caught.value.problems
    assert problem.message == "Keras refuses the callback `EarlyStopping`: no such thing"
    assert problem.path == ("train", "callbacks", 1)


@pytest.mark.parametrize(("metric", "mode"), [("FalseNegatives", "min"), ("TruePositives", "max")])
def test_build_gives_callbacks_the_direction_of_their_metric(tiny: Path, metric: str, mode: str) -> None:
    """Keras does not know it of these."""
    two = ["data.dataset.synthetic.classes=2", "model.layers=[Dense: {units: 1, activation: sigmoid}]"]
    monitor = "monitor: val_it, patience: 1"
    callbacks = f"train.callbacks=[EarlyStopping: {{{monitor}}}, ReduceLROnPlateau: {{{monitor}}}]"
    metrics = f"train.metrics=[{metric}: {{name: it}}]"
    plan = load(tiny, [*two, "train.loss=binary_crossentropy", metrics, callbacks, "train.checkpoint.monitor=val_it"])
    assert [callback.mode for callback in build_callbacks(plan)] == [mode, mode]


def test_build_reports_a_layer_that_keras_rejects_at_its_line(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.engine.inputs import load_data

    plan = load(tiny)
    monkeypatch.setattr(keras.layers, "Dropout", raise_error)
    with pytest.raises(ConfigError) as caught, open_session(plan.spec) as session:
        build_model(plan, load_data(plan.spec).facts, session, NOTHING)
    (problem,) = caught.value.problems
    assert problem.message == "Keras refuses layer 2, `Dropout`: no such thing"
    assert problem.where is not None
    assert "Dropout" in problem.where.text


def test_build_treats_only_errors_of_keras_as_rejections() -> None:
    def bug() -> None:
        raise AssertionError("a bug")

    assert ask(len, "abc") == 3
    with pytest.raises(Refused, match="division"):
        ask(divmod, 1, 0)
    with pytest.raises(AssertionError):
        ask(bug)
