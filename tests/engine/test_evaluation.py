"""Loss, metrics and outputs of one pass over the data equal those of two passes of Keras."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import Trained, copied

import dltrain as package
from dltrain.config import Plan, load
from dltrain.engine.backends.backend import InputPipeline
from dltrain.engine.inputs import load_data, pipeline_of
from dltrain.engine.model.adapting import from_data
from dltrain.engine.model.build import BuiltModel, build_model
from dltrain.engine.session import Session, open_session
from dltrain.errors import UsageError
from dltrain.metrics.classes import ClassSheet, class_sheet
from dltrain.metrics.numbers import NumberSheet


def built_from(plan: Plan) -> tuple[Session, BuiltModel, InputPipeline]:
    dataset = load_data(plan.spec)
    with open_session(plan.spec) as session:
        built = build_model(plan, dataset.facts, session, from_data(dataset))
        return session, built, pipeline_of(dataset, "test", built.encoding, plan.spec, session.backend)


NUMBERS = "data.dataset={synthetic: {task: regression, samples: 90, test_samples: 41, features: 4}}"


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["train.precision=mixed_bfloat16"],
        ["train.metrics=[accuracy, SparseTopKCategoricalAccuracy: {k: 2}]"],
        ["model.layers=[Dense: {units: 3, activation: softmax, kernel_regularizer: l2, activity_regularizer: l2}]"],
        ["model.layers=[BatchNormalization, Dropout: {rate: 0.5}, Dense: {units: 3, activation: softmax}]"],
        [NUMBERS, "model.layers=[Dense: {units: 1}]", "train.loss=mse", "train.metrics=[mae]", "expect={}"],
    ],
    ids=["plain", "bfloat16", "metrics", "regularizers", "modes", "numbers"],
)
def test_evaluation_in_one_pass_matches_keras(tiny: Path, overrides: list[str]) -> None:
    plan = load(tiny, ["data.validation=0", "train.checkpoint.monitor=loss", "expect={}", *overrides])
    session, built, inputs = built_from(plan)
    model = built.model
    metrics, outputs = session.backend.evaluate(model, inputs.in_order(16))
    expected = model.evaluate(inputs.in_order(16), verbose=0, return_dict=True)
    assert metrics == {name: float(value) for name, value in expected.items()}
    predicted = np.concatenate([model.predict_on_batch(x) for x, _ in inputs.in_order(16)])
    assert np.array_equal(outputs, predicted.astype(np.float32))


@pytest.mark.parametrize(
    ("loss", "activation", "boundary", "metric"),
    [
        pytest.param("hinge", "tanh", 0.0, "accuracy", marks=pytest.mark.slow),
        ("squared_hinge", "linear", 0.0, "acc"),
        pytest.param("Hinge", "tanh", 0.0, "BinaryAccuracy: {threshold: 0}", marks=pytest.mark.slow),
        ("BinaryCrossentropy: {from_logits: true}", "linear", 0.0, "BinaryAccuracy: {threshold: 0}"),
        pytest.param("binary_crossentropy", "sigmoid", 0.5, "accuracy", marks=pytest.mark.slow),
        ("mse", "tanh", 0.5, "accuracy"),
    ],
)
def test_evaluation_divides_a_single_output_where_the_labels_do(
    tiny: Path, tmp_path: Path, loss: str, activation: str, boundary: float, metric: str
) -> None:
    overrides = [
        "data.dataset={synthetic: {samples: 200, test_samples: 100, features: 4, classes: 2, noise: 2}}",
        f"model.layers=[Dense: {{units: 1, activation: {activation}}}]",
        f"train.loss={{{loss}}}" if ":" in loss else f"train.loss={loss}",
        f"train.metrics=[{metric}]",
    ]
    run = package.fit(tiny, overrides, runs_dir=tmp_path)
    with (run.path / "eval/predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    outputs = [float(row["output"]) for row in rows]
    assert any(0 < output < 0.5 for output in outputs)
    assert [row["prediction"] for row in rows] == [str(int(output > boundary)) for output in outputs]
    right = sum(row["prediction"] == row["label"] for row in rows) / len(rows)
    (accuracy,) = (value for name, value in run.record().metrics.items() if name.startswith("test_") and "acc" in name)
    assert accuracy == pytest.approx(right)
    confusion = [row.split(",")[1:] for row in (run.path / "eval/confusion.csv").read_text().splitlines()[1:]]
    assert sum(int(confusion[label][label]) for label in range(2)) / len(rows) == pytest.approx(right)


def test_evaluation_resets_the_metrics_before_each_pass(tiny: Path) -> None:
    plan = load(tiny)
    session, built, inputs = built_from(plan)
    batches = inputs.in_order(16)
    first, second = (session.backend.evaluate(built.model, batches)[0] for _ in range(2))
    assert first == second


def test_evaluation_metric_names_are_equal_in_every_run_of_a_process(tiny: Path, tmp_path: Path) -> None:
    overrides = [
        "train.metrics=[AUC, Precision]",
        "train.loss=categorical_crossentropy",
        "train.checkpoint.monitor=val_auc",
        'expect={test_auc: ">= 0"}',
        "train.epochs=1",
    ]
    first, second = (package.fit(tiny, overrides, runs_dir=tmp_path) for _ in range(2))
    assert first.record().metrics.keys() == second.record().metrics.keys() >= {"test_auc", "test_precision"}
    assert set(package.evaluate(first).metrics) == {"loss", "auc", "precision"}
    assert package.resume(first, ["train.epochs=2"]).record().best_epoch in (1, 2)


def sheet_in(folder: Path, name: str = "sheet.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


def test_evaluation_writes_a_sheet_of_which_every_figure_can_be_computed_again(
    trained: Trained, tmp_path: Path
) -> None:
    run = copied(trained.finished(), tmp_path)
    found = package.evaluate(run)
    written = sheet_in(run.path / "eval")
    with np.load(run.path / "eval/probabilities.npz", allow_pickle=False) as file:
        given, labels, names = file["probabilities"], file["labels"], file["names"]
    again = class_sheet(labels, given.argmax(axis=1), given, names.tolist(), probabilities=True)
    assert {key: written[key] for key in asdict(again)} == json.loads(json.dumps(asdict(again)))
    assert found.sheet == again
    assert written["scores"]["accuracy"]["value"] == pytest.approx(found.metrics["accuracy"])
    assert written["scores"]["log_loss"]["value"] == pytest.approx(found.metrics["loss"], rel=1e-4)
    assert (written["samples"], written["epoch"], written["split"]) == (found.samples, found.epoch, "test")
    assert found.epoch == run.record().best_epoch
    package.evaluate(run, "validation")
    assert sheet_in(run.path / "eval", "validation-sheet.json")["split"] == "validation"


def test_evaluation_takes_any_checkpoint_and_keeps_the_best_one_apart(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.finished("train.epochs=3"), tmp_path)
    package.evaluate(run)
    before = {path.name: path.read_bytes() for path in (run.path / "eval").glob("*.*")}
    kept = run.checkpoints()
    for epoch in kept:
        found = package.evaluate(run, checkpoint=epoch)
        assert found.epoch == epoch
        assert found.metrics["loss"] == sheet_in(run.path / f"eval/epoch-{epoch:04}", "test.json")["metrics"]["loss"]
    assert package.evaluate(run, checkpoint="last").epoch == max(kept)
    assert sheet_in(run.path / "eval/last")["epoch"] == max(kept)
    assert {path.name: path.read_bytes() for path in (run.path / "eval").glob("*.*")} == before
    with pytest.raises(UsageError, match="no checkpoint of epoch 77"):
        package.evaluate(run, checkpoint=77)


@pytest.mark.parametrize("precision", [0, -1, 1.5, float("nan"), "0.9", True, None])
def test_evaluation_refuses_a_precision_that_is_no_share(trained: Trained, precision: Any) -> None:
    with pytest.raises(UsageError, match="makes no sense"):
        package.evaluate(trained.finished(), precision=precision)


def test_evaluation_of_numbers_is_in_their_unit_and_beside_a_constant(tiny: Path, tmp_path: Path) -> None:
    layers = "model.layers=[Dense: {units: 1}]"
    run = package.fit(tiny, [NUMBERS, layers, "train.loss=mse", "train.metrics=[mae]", "expect={}"], runs_dir=tmp_path)
    found = package.evaluate(run)
    assert isinstance(found.sheet, NumberSheet)
    (figures,) = found.sheet.numbers
    assert figures.scores["mae"].value == pytest.approx(found.metrics["mae"], rel=1e-5)
    assert set(figures.guess) == {"mae", "rmse"}
    assert not list((run.path / "eval").glob("*.npz"))


@pytest.mark.parametrize(
    ("loss", "activation"), [("binary_crossentropy", "sigmoid"), ("hinge", "tanh"), ("LOGITS", "linear")]
)
def test_evaluation_of_a_single_output_has_both_classes(tiny: Path, tmp_path: Path, loss: str, activation: str) -> None:
    given = "{BinaryCrossentropy: {from_logits: true}}" if loss == "LOGITS" else loss
    overrides = [
        "data.dataset={synthetic: {samples: 200, test_samples: 100, features: 4, classes: 2, noise: 2}}",
        f"model.layers=[Dense: {{units: 1, activation: {activation}}}]",
        f"train.loss={given}",
        f"train.metrics=[{'accuracy' if loss != 'LOGITS' else 'BinaryAccuracy: {threshold: 0}'}]",
        "train.checkpoint.monitor=val_loss",
    ]
    run = package.fit(tiny, [*overrides, "expect={}"], runs_dir=tmp_path)
    found = package.evaluate(run, precision=0.6)
    assert isinstance(found.sheet, ClassSheet)
    assert len(found.sheet.classes) == 2
    measured = next(value for name, value in found.metrics.items() if "acc" in name)
    assert found.sheet.scores["accuracy"].value == pytest.approx(measured)
    assert bool(found.sheet.thresholds) == (loss != "hinge")
    assert ("log_loss" in found.sheet.scores) == (loss != "hinge")
    if loss != "hinge":
        assert found.sheet.scores["log_loss"].value == pytest.approx(found.metrics["loss"], rel=1e-3)


def test_evaluation_gives_no_sheet_of_outputs_that_are_no_numbers(tiny: Path, tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).random((90, 4)).astype(np.float32), np.arange(90) % 3
    tested = x[:30].copy()
    tested[::7] = 3e38  # beyond float32 after the first layer
    np.savez(tmp_path / "x.npz", x_train=x, y_train=y, x_test=tested, y_test=y[:30])
    layers = "[Dense: {units: 8, kernel_initializer: ones, trainable: false}, Dense: {units: 3, activation: softmax}]"
    overrides = [f"data.dataset={{arrays: {{path: {tmp_path / 'x.npz'}}}}}", f"model.layers={layers}", "expect={}"]
    run = package.fit(tiny, overrides, runs_dir=tmp_path / "runs")
    events: list[Any] = []
    found = package.evaluate(run, on_event=events.append)
    assert found.sheet is None
    assert any("for 5 of 30 samples, the model gives no finite numbers" in str(event) for event in events)
    assert not (run.path / "eval/sheet.json").exists()


def test_evaluation_of_other_weights_leaves_no_sheet_of_earlier_ones(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.finished("train.epochs=1"), tmp_path)
    package.evaluate(run)
    package.evaluate(run, "validation")
    resumed = package.resume(run, ["train.epochs=2"])
    left = {path.name for path in (resumed.path / "eval").iterdir()}
    assert "test.json" in left
    assert not left & {"sheet.json", "probabilities.npz"}
    assert package.evaluate(resumed).sheet is not None
    assert sheet_in(resumed.path / "eval")["epoch"] == resumed.record().best_epoch
