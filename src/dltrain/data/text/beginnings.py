"""The ends of new texts, from which a model goes on by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from dltrain.data.samples import Beginnings
from dltrain.data.text.tokens import joined
from dltrain.data.text.vocabulary import Vocabulary

_LONGEST = 100  # characters of a token, on the average of a window


class End:
    """Keeps the last lines of a text while they are read, enough for a window of `length` tokens."""

    def __init__(self, length: int) -> None:
        self._most, self._kept = _LONGEST * length, deque[str]()
        self._size = 0

    def of(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield lines as they are."""
        for line in lines:
            self._kept.append(line)
            self._size += len(line) + 1
            while self._size - len(self._kept[0]) - 1 > self._most:
                self._size -= len(self._kept.popleft()) + 1
            yield line

    @property
    def text(self) -> str:
        """The end of the text, without that of its last line."""
        return "\n".join(self._kept)[-self._most :]


def beginnings(windows: np.ndarray, names: Sequence[str], vocabulary: Vocabulary, split: str) -> Beginnings:
    """Return windows with what a model may say after them: tokens, not what stands for padding or unknown ones."""
    first = len(vocabulary.form.specials)
    tokens = dict(enumerate(vocabulary.names[first:], first))
    return Beginnings(windows, names, tokens, joined(split))
