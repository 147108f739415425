"""Byte-pair encoding: what is learnt, how words are divided by it, and that both are what `tokenizers` does."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dltrain.data.text.form import OUTPUT_MODES, Form
from dltrain.data.text.ragged import Ragged
from dltrain.data.text.subwords import divided, learn_merges
from dltrain.data.text.tokens import Tokenizer, Tokens, Words
from dltrain.data.text.vocabulary import Vocabulary, learn_vocabulary
from dltrain.errors import DataError

tokenizers = pytest.importorskip("tokenizers")
COUNTS = {" low": 5, " lower": 2, " newest": 6, " widest": 3}  # the example of Sennrich et al.


def parts(table: Ragged, row: int, names: tuple[str, ...]) -> list[str]:
    return [names[code] for code in table[np.array([row])].tokens]


def read(texts: list[str], keep_space: bool = False) -> tuple[Ragged, list[str]]:
    tokens = Tokens(Tokenizer("lower", "subword", None, keep_space), Words())
    tokens.add(texts)
    return Ragged.of(tokens), tokens.words.names


def learnt(form: Form, texts: Ragged, words: list[str]) -> Vocabulary:
    return learn_vocabulary(form, np.bincount(texts.tokens, minlength=len(words)), words, texts)


def test_subwords_are_the_pairs_that_come_most_often() -> None:
    tokens, merges = learn_merges(COUNTS, 100)
    letters = sorted(set("".join(COUNTS)), key=lambda letter: -sum(w.count(letter) * n for w, n in COUNTS.items()))
    assert set(tokens[: len(letters)]) == set(letters)
    assert tokens[0] == "e"
    assert merges[:2] in [(("e", "s"), ("es", "t")), (("s", "t"), ("e", "st"))]
    assert " low" in tokens
    assert " newest" in tokens
    assert tokens[len(letters) :] == tuple(dict.fromkeys(left + right for left, right in merges))


@pytest.mark.parametrize("most", [1, 3, 12, 13, 15])
def test_subwords_are_at_most_as_many_as_are_allowed(most: int) -> None:
    tokens, merges = learn_merges({**COUNTS, "z": 9, " w": 4}, most)
    assert len(tokens) <= most
    assert bool(merges) == (most > 12)
    if most == 1:
        assert tokens == (" ",)


def test_subwords_do_not_merge_what_comes_once() -> None:
    assert learn_merges({" abc": 1}, 100)[1] == ()


def test_subwords_divide_words_as_the_library_does() -> None:
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdeé日", k=rng.randint(1, 12))) for _ in range(400)]
    tokens, merges = learn_merges({word: rng.randint(1, 9) for word in words[:200]}, 120)
    table = divided(words, merges, {token: place for place, token in enumerate(tokens)}, -1)
    library = tokenizers.Tokenizer(tokenizers.models.BPE({t: n for n, t in enumerate(tokens)}, list(merges)))
    assert len(merges) > 80
    for row, word in enumerate(words):
        assert parts(table, row, tokens) == library.encode(word).tokens


def test_subwords_divide_a_word_with_characters_that_training_did_not_have() -> None:
    _, merges = learn_merges(COUNTS, 100)
    table = divided([" lowXest", ""], merges, {" low": 7, "est": 8}, 1)
    assert table[np.array([0])].tokens.tolist() == [7, 1, 8]
    assert table.lengths.tolist() == [3, 0]


def test_subwords_depend_neither_on_the_process_nor_on_threads_nor_on_the_order_of_words() -> None:
    code = (
        "import json, random, sys\nfrom dltrain.data.text.subwords import learn_merges\nrng = random.Random(1)\n"
        "words = sorted({''.join(rng.choices('abcdefghijkl', k=rng.randint(2, 9))) for _ in range(800)})\n"
        "random.Random(int(sys.argv[1])).shuffle(words)\n"
        "print(json.dumps(learn_merges(dict.fromkeys(words, 2), 500)))"
    )
    found = set()
    for number, settings in enumerate(
        [{}, {"RAYON_NUM_THREADS": "1"}, {"RAYON_NUM_THREADS": "3"}, {"TOKENIZERS_PARALLELISM": "false"}]
    ):
        around = {**os.environ, **settings}
        done = subprocess.run(
            [sys.executable, "-c", code, str(number)], capture_output=True, text=True, check=True, env=around
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert len(json.loads(found.pop())[1]) > 400


@pytest.mark.parametrize(
    ("text", "keep_space", "pieces"),
    [
        ("Don't  stop.\nNow", False, [" don", "'", "t", " stop", ".", " now"]),
        ("Don't  stop.\nNow", True, ["don", "'", "t", " ", " stop", ".", "\n", "now"]),
        ("é日本 a1_b", False, [" é日本", " a1_b"]),
        ("", False, []),
        ("  ", False, []),
        ("x" * 130, False, [" " + "x" * 64, "x" * 64, "xx"]),
    ],
)
def test_subwords_are_merged_within_pieces(text: str, keep_space: bool, pieces: list[str]) -> None:
    found = list(Tokenizer("lower", "subword", None, keep_space)(text))
    assert found == pieces
    assert not keep_space or "".join(pieces) == text.lower()


@pytest.mark.parametrize("mode", OUTPUT_MODES)
def test_subwords_in_every_mode_and_back_from_json(mode: str) -> None:
    texts, words = read(["low lower low", "lower newest", "", "low"])
    form = Form(14, mode, 6 if mode == "int" else 0, subwords=True)
    vocabulary = learnt(form, texts, words)
    again = Vocabulary.from_json(form, json.loads(json.dumps({"text": vocabulary.to_json()})))
    new, new_words = read(["lower XX"])
    rows = []
    for known in (vocabulary, again):
        to_tokens, numbers = known.reading(new_words)
        rows.append(known.encode(to_tokens(new), numbers))
    assert np.array_equal(rows[0], rows[1])
    assert rows[0].shape == (1, *form.shape)
    assert len(vocabulary.names) <= 14
    names = list(vocabulary.names)
    if mode == "int":
        told = [names[number] for number in rows[0][0] if number]
        assert "".join(told) == " lower [UNK][UNK]"
    elif mode == "multi_hot":
        assert rows[0][0, 0] == 1
        assert rows[0].sum() == len({*rows[0].nonzero()[1]})
    elif mode == "count":
        assert rows[0][0, names.index("[UNK]")] == 2
    else:
        assert vocabulary.idf is not None
        rarest = {name for name, weight in zip(names, vocabulary.idf, strict=True) if weight == vocabulary.idf.max()}
        assert " low" not in rarest
        assert "w" not in names or vocabulary.idf.shape == (len(names),)


@pytest.mark.parametrize(
    "merges",
    [
        None,
        7,
        "abc",
        [["a"]],
        [["a", "b", "c"]],
        [["a", "x"]],
        [["a", "a"]],
        [[1, 2]],
        [[["a"], "b"]],
        [[{}, {}]],
        {"abc": 1},
    ],
)
def test_subwords_that_are_damaged_are_told(merges: Any) -> None:
    form = Form(9, "int", 3, subwords=True)
    good = {"vocabulary": ["a", "b", "ab"], "idf": None, "merges": [["a", "b"]]}
    assert Vocabulary.from_json(form, {"text": good}).merges == (("a", "b"),)
    with pytest.raises(DataError, match="what the run has learnt of its texts is damaged"):
        Vocabulary.from_json(form, {"text": {**good, "merges": merges}})
    with pytest.raises(DataError, match="damaged: 'merges'"):
        Vocabulary.from_json(form, {"text": {"vocabulary": ["a"], "idf": None}})
