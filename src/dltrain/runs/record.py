"""JSON as runs write it, and what a `run.json` must hold to be believed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args

from dltrain.errors import RunError
from dltrain.runs.atomic import trouble

Status = Literal["running", "completed", "interrupted", "failed", "diverged"]

STATUSES: tuple[str, ...] = get_args(Status)
SCHEMA_VERSION = 1
FILE_NAME = "run.json"
_LARGEST = 16_000_000  # bytes; one of ours has a few thousand


def to_json(value: Any, *, indent: int | None = 2) -> bytes:
    """JSON text ending in a newline; NaN and infinities, which JSON lacks, become null.

    Mappings, lists, tuples and other libraries' scalar numbers are taken too. TypeError for anything else.
    """
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
    # A lone surrogate (an undecodable byte of a file name) becomes \udcXX, which is JSON's own escape for it.
    return text.encode("utf-8", "backslashreplace")


def from_json(data: bytes) -> Any:
    """The value of a JSON text. ValueError for whatever is wrong with it, absurd nesting included."""
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_record(directory: Path) -> dict[str, Any]:
    """The `run.json` of a run, checked for the fields every reader relies on. RunError naming the file."""
    path = directory / FILE_NAME
    with trouble("read", path):
        if path.stat().st_size > _LARGEST:
            raise RunError(f"{path} is damaged: it has more than {_LARGEST:,} bytes")
        data = path.read_bytes()
    try:
        record = from_json(data)
    except ValueError as error:
        raise RunError(f"{path} is damaged: not JSON ({error})") from error
    if not isinstance(record, dict):
        raise RunError(f"{path} is damaged: not a JSON object")
    version = record.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RunError(f"{path} was written by a newer dltrain (schema_version {version})", "upgrade dltrain")
    if version != SCHEMA_VERSION:
        raise RunError(f"{path} is damaged: schema_version is {version!r}, not {SCHEMA_VERSION}")
    for key in ("id", "name", "status", "created"):
        if not isinstance(record.get(key), str):
            raise RunError(f"{path} is damaged: `{key}` is missing or not text")
    if record["status"] not in STATUSES:
        raise RunError(f"{path} is damaged: status is {record['status']!r}, not one of {', '.join(STATUSES)}")
    return record


def finite_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
