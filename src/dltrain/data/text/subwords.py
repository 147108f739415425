"""Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): words -> the parts that often come together.

Hugging Face `tokenizers` learns which pairs are merged; with them, words are divided here, so that a trained run needs
no library and no format but its own. The library's result depends neither on threads nor on the order of words: it is
given the words between characters that are kept, so that it chooses none itself.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import groupby, pairwise

import numpy as np

from dltrain.data.text.ragged import Ragged
from dltrain.errors import DataError

Merge = tuple[str, str]
_RAREST = 2  # times that a pair comes at least, to be merged
_TOGETHER = 1_000  # words handed on at once


def learn_merges(counts: Mapping[str, int], most: int) -> tuple[tuple[str, ...], tuple[Merge, ...]]:
    """Learn from words and how often each comes; return the tokens, characters first, and the pairs merged in order.

    Raises DataError if the library is not installed.
    """
    if find_spec("tokenizers") is None:
        message = "subwords are learnt by `tokenizers`, which is not installed"
        raise DataError(message, "`pip install 'dltrain[subwords]'`")
    letters: Counter[str] = Counter()
    for word, count in counts.items():
        for letter in word:
            letters[letter] += count
    kept = sorted(letters, key=lambda letter: (-letters[letter], letter))[:most]
    merges = tuple(_merges(_runs(counts, set(kept)), kept, most)) if len(kept) < most else ()
    return tuple(dict.fromkeys([*kept, *(left + right for left, right in merges)])), merges


def _runs(counts: Mapping[str, int], kept: set[str]) -> Iterator[list[str]]:
    """Yield the parts of words between characters that are not kept, each as often as it comes."""
    for word, count in counts.items():
        for known, run in groupby(word, kept.__contains__):
            if known and len(part := "".join(run)) > 1:
                for start in range(0, count, _TOGETHER):
                    yield [part] * min(_TOGETHER, count - start)


def _merges(runs: Iterator[list[str]], letters: list[str], most: int) -> Iterator[Merge]:
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=most, min_frequency=_RAREST, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator(runs, trainer)
    for merge in json.loads(tokenizer.to_str())["model"]["merges"]:
        left, right = merge
        yield left, right


def divided(words: Sequence[str], merges: Sequence[Merge], places: Mapping[str, int], unknown: int) -> Ragged:
    """Return the numbers of the parts of each word; a character that is no token is `unknown`."""
    ranks = {merge: rank for rank, merge in enumerate(merges)}
    codes, bounds = array("i"), array("q", [0])
    for word in words:
        codes.extend(places.get(part, unknown) for part in _parts(word, ranks))
        bounds.append(len(codes))
    edges = np.array(bounds, np.int64)
    return Ragged(np.array(codes, np.intc), edges[:-1], edges[1:])


def _parts(word: str, ranks: Mapping[Merge, int]) -> list[str]:
    """Merge the pairs of a word, first those that were learnt first."""
    parts, last = list(word), len(ranks)
    while len(parts) > 1:
        best = min(pairwise(parts), key=lambda pair: ranks.get(pair, last))
        if best not in ranks:
            break
        merged: list[str] = []
        for part in parts:
            if merged and (merged[-1], part) == best:
                merged[-1] += part
            else:
                merged.append(part)
        parts = merged
    return parts
