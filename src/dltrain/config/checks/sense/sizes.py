"""How much memory a model takes, before anything is built: what could never fit is refused."""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterator
from pathlib import Path

from dltrain.config.catalogue import entries
from dltrain.config.checks.draft import Draft, kind_of
from dltrain.config.checks.outline import Outline, Row
from dltrain.errors import Problem, Severity

_BYTES = 4  # of a float32
# Servers for training have at least half of their devices' memory as main memory, mostly more.
_NEVER = 4


def parameters(outline: Outline) -> int:
    return sum(row.after.parameters for row in outline.rows)


def training_bytes(draft: Draft, outline: Outline) -> int:
    """Least memory of a training step, in bytes: weights, gradients, the optimizer's numbers, one batch's outputs.

    4 bytes a number; `weights + trainable * (1 + slots) + batch * outputs`, where the outputs of all layers wait
    for the backward pass.
    """
    weights = parameters(outline)
    trainable = sum(row.after.trainable for row in outline.rows)
    slots = entries.trait("optimizer", kind_of("optimizer", draft.optimizer), "slots") or 0
    return _BYTES * (weights + trainable * (1 + slots) + (draft.batch or 1) * _outputs(outline.rows))


def _outputs(rows: tuple[Row, ...]) -> int:
    return sum(math.prod(row.after.shape) for row in rows)


def check_sizes(draft: Draft, outline: Outline) -> Iterator[Problem]:
    """Holds the estimate against the memory of this machine."""
    here = machine_bytes()
    need = training_bytes(draft, outline)
    if not outline.rows or here is None or need <= here:
        return
    weighty = max(outline.rows, key=lambda row: row.after.parameters)
    wide = max(outline.rows, key=lambda row: math.prod(row.after.shape))
    by_weights = weighty.after.parameters * 2 >= math.prod(wide.after.shape) * (draft.batch or 1)
    row = weighty if by_weights else wide
    what = (
        f"{row} has {row.after.parameters:,} weights"
        if by_weights
        else f"{row} outputs {math.prod(row.after.shape):,} numbers per sample, {draft.batch or 1:,} samples at a time"
    )
    message = f"{what}: training needs at least {size(need)} of memory; this machine has {size(here)}"
    key = next((key for key in ("units", "filters", "output_dim") if key in row.placed.object.arguments), "")
    path = row.placed.argument_path(key) if key else row.placed.path
    hint = f"write a smaller `{key}`" if key else "make the layers before it smaller"
    if not by_weights and (draft.batch or 1) > 1 and need / (draft.batch or 1) < here:
        hint, path = "write a smaller `batch_size`", ("train", "batch_size")
    severity: Severity = "error" if need > _NEVER * here else "warning"
    yield draft.tell("memory", message, path, hint, severity)


def machine_bytes() -> int | None:
    """Main memory that this process may use: that of the machine, its container or `ulimit`, whichever is least."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    total = min([total, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return total


def size(count: int) -> str:
    """Bytes as people read them: `31.4 TiB`."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.0f} PiB"
