"""The kinds of values that arguments take: what each accepts, its phrase, its JSON Schema, and what Keras gets.

Everything that depends on a kind reads `KINDS`. The generator of the catalogue stops at a kind that is not here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dltrain.arguments import Argument
from dltrain.config.catalogue import entries
from dltrain.config.catalogue.phrases import noun, with_article
from dltrain.config.document.suggest import listing

Json = dict[str, Any]
_DTYPES = ("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")
# What TensorFlow takes for a name scope, first within another, then on its own; Keras takes no `/` in it.
_SCOPE = "[A-Za-z0-9_.>-]+"
_ROOT_SCOPE = "[A-Za-z0-9.][A-Za-z0-9_.>-]*"


def _as_is(value: Any) -> Any:
    return value


def _no_strings(argument: Argument) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    Args:
        phrase: what an argument of the kind takes, within its bounds: `an integer of at least 1`.
        accepts: whether a plain value is one. A nested object is none: it has arguments of its own to be checked.
        schema: the same in JSON Schema.
        samples: values for examples, the plainest first.
        construct: makes of an accepted value what Keras's constructors take.
        strings: those that the kind is limited to.
        section: the section of the catalogue whose objects the values are; None for plain values.
    """

    phrase: Callable[[Argument], str]
    accepts: Callable[[Argument, Any], bool]
    schema: Callable[[Argument], Json]
    samples: tuple[Any, ...] = ()
    construct: Callable[[Any], Any] = _as_is
    strings: Callable[[Argument], tuple[str, ...]] = _no_strings
    section: str | None = None


def expected(argument: Argument) -> str:
    """What an argument takes, as a phrase: `an integer of at least 1`."""
    phrases = [KINDS[kind].phrase(argument) for kind in argument.kinds]
    return " or ".join([*phrases, "`null`"] if argument.nullable else phrases)


def plain_kind(argument: Argument, value: Any) -> Kind | None:
    """The first of an argument's kinds that accepts a plain value; None for a nested object and for what is wrong."""
    return next((kind for name in argument.kinds if (kind := KINDS[name]).accepts(argument, value)), None)


def section_of(argument: Argument) -> str | None:
    """The section of the objects that an argument takes; None where it takes plain values alone."""
    return next((kind.section for name in argument.kinds if (kind := KINDS[name]).section), None)


def strings_of(argument: Argument) -> tuple[str, ...]:
    """The strings to which an argument is limited; empty where there is no such list."""
    return tuple(string for kind in argument.kinds for string in KINDS[kind].strings(argument))


def _in_bounds(argument: Argument, value: float) -> bool:
    return (
        (argument.minimum is None or value >= argument.minimum)
        and (argument.maximum is None or value <= argument.maximum)
        and (argument.above is None or value > argument.above)
        and (argument.below is None or value < argument.below)
    )


def _is_whole(argument: Argument, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _in_bounds(argument, value)


_COLUMN: Json = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}]}


