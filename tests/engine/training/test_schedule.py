"""Learning rates by epoch, lengths of schedules in epochs, and the order of the samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.helpers import ROOT, fingerprint, stopped

import dltrain
from dltrain import runs
from dltrain.config import load
from dltrain.engine.inputs import load_data
from dltrain.engine.session import open_session
from dltrain.engine.training.job import Job, prepare

STEPS = 5  # of an epoch: 72 training samples
ONE_CYCLE = {"initial_learning_rate": 0.004, "warmup_target": 0.1, "alpha": 1e-5}
# Trains a config, and stops and resumes it, on JAX.
ON_JAX = """
import json, sys
from pathlib import Path
import dltrain
from tests.helpers import fingerprint, stopped
config, folder = Path(sys.argv[1]), Path(sys.argv[2])
whole = dltrain.fit(config, ["runtime.backend=jax"], runs_dir=folder / "whole")
again = dltrain.resume(stopped(config, folder / "parts", 2, "runtime.backend=jax"))
print(json.dumps([fingerprint(whole) == fingerprint(again), [row["learning_rate"] for row in whole.metrics()]]))
"""


def config(folder: Path, **train: Any) -> Path:
    x = np.arange(90, dtype=np.float32)[:, None] / 90
    np.savez(folder / "d.npz", x=x, y=3 * x[:, 0] - 1, x_test=x, y_test=3 * x[:, 0] - 1)
    made: dict[str, Any] = {
        "name": "schedule",
        "data": {"dataset": {"arrays": {"path": "d.npz"}}, "task": "regression", "validation": 0.2},
        "model": {"layers": [{"Dense": {"units": 1}}]},
        "train": {"optimizer": {"SGD": {"learning_rate": 0.5}}, "loss": "mse", "epochs": 3, "batch_size": 16, **train},
    }
    path = folder / "schedule.yaml"
    path.write_text(yaml.safe_dump(made, sort_keys=False))
    return path


def rates(run: runs.Run) -> list[float]:
    return [round(float(row["learning_rate"] or 0), 6) for row in run.metrics()]


def losses(run: runs.Run) -> list[Any]:
    return [(row["loss"], row["val_loss"]) for row in run.metrics()]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({3: 0.01, 1: 0.25}, [0.25, 0.25, 0.01]),
        ({2: 0.1, 9: 0.01}, [0.5, 0.1, 0.1]),
    ],
    ids=str,
)
def test_schedule_sets_the_rate_of_each_epoch(tmp_path: Path, schedule: Any, expected: list[float]) -> None:
    run = dltrain.fit(config(tmp_path, schedule=schedule), runs_dir=tmp_path / "runs")
    assert rates(run) == expected


def test_schedule_is_the_same_as_one_of_steps(tmp_path: Path) -> None:
    """Keras's last step with a value is that of the boundary, counted from 0."""
    pieces = {"boundaries": [STEPS - 1, 2 * STEPS - 1], "values": [0.25, 0.1, 0.01]}
    optimizer = {"SGD": {"learning_rate": {"PiecewiseConstantDecay": pieces}}}
    by_steps = dltrain.fit(config(tmp_path, optimizer=optimizer), runs_dir=tmp_path / "steps")
    made = config(tmp_path, schedule={1: 0.25, 2: 0.1, 3: 0.01}, steps_per_execution=2)
    assert losses(dltrain.fit(made, runs_dir=tmp_path / "epochs")) == losses(by_steps)


@pytest.mark.parametrize(
    "train",
    [
        {"schedule": {2: 0.1, 3: 0.01}, "optimizer": "Adam"},
        {"schedule": {3: 0.1}, "precision": "mixed_float16", "shuffle": False},
    ],
    ids=str,
)
def test_schedule_and_order_resume_to_the_same_bits(tmp_path: Path, train: Any) -> None:
    made = config(tmp_path, **train)
    whole = dltrain.fit(made, runs_dir=tmp_path / "whole")
    assert fingerprint(dltrain.resume(stopped(made, tmp_path / "parts", 2))) == fingerprint(whole)


