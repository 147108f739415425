"""`train.initial_weights` and `train.freeze`: training that goes on from the weights of another run or a file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests.helpers import StopError, copied, fingerprint, stop_at

import dltrain
from dltrain import runs
from dltrain.config import load
from dltrain.engine.dry_run import dry_run
from dltrain.engine.events import EpochDone, Loaded, Prepared, Warned
from dltrain.engine.inputs import load_data
from dltrain.engine.session import open_session
from dltrain.engine.training.initial_weights import find_source
from dltrain.engine.training.job import prepare
from dltrain.errors import ConfigError, RunError

WEIGHTS = "weights.safetensors"


def config(classes: int = 3, **train: Any) -> dict[str, Any]:
    return {
        "data": {"dataset": {"synthetic": {"samples": 90, "test_samples": 20, "features": 4, "classes": classes}}},
        "model": {
            "layers": [
                {"Dense": {"units": 8, "activation": "relu", "name": "base"}},
                "BatchNormalization",
                {"Dropout": {"rate": 0.2}},
                {"Dense": {"units": classes, "activation": "softmax", "name": "head"}},
            ]
        },
        "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 2, **train},
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    return dltrain.fit(config(), runs_dir=tmp_path_factory.mktemp("source"), name="source")


def best_of(run: runs.Run) -> dict[str, np.ndarray]:
    best = run.record().best_epoch
    assert best is not None
    return dict(load_file(run.path / "checkpoints" / f"epoch-{best:04d}" / WEIGHTS))


def fit(folder: Path, made: dict[str, Any], events: list[Any] | None = None, **arguments: Any) -> runs.Run:
    return dltrain.fit(made, runs_dir=folder, on_event=(events if events is not None else []).append, **arguments)


def of_kind(events: list[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("reference", ["directory", "id", "latest", "best:val_loss"])
def test_initial_weights_of_a_run_are_the_best_ones(source: runs.Run, tmp_path: Path, reference: str) -> None:
    run = copied(source, tmp_path)
    written = {"directory": str(run.path), "id": run.id}.get(reference, reference)
    found = find_source(load(config(initial_weights=written)), tmp_path)
    assert found is not None
    assert found.origin == str(run.path)
    assert found.epoch == run.record().best_epoch
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["run", "file"])
def test_initial_weights_are_those_of_the_source(source: runs.Run, tmp_path: Path, kind: str) -> None:
    file, before = tmp_path / "w.safetensors", best_of(source)
    save_file(before, file)
    copied(source, tmp_path / "runs")
    made = config(freeze=["base", "batch_normalization"], epochs=1)
    events: list[Any] = []
    made["train"]["initial_weights"] = "latest" if kind == "run" else str(file)
    run = fit(tmp_path / "runs", made, events)
    after = best_of(run)
    for name in ("base/kernel", "base/bias", "batch_normalization/gamma", "batch_normalization/moving_mean"):
        assert np.array_equal(before[name], after[name]), name
    assert not np.array_equal(before["head/kernel"], after["head/kernel"])
    (told,), (prepared,) = of_kind(events, Loaded), of_kind(events, Prepared)
    assert (told.matched, told.weights, told.fresh) == (8, 8, ())
    assert prepared.trained == 8 * 3 + 3
    recorded = run.record().initial_weights
    assert recorded is not None
    assert recorded.epoch == (None if kind == "file" else source.record().best_epoch)
    again = dltrain.fit(run.path / "resolved.yaml", runs_dir=tmp_path / "runs")
    assert again.record().initial_weights == recorded
    assert best_of(again).keys() == after.keys()
    assert all(np.array_equal(value, after[name]) for name, value in best_of(again).items())


def test_initial_weights_of_another_number_of_classes_are_told_and_drawn(source: runs.Run, tmp_path: Path) -> None:
    made = config(5, initial_weights=str(source.path), epochs=1)
    events: list[Any] = []
    fit(tmp_path, made, events)
    (told,) = of_kind(events, Loaded)
    assert (told.matched, told.weights) == (6, 8)
    assert told.fresh == ("`head/kernel` (8, 5), there (8, 3)", "`head/bias` (5,), there (3,)")


def test_initial_weights_that_do_not_reach_a_frozen_layer_are_warned_of(source: runs.Run, tmp_path: Path) -> None:
    made = config(5, initial_weights=str(source.path), epochs=1, freeze=["base", "head"])
    events: list[Any] = []
    made["model"]["layers"].append({"Dense": {"units": 5, "activation": "softmax"}})
    made["model"]["layers"][3] = {"Dense": {"units": 6, "activation": "relu", "name": "head"}}
    fit(tmp_path, made, events)
    told = [problem.message for event in of_kind(events, Warned) for problem in event.problems]
    assert any("`head` keep random weights" in message for message in told)


def test_initial_weights_resume_to_the_same_bits_without_their_source(source: runs.Run, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file(best_of(source), file)
    made = config(initial_weights=str(file), freeze=["base"])
    whole = fit(tmp_path / "whole", made)
    with pytest.raises(StopError):
        dltrain.fit(made, runs_dir=tmp_path / "stopped", on_event=stop_at(1, EpochDone))
    file.unlink()
    assert fingerprint(dltrain.resume("latest", runs_dir=tmp_path / "stopped")) == fingerprint(whole)
    assert dltrain.evaluate(whole).metrics
    kept = keras.models.load_model(whole.path / "model.keras")
    assert [layer.trainable for layer in kept.layers] == [False, True, True, True]


def test_initial_weights_are_read_again_where_a_run_has_no_checkpoint_yet(source: runs.Run, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file(best_of(source), file)
    made = config(initial_weights=str(file), epochs=1)
    whole = fit(tmp_path / "whole", made)
    with pytest.raises(StopError):
        dltrain.fit(made, runs_dir=tmp_path / "stopped", on_event=_stop_at_start)
    begun = dltrain.load_run("latest", tmp_path / "stopped")
    assert not begun.checkpoints()
    save_file({name: value + 1 for name, value in best_of(source).items()}, file)
    with pytest.raises(ConfigError, match="has changed"):
        dltrain.resume(begun)
    save_file(best_of(source), file)
    assert fingerprint(dltrain.resume(begun)) == fingerprint(whole)


def _stop_at_start(event: Any) -> None:
    if isinstance(event, Prepared):
        raise StopError


def test_initial_weights_leave_random_states_and_take_other_floats(source: runs.Run, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    floats = {name: value for name, value in best_of(source).items() if value.dtype == np.float32}
    given = {n: v.astype(np.float64 if "kernel" in n else np.float16) for n, v in floats.items()}
    save_file(given | {"more/kernel": np.zeros((2, 2), np.float32)}, file)
    events: list[Any] = []
    dry_run(load(config(initial_weights=str(file))), on_event=events.append)
    assert of_kind(events, Loaded)[0].matched == 8


def _hostile(file: Path, kind: str) -> None:
    header = json.dumps({"base/kernel": {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]}}).encode()
    bodies = {
        "empty": b"",
        "huge header": (2**62).to_bytes(8, "little") + header,
        "large header": (20_000_000).to_bytes(8, "little") + b" " * 100,
        "short": len(header).to_bytes(8, "little") + header + b"\0" * 5,
        "no json": (100).to_bytes(8, "little") + b"{" * 100,
        "pickle": b"\x80\x04cos\nsystem\n(S'x'\ntR.",
        "nan": len(header).to_bytes(8, "little") + header + np.full(32, np.nan, np.float32).tobytes(),
    }
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(bodies[kind])


@pytest.mark.parametrize(
    "kind", ["empty", "huge header", "large header", "short", "no json", "pickle", "nan", "nothing", "pipe"]
)
def test_initial_weights_of_a_file_that_does_not_serve_are_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "w.safetensors"
    if kind == "nothing":
        save_file({"conv/kernel": np.zeros((3, 3), np.float32)}, file)
    else:
        _hostile(file, kind)
    with pytest.raises(ConfigError) as caught:
        fit(tmp_path / "runs", config(initial_weights=str(file)))
    (problem,) = caught.value.problems
    assert problem.path == ("train", "initial_weights")
    assert problem.hint
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("latest", "no run"),
        ("nobody", "no run"),
        ("there/w.safetensor", "no run in"),
        ("there/w.safetensors", "no such file"),
        ("run/model.keras", "neither a run nor"),
        ("run", "no run"),
        ("./run", "no run in"),
        ("", "cannot be"),
        (3, "must be a string"),
        ("a\0/b", "not a path"),
    ],
)
def test_initial_weights_that_are_not_there_are_told(tmp_path: Path, written: Any, message: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.keras").touch()
    made = config(initial_weights=written)
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps(made))
    with pytest.raises(ConfigError) as caught:
        fit(tmp_path / "runs", file)  # type: ignore[arg-type]
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.hint


def test_initial_weights_of_a_damaged_run_are_refused(source: runs.Run, tmp_path: Path) -> None:
    shutil.copytree(source.path, tmp_path / source.id)
    copy = runs.Run(tmp_path / source.id)
    file, _ = copy.locate_checkpoint(int(copy.record().best_epoch or 0), WEIGHTS)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ConfigError, match="has changed"):
        fit(tmp_path / "runs", config(initial_weights=str(copy.path)))
    file.unlink()
    with pytest.raises(ConfigError, match="is damaged"):
        fit(tmp_path / "runs", config(initial_weights=str(copy.path)))
    with pytest.raises(RunError):
        copy.locate_checkpoint(7, WEIGHTS)


@pytest.mark.parametrize(
    ("freeze", "message", "hint"),
    [
        (["bas"], "no layer is named `bas`", "did you mean `base`?"),
        (["conv2d"], "no layer is named `conv2d`", "`base`"),
        (["base", "base"], "frozen twice", "remove one"),
        (["dropout"], "has no weights", "remove it"),
        (["base", "batch_normalization", "head"], "nothing to learn", "freeze fewer layers"),
        ("base", "must be a list", "freeze: [conv2d]"),
        ([1], "must be a string", ""),
    ],
)
def test_freeze_of_what_is_not_there_is_told(freeze: Any, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config(freeze=freeze, initial_weights="latest"), strict=True)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert hint in problem.hint
    assert problem.path[:2] == ("train", "freeze")


def test_freeze_of_random_weights_is_warned_of() -> None:
    (problem,) = load(config(freeze=["base"])).checked.warnings
    assert "random" in problem.message
    assert not load(config(freeze=["base"], initial_weights="latest")).checked.warnings


def test_freeze_names_layers_as_keras_does_in_repeats_and_wrappers() -> None:
    made = config(freeze=["dense_1", "bidirectional"], epochs=1)
    made["data"]["dataset"]["synthetic"] = {"samples": 60, "test_samples": 20, "shape": [4, 2], "classes": 3}
    made["model"]["layers"] = [
        {"repeat": {"times": 2, "layers": [{"Dense": {"units": 2}}]}},
        {"Bidirectional": {"layer": {"LSTM": {"units": 2}}}},
        {"Dense": {"units": 3, "activation": "softmax"}},
    ]
    plan = load(made)
    frozen = {row.name for row in plan.checked.outline.rows if row.after.parameters and not row.after.trainable}
    assert frozen == {"dense_1", "bidirectional"}
    with open_session(plan.spec) as session:
        built = prepare(plan, load_data(plan.spec), session, lambda event: None).built
        assert built.count_trained() == (2 * 2 + 2) + (4 * 3 + 3)
