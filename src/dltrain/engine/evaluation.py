"""Evaluation of a run's model on a split: metrics, confusion matrix, predictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dltrain import runs
from dltrain.calls import flag_of, listener_of
from dltrain.config import parse_bound
from dltrain.data.arrays import Dataset
from dltrain.data.learnt.scaling import unscaled
from dltrain.engine.events import Listener, Phase, ignore
from dltrain.engine.inputs import SplitName, load_data, pipeline_of, split_of
from dltrain.engine.model.labels import classes_of
from dltrain.engine.session import Session
from dltrain.engine.trained import learnt_of, open_run, restored
from dltrain.errors import DltrainError, ExpectationFailed, RunError, UsageError

if TYPE_CHECKING:
    from dltrain.engine.backends.backend import InputPipeline
    from dltrain.engine.model.build import BuiltModel

_LARGEST_MATRIX = 1_000  # classes
_PREFIX: dict[SplitName, str] = {"test": "test_", "validation": "val_", "train": ""}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics, under Keras's names, on the `samples` of one split of a run's data."""

    run: str
    split: SplitName
    samples: int
    metrics: Mapping[str, float]


def evaluate(
    run: runs.Run | Path | str,
    split: SplitName = "test",
    *,
    runs_dir: Path | str = "runs",
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Evaluation:
    """Evaluate a run's best weights on a split of its data, and write `eval/` of the run.

    Args:
        run: the run, its directory, or a reference to it.
        split: the split of the run's data.
        runs_dir: directory in which runs are looked up.
        owns_process: whether the process exits afterwards, as a command does.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, or no such split.
        RunError: the run has no checkpoint, is damaged, or its config or data has changed since.
        ExpectationFailed: evaluated and recorded, but a bound under `expect` on this split does not hold.
    """
    listener_of(on_event)
    flag_of(owns_process, "`owns_process`")
    if not isinstance(split, str) or split not in _PREFIX:
        raise UsageError(f"there is no split {split!r}", f"one of {', '.join(_PREFIX)}")
    opened = open_run(run, runs_dir=runs_dir)
    spec = opened.plan.spec
    dataset = load_data(spec, on_event, learnt=learnt_of(opened))
    if split == "validation" and dataset.validation is None:
        raise UsageError(
            f"the run {opened.run.id} holds out no validation samples", "`data.validation` is 0 in its config"
        )
    if dataset.fingerprint != opened.record.data.fingerprint or dataset.facts.labels != opened.facts.labels:
        raise RunError(f"the data set `{dataset.name}` is no longer the one that {opened.run.id} was trained on")
    with restored(opened, owns_process=owns_process, on_event=on_event) as trained:
        on_event(Phase("evaluating"))
        inputs = pipeline_of(dataset, split, trained.built.encoding, spec, trained.session.backend)
        evaluation = evaluate_model(dataset, trained.built, trained.session, inputs, opened.run, split)
        del trained, inputs  # the session frees what nothing names
    measured = {f"{_PREFIX[split]}{name}": value for name, value in evaluation.metrics.items()}
    bounds = {name: bound for name, bound in spec.expect.items() if name in measured}
    if failed := failed_bounds(bounds, measured):
        raise ExpectationFailed("; ".join(failed))
    return evaluation


def evaluate_model(
    dataset: Dataset,
    built: BuiltModel,
    session: Session,
    inputs: InputPipeline,
    run: runs.Run,
    split: SplitName,
) -> Evaluation:
    """Evaluate a compiled model and write `eval/` of the run: `<split>.json`, and for the test split
    `confusion.csv` and `predictions.csv`; for the others, file names start with the split. Outputs that are arrays,
    such as images, are written as `predictions.npy`.

    Raises:
        DltrainError: Keras refuses the split, or it does not fit into memory.
    """
    from dltrain.engine.model.blame import guarded
    from dltrain.engine.model.construct import Refused

    try:
        metrics, outputs = guarded(session, session.backend.evaluate, built.model, inputs.in_order())
    except Refused as refusal:
        raise DltrainError(f"the model cannot be evaluated on the split {split}: {refusal}") from refusal
    targets, facts = split_of(dataset, split).y, dataset.facts
    prefix = "" if split == "test" else f"{split}-"
    run.write_json(f"eval/{split}.json", {"run": run.id, "split": split, "samples": inputs.samples, "metrics": metrics})
    if facts.targets == "classes":
        labels, predicted = np.asarray(targets), classes_of(outputs, built.boundary)
        run.write_text(f"eval/{prefix}confusion.csv", _confusion(labels, predicted, facts.labels))
        run.write_text(f"eval/{prefix}predictions.csv", _class_predictions(labels, predicted, outputs, facts.labels))
    elif facts.targets == "flags":
        text = _flag_predictions(np.asarray(targets), outputs, built.boundary, facts.labels)
        run.write_text(f"eval/{prefix}predictions.csv", text)
    elif targets is not None and len(facts.target_shape) == 1:
        targets, outputs = (unscaled(np.asarray(each), facts.target_scales) for each in (targets, outputs))
        run.write_text(f"eval/{prefix}predictions.csv", _target_predictions(targets, outputs, facts.target_names))
    else:
        run.write_bytes(f"eval/{prefix}predictions.npy", _npy(unscaled(outputs, facts.target_scales)))
    return Evaluation(run.id, split, inputs.samples, metrics)


def _confusion(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> str:
    """Return the confusion matrix as CSV: rows are true classes, columns predicted ones.

    Of more than a thousand classes, only the pairs that occur, each with its count.
    """
    size = max(len(names), int(predicted.max()) + 1)
    if size > _LARGEST_MATRIX:
        return _pairs(labels.reshape(-1), predicted.reshape(-1), names)
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (labels.reshape(-1), predicted.reshape(-1)), 1)
    shown = [*names, *(str(index) for index in range(len(names), size))]
    rows = [[name, *row] for name, row in zip(shown, counts[: len(names)].tolist(), strict=False)]
    return _csv([["true \\ predicted", *shown], *rows])


def _pairs(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> str:
    pairs, counts = np.unique(np.stack([labels, predicted]), axis=1, return_counts=True)
    label = dict(enumerate(names))
    rows = [
        [label.get(true, true), label.get(guess, guess), count]
        for true, guess, count in zip(*pairs.tolist(), counts.tolist(), strict=True)
    ]
    return _csv([["true", "predicted", "count"], *rows])


def _class_predictions(labels: np.ndarray, predicted: np.ndarray, outputs: np.ndarray, names: tuple[str, ...]) -> str:
    """Return CSV; `output` is the model's output for the predicted class, or its only output.

    Where a sample has several labels, one a step or pixel, each has a row, with its place in the columns `step`, or
    `axis_0`, ….
    """
    single = outputs.shape[-1] == 1
    column = outputs[..., 0] if single else np.take_along_axis(outputs, predicted[..., None], -1)[..., 0]
    label = dict(enumerate(names))
    places = np.ndindex(labels.shape)
    rows = [
        [*place, label.get(true, true), label.get(guess, guess), f"{value:.6g}"]
        for place, true, guess, value in zip(
            places,
            labels.reshape(-1).tolist(),
            predicted.reshape(-1).tolist(),
            column.reshape(-1).tolist(),
            strict=True,
        )
    ]
    axes = ["step"] if labels.ndim == 2 else [f"axis_{axis}" for axis in range(labels.ndim - 1)]
    return _csv([["index", *axes, "label", "prediction", "output"], *rows])


def _flag_predictions(flags: np.ndarray, outputs: np.ndarray, boundary: float, names: tuple[str, ...]) -> str:
    """Return CSV: the labels of each sample, those predicted, both joined by `|`, and the output of every label."""

    def told(row: list[bool]) -> str:
        return "|".join(name for name, yes in zip(names, row, strict=True) if yes)

    rows = [
        [index, told(true), told(guess), *(f"{value:.6g}" for value in values)]
        for index, (true, guess, values) in enumerate(
            zip((flags > 0).tolist(), (outputs > boundary).tolist(), outputs.tolist(), strict=True)
        )
    ]
    return _csv([["index", "labels", "predictions", *(f"output_{name}" for name in names)], *rows])


def _npy(outputs: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, outputs, allow_pickle=False)
    return data.getvalue()


def _target_predictions(targets: np.ndarray, outputs: np.ndarray, called: tuple[str, ...]) -> str:
    width = targets.shape[-1]
    ends = [""] if width == 1 else [f"_{name}" for name in called or range(width)]
    names = [f"{kind}{end}" for kind in ("target", "prediction") for end in ends]
    rows = np.concatenate([targets, outputs.reshape(len(targets), -1)], axis=1).tolist()
    return _csv([["index", *names], *([index, *(f"{v:.6g}" for v in row)] for index, row in enumerate(rows))])


def _csv(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def failed_bounds(expect: Mapping[str, str], metrics: Mapping[str, float]) -> list[str]:
    """Return a sentence for each bound that does not hold: metric, value and bound."""
    compare = {
        ">=": lambda value, bound: value >= bound,
        "<=": lambda value, bound: value <= bound,
        ">": lambda value, bound: value > bound,
        "<": lambda value, bound: value < bound,
    }
    failed = []
    for name, text in expect.items():
        operator, bound = parse_bound(text)
        value = metrics.get(name)
        if value is None or not compare[operator](value, bound):
            shown = "was not measured" if value is None else f"is {value:.6g}"
            failed.append(f"{name} {shown}, expected {operator} {bound:g}")
    return failed
