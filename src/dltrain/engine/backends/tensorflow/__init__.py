"""TensorFlow: devices, determinism, and an input pipeline in which only indices are shuffled.

`map` gathers, casts and scales each batch, so memory never holds more than a few float32 batches.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dltrain.engine.backends.backend import (
    INFERENCE_BATCH,
    Augment,
    InputDtype,
    Recurrence,
    Rows,
    Values,
    cores,
    make_xla_deterministic,
    streams,
    target_dtype,
)
from dltrain.engine.backends.tensorflow import adam, loop, lstm, pooling, sharding
from dltrain.engine.backends.tensorflow.state import pinned as pinned

ERRORS: tuple[type[Exception], ...] = (tf.errors.OpError,)
JIT_COMPILE = False
AUTO_STEPS_PER_EXECUTION = 16
_GATHERED = 2**21  # bytes of samples that are gathered together: fewer than a cache of the processor holds
_FOR_GPU = 2**24  # bytes that it gets in one transfer
_FASTER = (adam.FusedAdam, lstm.FusedLSTM, *pooling.FAST.values(), sharding.ShardedSequential)  # than their bases
_BUILT_WITH = {"CUDA": "cuda_version", "cuDNN": "cudnn_version"}  # keys of TensorFlow's build info
_DRIVER = Path("/proc/driver/nvidia/version")


def start(threads: int) -> None:
    gpus = tf.config.list_physical_devices("GPU")
    if threads and not gpus:  # otherwise those of the process, which are recorded
        with contextlib.suppress(RuntimeError):  # TensorFlow has already started
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):  # the GPU is already in use and its memory configured
            tf.config.experimental.set_memory_growth(gpu, True)


def seed(seed: int, deterministic: bool) -> None:
    keras.utils.set_random_seed(seed)
    if deterministic:
        if tf.config.list_physical_devices("GPU"):
            make_xla_deterministic()
        tf.config.experimental.enable_op_determinism()


def threads() -> int:
    return int(tf.config.threading.get_intra_op_parallelism_threads())


def libraries() -> Mapping[str, str]:
    if not tf.config.list_physical_devices("GPU"):
        return {"oneDNN": "on" if _with_onednn() else "off"}
    built = tf.sysconfig.get_build_info()
    found = {name: str(built[key]) for name, key in _BUILT_WITH.items() if key in built}
    for package in metadata.distributions():
        name = package.metadata["Name"] or ""
        if name.lower().startswith("nvidia-"):
            found[name.lower()] = package.version
    with contextlib.suppress(OSError):
        found["driver"] = _DRIVER.read_text(encoding="utf-8", errors="replace").partition("\n")[0][:200]
    return found


def _with_onednn() -> bool:
    from tensorflow.python.util import _pywrap_util_port  # nothing public says it

    return bool(_pywrap_util_port.IsMklEnabled())


def gpus() -> Sequence[str]:
    found = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in found]


def gpu_peak_bytes() -> int:
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def out_of_memory(error: BaseException) -> bool:
    return isinstance(error, tf.errors.ResourceExhaustedError | MemoryError)


def epoch() -> tf.Variable:
    with tf.device("CPU:0"):
        return tf.Variable(0, dtype=tf.int64, trainable=False)


def speed_up(layer: keras.layers.Layer, how: Recurrence) -> bool:
    if tf.config.list_physical_devices("GPU"):
        return False
    lstm.speed_up(layer, how)
    return True


def speed_up_gradients(model: keras.Sequential) -> None:
    for layer in model.layers:
        pooling.speed_up(layer)


def shard(model: keras.Sequential, shards: int, whole: Sequence[str]) -> bool:
    if shards == 1 or tf.config.list_physical_devices("GPU"):
        return False
    sharding.shard(model, shards, whole)
    return True


def fuse(model: keras.Sequential) -> bool:
    return adam.fuse(model)


@contextlib.contextmanager
def as_written(model: keras.Sequential, changed: Mapping[str, Recurrence]) -> Iterator[None]:
    faster = [each for each in (model, model.optimizer, *model.layers) if type(each) in _FASTER]
    classes = [type(each) for each in faster]
    unrolled = [model.get_layer(name) for name, how in changed.items() if how == "unrolled"]
    try:
        for each in faster:
            each.__class__ = type(each).__base__
        for layer in unrolled:
            layer.unroll = False
        yield
    finally:
        for each, own in zip(faster, classes, strict=True):
            each.__class__ = own
        for layer in unrolled:
            layer.unroll = True


def evaluate(model: keras.Sequential, batches: tf.data.Dataset) -> tuple[dict[str, float], np.ndarray]:
    outputs = [found.numpy() for found in _evaluated(model, batches)]
    return _metrics(model), np.concatenate(outputs)


def measure(model: keras.Sequential, batches: tf.data.Dataset) -> dict[str, float]:
    for _ in _evaluated(model, batches):
        pass
    return _metrics(model)


def _evaluated(model: keras.Sequential, batches: tf.data.Dataset) -> Iterator[tf.Tensor]:
    """Yield the outputs for each batch, with which the metrics of a model are brought up to date."""

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        outputs = model(x, training=False)
        loss = model.compute_loss(x=x, y=y, y_pred=outputs, training=False)
        model.metrics[0].update_state(loss, sample_weight=tf.shape(x)[0])
        model.compute_metrics(x, y, outputs)
        return tf.cast(outputs, tf.float32)

    model.reset_metrics()
    for x, y in batches:
        yield step(x, y)


def _metrics(model: keras.Sequential) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}


def first_step(model: keras.Sequential, x: Any, y: Any) -> tuple[float, list[np.ndarray | None]]:
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), training=True)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    # The gradient of an embedding is an IndexedSlices.
    return float(loss), [None if each is None else np.asarray(tf.convert_to_tensor(each)) for each in gradients]


_as_it_is = tf.autograph.experimental.do_not_convert  # no Python loop to turn into a graph: 0.2 s saved


class _Column:
    """Samples or targets: a tensor in memory, or values that are read for each batch; both give the same batches."""

    def __init__(self, values: Values, dtype: str, scale: float, kind: str) -> None:
        self._values, self._dtype, self._scale = values, tf.as_dtype(dtype), scale
        self._native = values.dtype.newbyteorder("=")  # TensorFlow accepts no other byte order
        self._tensor = tf.constant(np.asarray(values).astype(self._native, copy=False)) if kind == "memory" else None

    @property
    def bytes(self) -> int:
        """The bytes of a sample, as it is gathered."""
        return int(np.prod(self._values.shape[1:], dtype=np.int64)) * self._dtype.size

    def gather(self, rows: tf.Tensor) -> tf.Tensor:
        """Return values as they are kept."""
        if self._tensor is not None:
            return tf.gather(self._tensor, rows)
        found = tf.numpy_function(self._read, [rows], tf.as_dtype(self._native), stateful=False)
        found.set_shape((None, *self._values.shape[1:]))
        return found

    def scale(self, found: tf.Tensor) -> tf.Tensor:
        """Return gathered values as a model gets them."""
        found = tf.cast(found, self._dtype)
        return found if self._scale == 1.0 else found * tf.constant(self._scale, self._dtype)

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self._values[rows]).astype(self._native, copy=False)


class InputPipeline:
    """Batches from tensors in memory, or from arrays that are read for each batch; both yield the same samples."""

    def __init__(
        self,
        x: Values,
        y: Values | None,
        scale: float,
        kind: str = "auto",
        dtype: InputDtype = "float32",
        target_scale: float = 1.0,
        weights: np.ndarray | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.samples, self._augment = len(x), augment
        # Without augmentation a batch is gathered faster than it is trained on.
        self._parallel = 2 if augment is None else max(2, cores())
        self.kind = "stream" if streams(x, kind) else "memory"
        with tf.device("CPU:0"):  # the pipeline runs on the host; the device gets whole batches
            self._x = _Column(x, dtype, scale, self.kind)
            self._y = None
            if y is not None:
                self._y = _Column(y, target_dtype(y), target_scale, "stream" if streams(y, "auto") else "memory")
            self._weights = tf.constant(weights) if weights is not None else None

    def _batch(self, rows: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return self._scaled(self._gathered(rows))

    def _gathered(self, rows: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return samples, targets unless these are the samples, and weights if there are any, as they are kept."""
        columns = [column.gather(rows) for column in (self._x, self._y) if column is not None]
        return (*columns, tf.gather(self._weights, rows)) if self._weights is not None else tuple(columns)

    def _scaled(self, gathered: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
        """Return them as a model is trained with them."""
        x, *others = gathered
        x = self._x.scale(x)
        if self._y is None:
            return (x, x, *others)
        y, *weights = others
        return (x, self._y.scale(y), *weights)

    def _augmented(self, x: tf.Tensor, key: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        if self._augment is None:
            return x
        of_step = tf.random.experimental.stateless_fold_in(key, step)
        states = tf.random.stateless_uniform((self._augment.states, 2), of_step, 0, 2**31 - 1, tf.int64)
        found: tf.Tensor = self._augment(x, states)
        return found

    def in_order(self, batch_size: int = INFERENCE_BATCH) -> tf.data.Dataset:
        size, steps = min(batch_size, self.samples), -(-self.samples // batch_size)

        @_as_it_is  # type: ignore[untyped-decorator]
        def batch(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
            rows = tf.range(step * size, tf.minimum((step + 1) * size, self.samples))
            return self._batch(rows)

        return _finite(tf.data.Dataset.range(steps).map(batch, num_parallel_calls=2, deterministic=True), steps)

    def shuffled(
        self, batch_size: int, seed: int, epoch: tf.Variable, steps: int | None = None, shuffle: bool = True
    ) -> tf.data.Dataset:
        count = -(-self.samples // batch_size) if steps is None else steps

        @_as_it_is  # type: ignore[untyped-decorator]
        def one_epoch(_: tf.Tensor) -> tf.data.Dataset:
            key, order = self._order(seed, epoch, shuffle)

            @_as_it_is  # type: ignore[untyped-decorator]
            def batch(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
                rows = order[step * batch_size : tf.minimum((step + 1) * batch_size, self.samples)]
                x, *others = self._batch(rows)
                return (self._augmented(x, key, step), *others)

            return tf.data.Dataset.range(count).map(batch, num_parallel_calls=self._parallel, deterministic=True)

        return _finite(tf.data.Dataset.from_tensors(0).flat_map(one_epoch), count)

    def _order(self, seed: int, epoch: tf.Variable, shuffle: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the key of an epoch, and its rows in their order."""
        indices = tf.range(self.samples, dtype=tf.int64)
        key = tf.stack([tf.constant(seed, tf.int64), epoch.read_value()])
        return key, tf.random.experimental.stateless_shuffle(indices, seed=key) if shuffle else indices

    def gathered_inside(self, model: keras.Sequential, batch_size: int, jit_compile: bool = False) -> Rows | None:
        if self._augment is not None:  # as much work as training, on other cores
            return None
        if self.kind != "memory" and not jit_compile:  # reading takes time, beside the steps
            return None
        most = -(-self.samples // batch_size)
        held = _FOR_GPU if tf.config.list_physical_devices("GPU") else _GATHERED
        together = batch_size * max(1, min(most, held // (batch_size * self._x.bytes)))
        train = loop.plain(model, self._scaled, batch_size)
        if jit_compile:
            train = loop.compiled(model, self._scaled, batch_size, together)

        def execution(iterator: Any) -> Mapping[str, tf.Tensor]:
            rows = iterator.get_next()

            def steps(start: tf.Tensor) -> tf.Tensor:
                with tf.device("CPU:0"):
                    gathered = self._gathered(rows[start : start + together])
                train(gathered)
                return start + together

            tf.while_loop(lambda start: start < tf.size(rows), steps, [0], parallel_iterations=1)
            return model.get_metrics_result()

        model.train_function = tf.function(execution, autograph=False)
        return partial(self._rows, batch_size)

    def _rows(
        self,
        batch_size: int,
        per_execution: int,
        seed: int,
        epoch: tf.Variable,
        steps: int | None = None,
        shuffle: bool = True,
    ) -> tf.data.Dataset:
        count = -(-self.samples // batch_size) if steps is None else steps
        most, last = per_execution * batch_size, min(self.samples, count * batch_size)

        @_as_it_is  # type: ignore[untyped-decorator]
        def one_epoch(_: tf.Tensor) -> tf.data.Dataset:
            _, order = self._order(seed, epoch, shuffle)
            of_execution = _as_it_is(lambda place: order[place * most : tf.minimum((place + 1) * most, last)])
            return tf.data.Dataset.range(count).map(of_execution)

        # Keras counts steps, and takes an element for each execution: those behind the last one are empty.
        return _finite(tf.data.Dataset.from_tensors(0).flat_map(one_epoch), count)


input_pipeline = InputPipeline


def _finite(dataset: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    # The autotune thread sleeps for 10 ms, 20 ms, 40 ms, …, and the end of an epoch waits until it wakes.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(2).with_options(options).apply(tf.data.experimental.assert_cardinality(steps))
