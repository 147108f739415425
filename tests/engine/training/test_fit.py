from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_safetensors
from tests.helpers import Trained, copied, slow_but

import dltrain as package
from dltrain import runs
from dltrain.config import load
from dltrain.config.checks.shapes import RULES
from dltrain.data import loading
from dltrain.engine import EpochDone, Event, Finished, Prepared, StepDone, StoppedEarly
from dltrain.errors import ConfigError, Diverged, ExpectationFailed, RunError, UsageError

# Learns in a few epochs.
QUICK = ("train.batch_size=8", "train.optimizer.Adam.learning_rate=0.03")


def weights_of(run: package.Run) -> dict[str, np.ndarray]:
    newest = run.checkpoints()[-1]
    return load_safetensors(run.read_checkpoint(newest)["weights.safetensors"])


def test_training_writes_the_documented_run_directory(trained: Trained) -> None:
    run = trained.finished()
    names = {str(p.relative_to(run.path)) for p in run.path.rglob("*") if p.is_file()}
    assert {
        "config.yaml",
        "resolved.yaml",
        "run.json",
        "metrics.jsonl",
        "metrics.csv",
        "model.keras",
        "log.txt",
    } <= names
    assert {"eval/test.json", "eval/confusion.csv", "eval/predictions.csv"} <= names
    for epoch in (1, 2):
        folder = f"checkpoints/epoch-{epoch:04d}"
        assert {
            f"{folder}/{n}" for n in ("weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json")
        } <= names
    assert not [name for name in names if ".tmp" in name]
    assert (run.path / "config.yaml").read_bytes() == trained.config.read_bytes()
    record = run.record()
    assert record.status == "completed"
    expected = runs.DataRecord(name="synthetic", train=180, validation=20, test=60)
    assert replace(record.data, fingerprint="") == expected
    assert (
        record.metrics["test_accuracy"] == json.loads((run.path / "eval/test.json").read_text())["metrics"]["accuracy"]
    )
    assert len(json.loads((run.path / "validation_indices.json").read_text())) == 20
    assert (run.path / "metrics.csv").read_text().startswith("epoch,")


def test_training_again_from_resolved_gives_identical_weights(trained: Trained, tmp_path: Path) -> None:
    first = trained.finished()
    second = package.fit(first.path / "resolved.yaml", runs_dir=tmp_path)
    a, b = weights_of(first), weights_of(second)
    assert a.keys() == b.keys()
    assert {"dense/kernel", "dense/bias", "dense_1/kernel", "dropout/seed_generator/seed_generator_state"} <= a.keys()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_training_seed_changes_the_weights(trained: Trained) -> None:
    first, other = trained.finished(), trained.finished("seed=7")
    assert not np.array_equal(weights_of(first)["dense/kernel"], weights_of(other)["dense/kernel"])


def test_training_model_file_has_the_same_accuracy_in_plain_keras(trained: Trained) -> None:
    import keras

    run = trained.finished()
    section = load(trained.config).spec.data
    sets = loading.load(
        "synthetic", section.dataset.arguments, validation=0.1, limit_train=None, limit_test=None, seed=42
    )
    model = keras.models.load_model(run.path / "model.keras")
    found = model.evaluate(sets.test.x, sets.test.y, verbose=0, return_dict=True)
    assert found["accuracy"] == pytest.approx(run.record().metrics["test_accuracy"], abs=1e-6)


def test_training_events_are_readable_by_tensorboard(trained: Trained) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = trained.finished()
    rows = run.metrics()
    for split, column in (("train", "loss"), ("validation", "val_loss")):
        events = EventAccumulator(str(run.path / "tensorboard" / split))
        events.Reload()
        tensors = events.Tensors("epoch_loss")
        values = [
            float(np.frombuffer(t.tensor_proto.tensor_content, np.float32)[0])
            if t.tensor_proto.tensor_content
            else t.tensor_proto.float_val[0]
            for t in tensors
        ]
        assert values == pytest.approx([row[column] for row in rows])
        assert [t.step for t in tensors] == [1, 2]


