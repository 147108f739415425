"""A folder of files with a folder for each class: what its listing tells, before any file is opened."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dltrain.data.facts import natural
from dltrain.data.folders.kinds import IMAGES, FileKind
from dltrain.errors import Severity

MOST_CLASSES = 10_000
_MOST_TOLD = 6
_OF_SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_SPLITS = {word: split for split, words in _OF_SPLITS.items() for word in words}
# Folders and files that systems and tools leave behind; names that begin with a dot are hidden.
_LEFT_BEHIND = frozenset({"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "Thumbs.db", "desktop.ini"})
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a folder, or doubtful in it: a message, and how to mend it."""

    message: str
    hint: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder.

    Args:
        class_names: the classes of the training split, in natural order.
        splits: split -> class -> paths of its files, relative to the folder and sorted.
        findings: what is wrong; with an error among them, nothing else is complete.
    """

    class_names: tuple[str, ...]
    splits: dict[str, dict[str, list[str]]]
    findings: tuple[Finding, ...]

    @property
    def error(self) -> Finding | None:
        """The first error, if there is one."""
        return next((finding for finding in self.findings if finding.severity == "error"), None)

    def count(self, split: str) -> int:
        """The number of files of a split."""
        return sum(map(len, self.splits.get(split, {}).values()))


def look(root: Path, labelled: bool = True, around: bool = True, kind: FileKind = IMAGES) -> Listing:
    """List a folder of images, or of other files.

    Args:
        root: holds a folder for each class; or `train`, `test` and `val`, which hold these.
        labelled: whether there must be classes to tell apart; if not, a single class will do, and so will files
            without a folder.
        around: whether to look at folders above and below for what may be meant.
        kind: of the files.
    """
    findings = list(_check_root(root, kind))
    if findings:
        return Listing((), {}, tuple(findings))
    looked = _Look(root, labelled, around, kind)
    splits = looked.splits()
    names = tuple(splits.get("train", {}))
    return Listing(names, splits, tuple(looked.findings()))


def files_below(root: Path, kind: FileKind = IMAGES) -> tuple[list[str], list[Finding]]:
    """List all files in a folder and in those below it, relative to it, in natural order; and what is wrong."""
    findings = list(_check_root(root, kind))
    if findings:
        return [], findings
    looked = _Look(root, labelled=False, around=False, kind=kind)
    found = list(looked.below(""))
    return found, [finding for finding in looked.findings() if finding.severity == "error"]


def _check_root(root: Path, kind: FileKind) -> Iterator[Finding]:
    try:
        mode = root.stat().st_mode
    except FileNotFoundError:
        yield Finding(f"no such folder: {root}", _near(root))
    except OSError as error:
        yield Finding(f"cannot read {root}: {error.strerror or error}", "")
    else:
        if not stat.S_ISDIR(mode):
            above = (path for path in root.parents[:3] if look(path, around=False, kind=kind).error is None)
            meant = next(above, None)
            hint = "write the folder that holds the folders of the classes"
            hint = f"write `path: {yaml_path(meant)}`" if meant is not None else hint
            if root.name.lower().endswith(_PACKED):
                hint = "unpack it, and write the path of the folder"
            elif kind.arrays and root.suffix in (".npz", ".npy"):
                hint = f"arrays are another data set: `arrays: {{path: {yaml_path(root)}}}`"
            yield Finding(f"{root} is a file, not a folder of {kind.noun}s", hint)


def _near(root: Path) -> str:
    """Return what is there instead of a folder that is missing."""
    if not root.parent.is_dir():
        above = next((parent for parent in root.parents if parent.is_dir()), None)
        return f"there is no {root.parent}" + (f", only {above}" if above is not None else "")
    try:
        folders = sorted(entry.name for entry in os.scandir(root.parent) if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return "the path is relative to the config's file"
    near = difflib.get_close_matches(root.name, folders, 1) or [name for name in folders if _same(name, root.name)]
    if near:
        return f"did you mean `path: {yaml_path(root.parent / near[0])}`?"
    there = f"{root.parent} has the folders {_named(folders)}" if folders else f"{root.parent} has no folder"
    return f"{there}; the path is relative to the config's file"


def _same(name: str, other: str) -> bool:
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


def _named(names: Iterable[str], most: int = _MOST_TOLD) -> str:
    known = list(names)
    shown = ", ".join(f"`{printable(name)}`" for name in known[:most])
    return shown + (f" and {len(known) - most:,} more" if len(known) > most else "")


def _extension(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""


def _under(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


@dataclass(slots=True)
class _Folder:
    """What one folder holds, by name; links and files that cannot be followed are with the problems instead."""

    folders: list[str] = field(default_factory=list)
    readable: bool = True
    wanted: list[str] = field(default_factory=list)  # files of the kind
    others: list[str] = field(default_factory=list)


class _Look:
    """One look at a folder: the files of each split, and what is found on the way."""

    def __init__(self, root: Path, labelled: bool, around: bool, kind: FileKind) -> None:
        self._root, self._labelled, self._around, self._kind = root, labelled, around, kind
        self._real = os.path.realpath(root)
        self._seen: dict[str, _Folder] = {}
        self._problems: list[Finding] = []  # of the layout
        self._unreadable: list[str] = []
        self._outside: list[str] = []
        self._special: list[str] = []
        self._empty: list[str] = []  # class folders without a file of the kind
        self._deep: list[str] = []  # those that hold folders instead
        self._within: list[str] = []  # folders beside the files of a class
        self._others: Counter[str] = Counter()  # other files, by extension
        self._loose: list[str] = []  # files beside class folders

    def splits(self) -> dict[str, dict[str, list[str]]]:
        """Return the files of each class, split by split."""
        top = self._folder("")
        found = {"train": ""}
        if self._has_splits(top):
            found = self._found_splits(top)
        splits = {split: self._classes(split, folder) for split, folder in found.items()}
        splits = {split: classes for split, classes in splits.items() if classes or split == "train"}
        if not any(map(any, splits.get("train", {}).values())):
            self._tell_no_files(found.get("train", ""))
        elif self._labelled:
            self._check_classes(splits, found)
        return splits

    def below(self, relative: str) -> Iterator[str]:
        """Yield the files of a folder, then those of the folders in it."""
        waiting = [relative]
        while waiting:
            folder = waiting.pop()
            inner = self._folder(folder)
            yield from (_under(folder, name) for name in sorted(inner.wanted, key=natural))
            waiting += (_under(folder, name) for name in sorted(inner.folders, key=natural, reverse=True))

    def _meant(self, path: Path) -> bool:
        """Return whether another folder than the one that is written would do."""
        return self._around and look(path, self._labelled, around=False, kind=self._kind).error is None

    def _only_below(self, folder: str) -> Path | None:
        """Return the folder that would do, if each on the way to it is the only one."""
        path = folder
        while len(folders := self._folder(path).folders) == 1:
            path = _under(path, folders[0])
            if self._meant(self._root / path):
                return self._root / path
        return None

    def _folder(self, relative: str) -> _Folder:
        """Read a folder, once."""
        if relative in self._seen:
            return self._seen[relative]
        found = self._seen[relative] = _Folder()
        try:
            with os.scandir(self._root / relative) as entries:
                for entry in entries:
                    name = entry.name
                    if name[0] == "." or name in _LEFT_BEHIND:
                        continue
                    if entry.is_file(follow_symlinks=False):  # most are, and the folder itself says so
                        is_wanted = name[name.rfind(".") :].lower() in self._kind.extensions
                        (found.wanted if is_wanted else found.others).append(name)
                    else:
                        self._sort_in(found, entry, _under(relative, name))
        except OSError as error:
            found.readable = False
            self._unreadable.append(f"{relative or self._root}: {error.strerror or error}")
        return found

    def _sort_in(self, found: _Folder, entry: os.DirEntry[str], path: str) -> None:
        """Sort in what is no plain file: a folder, a link, or what has no place here."""
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # links in a circle
            is_folder = is_file = False
        if is_file and _extension(entry.name) not in self._kind.extensions:
            found.others.append(entry.name)
        elif entry.is_symlink() and not self._is_inside(entry.path):
            self._outside.append(f"{path} -> {os.path.realpath(entry.path)}")
        elif is_folder:
            found.folders.append(entry.name)
        elif is_file:
            found.wanted.append(entry.name)
        else:
            self._special.append(path)

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return os.path.commonpath([self._real, real]) == self._real

    def _has_splits(self, top: _Folder) -> bool:
        """Return whether the folders are splits: all have such names, or the training split holds folders itself."""
        named = [name for name in top.folders if name.lower() in _SPLITS]
        training = [name for name in named if _SPLITS[name.lower()] == "train"]
        return bool(named) and (len(named) == len(top.folders) or any(self._folder(name).folders for name in training))

    def _found_splits(self, top: _Folder) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in sorted(top.folders):
            split = _SPLITS.get(name.lower())
            if split is not None and split in found:
                message = f"`{found[split]}` and `{name}` are both the {split} split"
                self._problems.append(Finding(message, f"put the {self._kind.noun}s of both into one folder"))
            elif split is not None:
                found[split] = name
        if "train" not in found:
            names = ", ".join(sorted(found.values()))
            hint = f"name the folder of the training {self._kind.noun}s `train`"
            self._problems.append(Finding(f"{self._root} has {names}, but no `train`", hint))
        if found:
            self._loose += top.wanted
        return {split: found[split] for split in _OF_SPLITS if split in found}

    def _classes(self, split: str, folder: str) -> dict[str, list[str]]:
        """Return the files of the classes in a folder."""
        directory = self._folder(folder)
        classes: dict[str, list[str]] = {}
        if not self._labelled and directory.wanted and not directory.folders:
            return {"": [_under(folder, name) for name in sorted(directory.wanted)]}
        if len(directory.folders) > MOST_CLASSES:
            message = (
                f"{self._root / folder} has {len(directory.folders):,} folders, more than {MOST_CLASSES:,} classes"
            )
            self._problems.append(Finding(message, f"a folder is one class, which holds its {self._kind.noun}s"))
            return {}
        for name in sorted(directory.folders, key=natural):
            path = _under(folder, name)
            inner = self._folder(path)
            self._others.update(_extension(other) or "no extension" for other in inner.others)
            if inner.folders:
                kind = self._within if inner.wanted else self._deep
                kind.append(path)
            elif not inner.wanted and inner.readable and split == "train":
                self._empty.append(path)
            if inner.wanted or split == "train":
                classes[name] = [f"{path}/{file}" for file in sorted(inner.wanted)]
        self._loose += [_under(folder, name) for name in directory.wanted]
        return classes

    def _tell_no_files(self, folder: str) -> None:
        """Tell why no class of the training split has a file."""
        if self._unreadable or self._problems or self._outside or self._special:
            return
        directory, place = self._folder(folder), self._root / folder
        self._empty, self._loose = [], []
        if directory.wanted:
            message = f"{place} holds {self._kind.counted(len(directory.wanted))}, but no folder for each class"
            hint = (
                f"move them, as in {place.name}/{self._kind.example.split('/')[0]}/{printable(min(directory.wanted))}"
            )
            hint += f"; where {self._kind.noun}s are their own targets, write `task: reconstruction` under `data`"
            if not folder and self._meant(self._root.parent):
                hint = f"write the folder above: `path: {yaml_path(self._root.parent)}`"
        elif self._deep:
            inner = self._root / self._deep[0]
            message = (
                f"folders are nested deeper than in {place}/CLASS/{self._kind.noun.upper()}: {inner} holds folders"
            )
            meant = self._only_below(folder)
            hint = f"write `path: {yaml_path(meant)}`" if meant is not None else "move the folders of the classes up"
            self._deep = []
        else:
            message = f"no {self._kind.noun} is in {place}"
            message += ": its folders are empty" if directory.folders and not self._others else ""
            hint = f"it holds a folder for each class, such as {place.name}/{self._kind.example}"
        self._problems.append(Finding(message, hint))

    def _check_classes(self, splits: dict[str, dict[str, list[str]]], folders: dict[str, str]) -> None:
        names = list(splits["train"])
        if len(names) == 1:
            message = f"{self._root} has a single class, `{printable(names[0])}`: there is nothing to tell apart"
            hint = f"give each class a folder; where {self._kind.noun}s are their own targets, "
            self._problems.append(Finding(message, f"{hint}write `task: reconstruction` under `data`"))
        unfit = [name for name in names if not name.isprintable()]
        if unfit:
            message = f"the names of class folders are no text that can be printed: {_named(unfit)}"
            self._problems.append(Finding(message, "rename them"))
        known = set(names)
        for split, classes in splits.items():
            strange = [name for name in classes if name not in known]
            if strange:
                near = difflib.get_close_matches(strange[0], names, 1, 0.7)
                near += [name for name in names if _same(name, strange[0])][: 1 - len(near)]
                message = f"`{folders[split]}` has classes that `{folders['train']}` does not have: {_named(strange)}"
                hint = "the model can learn only what is in the training split: "
                hint += f"move {self._kind.noun}s there, or remove the folder"
                hint = f"is `{strange[0]}` the class `{near[0]}`? Rename the folder" if near else hint
                self._problems.append(Finding(message, hint))

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, then what is doubtful."""
        if self._unreadable:
            yield Finding(f"cannot read {_named(self._unreadable)}", "change its permissions")
        if self._outside:
            message = f"links lead out of {self._root}: {_named(self._outside, 3)}"
            yield Finding(message, "copy what they name into the folder, or hard-link it")
        if self._special:
            message = f"in {self._root}, neither file nor folder, or a broken link: {_named(self._special)}"
            yield Finding(message, "remove them")
        yield from self._problems
        if self._deep:
            message = f"class folders of {self._root} hold folders instead of {self._kind.noun}s: {_named(self._deep)}"
            yield Finding(
                message, f"move the {self._kind.noun}s of a class up into its folder, or the folder elsewhere"
            )
        if self._empty:
            message = f"class folders of {self._root} have no {self._kind.noun}: {_named(self._empty)}"
            hint = f"put {self._kind.noun}s there ({self._kind.common}), or remove the folders"
            yield Finding(message, hint)
        yield from self._doubts()

    def _doubts(self) -> Iterator[Finding]:
        """Yield what is left out, which is told as a warning."""
        above, split = self._root.parent, _SPLITS.get(self._root.name.lower())
        if split == "train" and not self._has_splits(self._folder("")) and self._meant(above):
            others = [name for name in look(above, around=False, kind=self._kind).splits if name != "train"]
            message = f"{above} has {self._kind.noun}s for {' and '.join(others)} too, which are not used"
            if others:
                yield Finding(message, f"write `path: {yaml_path(above)}`", "warning")
        if self._within:
            message = f"folders within a class are not looked into: those of {_named(self._within)}"
            yield Finding(
                message, f"move their {self._kind.noun}s up into the folder of the class, or elsewhere", "warning"
            )
        if self._loose:
            message = f"{self._kind.noun}s outside class folders are left out: {_named(self._loose)}"
            yield Finding(message, "move them into the folder of their class, or elsewhere", "warning")
        if self._others:
            kinds = [f"{count:,} {extension}" for extension, count in self._others.most_common(_MOST_TOLD)]
            more = ", …" if len(self._others) > _MOST_TOLD else ""
            message = f"files in class folders that are no {self._kind.noun}s are left out: {', '.join(kinds)}{more}"
            yield Finding(message, self._kind.mend, "warning")
