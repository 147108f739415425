"""Checkpoints of a run: `checkpoints/epoch-0007/` with a manifest of sizes and SHA-256, either whole or absent.

To replace an epoch, the old one is renamed to `.old-epoch-0007` until the new one is in place. After a kill between
the two renames, the old one is still found under that name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dltrain.errors import RunError
from dltrain.runs import atomic
from dltrain.runs.json_text import from_json, to_json

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"

_FOLDER = re.compile(r"(?P<aside>\.old-)?epoch-(?P<epoch>[0-9]{4,9})")
_LARGEST_MANIFEST = 1_000_000
DAMAGED_HINT = "`dltrain resume` continues from an older checkpoint of the run"


def commit(directory: Path, epoch: int, files: Mapping[str, bytes]) -> Path:
    """Write a checkpoint, then rename it into place; one of the same epoch is replaced. Raises RunError.

    `directory` must exist. Keys of `files` are plain file names; ValueError for `manifest.json`, which is made here.
    """
    for name in files:
        if not name or name == MANIFEST or Path(name).name != name or name.startswith(".") or "\0" in name:
            raise ValueError(f"a checkpoint cannot hold a file named {name!r}")
    target = _folder(directory, epoch)
    manifest = {"schema_version": 1, "epoch": epoch, "files": {n: _entry(data) for n, data in files.items()}}
    with (
        atomic.trouble("write", target),
        atomic.staged_directory(directory, {**files, MANIFEST: to_json(manifest)}) as stage,
    ):
        _swap(stage, target)
    return target


def epochs(directory: Path) -> list[int]:
    """Return the epochs that have a checkpoint with a manifest, sorted."""
    return sorted({epoch for epoch, _ in _folders(directory) if _locate(directory, epoch) is not None})


def read(
    directory: Path, epoch: int, limit: int | None = None, only: Collection[str] | None = None
) -> dict[str, bytes]:
    """Read the files of a checkpoint and check names, sizes and SHA-256 against the manifest.

    Args:
        directory: the `checkpoints` directory of a run.
        epoch: the epoch to read.
        only: the files to read; None for all.
        limit: maximum total bytes of all files; a larger checkpoint is refused before anything is read.

    Raises:
        RunError: the checkpoint is missing or damaged; the message names the file and the difference.
    """
    folder = _locate(directory, epoch)
    if folder is None:
        there = ", ".join(map(str, epochs(directory))) or "none"
        raise RunError(f"no checkpoint of epoch {epoch} in {directory}", f"checkpoints there: {there}")
    with atomic.trouble("read", folder):
        expected = _read_manifest(folder / MANIFEST, epoch)
        found = {entry.name for entry in folder.iterdir()} - {MANIFEST}
        for name in sorted(expected.keys() ^ found):
            state = "is missing" if name in expected else "is not in the manifest"
            raise _damaged(folder, f"{name} {state}")
        _check_sizes(folder, expected, limit)
        return {n: _read_file(folder / n, entry) for n, entry in expected.items() if only is None or n in only}


def locate(directory: Path, epoch: int, name: str) -> tuple[Path, str]:
    """Return the path of a file of a checkpoint and its SHA-256 as the manifest says it, for a reader that compares.

    Raises:
        RunError: as `read`, as far as names and sizes tell it.
    """
    read(directory, epoch, only=())
    folder = _locate(directory, epoch) or _folder(directory, epoch)
    expected = _read_manifest(folder / MANIFEST, epoch)
    if name not in expected:
        raise _damaged(folder, f"{name} is missing")
    return folder / name, str(expected[name].get("sha256"))


def keep(directory: Path, wanted: Collection[int]) -> None:
    """Remove the checkpoints of all other epochs, and leftovers of kills. Raises RunError."""
    with atomic.trouble("tidy", directory):
        if not directory.is_dir():
            return
        for entry in list(directory.iterdir()):
            if entry.name.startswith(atomic.TEMPORARY_PREFIX):
                atomic.delete(entry)
        for epoch, aside in _folders(directory):
            if aside:
                _settle(directory, epoch)
        for epoch, _ in _folders(directory):
            if epoch not in wanted:
                atomic.discard(_folder(directory, epoch))
        atomic.sync_directory(directory)


def _swap(stage: Path, target: Path) -> None:
    aside = _aside(target)
    moved = target.exists()
    if moved:
        atomic.discard(aside)
        target.replace(aside)
    try:
        stage.replace(target)
    except BaseException:
        if moved and not target.exists():
            aside.replace(target)
        raise
    try:
        atomic.sync_directory(target.parent)
    finally:
        # The new one is in place; a leftover only costs space until the next `keep`.
        with suppress(OSError):
            atomic.discard(aside)


def _settle(directory: Path, epoch: int) -> None:
    """Rename an epoch that a kill left aside back to its name, or remove it if a newer one exists."""
    target = _folder(directory, epoch)
    if (target / MANIFEST).is_file():
        atomic.discard(_aside(target))
    else:
        atomic.discard(target)
        _aside(target).replace(target)


def _folder(directory: Path, epoch: int) -> Path:
    if epoch < 0:
        raise ValueError(f"an epoch cannot be {epoch}")
    return directory / f"epoch-{epoch:04d}"


def _aside(target: Path) -> Path:
    return target.with_name(f".old-{target.name}")


def _folders(directory: Path) -> list[tuple[int, bool]]:
    """Return (epoch, whether it is set aside) for every entry with a checkpoint's name."""
    with atomic.trouble("read", directory):
        entries = directory.iterdir() if directory.is_dir() else ()
        names = [entry.name for entry in entries if entry.is_dir() and not entry.is_symlink()]
    matches = [match for match in map(_FOLDER.fullmatch, sorted(names)) if match is not None]
    found = [(int(match["epoch"]), bool(match["aside"]), match[0]) for match in matches]
    return [(epoch, aside) for epoch, aside, name in found if name.endswith(_folder(directory, epoch).name)]


