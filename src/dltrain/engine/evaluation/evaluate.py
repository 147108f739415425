"""Evaluation of a run's model on a split: metrics, confusion matrix, predictions."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dltrain import runs
from dltrain.calls import flag_of, listener_of
from dltrain.config import parse_bound
from dltrain.config.catalogue.entries import trait
from dltrain.data.arrays import Dataset
from dltrain.data.learnt.scaling import unscaled
from dltrain.engine.evaluation import files
from dltrain.engine.evaluation.sheets import Outputs, Sheet, sheet_of
from dltrain.engine.events import Listener, Noted, Phase, ignore
from dltrain.engine.inputs import SplitName, load_data, pipeline_of, split_of
from dltrain.engine.model.labels import classes_of
from dltrain.engine.session import Session
from dltrain.engine.trained import CheckpointChoice, learnt_of, open_run, restored
from dltrain.errors import DltrainError, ExpectationFailed, RunError, UsageError
from dltrain.metrics.intervals import LEVEL

if TYPE_CHECKING:
    from dltrain.engine.backends.backend import InputPipeline
    from dltrain.engine.model.build import BuiltModel

SEED = 0  # of the bootstrap
_PREFIX: dict[SplitName, str] = {"test": "test_", "validation": "val_", "train": ""}
_OF_SHEETS = ("sheet.json", "probabilities.npz", "scores.npz")
_MOST_SCORES = 1e8  # numbers that are kept


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model achieves on the `samples` of one split of a run's data.

    Args:
        run: its id.
        split: the split.
        samples: how many it has.
        metrics: those of the config, under Keras's names.
        epoch: that of the weights; 0 where it is not known.
        sheet: more figures, with intervals, by the task.
    """

    run: str
    split: SplitName
    samples: int
    metrics: Mapping[str, float]
    epoch: int = 0
    sheet: Sheet | None = None


