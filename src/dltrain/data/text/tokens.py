"""Texts -> tokens, by the rule of `keras.layers.TextVectorization`."""

from __future__ import annotations

import re
import string
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation", "none")
SPLIT = ("whitespace", "character", "subword")
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_PUNCTUATION = string.punctuation.encode()
# Of subwords: letters and digits, or marks, each with the space before it; other spaces and ends of lines one by one.
_PIECES = re.compile(r" ?\w{1,64}| ?[^\w\s]{1,64}|\s")
Token = bytes | str


def joined(split: str) -> str:
    """Return what stands between the tokens of a text that people read."""
    return " " if split == "whitespace" else ""


class Tokenizer:
    """Splits texts into words or characters; for subwords, into the pieces in which no two are merged.

    As in Keras, letters and punctuation of ASCII alone are changed, and words are what stands between ASCII
    whitespace.

    Args:
        standardize: one of `STANDARDIZE`.
        split: one of `SPLIT`.
        ngrams: the most tokens in a row that count as one token too; None for single ones.
        keep_space: whether subwords have the spaces and ends of lines of a text as they are; else each word has a
            space before it, the first one too.
    """

    def __init__(self, standardize: str, split: str, ngrams: int | None, keep_space: bool = False) -> None:
        self._table = _LOWER if standardize.startswith("lower") else None
        self._removed = _PUNCTUATION if standardize.endswith("strip_punctuation") else b""
        self._characters, self._ngrams = split == "character", ngrams or 1
        self._subwords, self._keep_space = split == "subword", keep_space

    def __call__(self, text: str) -> Sequence[Token]:
        """Return the tokens of a text: all single ones, then all pairs, and so on."""
        plain = text.encode("utf-8", "replace").translate(self._table, self._removed)
        if self._subwords:
            plain = plain if self._keep_space else b"".join(b" " + word for word in plain.split())
            return _PIECES.findall(plain.decode())
        tokens: Sequence[Token] = plain.decode() if self._characters else plain.split()
        if self._ngrams == 1:
            return tokens
        join: Callable[[Iterable[Any]], Token] = (" " if self._characters else b" ").join
        found = list(tokens)
        for width in range(2, self._ngrams + 1):
            found += [join(tokens[start : start + width]) for start in range(len(tokens) - width + 1)]
        return found


class Words(dict[Token, int]):
    """The place of each different token, in the order of their first."""

    def __missing__(self, token: Token) -> int:
        place = self[token] = len(self)
        return place

    @property
    def names(self) -> list[str]:
        """The tokens in the order of their places."""
        return [token if isinstance(token, str) else token.decode() for token in self]


class Tokens:
    """A column of texts, each by its tokens, and these by their places in `words`.

    Args:
        codes: the tokens of all texts, one text after the other.
        ends: where each text ends in `codes`.
    """

    count_missing = 0  # an empty text is one, too

    def __init__(self, tokenizer: Tokenizer, words: Words) -> None:
        self._tokenizer, self.words = tokenizer, words
        self.codes, self.ends = array("i"), array("q")

    def add(self, texts: Iterable[str]) -> None:
        """Append the tokens of some texts."""
        code = self.words.__getitem__
        for text in texts:
            self.codes.extend(map(code, self._tokenizer(text)))
            self.ends.append(len(self.codes))

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def total(self) -> int:
        """The number of tokens of all texts."""
        return len(self.codes)


class Count:
    """How many tokens texts have."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer, self.total = tokenizer, 0

    def add(self, texts: Iterable[str]) -> None:
        """Count the tokens of some texts."""
        self.total += sum(len(self._tokenizer(text)) for text in texts)