@pytest.mark.parametrize(
    ("schedule", "in_steps"),
    [
        (
            {"CosineDecay": {**ONE_CYCLE, "warmup_steps": "1 epoch", "decay_steps": "2 epochs"}},
            {"CosineDecay": {**ONE_CYCLE, "warmup_steps": STEPS, "decay_steps": 2 * STEPS}},
        ),
        (
            {"PiecewiseConstantDecay": {"boundaries": ["0.5 epochs", "2 epochs"], "values": [0.1, 0.2, 0.01]}},
            {"PiecewiseConstantDecay": {"boundaries": [2, 2 * STEPS], "values": [0.1, 0.2, 0.01]}},
        ),
        (
            {"PolynomialDecay": {"initial_learning_rate": 0.2, "decay_steps": "3 epochs", "end_learning_rate": 0.1}},
            {"PolynomialDecay": {"initial_learning_rate": 0.2, "decay_steps": 15, "end_learning_rate": 0.1}},
        ),
        (
            {"ExponentialDecay": {"initial_learning_rate": 0.2, "decay_steps": "1 epoch", "decay_rate": 0.5}},
            {"ExponentialDecay": {"initial_learning_rate": 0.2, "decay_steps": STEPS, "decay_rate": 0.5}},
        ),
        (
            {"CosineDecayRestarts": {"initial_learning_rate": 0.2, "first_decay_steps": "1.5 epochs"}},
            {"CosineDecayRestarts": {"initial_learning_rate": 0.2, "first_decay_steps": 8}},
        ),
    ],
    ids=lambda item: next(iter(item)),
)
def test_schedule_counts_epochs_as_steps(tmp_path: Path, schedule: Any, in_steps: Any) -> None:
    made = load(config(tmp_path, optimizer={"SGD": {"learning_rate": schedule}}))
    expected = load(config(tmp_path, optimizer={"SGD": {"learning_rate": in_steps}}))
    assert made.in_steps(STEPS).resolved() == expected.resolved()
    assert load(tmp_path / "schedule.yaml").in_steps(STEPS).spec == expected.spec


def test_schedule_in_epochs_goes_with_the_steps_of_the_run(tmp_path: Path) -> None:
    cycle = {"CosineDecay": {**ONE_CYCLE, "warmup_steps": "1 epoch", "decay_steps": "2 epochs"}}
    made = config(tmp_path, optimizer={"SGD": {"learning_rate": cycle}})
    run = dltrain.fit(made, ["data.limit.train=40"], runs_dir=tmp_path / "runs")
    assert "decay_steps: 4," in (run.path / "resolved.yaml").read_text()  # 32 samples, 2 steps an epoch
    assert rates(run) == [0.1, pytest.approx(0.05, rel=1e-3), 1e-6]
    assert dltrain.evaluate(run).metrics["loss"] == run.record().metrics["test_loss"]
    again = dltrain.fit(run.path / "resolved.yaml", runs_dir=tmp_path / "again")
    assert fingerprint(again) == fingerprint(run)


@pytest.mark.parametrize(("shuffle", "feed"), [(True, "memory"), (False, "memory"), (False, "stream")])
def test_order_is_that_of_the_data_without_shuffling(tmp_path: Path, shuffle: bool, feed: str) -> None:
    plan = load(config(tmp_path, shuffle=shuffle), [f"runtime.feed={feed}"])
    dataset = load_data(plan.spec)
    with open_session(plan.spec) as session:
        job = prepare(plan, dataset, session, lambda event: None)
        epoch = session.backend.epoch()
        orders = []
        for number in range(2):
            epoch.assign(number)
            orders.append([float(value) for given in job.training_input(epoch) for value in samples_of(job, given)])
    source = np.asarray(dataset.train.x).ravel().tolist()
    assert all(sorted(order) == source for order in orders)
    assert [order == source for order in orders] == [not shuffle, not shuffle]
    assert (orders[0] == orders[1]) is not shuffle


def samples_of(job: Job, given: Any) -> np.ndarray:
    """Return the samples of a batch, or those at the positions that an execution gathers."""
    return np.asarray(given[0]).ravel() if job.rows is None else np.asarray(job.dataset.train.x)[given].ravel()


@pytest.mark.slow  # a quick one trains by a schedule in tests/engine/test_backends.py
def test_schedule_and_order_on_jax(tmp_path: Path) -> None:
    made = config(tmp_path, schedule={2: 0.1, 3: 0.01}, shuffle=False)
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, str(made), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    same, found = json.loads(done.stdout.splitlines()[-1])
    assert same
    assert found == pytest.approx([0.5, 0.1, 0.01])
