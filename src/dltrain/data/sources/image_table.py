"""Images whose targets stand in a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.csv import COLUMNS, FORMAT, LIKELY_TASKS, PATHS, optional
from dltrain.data.sources.image_folder import LOOK, check_look, look_of, shape_of
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.data.tables import dataset, image_rows
from dltrain.data.tables.csv_file import CsvReader
from dltrain.data.tables.table import Wrong

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset
    from dltrain.data.samples import Samples, Trained

_OF_TABLES = ("target", "target_scale", "classes", "sample_weight", "group", "time", "stratify", "date_format")

ARGUMENTS = {
    **PATHS,
    "directory": optional("path", meaning="The folder that has the images; by default that of the table."),
    "image": Argument(
        ("column",), has_default=True, default="filename", meaning="The column with the files, relative to the folder."
    ),
    "extension": Argument(("str",), has_default=True, default="", meaning="What their names lack, such as `.jpg`."),
    **{name: COLUMNS[name] for name in _OF_TABLES},
    "missing": Argument(
        ("words",),
        choices=("fail", "drop"),
        has_default=True,
        default="fail",
        meaning="What becomes of rows without a file or a target: an error, or they are left out.",
    ),
    **LOOK,
    **{name: argument for name, argument in FORMAT.items() if name != "on_bad"},
    "on_bad": Argument(
        ("words",),
        choices=("fail", "skip"),
        has_default=True,
        default="fail",
        meaning="What becomes of images that cannot be read, and of rows with too many or too few cells: an error, or "
        "they are left out and counted.",
    ),
}


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    try:
        return image_rows.look_at(CsvReader(arguments), arguments, task, shape_of(arguments)).facts
    except Wrong:
        return None  # `contradictions` tells it


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    filled = SOURCE.filled(arguments)
    yield from check_look(arguments)
    try:
        seen = image_rows.look_at(CsvReader(filled), filled, task, shape_of(filled))
    except Wrong as wrong:
        for one in wrong.all:
            yield Contradiction(one.argument, one.message, one.hint)
        return
    for argument, message, hint in dataset.warnings(seen.found):
        yield Contradiction(argument, message, hint, "warning")


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    return image_rows.read(CsvReader(arguments), arguments, task, look_of(arguments))


def samples(path: Path, arguments: Arguments, like: Trained) -> Samples:
    return image_rows.samples(CsvReader(arguments), path, arguments, like, look_of(arguments))


SOURCE = Source(
    "image_table",
    "Your own images, with their labels or numbers in a CSV file. They are decoded as those of `image_folder`, and "
    "arrive as (height, width, channels), from 0 to 1.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"path": "labels.csv", "target": "label", "image_size": [64, 64]},
    has_task=False,
    likely_tasks=lambda arguments: LIKELY_TASKS,
    samples=samples,
)
