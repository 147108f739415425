"""The sheet of an evaluation as text: figures with intervals, the classes or numbers one by one, what is confused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from dltrain.cli.diagnostics import printable
from dltrain.cli.tables import number, short, table, wide

if TYPE_CHECKING:
    from dltrain.metrics.classes import ClassFigures, ClassSheet, Thresholds
    from dltrain.metrics.flags import FlagSheet
    from dltrain.metrics.intervals import Estimate
    from dltrain.metrics.numbers import NumberFigures, NumberSheet

_MOST_ROWS = 20  # of a table; the JSON file has all
_MOST_CONFUSIONS = 5
_LONGEST_NAME = 24
_CALLED = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "brier": "Brier score",
    "calibration_error": "calibration error (ECE)",
    "log_loss": "log loss",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "weighted_f1": "weighted F1",
    "matthews_correlation": "Matthews correlation",
    "balanced_accuracy": "balanced accuracy",
    "top_5_accuracy": "top-5 accuracy",
    "hamming_loss": "Hamming loss",
    "all_right": "all labels right",
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE",
    "r2": "R²",
    "bias": "mean residual",
}


def show(sheet: ClassSheet | FlagSheet | NumberSheet) -> None:
    """Print a sheet to stdout."""
    from dltrain.metrics.numbers import NumberSheet

    if isinstance(sheet, NumberSheet):
        _numbers(sheet)
        return
    _scores(sheet.scores)
    _classes(sheet.classes)
    confusions = getattr(sheet, "confusions", ())[:_MOST_CONFUSIONS]
    if confusions:
        click.echo()
    for each in confusions:
        pair = f"{_name(each.true)} taken for {_name(each.predicted)}"
        click.echo(f"{pair}: {each.count:,}, {each.share * 100:.1f} % of {_name(each.true)}")
    _thresholds(sheet.thresholds)


def _scores(scores: Mapping[str, Estimate], title: str = "") -> None:
    """Print figures with their intervals; one that is not defined is left out."""
    rows = [
        [_CALLED.get(name, name), number(found.value), _interval(found)]
        for name, found in scores.items()
        if found.value is not None
    ]
    if rows:
        click.echo()
        table([title, "value", "95 % interval"], rows, right=(1, 2))


def _interval(found: Estimate) -> str:
    return "–" if found.low is None else f"{number(found.low)} to {number(found.high)}"


def _name(name: str) -> str:
    """Return a name that takes no more columns than there are."""
    shown = printable(short(name, _LONGEST_NAME))
    while wide(shown) > _LONGEST_NAME:
        shown = f"{shown[:-2]}…"
    return shown


def _classes(classes: Sequence[ClassFigures]) -> None:
    """Print each class; of many, those with the lowest F1."""
    worst = sorted(classes, key=lambda each: each.f1 or 0.0)[:_MOST_ROWS]
    shown = classes if len(classes) <= _MOST_ROWS else worst
    rows = [
        [
            _name(each.name),
            f"{each.support:,}",
            *(_digits(value) for value in (each.precision.value, each.recall.value, each.f1)),
            *(_digits(value) for value in (each.roc_auc, each.average_precision)),
        ]
        for each in shown
    ]
    click.echo()
    table(["class", "samples", "precision", "recall", "F1", "ROC AUC", "AP"], rows, right=range(1, 7))
    if len(shown) < len(classes):
        click.echo(f"the {len(shown)} with the lowest F1 of {len(classes):,}")


def _digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _thresholds(thresholds: Sequence[Thresholds]) -> None:
    """Print what thresholds would give; chosen here, they are better here than elsewhere."""
    rows = []
    for each in thresholds[:_MOST_ROWS]:
        best, sure = each.best_f1, each.at_precision
        of_best = ["–", "–"] if best is None else [_digits(best.f1), f"{best.threshold:.9g}"]
        of_sure = ["–"] * 3
        if sure is not None:
            of_sure = [_digits(sure.precision), _digits(sure.recall), f"{sure.threshold:.9g}"]
        rows.append([_name(each.name), *of_best, *of_sure])
    if rows:
        click.echo()
        table(["threshold for", "best F1", "above", "precision", "recall", "above"], rows, right=range(1, 6))


def _numbers(sheet: NumberSheet) -> None:
    of_steps = len(sheet.numbers) == len(sheet.by_step)  # the numbers of a target are its steps
    if len(sheet.numbers) == 1:
        _number(sheet.numbers[0])
    elif sheet.numbers and not of_steps:
        _several(sheet.numbers)
    _scores(sheet.scores)
    if sheet.by_sample:
        told = [f"{float(share) * 100:g} % below {number(sheet.by_sample[share])}" for share in ("0.5", "0.95", "0.99")]
        _facts([("MAE of a sample", ", ".join(told))])
    if sheet.by_step:
        _steps(sheet, [each.scores["mae"] for each in sheet.numbers] if of_steps else [])
    _facts([(f"{name} forecast", f"MAE {number(error)}") for name, error in sheet.baselines.items()])


def _number(figures: NumberFigures) -> None:
    _scores(figures.scores, _name(figures.name))
    facts: list[tuple[str, str]] = []
    if figures.guess:
        told = {"mae": "MAE {} of the median", "rmse": "RMSE {} of the mean"}
        guesses = [told[kind].format(number(value)) for kind, value in figures.guess.items()]
        facts.append(("constant guess", ", ".join(guesses)))
    if figures.residuals:
        low, high = figures.residuals["0.05"], figures.residuals["0.95"]
        facts.append(("residuals", f"{number(low)} to {number(high)} for 90 % of the samples"))
        facts.append(("largest residual", number(figures.largest)))
    _facts(facts)


def _several(numbers: Sequence[NumberFigures]) -> None:
    """Print a line for each number of a target, with the interval of its mean absolute error."""
    rows = [
        [
            _name(each.name),
            number(each.scores["mae"].value),
            _interval(each.scores["mae"]),
            *(number(each.scores[kind].value) for kind in ("rmse", "mape", "r2")),
            number(each.guess.get("mae")),
        ]
        for each in numbers[:_MOST_ROWS]
    ]
    click.echo()
    table(["target", "MAE", "95 % interval", "RMSE", "MAPE", "R²", "constant"], rows, right=range(1, 7))
    if len(numbers) > _MOST_ROWS:
        click.echo(f"the first {_MOST_ROWS} of {len(numbers):,} numbers")


def _facts(facts: Sequence[tuple[str, str]]) -> None:
    width = max((len(key) for key, _ in facts), default=0)
    for key, value in facts:
        click.echo(f"{key:<{width}}  {value}")


def _steps(sheet: NumberSheet, errors: Sequence[Estimate]) -> None:
    """Print the errors by step, with their intervals if there are any; of many steps, some from first to last."""
    names: list[Any] = list(sheet.baselines)
    count = len(sheet.by_step)
    places = sorted({round(index * (count - 1) / (_MOST_ROWS - 1)) for index in range(_MOST_ROWS)})
    rows = []
    for place in places if count > _MOST_ROWS else range(count):
        each = sheet.by_step[place]
        interval = [_interval(errors[place])] if errors else []
        beside = [number(each.baselines[name]) for name in names]
        rows.append([str(each.step), number(each.mae), *interval, number(each.rmse), *beside])
    click.echo()
    shown = ["95 % interval"] if errors else []
    header = ["step", "MAE", *shown, "RMSE", *(f"MAE of the {name} forecast" for name in names)]
    table(header, rows, right=range(len(header)))
