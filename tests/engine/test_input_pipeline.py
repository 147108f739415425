from __future__ import annotations

from pathlib import Path

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
