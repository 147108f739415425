from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from dltrain.errors import RunError
from dltrain.runs import json_text, record

GOOD = {
    "schema_version": 1,
    "id": "i",
    "name": "n",
    "status": "running",
    "created": "2026-01-01T00:00:00.000000Z",
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"loss": float("nan"), "a": [float("inf"), (-float("inf"), 1.5)]},
            {"loss": None, "a": [None, [None, 1.5]]},
        ),
        (MappingProxyType({"a": MappingProxyType({"b": True})}), {"a": {"b": True}}),
        (Fraction(1, 4), 0.25),
        ("Grüße \udcff", "Grüße \udcff"),
    ],
)
def test_record_to_json_is_strict_json_and_round_trips(value: Any, expected: Any) -> None:
    def fail(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(json_text.to_json(value), parse_constant=fail) == expected
    assert json_text.from_json(json_text.to_json(value, indent=None)) == expected


def test_record_to_json_rejects_objects() -> None:
    with pytest.raises(TypeError, match="Path is not JSON serializable"):
        json_text.to_json({"path": Path("x")})


def test_record_to_json_without_indent_writes_one_line() -> None:
    assert json_text.to_json({"a": "x\ny"}, indent=None).count(b"\n") == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"schema_version": 1', "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "not a JSON object"),
        (b"{}", "schema_version is None"),
        (json.dumps({**GOOD, "schema_version": 2}).encode(), r"newer dltrain \(schema_version 2\)"),
        (json.dumps({**GOOD, "status": "done"}).encode(), "'done', not one of running, completed"),
        (json.dumps({**GOOD, "created": 5}).encode(), "`created` is missing or not text"),
        (json.dumps({**GOOD, "id": None}).encode(), "`id` is missing or not text"),
    ],
)
def test_record_read_record_reports_the_damage_and_the_path(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "run.json").write_bytes(data)
    with pytest.raises(RunError, match=message) as caught:
        record.read_record(tmp_path)
    assert str(tmp_path / "run.json") in caught.value.message


def test_record_read_record_accepts_a_valid_file_and_reports_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot read .*run\.json: No such file"):
        record.read_record(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({**GOOD, "extra": [1]}))
    read = record.read_record(tmp_path)
    assert read.to_fields().items() >= {**GOOD, "extra": [1]}.items()