def test_training_reports_its_progress(tiny: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run = package.fit(tiny, runs_dir=tmp_path, on_event=events.append)
    kinds = [type(event) for event in events]
    assert kinds.count(EpochDone) == 2
    assert kinds.index(Prepared) < kinds.index(StepDone) < kinds.index(EpochDone) < kinds.index(Finished)
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert finished.path == run.path


@pytest.mark.parametrize("batch_size", ["full", 1, 7, 1000])
def test_training_uses_every_sample_at_any_batch_size(tiny: Path, tmp_path: Path, batch_size: Any) -> None:
    overrides = {"train.batch_size": batch_size, "train.epochs": 1, "data.limit.train": 50}
    run = package.fit(tiny, overrides, runs_dir=tmp_path)
    optimizer = load_safetensors(run.read_checkpoint(1)["optimizer.safetensors"])
    steps = {"full": 1, 1: 45, 7: 7, 1000: 1}[batch_size]
    assert int(optimizer["adam/iteration"]) == steps


@pytest.mark.parametrize(
    ("loss", "head"),
    [
        ("sparse_categorical_crossentropy", "{units: 3, activation: softmax}"),
        ("categorical_crossentropy", "{units: 3, activation: softmax}"),
        ("SparseCategoricalCrossentropy: {from_logits: true}", "{units: 3}"),
        pytest.param("mean_squared_error", "{units: 3, activation: sigmoid}", marks=pytest.mark.slow),
        pytest.param("binary_crossentropy", "{units: 3, activation: sigmoid}", marks=pytest.mark.slow),
        pytest.param("CategoricalHinge", "{units: 3}", marks=pytest.mark.slow),
    ],
)
def test_training_label_encoding_follows_the_loss(tiny: Path, tmp_path: Path, loss: str, head: str) -> None:
    overrides = [f"train.loss={loss}", f"model.layers.2.Dense={head}", "train.epochs=4", *QUICK]
    run = package.fit(tiny, overrides, runs_dir=tmp_path)
    assert run.record().metrics["test_accuracy"] > 0.8


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("binary_crossentropy", "sigmoid"),
        ("hinge", "tanh"),
        pytest.param("mean_squared_error", "sigmoid", marks=pytest.mark.slow),
    ],
)
def test_training_supports_two_classes_with_one_output(tiny: Path, tmp_path: Path, loss: str, activation: str) -> None:
    overrides = [
        "data.dataset={synthetic: {samples: 400, features: 4}}",
        f"train.loss={loss}",
        f"model.layers.2.Dense={{units: 1, activation: {activation}}}",
        "train.epochs=4",
        *QUICK,
    ]
    run = package.fit(tiny, overrides, runs_dir=tmp_path)
    assert run.record().metrics["test_accuracy"] > 0.9


def test_training_fits_a_regression(tiny: Path, tmp_path: Path) -> None:
    overrides = [
        "data.dataset={synthetic: {task: regression, samples: 600, features: 4, noise: 0.1}}",
        "train.loss=mse",
        "train.metrics=[mae]",
        "model.layers.2.Dense={units: 1}",
        "train.epochs=5",
        *QUICK,
    ]
    run = package.fit(tiny, overrides, runs_dir=tmp_path)
    assert run.record().metrics["test_loss"] < 0.4  # the targets have variance 1
    assert (run.path / "eval/predictions.csv").read_text().startswith("index,target,prediction\n")


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_training_in_mixed_precision_keeps_float32_weights(trained: Trained, precision: str) -> None:
    run = trained.finished(f"train.precision={precision}")
    assert weights_of(run)["dense/kernel"].dtype == np.float32


def test_training_keeps_the_best_and_the_two_newest_checkpoints(tiny: Path, tmp_path: Path) -> None:
    overrides = ["train.epochs=6", "train.checkpoint={monitor: loss, mode: max}"]
    run = package.fit(tiny, overrides, runs_dir=tmp_path)
    assert run.record().best_epoch == 1  # the loss falls
    assert run.checkpoints() == [1, 5, 6]


def test_training_is_ended_by_early_stopping_which_is_told_and_recorded(tiny: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    stopping = "[EarlyStopping: {monitor: loss, mode: max, patience: 2}]"
    overrides = ["train.epochs=50", f"train.callbacks={stopping}"]
    run = package.fit(tiny, overrides, runs_dir=tmp_path, on_event=events.append)
    (event,) = [event for event in events if isinstance(event, StoppedEarly)]
    assert len(run.metrics()) == 3
    first = run.metrics()[0]["loss"]
    assert event == StoppedEarly(3, 50, "loss", 1, first)
    assert run.record().early_stop == runs.EarlyStop(epoch=3, monitor="loss", best_epoch=1, best=first)
    assert "EarlyStopping ended the run in epoch 3" in (run.path / "log.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param("", (None, None), marks=pytest.mark.slow),
        pytest.param("min_delta: 5", (5.0, None), marks=pytest.mark.slow),
        pytest.param("baseline: 90, mode: max", (None, 90.0), marks=pytest.mark.slow),
        ("baseline: 90, min_delta: 5", (5.0, None)),
        ("baseline: 0.1, min_delta: 5, mode: max", (5.0, 0.1)),
    ],
)
def test_training_records_by_what_early_stopping_judged(
    tiny: Path, tmp_path: Path, arguments: str, told: tuple[float | None, float | None]
) -> None:
    """A loss of about 1, which falls; a baseline counts where it was never reached."""
    mode = "" if "min_delta" in arguments or "baseline" in arguments else "mode: max"
    stopping = f"EarlyStopping: {{{', '.join(filter(None, ('monitor: loss, patience: 1', mode, arguments)))}}}"
    run = package.fit(tiny, ["train.epochs=9", f"train.callbacks=[{stopping}]"], runs_dir=tmp_path)
    stop = run.record().early_stop
    assert stop is not None
    assert (stop.min_delta, stop.baseline) == told


