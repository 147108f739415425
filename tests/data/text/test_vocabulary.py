"""Tokens, vocabulary and samples are those of `keras.layers.TextVectorization`."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.data.text.form import OUTPUT_MODES, UNKNOWN, Form
from dltrain.data.text.ragged import Ragged
from dltrain.data.text.tokens import SPLIT, STANDARDIZE, Tokenizer, Tokens, Words
from dltrain.data.text.vocabulary import Vocabulary, learn_vocabulary
from dltrain.errors import DataError

RNG = np.random.default_rng(5)
LETTERS = [*"aAbBZé ÄΩ.,'\t\n\x0b\x1c\u00a0\u2014-_!  \r\x0c日😀\0"]
TEXTS = ["".join(RNG.choice(LETTERS, RNG.integers(0, 60))) for _ in range(60)]
TEXTS += ["", " ", "...", UNKNOWN, "a b c d a", "b a"]


def read(texts: list[str], *how: Any) -> tuple[Ragged, list[str]]:
    tokens = Tokens(Tokenizer(*how), Words())
    tokens.add(texts)
    return Ragged.of(tokens), tokens.words.names


def learnt(form: Form, texts: Ragged, words: list[str]) -> Vocabulary:
    return learn_vocabulary(form, np.bincount(texts.tokens, minlength=len(words)), words, texts)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras's TextVectorization needs TensorFlow")
@pytest.mark.parametrize(("standardize", "split", "ngrams"), [*itertools.product(STANDARDIZE, SPLIT[:2], [None, 1, 3])])
def test_vocabulary_is_that_of_keras(standardize: str, split: str, ngrams: int | None) -> None:
    texts, words = read(TEXTS, standardize, split, ngrams)
    training = texts[np.arange(0, len(TEXTS), 2)]
    for mode in OUTPUT_MODES:
        length = 12 if mode == "int" else None
        layer = keras.layers.TextVectorization(
            max_tokens=30,
            standardize=None if standardize == "none" else standardize,
            split=split,
            ngrams=ngrams,
            output_mode=mode,
            pad_to_max_tokens=mode != "int",
            output_sequence_length=length,
        )
        layer.adapt(TEXTS[::2])
        form = Form(30, mode, length or 0)
        vocabulary = learnt(form, training, words)
        assert list(vocabulary.names) == layer.get_vocabulary()
        found = vocabulary.encode(texts, vocabulary.numbers(words))
        assert found.shape == (len(TEXTS), *form.shape)
        np.testing.assert_allclose(found, layer(TEXTS).numpy(), rtol=3e-7)


@pytest.mark.parametrize(
    ("padding", "truncating", "rows"),
    [
        ("post", "post", [[2, 3, 0], [2, 2, 3], [0, 0, 0]]),
        ("pre", "post", [[0, 2, 3], [2, 2, 3], [0, 0, 0]]),
        ("post", "pre", [[2, 3, 0], [2, 3, 4], [0, 0, 0]]),
        ("pre", "pre", [[0, 2, 3], [2, 3, 4], [0, 0, 0]]),
    ],
)
def test_vocabulary_pads_and_cuts_at_the_end_that_is_said(padding: str, truncating: str, rows: list[list[int]]) -> None:
    texts, words = read(["a b", "a a b c", ""], "none", "whitespace", None)
    vocabulary = learnt(Form(10, "int", 3, padding, truncating), texts, words)
    assert vocabulary.encode(texts, vocabulary.numbers(words)).tolist() == rows


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([3, 0]), np.array([], np.int64), slice(None)])
def test_ragged_gives_texts_by_row(rows: Any) -> None:
    given = ["a b", "", "c a a", "b"]
    texts, words = read(given, "none", "whitespace", None)
    found = texts[rows]
    ends = np.cumsum(found.lengths)
    parts = [[words[code] for code in found.tokens[e - n : e]] for e, n in zip(ends, found.lengths, strict=True)]
    assert parts == [text.split() for text in np.array(given)[rows].tolist()]
    assert found.rows.tolist() == [row for row, part in enumerate(parts) for _ in part]
    assert found.places.tolist() == [place for part in parts for place in range(len(part))]


def test_vocabulary_comes_back_from_json() -> None:
    texts, words = read(["a b", "a c"], "none", "whitespace", None)
    for mode in OUTPUT_MODES:
        form = Form(10, mode, 4)
        vocabulary = learnt(form, texts, words)
        again = Vocabulary.from_json(form, {"text": vocabulary.to_json()})
        numbers = vocabulary.numbers(words)
        assert again.names == vocabulary.names
        assert np.array_equal(again.encode(texts, numbers), vocabulary.encode(texts, numbers))


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        {},
        {"text": {}},
        {"text": {"vocabulary": ["a", 1], "idf": None}},
        {"text": {"vocabulary": ["a", "a"], "idf": None}},
        {"text": {"vocabulary": ["a", "b", "c"], "idf": [1.0] * 4}},
        {"text": {"vocabulary": ["a"], "idf": [1.0]}},
        {"text": {"vocabulary": ["a"], "idf": [1.0, float("nan")]}},
        {"text": {"vocabulary": ["a"], "idf": "x"}},
        {"text": {"vocabulary": ["a"], "idf": [10**400, 1.0]}},
    ],
)
def test_vocabulary_that_is_damaged_is_told(damaged: Any) -> None:
    with pytest.raises(DataError, match="what the run has learnt of its texts is damaged"):
        Vocabulary.from_json(Form(3, "tf_idf"), damaged)


def test_vocabulary_needs_a_token() -> None:
    texts, words = read(["", "..."], STANDARDIZE[0], "whitespace", None)
    with pytest.raises(DataError, match="no token"):
        learnt(Form(10, "int", 3), texts, words)
