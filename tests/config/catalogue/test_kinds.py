"""The table of kinds contains the kinds of every argument, and its parts agree with each other."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dltrain.arguments import Argument
from dltrain.config.catalogue import datasets, entries
from dltrain.config.catalogue.kinds import KINDS, expected, plain_kind, section_of, strings_of

FREE = Argument((), choices=("a", "b"))
VALUES: list[Any] = [
    *(True, 0, 3, -2, 0.5, 2.0, "a", "c", "relu", "float32", [], [1], [1, 2], [0.5, 1], [[1, 2], 3], [[1]], ["a"]),
    *({}, {"L2": {}}),
]


def every_argument() -> list[tuple[str, Argument]]:
    found = [entries.find(section, name) for section in entries.sections() for name in entries.names(section)]
    all_entries = [entry for entry in (*found, *datasets.ENTRIES.values()) if entry is not None]
    return [(f"{entry.name}.{key}", argument) for entry in all_entries for key, argument in entry.arguments.items()]


def of(kind: str, **bounds: Any) -> Argument:
    return dataclasses.replace(FREE, kinds=(kind,), **bounds)


def test_kinds_cover_the_catalogue_and_the_data_sets() -> None:
    unknown = [name for name, argument in every_argument() if not set(argument.kinds) <= KINDS.keys()]
    assert unknown == []
    assert all(kind.section in (None, name) for name, kind in KINDS.items())


def test_kinds_accept_every_default() -> None:
    rejected = [
        name
        for name, argument in every_argument()
        if argument.default is not None and plain_kind(argument, argument.default) is None
        if not (isinstance(argument.default, str | dict) and section_of(argument))
    ]
    assert rejected == []


def test_kinds_of_objects_and_strings_do_not_overlap() -> None:
    """No argument accepts both objects and strings, so a string value is unambiguous."""
    both = [name for name, argument in every_argument() if section_of(argument) and strings_of(argument)]
    assert both == []
    assert [name for name, argument in every_argument() if section_of(argument) and "str" in argument.kinds] == []


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.section is None])
def test_kinds_accept_what_their_schema_accepts(name: str) -> None:
    kind, argument = KINDS[name], of(name)
    schema = {"$defs": {"activation": {"enum": list(entries.names("activation"))}}, **kind.schema(argument)}
    for value in (*VALUES, *kind.samples):
        whole = (
            isinstance(value, float) and value.is_integer() and name.startswith(("int", "column"))
        )  # an integer in JSON Schema
        assert whole or kind.accepts(argument, value) == Draft202012Validator(schema).is_valid(value), value
    assert kind.phrase(argument)


@pytest.mark.parametrize("name", KINDS)
def test_kinds_accept_their_samples(name: str) -> None:
    kind = KINDS[name]
    assert all(kind.section or kind.accepts(of(name), sample) for sample in kind.samples)


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("float", 1, 1.0),
        ("int", 1, 1),
        ("ints", [1, 2], (1, 2)),
        ("floats", [1, 0.5], [1.0, 0.5]),
        ("ints_nested", [[1, 2], 3], ((1, 2), 3)),
        ("mask_shape", [None, 1, 28], (None, 1, 28)),
        ("words", "a", "a"),
    ],
)
def test_kinds_construct_the_type_that_keras_expects(name: str, value: Any, made: Any) -> None:
    constructed = KINDS[name].construct(value)
    assert (constructed, type(constructed)) == (made, type(made))
    assert repr(constructed) == repr(made)


@pytest.mark.parametrize(
    ("argument", "phrase"),
    [
        (of("int", minimum=1), "an integer of at least 1"),
        (of("float", above=0, maximum=1), "a number of more than 0 and at most 1"),
        (of("ints", lengths=(1, 2, 3, 4)), "a list of 1 to 4 integers"),
        (of("floats", lengths=(2,)), "a list of 2 numbers"),
        (of("words", nullable=True), "one of `a`, `b` or `null`"),
        (of("schedule"), "a learning-rate schedule"),
        (of("initializer"), "an initializer"),
    ],
)
def test_kinds_expected_describes_an_argument(argument: Argument, phrase: str) -> None:
    assert expected(argument) == phrase


def test_kinds_prefer_int_to_float_for_an_integer() -> None:
    assert plain_kind(dataclasses.replace(FREE, kinds=("int", "float")), 2) is KINDS["int"]
    assert plain_kind(of("float", minimum=3), 2) is None
    assert plain_kind(of("float"), float("nan")) is None
