from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import Trained

import dltrain as package
from dltrain import runs
from dltrain.config import load
from dltrain.engine import Profiled
from dltrain.engine.model import speed
from dltrain.engine.training import profile


@pytest.mark.parametrize("feed", ["memory", "stream"])
def test_profile_reports_where_the_time_goes(tiny: Path, tmp_path: Path, feed: str) -> None:
    events: list[Any] = []
    run = package.fit(tiny, [f"runtime.feed={feed}"], runs_dir=tmp_path, profile=True, on_event=events.append)
    (event,) = [event for event in events if isinstance(event, Profiled)]
    written = json.loads((run.path / "profile.json").read_text())
    assert [name for name, _, _ in event.rows] == list(written)
    assert {"loading data", "steps", "validation", "checkpoints, journal and log"} <= set(written)
    assert all(seconds >= 0 for seconds in written.values())
    assert sum(share for _, _, share in event.rows if share is not None) == pytest.approx(1)
    beside = [name for name, _, share in event.rows if share is None]
    assert beside == ([profile.INPUT] if feed == "stream" else [])  # from memory, the steps gather their batches


def test_profile_failure_marks_the_run_as_failed(tiny: Path, tmp_path: Path) -> None:
    def listener(event: object) -> None:
        if isinstance(event, Profiled):
            raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        package.fit(tiny, ["train.epochs=1"], runs_dir=tmp_path / "runs", profile=True, on_event=listener)
    (path,) = (tmp_path / "runs").iterdir()
    assert runs.Run(path).status() == "failed"


def test_profile_is_off_by_default(trained: Trained) -> None:
    assert not (trained.finished().path / "profile.json").exists()


@pytest.mark.parametrize(
    ("units", "batch_size", "at_once"), [(8, 8, 999), (100, 8, 966), (4_000, 32, 4), (20_000, 100, 1), (3_000, 100, 2)]
)
def test_profile_steps_per_execution_take_at_most_half_a_second(
    tiny: Path, units: int, batch_size: int, at_once: int
) -> None:
    layers = f"[Dense: {{units: {units}}}, Dense: {{units: {units}}}, Dense: {{units: 3, activation: softmax}}]"
    plan = load(tiny, [f"model.layers={layers}", f"train.batch_size={batch_size}"])
    steps = speed.per_execution(plan, speed.count_steps(plan, 10_000), 1_000)
    assert steps == speed.Steps(batch_size, -(-10_000 // batch_size), at_once)
