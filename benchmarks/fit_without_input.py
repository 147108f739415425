"""`dltrain fit` on the first batch again and again: how long an epoch takes without a wait for input.

Takes the arguments of `dltrain fit`.
"""

from __future__ import annotations

import sys
from typing import Any

from dltrain.__main__ import main
from dltrain.engine.backends import choose

choose("tensorflow", owns_process=True)

import tensorflow as tf  # noqa: E402

from dltrain.engine.backends.tensorflow import InputPipeline  # noqa: E402
from dltrain.engine.training.job import Job  # noqa: E402

gathered, given = InputPipeline._batch, Job.training_input


def first_rows(self: InputPipeline, rows: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return the first samples, which stay in the cache of the processor, without a gather."""
    if self.kind == "stream":
        return gathered(self, rows)
    columns: list[Any] = [column for column in (self._x, self._y) if column is not None]
    parts = [tf.cast(column._tensor[: tf.size(rows)], column._dtype) for column in columns]
    scaled = [part * column._scale if column._scale != 1 else part for part, column in zip(parts, columns, strict=True)]
    return (*scaled, *((scaled[0],) if self._y is None else ()))


def first_batch(self: Job, epoch: Any, steps: int | None = None) -> Any:
    """Return as many batches as an epoch has, all of them the first, where batches are made beside the steps."""
    batches: Any = given(self, epoch, steps)
    if self.rows is not None:
        return batches
    steps = int(batches.cardinality())
    options = tf.data.Options()
    options.autotune.enabled = False
    repeated = batches.take(1).cache().repeat(steps).prefetch(2).with_options(options)
    return repeated.apply(tf.data.experimental.assert_cardinality(steps))


InputPipeline._batch = first_rows  # type: ignore[method-assign]
Job.training_input = first_batch  # type: ignore[method-assign]
sys.argv.insert(1, "fit")
main()
