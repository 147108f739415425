"""Names of runs, and the ids made from them: `20261121-143005-cnn_mnist-a1b2` (UTC, name, random digits)."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import UTC, datetime

_LONGEST = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ID = re.compile(rf"(\d{{8}}-\d{{6}})-({_NAME.pattern})-[0-9a-f]{{4}}")
_ID_TIME = "%Y%m%d-%H%M%S"


def valid_name(text: str) -> bool:
    """Whether `text` can name a run: 1 to 64 of A-Z a-z 0-9 . _ - and a letter or digit first."""
    return _NAME.fullmatch(text) is not None


def slug(text: str) -> str:
    """The valid name nearest to `text`: no accents, `-` for other signs; `run` where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    joined = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).lstrip("._-")
    return joined[:_LONGEST].rstrip("._-") or "run"


def new_id(created: datetime, name: str) -> str:
    return f"{created.astimezone(UTC).strftime(_ID_TIME)}-{name}-{secrets.token_hex(2)}"


def read_id(text: str) -> tuple[str, str] | None:
    """Creation time (as `timestamp` writes it) and name out of a run id; None where `text` is no run id."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    try:
        created = datetime.strptime(match[1], _ID_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return timestamp(created), match[2]


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with Z and microseconds, of one length: such texts sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
