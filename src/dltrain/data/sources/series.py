"""One or several time series in a CSV file or an array: samples are windows over their steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.arguments import Argument
from dltrain.data.facts import SCALINGS, Facts, Task
from dltrain.data.series.look import SPLITS, Found, look
from dltrain.data.sources.csv import FORMAT
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.data.tables.table import Wrong

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset
    from dltrain.data.samples import Samples, Trained

_LONGEST = 1_000_000  # steps


def _optional(*kinds: str, meaning: str, **more: Any) -> Argument:
    return Argument(kinds, nullable=True, has_default=True, meaning=meaning, **more)


def _steps(default: int, meaning: str) -> Argument:
    return Argument(("int",), minimum=1, maximum=_LONGEST, has_default=True, default=default, meaning=meaning)


ARGUMENTS = {
    "path": Argument(
        ("path",),
        required=True,
        meaning="A CSV file with a step in each row, or an .npy file of the shape (steps, columns); relative to the "
        "config's file.",
    ),
    "path_val": _optional("path", meaning="A file with the validation split."),
    "path_test": _optional("path", meaning="A file with the test split."),
    "sequence_length": Argument(
        ("int",), minimum=1, maximum=_LONGEST, required=True, meaning="Steps of a window, which is a sample."
    ),
    "horizon": _steps(1, "Steps to predict from a window."),
    "shift": _optional(
        "int",
        minimum=-_LONGEST,
        maximum=_LONGEST,
        meaning="Steps from the last one of a window to the first one to predict: by default 1, the next; 0 for a "
        "label, that of the last step.",
    ),
    "sequence_stride": _steps(1, "Steps from the beginning of a window to that of the next."),
    "sampling_rate": _steps(1, "Steps from one step of a window to the next: 6 takes every sixth."),
    "target": _optional(
        "column",
        "columns",
        meaning="The column to predict, or several; all features by default. Where targets are labels, their column.",
    ),
    "features": _optional(
        "columns", meaning="The columns that windows have, in order; all others by default, the target among them."
    ),
    "drop": _optional("column", "columns", meaning="Columns that are left out."),
    "time": _optional("column", meaning="The column of times, dates or numbers, which rise from step to step."),
    "group": _optional("column", meaning="The column that tells several series apart; no window has steps of two."),
    "date_format": _optional("str", meaning="How the dates of `time` are written, as in `%d.%m.%Y`; else ISO 8601."),
    "scale": _optional(
        "words",
        "scales",
        choices=SCALINGS,
        meaning="How columns are scaled by what the training steps have: `standard` to a mean of 0 and a deviation of "
        "1, `minmax` to 0 to 1, `log` the standardised log(1 + x); or a kind for each column. Metrics and forecasts "
        "are told in the original unit.",
    ),
    "missing": Argument(
        ("words",),
        choices=("fail", "drop", "ffill", "interpolate"),
        has_default=True,
        default="fail",
        meaning="What becomes of missing values in windows: an error, such windows are left out, or the last value "
        "before stands for them, or the line to the next. Missing targets are never made up.",
    ),
    "classes": _optional(
        "strs",
        meaning="The names of the classes in order; by default those of the file. In a `sequence`, they say that each "
        "step of a window has a label; without them, targets are numbers.",
    ),
    **FORMAT,
}


_known: dict[str, Found | Wrong] = {}  # of the last call, as a check of one config asks several times


def _looked(arguments: Arguments, task: Task | None) -> Found:
    """Look at the files, anew where one has changed. Raises Wrong."""
    key = repr((sorted(arguments.items()), task, [_state(arguments[name]) for name in SPLITS.values()]))
    if key not in _known:
        _known.clear()
        try:
            _known[key] = look(arguments, task)
        except Wrong as wrong:
            _known[key] = wrong
    found = _known[key]
    if isinstance(found, Wrong):
        raise Wrong(found.argument, found.message, found.hint, found.others)
    return found


def _state(path: str | None) -> tuple[int, ...]:
    try:
        found = Path(path or "").stat()
    except (OSError, ValueError):
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    try:
        return _looked(arguments, task).facts
    except Wrong:
        return None  # `contradictions` tells it


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    try:
        found = _looked(SOURCE.filled(arguments), task)
    except Wrong as wrong:
        for one in wrong.all:
            yield Contradiction(one.argument, one.message, one.hint)
        return
    for argument, note in found.notes:
        yield Contradiction(argument, note, "", "warning")


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    from dltrain.data.series import reading

    return reading.read(arguments, task)


def samples(path: Path, arguments: Arguments, like: Trained) -> Samples:
    from dltrain.data.series import new_steps

    return new_steps.samples(path, arguments, like)


SOURCE = Source(
    "series",
    "Your own time series in a CSV or .npy file: samples are windows over its steps, targets the steps after them, or "
    "a label. Windows are gathered as they are needed, not copied. Splits are by time, without a common step.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"path": "series.csv", "sequence_length": 24, "time": "date"},
    has_task=False,
    likely_tasks=lambda arguments: (
        "write `task: regression` to forecast numbers, `classification` for a label, or `sequence` "
        "for a label or number a step"
    ),
    samples=samples,
)
