"""Names and paths of files, as messages have them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

MOST_TOLD = 6


def same(name: str, other: str) -> bool:
    """Return whether two names differ in capitals at most."""
    return name.lower() == other.lower()


def yaml_path(path: Path | str) -> str:
    """Return a path as YAML has it, in quotes where it needs them."""
    text = printable(str(path))
    return text if re.fullmatch(r"[\w./][\w./-]*", text) else "'" + text.replace("'", "''") + "'"


def printable(name: str) -> str:
    """Return a name for a message: what is no text, or would break the line, is escaped."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def named(names: Iterable[str], most: int = MOST_TOLD) -> str:
    """Return names for a message, the first of them."""
    known = list(names)
    shown = ", ".join(f"`{printable(name)}`" for name in known[:most])
    return shown + (f" and {len(known) - most:,} more" if len(known) > most else "")
