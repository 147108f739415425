"""One run: all reads and writes of its directory."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from dltrain.errors import RunError
from dltrain.runs import atomic, checkpoints, journal, lock
from dltrain.runs.ids import timestamp
from dltrain.runs.json_text import from_json, to_json
from dltrain.runs.record import FILE_NAME, STATUSES, RunRecord, Status, read_record

LOG = "log.txt"
CRASHED = "crashed"

_FIXED = ("id", "created")


def config_digest(resolved: bytes) -> str:
    """Return the SHA-256 of a resolved config, which reveals changes to it."""
    return hashlib.sha256(resolved).hexdigest()


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory. One process writes to it at a time; any number may read.

    Every method that touches the disk raises RunError with the path and the reason on failure. A relative path that
    leaves the run (`..`, absolute, empty) is a bug of the caller, hence a ValueError.
    """

    path: Path
    lock: lock.Lock | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        return self.path.name

    def record(self) -> RunRecord:
        """Read run.json. RunError names the file if it is damaged."""
        return read_record(self.path)

    def status(self) -> str:
        """Return the status in run.json, or `crashed` if it says `running` and no process holds the lock."""
        return self.status_of(self.record())

    def status_of(self, record: RunRecord) -> str:
        return CRASHED if record.status == "running" and not lock.held(self.path) else record.status

    def locked(self) -> Run:
        """Lock the run for this process and return it. RunError if another process holds the lock."""
        return Run(self.path, lock.acquire(self.path))

    def release(self) -> None:
        """Let other processes write; does nothing without a lock."""
        if self.lock is not None:
            self.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def update(self, **fields: Any) -> None:
        """Set fields of `RunRecord`. ValueError for an unknown status or a fixed field."""
        fixed = [key for key in _FIXED if key in fields]
        if fixed:
            raise ValueError(f"set once, at creation: {', '.join(fixed)}")
        if "status" in fields and fields["status"] not in STATUSES:
            raise ValueError(f"status {fields['status']!r} is not one of {', '.join(STATUSES)}")
        self.write_json(FILE_NAME, replace(self.record(), **fields).to_fields())

    def finish(self, status: Status, **fields: Any) -> None:
        """Set the status, the end time and `fields` in one write."""
        self.update(**{**fields, "status": status, "ended": timestamp(datetime.now(UTC))})

    def log(self, text: str) -> None:
        """Append to log.txt, each line of `text` prefixed with the time (UTC)."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = [f"{now} {line}".rstrip() for line in text.splitlines() or [""]]
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        atomic.append(self._inside(LOG), data)

    def add_metrics(self, row: Mapping[str, float | int]) -> None:
        """Append one epoch to metrics.jsonl, synced to disk, and rewrite metrics.csv.

        NaN and infinities are null in the JSON and empty in the CSV.
        """
        journal.add(self.path, row)

    def metrics(self) -> list[journal.Row]:
        """Read the journal, oldest row first, without a torn last line; None stands for NaN or infinity.

        RunError names file and line if any other line is damaged.
        """
        return journal.read(self.path)

    def rewrite_metrics(self, history: Sequence[Mapping[str, float]]) -> None:
        """Rewrite the journal from `history`, epoch 1 first; readable `seconds` of the old rows are kept."""
        journal.rewrite(self.path, history)

    def read_bytes(self, relative: str, limit: int | None = None) -> bytes:
        """Read a file of the run. RunError if it is missing, not a plain file, or has more than `limit` bytes."""
        path = self._inside(relative)
        with atomic.trouble("read", path):
            return atomic.read_file(path, limit)

    def read_json(self, relative: str, limit: int) -> Any:
        """Read a JSON file of the run. RunError as `read_bytes`, or if it is not JSON."""
        try:
            return from_json(self.read_bytes(relative, limit))
        except ValueError as error:
            raise RunError(f"{self._inside(relative)} is damaged: not JSON ({error})") from None

    def make_folder(self, relative: str) -> Path:
        """Return the path of a folder in the run; it is made if missing."""
        path = self._inside(relative, folder=True)
        with atomic.trouble("write", path):
            atomic.make_subdirectories(self.path, path)
        return path

    def tidy(self) -> None:
        """Remove leftovers of kills under temporary names; only the writer may."""
        with atomic.trouble("tidy", self.path):
            for entry in list(self.path.iterdir()):
                if entry.name.startswith(atomic.TEMPORARY_PREFIX):
                    atomic.delete(entry)

    def write_bytes(self, relative: str, data: bytes) -> None:
        """Write a file atomically, and the folders it needs; the run directory itself is never made."""
        path = self._inside(relative)
        with atomic.trouble("write", path):
            atomic.make_subdirectories(self.path, path.parent)
        atomic.write_file(path, data)

    def remove(self, relative: str) -> None:
        """Remove a file, if it is there; a folder of that name stays."""
        path = self._inside(relative)
        with atomic.trouble("remove", path):
            if path.is_file():
                atomic.discard(path)

    def write_text(self, relative: str, text: str) -> None:
        """Write text as UTF-8, newlines unchanged."""
        self.write_bytes(relative, text.encode("utf-8"))

    def write_json(self, relative: str, value: Any) -> None:
        """Write indented JSON; NaN and infinities become null."""
        self.write_bytes(relative, to_json(value))

    def commit_checkpoint(self, epoch: int, files: Mapping[str, bytes]) -> Path:
        """Write `checkpoints/epoch-0007` with its manifest, atomically; an older one is replaced."""
        directory = self._checkpoints()
        with atomic.trouble("write", directory):
            atomic.make_subdirectories(self.path, directory)
        return checkpoints.commit(directory, epoch, files)

    def checkpoints(self) -> list[int]:
        """Return the epochs of checkpoints with a manifest, sorted; `read_checkpoint` verifies one."""
        return checkpoints.epochs(self._checkpoints())

    def read_checkpoint(
        self, epoch: int, limit: int | None = None, only: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Read the files of a checkpoint, at most `limit` bytes, and verify them. RunError says what differs.

        Of files not in `only`, just names and sizes are checked.
        """
        return checkpoints.read(self._checkpoints(), epoch, limit, only)

    def locate_checkpoint(self, epoch: int, name: str) -> tuple[Path, str]:
        """Return the path of a file of a checkpoint, and its SHA-256 as the manifest says it."""
        return checkpoints.locate(self._checkpoints(), epoch, name)

    def keep_checkpoints(self, epochs: Collection[int]) -> None:
        """Remove the checkpoints of all other epochs, and leftovers of earlier kills."""
        checkpoints.keep(self._checkpoints(), epochs)

    def _checkpoints(self) -> Path:
        return self._inside("checkpoints", folder=True)

    def _inside(self, relative: str, folder: bool = False) -> Path:
        part = Path(relative)
        if not part.parts or part.is_absolute() or part.drive or ".." in part.parts or "\0" in relative:
            raise ValueError(f"not a path inside a run: {relative!r}")
        path = self.path / part
        with atomic.trouble("read", path):
            for depth in range(1, len(part.parts) + folder):
                above = self.path.joinpath(*part.parts[:depth])
                if above.is_symlink():
                    raise RunError(
                        f"{path} leads out of the run, to {above.readlink()}", "links in a run are never followed"
                    )
        return path
