"""A folder of files with a folder for each class: what its listing tells, before any file is opened."""

from __future__ import annotations

import difflib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dltrain.data.facts import natural
from dltrain.data.folders.findings import Finding, too_many, unreadable
from dltrain.data.folders.glance import glance
from dltrain.data.folders.kinds import IMAGES, FileKind
from dltrain.data.folders.names import MOST_TOLD, named, printable, same, yaml_path
from dltrain.data.folders.reading import Folder, Reader, TooMany, under

MOST_CLASSES = 10_000
_OF_SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_SPLITS = {word: split for split, words in _OF_SPLITS.items() for word in words}
_EACH = 300  # entries of a folder that tell whether it may be meant
_MOST_ABOVE = 3  # folders above a file that may be meant
_MOST_BELOW = 8
_MOST_PROBLEMS = 100  # after which a folder is hardly one of files of the kind
_MOST_NEAR = 10_000  # names beside one that is missing
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


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


def look(
    root: Path, labelled: bool = True, around: bool = True, kind: FileKind = IMAGES, each: int | None = None
) -> Listing:
    """List a folder of images, or of other files.

    Args:
        root: holds a folder for each class; or `train`, `test` and `val`, which hold these.
        labelled: whether there must be classes to tell apart; if not, a single class will do, and so will files
            without a folder.
        around: whether to look at folders above and below for what may be meant.
        kind: of the files.
        each: entries of a folder that are looked at, to know what the folder may be; None for all.
    """
    findings = list(_check_root(root, kind, around))
    if findings:
        return Listing((), {}, tuple(findings))
    reader = Reader(root, kind.extensions, each)
    looked = _Look(root, labelled, around, kind, reader)
    try:
        splits = looked.splits()
    except TooMany:
        return Listing((), {}, (too_many(root, kind, reader),))
    names = tuple(splits.get("train", {}))
    return Listing(names, splits, tuple(looked.findings()))


def files_below(root: Path, kind: FileKind = IMAGES) -> tuple[list[str], list[Finding]]:
    """List all files in a folder and in those below it, relative to it, in natural order; and what is wrong.

    A link to a folder that is looked into anyway is not followed.
    """
    findings = list(_check_root(root, kind))
    if findings:
        return [], findings
    reader = Reader(root, kind.extensions)
    try:
        found = list(_below(reader))
    except TooMany:
        return [], [too_many(root, kind, reader)]
    return found, list(unreadable(root, reader))


def _below(reader: Reader) -> Iterator[str]:
    """Yield the files of a folder, then those of the folders in it; not all, where many things are wrong."""
    waiting = [""]
    while waiting and reader.problems <= _MOST_PROBLEMS:
        folder = waiting.pop()
        inner = reader.read(folder)
        yield from (under(folder, name) for name in sorted(inner.wanted, key=natural))
        waiting += sorted(reader.below(folder, inner), key=natural, reverse=True)


def _check_root(root: Path, kind: FileKind, around: bool = True) -> Iterator[Finding]:
    try:
        mode = root.stat().st_mode
    except FileNotFoundError:
        yield Finding(f"no such folder: {root}", _near(root))
    except OSError as error:
        yield Finding(f"cannot read {root}: {error.strerror or error}", "")
    else:
        if not stat.S_ISDIR(mode):
            above = (path for path in root.parents[: _MOST_ABOVE if around else 0] if _may_be(path, kind))
            meant = next(above, None)
            hint = "write the folder that holds the folders of the classes"
            hint = f"write `path: {yaml_path(meant)}`" if meant is not None else hint
            if root.name.lower().endswith(_PACKED):
                hint = "unpack it, and write the path of the folder"
            elif kind.arrays and root.suffix in (".npz", ".npy"):
                hint = f"arrays are another data set: `arrays: {{path: {yaml_path(root)}}}`"
            yield Finding(f"{root} is a file, not a folder of {kind.noun}s", hint)


def _may_be(path: Path, kind: FileKind, labelled: bool = True) -> bool:
    """Return whether a folder would do, as far as the first entries of each folder in it tell."""
    return look(path, labelled, around=False, kind=kind, each=_EACH).error is None


