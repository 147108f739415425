"""What one argument of a named object takes: of a Keras object, or of a data set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """The values that an argument takes.

    Args:
        kinds: the alternatives, names of the table in `config/catalogue/kinds.py`.
        choices: the strings that the kind `words` allows.
        minimum, maximum: inclusive bounds of a number, or of every number of a list.
        above, below: the same, exclusive.
        lengths: the lengths that a list may have; empty where any will do.
        nullable: whether `null` may be written.
        required: whether the object cannot be built without it.
        has_default, default: what is taken where nothing is written, in the values of JSON.
        meaning: one sentence; empty for Keras's objects, which are described by Keras.
    """

    kinds: tuple[str, ...]
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    lengths: tuple[int, ...] = ()
    nullable: bool = False
    required: bool = False
    has_default: bool = False
    default: object = None
    meaning: str = ""
