"""How the words of other frameworks are written down: a class with its arguments, and what there is instead of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Arguments = Mapping[str, Any]
# One argument of another framework: the name that it has in Keras; None where Keras does not need it; or a function of
# its value and of all arguments, which returns those of Keras, a phrase on why there are none, or None if it does not
# know the value.
Carry = str | None | Callable[[Any, Arguments], Mapping[str, Any] | str | None]
# A number that depends on what the config does not say.
OPEN = "…"


@dataclass(frozen=True, slots=True)
class Around:
    """What a translation takes from the rest of the config.

    Args:
        dataset: the data set's name; empty where there is none.
        steps: optimizer steps in an epoch.
        epochs: epochs of the run.
        optimizer: the optimizer's class.
        settings: its arguments as written.
        rate: its learning rate.
        outputs: units of the last layer.
        squashed: whether the last layer ends in a softmax or a sigmoid.
        tried: whether the object is a translation already, whose parts are not translated again.
    """

    dataset: str = ""
    steps: int | None = None
    epochs: int | None = None
    optimizer: str = "Adam"
    settings: Arguments = field(default_factory=dict)
    rate: float = 0.001
    outputs: int | None = None
    squashed: bool = False
    tried: bool = False

    def in_steps(self, epochs: float, earlier: float = 0) -> int | str:
        """Return optimizer steps for a number of epochs, less `earlier` steps."""
        return max(1, round(epochs * self.steps - earlier)) if self.steps is not None else OPEN

    def whole_run(self) -> int | str:
        return self.in_steps(self.epochs) if self.epochs is not None else OPEN


# Returns objects as a config has them, or a phrase on why there are none.
Make = Callable[[Arguments, Around], list[Any] | str]


@dataclass(frozen=True, slots=True)
class Word:
    """A class of another framework.

    Args:
        name: the class of Keras that it is.
        takes: its arguments, in their order; those that Keras has under the same name need no entry.
        fixed: arguments that Keras's class needs to be the same.
        make: instead of all these, what to write.
    """

    name: str = ""
    takes: Mapping[str, Carry] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    make: Make | None = None


# What stands for a word of another framework: a class, or a phrase on what to do where there is none.
Table = Mapping[str, Word | str]


def folded(word: str) -> str:
    """Return a name without its module, in lower case and without separators: `nn.Conv2d` -> `conv2d`."""
    return word.rpartition(".")[2].lower().replace("_", "").replace("-", "").replace(" ", "")


def made(make: Make, *takes: str) -> Word:
    """Return a word whose arguments, in this order, `make` translates; `-` is before those that Keras does not need."""
    return Word(takes={key.lstrip("-"): None if key.startswith("-") else key for key in takes}, make=make)


def number(value: object) -> float | None:
    """Return a value that is a number; None for other values."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def plain(value: float) -> float:
    """Return a number with four digits after the first that is not 0, an integer where it is one."""
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
