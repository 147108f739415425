"""The arguments that say what becomes of texts, in the words of `keras.layers.TextVectorization`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.data.text.tokens import Tokenizer

UNKNOWN = "[UNK]"
OUTPUT_MODES = ("int", "multi_hot", "count", "tf_idf")
SIDES = ("pre", "post")


@dataclass(frozen=True, slots=True)
class Form:
    """What becomes of a text, in Keras's words.

    Args:
        max_tokens: size of the vocabulary, with what stands for padding (of `int` alone) and for unknown tokens.
        output_mode: `int` for the number of each token, or a number for each token of the vocabulary: `multi_hot`,
            `count` or `tf_idf`.
        output_sequence_length: tokens of a text in the mode `int`; 0 in the others.
        padding, truncating: the end of a text that is filled with 0 or cut.
        subwords: whether tokens are parts of words, which are learnt.
    """

    max_tokens: int
    output_mode: str
    output_sequence_length: int = 0
    padding: str = "post"
    truncating: str = "post"
    subwords: bool = False

    @property
    def shape(self) -> tuple[int]:
        """Of one text."""
        return (self.output_sequence_length if self.whole else self.max_tokens,)

    @property
    def whole(self) -> bool:
        """Whether texts become the numbers of tokens."""
        return self.output_mode == "int"

    @property
    def specials(self) -> tuple[str, ...]:
        """What the vocabulary begins with."""
        return ("", UNKNOWN) if self.whole else (UNKNOWN,)


def form_of(arguments: Mapping[str, Any]) -> Form:
    """Return the form that filled arguments without a contradiction say."""
    return Form(
        arguments["max_tokens"],
        arguments["output_mode"],
        arguments["output_sequence_length"] or 0,
        arguments["padding"],
        arguments["truncating"],
        arguments["split"] == "subword",
    )


def tokenizer_of(arguments: Mapping[str, Any], *, keep_space: bool = False) -> Tokenizer:
    """Return the tokenizer that filled arguments say."""
    return Tokenizer(arguments["standardize"], arguments["split"], arguments["ngrams"], keep_space)


def contradictions(written: Mapping[str, Any], filled: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what arguments say against each other: the argument at fault, a message and a hint."""
    mode, length = filled["output_mode"], filled["output_sequence_length"]
    if mode == "int" and length is None:
        message = "texts as the numbers of their tokens need a length, to which they are padded and cut"
        yield "output_sequence_length", message, "write `output_sequence_length: 200`, or `output_mode: tf_idf`"
    if filled["split"] == "subword" and filled["ngrams"] is not None:
        yield "ngrams", "subwords are learnt in any length: there is no use for `ngrams`", "remove `ngrams`"
    for key in ("output_sequence_length", "padding", "truncating") if mode != "int" else ():
        if written.get(key) is not None:
            message = f"`output_mode: {mode}` gives each text a number for each token of the vocabulary: no length"
            yield key, message, f"remove `{key}`"