def evaluate(
    run: runs.Run | Path | str,
    split: SplitName = "test",
    *,
    checkpoint: CheckpointChoice = "best",
    precision: float = 0.9,
    runs_dir: Path | str = "runs",
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Evaluation:
    """Evaluate the weights of a run on a split of its data, and write `eval/` of the run.

    Args:
        run: the run, its directory, or a reference to it.
        split: the split of the run's data.
        checkpoint: `best`, `last` or an epoch; all but the best have a folder of their own in `eval/`.
        precision: that of the threshold which has the highest recall at it, for yes-or-no answers.
        runs_dir: directory in which runs are looked up.
        owns_process: whether the process exits afterwards, as a command does.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, split or checkpoint, or a precision that is no share.
        RunError: the run has no checkpoint, is damaged, or its config or data has changed since.
        ExpectationFailed: evaluated and recorded, but a bound under `expect` on this split does not hold.
    """
    listener_of(on_event)
    flag_of(owns_process, "`owns_process`")
    if not isinstance(split, str) or split not in _PREFIX:
        raise UsageError(f"there is no split {split!r}", f"one of {', '.join(_PREFIX)}")
    if isinstance(precision, bool) or not isinstance(precision, int | float) or not 0 < precision <= 1:
        raise UsageError(f"a precision of {precision!r} makes no sense", "a share above 0, such as 0.9")
    opened = open_run(run, runs_dir=runs_dir)
    spec = opened.plan.spec
    dataset = load_data(spec, on_event, learnt=learnt_of(opened))
    if split == "validation" and dataset.validation is None:
        raise UsageError(
            f"the run {opened.run.id} holds out no validation samples", "`data.validation` is 0 in its config"
        )
    if dataset.fingerprint != opened.record.data.fingerprint or dataset.facts.labels != opened.facts.labels:
        raise RunError(f"the data set `{dataset.name}` is no longer the one that {opened.run.id} was trained on")
    with restored(opened, checkpoint, owns_process=owns_process, on_event=on_event) as trained:
        on_event(Phase("evaluating"))
        epoch = trained.epoch
        inputs = pipeline_of(dataset, split, trained.built.encoding, spec, trained.session.backend)
        folder = "" if checkpoint == "best" else "last/" if checkpoint == "last" else f"epoch-{epoch:04}/"
        evaluation, outputs = evaluate_model(dataset, trained.built, trained.session, inputs, opened.run, split, folder)
        said = Outputs(
            outputs,
            trained.built.boundary,
            trained.built.from_logits,
            bool(trait("loss", spec.train.loss.name, "probabilities")),
        )
        del trained, inputs, outputs  # the session frees what nothing names
    on_event(Phase("judging"))
    broken = int(np.sum(~np.isfinite(said.values).all(axis=tuple(range(1, said.values.ndim)))))
    if broken:
        on_event(Noted(f"for {broken:,} of {len(said.values):,} samples, the model gives no finite numbers: no sheet"))
        sheet = None
    else:
        sheet = sheet_of(dataset, split, said, precision, SEED)
    _write_scores(dataset, split, said, opened.run, folder)
    evaluation = replace(evaluation, epoch=epoch, sheet=sheet)
    _write_sheet(opened.run, evaluation, folder)
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
    folder: str = "",
) -> tuple[Evaluation, np.ndarray]:
    """Evaluate a compiled model, and return its metrics and what it says.

    Writes into a folder of `eval/`: `<split>.json`, and for the test split `confusion.csv` and `predictions.csv`; for
    the others, file names start with the split. Outputs that are arrays, such as images, are written as
    `predictions.npy`. The sheet of an evaluation before this one is removed.

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
    prefix = folder if split == "test" else f"{folder}{split}-"
    for name in _OF_SHEETS:
        run.remove(f"eval/{prefix}{name}")
    known = {"run": run.id, "split": split, "samples": inputs.samples, "metrics": metrics}
    run.write_json(f"eval/{folder}{split}.json", known)
    if facts.targets == "classes":
        labels, predicted = np.asarray(targets), classes_of(outputs, built.boundary)
        run.write_text(f"eval/{prefix}confusion.csv", files.confusion_matrix(labels, predicted, facts.labels))
        run.write_text(
            f"eval/{prefix}predictions.csv", files.class_predictions(labels, predicted, outputs, facts.labels)
        )
    elif facts.targets == "flags":
        text = files.flag_predictions(np.asarray(targets), outputs, built.boundary, facts.labels)
        run.write_text(f"eval/{prefix}predictions.csv", text)
    elif targets is not None and len(facts.target_shape) == 1:
        truth, guess = (unscaled(np.asarray(each), facts.target_scales) for each in (targets, outputs))
        run.write_text(f"eval/{prefix}predictions.csv", files.target_predictions(truth, guess, facts.target_names))
    else:
        run.write_bytes(f"eval/{prefix}predictions.npy", files.npy(unscaled(outputs, facts.target_scales)))
    return Evaluation(run.id, split, inputs.samples, metrics), outputs


def _write_scores(dataset: Dataset, split: SplitName, said: Outputs, run: runs.Run, folder: str) -> None:
    """Write what each class gets, and the true ones, of which all figures can be computed again."""
    facts = dataset.facts
    if facts.targets == "numbers" or said.values.size > _MOST_SCORES:
        return
    name = "probabilities" if said.probabilities else "scores"
    arrays = {
        name: said.scores(several=facts.targets == "flags"),
        "labels": np.asarray(split_of(dataset, split).y),
        "names": np.array(facts.labels),
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    prefix = folder if split == "test" else f"{folder}{split}-"
    run.write_bytes(f"eval/{prefix}{name}.npz", file.getvalue())


def _write_sheet(run: runs.Run, evaluation: Evaluation, folder: str) -> None:
    """Write the sheet of an evaluation, with what its intervals are."""
    if evaluation.sheet is None:
        return
    intervals = {"level": LEVEL, "bootstrap": {"seed": SEED, "unit": "sample"}}
    name = "sheet" if evaluation.split == "test" else f"{evaluation.split}-sheet"
    written = {"run": run.id, "split": evaluation.split, "samples": evaluation.samples, "epoch": evaluation.epoch}
    run.write_json(f"eval/{folder}{name}.json", {**written, "intervals": intervals, **asdict(evaluation.sheet)})


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
