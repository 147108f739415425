"""Folders on a disk, read within bounds: a path may lead to a whole disk, or to links in a circle."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

MOST_FILES = 10_000_000  # of the kind: their paths take 2 GB
MOST_OTHERS = 1_000_000  # other files, and folders: two seconds
OTHERS_EACH = 10  # more of them beside each file of the kind, which may have notes and masks of its own
_AT_ONCE = 4_096  # entries
_MOST_EXTENSIONS = 1_000  # that are told apart
# Folders and files that systems and tools leave behind; names that begin with a dot are hidden.
_LEFT_BEHIND = frozenset({"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "Thumbs.db", "desktop.ini"})


class TooMany(Exception):
    """More is in a folder than is looked at."""


@dataclass(slots=True)
class Folder:
    """What one folder holds, by name; links and files that cannot be followed are with the reader instead."""

    folders: list[str] = field(default_factory=list)
    readable: bool = True
    links: set[str] = field(default_factory=set)  # those of the folders that are such
    wanted: list[str] = field(default_factory=list)  # files of the kind
    others: Counter[str] = field(default_factory=Counter)  # how many there are, by extension


class Reader:
    """Reads the folders below one, and counts what it has looked at.

    Args:
        root: the folder that no link may lead out of.
        extensions: of the names of wanted files, in lower case.
        each: entries of a folder that are looked at; None for all.
    """

    def __init__(self, root: Path, extensions: Collection[str], each: int | None = None) -> None:
        self._root, self._extensions, self._each = root, extensions, each
        self._real = os.path.realpath(root)
        self._seen: dict[str, Folder] = {}
        self._entered: set[tuple[int, int]] = set()
        self.wanted = 0
        self.others = 0
        self.unreadable: list[str] = []
        self.outside: list[str] = []
        self.special: list[str] = []

    @property
    def problems(self) -> int:
        """How many things cannot be read or followed."""
        return len(self.unreadable) + len(self.outside) + len(self.special)

    def folder(self, relative: str) -> Folder:
        """Read a folder, once. Raises TooMany."""
        if relative not in self._seen:
            self._seen[relative] = self.read(relative)
        return self._seen[relative]

    def read(self, relative: str) -> Folder:
        """Read a folder, and keep nothing of it. Raises TooMany where it is not the first entries that are enough."""
        found = Folder()
        try:
            with os.scandir(self._root / relative) as entries:
                some = islice(entries, self._each)
                while part := list(islice(some, _AT_ONCE)):
                    self._add(found, part, relative)
        except OSError as error:
            found.readable = False
            self.unreadable.append(f"{relative or self._root}: {error.strerror or error}")
        return found

    def below(self, relative: str, found: Folder) -> list[str]:
        """Return the folders in a folder, each one only once and best by its own name, so that circles of links end."""
        new = (name for name in found.folders if self._is_new(under(relative, name), name in found.links))
        return [under(relative, name) for name in new]

    def _is_new(self, path: str, is_link: bool) -> bool:
        if is_link:
            inside = os.path.relpath(os.path.realpath(self._root / path), self._real)
            if not any(map(_is_hidden, Path(inside).parts)):
                return False  # it is looked into by its own name
        try:
            status = (self._root / path).stat()
        except OSError:
            return True  # which reading it tells
        known = (status.st_dev, status.st_ino) in self._entered
        self._entered.add((status.st_dev, status.st_ino))
        return not known

    def _add(self, found: Folder, entries: Sequence[os.DirEntry[str]], relative: str) -> None:
        before = len(found.wanted)
        for entry in entries:
            name = entry.name
            if _is_hidden(name):
                continue
            if entry.is_file(follow_symlinks=False):  # most are, and the folder itself says so
                if name[name.rfind(".") :].lower() in self._extensions:
                    found.wanted.append(name)
                else:
                    _count(found, name)
            else:
                self._sort_in(found, entry, under(relative, name))
        wanted = len(found.wanted) - before
        self.wanted += wanted
        self.others += len(entries) - wanted
        if self.wanted > MOST_FILES or self.others > MOST_OTHERS + OTHERS_EACH * self.wanted:
            raise TooMany

    def _sort_in(self, found: Folder, entry: os.DirEntry[str], path: str) -> None:
        """Sort in what is no plain file: a folder, a link, or what has no place here."""
        is_link, is_wanted = entry.is_symlink(), extension(entry.name) in self._extensions
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
            is_there = is_folder or is_file or Path(entry.path).exists()  # or a pipe, a device
        except OSError:  # links in a circle
            is_folder = is_file = is_there = False
        if is_there and not is_folder and not is_wanted:
            _count(found, entry.name)
        elif is_link and not self._is_inside(entry.path):
            self.outside.append(f"{path} -> {os.path.realpath(entry.path)}")
        elif is_folder:
            found.folders.append(entry.name)
            if is_link:
                found.links.add(entry.name)
        elif is_file:
            found.wanted.append(entry.name)
        else:
            self.special.append(path)

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return os.path.commonpath([self._real, real]) == self._real


def extension(name: str) -> str:
    """Return the extension of a name in lower case, with its dot; empty if it has none."""
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""


def under(folder: str, name: str) -> str:
    """Return the path of what is in a folder, which is empty for the root."""
    return f"{folder}/{name}" if folder else name


def _is_hidden(name: str) -> bool:
    return (name[0] == "." and name != ".") or name in _LEFT_BEHIND


def _count(found: Folder, name: str) -> None:
    kind = extension(name) or "no extension"
    found.others[kind if kind in found.others or len(found.others) < _MOST_EXTENSIONS else "others"] += 1