def _locate(directory: Path, epoch: int) -> Path | None:
    target = _folder(directory, epoch)
    places = (folder for folder in (target, _aside(target)) if not folder.is_symlink())
    return next((folder for folder in places if (folder / MANIFEST).is_file()), None)


def _entry(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _read_manifest(path: Path, epoch: int) -> dict[str, Any]:
    try:
        manifest = from_json(atomic.read_file(path, _LARGEST_MANIFEST))
    except ValueError as error:
        raise _damaged(path, f"not JSON ({error})") from error
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(isinstance(entry, dict) for entry in files.values()):
        raise _damaged(path, "it has no table of files")
    if manifest.get("epoch") != epoch:
        raise _damaged(path, f"it speaks of epoch {manifest.get('epoch')}, not {epoch}")
    return files


def _damaged(path: Path, reason: str) -> RunError:
    what = path if path.name == MANIFEST else f"checkpoint {path}"
    return RunError(f"{what} is damaged: {reason}", DAMAGED_HINT, reason)


def _check_sizes(folder: Path, expected: Mapping[str, Any], limit: int | None) -> None:
    """Check the sizes on disk against the manifest and the limit, before anything is read."""
    total = 0
    for name, entry in expected.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise _damaged(folder, f"{name} is not a plain file")
        size = path.stat().st_size
        if size != entry.get("size"):
            raise _damaged(folder, f"{name} has size {size} bytes, the manifest says {entry.get('size')} bytes")
        total += size
    if limit is not None and total > limit:
        raise RunError(
            f"checkpoint {folder} has {total:,} bytes, more than such a model can have ({limit:,})", DAMAGED_HINT
        )


def _read_file(path: Path, expected: Mapping[str, Any]) -> bytes:
    data = atomic.read_file(path)
    actual = _entry(data)
    for key, unit in (("size", " bytes"), ("sha256", "")):
        if actual[key] != expected.get(key):
            raise _damaged(
                path.parent,
                f"{path.name} has {key} {actual[key]}{unit}, the manifest says {expected.get(key)}{unit}",
            )
    return data
