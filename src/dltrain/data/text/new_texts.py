"""New texts for a trained model: lines of a file, files of a folder, or a column of a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.folders.kinds import TEXTS
from dltrain.data.folders.listing import files_below
from dltrain.data.learnt.scaling import scaled
from dltrain.data.samples import Beginnings, Samples, Trained
from dltrain.data.tables.dataset import Reader
from dltrain.data.tables.roles import Roles, columns_of
from dltrain.data.tables.splits import NOT_TRAINED, scales_of, targets
from dltrain.data.tables.table import Wrong, partly_labelled
from dltrain.data.text.beginnings import End, beginnings
from dltrain.data.text.files import lines_of
from dltrain.data.text.folders import Reading
from dltrain.data.text.form import Form
from dltrain.data.text.preparing import encoded
from dltrain.data.text.ragged import Ragged
from dltrain.data.text.tokens import Tokenizer, Tokens, Words
from dltrain.data.text.vocabulary import Vocabulary
from dltrain.errors import DataError

_MOST_TOLD = 6


@dataclass(frozen=True, eq=False)
class NewTexts:
    """Reads new texts in the form of the training.

    Args:
        arguments: of the run's data set.
        like: what the run was trained on.
        form, tokenizer: of the training.
        goes_on: whether the model tells what follows a text.
    """

    arguments: Mapping[str, Any]
    like: Trained
    form: Form
    tokenizer: Tokenizer
    goes_on: bool = False

    def of_lines(self, path: Path) -> Samples:
        """Return the lines of a file, each a text. Raises DataError if it has none."""
        tokens, end = Tokens(self.tokenizer, Words()), End(self.form.output_sequence_length)
        try:
            tokens.add(end.of(lines_of(path, self.arguments["encoding"])))
        except Wrong as wrong:
            raise DataError(str(wrong), wrong.hint) from None
        if not len(tokens):
            raise DataError(f"{path} is empty", "write one text a line")
        found = self._samples(str(path), tokens, None)
        if not self.goes_on:
            return found
        whole = Tokens(self.tokenizer, Words())
        whole.add([end.text])
        return replace(found, ahead=partial(self._ahead, self._samples(str(path), whole, None).split, [str(path)]))

    def _ahead(self, split: Split, names: Sequence[str]) -> Beginnings:
        vocabulary = Vocabulary.from_json(self.form, self.like.learnt)
        return beginnings(np.asarray(split.x[:]), names, vocabulary, self.arguments["split"])

    def of_files(self, path: Path) -> Samples:
        """Return the text of a file, or those of a folder and the folders in it.

        Where each text is in a folder with the name of one of the classes, that is its label. Raises DataError with
        all files that are no texts.
        """
        root, files = path.parent, [path.name]
        if path.is_dir():
            root = path
            files, findings = files_below(root, TEXTS)
            if findings:
                raise DataError(findings[0].message, findings[0].hint)
            if not files:
                raise DataError(f"no text is in {path.absolute()}", "name a folder that has .txt files")
        tokens = Tokens(self.tokenizer, Words())
        reading = Reading(root, self.arguments["encoding"], tokens, "\n" if self.goes_on else "")
        list(reading.good(files))
        if reading.bad:
            raise DataError(reading.told(len(files)), reading.hint)
        names = [os.fsencode(root / file).decode("utf-8", "replace") for file in files]
        if self.goes_on:
            found = self._samples(str(path), tokens, None, names)
            return replace(found, ahead=partial(self._ahead, found.split, names))
        return self._samples(str(path), tokens, self._labels([root / file for file in files]), names)

    def _labels(self, files: Sequence[Path]) -> np.ndarray | None:
        """Return the classes that the folders of all files name; None where one names none."""
        if self.like.facts.task != "classification":
            return None
        places = {name: place for place, name in enumerate(self.like.facts.labels)}
        found = [places.get(file.parent.name) for file in files]
        return np.array(found, np.int64) if None not in found else None

    def of_table(self, path: Path, reader: Reader) -> Samples:
        """Return the texts of a table, with targets where all rows have them. Raises DataError if there are none."""
        text, target = str(self.arguments["text"]), self.arguments["target"]
        wanted = tuple(map(str, target)) if isinstance(target, list) else () if target is None else (str(target),)
        try:
            there = reader.names(path)
            if text not in there:
                has = ", ".join(f"`{name[:60]}`" for name in there[:12])
                raise Wrong("path", f"{path} has no column `{text}`: it has {has}", "name the column as in training")
            roles = Roles((), frozenset(), wanted if set(wanted) <= set(there) else (), None, None, None, None, {})
            columns = columns_of(roles, self.like.facts.task, reader.decimal, reader.missing)
            tokens = Tokens(self.tokenizer, Words())
            table = reader.fill(path, {**columns, text: tokens}, there)  # type: ignore[dict-item]
            table.columns = columns
            if not len(table):
                raise Wrong("path", f"{path} has no rows", "save at least one")
            notes = partly_labelled(str(path), wanted, table, there, len(table))
            labelled = bool(roles.target) and not any(column.count_missing for column in columns.values())
            table.columns = columns if labelled else {}
            table.check(hint="save the columns as those of the training")
            y = targets(table, wanted, self.like.facts, NOT_TRAINED) if labelled else None
        except Wrong as wrong:
            raise wrong.as_error() from None
        if y is not None and self.like.facts.task == "regression":
            y = scaled(y, scales_of(self.like.learnt or {}))
        found = self._samples(str(path), tokens, y)
        return replace(found, notes=(*found.notes, *notes))

    def _samples(self, file: str, tokens: Tokens, y: np.ndarray | None, names: Sequence[str] | None = None) -> Samples:
        vocabulary = Vocabulary.from_json(self.form, self.like.learnt)
        read, numbers = vocabulary.reading(tokens.words.names)
        texts = read(Ragged.of(tokens))
        known = np.bincount(texts.rows, numbers[texts.tokens] >= len(self.form.specials), minlength=len(texts))
        rows = np.flatnonzero(known == 0)
        notes: list[str] = []
        if len(rows):
            shown = [names[row] if names is not None else f"{row}" for row in rows[:_MOST_TOLD].tolist()]
            more = ", …" if len(rows) > _MOST_TOLD else ""
            told = f"{len(rows):,} of {len(texts):,} texts of {file} have no token that training knew"
            notes.append(f"{told}: {', '.join(shown)}{more}" + ("" if names is not None else " (counted from 0)"))
        labelled = y is not None or self.like.facts.task == "reconstruction"
        return Samples(file, Split(encoded(texts, vocabulary, numbers), y), labelled, names, tuple(notes))
