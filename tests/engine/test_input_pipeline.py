from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine.backends import jax, tensorflow
from dltrain.engine.backends.backend import Backend, InputPipeline

BACKENDS = pytest.mark.parametrize("backend", [tensorflow, jax], ids=["tensorflow", "jax"])


def pipeline_of(backend: Backend, samples: int, kind: str = "auto") -> InputPipeline:
    x = np.arange(samples, dtype=np.uint8).reshape(samples, 1)
    return backend.input_pipeline(x, np.arange(samples), 0.5, kind)


def order_of(backend: Backend, pipeline: InputPipeline, batch_size: int, seed: int, epoch: int) -> list[int]:
    counter = backend.epoch()
    batches = pipeline.shuffled(batch_size, seed, counter)
    counter.assign(epoch)
    return [int(label) for _, labels in batches for label in labels]


@BACKENDS
@pytest.mark.parametrize(("samples", "batch_size"), [(10, 3), (10, 10), (10, 1), (7, 5)])
def test_input_pipeline_yields_every_sample_once(backend: Backend, samples: int, batch_size: int) -> None:
    pipeline = pipeline_of(backend, samples)
    sizes = [len(labels) for _, labels in pipeline.shuffled(batch_size, 1, backend.epoch())]
    assert sum(sizes) == samples
    assert len(sizes) == -(-samples // batch_size)
    assert sorted(order_of(backend, pipeline, batch_size, 1, 0)) == list(range(samples))
    assert [int(v) for _, labels in pipeline.in_order(batch_size) for v in labels] == list(range(samples))


@BACKENDS
def test_input_pipeline_limit_of_steps_keeps_the_order(backend: Backend) -> None:
    pipeline = pipeline_of(backend, 10)
    first = [int(label) for _, labels in pipeline.shuffled(3, 1, backend.epoch(), 2) for label in labels]
    assert first == order_of(backend, pipeline, 3, 1, 0)[:6]


@BACKENDS
def test_input_pipeline_order_is_a_function_of_seed_and_epoch(backend: Backend) -> None:
    pipeline = pipeline_of(backend, 50)
    assert order_of(backend, pipeline, 8, 1, 3) == order_of(backend, pipeline_of(backend, 50), 8, 1, 3)
    assert order_of(backend, pipeline, 8, 1, 3) != order_of(backend, pipeline, 8, 1, 4)
    assert order_of(backend, pipeline, 8, 1, 3) != order_of(backend, pipeline, 8, 2, 3)


@BACKENDS
def test_input_pipeline_scales_to_float32(backend: Backend) -> None:
    (x, _), *_ = list(pipeline_of(backend, 4).in_order(4))
    assert x.dtype.name == "float32"
    assert np.asarray(x).ravel().tolist() == [0.0, 0.5, 1.0, 1.5]


def test_input_pipeline_streams_the_same_batches_as_from_memory() -> None:
    pipelines = [pipeline_of(tensorflow, 50, kind) for kind in ("memory", "stream")]
    assert [pipeline.kind for pipeline in pipelines] == ["memory", "stream"]
    first, second = (list(pipeline.shuffled(8, 1, tensorflow.epoch())) for pipeline in pipelines)
    for (x, y), (other_x, other_y) in zip(first, second, strict=True):
        assert x.shape == other_x.shape
        assert np.array_equal(x, other_x)
        assert np.array_equal(y, other_y)


def test_input_pipeline_reads_a_mapped_file_lazily(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "x", np.uint8, "w+", shape=(20, 3))
    mapped[:] = 1
    pipeline = tensorflow.input_pipeline(mapped, np.zeros(20, np.int64), 1.0)
    assert pipeline.kind == "stream"
    mapped[:] = 2
    assert all(np.all(np.asarray(x) == 2) for x, _ in pipeline.in_order(8))


@pytest.mark.parametrize("shuffled", [True, False])
def test_input_pipeline_disables_autotune_that_delays_an_epoch(shuffled: bool) -> None:
    pipeline = pipeline_of(tensorflow, 10)
    batches = pipeline.shuffled(3, 1, tensorflow.epoch()) if shuffled else pipeline.in_order(3)
    assert batches.options().autotune.enabled is False  # type: ignore[attr-defined]


@BACKENDS
@pytest.mark.parametrize("kind", ["memory", "stream", "auto"])
def test_input_pipeline_reads_any_byte_order(backend: Backend, kind: str) -> None:
    pipeline = backend.input_pipeline(np.arange(10, dtype=">i4").reshape(10, 1), np.arange(10), 1.0, kind)
    assert pipeline.kind == ("stream" if kind == "stream" else "memory")
    (x, _), *_ = pipeline.in_order(10)
    assert np.asarray(x).ravel().tolist() == list(range(10))


@BACKENDS
def test_input_pipeline_streams_a_mapped_file_by_default(backend: Backend, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(10, dtype=np.uint8).reshape(10, 1))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for kind, expected in (("auto", "stream"), ("memory", "memory")):
        pipeline = backend.input_pipeline(mapped, np.arange(10), 1.0, kind)
        assert pipeline.kind == expected
        assert [float(value) for x, _ in pipeline.in_order(4) for value in np.asarray(x).ravel()] == list(range(10))


@pytest.mark.parametrize("per_execution", [1, 3, 100])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_input_pipeline_gathered_inside_trains_to_the_same_bits(
    per_execution: int, weighted: bool, shuffle: bool
) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 255, (45, 6), np.uint8), generator.integers(0, 3, 45)
    weights = generator.random(45).astype(np.float32) if weighted else None
    results = []
    for inside in (False, True):
        tensorflow.seed(1, deterministic=True)
        layers = [keras.layers.Dense(8, kernel_regularizer="l2"), keras.layers.Dropout(0.5), keras.layers.Dense(3)]
        model = keras.Sequential([keras.Input((6,)), *layers])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"], jit_compile=False, steps_per_execution=per_execution)
        counter = tensorflow.epoch()
        pipeline = tensorflow.input_pipeline(x, y, 1 / 255, weights=weights)
        batches = pipeline.shuffled(8, 1, counter, shuffle=shuffle)
        if inside:
            rows = pipeline.gathered_inside(model, 8)
            assert rows is not None
            batches = rows(per_execution, 1, counter, shuffle=shuffle)
        count = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, counter=counter: counter.assign(epoch)
        )
        history = model.fit(batches, epochs=3, shuffle=False, verbose=0, callbacks=[count]).history
        results.append((history, [weight.tobytes() for weight in model.get_weights()]))
    assert results[0] == results[1]


def test_input_pipeline_gathered_inside_ends_after_the_steps_that_are_asked_for() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False, steps_per_execution=2)
    rows = pipeline_of(tensorflow, 50).gathered_inside(model, 8)
    assert rows is not None
    model.fit(rows(2, 1, tensorflow.epoch(), 3), shuffle=False, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 3


@pytest.mark.parametrize("kind", ["stream", "augmented"])
def test_input_pipeline_is_not_gathered_inside_where_reading_or_augmenting_takes_time(kind: str) -> None:
    x = np.zeros((4, 2), np.float32)
    augment = Doubled() if kind == "augmented" else None
    pipeline = tensorflow.input_pipeline(x, x, 1.0, "memory" if augment else "stream", augment=augment)
    assert pipeline.gathered_inside(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]), 2) is None


class Doubled:
    states = 1

    def __call__(self, x: Any, states: Any, /) -> Any:
        return 2 * x
