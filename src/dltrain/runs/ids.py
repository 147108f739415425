"""Run ids: `20261121-143005-cnn_mnist-a1b2` (UTC, name, random digits)."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from dltrain.names import valid_name

_ID = re.compile(r"([0-9]{8}-[0-9]{6})-(.+)-[0-9a-f]{4}")
_ID_TIME = "%Y%m%d-%H%M%S"


def new_id(created: datetime, name: str) -> str:
    return f"{created.astimezone(UTC).strftime(_ID_TIME)}-{name}-{secrets.token_hex(2)}"


def read_id(text: str) -> tuple[str, str] | None:
    """Return (creation time as `timestamp` writes it, name) of a run id; None if `text` is not a run id."""
    match = _ID.fullmatch(text)
    if match is None or not valid_name(match[2]):
        return None
    try:
        created = datetime.strptime(match[1], _ID_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return timestamp(created), match[2]


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with Z and microseconds; the fixed length makes the strings sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
