"""Processes that are measured, and how their figures are told."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DLTRAIN = [sys.executable, "-m", "dltrain"]
PYTORCH = os.environ.get("PYTORCH", sys.executable)
ROUNDS = int(os.environ.get("ROUNDS", "5"))
DIVIDE = int(os.environ.get("DIVIDE", "1"))  # makes data sets smaller by that, to try the sections
ONLY = [name for name in os.environ.get("ONLY", "").split(",") if name]  # models of the training section
# Without compiled modules, which this keeps Python from writing, each start compiles dltrain anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "SAVE_TO": str(Path(tempfile.gettempdir()) / "plain.keras")}


class Failed(SystemExit):
    """A command that did not succeed; `reason` is the last line that it wrote to stderr."""

    def __init__(self, command: Sequence[object], reason: str) -> None:
        """Name the command."""
        super().__init__(f"failed: {' '.join(map(str, command))}: {reason}")
        self.reason = reason


def run(
    command: Sequence[object], environment: Mapping[str, str] | None = None, one_core: bool = False
) -> tuple[float, int, str]:
    """Run a command on all cores, or on one; return (wall seconds, peak bytes, stdout), or raise `Failed`."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(argument) for argument in command],
            stdout=output,
            stderr=errors,
            env={**QUIET, **(environment or {})},
            preexec_fn=_stay_on_one_core if one_core else None,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        output.seek(0)
        errors.seek(0)
        if status != 0:
            raise Failed(command, (errors.read().decode(errors="replace").strip().splitlines() or ["no message"])[-1])
        return wall, usage.ru_maxrss * 1024, output.read().decode()


def _stay_on_one_core() -> None:
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])


def json_of(output: str) -> dict[str, Any]:
    """Return the JSON in the last line of a script's stdout."""
    return dict(json.loads(output.splitlines()[-1]))


def measured(script: str, *arguments: object, python: str = sys.executable) -> dict[str, Any]:
    """Return the JSON that another script in this folder prints."""
    return json_of(run([python, HERE / script, *arguments])[2])


def spread(values: Sequence[float], spec: str = ".2f") -> str:
    """Return `median (min-max)`, formatted by `spec`."""
    return f"{statistics.median(values):{spec}} ({min(values):{spec}}–{max(values):{spec}})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
