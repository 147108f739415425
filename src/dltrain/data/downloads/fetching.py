"""Files of public data sets: from the cache, or downloaded into it once; held to a SHA-256 whenever they are read."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dltrain.data.caching import DOWNLOADS, SPARE, cache_folder, clean, temporary
from dltrain.data.downloads.remote import MIRROR, OFFLINE, Remote, is_offline
from dltrain.data.downloads.transfer import LARGEST, Failure, received, urls
from dltrain.errors import DataError

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """The contents of the files of a data set, in their order, and what the user should know of them."""

    contents: tuple[bytes, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of a file before any download.

    Args:
        content: of the right file; None if it is not there.
        note: what the user should know of it; empty if nothing.
        wrong: the SHA-256 of another file in its place; empty if there is none.
    """

    content: bytes | None
    note: str = ""
    wrong: str = ""


def fetch(name: str, files: Sequence[Remote]) -> Fetched:
    """Return the contents of a data set's files. What the cache lacks is downloaded, unless servers may not be asked.

    A file that was put into the cache by hand, that Keras has downloaded or that the system has installed is used if
    its SHA-256 is right.

    Args:
        name: the data set.
        files: its files.

    Raises DataError if one of them cannot be had, is another file, or cannot be kept.
    """
    folder = cache_folder()
    if folder is None:
        hint = "set XDG_CACHE_HOME to the absolute path of a folder"
        raise DataError(f"`{name}` is kept in a cache, and there is no home directory for it", hint)
    folder /= DOWNLOADS
    found = [_look(folder / remote.path, remote) for remote in files]
    wanted = [remote for remote, one in zip(files, found, strict=True) if one.content is None]
    if wanted and is_offline():
        raise DataError(_offline(name, found), _by_hand(folder, wanted))
    for place, (remote, one) in enumerate(zip(files, found, strict=True)):
        if one.content is None:
            found[place] = _downloaded(name, folder, remote)
    contents = tuple(one.content for one in found if one.content is not None)
    return Fetched(contents, tuple(one.note for one in found if one.note))


def _offline(name: str, found: Sequence[_Found]) -> str:
    said = f"nothing is downloaded, as --offline or {OFFLINE} says"
    wrong = [one.wrong for one in found if one.wrong]
    if wrong:
        return f"the cache has another file in the place of `{name}`, with the SHA-256 {wrong[0]}, and {said}"
    return f"`{name}` is not in the cache, and {said}"


def _by_hand(folder: Path, wanted: Sequence[Remote]) -> str:
    """Return how to put files into the cache by hand."""
    each = []
    for remote in wanted:
        digest = remote.sha256 or _recorded(folder / remote.path)
        each.append(f"{remote.url} as {folder / remote.path}" + (f" (SHA-256 {digest})" if digest else ""))
    return f"download it elsewhere and put it there: {'; '.join(each)}"


def _look(path: Path, remote: Remote) -> _Found:
    """Return what is in the place of a file. One that nobody has pinned is held to the SHA-256 of the first time."""
    content = _content(path)
    expected = remote.sha256 or _recorded(path)
    digest = hashlib.sha256(content).hexdigest() if content is not None else ""
    if content is not None and expected is None:
        with contextlib.suppress(OSError):  # a cache that is only read
            expected = _record(path, digest)
        if digest == (expected or digest):
            return _Found(content, _first(path, remote, digest))
    if content is not None and digest == expected:
        return _Found(content)
    elsewhere = _of_keras(remote) or _installed(remote, expected)
    return _Found(elsewhere, wrong=digest if elsewhere is None else "")


def _first(path: Path, remote: Remote, digest: str) -> str:
    return (
        f"{remote.path} has no SHA-256 that Keras pins; from now on it is held to {digest}, noted in {_note_of(path)}"
    )


def _of_keras(remote: Remote) -> bytes | None:
    """Return the file from Keras's cache; None unless it is there and is the right one."""
    if not remote.in_keras or remote.sha256 is None:
        return None
    try:
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        content = _content(home / remote.in_keras)
    except (DataError, RuntimeError):
        return None
    right = content is not None and hashlib.sha256(content).hexdigest() == remote.sha256
    return content if right else None


def _installed(remote: Remote, expected: str | None) -> bytes | None:
    """Return the file that the system has installed; None unless it is there and is the right one."""
    content = None
    if remote.installed:
        with contextlib.suppress(DataError):
            content = _content(Path(remote.installed))
    right = content is not None and expected in (None, hashlib.sha256(content).hexdigest())
    return content if right else None


def _content(path: Path) -> bytes | None:
    """Return the content of a plain file; None if there is none. Raises DataError if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "mend or remove it") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        os.close(descriptor)
        raise DataError(f"{path} is no plain file of at most {LARGEST >> 20} MiB", "remove it")
    with os.fdopen(descriptor, "rb") as stream:
        try:
            return stream.read(LARGEST)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}", "remove it") from None


def _downloaded(name: str, folder: Path, remote: Remote) -> _Found:
    """Download a file from the first server that has it, and return it as the cache has it."""
    path = folder / remote.path
    reasons: list[str] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        clean(path.parent)
        for url in urls(remote):
            try:
                note = _store(name, url, path, remote)
                found = _look(path, remote)
                if found.content is not None:
                    return _Found(found.content, note)
                reasons.append(f"{path} has changed meanwhile")
            except Failure as failure:
                reasons.append(f"{url}: {failure}")
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        hint = "set XDG_CACHE_HOME to the absolute path of a folder that has room and may be written"
        raise DataError(f"cannot keep `{name}` in {path.parent}: {reason}", hint) from None
    hint = f"{_by_hand(folder, [remote])}; or name a server that has {remote.path} with {MIRROR}=https://…"
    raise DataError(f"cannot download `{name}`: {'; '.join(reasons)}", hint)


def _store(name: str, url: str, path: Path, remote: Remote) -> str:
    """Download a file into the place of `path`, whole or not at all, and return a note; empty if there is none.

    Raises Failure if it cannot be had or is another file, OSError if it cannot be written.
    """
    expected = remote.sha256 or _recorded(path)
    digest = hashlib.sha256()
    with temporary(path) as (stream, unfinished):
        for part, length in received(name, url):
            if stream.tell() == 0 and shutil.disk_usage(path.parent).free < (length or len(part)) + SPARE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            stream.write(part)
            digest.update(part)
        stream.flush()
        os.fsync(stream.fileno())
        got = digest.hexdigest()
        first = expected is None
        expected = expected or _record(path, got)
        if got != expected:
            raise Failure(f"it is another file, or was damaged on the way: its SHA-256 is {got}, not {expected}")
        unfinished.replace(path)
    return _first(path, remote, got) if first else ""


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _recorded(path: Path) -> str | None:
    """Return the SHA-256 of the first download of a file; None if none was noted."""
    with contextlib.suppress(OSError, ValueError):
        with _note_of(path).open(encoding="ascii") as stream:
            written = stream.read(64)
        if _DIGEST.fullmatch(written):
            return written
    return None


def _record(path: Path, digest: str) -> str:
    """Note the SHA-256 of a first download; return what is noted, which another process may have done before."""
    note = _note_of(path)
    text = f"{digest}  {path.name}\n".encode("ascii")  # as `sha256sum -c` takes it
    with temporary(note) as (stream, unfinished):
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
        if _recorded(path) is None:
            note.unlink(missing_ok=True)  # half a note
        try:
            note.hardlink_to(unfinished)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            unfinished.replace(note)
    return _recorded(path) or digest
