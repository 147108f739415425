"""Batches in shards: losses and gradients of the whole batch for every layer kind, chosen, recorded and resumed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from tests.config.catalogue.test_catalogue import INTEGER_INPUTS, LAYERS, build, sample_shape
from tests.helpers import ROOT, Trained, fingerprint, slow_but

import dltrain as package
from dltrain.config import KerasObject, load
from dltrain.config.catalogue import datasets, entries
from dltrain.engine import backends
from dltrain.engine.backends import tensorflow
from dltrain.engine.model.shards import choose_cores, keeps_samples_apart
from dltrain.errors import ConfigError

KINDS = [name for name in LAYERS if not entries.trait("layer", name, "cell")]


def first_steps(
    layers: list[keras.layers.Layer], x: np.ndarray, shards: int, training: bool, whole: tuple[str, ...] = ()
) -> list[np.ndarray | None]:
    """Return outputs, and loss and gradients of a first step, in shards."""
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name), *layers])
    y = np.ones(model.compute_output_shape(x.shape), np.float32)
    model.compile("sgd", "mean_squared_error")
    assert tensorflow.shard(model, shards, whole) == (shards > 1)
    outputs = np.asarray(model(x, training=training))
    if not training or not model.trainable_variables:
        return [outputs]
    loss, gradients = tensorflow.first_step(model, x, y)
    return [outputs, np.asarray(loss), *gradients]


def samples_for(name: str, samples: int) -> np.ndarray:
    shape = (samples, *sample_shape(name))
    draws = np.random.default_rng(samples)
    if name in INTEGER_INPUTS:
        return draws.integers(0, 3, shape).astype(np.int32)
    return draws.uniform(0, 1, shape).astype(np.float32)


def is_random(name: str) -> bool:
    entry = entries.find("layer", name)
    assert entry is not None
    drawn = any(entries.trait("layer", name, trait) for trait in ("drops", "adds_noise", "augments"))
    return drawn or name == "Solarization"


QUICK = [(3, 7)]
APART = [name for name in KINDS if keeps_samples_apart(KerasObject.model_validate(name), 3)]


@pytest.mark.parametrize("count_and_samples", slow_but(QUICK, [*QUICK, (2, 5), (3, 2), (2, 1)]))
@pytest.mark.parametrize("name", APART)
def test_sharding_keeps_values_and_gradients_of_every_layer(name: str, count_and_samples: tuple[int, int]) -> None:
    shards, samples = count_and_samples
    found = []
    for count in (1, shards):
        keras.utils.set_random_seed(1)
        entry = entries.find("layer", name)
        assert entry is not None
        layer = build("layer", name, **({"value_range": (0, 1)} if "value_range" in entry.arguments else {}))
        found.append(first_steps([layer], samples_for(name, samples), count, training=not is_random(name)))
    assert_close(*found)


def assert_close(found: Sequence[np.ndarray | None], expected: Sequence[np.ndarray | None]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 2, 3, 8])
@pytest.mark.parametrize("mixing", ["BatchNormalization", "SpectralNormalization", "activity_regularizer"])
def test_sharding_gives_layers_that_mix_samples_the_whole_batch(mixing: str, samples: int) -> None:
    found = []
    for shards in (1, 3):
        keras.utils.set_random_seed(1)
        first, last = keras.layers.Dense(4, activation="relu", name="first"), keras.layers.Dense(2, name="last")
        between = [keras.layers.Dense(3, activity_regularizer="l2", name="mixes")]
        if mixing == "BatchNormalization":
            between = [keras.layers.BatchNormalization(name="mixes")]
        if mixing == "SpectralNormalization":
            between = [keras.layers.SpectralNormalization(keras.layers.Dense(3), name="mixes")]
        x = np.random.default_rng(samples).normal(size=(samples, 5)).astype(np.float32)
        found.append(first_steps([first, *between, last], x, shards, training=True, whole=("mixes",)))
    assert_close(*found)


@pytest.mark.parametrize(
    ("layer", "apart"),
    [
        ("Dense: {units: 3}", True),
        ("Dense: {units: 3, activity_regularizer: l2}", False),
        ("ActivityRegularization: {l1: 0.1}", False),
        ("ActivityRegularization: {l1: 0.0, l2: 0.0}", True),
        ("BatchNormalization", False),
        ("SpectralNormalization: {layer: {Dense: {units: 3}}}", False),
        ("Softmax: {axis: 0}", False),
        ("Softmax: {axis: [-1, -3]}", False),
        ("Softmax: {axis: [1, 2]}", True),
        ("UnitNormalization: {axis: -3}", False),
        ("Dropout: {rate: 0.5, noise_shape: [1, 4]}", False),
        ("Dropout: {rate: 0.5, noise_shape: [null, 1]}", True),
        ("TimeDistributed: {layer: {Dense: {units: 3}}}", True),
        ("TimeDistributed: {layer: BatchNormalization}", False),
        ("TimeDistributed: {layer: {Softmax: {axis: -2}}}", False),
        ("Bidirectional: {layer: {LSTM: {units: 3}}}", True),
        ("Bidirectional: {layer: {LSTM: {units: 3, activity_regularizer: {L1: {}}}}}", False),
        ("RNN: {cell: [{LSTMCell: {units: 3}}, {GRUCell: {units: 3}}]}", True),
        ("EinsumDense: {equation: 'abc,cd->abd', output_shape: [4, 3]}", True),
        ("EinsumDense: {equation: 'abc,cd->bad', output_shape: [4, 3]}", False),
        ("EinsumDense: {equation: '...x,xy->...y', output_shape: 3}", True),
        ("MelSpectrogram", False),
    ],
)
def test_sharding_knows_what_mixes_samples(layer: str, apart: bool) -> None:
    written = KerasObject.model_validate(yaml.safe_load(layer))
    assert keeps_samples_apart(written, 2) == apart


@pytest.mark.parametrize(
    "layer",
    ["Dropout(0.5)", "GaussianNoise(1.0)", "SpatialDropout1D(0.5)", "LSTM(3, dropout=0.5)", "AlphaDropout(0.5)"],
)
def test_sharding_draws_anew_for_each_shard_from_a_seed(layer: str) -> None:
    name, _, given = layer.partition("(")
    x = np.ones((4, 6, 5), np.float32)  # all samples alike

    def drawn() -> list[np.ndarray]:
        keras.utils.set_random_seed(3)
        made = eval(f"keras.layers.{name}({given}", {"keras": keras})
        model = keras.Sequential([keras.Input(x.shape[1:]), made])
        tensorflow.shard(model, 2, ())
        return [np.asarray(model(x, training=True)) for _ in range(2)]

    once, again = drawn(), drawn()
    assert np.array_equal(once, again)
    assert not np.allclose(once[0][:2], once[0][2:])
    assert not np.allclose(once[0], once[1])


def test_sharding_passes_masks_on() -> None:
    x = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 1, 1, 0], [2, 2, 2, 2], [4, 0, 0, 0]], np.int32)
    found = []
    for shards in (1, 2, 3):
        keras.utils.set_random_seed(1)
        layers = [
            keras.layers.Embedding(5, 3, mask_zero=True),
            keras.layers.LSTM(4, return_sequences=True, name="recurrent"),
            keras.layers.Dense(2),
        ]
        model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
        tensorflow.shard(model, shards, ["recurrent"] if shards == 3 else [])
        outputs = model(x)
        assert outputs._keras_mask.numpy().tolist() == (x != 0).tolist()
        model.compile("sgd", "mean_squared_error")
        loss, _ = tensorflow.first_step(model, x, np.ones((5, 4, 2), np.float32))
        found.append([np.asarray(outputs), np.asarray(loss)])
    for parts in found[1:]:
        assert_close(parts, found[0])


LAYERS_WITH_CHANCE = (
    "[{Dense: {units: 8, activation: relu}}, {Dropout: {rate: 0.4}}, BatchNormalization, "
    "{GaussianNoise: {stddev: 0.1}}, Dense: {units: 3, activation: softmax}]"
)


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_sharding_resumes_to_the_same_bits(trained: Trained, shards: int) -> None:
    overrides = [f"model.layers={LAYERS_WITH_CHANCE}", f"runtime.shards={shards}"]
    whole, part = trained.finished(*overrides), trained.stopped(1, *overrides)
    assert whole.record().runtime.shards == shards
    resumed = package.resume(part)
    assert fingerprint(resumed) == fingerprint(whole)
    with zipfile.ZipFile(whole.path / "model.keras") as file:
        assert json.loads(file.read("config.json"))["class_name"] == "Sequential"
    assert package.evaluate(whole).metrics["loss"] == pytest.approx(whole.record().metrics["test_loss"], rel=1e-6)


def test_sharding_changes_losses_by_rounding_alone(trained: Trained) -> None:
    layers = "[{Dense: {units: 8, activation: tanh}}, BatchNormalization, Dense: {units: 3, activation: softmax}]"
    one, *others = (
        trained.finished(f"model.layers={layers}", f"runtime.shards={shards}").metrics() for shards in (1, 2, 3)
    )
    for other in others:
        for row, same in zip(one, other, strict=True):
            assert float(row["loss"] or 0) == pytest.approx(float(same["loss"] or 0), rel=1e-4)


@pytest.mark.parametrize("shards", [0, -1, 65, 1.5, "all", True])
def test_sharding_takes_a_count_within_bounds(tiny: Path, shards: Any) -> None:
    with pytest.raises(ConfigError, match="from 1 to 64, or `auto`"):
        load(tiny, [f"runtime.shards={shards}"])


LONG = "model.layers.0.Reshape.target_shape=[49, 16]"


@pytest.mark.parametrize(
    ("config", "overrides", "sharded"),
    [
        ("cnn_mnist", [], True),
        ("cnn_mnist", ["train.batch_size=8"], False),  # too few samples for two shards
        ("cnn_mnist", ["data.limit.train=500"], False),  # tracing takes longer
        ("cnn_mnist", ["runtime.shards=1"], False),
        ("lstm_mnist", [], True),
        ("lstm_mnist", ["model.layers.1={Bidirectional: {layer: {LSTM: {units: 64}}}}"], False),  # XLA compiles it
        ("lstm_mnist", ["model.layers.1={GRU: {units: 4}}", "runtime.shards=2"], True),
        ("lstm_mnist", [LONG, "runtime.jit_compile=false"], False),  # short steps, one after the other
        ("lstm_mnist", [LONG, "runtime.jit_compile=false", "model.layers.1.LSTM.units=2048"], True),
        ("mlp_mnist_mse", [], False),  # too little work
        ("mlp_mnist_mse", ["runtime.shards=2"], True),
    ],
)
def test_sharding_is_chosen_by_the_work_of_a_step(config: str, overrides: list[str], sharded: bool) -> None:
    plan, facts = load(ROOT / "configs" / f"{config}.yaml", overrides), datasets.facts("mnist", {})
    assert facts is not None
    several = sharded and (backends.cores() > 1 or "runtime.shards=2" in overrides)
    for owns_process in (True, False):
        cores = choose_cores(plan, facts, owns_process)
        assert (cores.shards > 1) == several
        assert cores.threads == (max(1, backends.cores() // cores.shards) if several and owns_process else 0)


@pytest.mark.parametrize(("cores", "batch", "shards", "threads"), [(16, 256, 16, 1), (64, 128, 16, 4), (4, 24, 3, 1)])
def test_sharding_leaves_enough_samples_and_uses_all_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, batch: int, shards: int, threads: int
) -> None:
    monkeypatch.setattr(backends, "cores", lambda: cores)
    plan, facts = load(ROOT / "configs" / "cnn_mnist.yaml", [f"train.batch_size={batch}"]), datasets.facts("mnist", {})
    assert facts is not None
    found = choose_cores(plan, facts, owns_process=True)
    assert (found.shards, found.threads) == (shards, threads)
