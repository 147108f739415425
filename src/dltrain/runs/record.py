"""JSON as runs write it, and what a `run.json` must hold to be believed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args

from dltrain.errors import RunError
from dltrain.runs.atomic import read_file, trouble

Status = Literal["running", "completed", "interrupted", "failed", "diverged"]

STATUSES: tuple[str, ...] = get_args(Status)
SCHEMA_VERSION = 1
FILE_NAME = "run.json"
# What readers take for granted of a field that is there; null is a value of each.
_KINDS: dict[str, type] = {
    "metrics": dict,
    "data": dict,
    "versions": dict,
    "expect": dict,
    "resumed": list,
    "overrides": list,
    "parameters": int,
    "epochs": int,
    "best_epoch": int,
    "smoke": bool,
    "device": str,
    "command": str,
}
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
        data = read_file(path, _LARGEST)
    try:
        record = from_json(data)
    except ValueError as error:
        hint = f"its config is whole all the same: dltrain fit {directory / 'resolved.yaml'}"
        raise RunError(f"{path} is damaged: not JSON ({error})", hint) from error
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
    for key, kind in _KINDS.items():
        if record.get(key) is not None and not isinstance(record[key], kind):
            raise RunError(f"{path} is damaged: `{key}` is {str(record[key])[:40]!r}")
    if not all(value is None or finite_number(value) for value in (record.get("metrics") or {}).values()):
        raise RunError(f"{path} is damaged: `metrics` holds what is no number")
    if not isinstance((record.get("expect") or {}).get("failed", []), list):
        raise RunError(f"{path} is damaged: `failed` of `expect` is not a list")
    if not all(isinstance(entry, dict) for entry in record.get("resumed") or ()):
        raise RunError(f"{path} is damaged: `resumed` is not a list of objects")
    if record["status"] not in STATUSES:
        raise RunError(f"{path} is damaged: status is {record['status']!r}, not one of {', '.join(STATUSES)}")
    return record


def finite_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**63


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
