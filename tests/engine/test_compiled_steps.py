"""Training steps compiled by XLA: the results of Keras's own, the same bits for every feed and number of steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.config.catalogue.test_catalogue import build
from tests.helpers import ROOT, Trained, failures, fingerprint, slow_but

import dltrain as package
from dltrain.config import load
from dltrain.config.catalogue import datasets, entries
from dltrain.engine.backends import tensorflow
from dltrain.engine.model.shards import choose_cores
from dltrain.engine.model.speed import COMPILED, COMPILED_ON_GPU, compiles, speeds_up_recurrence
from dltrain.errors import ConfigError

Made = Callable[[], Any]


def trained_weights(
    jit_compile: bool,
    *,
    optimizer: Made = lambda: "adam",
    loss: Made = lambda: "mean_squared_error",
    metric: Made = lambda: "mean_absolute_error",
    layers: Made = lambda: [keras.layers.Dense(8, activation="relu")],
    outputs: int = 3,
    integers: bool = False,
    kind: str = "memory",
    per_execution: int = 4,
    weighted: bool = False,
) -> list[np.ndarray]:
    """Train two epochs of 45 samples in batches of 8; return weights, losses and metrics."""
    draws = np.random.default_rng(0)
    x, weights = draws.random((45, 6)).astype(np.float32), draws.random(45).astype(np.float32)
    y: Any = draws.integers(0, outputs, 45)
    if not integers:
        y = draws.dirichlet(np.ones(outputs), 45) if outputs > 1 else draws.integers(0, 2, (45, 1))
        y = y.astype(np.float32)
    tensorflow.seed(1, deterministic=True)
    last = keras.layers.Dense(outputs, activation="softmax" if outputs > 1 else "sigmoid")
    model = keras.Sequential([keras.Input((6,)), *layers(), last])
    model.compile(optimizer(), loss(), metrics=[metric()], jit_compile=False, steps_per_execution=per_execution)
    model.optimizer.build(model.trainable_variables)
    tensorflow.fuse(model)
    tensorflow.speed_up_gradients(model)
    counter = tensorflow.epoch()
    pipeline = tensorflow.input_pipeline(x, y, 1.0, kind, weights=weights if weighted else None)
    rows = pipeline.gathered_inside(model, 8, jit_compile)
    assert rows is not None
    history = model.fit(rows(per_execution, 1, counter), epochs=2, shuffle=False, verbose=0).history
    return [*map(np.asarray, history.values()), *map(np.asarray, model.get_weights())]


def check_against_plain(**given: Any) -> None:
    for plain, compiled in zip(trained_weights(False, **given), trained_weights(True, **given), strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_compiled_steps_train_as_keras_does(optimizer: str, weighted: bool) -> None:
    check_against_plain(optimizer=lambda: optimizer, weighted=weighted)


@pytest.mark.slow
def test_compiled_steps_take_every_optimizer() -> None:
    names = [name for name in entries.names("optimizer") if name != "LossScaleOptimizer"]
    assert failures(names, lambda name: check_against_plain(optimizer=lambda: build("optimizer", name))) == {}


@pytest.mark.slow
def test_compiled_steps_take_every_loss() -> None:
    def check(name: str) -> None:
        integers = bool(entries.trait("loss", name, "integer_labels"))
        metric = "accuracy" if integers else "mean_absolute_error"
        check_against_plain(loss=lambda: build("loss", name), metric=lambda: metric, integers=integers)

    assert failures([name for name in entries.names("loss") if name != "CTC"], check) == {}  # which takes sequences


@pytest.mark.slow
def test_compiled_steps_take_every_metric() -> None:
    def check(name: str) -> None:
        labels = entries.trait("metric", name, "labels")
        loss = "sparse_categorical_crossentropy" if labels == "integer" else "mean_squared_error"
        kind = {"integers": labels == "integer", "outputs": 1 if labels == "binary" else 3}
        check_against_plain(metric=lambda: build("metric", name), loss=lambda: loss, **kind)

    assert failures(entries.names("metric"), check) == {}


@pytest.mark.slow
def test_compiled_steps_take_every_layer_that_gains() -> None:
    def check(name: str) -> None:
        def layers() -> list[keras.layers.Layer]:
            return [keras.layers.Reshape((3, 2)), build("layer", name), keras.layers.Flatten()]

        if entries.trait("layer", name, "drops") or entries.trait("layer", name, "adds_noise"):  # XLA draws others
            once, again = (trained_weights(True, layers=layers) for _ in range(2))
            assert all(map(np.array_equal, once, again))
        else:
            check_against_plain(layers=layers)

    positionwise = [name for name in entries.names("layer") if entries.trait("layer", name, "positionwise")]
    others = [name for name in COMPILED if name != "Embedding" and not entries.trait("layer", name, "cell")]
    elsewhere = ["RepeatVector", "SpatialDropout2D", "SpatialDropout3D"]  # on other shapes
    assert failures([name for name in [*positionwise, *others] if name not in elsewhere], check) == {}


@pytest.mark.parametrize("name", slow_but(["Conv2D", "MaxPooling2D", "BatchNormalization"], COMPILED_ON_GPU))
def test_compiled_steps_take_the_layers_of_a_gpu(name: str) -> None:
    axes = {"Permute": "1", "RepeatVector": "0"}.get(name, re.sub(r"\D", "", name))
    shape = {"0": (64,), "1": (8, 8), "3": (4, 4, 4, 1)}.get(axes, (4, 4, 4))

    def layers() -> list[keras.layers.Layer]:
        around = keras.layers.Dense(64), keras.layers.Reshape(shape), keras.layers.Flatten()
        return [*around[:2], build("layer", name), around[2]]

    check_against_plain(layers=layers)


def of_sequences(name: str, length: int, **arguments: Any) -> Made:
    """Return a function that makes words of six numbers, some of them missing, and layers along them."""

    def layers() -> list[keras.layers.Layer]:
        return [
            keras.layers.Rescaling(4.0),
            keras.layers.Embedding(4, 3, mask_zero=True),
            *(build("layer", name, **arguments, return_sequences=True) for _ in range(length - 1)),
            build("layer", name, **arguments),
        ]

    return layers


@pytest.mark.parametrize("name", slow_but(["GRU"], ["LSTM", "GRU", "SimpleRNN", "RNN"]))
def test_compiled_steps_go_along_masked_sequences_as_keras_does(name: str) -> None:
    check_against_plain(layers=of_sequences(name, 2))


@pytest.mark.parametrize("inside", slow_but(["LSTM"], ["LSTM", "GRU", "SimpleRNN"]))
def test_compiled_steps_go_both_ways_as_keras_does(inside: str) -> None:
    check_against_plain(layers=of_sequences("Bidirectional", 1, layer=build("layer", inside)))


@pytest.mark.parametrize("name", slow_but(["SimpleRNN"], ["LSTM", "GRU", "SimpleRNN"]))
def test_compiled_steps_of_recurrent_layers_have_the_same_bits_for_every_feed(name: str) -> None:
    layers = of_sequences(name, 1, dropout=0.3, recurrent_dropout=0.3, seed=4)
    first = trained_weights(True, layers=layers)
    again = trained_weights(True, layers=layers, kind="stream", per_execution=3)
    assert all(map(np.array_equal, first, again))


def test_compiled_steps_have_the_same_bits_for_every_feed_and_number_of_steps() -> None:
    def layers() -> list[keras.layers.Layer]:
        return [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.5)]

    first = trained_weights(True, layers=layers)
    for kind, per_execution in (("memory", 1), ("memory", 100), ("stream", 1), ("stream", 3)):
        again = trained_weights(True, layers=layers, kind=kind, per_execution=per_execution)
        assert all(map(np.array_equal, first, again)), (kind, per_execution)


def test_compiled_steps_are_recorded_and_resumed_to_the_same_bits(trained: Trained) -> None:
    layers = "[{Dense: {units: 8, activation: relu}}, {Dropout: {rate: 0.4}}, Dense: {units: 3, activation: softmax}]"
    overrides = [f"model.layers={layers}", "runtime.jit_compile=true"]
    whole, part = trained.finished(*overrides), trained.stopped(1, *overrides)
    assert whole.record().runtime.jit_compile
    resumed = package.resume(part, ["runtime.feed=stream", "train.steps_per_execution=2"])
    assert fingerprint(resumed) == fingerprint(whole)
    plain = trained.finished(f"model.layers={layers}", "runtime.jit_compile=false")
    assert not plain.record().runtime.jit_compile


@pytest.mark.parametrize(
    ("config", "overrides", "expected"),
    [
        ("mlp_mnist_mse", [], True),
        ("mlp_mnist_mse", ["train.epochs=1"], True),
        ("mlp_mnist_mse", ["data.limit.train=2000"], False),  # compiling takes longer
        ("mlp_mnist_mse", ["train.precision=mixed_bfloat16"], False),
        ("mlp_mnist_mse", ["runtime.jit_compile=false"], False),
        ("mlp_mnist_mse", ["runtime.feed=stream"], True),
        ("mlp_mnist_mse", ["runtime.backend=jax"], False),
        ("cnn_mnist", [], False),
        ("cnn_mnist", ["runtime.jit_compile=true"], True),
        ("mlp_mnist_mse", ["data.augment=[GaussianNoise: {stddev: 0.1}]"], False),
        ("mlp_mnist_mse", ["runtime.shards=2"], False),
        ("lstm_mnist", [], False),  # fused
        ("lstm_mnist", ["runtime.recurrent=keras"], True),
        ("lstm_mnist", ["model.layers.1.LSTM.activation=relu"], True),
        ("lstm_mnist", ["model.layers.1={GRU: {units: 128}}"], True),
        ("lstm_mnist", ["model.layers.1={GRU: {units: 4}}", "train.batch_size=9000"], True),  # would be unrolled
        ("lstm_mnist", ["model.layers.1={GRU: {units: 4}}", "data.limit.train=1000"], False),  # compiling takes longer
        ("lstm_mnist", ["model.layers.1={GRU: {units: 128}}", "runtime.recurrent=unroll"], False),
        ("lstm_mnist", ["model.layers.1={GRU: {units: 128, unroll: true}}"], False),
        ("lstm_mnist", ["model.layers.1={Bidirectional: {layer: {LSTM: {units: 64}}}}"], True),
        ("lstm_mnist", ["model.layers.1={Bidirectional: {layer: {LSTM: {units: 64, unroll: true}}}}"], False),
        ("lstm_mnist", ["model.layers.0.Reshape.target_shape=[49, 16]"], True),  # too long to be fused
        ("conv_lstm_mnist", ["model.layers.4={Bidirectional: {layer: {LSTM: {units: 64}}}}"], False),
    ],
)
def test_compiled_steps_are_those_that_gain(config: str, overrides: list[str], expected: bool) -> None:
    plan, facts = load(ROOT / "configs" / f"{config}.yaml", overrides), datasets.facts("mnist", {})
    assert facts is not None
    assert compiles(plan, facts) == expected
    if expected:
        assert choose_cores(plan, facts, owns_process=True).shards == 1
        assert not speeds_up_recurrence(plan, facts)


@pytest.mark.parametrize(
    ("config", "overrides", "expected"),
    [
        ("cnn_mnist", [], True),
        ("cnn_mnist", ["train.precision=mixed_float16"], True),
        ("cnn_mnist", ["runtime.shards=2"], True),  # a GPU has none
        ("cnn_mnist", ["runtime.jit_compile=false"], False),
        ("cnn_mnist", ["runtime.backend=jax"], False),
        ("cnn_mnist", ["data.limit.train=4000"], False),  # compiling takes longer
        ("cnn_mnist", ["data.augment=[GaussianNoise: {stddev: 0.1}]"], False),
        ("cnn_mnist", ["model.layers.1={MaxPooling2D: {pool_size: 3, strides: 2}}"], False),
        ("cnn_mnist", ["model.layers.1={MaxPooling2D: {padding: same}}"], False),
        ("cnn_mnist", ["model.layers.1={MaxPooling2D: {pool_size: 2, strides: 2}}"], True),
        ("cnn_mnist", ["model.layers.1={MaxPooling2D: {pool_size: [2, 2], strides: 2}}"], True),
        ("cnn_mnist", ["model.layers.1={TimeDistributed: {layer: {Dense: {units: 4}}}}"], False),  # unknown
        ("cnn_mnist", ["model.layers.1={RandomFlip: {}}"], False),
        ("mlp_mnist_mse", [], True),
        ("lstm_mnist", [], False),  # cuDNN
        ("lstm_mnist", ["model.layers.1={GRU: {units: 8}}"], False),
        ("lstm_mnist", ["model.layers.1={Bidirectional: {layer: {LSTM: {units: 64}}}}"], False),
        ("conv_lstm_mnist", [], False),
    ],
)
def test_compiled_steps_are_those_that_gain_on_a_gpu(config: str, overrides: list[str], expected: bool) -> None:
    plan, facts = load(ROOT / "configs" / f"{config}.yaml", overrides), datasets.facts("mnist", {})
    assert facts is not None
    assert compiles(plan, facts, "GPU") == expected


def test_compiled_steps_that_xla_refuses_are_told_with_the_way_out(tiny: Path, tmp_path: Path) -> None:
    softmax = "Dense: {units: 3, activation: softmax}"
    layers = f"[{{Reshape: {{target_shape: [2, 2, 1]}}}}, {{RandomRotation: {{factor: 0.1}}}}, Flatten, {softmax}]"
    with pytest.raises(ConfigError) as refused:
        package.fit(tiny, [f"model.layers={layers}", "runtime.jit_compile=true"], runs_dir=tmp_path)
    told = str(refused.value)
    assert "ImageProjectiveTransform" in told, told
    assert "-s runtime.jit_compile=false" in told
    assert "Graph execution error" not in told


def test_compiled_steps_take_no_augmentation(tiny: Path, tmp_path: Path) -> None:
    overrides = ["runtime.jit_compile=true", "data.augment=[GaussianNoise: {stddev: 0.1}]"]
    with pytest.raises(ConfigError, match="augmented batches come one by one"):
        package.fit(tiny, overrides, runs_dir=tmp_path)
    assert not list(tmp_path.glob("20*"))


def test_compiled_steps_take_no_shards(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="XLA compiles whole batches"):
        load(tiny, ["runtime.jit_compile=true", "runtime.shards=2"])
    assert load(tiny, ["runtime.jit_compile=true", "runtime.shards=1"])
