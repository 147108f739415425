"""A run's best weights against a split: metrics, confusion matrix, predictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from dltrain import data, runs
from dltrain.config import Spec, load, parse_bound
from dltrain.config.catalogue.labels import LabelForm
from dltrain.engine import backends
from dltrain.engine.events import Listener, Phase, ignore
from dltrain.engine.model.labels import classes_of, encode
from dltrain.errors import ExpectationFailed, RunError, UsageError

if TYPE_CHECKING:
    import keras

    from dltrain.engine.backends import Feed

SplitName = Literal["test", "validation", "train"]
_PREFIX = {"test": "test_", "validation": "val_", "train": ""}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics by Keras's names over `samples` of one split of a run's data."""

    run: str
    split: SplitName
    samples: int
    metrics: Mapping[str, float]


def evaluate(
    run: runs.Run | Path | str,
    split: SplitName = "test",
    *,
    runs_dir: Path | str = "runs",
    on_event: Listener = ignore,
) -> Evaluation:
    """Rebuilds a run's model from its resolved config, gives it the best weights and evaluates it.

    Raises:
        UsageError: no such run, or a split that it does not have.
        RunError: the run has no checkpoint, is damaged, or its data has changed since.
        ExpectationFailed: evaluated and recorded, but a bound under `expect` on this split does not hold.
    """
    found = run if isinstance(run, runs.Run) else runs.find(str(run), Path(runs_dir))
    _ensure_checkpoint(found)
    plan = load(found.plain_file("resolved.yaml"), alone=True)
    from dltrain.engine.model.speed import recorded_threads
    from dltrain.engine.training.fit import load_data, start_backend

    on_event(Phase("loading data"))
    dataset = load_data(plan.spec)
    if split == "validation" and dataset.validation is None:
        raise UsageError(f"the run {found.id} holds out no validation samples", "`data.validation` is 0 in its config")
    if dataset.fingerprint != (found.record().get("data") or {}).get("fingerprint"):
        raise RunError(f"the data set `{dataset.name}` is no longer the one that {found.id} was trained on")
    start_backend(plan.spec, on_event, recorded_threads(found.record()))
    from dltrain.engine.model import build, weights

    model, form, _ = build.compiled(plan, dataset)
    limit = weights.most_bytes(model)
    epoch = best_checkpoint(found, limit)
    file = f"checkpoints/epoch-{epoch:04d}/weights.safetensors"
    read = found.read_checkpoint(epoch, limit, ["weights.safetensors"])
    if "weights.safetensors" not in read:
        raise RunError(f"{file} is missing")
    values = weights.from_bytes(read["weights.safetensors"], file)
    weights.assign(weights.named_variables(model), values, file)
    on_event(Phase("evaluating"))
    evaluation = evaluate_model(plan.spec, dataset, model, form, found, split)
    measured = {f"{_PREFIX[split]}{name}": value for name, value in evaluation.metrics.items()}
    bounds = {name: bound for name, bound in plan.spec.expect.items() if name in measured}
    if failed := failed_bounds(bounds, measured):
        raise ExpectationFailed("; ".join(failed))
    return evaluation


def _ensure_checkpoint(run: runs.Run) -> None:
    if not run.checkpoints():
        hint = f"it is {run.status()}: no epoch was finished, or its checkpoints were removed"
        raise RunError(f"the run {run.id} has no checkpoint", hint)


def best_checkpoint(run: runs.Run, limit: int) -> int:
    """The epoch of the best checkpoint, as the newest one with a whole state tells.

    Raises:
        RunError: no checkpoint can tell, or the best one is missing.
    """
    import json

    kept = run.checkpoints()
    failure = RunError(f"the run {run.id} has no checkpoint that is whole")
    for epoch in reversed(kept):
        try:
            best = int(json.loads(run.read_checkpoint(epoch, limit, ["state.json"])["state.json"])["best"]["epoch"])
        except RunError as error:
            failure = error
        except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError):
            failure = RunError(f"state.json of epoch {epoch} of the run {run.id} is damaged")
        else:
            if best in kept:
                return best
            failure = RunError(f"the checkpoint of the best epoch, {best}, is missing in the run {run.id}")
    raise failure


def inputs_of(dataset: data.Dataset, split: SplitName, form: LabelForm, kind: str = "auto") -> Feed:
    """The feed of a split, labels encoded as the loss takes them; `kind` as in `runtime.feed`."""
    part = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}[split]
    if part is None:
        raise UsageError(f"there is no {split} split")
    return backends.current().feed(part.x, encode(part.y, form, dataset.classes), dataset.scale, kind)


def evaluate_model(
    plan: Spec,
    dataset: data.Dataset,
    model: keras.Sequential,
    form: LabelForm,
    run: runs.Run,
    split: SplitName,
) -> Evaluation:
    """Evaluates a compiled model and writes `eval/` of the run: `<split>.json`, and for the test split
    `confusion.csv` and `predictions.csv`; for the others their names begin with the split's.
    """
    feed = inputs_of(dataset, split, form, plan.runtime.feed)
    metrics, outputs = backends.current().evaluate(model, feed.in_order())
    part = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}[split]
    prefix = "" if split == "test" else f"{split}-"
    run.write_json(f"eval/{split}.json", {"run": run.id, "split": split, "samples": feed.samples, "metrics": metrics})
    labels = part.y if part is not None else np.empty(0)
    if dataset.task == "classification":
        predicted = classes_of(outputs, bool(plan.train.loss.arguments.get("from_logits", False)))
        names = dataset.class_names
        run.write_text(f"eval/{prefix}confusion.csv", _confusion(labels, predicted, names))
        run.write_text(f"eval/{prefix}predictions.csv", _class_predictions(labels, predicted, outputs, names))
    else:
        run.write_text(f"eval/{prefix}predictions.csv", _target_predictions(labels, outputs))
    return Evaluation(run.id, split, feed.samples, metrics)


def _confusion(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> str:
    """Rows are true classes, columns predicted ones."""
    size = max(len(names), int(predicted.max()) + 1)
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    shown = [*names, *(str(index) for index in range(len(names), size))]
    rows = [[name, *row] for name, row in zip(shown, counts[: len(names)].tolist(), strict=False)]
    return _csv([["true \\ predicted", *shown], *rows])


def _class_predictions(labels: np.ndarray, predicted: np.ndarray, outputs: np.ndarray, names: tuple[str, ...]) -> str:
    """`output` is the model's number for the predicted class (of the only output, where there is one)."""
    column = outputs[:, 0] if outputs.shape[-1] == 1 else outputs[np.arange(len(outputs)), predicted]
    word = dict(enumerate(names))
    rows = [
        [index, word.get(true, true), word.get(guess, guess), f"{value:.6g}"]
        for index, (true, guess, value) in enumerate(
            zip(labels.tolist(), predicted.tolist(), column.tolist(), strict=True)
        )
    ]
    return _csv([["index", "label", "prediction", "output"], *rows])


def _target_predictions(targets: np.ndarray, outputs: np.ndarray) -> str:
    width = targets.shape[-1]
    names = [f"{kind}{'' if width == 1 else f'_{i}'}" for kind in ("target", "prediction") for i in range(width)]
    rows = np.concatenate([targets, outputs.reshape(len(targets), -1)], axis=1).tolist()
    return _csv([["index", *names], *([index, *(f"{v:.6g}" for v in row)] for index, row in enumerate(rows))])


def _csv(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def failed_bounds(expect: Mapping[str, str], metrics: Mapping[str, float]) -> list[str]:
    """A sentence for each bound that does not hold: the metric, its value and the bound."""
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
