"""Unrolled recurrent layers: chosen automatically, same results, and no trace in the saved model."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.helpers import ROOT, Command, Trained, prepared

import dltrain as package
from dltrain import runs
from dltrain.config import KerasObject, load
from dltrain.config.catalogue import datasets
from dltrain.config.catalogue.objects import complete
from dltrain.engine import backends
from dltrain.engine.backends import tensorflow
from dltrain.engine.model import speed
from dltrain.errors import RunError

LAYERS = (
    "[{Reshape: {target_shape: [4, 1]}}, {LSTM: {units: 4, return_sequences: true}}, {GRU: {units: 3}}, "
    "Dense: {units: 3, activation: softmax}]"
)


def recurrent(trained: Trained, *overrides: str) -> runs.Run:
    return trained.finished(f"model.layers={LAYERS}", *overrides)


@pytest.mark.parametrize(
    ("overrides", "unrolled"),
    [
        ([], {}),  # 200 samples
        (["runtime.recurrent=unroll"], {"lstm": "fused", "gru": "unrolled"}),
        (["runtime.recurrent=keras"], {}),
    ],
)
def test_recurrent_is_chosen_and_recorded(trained: Trained, overrides: list[str], unrolled: dict[str, str]) -> None:
    run = recurrent(trained, *overrides)
    assert run.record().runtime.recurrent == unrolled
    with zipfile.ZipFile(run.path / "model.keras") as file:
        layers = json.loads(file.read("config.json"))["config"]["layers"]
    kept = {layer["config"]["name"]: layer["config"].get("unroll") for layer in layers}
    assert kept["gru"] is False
    assert kept["lstm"] is False


def test_recurrent_is_unrolled_where_enough_is_trained(tiny: Path, tmp_path: Path) -> None:
    more = [f"model.layers={LAYERS}", "data.dataset.synthetic.samples=6000", "runtime.jit_compile=false"]
    assert prepared(tiny, tmp_path, *more).record().runtime.recurrent == {"lstm": "fused", "gru": "unrolled"}


@pytest.mark.parametrize(("shards", "unrolled"), [(1, True), (2, True), (3, False), (64, False)])
def test_recurrent_is_not_unrolled_in_many_shards(shards: int, unrolled: bool) -> None:
    layers = "[{Reshape: {target_shape: [28, 28]}}, {GRU: {units: 4}}, Dense: {units: 10, activation: softmax}]"
    overrides = [f"model.layers={layers}", f"runtime.shards={shards}", "runtime.jit_compile=false"]
    plan, facts = load(ROOT / "configs" / "lstm_mnist.yaml", overrides), datasets.facts("mnist", {})
    assert facts is not None
    assert speed.speeds_up_recurrence(plan, facts) == unrolled


def test_recurrent_keeps_layers_that_the_config_unrolls(trained: Trained) -> None:
    run = recurrent(trained, "train.epochs=1", "runtime.recurrent=unroll", "model.layers.1.LSTM.unroll=true")
    assert run.record().runtime.recurrent == {"gru": "unrolled"}
    with zipfile.ZipFile(run.path / "model.keras") as file:
        layers = json.loads(file.read("config.json"))["config"]["layers"]
    assert {layer["config"].get("unroll") for layer in layers if layer["class_name"] == "LSTM"} == {True}


def test_recurrent_is_skipped_in_smoke_runs(tiny: Path, tmp_path: Path) -> None:
    run = prepared(tiny, tmp_path, f"model.layers={LAYERS}", "data.dataset.synthetic.samples=6000", smoke=True)
    assert run.record().runtime.recurrent == {}


def test_recurrent_uses_keras_for_long_sequences(tiny: Path, tmp_path: Path) -> None:
    longer = ["data.dataset.synthetic.features=40", "model.layers.0.Reshape.target_shape=[40, 1]"]
    run = prepared(tiny, tmp_path, f"model.layers={LAYERS}", *longer, "runtime.recurrent=unroll")
    assert run.record().runtime.recurrent == {}


def test_recurrent_differs_only_by_rounding(trained: Trained) -> None:
    fast, plain = (recurrent(trained, f"runtime.recurrent={kind}") for kind in ("unroll", "keras"))
    for row, other in zip(fast.metrics(), plain.metrics(), strict=True):
        assert np.isclose(float(row["loss"] or 0), float(other["loss"] or 0), rtol=1e-4)
    assert package.evaluate(fast).metrics["loss"] == pytest.approx(fast.record().metrics["test_loss"], rel=1e-6)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("samples", [1, 2, 7])
def test_recurrent_fused_lstm_matches_values_and_gradients_of_keras(sequences: bool, samples: int) -> None:
    x = np.random.default_rng(0).normal(size=(samples, 5, 3)).astype(np.float32)
    found = []
    for fast in (False, True):
        layer = keras.layers.LSTM(
            4,
            return_sequences=sequences,
            kernel_initializer=keras.initializers.GlorotUniform(1),
            recurrent_initializer=keras.initializers.GlorotUniform(2),
        )
        if fast:
            assert tensorflow.speed_up(layer, "fused")
        model = keras.Sequential([keras.Input((5, 3)), layer])
        model.compile("sgd", "mean_squared_error")
        y = np.ones(model.compute_output_shape((samples, 5, 3)), np.float32)
        found.append((np.asarray(model(x)), *tensorflow.first_step(model, x, y)[1]))
    for plain, fused in zip(*found, strict=True):
        assert np.allclose(plain, fused, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "how"),
    [
        ({"dropout": 0.2}, "unrolled"),
        ({"activation": "relu"}, "unrolled"),
        ({"use_bias": False}, "unrolled"),
        ({"go_backwards": True}, "unrolled"),
        ({"unroll": True}, None),
        ({}, "fused"),
    ],
)
def test_recurrent_fuses_only_plain_lstms_on_short_sequences(arguments: dict[str, Any], how: str | None) -> None:
    name, filled = complete("layer", "LSTM", {"units": 4, **arguments})
    layer = KerasObject.model_construct(name=name, arguments=filled)
    assert speed.recurrence(layer, (5, 3), masked=False) == how
    assert speed.recurrence(layer, (33, 3), masked=False) is None
    assert speed.recurrence(layer, (5, 3), masked=True) == (how and "unrolled")


def test_recurrent_lstm_with_a_mask_is_unrolled(tiny: Path, tmp_path: Path) -> None:
    layers = "[{Reshape: {target_shape: [4, 1]}}, Masking, {LSTM: {units: 4}}, Dense: {units: 3, activation: softmax}]"
    given = [f"model.layers={layers}", "expect={}", "train.epochs=1", "runtime.recurrent=unroll"]
    assert prepared(tiny, tmp_path, *given).record().runtime.recurrent == {"lstm": "unrolled"}


def test_recurrent_cores_are_chosen_recorded_and_kept_by_resume(tiny: Path, tmp_path: Path, dltrain: Command) -> None:
    layers = "[{Reshape: {target_shape: [4, 1]}}, {LSTM: {units: 8}}, Dense: {units: 3, activation: softmax}]"
    given = (f"model.layers={layers}", "expect={}", "runtime.recurrent=unroll", "runtime.shards=2")

    def fitted() -> Iterator[runs.Run]:
        fit = ("fit", tiny, *(f"-s{override}" for override in given), "--runs-dir", tmp_path / "runs")
        for done in dltrain.in_turn(*((*fit, f"-strain.epochs={epochs}") for epochs in (1, 2))):
            assert done.returncode == 0, done.stderr
            yield runs.Run(Path(done.stdout.strip()))

    half = max(1, backends.cores() // 2)
    short, long = fitted()
    assert (short.record().runtime.shards, short.record().runtime.threads) == (2, half)
    keras.ops.zeros(1)  # TensorFlow initializes with all threads
    with pytest.raises(RunError, match=f"an operation had {half} thread.* and has all threads"):
        package.resume(short, ["train.epochs=2"])
    assert short.record().status == "completed"
    done = dltrain("resume", short.path, "-s", "train.epochs=2")
    assert done.returncode == 0, done.stderr
    assert (short.record().runtime.shards, short.record().runtime.threads) == (2, half)
    weights = "checkpoints/epoch-0002/weights.safetensors"
    assert (short.path / weights).read_bytes() == (long.path / weights).read_bytes()
