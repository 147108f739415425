"""The sheet of an evaluation: what the outputs of a model say beside the targets of a split."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dltrain.data.arrays import Array, Dataset
from dltrain.data.learnt.scaling import unscaled
from dltrain.engine.inputs import SplitName, split_of
from dltrain.engine.model.labels import classes_of, probabilities
from dltrain.metrics.classes import ClassSheet, class_sheet
from dltrain.metrics.flags import FlagSheet, flag_sheet
from dltrain.metrics.numbers import NumberSheet, array_sheet, errors_by_step, number_sheet

Sheet = ClassSheet | FlagSheet | NumberSheet
_CHUNK = 2**22  # numbers
_MOST_BY_STEP = 2e8  # numbers of targets that are taken apart by their steps
_MOST_GUESSED = 5e7  # numbers of the training split of which the median is taken


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a model says of a split.

    Args:
        values: float32 of shape (samples, *output shape), as the model gives them.
        boundary: value of a single output above which the answer is yes.
        from_logits: whether they are logits, of which the loss makes probabilities.
        probabilities: whether that is what they are then.
    """

    values: np.ndarray
    boundary: float
    from_logits: bool
    probabilities: bool

    def scores(self, several: bool) -> np.ndarray:
        """Return what each class gets, of shape (samples, …, classes), or each label; probabilities of logits."""
        values, single = self.values, self.values.shape[-1] == 1
        sure = 0.5 if self.from_logits else self.boundary
        if self.from_logits:
            values = probabilities(values, sigmoid=several or single)
        return np.concatenate([2 * sure - values, values], axis=-1) if single and not several else values


def sheet_of(dataset: Dataset, name: SplitName, outputs: Outputs, precision: float, seed: int) -> Sheet | None:
    """Judge the outputs of a model.

    Args:
        dataset: that of the run.
        name: of the split.
        outputs: of the model for that split.
        precision: that a threshold is to have.
        seed: of the bootstrap.
    """
    split, facts = split_of(dataset, name), dataset.facts
    if facts.targets == "classes":
        labels = np.asarray(split.y)
        scores = outputs.scores(several=False)
        kind = {"probabilities": outputs.probabilities, "precision": precision, "seed": seed}
        return class_sheet(labels, classes_of(outputs.values, outputs.boundary), scores, facts.labels, **kind)  # type: ignore[arg-type]
    if facts.targets == "flags":
        flags, predicted = np.asarray(split.y) > 0, outputs.values > outputs.boundary
        kind = {"probabilities": outputs.probabilities, "precision": precision, "seed": seed}
        return flag_sheet(flags, predicted, outputs.scores(several=True), facts.labels, **kind)  # type: ignore[arg-type]
    baselines = dict(dataset.baselines(name)) if dataset.baselines is not None else {}
    if split.y is None:
        return _arrays(split.x, outputs.values, dataset, seed, dataset.scale)
    if len(facts.target_shape) != 1:
        return _arrays(split.y, outputs.values, dataset, seed, dataset.target_scale)
    truth, guess = (unscaled(np.asarray(each), facts.target_scales) for each in (split.y, outputs.values))
    steps = next((each.shape[1] for each in baselines.values()), 0)
    names = facts.target_names
    guesses = _constants(dataset)
    found = number_sheet(truth, guess.reshape(truth.shape), names, centre=guesses[0], median=guesses[1], seed=seed)
    if not steps:
        return found
    shape = (len(truth), steps, -1)
    by_step, over_all = errors_by_step(truth.reshape(shape), guess.reshape(shape), baselines)
    return replace(found, by_step=by_step, baselines=over_all)


def _constants(dataset: Dataset) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return mean and median of the numbers of the training split, in their units."""
    y = dataset.train.y
    if y is None or np.prod(y.shape, dtype=np.float64) > _MOST_GUESSED:
        return None, None
    numbers = unscaled(np.asarray(y), dataset.facts.target_scales).astype(np.float64)
    return np.nanmean(numbers, axis=0), np.nanmedian(numbers, axis=0)


def _arrays(targets: Array, outputs: np.ndarray, dataset: Dataset, seed: int, scale: float) -> NumberSheet:
    """Judge arrays a few samples at a time: they may be large."""
    count = max(1, int(np.prod(outputs.shape[1:], dtype=np.int64)))
    absolute, squared = (np.empty(len(outputs)) for _ in range(2))
    scales = dataset.facts.target_scales
    for start in range(0, len(outputs), max(1, _CHUNK // count)):
        rows = slice(start, start + max(1, _CHUNK // count))
        errors = _truth(targets[rows], scale, scales) - unscaled(outputs[rows], scales).astype(np.float64)
        errors = errors.reshape(len(errors), -1)
        absolute[rows], squared[rows] = np.nanmean(np.abs(errors), axis=1), np.nanmean(errors**2, axis=1)
    found = array_sheet(absolute, squared, seed)
    if outputs.ndim != 3 or outputs.size > _MOST_BY_STEP:
        return found
    truth = _truth(targets[:], scale, scales).astype(np.float32)
    return replace(found, by_step=errors_by_step(truth, unscaled(outputs, scales), {})[0])


def _truth(targets: np.ndarray, scale: float, scales: tuple[object, ...]) -> np.ndarray:
    found = np.asarray(targets, np.float64) * scale
    return unscaled(found, scales) if scales else found  # type: ignore[arg-type]
