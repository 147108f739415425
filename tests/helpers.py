"""Shared test helpers: a small config, trained and stopped runs, and fingerprints of runs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner

import dltrain as package
from dltrain import runs
from dltrain.engine import EpochDone, Prepared, Resuming, SkippedCheckpoint

ROOT = Path(__file__).parent.parent
TINY = """\
version: 1
name: tiny
data:
  dataset:
    synthetic: {samples: 200, test_samples: 60, features: 4, classes: 3}
model:
  layers:
    - Dense: {units: 8, activation: relu}
    - Dropout: {rate: 0.2}
    - Dense: {units: 3, activation: softmax}
train:
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  epochs: 2
"""


Done = subprocess.CompletedProcess[str]
IN_TURN = """
import json, sys
from dltrain.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["dltrain", *arguments]
    try:
        main()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            print(f"\\0{end.code}\\0", end="", file=stream, flush=True)
"""


class Command:
    """The `dltrain` command, run in its own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object) -> Done:
        return self._run("-m", "dltrain", *map(str, arguments))

    def in_turn(self, *commands: Sequence[object]) -> list[Done]:
        """Run several commands in one process, for tests that need no separate start."""
        done = self._run("-c", IN_TURN, json.dumps([[str(word) for word in words] for words in commands]))
        stdout, stderr = done.stdout.split("\0"), done.stderr.split("\0")
        assert len(stdout) == len(stderr) == 2 * len(commands) + 1, done.stderr
        ends = zip(commands, stdout[1::2], stdout[::2], stderr[::2], strict=False)
        return [Done(list(map(str, words)), int(code), out, err) for words, code, out, err in ends]

    def _run(self, *arguments: str) -> Done:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)


class StopError(Exception):
    """Ends training abruptly, like a crash."""


def stop_at(epoch: int, kind: type = EpochDone) -> Callable[[Any], None]:
    """Return a listener that raises `StopError` at the event of that kind and epoch."""

    def listen(event: Any) -> None:
        if isinstance(event, kind) and event.epoch == epoch:  # type: ignore[attr-defined]
            raise StopError

    return listen


def stopped(config: Path, runs_dir: Path, epoch: int, *overrides: str, kind: type = EpochDone) -> runs.Run:
    """Train until the event of that kind and epoch, and crash there."""
    with pytest.raises(StopError):
        package.fit(config, overrides, runs_dir=runs_dir, on_event=stop_at(epoch, kind))
    return package.load_run("latest", runs_dir)


def prepared(config: Path, runs_dir: Path, *overrides: str, smoke: bool = False) -> runs.Run:
    """Begin a training and crash before its first step: for tests of what is recorded then."""

    def listen(event: Any) -> None:
        if isinstance(event, Prepared):
            raise StopError

    with pytest.raises(StopError):
        package.fit(config, overrides, runs_dir=runs_dir, smoke=smoke, on_event=listen)
    return package.load_run("latest", runs_dir)


def start_resume(run: runs.Run, *, force: bool = False, from_scratch: bool = False) -> tuple[int, list[int]]:
    """Resume up to the first step; return the epoch that it continues from and the skipped epochs."""
    skipped: list[int] = []

    def listen(event: Any) -> None:
        if isinstance(event, SkippedCheckpoint):
            skipped.append(event.epoch)
        if isinstance(event, Resuming):
            raise StopError

    with pytest.raises(StopError):
        package.resume(run, force=force, from_scratch=from_scratch, on_event=listen)
    return run.record().resumed[-1].from_epoch, skipped


def fingerprint(run: runs.Run) -> dict[str, str]:
    """Return the SHA-256 of everything that must be identical in a stopped and resumed run."""
    last = run.checkpoints()[-1]
    state = json.loads(run.read_checkpoint(last)["state.json"])
    files = {f"last/{name}": data for name, data in run.read_checkpoint(last).items()}
    best = {f"best/{name}": data for name, data in run.read_checkpoint(state["best"]["epoch"]).items()}
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in run.metrics()]
    rest = {"rows": json.dumps(rows).encode(), "checkpoints": json.dumps(run.checkpoints()).encode()}
    rest["metrics"] = json.dumps(dict(run.record().metrics), sort_keys=True).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in {**files, **best, **rest}.items()}


def copied(run: runs.Run, runs_dir: Path) -> runs.Run:
    """Copy a run, for a test that changes it."""
    path = runs_dir / run.id
    shutil.copytree(run.path, path)
    return runs.Run(path)


class Trained:
    """Runs of TINY, each trained once and shared: read them, or take a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "tiny.yaml"
        self.config.write_text(TINY)
        self.known: dict[tuple[object, ...], runs.Run] = {}

    def finished(self, *overrides: str) -> runs.Run:
        """Return the finished run."""
        return self._once((None, *overrides), lambda to: package.fit(self.config, overrides, runs_dir=to))

    def stopped(self, epoch: int, *overrides: str) -> runs.Run:
        """Return the run as a crash at the end of `epoch` leaves it."""
        return self._once((epoch, *overrides), lambda to: stopped(self.config, to, epoch, *overrides))

    def _once(self, key: Sequence[object], train: Callable[[Path], runs.Run]) -> runs.Run:
        if tuple(key) not in self.known:
            self.known[tuple(key)] = train(self.folder / str(len(self.known)))
        return self.known[tuple(key)]


Case = TypeVar("Case")


def slow_but(quick: Collection[Case], cases: Iterable[Case]) -> list[Any]:
    """Return the cases as parameters, of which all but `quick` are marked slow."""
    cases = list(cases)
    assert all(case in cases for case in quick)
    return [pytest.param(case, marks=[] if case in quick else [pytest.mark.slow]) for case in cases]


def failures(cases: Iterable[Case], check: Callable[[Case], object]) -> dict[Case, str]:
    """Return the cases for which `check` raises, each with its error, so that one test can cover all names."""
    found = {}
    for case in cases:
        try:
            check(case)
        except Exception as error:  # noqa: BLE001
            found[case] = f"{type(error).__name__}: {error}"
    return found


def script(name: str) -> ModuleType:
    """Import a script from scripts/."""
    found = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def runner() -> CliRunner:
    """Return a CliRunner that separates stdout and stderr, which is the default since click 8.2."""
    options: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    return CliRunner(**options)
