"""A first model for data of a kind: small, and of the layers that such data is learnt with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dltrain.data.guesses.guess import Guess, Taken

_LONG = 500  # steps beyond which an LSTM takes too long
_LARGE = 2_000  # samples from which wider layers pay
_FILTERS = (32, 64, 64)
_FEWEST_PIXELS = 8  # of the shorter side, which a block halves


def layers(guess: Guess) -> list[Taken]:
    """Return the layers of a model, each with what it does."""
    body = {"images": _images, "steps": _steps, "indices": _indices, "vector": _vector}.get(guess.kind, _other)
    return [*guess.before, *body(guess)]


def training(guess: Guess) -> tuple[str, str, list[str]]:
    """Return the loss, what it is for, and the metrics."""
    if guess.task.value == "multi_label":
        return "binary_crossentropy", "for a 0 or 1 for each label", ["BinaryAccuracy"]
    if guess.classes:
        return "sparse_categorical_crossentropy", "for one class of several", ["accuracy"]
    return "mean_squared_error", "for numbers", ["mae"]


def _layer(name: str, why: str = "", **arguments: Any) -> Taken:
    return Taken({name: arguments} if arguments else name, why)


def _units(guess: Guess) -> int:
    return 64 if guess.train >= _LARGE else 16


def _output(guess: Guess) -> Iterator[Taken]:
    """Yield the last layers behind a vector for each sample, or for each step of a sequence."""
    if guess.task.value == "multi_label":
        yield _layer("Dense", "a probability for each label", units=guess.classes, activation="sigmoid")
    elif guess.classes:
        yield _layer("Dense", "a probability for each class", units=guess.classes, activation="softmax")
    elif guess.task.value in ("regression", "sequence"):
        count = guess.target_shape[-1]
        yield _layer("Dense", "a number" if count == 1 else f"{count:,} numbers", units=count)
    else:
        yield _layer("Dense", "the numbers of the target", units=math.prod(guess.target_shape))
        if len(guess.target_shape) > 1:
            yield _layer("Reshape", "in its shape", target_shape=list(guess.target_shape))


def _vector(guess: Guess) -> Iterator[Taken]:
    units = _units(guess)
    yield _layer("Dense", "change `units` first: more learn more, but also by heart", units=units, activation="relu")
    yield _layer("Dense", units=units, activation="relu")
    yield from _output(guess)


def _other(guess: Guess) -> Iterator[Taken]:
    if guess.task.value == "sequence":
        yield from _dense_steps(guess)
        return
    yield _layer("Flatten", "all numbers of a sample in one vector")
    yield from _vector(guess)


def _dense_steps(guess: Guess) -> Iterator[Taken]:
    yield _layer("Dense", "of the numbers of each step alone", units=_units(guess), activation="relu")
    yield from _output(guess)


def _images(guess: Guess) -> Iterator[Taken]:
    if guess.task.value == "sequence" or guess.target_shape[:2] == guess.shape[:2]:
        yield from _of_pixels(guess)
        return
    side = min(guess.shape[:2])
    for place, filters in enumerate(_FILTERS):
        why = "convolutions find patterns; change `filters` first" if not place else ""
        yield _layer("Conv2D", why, filters=filters, kernel_size=3, padding="same", activation="relu")
        if side < _FEWEST_PIXELS:
            break
        yield _layer("MaxPooling2D", "halves height and width" if not place else "")
        side //= 2
    yield _layer("Flatten")
    yield _layer("Dropout", "against learning by heart; less if `loss` itself stays high", rate=0.5)
    yield from _output(guess)


def _of_pixels(guess: Guess) -> Iterator[Taken]:
    """Yield layers for a label or numbers for each pixel."""
    for place in range(2):
        why = "convolutions find patterns, and keep height and width" if not place else ""
        yield _layer("Conv2D", why, filters=32, kernel_size=3, padding="same", activation="relu")
    if guess.classes:
        yield from _output(guess)
        return
    channels = guess.target_shape[2] if len(guess.target_shape) > 2 else 1
    ends = {"activation": "sigmoid"} if guess.unit_targets else {}
    yield _layer("Conv2D", "the numbers of each pixel", filters=channels, kernel_size=3, padding="same", **ends)
    if len(guess.target_shape) == 2:
        yield _layer("Reshape", "without the channel", target_shape=list(guess.target_shape))


def _steps(guess: Guess) -> Iterator[Taken]:
    steps, each = guess.shape[0], guess.task.value == "sequence"
    if each and guess.target_shape[0] != steps:
        yield from _other(guess)
        return
    if steps <= _LONG:
        units = {"units": min(64, 2 * _units(guess))} | ({"return_sequences": True} if each else {})
        yield _layer("LSTM", "reads the steps in order; change `units` first", **units)
    else:
        shared: dict[str, Any] = {"kernel_size": 5, "padding": "same", "activation": "relu"}
        yield _layer("Conv1D", "finds patterns in the steps", filters=32, **shared)
        if not each:
            yield _layer("MaxPooling1D", "a quarter of the steps is left", pool_size=4)
        yield _layer("Conv1D", filters=64, **shared)
        if not each:
            yield _layer("GlobalAveragePooling1D", "the mean over the steps")
    yield from _output(guess)


def _indices(guess: Guess) -> Iterator[Taken]:
    width = min(64, max(8, guess.vocabulary // 100))
    why = f"a vector for each of {guess.vocabulary:,} indices, 0 included"
    mask = {"mask_zero": True} if guess.padded else {}
    yield _layer("Embedding", why, input_dim=guess.vocabulary, output_dim=width, **mask)
    if guess.task.value == "sequence":
        yield _layer("LSTM", "reads the indices in order", units=min(64, 2 * _units(guess)), return_sequences=True)
    else:
        yield _layer("GlobalAveragePooling1D", "the mean of the vectors; `LSTM: {units: 32}` also knows their order")
        yield _layer("Dense", units=_units(guess), activation="relu")
    yield from _output(guess)
