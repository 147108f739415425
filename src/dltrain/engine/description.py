"""A config -> what the model gets of its data, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.calls import flag_of, listener_of, path_of
from dltrain.config import Plan, load
from dltrain.data.overview.moments import Values
from dltrain.data.overview.pictures import is_image, samples_of, write
from dltrain.data.overview.summary import Sample, Summary, summary_of
from dltrain.data.progress import watched
from dltrain.engine.events import Listener, Phase, Warned, ignore
from dltrain.engine.inputs import load_data, phases
from dltrain.engine.session import open_session
from dltrain.errors import Problem

__all__ = ["Sample", "Summary", "Values", "describe_data"]

_TIMES = 4  # that each sample is augmented


def describe_data(
    config: Path | str | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    pictures: Path | str | None = None,
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Summary:
    """Describe the data that the model of a config gets; only to draw augmented images is its backend started.

    Args:
        config: the YAML file, or what it would contain; then paths in it are relative to the working directory.
        overrides: `key.path=value` strings, or a mapping from key paths to values.
        pictures: a directory for PNG files of samples, also as `data.augment` changes them, targets and features.
        owns_process: whether the process exits afterwards, as a command does.
        on_event: called with each event of `engine.events`; what is probably a mistake comes as `Warned`.

    Raises:
        UsageError: no such config, or pictures cannot be written there.
        ConfigError: the config is invalid, or Keras refuses a layer of `data.augment`.
        DataError: the data cannot be read.
    """
    directory = path_of(pictures, "`pictures`") if pictures is not None else None
    listener_of(on_event)
    flag_of(owns_process, "`owns_process`")
    plan = load(config, overrides)
    if plan.checked.warnings:
        on_event(Warned(plan.checked.warnings))
    dataset = load_data(plan.spec, on_event, told=plan.checked.told)
    with watched(phases(on_event)):
        summary = summary_of(dataset)
    if summary.warnings:
        on_event(Warned([_warning(message, hint) for message, hint in summary.warnings]))
    if directory is not None:
        augmented = None
        if plan.spec.data.augment and is_image(dataset):
            augmented = _augmented(plan, samples_of(dataset), owns_process, on_event)
        on_event(Phase("drawing"))
        write(dataset, summary, directory, augmented)
    return summary


def _augmented(plan: Plan, samples: np.ndarray, owns_process: bool, on_event: Listener) -> np.ndarray:
    """Return samples of shape (samples, …) as `data.augment` changes them, several times: (times, samples, …)."""
    with open_session(plan.spec, owns_process=owns_process, on_event=on_event):
        from dltrain.engine.model.augmentation import build_augmentation

        augment = build_augmentation(plan, samples)
        times: list[np.ndarray] = []
        while augment is not None and len(times) < _TIMES:
            seeds = np.random.SeedSequence([plan.spec.seed, 0, len(times)])
            states = seeds.generate_state(2 * augment.states).reshape(-1, 2) >> 1
            times.append(np.asarray(augment(samples, states.astype(np.int64))))
        return np.array(times)


def _warning(message: str, hint: str) -> Problem:
    return Problem("samples", message, ("data", "dataset"), fix=hint, severity="warning")
