from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
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


def steps_of(config: Path, layers: str, *overrides: str) -> speed.Steps:
    whole = f"model.layers=[{layers}, Dense: {{units: 3, activation: softmax}}]"
    plan = load(config, [whole, *(overrides or ["data.dataset.synthetic.features=64"])])
    return speed.per_execution(plan, speed.count_steps(plan, 100_000), 1_000)


@pytest.mark.parametrize(
    ("units", "batch_size", "at_once"), [(8, 8, 996), (1_000, 32, 40), (4_000, 32, 2), (20_000, 100, 1)]
)
def test_profile_steps_per_execution_take_at_most_half_a_second(
    tiny: Path, units: int, batch_size: int, at_once: int
) -> None:
    steps = steps_of(tiny, f"Dense: {{units: {units}}}, Dense: {{units: {units}}}", f"train.batch_size={batch_size}")
    assert steps.per_execution == at_once


@pytest.mark.parametrize(
    ("layers", "most"),
    [
        ("Reshape: {target_shape: [32, 2]}, LSTM: {units: 1}", 80),
        ("Reshape: {target_shape: [32, 2]}, Bidirectional: {layer: {LSTM: {units: 1}}}", 40),
        ("Reshape: {target_shape: [4, 8, 2]}, TimeDistributed: {layer: {GRU: {units: 1}}}, Flatten", 80),
        ("Dense: {units: 10, use_bias: false}, RepeatVector: {n: 10000}, GlobalMaxPooling1D", 50),
    ],
)
def test_profile_steps_per_execution_are_few_where_long_steps_multiply_little(
    tiny: Path, layers: str, most: int
) -> None:
    assert most / 2 < steps_of(tiny, layers).per_execution <= most


def test_profile_steps_per_execution_are_few_where_many_weights_are_updated(tiny: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "words.npz", x=np.arange(100).reshape(50, 2), y=np.arange(50) % 3)
    override = f"data={{dataset: {{arrays: {{path: {tmp_path}/words.npz}}}}, test: 0.2}}"
    steps = steps_of(tiny, "Embedding: {input_dim: 1000000, output_dim: 25}, Flatten", override)
    assert steps.per_execution == 3
