"""`train.class_weight`: what a sample counts in the loss of the training, by its class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import fingerprint

import dltrain
from dltrain.config import load
from dltrain.engine.inputs import class_weights, load_data, oversampled, pipelines_of
from dltrain.engine.session import open_session
from dltrain.errors import ConfigError

RNG = np.random.default_rng(0)
LABELS = np.array(["rare"] * 12 + ["often"] * 108)
X = (RNG.normal(size=(120, 3)) + (LABELS == "rare")[:, None] * 1.2).astype(np.float32)


def config(folder: Path, weight: Any, units: int = 2, epochs: int = 3) -> dict[str, Any]:
    np.savez(folder / "d.npz", x=X, y=LABELS)
    activation = "softmax" if units == 2 else "sigmoid"
    return {
        "data": {
            "dataset": {"arrays": {"path": folder / "d.npz"}},
            "task": "classification",
            "test": 0.25,
        },
        "model": {"layers": [{"Dense": {"units": units, "activation": activation}}]},
        "train": {
            "optimizer": {"Adam": {"learning_rate": 0.05}},
            "loss": "sparse_categorical_crossentropy" if units == 2 else "binary_crossentropy",
            "metrics": ["accuracy"],
            "epochs": epochs,
            "class_weight": weight,
        },
    }


@pytest.mark.parametrize(
    ("weight", "expected"),
    [("balanced", [0.5548, 5.0625]), ({"rare": 4}, [1, 4]), ({"rare": 2, "often": 0.5}, [0.5, 2])],
)
def test_class_weight_is_that_of_each_sample(tmp_path: Path, weight: Any, expected: list[float]) -> None:
    plan = load(config(tmp_path, weight))
    dataset = load_data(plan.spec)
    assert dataset.facts.class_names == ("often", "rare")
    weights = class_weights(dataset, plan.spec.train.class_weight)
    assert weights is not None
    assert weights == pytest.approx(expected, abs=1e-4)
    if weight == "balanced":
        assert weights[dataset.train.y].mean() == pytest.approx(1, abs=1e-6)
    with open_session(plan.spec) as session:
        inputs = pipelines_of(dataset, "index", plan.spec, session.backend)
        train = inputs.train
        for batches in (train.in_order(7), train.shuffled(7, 1, session.backend.epoch())):
            for _, y, of_samples in batches:
                assert np.array_equal(of_samples, weights[np.asarray(y)])
        assert all(len(batch) == 2 for batch in inputs.test.in_order(7))


@pytest.mark.parametrize("units", [1, 2])
def test_class_weight_makes_a_model_that_finds_the_rare_class(tmp_path: Path, units: int) -> None:
    found = {}
    for weight in (None, "balanced"):
        made = config(tmp_path, weight, units)
        made["train"]["batch_size"] = 6  # as many steps in 3 epochs as 15 have with 32
        run = dltrain.fit(made, runs_dir=tmp_path / str(weight))
        answers = dltrain.predict(run, tmp_path / "d.npz").classes
        assert answers is not None
        found[weight] = (answers[LABELS == "rare"] == 1).mean()
        learnt = json.loads((run.path / "preprocess.json").read_text())["class_weight"]
        assert learnt == (None if weight is None else pytest.approx({"often": 0.5548, "rare": 5.0625}, abs=1e-4))
    assert found["balanced"] > found[None]


def test_class_weight_resumes_to_the_same_bits(tmp_path: Path) -> None:
    whole = dltrain.fit(config(tmp_path, "balanced"), runs_dir=tmp_path / "whole")
    short = dltrain.fit(config(tmp_path, "balanced", epochs=1), runs_dir=tmp_path / "short")
    assert fingerprint(dltrain.resume(short, {"train.epochs": 3})) == fingerprint(whole)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ({"rar": 2}, "no class of `arrays`"),
        ({"rare": 0}, "numbers above 0"),
        ({"rare": "x"}, "numbers above 0"),
        ({}, "expected `balanced`"),
        ("even", "expected `balanced`"),
    ],
)
def test_class_weight_that_fits_no_class_is_told(tmp_path: Path, weight: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dltrain.fit(config(tmp_path, weight), runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize(
    ("dataset", "layer", "loss", "severity"),
    [
        ("{synthetic: {task: regression}}", "Dense: {units: 1}", "mse", "error"),
        ("{synthetic: {classes: 2}}", "Dense: {units: 1, activation: sigmoid}", "Dice", "error"),
        ("{synthetic: {classes: 2}}", "Dense: {units: 1, activation: sigmoid}", "binary_crossentropy", None),
    ],
)
def test_class_weight_is_for_classes_and_losses_of_samples(
    tmp_path: Path, dataset: str, layer: str, loss: str, severity: str | None
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        f"data: {{dataset: {dataset}}}\nmodel: {{layers: [{layer}]}}\n"
        f"train: {{optimizer: Adam, loss: {loss}, epochs: 1, class_weight: balanced}}\n"
    )
    if severity is None:
        assert load(path, strict=True)
        return
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [p.severity for p in caught.value.problems if p.code == "class-weight"] == [severity]


def test_class_weight_leaves_the_evaluation_of_the_training_split_alone(tmp_path: Path) -> None:
    run = dltrain.fit(config(tmp_path, "balanced"), runs_dir=tmp_path / "runs")
    found = dltrain.evaluate(run, "train")
    assert found.samples == run.record().data.train


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        ([0, 1, 0, 0], [0, 1, 1, 1, 2, 3]),
        ([2, 2, 1, 1, 1, 5], [0, 0, 1, 2, 3, 4, 5, 5, 5]),
        ([0, 1], [0, 1]),
    ],
)
def test_class_weight_oversampling_gives_every_class_the_samples_of_the_largest(
    labels: list[int], rows: list[int]
) -> None:
    assert oversampled(np.array(labels)).tolist() == rows


def test_class_weight_oversampling_finds_the_rare_class_and_resumes_to_the_same_bits(tmp_path: Path) -> None:
    def again(epochs: int) -> dict[str, Any]:
        made = config(tmp_path, None, epochs=epochs)
        made["train"]["oversample"] = True
        return made

    whole = dltrain.fit(again(4), runs_dir=tmp_path / "a")
    part = dltrain.fit(again(2), runs_dir=tmp_path / "b")
    assert fingerprint(dltrain.resume(part, {"train.epochs": 4}, runs_dir=tmp_path / "b")) == fingerprint(whole)
    twice = again(1)
    twice["train"]["class_weight"] = "balanced"
    with pytest.raises(ConfigError, match="count twice"):
        load(twice)
