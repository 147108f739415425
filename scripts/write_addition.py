"""Write sums of two numbers as characters, for the config that learns to add: "535+61 " -> "596 ".

    python scripts/write_addition.py

configs/data/addition.npz has questions in one-hot characters, and answers in single characters. As in Keras's example
"Sequence to sequence learning for performing number addition", no question comes twice, nor with its numbers swapped,
and questions are written backwards, which makes them easier to learn.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent.parent / "configs" / "data" / "addition.npz"
CHARACTERS = np.array([*"0123456789+ "])
DIGITS = 3
_TRAIN, _TEST = 45_000, 5_000


def pairs(count: int, seed: int = 42) -> list[tuple[int, int]]:
    """Return different pairs of numbers of 1 to 3 digits, no length rarer than another; none is another one swapped."""
    generator = np.random.default_rng(seed)
    found: dict[tuple[int, int], tuple[int, int]] = {}
    while len(found) < count:
        a, b = (int(generator.integers(10 ** int(generator.integers(1, DIGITS + 1)))) for _ in range(2))
        found.setdefault((min(a, b), max(a, b)), (a, b))
    drawn = list(found.values())
    return [drawn[place] for place in generator.permutation(count)]  # the short ones, drawn most often, are the first


def question(a: int, b: int) -> str:
    """Return what is asked, padded and backwards."""
    return f"{a}+{b}".ljust(2 * DIGITS + 1)[::-1]


def answer(a: int, b: int) -> str:
    """Return the sum, padded."""
    return str(a + b).ljust(DIGITS + 1)


def write(file: Path = FILE) -> Path:
    """Write the file, whole or not at all, unless it is there."""
    if file.exists():
        return file
    chosen = pairs(_TRAIN + _TEST)
    x = np.array([[*question(a, b)] for a, b in chosen])[:, :, None] == CHARACTERS
    y = np.array([[*answer(a, b)] for a, b in chosen])
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".tmp-addition-") as temporary:
        made = Path(temporary) / file.name
        np.savez_compressed(made, x_train=x[:_TRAIN], y_train=y[:_TRAIN], x_test=x[_TRAIN:], y_test=y[_TRAIN:])
        made.replace(file)
    return file


if __name__ == "__main__":
    print(write())
