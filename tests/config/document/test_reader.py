from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltrain.config.document.reader import ReadError, decode, read
from dltrain.config.plan import check
from dltrain.errors import ConfigError


def value_of(text: str) -> Any:
    return read("f.yaml", text).plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1e-3", 0.001),
        ("a: 1E3", 1000.0),
        ("a: .5", 0.5),
        ("a: -7", -7),
        ("a: on", "on"),
        ("a: no", "no"),
        ("a: yes", "yes"),
        ("a: true", True),
        ("a: 010", "010"),
        ("a: 12:30", "12:30"),
        ("a: 1_000", "1_000"),
        ("a: 2026-01-01", "2026-01-01"),
        ("a: ~", None),
        ("a:", None),
        ("a: '1'", "1"),
        ("a: .inf", math.inf),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
    ],
)
def test_reader_resolves_scalars_strictly(text: str, value: object) -> None:
    assert value_of(text) == {"a": value}
    assert type(value_of(text)["a"]) is type(value)


def test_reader_keeps_keys_as_strings() -> None:
    assert value_of("on: 1\n1: 2\n") == {"on": 1, "1": 2}


def test_reader_records_the_position_of_keys_and_values() -> None:
    root = read("f.yaml", "a:\n  - b: long word\n")
    item = root.value["a"].value[0].value["b"]
    assert (item.where.line, item.where.column, item.where.end_column) == (2, 8, 17)
    assert item.key is not None
    assert (item.key.line, item.key.column, item.key.end_column) == (2, 5, 6)


def test_reader_merges_and_reuses_anchors() -> None:
    assert value_of("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\nc: *x\n")["b"] == {"k": 3, "l": 2}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate-key", 3),
        ("a: [1, 2\nb: 3", "yaml-unclosed", 1),
        ("a: 'x\nb: 2", "yaml-unclosed", 1),
        ("a:\n\tb: 1", "yaml-tab", 2),
        ("units:128\nb: 3", "yaml-blank", 1),
        ("expect:\n  test_accuracy: >= 0.9\n", "yaml-quote", 2),
        ("&a [*a]", "cycle", 1),
        ("a: *x", "alias", 1),
        ("a: !!python/object:os.system x", "tag", 1),
        ("", "empty", 1),
        ("# only a comment\n", "empty", 1),
        ("a: 1\n---\nb: 2", "documents", 2),
        ("? [1]\n: 2", "key", 1),
        ("a: " + "9" * 500, "digits", 1),
        ("a: " + "9" * 5000, "too-long", 1),
        ("b: 1\n" + "a" * 5000 + ": 1", "yaml-syntax", 2),
        ('"' + "a" * 500 + '": 1', "too-long", 1),
        ("a: &" + "a" * 500 + " 1", "too-long", 1),
        ("a: [" + "1, " * 5000 + "]", "too-many-entries", 1),
        ("[" * 1000, "too-deep", 1),
        ("a: \x07", "yaml-syntax", 1),
    ],
)
def test_reader_rejects_with_a_position(text: str, code: str, line: int) -> None:
    with pytest.raises(ReadError) as caught:
        read("f.yaml", text)
    problem = caught.value.problem
    assert problem.code == code
    assert problem.where is not None
    assert problem.where.line == line


def test_reader_counts_expanded_aliases() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 8))
    with pytest.raises(ReadError) as caught:
        read("f.yaml", bomb)
    assert caught.value.problem.code == "too-many-nodes"


def test_reader_locates_an_invalid_utf8_byte() -> None:
    with pytest.raises(ReadError) as caught:
        decode("f.yaml", b"ok: 1\nbad: \xff\n")
    where = caught.value.problem.where
    assert where is not None
    assert (where.line, where.column) == (2, 6)


@pytest.mark.parametrize("text", ["data: {dataset: mnist}\n", "# Модель\ndata: {}\n", "name: größe\n"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be", "utf-32"])
def test_reader_names_another_encoding(encoding: str, text: str) -> None:
    with pytest.raises(ReadError) as caught:
        decode("f.yaml", text.encode(encoding))
    assert caught.value.problem.hint == "save the file as UTF-8"


def test_reader_a_single_null_is_no_encoding() -> None:
    with pytest.raises(ReadError) as caught:
        read("f.yaml", decode("f.yaml", b"name: a\0b\n"))
    assert "U+0000" in caught.value.problem.message


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(alphabet="ab:-{}[]&*!|>'\"#,? \n\t01e.<", max_size=80).map(str.encode))
)
def test_reader_reports_problems_for_any_bytes(data: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        check("f.yaml", data, [])
    assert caught.value.problems