UNSTOPPED = "[TerminateOnNaN, EarlyStopping: {monitor: loss, patience: 1}]"


@pytest.mark.parametrize("callbacks", slow_but([UNSTOPPED], ["[]", UNSTOPPED, "[TerminateOnNaN]"]))
def test_training_that_early_stopping_did_not_end_says_nothing_of_it(
    tiny: Path, tmp_path: Path, callbacks: str
) -> None:
    events: list[Event] = []
    run = package.fit(tiny, [f"train.callbacks={callbacks}"], runs_dir=tmp_path, on_event=events.append)
    assert not any(isinstance(event, StoppedEarly) for event in events)
    assert run.record().early_stop is None
    assert "early_stop" not in json.loads((run.path / "run.json").read_bytes())


def test_training_gate_fails_with_value_and_bound(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ExpectationFailed, match=r"test_loss is \d\.\d+, expected < -1\.5"):
        package.fit(tiny, ['expect={test_loss: "< -1.5"}'], runs_dir=tmp_path)
    (run,) = [package.load_run("latest", tmp_path)]
    assert run.record().status == "completed"
    with pytest.raises(ExpectationFailed):
        package.evaluate(run)


def test_training_smoke_run_skips_the_gate(tiny: Path, tmp_path: Path) -> None:
    run = package.fit(tiny, ['expect={test_loss: "< -1.5"}'], runs_dir=tmp_path, smoke=True)
    assert run.record().smoke is True


def test_training_that_leaves_the_domain_of_its_loss_names_that_first(tiny: Path, tmp_path: Path) -> None:
    layers = "[SpectralNormalization: {layer: {Dense: {units: 3}}}]"
    with pytest.raises(Diverged) as caught:
        package.fit(tiny, [f"model.layers={layers}", "train.loss=poisson", "train.epochs=1"], runs_dir=tmp_path)
    assert caught.value.hint.startswith(
        "`Poisson` takes outputs from 0 on, and the last layer, `SpectralNormalization`"
    )
    assert caught.value.hint.index("first") < caught.value.hint.index("learning rate")


def test_training_divergence_is_reported_and_recorded(tiny: Path, tmp_path: Path) -> None:
    overrides = ["train.optimizer=SGD: {learning_rate: 1e30}", "train.loss=mse", "model.layers.2.Dense={units: 3}"]
    with pytest.raises(Diverged, match=r"nan|inf"):
        package.fit(tiny, overrides, runs_dir=tmp_path)
    assert package.load_run("latest", tmp_path).record().status == "diverged"


@pytest.mark.parametrize(
    ("overrides", "line", "says"),
    [
        (["model.layers.1={EinsumDense: {equation: 'abc,cd->abd', output_shape: [2, 3]}}"], 1, "layer 2"),
        (
            ["model.layers.1=EinsumDense: {equation: 'ab,bc->ac', output_shape: 3}", "model.layers.2.Dense.units=2"],
            10,
            "units: 3",
        ),
    ],
)
def test_training_locates_keras_errors_at_the_layer(
    tiny: Path, tmp_path: Path, overrides: list[str], line: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(RULES, "EinsumDense")  # otherwise `check` tells it
    with pytest.raises(ConfigError) as caught:
        package.fit(tiny, overrides, runs_dir=tmp_path / "runs")
    (problem,) = caught.value.problems
    assert problem.where is not None
    assert problem.where.line == line
    assert says in f"{problem.message} {problem.hint}"
    assert list((tmp_path / "runs").iterdir()) == []


def test_evaluation_reproduces_the_metrics_of_training(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.finished(), tmp_path)
    metrics = run.record().metrics
    assert package.evaluate(run).metrics["accuracy"] == metrics["test_accuracy"]
    held_out = package.evaluate(str(run.path), "validation")
    assert held_out.samples == 20
    assert held_out.metrics["loss"] == pytest.approx(metrics["val_loss"], rel=1e-5)
    assert package.evaluate(run, "train").samples == 180


def test_evaluation_rejects_a_missing_split(tiny: Path, tmp_path: Path) -> None:
    run = package.fit(tiny, ["data.validation=0"], runs_dir=tmp_path)
    with pytest.raises(UsageError, match="holds out no validation"):
        package.evaluate(run, "validation")


def test_evaluation_rejects_changed_weights(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.finished(), tmp_path)
    for file in run.path.glob("checkpoints/*/weights.safetensors"):
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    with pytest.raises(RunError):
        package.evaluate(run)
