"""The splits of a config's data set, and the input pipeline of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dltrain.config.catalogue.datasets import input_dtype
from dltrain.data.arrays import Dataset, Rows, Split, is_mapped
from dltrain.data.loading import load
from dltrain.data.progress import Watch, watched
from dltrain.engine.backends.backend import LARGEST_COPY
from dltrain.engine.events import Listener, Noted, Phase, Warned, ignore
from dltrain.engine.model.labels import encode
from dltrain.errors import Problem, UsageError

if TYPE_CHECKING:
    from dltrain.config import Spec
    from dltrain.config.catalogue.labels import LabelEncoding
    from dltrain.engine.backends.backend import Augment, Backend, InputPipeline

SplitName = Literal["test", "validation", "train"]


def load_data(
    spec: Spec,
    on_event: Listener = ignore,
    check: Callable[[], None] = lambda: None,
    learnt: Mapping[str, Any] | None = None,
    told: Collection[str] = (),
) -> Dataset:
    """Load the splits that a config describes; what reading them has found is told.

    Args:
        spec: the config.
        on_event: called with each event of `engine.events`.
        check: called now and then, and may raise an exception.
        learnt: what a run has learnt from its training split; None to learn it.
        told: messages that the user has got already.

    Raises:
        DataError: the data cannot be read.
    """
    on_event(Phase("loading data"))
    section = spec.data

    with watched(phases(on_event, check)):
        dataset = load(
            section.dataset.name,
            section.dataset.arguments,
            task=None if section.task == "auto" else section.task,
            validation=section.validation,
            test=section.test,
            limit_train=section.limit.train,
            limit_test=section.limit.test,
            seed=spec.seed,
            learnt=learnt,
        )
    notes = [note for note in dataset.notes if note not in told]
    if notes:
        on_event(Warned([Problem("files", note, ("data", "dataset"), severity="warning") for note in notes]))
    for remark in dataset.remarks:
        on_event(Noted(remark))
    return dataset


def phases(on_event: Listener, check: Callable[[], None] = lambda: None) -> Watch:
    """Return what tells how far reading has come, as events, after `check`."""

    def watch(what: str, done: int, total: int, unit: str) -> None:
        check()
        on_event(Phase(f"{what}: {done:,} of {total:,}{f' {unit}' if unit else ''}"))

    return watch


def split_of(dataset: Dataset, name: SplitName) -> Split:
    """Return a split by name. Raises UsageError if there is no such split."""
    split = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}[name]
    if split is None:
        raise UsageError(f"there is no {name} split", "`data.validation` holds samples out")
    return split


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The input pipelines of a training; no validation where nothing is held out."""

    train: InputPipeline
    validation: InputPipeline | None
    test: InputPipeline


def pipelines_of(
    dataset: Dataset, encoding: LabelEncoding, spec: Spec, backend: Backend, augment: Augment | None = None
) -> Pipelines:
    """The input pipeline of every split, labels encoded as the loss takes them; `augment` is for training alone."""
    return Pipelines(
        _training_pipeline(dataset, encoding, spec, backend, augment),
        pipeline_of(dataset, "validation", encoding, spec, backend) if dataset.validation is not None else None,
        pipeline_of(dataset, "test", encoding, spec, backend),
    )


def pipeline_of(
    dataset: Dataset, name: SplitName, encoding: LabelEncoding, spec: Spec, backend: Backend
) -> InputPipeline:
    """Return the input pipeline of a split, with labels in the given encoding; its samples weigh alike."""
    split = split_of(dataset, name)
    targets = encode(split.y, encoding, dataset.facts.classes)
    dtype = input_dtype(dataset.facts, spec.model.layers)
    return backend.input_pipeline(split.x, targets, dataset.scale, spec.runtime.feed, dtype, dataset.target_scale)


def _training_pipeline(
    dataset: Dataset, encoding: LabelEncoding, spec: Spec, backend: Backend, augment: Augment | None
) -> InputPipeline:
    """Return the input pipeline of the training: with weights, augmented, and rare classes again and again."""
    x, y, weights = dataset.train.x, dataset.train.y, sample_weights(dataset, spec.train.class_weight)
    if spec.train.oversample:
        rows = oversampled(np.asarray(y))
        grown = x.nbytes // max(1, len(x)) * len(rows)
        x = Rows(x, rows) if grown > LARGEST_COPY or not isinstance(x, np.ndarray) or is_mapped(x) else x[rows]
        y, weights = np.asarray(y)[rows], weights[rows] if weights is not None else None
    targets = encode(y, encoding, dataset.facts.classes)
    dtype = input_dtype(dataset.facts, spec.model.layers)
    scales, feed = (dataset.scale, dataset.target_scale), spec.runtime.feed
    return backend.input_pipeline(x, targets, scales[0], feed, dtype, scales[1], weights, augment)


def training_samples(dataset: Dataset, spec: Spec) -> int:
    """Return how many samples an epoch of the training has."""
    return len(oversampled(np.asarray(dataset.train.y))) if spec.train.oversample else len(dataset.train)


def oversampled(labels: np.ndarray) -> np.ndarray:
    """Return positions with which every class has as many samples as the largest: each of its own in turn.

    `labels` has shape (samples,); the result is sorted.
    """
    classes, counts = np.unique(labels, return_counts=True)
    members = (np.flatnonzero(labels == label) for label in classes)
    return np.sort(np.concatenate([np.resize(rows, counts.max()) for rows in members]))


def sample_weights(dataset: Dataset, chosen: Mapping[str, float] | str | None) -> np.ndarray | None:
    """Return what each training sample counts in the loss, by its class and its own.

    float32 of shape (samples, …) with as many axes as Keras's losses have values, and a single place where all steps or
    pixels of a sample count alike: Keras would take weights of the shape (samples,) for those of the last axis.
    """
    weights, own = class_weights(dataset, chosen), dataset.train.weight
    if own is not None:
        steps = len(dataset.facts.target_shape) - (dataset.facts.targets != "classes")
        own = own.reshape(-1, *(1,) * steps)
    if weights is None:
        return own
    of_class: np.ndarray = weights[np.asarray(dataset.train.y)]
    return of_class if own is None else of_class * own


def class_weights(dataset: Dataset, chosen: Mapping[str, float] | str | None) -> np.ndarray | None:
    """Return what a sample of each class counts in the loss of the training, float32 of shape (classes,).

    `balanced` is samples / (classes * samples of the class), so that all classes count alike and the mean over the
    samples is 1. Source: G. King and L. Zeng, "Logistic Regression in Rare Events Data", 2001.
    """
    if chosen is None or dataset.facts.class_names is None:
        return None
    names = dataset.facts.class_names
    if isinstance(chosen, Mapping):
        return np.array([chosen.get(name, 1.0) for name in names], np.float32)
    counts = np.bincount(np.asarray(dataset.train.y), minlength=len(names))
    return (len(dataset.train) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)


def first_samples(dataset: Dataset, encoding: LabelEncoding, spec: Spec, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first training samples and their targets, as the model and its loss take them."""
    x = np.asarray(dataset.train.x[:count]).astype(input_dtype(dataset.facts, spec.model.layers))
    x = x if dataset.scale == 1.0 else x * np.float32(dataset.scale)
    if dataset.train.y is None:
        return x, x
    y = np.asarray(encode(np.asarray(dataset.train.y[:count]), encoding, dataset.facts.classes))
    if y.dtype == np.int64:
        return x, y
    return x, y.astype(np.float32) * np.float32(dataset.target_scale)
