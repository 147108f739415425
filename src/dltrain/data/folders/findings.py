"""What is wrong with a folder, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dltrain.data.folders.kinds import FileKind
from dltrain.data.folders.names import named
from dltrain.data.folders.reading import MOST_FILES, Reader
from dltrain.errors import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a folder, or doubtful in it: a message, and how to mend it."""

    message: str
    hint: str
    severity: Severity = "error"


def too_many(root: Path, kind: FileKind, reader: Reader) -> Finding:
    """Return that a folder holds more than is looked at."""
    if reader.wanted > MOST_FILES:
        return Finding(f"{root} holds more than {MOST_FILES:,} {kind.noun}s", "name a folder that holds fewer")
    looked = f"{reader.wanted + reader.others:,} files and folders in {root} were looked at"
    few = kind.counted(reader.wanted) if reader.wanted else f"no {kind.noun}"
    return Finding(f"{looked}, and {few} found", f"name the folder that holds the {kind.noun}s and little else")


def unreadable(root: Path, reader: Reader) -> Iterator[Finding]:
    """Yield what could not be read or followed."""
    if reader.unreadable:
        yield Finding(f"cannot read {named(reader.unreadable)}", "change its permissions")
    if reader.outside:
        message = f"links lead out of {root}: {named(reader.outside, 3)}"
        yield Finding(message, "copy what they name into the folder, or hard-link it")
    if reader.special:
        message = f"in {root}, neither file nor folder, or a broken link: {named(reader.special)}"
        yield Finding(message, "remove them")
