"""A table in a CSV file: columns are features and targets, rows are samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.arguments import Argument
from dltrain.data.facts import SCALINGS, Facts, Task
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.data.tables import dataset
from dltrain.data.tables.csv_file import CsvReader
from dltrain.data.tables.table import Wrong

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset
    from dltrain.data.samples import Samples, Trained


def optional(*kinds: str, meaning: str, **more: Any) -> Argument:
    return Argument(kinds, nullable=True, has_default=True, meaning=meaning, **more)


COLUMNS = {
    "target": optional("column", "columns", meaning="The column to predict, or several; none in a reconstruction."),
    "features": optional("columns", meaning="The columns that the model gets, in order; all others by default."),
    "drop": optional("column", "columns", meaning="Columns that are left out."),
    "categorical": optional("column", "columns", meaning="The features that are categories; the others are numbers."),
    "category_encoding": Argument(
        ("words",),
        choices=("one_hot", "ordinal"),
        has_default=True,
        default="one_hot",
        meaning="What becomes of a category: a 1 among zeros, all zeros where training did not have it; or its place, "
        "counted from 1, and 0.",
    ),
    "min_frequency": Argument(
        ("int",),
        minimum=1,
        maximum=1_000_000_000,
        has_default=True,
        default=1,
        meaning="Training rows that a category needs; rarer ones, and those that training did not have, become one.",
    ),
    "scale": optional(
        "words",
        "scales",
        choices=SCALINGS,
        meaning="How numbers are scaled by what the training split has: `standard` to a mean of 0 and a deviation of "
        "1, `minmax` to 0 to 1, `log` the standardised log(1 + x); or a kind for each column.",
    ),
    "target_scale": optional(
        "words",
        choices=SCALINGS,
        meaning="The same for the targets of a regression; metrics and predictions are told in the original unit.",
    ),
    "missing": Argument(
        ("words",),
        choices=("fail", "drop", "mean", "median"),
        has_default=True,
        default="fail",
        meaning="What becomes of missing values: an error, rows are left out, or the mean or median of the training "
        "split stands for a number and an empty text for a category, and rows without a target are left out.",
    ),
    "classes": optional("strs", meaning="The names of the classes in order; by default those of the file."),
    "sample_weight": optional("column", meaning="The column that says what a training sample counts in the loss."),
    "group": optional("column", meaning="The column whose values stay together in one split, such as a patient."),
    "time": optional("column", meaning="The column by which the latest samples are held out: dates, or numbers."),
    "stratify": optional("column", meaning="The column of which each split has its share; by default the classes."),
    "date_format": optional("str", meaning="How the dates of `time` are written, as in `%d.%m.%Y`; else ISO 8601."),
}
PATHS = {
    "path": Argument(("path",), required=True, meaning="The file; relative to the config's file."),
    "path_val": optional("path", meaning="A file with the validation split."),
    "path_test": optional("path", meaning="A file with the test split."),
}
FORMAT = {
    "delimiter": Argument(("str",), has_default=True, default=",", meaning="The character between cells."),
    "decimal": Argument(
        ("words",), choices=(".", ","), has_default=True, default=".", meaning="The character before a fraction."
    ),
    "encoding": Argument(
        ("str",), has_default=True, default="utf-8", meaning="Of the file's characters, such as `latin-1`."
    ),
    "header": Argument(
        ("bool",),
        has_default=True,
        default=True,
        meaning="Whether the first line has the names of columns; else they are counted from 0.",
    ),
    "na_values": optional("strs", meaning="Cells that mean that a value is missing, besides empty ones."),
    "on_bad": Argument(
        ("words",),
        choices=("fail", "skip"),
        has_default=True,
        default="fail",
        meaning="What becomes of rows with too many or too few cells: an error, or they are left out and counted.",
    ),
}
LIKELY_TASKS = "write `task: classification` for labels, or `regression` for numbers"
ARGUMENTS = {**PATHS, **COLUMNS, **FORMAT}


def source_of(
    name: str,
    description: str,
    arguments: Mapping[str, Argument],
    reader: Callable[[Arguments], dataset.Reader],
    example: Mapping[str, Any],
) -> Source:
    """Return the source of tables in files that a reader reads."""

    def facts(arguments: Arguments, task: Task | None) -> Facts | None:
        try:
            return dataset.look(reader(arguments), name, arguments, task).facts
        except Wrong:
            return None  # `contradictions` tells it

    def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
        filled = source.filled(arguments)
        try:
            found = dataset.look(reader(filled), name, filled, task)
        except Wrong as wrong:
            for one in wrong.all:
                yield Contradiction(one.argument, one.message, one.hint)
            return
        for argument, message, hint in dataset.warnings(found):
            yield Contradiction(argument, message, hint, "warning")

    def read(arguments: Arguments, task: Task | None) -> RawDataset:
        from dltrain.data.tables import splits

        return splits.read(reader(arguments), name, arguments, task)

    def samples(path: Path, arguments: Arguments, like: Trained) -> Samples:
        from dltrain.data.tables import new_rows

        return new_rows.samples(reader(arguments), path, arguments, like)

    source = Source(
        name,
        description,
        arguments,
        facts,
        read,
        contradictions,
        example=example,
        has_task=False,
        likely_tasks=lambda arguments: LIKELY_TASKS,
        samples=samples,
    )
    return source


SOURCE = source_of(
    "csv",
    "Your own table in a CSV file: rows are samples, columns are features and targets. Scales, categories and what "
    "stands for missing values are learnt from the training split.",
    ARGUMENTS,
    CsvReader,
    {"path": "table.csv", "target": "price"},
)
