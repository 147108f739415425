"""Training that goes on from other weights: `train.initial_weights` and `train.freeze`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dltrain.config.catalogue.names import layer_names
from dltrain.config.checks.draft import Draft
from dltrain.config.checks.outline import Outline
from dltrain.config.document.suggest import closest, listing, rename, shown
from dltrain.errors import KeyPath, Problem

INITIAL_WEIGHTS: KeyPath = ("train", "initial_weights")
SUFFIX = ".safetensors"
_FREEZE: KeyPath = ("train", "freeze")
_MOST_LOOKED_AT = 1_000  # names in a directory
_TAKES = "give a run (`latest`, its id, its directory) or a `.safetensors` file"


def is_path(source: str) -> bool:
    """Return whether `train.initial_weights` is a path; other texts are a reference to a run, such as `latest`."""
    return source.endswith(SUFFIX) or os.sep in source or source.startswith("~")


def check_transfer(draft: Draft, outline: Outline, files: bool) -> Iterator[Problem]:
    """Yield what is wrong with the source of weights and with frozen layers.

    Args:
        draft: the valid parts of a config.
        outline: its layers.
        files: whether to look for the source on the disk.
    """
    source = draft.initial_weights
    if files and source is not None and is_path(source) and (problem := _missing(draft, Path(source))) is not None:
        yield problem
    yield from _check_freeze(draft, outline)


def _missing(draft: Draft, path: Path) -> Problem | None:
    def wrong(message: str, hint: str) -> Problem:
        return draft.tell("initial-weights", message, INITIAL_WEIGHTS, hint)

    try:
        if path.suffix == SUFFIX:
            return None if path.is_file() else wrong(f"no such file: {path}", _near(path))
        if (path / "run.json").is_file():
            return None
        if path.is_file():
            hint = f"{_TAKES}: other files of weights may hold code"
            return wrong(f"{path} is neither a run nor a `.safetensors` file", hint)
        return wrong(
            f"no run in {path}", f"{_TAKES}; paths are relative to this file" if path.is_dir() else _near(path)
        )
    except (OSError, ValueError):
        return wrong(f"not a path: {shown(str(path))}", _TAKES)


def _near(path: Path) -> str:
    try:
        near = closest(path.name, [entry.name for entry in islice(path.parent.iterdir(), _MOST_LOOKED_AT)])
    except OSError:
        return f"there is no directory {path.parent}; paths are relative to this file"
    return f"did you mean {path.parent / near}?" if near else f"{_TAKES}; paths are relative to this file"


def _check_freeze(draft: Draft, outline: Outline) -> Iterator[Problem]:
    if not draft.freeze or not draft.whole:
        return
    names = layer_names([placed.object for placed in draft.layers])
    idle = {row.name for row in outline.rows if not row.after.parameters}
    for index, name in enumerate(draft.freeze):
        path = (*_FREEZE, index)
        if name in draft.freeze[:index]:
            yield draft.tell("freeze", f"`{name}` is frozen twice", path, "remove one", "warning")
        elif name not in names:
            fix = rename(name, names) or f"layers here: {listing(names, 30)}"
            yield draft.tell("freeze", f"no layer is named {shown(name)}", path, fix)
        elif name in idle:
            message = f"`{name}` has no weights, and works as it does without `freeze`"
            yield draft.tell("freeze", message, path, "remove it", "warning")
    if draft.initial_weights is None and set(draft.freeze) - idle:
        message = "frozen layers keep the weights that they begin with, which are random here"
        yield draft.tell(
            "freeze", message, _FREEZE, "write `initial_weights: latest` beside it, or another run", "warning"
        )
