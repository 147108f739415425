"""How a batch is divided among the cores of a CPU: in shards side by side, with a share of the threads each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.kinds import section_of
from dltrain.config.schema import KerasObject
from dltrain.engine import backends
from dltrain.engine.model.speed import LARGE_STEP, compiles, count_steps, samples_of, speeds_up_recurrence
from dltrain.engine.session import Cores

if TYPE_CHECKING:
    import keras

    from dltrain.config import Plan
    from dltrain.data.facts import Facts

_LEAST_SAMPLES = 8  # of a shard
_MOST_SHARDS = 16  # each has operations of its own, which take time to trace
_MOST_OF_UNROLLED = 2  # a hundred times as many
_WORTH_TRACING = 2e10  # operations of an epoch


def choose_cores(plan: Plan, facts: Facts, owns_process: bool) -> Cores:
    """Choose shards by the work of a step; threads hold for the rest of the process, and follow if `owns_process`."""
    shards = _choose_shards(plan, facts)
    return Cores(shards, max(1, backends.cores() // shards) if owns_process and shards > 1 else 0)


def _choose_shards(plan: Plan, facts: Facts) -> int:
    chosen = plan.spec.runtime.shards
    if chosen != "auto":
        return chosen
    samples, outline = samples_of(plan, facts), plan.checked.outline
    if outline.shape is None or samples < 1 or compiles(plan, facts):
        return 1
    batch = count_steps(plan, samples).batch_size
    macs = sum(row.after.macs for row in outline.rows)
    apart = all(keeps_samples_apart(row.placed.object, len(row.before)) for row in outline.rows)
    worth = apart and 6 * batch * macs >= LARGE_STEP and 6 * samples * macs >= _WORTH_TRACING
    most = _MOST_OF_UNROLLED if speeds_up_recurrence(plan, facts) and _is_recurrent(plan) else _MOST_SHARDS
    return min(backends.cores(), max(1, batch // _LEAST_SAMPLES), most) if worth else 1


def _is_recurrent(plan: Plan) -> bool:
    return any(entries.trait("layer", layer.name, "recurrent") for layer in plan.spec.model.layers)


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
    inside = (value for key, value in given.items() if value and section_of(entry.arguments[key]) == "layer")
    of_inside = axes - (layer.name == "TimeDistributed")
    return all(
        keeps_samples_apart(KerasObject.model_validate(each), of_inside) for value in inside for each in _each(value)
    )


def _keeps_first_letter(equation: str) -> bool:
    inputs, _, output = equation.replace(" ", "").partition("->")
    first = inputs.partition(",")[0]
    return first[:1] == output[:1] and first[:1] not in inputs.partition(",")[2]


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
