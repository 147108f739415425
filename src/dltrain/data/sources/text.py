"""Texts in a column of a CSV file, or one long text of which the next token is to be told."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.csv import COLUMNS, FORMAT, PATHS, optional
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.data.tables.csv_file import CsvReader
from dltrain.data.tables.table import Wrong
from dltrain.data.text import language, tables
from dltrain.data.text.form import OUTPUT_MODES, SIDES, form_of, tokenizer_of
from dltrain.data.text.form import contradictions as of_form
from dltrain.data.text.tokens import SPLIT, STANDARDIZE
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset
    from dltrain.data.samples import Samples, Trained

_MOST_CLASSES = 10_000
_FIRST_LINE = 2**16  # bytes
_TABLES = (".csv", ".tsv", ".tab")
_OF_COLUMNS = ("target", "target_scale", "classes", "sample_weight", "group", "time", "stratify", "date_format")

TOKENS = {
    "max_tokens": Argument(
        ("int",),
        minimum=3,
        maximum=1_000_000,
        has_default=True,
        default=10_000,
        meaning="Size of the vocabulary: the most frequent tokens of the training split, what stands for all others "
        "(`[UNK]`) and, in the mode `int`, padding.",
    ),
    "standardize": Argument(
        ("words",),
        choices=STANDARDIZE,
        has_default=True,
        default=STANDARDIZE[0],
        meaning="What happens to a text first; as in Keras, to ASCII letters and punctuation.",
    ),
    "split": Argument(
        ("words",),
        choices=SPLIT,
        has_default=True,
        default=SPLIT[0],
        meaning="Whether tokens are words, characters, or subwords: the parts of words that come most often together "
        "(byte-pair encoding), learnt from the training split.",
    ),
    "ngrams": optional("int", minimum=1, maximum=10, meaning="Up to how many tokens in a row are one token too."),
    "output_mode": Argument(
        ("words",),
        choices=OUTPUT_MODES,
        has_default=True,
        default="int",
        meaning="What a text becomes: the numbers of its tokens in order, or a number for each token of the "
        "vocabulary: whether it is there, how often, or that weighted by how few texts have it.",
    ),
    "output_sequence_length": optional(
        "int", minimum=1, maximum=1_000_000, meaning="Tokens to which a text is padded and cut; in the mode `int`."
    ),
    "padding": Argument(
        ("words",), choices=SIDES, has_default=True, default="post", meaning="The end at which 0 is filled in."
    ),
    "truncating": Argument(
        ("words",), choices=SIDES, has_default=True, default="post", meaning="The end at which a text is cut."
    ),
}
ARGUMENTS = {
    **PATHS,
    "path": Argument(
        ("path",), required=True, meaning="A CSV file; or a text, whose next token is told; relative to the config."
    ),
    "text": optional("column", meaning="The column with the texts, in a CSV file."),
    "target": COLUMNS["target"],
    **TOKENS,
    "sequence_stride": Argument(
        ("int",),
        minimum=1,
        maximum=1_000_000,
        has_default=True,
        default=1,
        meaning="Without columns: tokens between the beginnings of windows; of subwords, words.",
    ),
    **{key: COLUMNS[key] for key in _OF_COLUMNS if key != "target"},
    "missing": Argument(
        ("words",),
        choices=("fail", "drop"),
        has_default=True,
        default="fail",
        meaning="What becomes of rows without a target: an error, or they are left out. An empty text is a text.",
    ),
    **FORMAT,
}


def without_library(filled: Arguments) -> Iterator[Contradiction]:
    """Warn where subwords are to be learnt and nothing is installed that learns them; a trained run needs nothing."""
    if filled["split"] == "subword" and find_spec("tokenizers") is None:
        message = "subwords are learnt by `tokenizers`, which is not installed here"
        yield Contradiction("split", message, "before `fit`, `pip install 'dltrain[subwords]'`", "warning")


def _is_table(arguments: Arguments) -> bool:
    """Return whether the files are tables, as their name or a column says; else each is one text."""
    columns = arguments["text"] is not None or arguments["target"] is not None
    return columns or Path(arguments["path"]).suffix.lower() in _TABLES


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    if any(True for _ in _of_arguments(arguments, arguments, task)):
        return None
    try:
        return _look(arguments, task)
    except Wrong:
        return None  # `contradictions` tells it


def _look(arguments: Arguments, task: Task | None) -> Facts | None:
    """Look at the files. Raises Wrong."""
    form = form_of(arguments)
    if _is_table(arguments):
        found = tables.look(CsvReader(arguments), arguments, task)
        return tables.facts(found, "text", arguments, task, form) if task is not None else None
    tokens = language.look(arguments, tokenizer_of(arguments, keep_space=True), form)
    return language.facts(tokens, arguments, task, form) if task is not None and tokens is not None else None


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    filled = SOURCE.filled(arguments)
    found = list(_of_arguments(arguments, filled, task))
    yield from found
    if found:
        return
    yield from without_library(filled)
    try:
        _look(filled, task)
        if _is_table(filled):
            for argument, message in tables.warnings(tables.look(CsvReader(filled), filled, task)):
                yield Contradiction(argument, message, "", "warning")
    except Wrong as wrong:
        for one in wrong.all:
            yield Contradiction(one.argument, one.message, one.hint)


def _of_arguments(written: Arguments, filled: Arguments, task: Task | None) -> Iterator[Contradiction]:
    """Yield what the arguments say against each other and the task, without the files."""
    changed = {key: value for key, value in written.items() if value != SOURCE.arguments[key].default}
    for argument, message, hint in of_form(changed, filled):
        yield Contradiction(argument, message, hint)
    if _is_table(filled):
        if "sequence_stride" in changed:
            message = "the texts of a table are samples: there are no windows"
            yield Contradiction("sequence_stride", message, "remove `sequence_stride`")
        return
    told = "a text without columns is a row of windows, each with the token that follows"
    if task not in (None, *language.TASKS):
        hint = "write `task: classification` under `data`; or name the column with the texts, and `target`"
        yield Contradiction("path", f"{told}: there is no {task}", hint)
    if filled["max_tokens"] > _MOST_CLASSES:
        message = f"{told}, of at most {_MOST_CLASSES:,}"
        yield Contradiction("max_tokens", message, f"write `max_tokens: {_MOST_CLASSES}`")
    if filled["output_mode"] != "int":
        yield Contradiction("output_mode", f"{told}, and their order counts", "write `output_mode: int`")
    for key in ("ngrams", "padding", "truncating", *_OF_COLUMNS):
        if key in changed and (key, filled["split"]) != ("ngrams", "subword"):
            yield Contradiction(key, f"{told}: it has no use for `{key}`", f"remove `{key}`")


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    for wrong in _of_arguments(arguments, arguments, task):
        raise DataError(wrong.message, wrong.hint)
    form, tokenizer = form_of(arguments), tokenizer_of(arguments, keep_space=not _is_table(arguments))
    if _is_table(arguments):
        return tables.read(CsvReader(arguments), "text", arguments, task, tokenizer, form)
    if task is None:
        raise DataError("`text` does not say what is to be told", "write `task: classification` under `data`")
    return language.read(arguments, task, tokenizer, form)


def samples(path: Path, arguments: Arguments, like: Trained) -> Samples:
    from dataclasses import replace

    from dltrain.data.text.new_texts import NewTexts

    form, long = form_of(arguments), not _is_table(arguments)
    if long:
        form = replace(form, padding="pre", truncating="pre")
    new = NewTexts(arguments, like, form, tokenizer_of(arguments, keep_space=long), goes_on=long)
    if path.is_dir():
        return new.of_files(path)
    by_name = path.suffix.lower() in (*_TABLES, Path(arguments["path"]).suffix.lower())
    is_table = _is_table(arguments) and (by_name or _begins_with_names(path, arguments))
    return new.of_table(path, CsvReader(arguments)) if is_table else new.of_lines(path)


def _begins_with_names(path: Path, arguments: Arguments) -> bool:
    """Return whether the first line has the name of the column of texts: standard input has no name of its own."""
    if not arguments["header"] or not path.is_file():
        return False
    with path.open("rb") as file:
        lines = file.readline(_FIRST_LINE).decode(arguments["encoding"], "ignore").lstrip("\ufeff").splitlines()[:1]
    cells = next(csv.reader(lines, delimiter=arguments["delimiter"]), [])
    return str(arguments["text"]) in (cell.strip() for cell in cells)


def _likely_tasks(arguments: Arguments) -> str:
    if _is_table(SOURCE.filled(arguments)):
        return "write `task: classification` for labels, or `regression` for numbers"
    return "write `task: classification` to tell the next token, or `sequence` to tell that of each place"


SOURCE = Source(
    "text",
    "Your own texts, in a column of a CSV file, with targets as those of `csv`; or one long text, of which the next "
    "word or character is told. Texts become the numbers of their tokens, as those of Keras's TextVectorization; the "
    "vocabulary is learnt from the training split.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"path": "texts.csv", "text": "text", "target": "topic", "output_sequence_length": 50},
    has_task=False,
    likely_tasks=_likely_tasks,
    samples=samples,
)
