"""Texts of different lengths in flat arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from dltrain.data.text.tokens import Tokens

_PART = 2**20  # codes replaced at once


class Ragged:
    """Texts as runs of one flat array of codes; used in the place of an array of samples.

    Args:
        codes: int32, of all texts.
        starts, ends: int64, where each text begins and ends in `codes`.
    """

    def __init__(self, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
        self.codes, self.starts, self.ends = codes, starts, ends
        self.dtype, self.shape, self.ndim = codes.dtype, (len(starts),), 1

    @classmethod
    def of(cls, tokens: Tokens) -> Ragged:
        """Return the texts of a column."""
        ends = np.frombuffer(tokens.ends, np.int64) if len(tokens) else np.empty(0, np.int64)
        codes = np.frombuffer(tokens.codes, np.intc) if len(tokens.codes) else np.empty(0, np.intc)
        return cls(codes, np.concatenate([[0], ends[:-1]]).astype(np.int64)[: len(ends)], ends)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: Any) -> Ragged:
        return Ragged(self.codes, self.starts[rows], self.ends[rows])

    @property
    def lengths(self) -> np.ndarray:
        """How many tokens each text has."""
        return self.ends - self.starts

    def clipped(self, most: int, keep_first: bool) -> Ragged:
        """Return the first or last `most` tokens of each text."""
        lengths = np.minimum(self.lengths, most)
        if keep_first:
            return Ragged(self.codes, self.starts, self.starts + lengths)
        return Ragged(self.codes, self.ends - lengths, self.ends)

    def through(self, table: Ragged) -> Ragged:
        """Return these texts with the row of a table in the place of each code."""
        lengths = table.lengths[self.codes]
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        parts = [table[self.codes[at : at + _PART]].tokens for at in range(0, len(self.codes), _PART)]
        codes = np.concatenate(parts) if parts else self.codes
        return Ragged(codes, ends[self.starts], ends[self.ends])

    @property
    def tokens(self) -> np.ndarray:
        """The codes of all tokens, one text after the other."""
        lengths = self.lengths
        begins = np.cumsum(lengths) - lengths
        total = int(lengths.sum())
        if not total or (self.starts[lengths > 0] - begins[lengths > 0] == self.starts[0]).all():
            return self.codes[self.starts[0] : self.starts[0] + total] if total else self.codes[:0]  # without a gap
        return self.codes[np.arange(total) + np.repeat(self.starts - begins, lengths)]

    @property
    def rows(self) -> np.ndarray:
        """The text of each of `tokens`."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def places(self) -> np.ndarray:
        """The place of each of `tokens` in its text."""
        lengths = self.lengths
        return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
