"""Metrics whose result is a vector are numbers everywhere: their mean, and one number a class or threshold."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import pytest

import dltrain as package
from dltrain.config.catalogue import entries, examples
from dltrain.config.catalogue.names import metric_parts
from dltrain.config.schema import KerasObject
from dltrain.engine.model.construct import construct_metric
from dltrain.names import valid_column

ONE_HOT = ["train.loss=categorical_crossentropy", "train.epochs=1"]
MANY = (
    "[F1Score, {FBetaScore: {beta: 2, threshold: 0.4}}, {R2Score: {class_aggregation: null}},"
    " {Precision: {thresholds: [0.2, 0.5]}}, {FalseNegatives: {name: missed, thresholds: [0.2, 0.5]}}]"
)
LOGGED = {
    *(f"{name}{part}" for name in ("f1_score", "fbeta_score", "r2_score") for part in ("", "_0", "_1", "_2")),
    *(f"{name}{part}" for name in ("precision", "missed") for part in ("", "_0.2", "_0.5")),
}


@pytest.mark.parametrize("name", entries.names("metric"))
def test_metrics_with_a_vector_are_those_that_the_catalogue_says(name: str) -> None:
    entry = entries.find("metric", name)
    assert entry is not None
    listed = {"thresholds": [0.25, 0.5]} if "thresholds" in entry.arguments else {}
    for arguments in (examples.arguments(entry), {**examples.arguments(entry), **listed}):
        written = KerasObject.model_construct(name=name, arguments=arguments)
        made = construct_metric(written)
        labels = np.array([0, 1, 2, 0])
        whole = name in ("IoU", "MeanIoU")
        sparse = whole or name.startswith("Sparse")
        made.update_state(
            labels if sparse else np.eye(3, dtype=np.float32)[labels],
            labels if whole else np.full((4, 3), 1 / 3, np.float32),
        )
        parts = metric_parts(written, ("a", "b", "c"))
        assert np.shape(made.result()) == ((len(parts),) if parts else ()), arguments


def test_metrics_with_a_vector_are_numbers_in_every_file_of_a_run(tiny: Path, tmp_path: Path) -> None:
    monitored = [
        f"train.metrics={MANY}",
        "train.checkpoint.monitor=val_missed_0.2",
        "train.callbacks=[EarlyStopping: {monitor: val_f1_score, patience: 1}, ReduceLROnPlateau: {monitor: r2_score}]",
        'expect={test_f1_score: ">= 0", test_r2_score_1: "<= 1"}',
    ]
    run = package.fit(tiny, [*ONE_HOT, *monitored], runs_dir=tmp_path)
    row = run.metrics()[0]
    assert {name for name in row if not name.startswith("val_")} == {
        *("epoch", "loss", "learning_rate", "seconds"),
        *LOGGED,
    }
    assert {name.removeprefix("val_") for name in row if name.startswith("val_")} == {"loss", *LOGGED}
    assert all(valid_column(name) for name in row if name not in ("epoch", "seconds"))
    assert row["f1_score"] == pytest.approx(np.mean([row[f"f1_score_{label}"] for label in range(3)]), rel=1e-5)
    with (run.path / "metrics.csv").open() as file:
        assert set(next(csv.reader(file))) == set(row)
    assert {"test_f1_score", "test_f1_score_2", "test_missed_0.5"} <= run.record().metrics.keys()
    assert set(json.loads((run.path / "eval/test.json").read_text())["metrics"]) == {"loss", *LOGGED}
    assert set(package.evaluate(run, "validation").metrics) == {"loss", *LOGGED}
    again = package.resume(run, ["train.epochs=2"])
    assert [row.keys() for row in again.metrics()] == [row.keys()] * 2
    assert package.load_run("best:val_missed_0.2", tmp_path).id == run.id
    saved = keras.models.load_model(run.path / "model.keras")
    assert [metric["config"]["name"] for metric in saved.get_compile_config()["metrics"]] == [
        *("f1_score", "fbeta_score", "r2_score", "precision", "missed")
    ]


def test_metrics_with_one_number_in_their_vector_have_their_own_name_alone(tiny: Path, tmp_path: Path) -> None:
    two = [
        "data.dataset={synthetic: {samples: 60, test_samples: 20, features: 4, classes: 2}}",
        "model.layers=[Dense: {units: 1, activation: sigmoid}]",
        "train.loss=binary_crossentropy",
        "train.metrics=[F1Score: {threshold: 0.5}, Recall: {thresholds: [0.5]}]",
        "train.epochs=1",
    ]
    run = package.fit(tiny, two, runs_dir=tmp_path)
    assert {name for name in run.record().metrics if name.startswith("test_")} == {
        *("test_loss", "test_f1_score", "test_recall")
    }


@pytest.mark.parametrize(
    ("metrics", "monitor", "better"),
    [
        pytest.param("[MeanSquaredError: {name: foo}]", "val_foo", min, marks=pytest.mark.slow),
        ("[AUC: {name: my_error}]", "val_my_error", max),
        ("[{FalsePositives: {name: hits, thresholds: [0.3, 0.6]}}]", "val_hits_0.3", min),
        pytest.param("[F1Score: {name: f_loss}]", "val_f_loss_1", max, marks=pytest.mark.slow),
    ],
)
def test_metrics_decide_the_best_epoch_by_their_class(
    tiny: Path, tmp_path: Path, metrics: str, monitor: str, better: Callable[[Sequence[float]], float]
) -> None:
    overrides = [*ONE_HOT, "train.epochs=4", f"train.metrics={metrics}", f"train.checkpoint.monitor={monitor}"]
    made = [package.fit(tiny, [*overrides, f"seed={seed}"], runs_dir=tmp_path) for seed in (1, 2)]
    values = [[float(row[monitor] or 0) for row in run.metrics()] for run in made]
    for run, history in zip(made, values, strict=True):
        assert history[(run.record().best_epoch or 0) - 1] == better(history)
    best = [run.record().metrics[monitor] for run in made]
    assert package.load_run(f"best:{monitor}", tmp_path).record().metrics[monitor] == better(best)
