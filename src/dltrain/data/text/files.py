"""Texts in files: a whole file, its lines, or parts of it."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dltrain.data.tables.table import Wrong

LARGEST = 2**26  # bytes of a single text
_PART = 2**20  # characters
_ENCODINGS = "such as `utf-8`, `latin-1`, `cp1252` or `utf-16`"


def text_of(path: Path, encoding: str) -> str:
    """Return the text of a file. Raises Wrong if it is none, or larger than a single text may be."""
    with _told(path, encoding):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Wrong("path", "it is no plain file", "save the text to a file")
        if status.st_size > LARGEST:
            raise Wrong("path", f"it is larger than {LARGEST // 2**20} MiB", "split it into several texts")
        data = path.read_bytes()
        try:
            text = data.decode(_signed(encoding))
        except UnicodeDecodeError as error:  # behind the mark, if there is one
            error.start += len(data) - len(error.object)
            raise
    _check_binary(text, "")
    return text


def lines_of(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a file without their ends. Raises Wrong where it is no text."""
    with _opened(path, encoding) as file:
        while line := file.readline(LARGEST):
            if len(line) == LARGEST:
                raise Wrong("path", f"{path} has a line of more than {LARGEST:,} characters", "split it")
            _check_binary(line, f"{path}: ")
            yield line.removesuffix("\n")


def parts_of(path: Path, encoding: str, *, words: bool) -> Iterator[str]:
    """Yield the text of a file in parts; with `words`, each but the first begins with a space or the end of a line.

    Raises Wrong where it is no text.
    """
    rest = ""
    with _opened(path, encoding) as file:
        while part := file.read(_PART):
            _check_binary(part, f"{path}: ")
            part = rest + part
            rest = ""
            if words:
                end = max(0, *map(part.rfind, " \t\n\v\f\r"))
                part, rest = part[:end], part[end:]
                if len(rest) > _PART:
                    raise Wrong("path", f"{path} has a word of more than {_PART:,} characters", "is it a text?")
            yield part
    if rest:
        yield rest


def _signed(encoding: str) -> str:
    """Return an encoding that leaves out the mark at the beginning that some editors write."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _check_binary(text: str, where: str) -> None:
    if "\0" in text:
        hint = f"save it as text, or write its `encoding`, {_ENCODINGS}"
        raise Wrong("path", f"{where}it has NUL characters, so it is no text in this encoding", hint)


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    with _told(path, encoding, f"{path}: "):
        if path.is_dir():
            raise Wrong("path", f"{path} is a folder, not a text", "name the file in it; or see `text_folder`")
        if path.exists() and not path.is_file():
            raise Wrong("path", f"{path} is no plain file", "save the text to a file")
        if not path.exists():
            near = sorted(other.name for other in path.parent.glob("*.txt"))[:8] if path.parent.is_dir() else []
            hint = f"there are {', '.join(near)}" if near else "a path is relative to the config's file"
            raise Wrong("path", f"{path.absolute()} does not exist", hint)
        with path.open("rb") as raw, io.TextIOWrapper(raw, _signed(encoding)) as file:
            try:
                yield file
            except UnicodeDecodeError as error:  # of a part, which ends where the file was read to
                error.start += raw.tell() - len(error.object)
                raise


@contextmanager
def _told(path: Path, encoding: str, where: str = "") -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        message = f"{where}it is not written in {encoding}: {error.reason} at byte {error.start:,}"
        raise Wrong("encoding", message, f"write its `encoding`, {_ENCODINGS}") from None
    except UnicodeError:
        message = f"{where}it is not written in {encoding}"
        raise Wrong("encoding", message, f"write its `encoding`, {_ENCODINGS}") from None
    except (LookupError, ValueError):  # of a name with a NUL character
        raise Wrong("encoding", f"there is no encoding `{encoding}`", _ENCODINGS) from None
    except OSError as error:
        raise Wrong("path", f"cannot read {path}: {error.strerror or error}") from None
