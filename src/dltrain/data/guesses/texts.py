"""Texts in a column or in folders -> the data sets `text` and `text_folder`: lengths and the vocabulary."""

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
