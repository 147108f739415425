"""`Normalization` without `mean`: learnt from the training split as Keras's `adapt` learns it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.helpers import fingerprint

import dltrain
from dltrain.config.plan import check
from dltrain.errors import ConfigError

X = np.random.default_rng(2).normal(3, 2, (40, 4, 3)).astype(np.float32) * np.array([1, 10, 100], np.float32)


def config_of(folder: Path, layers: list[Any], epochs: int = 2) -> dict[str, Any]:
    np.savez(folder / "d.npz", x=X, y=X.mean(axis=(1, 2)))
    return {
        "data": {"dataset": {"arrays": {"path": folder / "d.npz"}}, "task": "regression", "test": 0.2},
        "model": {"layers": [*layers, "Flatten", {"Dense": {"units": 1}}]},
        "train": {"optimizer": "Adam", "loss": "mse", "epochs": epochs, "batch_size": 8},
    }


@pytest.mark.parametrize(
    ("before", "axis"), [([], -1), ([], None), ([], [1, 2]), ([{"Rescaling": {"scale": 0.1, "offset": -1.0}}], -1)]
)
def test_adapting_learns_what_keras_learns_from_the_training_split(
    before: list[Any], axis: Any, tmp_path: Path
) -> None:
    layer = {"Normalization": {"axis": axis, "name": "norm"}}
    run = dltrain.fit(config_of(tmp_path, [*before, layer]), runs_dir=tmp_path / "runs")
    learnt = json.loads((run.path / "preprocess.json").read_text())["normalization"]["norm"]
    held = {
        int(i) for name in ("validation", "test") for i in json.loads((run.path / f"{name}_indices.json").read_text())
    }
    train = X[[i for i in range(len(X)) if i not in held]]
    train = train * np.float32(0.1) - 1 if before else train
    wanted = keras.layers.Normalization(axis=tuple(axis) if isinstance(axis, list) else axis)
    wanted.adapt(train)
    np.testing.assert_allclose(np.array(learnt["mean"]), np.asarray(wanted.mean).squeeze(), rtol=1e-4)
    np.testing.assert_allclose(np.array(learnt["variance"]), np.asarray(wanted.variance).squeeze(), rtol=1e-4)
    saved = keras.models.load_model(run.path / "model.keras")
    outputs = dltrain.predict(run, tmp_path / "d.npz").outputs
    np.testing.assert_allclose(saved.predict_on_batch(X), outputs, rtol=1e-5, atol=1e-5)


def test_adapting_resumes_and_evaluates_to_the_same_bits(tmp_path: Path) -> None:
    whole = dltrain.fit(config_of(tmp_path, ["Normalization"], 3), runs_dir=tmp_path / "a")
    part = dltrain.fit(config_of(tmp_path, ["Normalization"], 1), runs_dir=tmp_path / "b")
    assert fingerprint(dltrain.resume(part, {"train.epochs": 3}, runs_dir=tmp_path / "b")) == fingerprint(whole)
    assert dltrain.evaluate(whole).metrics["loss"] == whole.record().metrics["test_loss"]


def test_adapting_constants_stay_small_beside_other_values(tmp_path: Path) -> None:
    config = config_of(tmp_path, ["Normalization"])
    x = X.copy()
    x[..., 0] = 7
    np.savez(tmp_path / "d.npz", x=x, y=x.mean(axis=(1, 2)))
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    assert json.loads((run.path / "preprocess.json").read_text())["normalization"]["normalization"]["variance"][0] == 1
    np.savez(tmp_path / "new.npz", x=X[:3])
    assert np.abs(dltrain.predict(run, tmp_path / "new.npz").outputs).max() < 1e4


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ("[{Dense: {units: 3}}, Normalization]", "stands behind layer 1, `Dense`"),
        ("[{GaussianNoise: {stddev: 1.0}}, Normalization]", "stands behind layer 1, `GaussianNoise`"),
        ("[{TimeDistributed: {layer: Normalization}}]", "inside another layer"),
        ("[{Normalization: {invert: true}}]", "it inverts"),
        ("[{Normalization: {mean: 1.0}}]", "`mean` without `variance`"),
        ("[{Normalization: {variance: 1.0}}]", "`variance` without `mean`"),
    ],
)
def test_adapting_is_refused_where_the_data_do_not_say_it(layers: str, told: str) -> None:
    text = (
        "data: {dataset: {synthetic: {shape: [4, 3]}}}\n"
        f"model: {{layers: [{layers[1:-1]}, Flatten, Dense: {{units: 2, activation: softmax}}]}}\n"
        "train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}\n"
    )
    with pytest.raises(ConfigError, match=told):
        check("c.yaml", text.encode(), ())
