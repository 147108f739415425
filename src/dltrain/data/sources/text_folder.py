"""Texts in folders, one for each class; with `train`, `val` and `test` above them, or without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.facts import Facts, Task
from dltrain.data.folders.listing import Listing
from dltrain.data.sources.csv import FORMAT
from dltrain.data.sources.source import Arguments, Contradiction, Source, once
from dltrain.data.sources.text import TOKENS, without_library
from dltrain.data.text import folders
from dltrain.data.text.form import contradictions as of_form
from dltrain.data.text.form import form_of, tokenizer_of
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset
    from dltrain.data.samples import Samples, Trained

ARGUMENTS = {
    "path": Argument(
        ("path",),
        required=True,
        meaning="The folder that holds one folder of .txt files for each class, or `train`, `val` and `test` with "
        "these; relative to the config's file.",
    ),
    **TOKENS,
    "encoding": FORMAT["encoding"],
    "on_bad": Argument(
        ("words",),
        choices=("fail", "skip"),
        has_default=True,
        default="fail",
        meaning="What becomes of files that are no texts: all are told before training, or left out and counted.",
    ),
}


def facts(arguments: Arguments, task: Task | None) -> Facts | None:
    listing = _listing(arguments, task)
    if listing.error is not None or any(True for _ in of_form({}, arguments)):
        return None  # `contradictions` tells it
    return folders.facts(listing, task, form_of(arguments))


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    changed = {key: value for key, value in arguments.items() if value != ARGUMENTS[key].default}
    for argument, message, hint in of_form(changed, SOURCE.filled(arguments)):
        yield Contradiction(argument, message, hint)
    yield from without_library(SOURCE.filled(arguments))
    for finding in _listing(arguments, task).findings:
        yield Contradiction("path", finding.message, finding.hint, finding.severity)


def _listing(arguments: Arguments, task: Task | None) -> Listing:
    found: Listing = once(("texts", arguments["path"], task), lambda: folders.listing_of(arguments, task))
    return found


def read(arguments: Arguments, task: Task | None) -> RawDataset:
    for _, message, hint in of_form({}, arguments):
        raise DataError(message, hint)
    return folders.read(arguments, task, tokenizer_of(arguments), form_of(arguments))


def samples(path: Path, arguments: Arguments, like: Trained) -> Samples:
    from dltrain.data.text.new_texts import NewTexts

    return NewTexts(arguments, like, form_of(arguments), tokenizer_of(arguments)).of_files(path)


SOURCE = Source(
    "text_folder",
    "Your own texts, in .txt files: the name of a text's folder is its class. Texts become the numbers of their "
    "tokens, as those of Keras's TextVectorization; the vocabulary is learnt from the training split.",
    ARGUMENTS,
    facts,
    read,
    contradictions,
    example={"path": "reviews", "output_sequence_length": 200},
    samples=samples,
)
