"""How the cores of a CPU are used: a batch in shards side by side, with a share of the threads each; oneDNN."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dltrain.config.catalogue import entries
from dltrain.config.schema import KerasObject
from dltrain.engine import backends
from dltrain.engine.model.speed import (
    LARGE_STEP,
    MOST_SHARDS_OF_UNROLLED,
    along_sequences,
    compiles,
    count_steps,
    samples_of,
    speeds_up_recurrence,
    wrapped,
)
from dltrain.engine.session import Cores

if TYPE_CHECKING:
    import keras

    from dltrain.config import Plan
    from dltrain.data.facts import Facts

_LEAST_SAMPLES = 8  # of a shard
_MOST_SHARDS = 16  # each has operations of its own, which take time to trace
_WORTH_TRACING = 2e10  # operations of an epoch


def choose_cores(plan: Plan, facts: Facts, owns_process: bool) -> Cores:
    """Choose how cores are used, by the work of a step.

    Threads and oneDNN hold for the rest of the process, and follow if `owns_process`.
    """
    shards = _choose_shards(plan, facts)
    threads = max(1, backends.cores() // shards) if owns_process and shards > 1 else 0
    return Cores(shards, threads, True if owns_process and _gains_from_onednn(plan, facts) else None)


def _gains_from_onednn(plan: Plan, facts: Facts) -> bool:
    """Return whether large steps are convolutions of images, for the most part.

    TensorFlow leaves oneDNN off on processors without the newest instructions, where it is faster for these too.
    """
    spec, rows, samples = plan.spec, plan.checked.outline.rows, samples_of(plan, facts)
    if spec.runtime.backend != "tensorflow" or spec.train.precision != "float32" or platform.machine() != "x86_64":
        return False
    if plan.smoke or samples < 1:
        return False
    macs = sum(row.after.macs for row in rows)
    images = sum(row.after.macs for row in rows if row.kind == "Conv2D")
    return 2 * images > macs and 6 * count_steps(plan, samples).batch_size * macs >= LARGE_STEP


def _choose_shards(plan: Plan, facts: Facts) -> int:
    chosen = plan.spec.runtime.shards
    if chosen != "auto":
        return chosen
    samples, outline = samples_of(plan, facts), plan.checked.outline
    if outline.shape is None or samples < 1 or compiles(plan, facts):
        return 1
    batch = count_steps(plan, samples).batch_size
    macs = sum(row.after.macs for row in outline.rows)
    along = list(along_sequences(plan, speeds_up_recurrence(plan, facts)))
    apart = all(keeps_samples_apart(row.placed.object, len(row.before)) for row in outline.rows)
    worth = 6 * batch * macs >= LARGE_STEP and 6 * samples * macs >= _WORTH_TRACING
    # A short step of a loop takes as long for a shard as for the batch.
    if not apart or not worth or any(not how and 6 * batch * each < LARGE_STEP for each, how in along):
        return 1
    most = MOST_SHARDS_OF_UNROLLED if any(how for _, how in along) else _MOST_SHARDS
    return min(backends.cores(), max(1, batch // _LEAST_SAMPLES), most)


def mixing(plan: Plan, model: keras.Sequential) -> Iterator[str]:
    """Yield the names of a built model's layers that have to get a batch as a whole."""
    shape = model.input_shape
    for layer, built in zip(plan.spec.model.layers, model.layers, strict=True):
        if not keeps_samples_apart(layer, len(shape) - 1):
            yield built.name
        shape = built.output.shape


def keeps_samples_apart(layer: KerasObject, axes: int) -> bool:
    """Return whether a layer gives the same for a batch and for its parts.

    Args:
        layer: with its arguments.
        axes: of one of its input samples.
    """
    entry = entries.find("layer", layer.name)
    if entry is None or entry.traits.get("mixes_batch") or entry.traits.get("updates"):
        return False
    given: Mapping[str, Any] = layer.arguments
    if given.get("activity_regularizer") or given.get("l1") or given.get("l2"):
        return False  # divided by the samples of a batch
    if (given.get("noise_shape") or [None])[0] is not None:
        return False
    axis = given.get("axis", -1)
    if any(each in (0, -axes - 1) for each in (axis if isinstance(axis, list) else [axis])):
        return False
    if layer.name == "EinsumDense" and not _keeps_first_letter(str(given.get("equation"))):
        return False
    of_inside = axes - (layer.name == "TimeDistributed")
    return all(keeps_samples_apart(each, of_inside) for each in wrapped(layer))


def _keeps_first_letter(equation: str) -> bool:
    inputs, _, output = equation.replace(" ", "").partition("->")
    first = inputs.partition(",")[0]
    return first[:1] == output[:1] and first[:1] not in inputs.partition(",")[2]
