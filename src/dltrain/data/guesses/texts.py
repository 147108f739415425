"""Texts in a column, in folders or a long one -> the data sets `text` and `text_folder`: lengths, the vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from dltrain.data.folders.kinds import TEXTS
from dltrain.data.folders.listing import look
from dltrain.data.guesses.guess import FEWEST, Guess, Taken, plural, told
from dltrain.data.guesses.writing import encoding_of
from dltrain.errors import DataError

_GLANCE = 500  # files that are looked at
_MOST_BYTES = 2**16  # of each
_LONGEST = 500  # tokens: what a small model reads
_MOST_WORDS = 2_000
# Of a long text: characters that are looked at, that it has at least, that are told apart, and those of windows.
_MOST_CHARACTERS, _FEWEST_CHARACTERS, _MOST_KNOWN = 2**22, 1_000, 5_000
_WINDOW, _STRIDE = 40, 10
# Words of all texts -> size of the vocabulary: rarer words come too seldom to be learnt.
_VOCABULARIES = ((20_000, 1_000), (200_000, 5_000), (0, 10_000))


def guess_text_folder(path: Path) -> Guess:
    """List a folder of texts, and look at some. Raises DataError if it cannot be trained."""
    listing = look(path, kind=TEXTS)
    if listing.error is not None:
        raise DataError(listing.error.message, listing.error.hint)
    if listing.count("train") < FEWEST:
        raise DataError(f"{path} has {plural(listing.count('train'), 'text')} to train on", f"give at least {FEWEST}")
    files = [file for classes in listing.splits.values() for group in classes.values() for file in group]
    some = [path / file for file in files[:: max(1, len(files) // _GLANCE)][:_GLANCE]]
    encodings = Counter(encoding_of(file) for file in some)
    lengths = Counter(_words(file) for file in some)
    arguments = tokens(lengths, len(files) / len(some))
    if encodings["utf-8"] < len(some):
        other = next(encoding for encoding in encodings if encoding != "utf-8")
        arguments["encoding"] = Taken(other, f"{plural(len(some) - encodings['utf-8'], 'text')} are no UTF-8")
    names = listing.class_names
    return Guess(
        source="text_folder",
        found=", ".join(f"{listing.count(split):,} texts for {split}" for split in listing.splits),
        arguments=arguments,
        task=Taken("classification", f"{plural(len(names), 'class')}, the folders {told(names)}"),
        kind="indices",
        shape=(arguments["output_sequence_length"].value,),
        train=listing.count("train"),
        classes=len(names),
        vocabulary=arguments["max_tokens"].value,
        has_test=bool(listing.count("test")),
        has_validation=bool(listing.count("validation")),
        padded=True,
    )


def guess_long_text(path: Path, why: str) -> Guess:
    """Count the characters of a text that is no table, and `why`. Raises DataError if it is too short."""
    encoding = encoding_of(path)
    with path.open(encoding=encoding, errors="replace") as stream:
        text = stream.read(_MOST_CHARACTERS)
    if len(text) < _FEWEST_CHARACTERS:
        message = f"{why}; taken for a text that goes on, it has {plural(len(text), 'character')}"
        raise DataError(message, f"give a table, or a text of at least {_FEWEST_CHARACTERS:,} characters")
    known = min(len(set(text)) + 2, _MOST_KNOWN)
    arguments = {
        "split": Taken("character", "or `subword` with 2,000 `max_tokens`, where a text is long"),
        "standardize": Taken("none", "letters and marks as they are"),
        "max_tokens": Taken(known, f"{known - 2:,} different characters, what stands for others, and padding"),
        "output_sequence_length": Taken(_WINDOW, "characters that tell the next one"),
        "sequence_stride": Taken(_STRIDE, "characters from a window to the next"),
    }
    if encoding != "utf-8":
        arguments["encoding"] = Taken(encoding, "it is no UTF-8")
    return Guess(
        source="text",
        found=f"a text of {path.stat().st_size:,} bytes (no table: {why})",
        arguments=arguments,
        task=Taken("sequence", "the next character after each one; `dltrain predict latest FILE --steps 200` goes on"),
        kind="indices",
        shape=(_WINDOW,),
        train=max(1, (path.stat().st_size - _WINDOW) // _STRIDE),
        classes=known,
        target_shape=(_WINDOW,),
        vocabulary=known,
    )


def _words(file: Path) -> int:
    with file.open("rb") as stream:
        return min(_MOST_WORDS, len(stream.read(_MOST_BYTES).split()))


def tokens(lengths: Mapping[int, int], times: float = 1.0) -> dict[str, Taken]:
    """Return how texts become numbers.

    Args:
        lengths: how many texts have how many words.
        times: how many texts there are for each of these.
    """
    count = sum(lengths.values())
    words = sum(length * texts for length, texts in lengths.items()) * times
    size = next(size for most, size in _VOCABULARIES if words < most or not most)
    below, length = 0, 1
    for length in sorted(lengths):
        below += lengths[length]
        if below >= 0.95 * count:
            break
    length = max(2, min(length, _LONGEST))
    why = f"words, most texts have no more; the longest has {max(lengths):,}; others are padded with 0"
    return {
        "max_tokens": Taken(size, f"the most frequent words of the training split, of about {words:,.0f} in all"),
        "output_sequence_length": Taken(length, why),
    }
