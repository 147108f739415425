"""Valid names of configs and runs."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 64
PATTERN = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}"


def valid_name(text: str) -> bool:
    """Whether `text` can name a run: 1 to 64 of A-Z a-z 0-9 . _ - and a letter or digit first."""
    return re.fullmatch(PATTERN, text) is not None


def slug(text: str) -> str:
    """Return the valid name nearest to `text`: no accents, `-` for other characters, `run` if nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    joined = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).lstrip("._-")
    return joined[:LONGEST].rstrip("._-") or "run"