def _near(root: Path) -> str:
    """Return what is there instead of a folder that is missing."""
    if not root.parent.is_dir():
        above = next((parent for parent in root.parents if parent.is_dir()), None)
        return f"there is no {root.parent}" + (f", only {above}" if above is not None else "")
    try:
        with os.scandir(root.parent) as entries:
            some = islice(entries, _MOST_NEAR)
            folders = sorted(entry.name for entry in some if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return "the path is relative to the config's file"
    near = difflib.get_close_matches(root.name, folders, 1) or [name for name in folders if same(name, root.name)]
    if near:
        return f"did you mean `path: {yaml_path(root.parent / near[0])}`?"
    there = f"{root.parent} has the folders {named(folders)}" if folders else f"{root.parent} has no folder"
    return f"{there}; the path is relative to the config's file"


class _Look:
    """One look at a folder: the files of each split, and what is found on the way."""

    def __init__(self, root: Path, labelled: bool, around: bool, kind: FileKind, reader: Reader) -> None:
        self._root, self._labelled, self._around, self._kind, self._reader = root, labelled, around, kind, reader
        self._problems: list[Finding] = []  # of the layout
        self._empty: list[str] = []  # class folders without a file of the kind
        self._deep: list[str] = []  # those that hold folders instead
        self._within: list[str] = []  # folders beside the files of a class
        self._others: Counter[str] = Counter()  # other files, by extension
        self._loose: list[str] = []  # files beside class folders

    def splits(self) -> dict[str, dict[str, list[str]]]:
        """Return the files of each class, split by split."""
        top = self._reader.folder("")
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

    def _meant(self, path: Path) -> bool:
        """Return whether another folder than the one that is written would do."""
        return self._around and _may_be(path, self._kind, self._labelled)

    def _only_below(self, folder: str) -> Path | None:
        """Return the folder that would do, if each on the way to it is the only one."""
        path, reader = folder, Reader(self._root, self._kind.extensions, _EACH)
        for _ in range(_MOST_BELOW):
            folders = reader.read(path).folders
            if len(folders) != 1:
                return None
            path = under(path, folders[0])
            if self._meant(self._root / path):
                return self._root / path
        return None

    def _has_splits(self, top: Folder) -> bool:
        """Return whether the folders are splits: all have such names, or the training split holds folders itself."""
        named = [name for name in top.folders if name.lower() in _SPLITS]
        training = [name for name in named if _SPLITS[name.lower()] == "train"]
        return bool(named) and (
            len(named) == len(top.folders) or any(self._reader.folder(name).folders for name in training)
        )

    def _found_splits(self, top: Folder) -> dict[str, str]:
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
        directory = self._reader.folder(folder)
        classes: dict[str, list[str]] = {}
        if not self._labelled and directory.wanted and not directory.folders:
            return {"": [under(folder, name) for name in sorted(directory.wanted)]}
        if len(directory.folders) > MOST_CLASSES:
            message = (
                f"{self._root / folder} has {len(directory.folders):,} folders, more than {MOST_CLASSES:,} classes"
            )
            self._problems.append(Finding(message, f"a folder is one class, which holds its {self._kind.noun}s"))
            return {}
        for name in sorted(directory.folders, key=natural):
            path = under(folder, name)
            inner = self._reader.folder(path)
            self._others.update(inner.others)
            if inner.folders:
                kind = self._within if inner.wanted else self._deep
                kind.append(path)
            elif not inner.wanted and inner.readable and split == "train":
                self._empty.append(path)
            if inner.wanted or split == "train":
                classes[name] = [f"{path}/{file}" for file in sorted(inner.wanted)]
        self._loose += [under(folder, name) for name in directory.wanted]
        return classes

    def _tell_no_files(self, folder: str) -> None:
        """Tell why no class of the training split has a file."""
        unknown = (self._reader.unreadable, self._reader.outside, self._reader.special)
        if self._problems or (any(unknown) and not self._deep):
            return
        directory, place = self._reader.folder(folder), self._root / folder
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
            message, hint = self._deeper(folder)
            self._deep, self._others = [], Counter()  # another folder is meant
            for told in unknown:
                told.clear()
        else:
            message = f"no {self._kind.noun} is in {place}"
            message += ": its folders are empty" if directory.folders and not self._others else ""
            hint = f"it holds a folder for each class, such as {place.name}/{self._kind.example}"
        self._problems.append(Finding(message, hint))

    def _deeper(self, folder: str) -> tuple[str, str]:
        """Return what is wrong with folders that hold folders alone, and what may be meant."""
        place, noun = self._root / folder, self._kind.noun
        message = f"folders are nested deeper than in {place / 'CLASS' / noun.upper()}"
        message += f": {self._root / self._deep[0]} holds folders"
        if not self._around:
            return message, ""
        meant = self._only_below(folder)
        if meant is not None:
            return message, f"write `path: {yaml_path(meant)}`"
        seen = glance(place, self._kind)
        if self._kind in seen.first:
            holds = (place / seen.first[self._kind]).parents[1]
            return message, f"move the folders of the classes up, or name what holds them: `path: {yaml_path(holds)}`?"
        looked = f"as far as {seen.looked:,} files and folders in it tell"
        message = f"no {noun} is in {place}, {'and none in the folders below it' if seen.whole else looked}"
        return message, f"name the folder that holds a folder of {noun}s for each class"

    def _check_classes(self, splits: dict[str, dict[str, list[str]]], folders: dict[str, str]) -> None:
        names = list(splits["train"])
        if len(names) == 1:
            message = f"{self._root} has a single class, `{printable(names[0])}`: there is nothing to tell apart"
            hint = f"give each class a folder; where {self._kind.noun}s are their own targets, "
            self._problems.append(Finding(message, f"{hint}write `task: reconstruction` under `data`"))
        unfit = [name for name in names if not name.isprintable()]
        if unfit:
            message = f"the names of class folders are no text that can be printed: {named(unfit)}"
            self._problems.append(Finding(message, "rename them"))
        known = set(names)
        for split, classes in splits.items():
            strange = [name for name in classes if name not in known]
            if strange:
                near = difflib.get_close_matches(strange[0], names, 1, 0.7)
                near += [name for name in names if same(name, strange[0])][: 1 - len(near)]
                message = f"`{folders[split]}` has classes that `{folders['train']}` does not have: {named(strange)}"
                hint = "the model can learn only what is in the training split: "
                hint += f"move {self._kind.noun}s there, or remove the folder"
                hint = f"is `{strange[0]}` the class `{near[0]}`? Rename the folder" if near else hint
                self._problems.append(Finding(message, hint))

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, then what is doubtful."""
        yield from unreadable(self._root, self._reader)
        yield from self._problems
        if self._deep:
            message = f"class folders of {self._root} hold folders instead of {self._kind.noun}s: {named(self._deep)}"
            yield Finding(
                message, f"move the {self._kind.noun}s of a class up into its folder, or the folder elsewhere"
            )
        if self._empty:
            message = f"class folders of {self._root} have no {self._kind.noun}: {named(self._empty)}"
            hint = f"put {self._kind.noun}s there ({self._kind.common}), or remove the folders"
            yield Finding(message, hint)
        yield from self._doubts()

    def _doubts(self) -> Iterator[Finding]:
        """Yield what is left out, which is told as a warning."""
        above, split = self._root.parent, _SPLITS.get(self._root.name.lower())
        if split == "train" and not self._has_splits(self._reader.folder("")) and self._meant(above):
            beside = look(above, around=False, kind=self._kind, each=_EACH)
            others = [name for name in beside.splits if name != "train"]
            message = f"{above} has {self._kind.noun}s for {' and '.join(others)} too, which are not used"
            if others:
                yield Finding(message, f"write `path: {yaml_path(above)}`", "warning")
        if self._within:
            message = f"folders within a class are not looked into: those of {named(self._within)}"
            yield Finding(
                message, f"move their {self._kind.noun}s up into the folder of the class, or elsewhere", "warning"
            )
        if self._loose:
            message = f"{self._kind.noun}s outside class folders are left out: {named(self._loose)}"
            yield Finding(message, "move them into the folder of their class, or elsewhere", "warning")
        if self._others:
            kinds = [f"{count:,} {extension}" for extension, count in self._others.most_common(MOST_TOLD)]
            more = ", …" if len(self._others) > MOST_TOLD else ""
            message = f"files in class folders that are no {self._kind.noun}s are left out: {', '.join(kinds)}{more}"
            yield Finding(message, self._kind.mend, "warning")
