"""Processes that are measured, and how their figures are told."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DLTRAIN = [sys.executable, "-m", "dltrain"]
PYTORCH = os.environ.get("PYTORCH", sys.executable)
ROUNDS = int(os.environ.get("ROUNDS", "5"))
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "SAVE_TO": str(Path(tempfile.gettempdir()) / "plain.keras")}


def run(command: Sequence[object], **environment: str) -> tuple[float, int, str]:
    """Run a command that must succeed; return (wall seconds, peak bytes, stdout)."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(argument) for argument in command],
            stdout=output,
            stderr=subprocess.DEVNULL,
            env={**QUIET, **environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        output.seek(0)
        if status != 0:
            raise SystemExit(f"failed: {' '.join(map(str, command))}")
        return wall, usage.ru_maxrss * 1024, output.read().decode()


def measured(script: str, *arguments: object, python: str = sys.executable) -> dict[str, Any]:
    """Return the JSON that another script in this folder prints."""
    return dict(json.loads(run([python, HERE / script, *arguments])[2].splitlines()[-1]))


def spread(values: Sequence[float], spec: str = ".2f") -> str:
    """Return `median (min-max)`, formatted by `spec`."""
    return f"{statistics.median(values):{spec}} ({min(values):{spec}}–{max(values):{spec}})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
