"""IMDB's reviews and Reuters's newswires, each a list of words by their index.

Sources: A. L. Maas and others, "Learning Word Vectors for Sentiment Analysis", 2011; D. D. Lewis, Reuters-21578.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.downloads.remote import Remote
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Contradiction, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from dltrain.data.arrays import RawDataset
    from dltrain.data.downloads.sequences import Sequences

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FILE_IMDB = Remote(
    "imdb.npz",
    _URL + "imdb.npz",
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "datasets/imdb.npz",
)
FILE_REUTERS = Remote(
    "reuters.npz",
    _URL + "reuters.npz",
    "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    "datasets/reuters.npz",
)
_TOPICS = (
    *("cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar"),
    *("trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp"),
    *("meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel"),
    *("rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog"),
    *("lead",),
)
_SENTIMENTS = ("negative", "positive")
_NEWSWIRES = 11_228
_MOST_WORDS = 1_000_000


def _count(meaning: str, default: int | None, minimum: int = 0, maximum: int = _MOST_WORDS) -> Argument:
    return Argument(
        ("int",),
        minimum=minimum,
        maximum=maximum,
        nullable=True,
        has_default=True,
        default=default,
        meaning=meaning,
    )


def _side(meaning: str) -> Argument:
    return Argument(("words",), choices=("pre", "post"), has_default=True, default="pre", meaning=meaning)


def _whole(meaning: str, default: int, maximum: int = _MOST_WORDS) -> Argument:
    return Argument(("int",), minimum=0, maximum=maximum, has_default=True, default=default, meaning=meaning)


ARGUMENTS_IMDB = {
    "num_words": _count("Indices from this one on become `oov_char`: the most frequent words are kept.", None, 1),
    "skip_top": _whole("Indices below this one become `oov_char`.", 0),
    "maxlen": _count("Samples of this length and longer are left out; to cut them, write `sequence_length`.", None, 1),
    "seed": _whole("Of the order of the samples.", 113, 2**32 - 1),
    "start_char": _count("Index that begins every sample.", 1),
    "oov_char": _count("Index in the place of words that are not kept; `null` leaves these words out.", 2),
    "index_from": _whole("Added to the index of every word, so that smaller ones are free.", 3),
    "output_mode": Argument(
        ("words",),
        choices=("int", "multi_hot"),
        has_default=True,
        default="int",
        meaning="A list of indices a sample, or for each of `num_words` whether the sample has it.",
    ),
    "sequence_length": _count(
        "Indices of each sample, with zeros in short ones, as `maxlen` of Keras's `pad_sequences`; needed by the mode "
        "`int`.",
        None,
        1,
        100_000,
    ),
    "padding": _side("Where the zeros stand."),
    "truncating": _side("Where samples that are too long are cut."),
}
_SPLIT = Argument(
    ("float",),
    minimum=0,
    maximum=0.9,
    has_default=True,
    default=0.2,
    meaning="Share of the samples that is the test split.",
)
ARGUMENTS_REUTERS = {
    name: argument
    for key, value in ARGUMENTS_IMDB.items()
    for name, argument in ((("test_split", _SPLIT), (key, value)) if key == "seed" else ((key, value),))
}


def _highest(arguments: Arguments) -> int | None:
    """Return the highest index that a sample may have; None where it is known only from the data."""
    if arguments["num_words"] is None:
        return None
    return max(arguments["num_words"] - 1, arguments["oov_char"] or 0)


def _facts(name: str, classes: tuple[str, ...], arguments: Arguments, train: int, test: int) -> Facts | None:
    """Return what is known of a data set before its file is read; None where its size or shape is not."""
    highest, hot = _highest(arguments), arguments["output_mode"] == "multi_hot"
    shape = highest + 1 if hot and highest is not None else None if hot else arguments["sequence_length"]
    if shape is None or arguments["maxlen"] is not None:
        return None
    return _known(name, classes, arguments, (shape,), train, test)


def _known(
    name: str, classes: tuple[str, ...], arguments: Arguments, shape: tuple[int, ...], train: int, test: int
) -> Facts:
    highest, hot = _highest(arguments), arguments["output_mode"] == "multi_hot"
    known = Facts(name, "classification", shape, classes, (), train, test, unit_range=hot, whole=not hot)
    if hot or highest is None:
        return known
    return replace(known, lowest=0.0, highest=float(highest))


def _facts_imdb(arguments: Arguments, task: Task | None = None) -> Facts | None:
    return _facts("imdb", _SENTIMENTS, arguments, 25_000, 25_000)


def _facts_reuters(arguments: Arguments, task: Task | None = None) -> Facts | None:
    train = int(_NEWSWIRES * (1 - arguments["test_split"]))  # the very expression of Keras, rounding and all
    return _facts("reuters", _TOPICS, arguments, train, _NEWSWIRES - train)


def contradictions(arguments: Arguments, task: Task | None) -> Iterator[Contradiction]:
    if arguments.get("output_mode", "int") == "multi_hot":
        if arguments.get("num_words") is None:
            yield Contradiction("output_mode", "`multi_hot` needs `num_words`", "write `num_words: 10000`")
        for key in ("sequence_length", "padding", "truncating"):
            if arguments.get(key) is not None:
                yield Contradiction(key, f"`{key}` has no effect: rows of `multi_hot` have no order", "remove it")
    elif arguments.get("sequence_length") is None:
        length = arguments.get("maxlen") or 200
        hint = f"write `sequence_length: {length}`, or `output_mode: multi_hot`"
        at = "maxlen" if arguments.get("maxlen") is not None else "sequence_length"
        yield Contradiction(at, "samples have different lengths, and the model needs one: say `sequence_length`", hint)
    if (arguments.get("skip_top") or 0) >= (arguments.get("num_words") or _MOST_WORDS + 1):
        message = "no word is both from `skip_top` on and below `num_words`"
        yield Contradiction("skip_top", message, "lower `skip_top`")


def read_imdb(arguments: Arguments, task: Task | None = None, file: Remote = FILE_IMDB) -> RawDataset:
    """Read the reviews, in the order that Keras shuffles them to. Raises DataError if the file cannot be had."""
    import numpy as np

    from dltrain.data.downloads.archives import npz_arrays
    from dltrain.data.downloads.fetching import fetch

    fetched = fetch("imdb", [file])
    arrays = npz_arrays(fetched.contents[0], file.path, ("x_train", "y_train", "x_test", "y_test"))
    random = np.random.RandomState(arguments["seed"])  # one for both splits, as Keras has it
    splits = [_prepared(random, x, y, arguments, file, 2) for x, y in (arrays[:2], arrays[2:])]
    return _made("imdb", _SENTIMENTS, arguments, splits, fetched.notes)


def read_reuters(arguments: Arguments, task: Task | None = None, file: Remote = FILE_REUTERS) -> RawDataset:
    """Read the newswires, in the order that Keras shuffles them to. Raises DataError if the file cannot be had."""
    import numpy as np

    from dltrain.data.downloads.archives import npz_arrays
    from dltrain.data.downloads.fetching import fetch

    fetched = fetch("reuters", [file])
    x, y = npz_arrays(fetched.contents[0], file.path, ("x", "y"))
    random = np.random.RandomState(arguments["seed"])
    words, labels = _prepared(random, x, y, arguments, file, len(_TOPICS))
    end = int(len(words) * (1 - arguments["test_split"]))
    splits = [(words.take(rows), labels[rows]) for rows in (np.arange(end), np.arange(end, len(words)))]
    return _made("reuters", _TOPICS, arguments, splits, fetched.notes)


def _prepared(
    random: np.random.RandomState, x: object, y: object, arguments: Arguments, file: Remote, classes: int
) -> tuple[Sequences, np.ndarray]:
    """Return the samples of an array and their labels: shuffled, marked, and without those that are too long."""
    import numpy as np

    from dltrain.data.downloads.sequences import Sequences

    labels = np.asarray(y)
    fitting = isinstance(x, list) and labels.dtype.kind in "iu" and labels.shape == (len(x),) and len(x) > 0
    if not fitting or labels.min() < 0 or labels.max() >= classes:
        raise DataError(f"{file.path} has other contents than lists and labels", "remove it from the cache")
    order = np.arange(len(labels))
    random.shuffle(order)
    words = Sequences.of(x, file.path).take(order)  # type: ignore[arg-type]
    words, labels = words.marked(arguments["start_char"], arguments["index_from"]), labels[order].astype(np.int64)
    if arguments["maxlen"] is None:
        return words, labels
    kept = np.flatnonzero(words.lengths < arguments["maxlen"])
    if not len(kept):
        message = f"no sample of {file.path} has fewer than {arguments['maxlen']:,} indices"
        raise DataError(message, "write a larger `maxlen`, or `sequence_length` to cut samples instead")
    return words.take(kept), labels[kept]


def _made(
    name: str,
    classes: tuple[str, ...],
    arguments: Arguments,
    splits: list[tuple[Sequences, np.ndarray]],
    notes: tuple[str, ...],
) -> RawDataset:
    """Return the splits with the words that are kept, as arrays of one length."""
    from dltrain.data.arrays import RawDataset, Split

    end = arguments["num_words"] or max(int(words.values.max(initial=0)) for words, _ in splits)
    kept = [words.limited(arguments["skip_top"], end, arguments["oov_char"]) for words, _ in splits]
    try:
        arrays = [_array(words, arguments) for words in kept]
    except MemoryError:
        raise DataError(f"`{name}` does not fit into memory", "lower `num_words` or `sequence_length`") from None
    train, test = (Split(x, labels) for x, (_, labels) in zip(arrays, splits, strict=True))
    known = _known(name, classes, arguments, train.x.shape[1:], len(train), len(test))
    if known.whole and known.highest is None:
        known = replace(known, lowest=0.0, highest=float(max(x.max(initial=0) for x in arrays)))
    return RawDataset(known, 1.0, train, test, notes=notes)


def _array(words: Sequences, arguments: Arguments) -> np.ndarray:
    """Return int32 indices, or uint8 flags. Raises MemoryError rather than let the system end the process."""
    hot = arguments["output_mode"] == "multi_hot"
    length = (_highest(arguments) or 0) + 1 if hot else arguments["sequence_length"]
    if len(words) * length * (1 if hot else 4) > os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4:
        raise MemoryError
    return words.multi_hot(length) if hot else words.padded(length, arguments["padding"], arguments["truncating"])


IMDB = Source(
    "imdb",
    "Reviews of films, good or bad: 25,000 to train on and 25,000 to test on, 2 classes. It is downloaded once, 17 "
    "MiB. Samples arrive as whole numbers, the indices of their words by frequency, for `Embedding`; or as multi-hot "
    "rows.",
    ARGUMENTS_IMDB,
    _facts_imdb,
    read_imdb,
    contradictions,
    example={"num_words": 10000, "sequence_length": 200},
)
REUTERS = Source(
    "reuters",
    "Newswires by topic: 11,228, of which 2,246 to test on, 46 classes. It is downloaded once, 2 MiB. Samples arrive "
    "as whole numbers, the indices of their words by frequency, for `Embedding`; or as multi-hot rows.",
    ARGUMENTS_REUTERS,
    _facts_reuters,
    read_reuters,
    contradictions,
    example={"num_words": 10000, "output_mode": "multi_hot"},
)
