"""Valid names of configs, runs and metrics."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 64  # characters
_MOST_BYTES = 200  # in UTF-8: a run's id has 22 more, and file systems take 255
# A rough form of `valid_name` that JSON Schema can express, whose `\w` would be ASCII.
JSON_PATTERN = rf"^[^\s/._-][^\s/]{{0,{LONGEST - 1}}}$"


def valid_name(text: str) -> bool:
    """Whether `text` can name a run: 1 to 64 letters and digits of any script, `.`, `_` and `-`, not first."""
    right_size = 0 < len(text) <= LONGEST and len(text.encode("utf-8", "replace")) <= _MOST_BYTES
    return right_size and text[0] not in "._-" and all(map(_in_name, text)) and unicodedata.is_normalized("NFC", text)


def valid_column(text: str) -> bool:
    """Whether `text` can name a metric in the journal of a run, `val_` and the like included."""
    return re.fullmatch(rf"[^\W\d_][\w.-]{{0,{2 * LONGEST}}}", text) is not None and text not in ("epoch", "seconds")


def valid_metric(text: str) -> bool:
    """Whether `text` can be the `name` of a metric: it is no other column of the journal, nor looks like one."""
    own = text not in ("loss", "learning_rate") and not text.startswith(("val_", "test_"))
    return own and len(text) <= LONGEST and valid_column(text)


def slug(text: str) -> str:
    """Return the valid name nearest to `text`: `-` for other characters, `run` if nothing is left."""
    plain = "".join(c if _in_name(c) else " " for c in unicodedata.normalize("NFC", text))
    joined = "-".join(plain.split())[: 2 * LONGEST].lstrip("._-")[:LONGEST]
    while len(joined.encode("utf-8", "replace")) > _MOST_BYTES:
        joined = joined[:-1]
    found = joined.rstrip("._-")
    return found if valid_name(found) else "run"


def _in_name(character: str) -> bool:
    return character in "._-" or unicodedata.category(character)[0] in "LMN"
