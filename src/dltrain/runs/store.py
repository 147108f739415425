"""The directory that holds the runs: create a run, list all runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dltrain.errors import RunError, UsageError
from dltrain.names import slug, valid_name
from dltrain.runs import atomic, lock
from dltrain.runs.ids import new_id, read_id, timestamp
from dltrain.runs.json_text import to_json
from dltrain.runs.record import FILE_NAME, RunRecord, read_record
from dltrain.runs.run import CRASHED, Run

DAMAGED = "damaged"

_HINT = "choose another place with `--runs-dir DIR`"
_OURS = ("id", "name", "status", "created", "ended")
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs.

    Args:
        id: from run.json, so that a renamed directory is still the same run; else the directory's name.
        status: a `Status`, `crashed` if the training process is gone, or `damaged`. A damaged run has no `record`,
            `problem` says why, and name and time come from the id.
        created: ISO 8601 in UTC; empty if unknown.
        record: the contents of run.json.
    """

    id: str
    path: Path
    name: str
    status: str
    created: str
    record: RunRecord | None = None
    problem: str = ""

    def epochs_done(self) -> int:
        """Return the epoch of the newest checkpoint; 0 without one."""
        return max(Run(self.path).checkpoints(), default=0)

    def resumes_from(self) -> int | None:
        """Return the epoch that a stopped run resumes after, 0 for its beginning; None for other runs."""
        if self.status not in (CRASHED, "interrupted", "failed"):
            return None
        return self.epochs_done()


def ensure_writable(runs_dir: Path) -> None:
    """Make the directory if missing, and check that it is writable by writing a file.

    RunError if not: a file in its place, a read-only or full disk, no permission.
    """
    probe = runs_dir / atomic.temporary_name()
    with atomic.trouble("write in the runs directory", runs_dir, _HINT):
        atomic.make_directories(runs_dir)
        try:
            # A whole block, since a full disk still has room for an empty file.
            atomic.write_new(probe, b"\0" * 4096)
        finally:
            with suppress(OSError):
                probe.unlink()


def create(runs_dir: Path, *, name: str, config: bytes, resolved: str, record: Mapping[str, Any]) -> Run:
    """Create a run directory atomically.

    `config` is written byte for byte. `record` holds fields of `RunRecord`; ValueError for fields set here.

    Raises:
        UsageError: `name` is not a valid run name.
        RunError: the directory cannot be written; nothing is left behind.
    """
    if not valid_name(name):
        raise UsageError(
            f"{name!r} cannot name a run",
            f"up to 64 letters, digits, `.`, `_`, `-`, a letter or digit first: `{slug(name)}`",
        )
    taken = [key for key in _OURS if key in record]
    if taken:
        raise ValueError(f"fields of run.json that are set here: {', '.join(taken)}")
    with atomic.trouble("make a run in", runs_dir, _HINT):
        atomic.make_directories(runs_dir)
        for _ in range(_ATTEMPTS):
            created = datetime.now(UTC)
            run_id = new_id(created, name)
            begun = RunRecord(id=run_id, name=name, status="running", created=timestamp(created), **record)
            files = {
                "config.yaml": config,
                "resolved.yaml": resolved.encode("utf-8"),
                FILE_NAME: to_json(begun.to_fields()),
            }
            held = _publish(runs_dir / run_id, files)
            if held is not None:
                return Run(runs_dir / run_id, held)
    raise RunError(f"cannot make a run in {runs_dir}: {_ATTEMPTS} ids in a row were taken", _HINT)


def list_runs(runs_dir: Path) -> list[RunSummary]:
    """Return all runs, sorted by creation time and id, newest last; none if the directory does not exist.

    A directory counts as a run if it holds a run.json or is named like a run; one with an invalid run.json is listed
    as damaged. Links are not followed. A copy of a run has the same id. RunError if `runs_dir` itself cannot be read.
    """
    with atomic.trouble("read", runs_dir):
        if not runs_dir.exists():
            return []
        summaries = list(_summaries(runs_dir))
    return sorted(summaries, key=lambda summary: (summary.created, summary.id, summary.path))


def summary_of(run: Run, record: RunRecord) -> RunSummary:
    """Return the summary of one run."""
    own = record.id if read_id(record.id) is not None else run.id
    return RunSummary(own, run.path, record.name, run.status_of(record), record.created, record)


def _publish(target: Path, files: Mapping[str, bytes]) -> lock.Lock | None:
    """Write a directory, locked from the start, and rename it to `target`; None if that name is taken."""
    with atomic.staged_directory(target.parent, files) as stage:
        held = lock.acquire(stage)
        try:
            if target.exists() or not _renamed(stage, target):
                held.release()
                return None
            _settled(target)
        except BaseException:
            held.release()
            raise
    return held


def _settled(target: Path) -> None:
    """Make a new name survive a power cut; on failure, remove it."""
    try:
        atomic.sync_directory(target.parent)
    except BaseException:
        with suppress(OSError):
            atomic.discard(target)
        raise


def _renamed(stage: Path, target: Path) -> bool:
    try:
        stage.replace(target)
    except OSError:
        if target.exists():
            return False
        raise
    return True


def _summaries(runs_dir: Path) -> Iterator[RunSummary]:
    with os.scandir(runs_dir) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
                continue
            summary = _summary(runs_dir / entry.name)
            if summary is not None:
                yield summary


def _summary(path: Path) -> RunSummary | None:
    """Return the summary of a directory; None if it is no run."""
    try:
        return summary_of(Run(path), read_record(path, known=True))
    except RunError as error:
        # Without run.json it is another directory, or a run that was just removed.
        if os.path.lexists(path / FILE_NAME) or (read_id(path.name) and path.is_dir()):
            created, name = read_id(path.name) or ("", path.name)
            return RunSummary(path.name, path, name, DAMAGED, created, problem=error.message)
        return None
