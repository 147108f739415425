"""The vocabulary of the training split, and what it makes of texts: what `keras.layers.TextVectorization` makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dltrain.data.text.form import UNKNOWN, Form
from dltrain.data.text.ragged import Ragged
from dltrain.data.text.subwords import Merge, divided, learn_merges
from dltrain.errors import DataError

_LARGEST = 2**25  # bytes of all tokens: they are kept in the run
_TRAIN_ANEW = "train it anew with this version"


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens that the training split has.

    Args:
        form: what becomes of a text.
        tokens: the most frequent first, of equally frequent ones the last in the order of code points; without those
            that stand for padding and for unknown tokens. Of subwords: characters, then what was merged, in order.
        idf: the weight of each token, that of unknown ones first, float32; None unless the mode is `tf_idf`.
        merges: of subwords, the pairs that are merged, in order.
    """

    form: Form
    tokens: tuple[str, ...]
    idf: np.ndarray | None = None
    merges: tuple[Merge, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All tokens by their number."""
        return (*self.form.specials, *self.tokens)

    def reading(self, words: Sequence[str]) -> tuple[Callable[[Ragged], Ragged], np.ndarray]:
        """Return what makes texts of words texts of tokens, and the number of each of these, int32."""
        if not self.form.subwords:
            return lambda texts: texts, self.numbers(words)
        first = len(self.form.specials)
        places = {token: place for place, token in enumerate(self.tokens, first)}
        table = divided(words, self.merges, places, first - 1)
        return lambda texts: texts.through(table), np.arange(first + len(places), dtype=np.int32)

    def numbers(self, words: Sequence[str]) -> np.ndarray:
        """Return the number of each word, int32."""
        first = len(self.form.specials)
        places = {token: place for place, token in enumerate(self.tokens, first)}
        return np.array([places.get(word, first - 1) for word in words], np.int32)

    def encode(self, texts: Ragged, numbers: np.ndarray) -> np.ndarray:
        """Return texts as int32 of shape (texts, length), or float32 of shape (texts, max_tokens).

        Args:
            texts: texts whose codes are places in `numbers`.
            numbers: what `numbers` returns.
        """
        return self._sequences(texts, numbers) if self.form.whole else self._bags(texts, numbers)

    def _sequences(self, texts: Ragged, numbers: np.ndarray) -> np.ndarray:
        length = self.form.output_sequence_length
        kept = texts.clipped(length, self.form.truncating == "post")
        rows, places = kept.rows, kept.places
        if self.form.padding == "pre":
            places = places + (length - kept.lengths)[rows]
        found = np.zeros((len(texts), length), np.int32)
        found[rows, places] = numbers[kept.tokens]
        return found

    def _bags(self, texts: Ragged, numbers: np.ndarray) -> np.ndarray:
        rows, found_numbers = texts.rows, numbers[texts.tokens]
        size = self.form.max_tokens
        if self.form.output_mode == "multi_hot":
            found = np.zeros((len(texts), size), np.float32)
            found[rows, found_numbers] = 1
            return found
        counts = np.bincount(rows * size + found_numbers, minlength=len(texts) * size)
        found = counts.reshape(len(texts), size).astype(np.float32)
        if self.idf is not None:
            found[:, : len(self.idf)] *= self.idf
        return found

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data, without the form."""
        plain = {"vocabulary": list(self.tokens), "idf": self.idf.tolist() if self.idf is not None else None}
        return {**plain, "merges": [list(merge) for merge in self.merges]} if self.form.subwords else plain

    @classmethod
    def from_json(cls, form: Form, learnt: Mapping[str, Any] | None) -> Vocabulary:
        """Return what `to_json` gave. Raises DataError if it is none."""
        try:
            written = (learnt or {})["text"]
            tokens, idf = written["vocabulary"], written["idf"]
            if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
                raise ValueError("the vocabulary is no list of tokens")
            if len(set(tokens)) < len(tokens) or len(tokens) + len(form.specials) > form.max_tokens:
                raise ValueError("the vocabulary has tokens twice, or too many")
            with np.errstate(over="ignore"):  # infinity is told below
                weights = np.array(idf, np.float32) if form.output_mode == "tf_idf" else None
            if weights is not None and (weights.shape != (len(tokens) + 1,) or not np.isfinite(weights).all()):
                raise ValueError("the weights of tokens are no numbers")
            merges = _checked(written["merges"], set(tokens)) if form.subwords else ()
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise DataError(f"what the run has learnt of its texts is damaged: {error}", _TRAIN_ANEW) from None
        return cls(form, tuple(tokens), weights, merges)


def _checked(merges: Any, tokens: set[str]) -> tuple[Merge, ...]:
    """Return merges of tokens to tokens. Raises TypeError or ValueError if one is none."""
    pairs = []
    for left, right in merges:
        if not {left, right, left + right} <= tokens:
            raise ValueError("what is merged is no token")
        pairs.append((left, right))
    return tuple(pairs)


def learn_vocabulary(form: Form, counts: np.ndarray, words: Sequence[str], texts: Ragged | None = None) -> Vocabulary:
    """Learn from the training split.

    Args:
        form: what becomes of a text.
        counts: how often the split has each word.
        words: all words, by their codes.
        texts: those of the training, from which weights are learnt.

    Raises DataError if no token is there, or all are too large to be kept.
    """
    there = [
        (count, word, code)
        for code, (count, word) in enumerate(zip(counts.tolist(), words, strict=True))
        if count and word not in ("", UNKNOWN)
    ]
    if not there:
        raise DataError("the texts of the training split have no token", "look at the texts, and at `standardize`")
    if form.subwords:
        return _learn_subwords(form, {word: count for count, word, _ in there}, words, texts)
    there.sort(reverse=True)
    kept = there[: form.max_tokens - len(form.specials)]
    _check_size([word for _, word, _ in kept])
    idf = None
    if form.output_mode == "tf_idf" and texts is not None:
        idf = _weights(texts, np.array([code for _, _, code in kept]), len(words))
    return Vocabulary(form, tuple(word for _, word, _ in kept), idf)


def _check_size(tokens: Sequence[str]) -> None:
    if sum(map(len, tokens)) > _LARGEST:
        message = f"the {len(tokens):,} tokens of the vocabulary have more than {_LARGEST:,} characters"
        raise DataError(message, "lower `max_tokens`")


def _learn_subwords(form: Form, counts: Mapping[str, int], words: Sequence[str], texts: Ragged | None) -> Vocabulary:
    tokens, merges = learn_merges(counts, form.max_tokens - len(form.specials))
    _check_size(tokens)
    found = Vocabulary(form, tokens, None, merges)
    if form.output_mode != "tf_idf" or texts is None:
        return found
    read, numbers = found.reading(words)
    return replace(found, idf=_weights(read(texts), numbers[len(form.specials) :], len(numbers)))


def _weights(texts: Ragged, kept: np.ndarray, words: int) -> np.ndarray:
    """Return log(1 + texts / (1 + texts with the token)) for each token kept, before them their mean for unknown ones.

    As Keras computes it: in float64, their mean in float32.
    """
    pairs = np.unique(texts.rows * words + texts.tokens)
    having = np.bincount(pairs % words, minlength=words)[kept]
    weights = np.log(1 + len(texts) / (1 + having)).astype(np.float32)
    return np.concatenate([[weights.mean(dtype=np.float32)], weights]).astype(np.float32)
