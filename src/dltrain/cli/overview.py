"""Prints what the model gets of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from dltrain.cli.diagnostics import printable
from dltrain.cli.tables import padding, short, table, wide

if TYPE_CHECKING:
    from dltrain.engine.description import Sample, Summary, Values

_MOST_ROWS = 24  # of a table; JSON has more
_WIDTH = 80
_NAME = 26  # columns of a name in a table


def show(summary: Summary) -> None:
    """Print a summary to stdout: the splits, classes or targets, features, duplicates, and the first samples."""
    of = " of tokens" if summary.first and summary.first[0].words is not None else ""
    click.echo(f"{printable(summary.dataset)}: {summary.task.replace('_', ' ')}")
    click.echo(f"samples {_shape(summary.shape)} {summary.dtype}{of}, targets {_targets(summary)}")
    _splits(summary)
    if summary.classes:
        _classes(summary)
    elif any(split.targets for split in summary.splits):
        _numbers(summary)
    _features(summary)
    _repeats(summary)
    _first(summary)


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(f"{size}" for size in shape) + ("," if len(shape) == 1 else "") + ")"


def _targets(summary: Summary) -> str:
    if summary.task == "reconstruction":
        return "the samples themselves"
    shape = f" {_shape(summary.target_shape)}" if summary.target_shape else ""
    if summary.classes:
        return f"{len(summary.classes):,} {'labels' if summary.task == 'multi_label' else 'classes'}{shape}"
    return f"numbers{shape}"


def _number(value: float | None, std: float | None = None) -> str:
    """Format a number; 0 where it is what rounding leaves of 0 among numbers of this standard deviation."""
    if value is None:
        return "–"
    return "0" if std is not None and abs(value) < 1e-6 * std else f"{value:.4g}"


def _cells(values: Values) -> list[str]:
    return [_number(each, values.std) for each in (values.lowest, values.highest, values.mean, values.std)]


def _name(name: str) -> str:
    """Return a name that fits into a table; long ones often differ at their ends."""
    return name if wide(name) <= _NAME else f"{name[: _NAME // 2]}…{name[len(name) - _NAME // 2 + 1 :]}"


_OF_VALUES = ["lowest", "highest", "mean", "std"]


def _splits(summary: Summary) -> None:
    bad = any(split.values.missing or split.values.infinite for split in summary.splits)
    rows = [
        [split.name, f"{split.samples:,}", *_cells(split.values)]
        + ([f"{split.values.missing:,}", f"{split.values.infinite:,}"] if bad else [])
        for split in summary.splits
    ]
    click.echo()
    table(["split", "samples", *_OF_VALUES, *(["NaN", "infinite"] if bad else [])], rows, right=range(1, 8))


def _classes(summary: Summary) -> None:
    head = "label" if summary.task == "multi_label" else "class"
    train = summary.splits[0].counts
    places = list(range(len(summary.classes)))
    if len(places) > _MOST_ROWS:
        places.sort(key=lambda place: -train[place])
    rows = [
        [_name(summary.classes[place]), *(f"{split.counts[place]:,}" for split in summary.splits)]
        for place in places[:_MOST_ROWS]
    ]
    click.echo()
    table([head, *(split.name for split in summary.splits)], rows, right=range(1, 4))
    if rest := [train[place] for place in places[_MOST_ROWS:]]:
        click.echo(f"… and {len(rest):,} more, with {min(rest):,} to {max(rest):,} training samples each")


def _numbers(summary: Summary) -> None:
    rows = []
    for place in range(min(_MOST_ROWS, len(summary.splits[0].targets))):
        unit = summary.units[place] if place < len(summary.units) else ""
        name = summary.target_names[place] + (f" ({unit})" if unit else "")
        rows += [[_name(name), split.name, *_cells(split.targets[place])] for split in summary.splits]
    rows = rows[:_MOST_ROWS]
    click.echo()
    table(["", "split", *_OF_VALUES], rows, right=range(2, 6))
    _more(len(summary.splits[0].targets) - len({row[0] for row in rows}), "targets")


def _features(summary: Summary) -> None:
    if summary.features:
        rows = [[_name(each.name), *_cells(each.values)] for each in summary.features[:_MOST_ROWS]]
        click.echo()
        table(["feature, in training", *_OF_VALUES], rows, right=range(1, 5))
        _more(summary.shape[-1] - len(rows), "features")
    facts = []
    if summary.filled:
        told = [f"{name} ({count:,})" for name, count in summary.filled.items()]
        facts.append(f"missing in training, filled in: {_listed(told)}")
    if summary.constant:
        facts.append(f"constant in training: {_listed(summary.constant)}")
    if facts:
        click.echo()
    for fact in facts:
        click.echo(click.wrap_text(printable(fact), _WIDTH, "", "  "))


def _more(count: int, what: str) -> None:
    if count > 0:
        click.echo(f"… and {count:,} more {what}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(short(name, 40) for name in names[:12])
    return shown + (f" and {len(names) - 12:,} more" if len(names) > 12 else "")


def _repeats(summary: Summary) -> None:
    click.echo()
    if not summary.repeats:
        click.echo("duplicates: none")
        return
    rows = []
    for found in summary.repeats:
        pairs = ", ".join(f"{here} = {there}" for here, there in found.examples[:3])
        rows.append([found.split, found.other, f"{found.count:,}", f"{found.conflicts:,}", pairs])
    table(["duplicates in", "of", "samples", "other target", "positions"], rows, right=(2, 3))


def _first(summary: Summary) -> None:
    if not summary.first:
        return
    click.echo()
    click.echo("the first training samples, as the model gets them")
    if summary.features and len(summary.shape) == 1:
        _columns(summary)
        return
    names = [_name(feature.name) for feature in summary.features]
    many = len(summary.shape) == 2 and summary.shape[-1] > 1
    head = f"steps of {', '.join(names)}" if names and many else "steps" if many else "numbers"
    head = "text" if summary.first[0].words is not None else head
    told = summary.first[0].target is not None
    rows = [["position", "target" if told else "", head]]
    step = summary.shape[-1] if many else None
    rows += [[str(sample.position), short(_target(sample), 16), _text(sample, step)] for sample in summary.first]
    width = max(wide(row[1]) for row in rows)
    for place, target, text in rows:
        gap = "  " if told else ""
        click.echo(short(printable(f"{place:>8}  {target}{padding(target, width)}{gap}{text}"), _WIDTH))


def _columns(summary: Summary) -> None:
    """Print a row for each feature and a column for each sample."""
    rows = [
        [_name(feature.name), *(_number(sample.values[place], feature.values.std) for sample in summary.first)]
        for place, feature in enumerate(summary.features[:_MOST_ROWS])
    ]
    if summary.first[0].target is not None:
        rows.append(["→ target", *(short(_target(sample), 9) for sample in summary.first)])
    table(["position", *(str(sample.position) for sample in summary.first)], rows, right=range(1, 6))


def _target(sample: Sample) -> str:
    if sample.target is None or isinstance(sample.target, str):
        return sample.target or ""
    return " ".join(_parts(sample.target)) or "–"


def _parts(values: Sequence[str] | Sequence[float]) -> Iterator[str]:
    for value in values:
        yield value if isinstance(value, str) else _number(value)


def _text(sample: Sample, step: int | None) -> str:
    """Return what the numbers stand for, or the numbers; with bars between steps of several."""
    if sample.words is not None:
        return sample.words
    numbers = list(_parts(sample.values))
    steps = [numbers[start : start + (step or 1)] for start in range(0, len(numbers), step or 1)]
    return (" | " if step else " ").join(" ".join(each) for each in steps)
