"""One run: everything that is written to and read from its directory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from dltrain.errors import RunError
from dltrain.runs import atomic, checkpoints, journal, lock
from dltrain.runs.ids import timestamp
from dltrain.runs.json_text import to_json
from dltrain.runs.record import FILE_NAME, STATUSES, RunRecord, Status, read_record

LOG = "log.txt"
CRASHED = "crashed"

_FIXED = ("id", "created")


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory. One process writes to it at a time; any number may read.

    Every method that touches the disk raises RunError with the path and the reason where that fails. A
    relative path that leaves the run (`..`, absolute, empty) is a caller's bug, hence a ValueError.
    """

    path: Path
    lock: lock.Lock | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        return self.path.name

    def record(self) -> RunRecord:
        """The contents of run.json. RunError naming the file where it is damaged."""
        return read_record(self.path)

    def status(self) -> str:
        """The status in run.json, but `crashed` for a run that says `running` while no process holds its lock."""
        return self.status_of(self.record())

    def status_of(self, record: RunRecord) -> str:
        return CRASHED if record.status == "running" and not lock.held(self.path) else record.status

    def locked(self) -> Run:
        """The same run, with this process as its one writer. RunError where another process is."""
        return Run(self.path, lock.acquire(self.path))

    def release(self) -> None:
        """Let other processes write; nothing where this one never locked the run."""
        if self.lock is not None:
            self.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def update(self, **fields: Any) -> None:
        """Set fields of `RunRecord`. ValueError for an unknown status or a field that never changes."""
        fixed = [key for key in _FIXED if key in fields]
        if fixed:
            raise ValueError(f"set once, at creation: {', '.join(fixed)}")
        if "status" in fields and fields["status"] not in STATUSES:
            raise ValueError(f"status {fields['status']!r} is not one of {', '.join(STATUSES)}")
        self.write_json(FILE_NAME, replace(self.record(), **fields).to_fields())

    def finish(self, status: Status, **fields: Any) -> None:
        """Set the status and the moment of the end, and `fields` in the same write."""
        self.update(**{**fields, "status": status, "ended": timestamp(datetime.now(UTC))})

    def log(self, text: str) -> None:
        """Append to log.txt, each line of `text` with the time (UTC) before it."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = [f"{now} {line}".rstrip() for line in text.splitlines() or [""]]
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        atomic.append(self._inside(LOG), data)

    def add_metrics(self, row: Mapping[str, float | int]) -> None:
        """Append one epoch to metrics.jsonl, on disk when this returns, and rewrite metrics.csv.

        NaN and infinities are null in the JSON and empty in the CSV.
        """
        journal.add(self.path, row)

    def metrics(self) -> list[journal.Row]:
        """The journal, oldest row first, without a torn last line; None stands for NaN or infinity.

        RunError names file and line where any other line is damaged.
        """
        return journal.read(self.path)

    def rewrite_metrics(self, history: Sequence[Mapping[str, float]]) -> None:
        """Make the journal that of `history`, epoch 1 first; each epoch keeps the seconds that are still readable."""
        journal.rewrite(self.path, history)

    def read_bytes(self, relative: str) -> bytes:
        path = self._inside(relative)
        with atomic.trouble("read", path):
            return atomic.read_file(path)

    def plain_file(self, relative: str) -> Path:
        """The path of a file of the run, for others to read. RunError where it is missing or no plain file."""
        path = self._inside(relative)
        atomic.ensure_plain(path)
        return path

    def make_folder(self, relative: str) -> Path:
        """A folder in the run, made where it is missing."""
        path = self._inside(relative, folder=True)
        with atomic.trouble("write", path):
            atomic.make_subdirectories(self.path, path)
        return path

    def tidy(self) -> None:
        """Removes what kills left under temporary names; only the one writer may."""
        with atomic.trouble("tidy", self.path):
            for entry in list(self.path.iterdir()):
                if entry.name.startswith(atomic.TEMPORARY_PREFIX):
                    atomic.delete(entry)

    def write_bytes(self, relative: str, data: bytes) -> None:
        """Write a file in one step, and the folders it needs; never the run directory itself."""
        path = self._inside(relative)
        with atomic.trouble("write", path):
            atomic.make_subdirectories(self.path, path.parent)
        atomic.write_file(path, data)

    def write_text(self, relative: str, text: str) -> None:
        """UTF-8, newlines as given."""
        self.write_bytes(relative, text.encode("utf-8"))

    def write_json(self, relative: str, value: Any) -> None:
        """Indented JSON; NaN and infinities become null."""
        self.write_bytes(relative, to_json(value))

    def commit_checkpoint(self, epoch: int, files: Mapping[str, bytes]) -> Path:
        """Write `checkpoints/epoch-0007` with its manifest; it appears whole, replacing an older one."""
        directory = self._checkpoints()
        with atomic.trouble("write", directory):
            atomic.make_subdirectories(self.path, directory)
        return checkpoints.commit(directory, epoch, files)

    def checkpoints(self) -> list[int]:
        """Epochs of the checkpoints with a manifest, in order; `read_checkpoint` tells if one is sound."""
        return checkpoints.epochs(self._checkpoints())

    def read_checkpoint(
        self, epoch: int, limit: int | None = None, only: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Files by name, verified against the manifest, of at most `limit` bytes. RunError says what differs.

        Of the files that are not in `only`, names and sizes alone are looked at.
        """
        return checkpoints.read(self._checkpoints(), epoch, limit, only)

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
