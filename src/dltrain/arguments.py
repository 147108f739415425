"""The values that one argument of a Keras object or a data set accepts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """The values that an argument accepts.

    Args:
        kinds: the accepted kinds, keys of the table in `config/catalogue/kinds.py`.
        choices: the strings that the kind `words` allows.
        minimum, maximum: inclusive bounds of a number, or of every number of a list.
        above, below: exclusive bounds of the same.
        lengths: allowed lengths of a list; empty for any length.
        nullable: whether `null` may be written.
        required: whether the object cannot be built without it.
        has_default, default: the JSON value used when the argument is omitted.
        meaning: one sentence; empty for Keras objects, which Keras documents.
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
