"""A run directory of an earlier version, committed unchanged, can be shown, evaluated and resumed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import dltrain as package
from dltrain import runs

FIXTURE = Path(__file__).parent / "fixtures" / "run-0.1.0"
# The results of the version that created the run.
TEST = {"loss": 1.1220397, "accuracy": 0.225}
THIRD_EPOCH = {"loss": 1.1298265, "accuracy": 0.3240741, "val_loss": 1.0328403, "val_accuracy": 0.4166667}


@pytest.fixture
def older(tmp_path: Path) -> runs.Run:
    name = json.loads((FIXTURE / "run.json").read_text())["id"]
    shutil.copytree(FIXTURE, tmp_path / "runs" / name)
    return runs.Run(tmp_path / "runs" / name)


def test_older_runs_are_listed_and_shown(
    older: runs.Run, dltrain: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    listed = dltrain("ls")
    assert f"{older.id}  interrupted  2" in listed.stdout
    shown = dltrain("show", older.id)
    assert shown.returncode == 0, shown.stderr
    assert "epochs        2 of 3" in shown.stdout
    assert "recurrent" not in shown.stdout
    written = json.loads((FIXTURE / "run.json").read_text())
    as_json = json.loads(dltrain("show", older.id, "--json").stdout)
    assert [row["epoch"] for row in as_json.pop("epochs")] == list(range(1, written.pop("epochs")))
    as_json["runtime"] = {key: as_json["runtime"][key] for key in written["runtime"]}  # later versions record more
    assert {key: as_json[key] for key in written} == written


def test_older_runs_are_evaluated(older: runs.Run) -> None:
    assert package.evaluate(older).metrics == pytest.approx(TEST, rel=1e-4)


def test_older_runs_are_resumed(older: runs.Run) -> None:
    resumed = package.resume(older, force=True)  # the versions of other packages may differ
    assert resumed.record().status == "completed"
    (entry,) = resumed.record().resumed
    assert entry.from_epoch == 2
    assert not [change for change in entry.forced if "resolved.yaml" in change or "data set" in change]
    last = resumed.metrics()[-1]
    assert {name: last[name] for name in THIRD_EPOCH} == pytest.approx(THIRD_EPOCH, rel=1e-3)
