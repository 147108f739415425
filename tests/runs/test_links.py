"""Links, pipes, devices and invalid values in a run: nothing outside is read or changed, nothing hangs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dltrain import runs
from dltrain.errors import RunError

RECORD = {"parameters": 3, "metrics": {"test_loss": 0.5}, "data": {"name": "mnist"}}


@pytest.fixture
def run(tmp_path: Path) -> runs.Run:
    made = runs.create(tmp_path / "runs", name="a", config=b"", resolved="a: 1\n", record=RECORD)
    made.add_metrics({"epoch": 1, "loss": 0.5})
    made.commit_checkpoint(1, {"weights": b"1"})
    made.commit_checkpoint(2, {"weights": b"2"})
    made.log("made")
    made.release()
    return made


@pytest.fixture
def outside(tmp_path: Path, run: runs.Run) -> Path:
    """A folder outside the run with the same files as the run."""
    folder = tmp_path / "outside"
    shutil.copytree(run.path, folder)
    (folder / "checkpoints" / ".tmp-mine").mkdir()
    return folder


def contents(folder: Path) -> dict[str, bytes | None]:
    found = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


USES: dict[str, tuple[Callable[[runs.Run], Any], ...]] = {
    "checkpoints": (
        runs.Run.checkpoints,
        lambda run: run.read_checkpoint(2),
        lambda run: run.keep_checkpoints({2}),
        lambda run: run.commit_checkpoint(3, {"weights": b"3"}),
    ),
    "log.txt": (lambda run: run.log("more"),),
    "metrics.jsonl": (runs.Run.metrics, lambda run: run.add_metrics({"epoch": 2, "loss": 1.0})),
    "run.json": (runs.Run.record, runs.Run.status, lambda run: run.update(seed=1)),
    "resolved.yaml": (lambda run: run.read_bytes("resolved.yaml"),),
    "tensorboard": (lambda run: run.make_folder("tensorboard/train"),),
}
CASES = [pytest.param(name, use, id=f"{name}-{index}") for name, uses in USES.items() for index, use in enumerate(uses)]


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


@pytest.mark.parametrize(("name", "use"), CASES)
def test_links_in_a_run_are_not_followed(
    run: runs.Run, outside: Path, name: str, use: Callable[[runs.Run], Any]
) -> None:
    remove(run.path / name)
    (outside / "tensorboard").mkdir()
    (run.path / name).symlink_to(outside / name)
    before = contents(outside)
    with pytest.raises(RunError):
        use(run)
    assert contents(outside) == before


def test_links_to_single_checkpoints_are_ignored(run: runs.Run, outside: Path) -> None:
    shutil.rmtree(run.path / "checkpoints" / "epoch-0002")
    (run.path / "checkpoints" / "epoch-0002").symlink_to(outside / "checkpoints" / "epoch-0002")
    assert run.checkpoints() == [1]
    with pytest.raises(RunError):
        run.read_checkpoint(2)
    run.keep_checkpoints({1})
    assert (outside / "checkpoints" / "epoch-0002" / "weights").read_bytes() == b"2"


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
@pytest.mark.parametrize(
    ("name", "use"),
    [case for case in CASES if str(case.values[0]) in ("log.txt", "metrics.jsonl", "run.json", "resolved.yaml")],
)
def test_links_pipes_and_devices_do_not_block(
    run: runs.Run, name: str, use: Callable[[runs.Run], Any], put: Callable[[Path], None]
) -> None:
    (run.path / name).unlink()
    put(run.path / name)
    with pytest.raises(RunError):
        use(run)
    assert [summary.id for summary in runs.list_runs(run.path.parent)] == [run.id]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        (".lock", lambda run: run.locked()),
        ("log.txt", lambda run: run.log("more")),
        ("metrics.jsonl", lambda run: run.add_metrics({"epoch": 2, "loss": 1.0})),
        ("metrics.jsonl", lambda run: run.rewrite_metrics([{"loss": 1.0}])),
        ("metrics.csv", lambda run: run.add_metrics({"epoch": 2, "loss": 1.0})),
        ("run.json", lambda run: run.update(seed=1)),
        ("resolved.yaml", lambda run: run.write_text("resolved.yaml", "x")),
    ],
)
def test_links_hard_ones_are_not_written_through(
    run: runs.Run, tmp_path: Path, name: str, write: Callable[[runs.Run], Any]
) -> None:
    run.release()
    victim = tmp_path / "victim"
    there = run.path / name
    victim.write_bytes(there.read_bytes() if there.exists() else b"")
    there.unlink(missing_ok=True)
    os.link(victim, there)
    before = victim.read_bytes()
    with suppress(RunError):  # what is replaced as a whole is another file then
        write(run)
    assert victim.read_bytes() == before


def test_links_pipe_as_lock_file_does_not_block(run: runs.Run) -> None:
    (run.path / ".lock").unlink()
    os.mkfifo(run.path / ".lock")
    assert run.status() == runs.CRASHED


@pytest.mark.parametrize(
    "field",
    [
        {"metrics": {"test_accuracy": 10**400}},
        {"metrics": {"test_accuracy": [1]}},
        {"metrics": "test_accuracy"},
        {"metrics": 5},
        {"data": []},
        {"parameters": "x"},
        {"resumed": 5},
        {"resumed": [5]},
        {"expect": "no"},
        {"expect": {"failed": 3}},
        {"smoke": [1]},
        {"device": 3},
    ],
    ids=str,
)
def test_links_invalid_fields_mark_the_run_as_damaged(run: runs.Run, field: dict[str, Any]) -> None:
    path = run.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **field}))
    (summary,) = runs.list_runs(run.path.parent)
    assert summary.status == runs.DAMAGED
    assert next(iter(field)) in summary.problem


@pytest.mark.parametrize(
    "line",
    ['{"loss": 1}', "{}", '{"epoch": 1, "loss": 1' + "0" * 400 + "}", '{"epoch": 1.5}', '{"epoch": 1, "a": "b"}'],
)
def test_links_invalid_rows_are_reported_as_damaged(run: runs.Run, line: str) -> None:
    (run.path / "metrics.jsonl").write_text(f"{line}\n{line}\n")
    with pytest.raises(RunError, match="line 1 is damaged"):
        run.metrics()
    run.rewrite_metrics([{"loss": 0.25}])
    assert run.metrics() == [{"epoch": 1, "loss": 0.25}]


def test_links_leftovers_of_a_killed_process_are_removed(run: runs.Run) -> None:
    (run.path / ".tmp-model-x").mkdir()
    (run.path / ".tmp-model-x" / "model.keras").write_bytes(b"half")
    (run.path / ".tmp-abc").write_bytes(b"half")
    run.tidy()
    assert not [path for path in run.path.iterdir() if path.name.startswith(".tmp-")]
    assert run.checkpoints() == [1, 2]
