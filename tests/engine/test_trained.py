from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import Trained, copied

import dltrain as package
from dltrain import engine, runs
from dltrain.engine.inputs import load_data
from dltrain.errors import RunError, UsageError

NUMBERS = {
    "data.dataset": {"synthetic": {"task": "regression", "samples": 90, "test_samples": 41, "features": 4}},
    "model.layers": [{"Dense": {"units": 1}}],
    "train.loss": "mse",
    "train.metrics": [],
}
YES_NO = {
    "data.dataset": {"synthetic": {"samples": 90, "test_samples": 41, "features": 4, "classes": 2}},
    "model.layers": [{"Dense": {"units": 1}}],
    "train.loss": {"BinaryCrossentropy": {"from_logits": True}},
    "train.metrics": [],
}


@pytest.fixture
def trained_run(trained: Trained) -> runs.Run:
    """A run of three epochs, of which the first is the best; all three checkpoints are kept."""
    return trained.finished("train.checkpoint={monitor: loss, mode: max}", "train.epochs=3")


@pytest.fixture
def run(trained_run: runs.Run, tmp_path: Path) -> runs.Run:
    """A copy that a test may change."""
    return copied(trained_run, tmp_path)


def epoch_of(run: runs.Run, checkpoint: Any = "best") -> int:
    """Restore a run's model, and return the epoch of its weights."""
    with engine.restored(run, checkpoint) as trained:
        return trained.epoch


@pytest.mark.parametrize(("checkpoint", "epoch"), [("best", 1), ("last", 3), (2, 2)])
def test_trained_has_the_weights_of_the_requested_epoch(trained_run: runs.Run, checkpoint: Any, epoch: int) -> None:
    from dltrain.engine.model import weights

    with engine.restored(trained_run, checkpoint) as trained:
        assert trained.epoch == epoch
        found = weights.arrays(weights.named_variables(trained.built.model))
    name = "weights.safetensors"
    kept = weights.from_bytes(trained_run.read_checkpoint(epoch, only=[name])[name], name)
    assert found.keys() == kept.keys()
    assert all(np.array_equal(found[key], kept[key]) for key in kept)


def test_trained_predictions_match_those_of_the_evaluation(trained_run: runs.Run) -> None:
    with engine.restored(str(trained_run.path)) as trained:
        dataset = load_data(trained.opened.plan.spec)
        outputs = np.asarray(trained.built.model(dataset.test.x * dataset.scale))
    lines = (trained_run.path / "eval" / "predictions.csv").read_text().splitlines()[1:]
    guesses = [trained.output.class_names[index] for index in outputs.argmax(axis=-1)]
    assert guesses == [line.split(",")[2] for line in lines]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, ("classification", (3,), "index", False, ("0", "1", "2"), ())),
        (NUMBERS, ("regression", (1,), "target", False, (), ("standard deviations",))),
        (YES_NO, ("classification", (1,), "binary", True, ("0", "1"), ())),
    ],
    ids=["classes", "numbers", "yes or no"],
)
def test_trained_describes_input_and_output(
    tiny: Path, tmp_path: Path, overrides: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    run = package.fit(tiny, {**overrides, "train.epochs": 1}, runs_dir=tmp_path)
    with engine.restored(run) as trained:
        out = trained.output
    assert trained.input == type(trained.input)(shape=(4,), dtype="float32", unit_range=False)
    assert (out.task, out.shape, out.encoding, out.from_logits, out.class_names, out.units) == expected


@pytest.mark.parametrize("checkpoint", [4, 0])
def test_trained_lists_the_available_checkpoints(trained_run: runs.Run, checkpoint: int) -> None:
    with pytest.raises(UsageError, match=f"no checkpoint of epoch {checkpoint}") as caught:
        epoch_of(trained_run, checkpoint)
    assert "1, 2, 3" in caught.value.hint


def test_trained_needs_a_checkpoint(run: runs.Run) -> None:
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(RunError, match="has no checkpoint"):
        epoch_of(run)


@pytest.mark.parametrize("use", [epoch_of, package.evaluate])
def test_trained_rejects_a_changed_config(run: runs.Run, use: Any) -> None:
    path = run.path / "resolved.yaml"
    path.write_text(path.read_text().replace("seed: 42", "seed: 43"))
    with pytest.raises(RunError, match=r"resolved\.yaml of the run .* has been changed"):
        use(run)


@pytest.mark.parametrize("name", ["run.json", "checkpoints/epoch-0001/weights.safetensors"])
def test_trained_rejects_damaged_files(run: runs.Run, name: str) -> None:
    path = run.path / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RunError, match="damaged"):
        epoch_of(run)


def damage(run: runs.Run, epoch: int, name: str) -> None:
    """Truncate a file of a checkpoint, or remove the whole checkpoint if `name` is empty."""
    path = run.path / "checkpoints" / f"epoch-{epoch:04d}" / name
    if name:
        path.write_bytes(path.read_bytes()[:-9])
    else:
        shutil.rmtree(path)


PARTS = ["weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json", ""]


@pytest.mark.parametrize("name", PARTS)
def test_trained_best_epoch_of_a_completed_run_needs_no_other_checkpoint(run: runs.Run, name: str) -> None:
    damage(run, 3, name)
    assert epoch_of(run) == 1


@pytest.mark.parametrize("name", ["weights.safetensors", "manifest.json", ""])
@pytest.mark.parametrize("completed", [True, False], ids=["completed", "stopped"])
def test_trained_never_replaces_the_best_checkpoint_by_another(
    trained: Trained, tmp_path: Path, name: str, completed: bool
) -> None:
    """The newest epoch is the best one, and the one before is intact."""
    run = copied(trained.finished("train.epochs=2") if completed else trained.stopped(2), tmp_path)
    assert run.record().best_epoch == 2
    assert run.checkpoints() == [1, 2]
    before = {path: path.read_bytes() for path in run.path.glob("eval/*")}
    damage(run, 2, name)
    with pytest.raises(RunError, match="damaged" if name else "best epoch, 2, is missing") as caught:
        package.evaluate(run)
    assert ("model.keras" if completed and not name else "`dltrain resume` continues") in caught.value.hint
    assert {path: path.read_bytes() for path in run.path.glob("eval/*")} == before


@pytest.mark.parametrize("name", PARTS[:-1])
def test_trained_best_epoch_of_a_killed_run_is_that_of_its_newest_checkpoint(
    trained: Trained, tmp_path: Path, name: str
) -> None:
    run = copied(trained.stopped(2), tmp_path)
    run.update(status="running", ended=None, best_epoch=1)  # as a kill right after a checkpoint leaves it
    assert epoch_of(run) == 2
    damage(run, 2, name)
    with pytest.raises(RunError, match="damaged"):
        epoch_of(run)