def _is_column(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or (
        isinstance(value, int) and not isinstance(value, bool) and value >= 0
    )


LARGEST = 3.4028234e38  # of float32, in which Keras computes


def _is_number(argument: Argument, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= LARGEST and _in_bounds(argument, value)


def _is_whole_or_pair(argument: Argument, value: Any) -> bool:
    pair = value if isinstance(value, list) and len(value) == 2 else [value]
    return all(_is_whole(argument, item) for item in pair)


def _is_whole_or_null(argument: Argument, value: Any) -> bool:
    return value is None or _is_whole(argument, value)


_EPOCHS = "[0-9]{1,6}([.][0-9]{1,6})? epochs?"


def epochs_of(value: object) -> float | None:
    """`"10 epochs"` -> 10.0; None for a value that does not count epochs."""
    return float(value.split()[0]) if isinstance(value, str) and re.fullmatch(_EPOCHS, value) else None


def _is_epochs(argument: Argument, value: Any) -> bool:
    return epochs_of(value) is not None


def _list_of(accepts: Callable[[Argument, Any], bool]) -> Callable[[Argument, Any], bool]:
    def accepts_list(argument: Argument, value: Any) -> bool:
        if not isinstance(value, list) or not value or (argument.lengths and len(value) not in argument.lengths):
            return False  # an empty list says nothing that leaving the argument out does not say
        return all(accepts(argument, item) for item in value)

    return accepts_list


def _bounds_phrase(argument: Argument) -> str:
    bounds = {
        "at least": argument.minimum,
        "more than": argument.above,
        "at most": argument.maximum,
        "less than": argument.below,
    }
    parts = [f"{words} {_figure(bound)}" for words, bound in bounds.items() if bound is not None]
    return f" of {' and '.join(parts)}" if parts else ""


def _figure(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def _list_phrase(argument: Argument, numbers: str) -> str:
    lengths = " or ".join(str(length) for length in argument.lengths)
    if len(argument.lengths) > 2:
        lengths = f"{min(argument.lengths)} to {max(argument.lengths)}"
    return f"a list of {lengths} {numbers}" if lengths else f"a list of {numbers}"


def _number_schema(argument: Argument, name: str) -> Json:
    bounds = {
        "minimum": argument.minimum,
        "maximum": argument.maximum,
        "exclusiveMinimum": argument.above,
        "exclusiveMaximum": argument.below,
    }
    schema: Json = {"type": name} | {keyword: bound for keyword, bound in bounds.items() if bound is not None}
    if name == "number" and argument.minimum is None and argument.above is None:
        schema["minimum"] = -LARGEST
    if name == "number" and argument.maximum is None and argument.below is None:
        schema["maximum"] = LARGEST
    return schema


_EPOCHS_SCHEMA: Json = {"type": "string", "pattern": f"^{_EPOCHS}$"}


def _list_schema(argument: Argument, items: Json) -> Json:
    lengths = (
        {"minItems": min(argument.lengths), "maxItems": max(argument.lengths)} if argument.lengths else {"minItems": 1}
    )
    return {"type": "array", "items": items} | lengths


def _pairs_schema(argument: Argument) -> Json:
    whole = _number_schema(argument, "integer")
    pair = {"type": "array", "items": whole, "minItems": 2, "maxItems": 2}
    return _list_schema(argument, {"anyOf": [whole, pair]})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _floats(value: list[float]) -> list[float]:
    return [float(item) for item in value]  # a tuple of `thresholds` is one threshold to Keras


def _activations(argument: Argument) -> tuple[str, ...]:
    return entries.names("activation")


def _object(section: str, *samples: Any) -> Kind:
    """An object of a section, written `Name` or `Name: {arguments}`."""
    return Kind(
        lambda _: with_article(noun(section)),
        lambda argument, value: False,
        lambda _: {"$ref": f"#/$defs/{section}"},
        samples,
        section=section,
    )


def _name(pattern: str) -> Kind:
    return Kind(
        lambda _: "ASCII letters, digits, `_`, `.` and `-`",
        lambda _, value: isinstance(value, str) and re.fullmatch(pattern, value) is not None,
        lambda _: {"type": "string", "pattern": f"^{pattern}$"},
        ("my_name",),
    )


KINDS: dict[str, Kind] = {
    "bool": Kind(
        lambda _: "`true` or `false`",
        lambda _, value: isinstance(value, bool),
        lambda _: {"type": "boolean"},
        (True, False),
    ),
    "int": Kind(
        lambda argument: f"an integer{_bounds_phrase(argument)}",
        _is_whole,
        lambda argument: _number_schema(argument, "integer"),
        (2, 10, 0, 1),
    ),
    # Optimizer steps, counted in epochs: `config/catalogue/rates.py` makes numbers of them before Keras gets them.
    "epochs": Kind(
        lambda _: "epochs such as `10 epochs`",
        _is_epochs,
        lambda _: _EPOCHS_SCHEMA,
        ("2 epochs",),
    ),
    "epochs_list": Kind(
        lambda argument: f"{_list_phrase(argument, 'epochs')} such as `10 epochs`",
        _list_of(_is_epochs),
        lambda argument: _list_schema(argument, _EPOCHS_SCHEMA),
        (["1 epoch", "2 epochs"],),
    ),
    "float": Kind(
        lambda argument: f"a number{_bounds_phrase(argument)}",
        _is_number,
        lambda argument: _number_schema(argument, "number"),
        (0.1, 0.5, 2.0, 0.0),
        construct=float,  # some of Keras's objects refuse `learning_rate: 1`
    ),
    "str": Kind(
        lambda _: "a string",
        lambda _, value: isinstance(value, str),
        lambda _: {"type": "string"},
        ("my_name",),
    ),
    "strs": Kind(
        lambda argument: _list_phrase(argument, "strings"),
        _list_of(lambda _, value: isinstance(value, str)),
        lambda argument: _list_schema(argument, {"type": "string"}),
        (["cat", "dog"],),
    ),
    "column": Kind(
        lambda _: "the name of a column",
        lambda _, value: _is_column(value),
        lambda _: _COLUMN,
        ("price",),
    ),
    "columns": Kind(
        lambda _: "a list of columns",
        _list_of(lambda _, value: _is_column(value)),
        lambda _: {"type": "array", "items": _COLUMN, "minItems": 1},
        (["width", "height"],),
    ),
    "scales": Kind(
        lambda argument: f"a mapping from columns to {listing(argument.choices, 30)}",
        lambda argument, value: (
            isinstance(value, dict) and value != {} and all(kind in argument.choices for kind in value.values())
        ),
        lambda argument: {
            "type": "object",
            "additionalProperties": {"type": "string", "enum": list(argument.choices)},
            "minProperties": 1,
        },
    ),
    "path": Kind(
        lambda _: "a path",
        lambda _, value: isinstance(value, str) and value != "" and "\0" not in value,
        lambda _: {"type": "string", "minLength": 1},
        ("data.npz",),
    ),
    "dtype": Kind(
        lambda _: "a dtype such as `float32`",
        lambda _, value: isinstance(value, str) and value in _DTYPES,
        lambda _: {"type": "string", "enum": list(_DTYPES)},
        ("float32",),
        strings=lambda _: _DTYPES,
    ),
    "scope": _name(_SCOPE),
    "root_scope": _name(_ROOT_SCOPE),
    "words": Kind(
        lambda argument: f"one of {listing(argument.choices, 30)}",
        lambda argument, value: isinstance(value, str) and value in argument.choices,
        lambda argument: {"type": "string", "enum": list(argument.choices)},
        strings=lambda argument: argument.choices,
    ),
    "activation": Kind(
        lambda _: "an activation such as `relu`",
        lambda _, value: isinstance(value, str) and value in entries.names("activation"),
        lambda _: {"$ref": "#/$defs/activation"},
        ("tanh",),
        strings=_activations,
    ),
    "ints": Kind(
        lambda argument: _list_phrase(argument, "integers"),
        _list_of(_is_whole),
        lambda argument: _list_schema(argument, _number_schema(argument, "integer")),
        ([2], [2, 2], [2, 2, 2], [1, 1], [1, 1, 1]),
        construct=tuple,
    ),
    "mask_shape": Kind(
        lambda _: "a list of integers or `null`, one an axis, the batch's first",
        _list_of(_is_whole_or_null),
        lambda argument: _list_schema(argument, {"anyOf": [_number_schema(argument, "integer"), {"type": "null"}]}),
        ([None, 1], [None, 1, 1], [None, 1, 1, 1]),
        construct=tuple,
    ),
    "floats": Kind(
        lambda argument: _list_phrase(argument, "numbers"),
        _list_of(_is_number),
        lambda argument: _list_schema(argument, _number_schema(argument, "number")),
        ([0.1, 0.2], [0.1], [0.1, 0.1, 0.1]),
        construct=_floats,
    ),
    "ints_nested": Kind(
        lambda _: "a list of pairs of integers",
        _list_of(_is_whole_or_pair),
        _pairs_schema,
        construct=_tuples,
    ),
    "initializer": _object("initializer", "HeNormal"),
    "regularizer": _object("regularizer", {"L2": {"l2": 0.0001}}),
    "constraint": _object("constraint", {"MaxNorm": {"max_value": 2}}),
    "layer": _object("layer", {"Dense": {"units": 64}}, {"LSTM": {"units": 64}}),
    "schedule": _object("schedule", {"CosineDecay": {"initial_learning_rate": 0.001, "decay_steps": 8440}}),
    "optimizer": _object("optimizer", {"Adam": {"learning_rate": 0.001}}),
}
