"""What is chosen so that a training is fast: steps of one call, threads of an operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain import data
from dltrain.config import Plan
from dltrain.engine import backends

_SLOW_PROCESSOR = 30e9  # operations a second, in training
_LONGEST_CALL = 0.5  # seconds
_MOST_THREADS = 1_024
# In an epoch. To trace a row of steps takes some seconds more; it wins them back over 30,000 to 40,000 samples.
_WORTH_UNROLLING = 5_000
# The arguments with which an LSTM is split.
_SPLIT = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "go_backwards": False,
    "unroll": False,
}


def steps_of(plan: Plan, samples: int) -> tuple[int, int, int]:
    """(samples in a batch, batches in an epoch, batches in one call of the backend)."""
    train = plan.spec.train
    batch_size = samples if train.batch_size == "full" else min(train.batch_size, samples)
    steps = -(-samples // batch_size)
    at_once = _at_once(plan, batch_size) if train.steps_per_execution == "auto" else train.steps_per_execution
    return batch_size, steps, min(at_once, steps)


def _at_once(plan: Plan, batch_size: int) -> int:
    """As many steps as take, by a count of operations on a slow processor, at most half a second.

    So long nothing moves on the screen, and so long Ctrl-C waits.
    """
    counts = [row.after.multiply_adds for row in plan.checked.outline.rows]
    if not counts or None in counts:
        return 1
    seconds = 6 * sum(filter(None, counts)) * batch_size / _SLOW_PROCESSOR
    return max(1, min(backends.current().AUTO_STEPS_PER_EXECUTION, int(_LONGEST_CALL / max(seconds, 1e-9))))


def unrolls(plan: Plan, samples: int) -> bool:
    """Whether recurrent layers become rows of steps, in a training of so many samples an epoch.

    It does not hang on the number of epochs, so that an extended run goes on in the same bits.
    """
    kind = plan.spec.runtime.recurrent
    return kind == "unroll" or (kind == "auto" and not plan.smoke and samples >= _WORTH_UNROLLING)


def threads_for(plan: Plan, dataset: data.Dataset) -> int:
    """Half of the cores where most of the work is done in two rows side by side, as by `SplitLSTM`; else 0: all.

    With all of them the rows take each other's threads, and some processes run at half the speed.
    """
    wanted = backends.owns_process and unrolls(plan, len(dataset.train.x))
    return max(1, backends.cores() // 2) if wanted and _is_mostly_split(plan, dataset.shape) else 0


def _is_mostly_split(plan: Plan, shape: Sequence[int | None]) -> bool:
    """Whether at least half of the multiply-adds are those of LSTMs that will be split, as far as a spec tells."""
    split = whole = 0
    for layer, row in zip(plan.spec.model.layers, plan.checked.outline.rows, strict=False):
        count = row.after.multiply_adds or 0
        whole += count
        short = len(shape) == 2 and shape[0] is not None and 1 < shape[0] <= backends.LONGEST
        if short and layer.name == "LSTM" and all(layer.arguments.get(key) == value for key, value in _SPLIT.items()):
            split += count
        shape = row.after.shape
    return 0 < whole <= 2 * split


def recorded_threads(record: Mapping[str, Any]) -> int:
    """Those that an operation of a run had."""
    runtime = record.get("runtime")
    threads = runtime.get("threads") if isinstance(runtime, dict) else 0
    return threads if type(threads) is int and 0 < threads <= _MOST_THREADS else 0
