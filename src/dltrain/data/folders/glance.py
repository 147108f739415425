"""A glance into a folder: what the first entries of the folders in it are, at bounded cost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from dltrain.data.facts import natural
from dltrain.data.folders.kinds import FileKind
from dltrain.data.folders.reading import Reader, extension, under

_EACH = 1_000  # entries of a folder
_MOST = 100_000  # entries in all: a second
_LEVELS = 8  # of folders


@dataclass(frozen=True, slots=True)
class Glance:
    """What a glance has found.

    Args:
        first: of each kind that is there, the path of a file, relative to the folder; one that is not deep.
        looked: files and folders that were looked at.
        whole: whether these are all that there are.
    """

    first: dict[FileKind, str]
    looked: int
    whole: bool


def glance(root: Path, *kinds: FileKind) -> Glance:
    """Look into a folder and those below it, level by level, until files of the first kind are found."""
    reader = Reader(root, frozenset[str]().union(*(kind.extensions for kind in kinds)), each=_EACH)
    first: dict[FileKind, str] = {}
    waiting, whole = deque([""]), True
    while waiting and kinds[0] not in first:
        looked = reader.wanted + reader.others
        if looked >= _MOST:
            break
        folder = waiting.popleft()
        found = reader.read(folder)
        whole = whole and reader.wanted + reader.others - looked < _EACH
        for name in found.wanted:
            kind = next(kind for kind in kinds if extension(name) in kind.extensions)
            first.setdefault(kind, under(folder, name))
        if folder.count("/") < _LEVELS - 2:
            waiting += sorted(reader.below(folder, found), key=natural)
        else:
            whole = whole and not found.folders
    return Glance(first, reader.wanted + reader.others, whole and not waiting)
