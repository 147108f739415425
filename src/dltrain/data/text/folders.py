"""Texts in folders, one for each class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.data.facts import Facts, Task
from dltrain.data.folders.kinds import TEXTS
from dltrain.data.folders.listing import Listing, look
from dltrain.data.folders.names import printable
from dltrain.data.progress import tell
from dltrain.data.tables.table import Wrong
from dltrain.data.text.files import text_of
from dltrain.data.text.tables import texts_facts
from dltrain.data.text.tokens import Tokenizer, Tokens, Words
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset
    from dltrain.data.text.form import Form

_MOST_TOLD = 20
_EVERY = 1_000  # files


def listing_of(arguments: Mapping[str, Any], task: Task | None) -> Listing:
    """List the folder, without opening a file."""
    return look(Path(arguments["path"]), labelled=task != "reconstruction", kind=TEXTS)


def facts(listing: Listing, task: Task | None, form: Form) -> Facts:
    """Return what the listing says."""
    kind: Task = "reconstruction" if task == "reconstruction" else "classification"
    counts = {split: listing.count(split) for split in ("train", "test", "validation")}
    names = listing.class_names if kind == "classification" else ()
    return texts_facts("text_folder", kind, form, names, (), (), counts)


class Reading:
    """Reads files one after the other, without an `end` of theirs, and keeps the reasons of those that are no texts."""

    def __init__(self, root: Path, encoding: str, tokens: Tokens, end: str = "") -> None:
        self._root, self._encoding, self._tokens, self._end = root, encoding, tokens, end
        self.bad: list[tuple[str, str]] = []
        self.hint = ""

    def good(self, files: list[str]) -> Iterator[str]:
        """Yield the files whose texts were read."""
        for number, file in enumerate(files):
            if number % _EVERY == 0:
                tell("reading texts", number, len(files))
            try:
                self._tokens.add([text_of(self._root / file, self._encoding).removesuffix(self._end)])
            except Wrong as wrong:
                self.bad.append((file, str(wrong)))
                self.hint = self.hint or wrong.hint
            else:
                yield file

    def told(self, count: int) -> str:
        """Return which files are bad and why; empty if none is."""
        if not self.bad:
            return ""
        shown = [f"{printable(file)}: {reason}" for file, reason in self.bad[:_MOST_TOLD]]
        more = [f"and {len(self.bad) - len(shown):,} more"] if len(self.bad) > len(shown) else []
        return f"{len(self.bad):,} of {count:,} texts in {self._root} cannot be read: {'; '.join([*shown, *more])}"


def read(arguments: Mapping[str, Any], task: Task | None, tokenizer: Tokenizer, form: Form) -> RawDataset:
    """Read the texts. Raises DataError if the folder is not as it should be, or with all files that are no texts."""
    import numpy as np

    from dltrain.data.arrays import Division, Split
    from dltrain.data.text.preparing import Texts, empty_told
    from dltrain.data.text.ragged import Ragged

    listing = listing_of(arguments, task)
    if listing.error is not None:
        raise DataError(listing.error.message, listing.error.hint)
    root, places = Path(arguments["path"]), {name: place for place, name in enumerate(listing.class_names)}
    words, splits, notes = Words(), {}, list[str]()
    told: list[str] = []
    for split, classes in listing.splits.items():
        tokens = Tokens(tokenizer, words)
        reading = Reading(root, arguments["encoding"], tokens)
        files = [file for group in classes.values() for file in group]
        labels = dict(zip(files, [places[name] for name, group in classes.items() for _ in group], strict=True))
        good = list(reading.good(files))
        if reading.bad:
            told.append(reading.told(len(files)))
        if reading.bad and arguments["on_bad"] != "skip":
            raise DataError(told[-1], f"{reading.hint}; or leave such files out: `on_bad: skip`")
        texts = Ragged.of(tokens)
        splits[split] = Split(texts, np.array([labels[file] for file in good], np.int64))
        notes += empty_told(texts, str(root), lambda row, good=good: printable(good[row]))  # type: ignore[misc]
    there = set(splits["train"].y.tolist())
    if lost := [name for name, place in places.items() if place not in there]:
        raise DataError(f"the class `{lost[0]}` has no text that can be read: {'; '.join(told)}", "mend some of them")
    notes += [f"{message}; they are left out" for message in told]
    return Texts(facts(listing, task, form), form, words.names, splits, Division(), tuple(notes)).raw()
