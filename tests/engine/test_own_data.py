"""Runs on arrays of the user's own: every task trains, resumes to the same bits, and is evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import copied, fingerprint, slow_but

import dltrain
from dltrain import runs
from dltrain.engine.trained import restored
from dltrain.errors import DataError, RunError

RNG = np.random.default_rng(3)
STEPS = RNG.normal(size=(90, 6, 3)).astype(np.float32)
WORDS = RNG.integers(0, 3000, (90, 6))
SPARSE = "sparse_categorical_crossentropy"
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[Any], str, list[Any]]] = {
    "classification": (
        {"x": RNG.integers(0, 256, (90, 6, 6, 1), dtype=np.uint8), "y": np.array(["cat", "dog", "cow"] * 30)},
        {},
        ["Flatten", {"Dropout": {"rate": 0.2}}, {"Dense": {"units": 3, "activation": "softmax"}}],
        SPARSE,
        ["accuracy"],
    ),
    "whole numbers": (
        {"x": WORDS, "y": WORDS[:, 0] % 2},
        {"task": "classification"},
        [
            {"Embedding": {"input_dim": 3000, "output_dim": 2}},
            "Flatten",
            {"Dense": {"units": 1, "activation": "sigmoid"}},
        ],
        "binary_crossentropy",
        ["accuracy"],
    ),
    "multi_label": (
        {"x": STEPS, "y": STEPS.mean(1) > 0},
        {},
        ["Flatten", {"Dense": {"units": 3, "activation": "sigmoid"}}],
        "binary_crossentropy",
        ["BinaryAccuracy"],
    ),
    "regression": ({"x": STEPS, "y": STEPS.mean(1)}, {}, ["Flatten", {"Dense": {"units": 3}}], "mse", ["mae"]),
    "sequence": (
        {"x": STEPS, "y": (STEPS.sum(-1) > 0).astype(int)},
        {},
        [{"LSTM": {"units": 3, "return_sequences": True}}, {"Dense": {"units": 2, "activation": "softmax"}}],
        SPARSE,
        ["accuracy"],
    ),
    "reconstruction": ({"x": STEPS}, {}, [{"Dense": {"units": 3}}], "mse", []),
    "array": (
        {"x": STEPS, "y": (STEPS > 0).astype(np.uint8) * 255},
        {},
        [{"Dense": {"units": 3, "activation": "sigmoid"}}],
        "binary_crossentropy",
        [],
    ),
}


def config_of(folder: Path, case: str, epochs: int = 2, **more: Any) -> dict[str, Any]:
    arrays, data, layers, loss, metrics = CASES[case]
    np.savez(folder / "d.npz", **arrays)
    return {
        "data": {
            "dataset": {"arrays": {"path": folder / "d.npz"}},
            "task": case if case != "whole numbers" else "auto",
            "test": 0.2,
            "limit": {"test": 11},
        }
        | data,
        "model": {"layers": layers},
        "train": {"optimizer": "Adam", "loss": loss, "metrics": metrics, "epochs": epochs, "batch_size": 16} | more,
    }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """A run of numbers for tests that only read it, or change a copy."""
    folder = tmp_path_factory.mktemp("shared")
    return dltrain.fit(config_of(folder, "regression", epochs=1), runs_dir=folder / "runs")


# tests/engine/test_prediction.py trains all of them.
@pytest.mark.parametrize("case", slow_but(["classification", "sequence", "array"], CASES))
def test_own_data_trains_resumes_and_is_evaluated(tmp_path: Path, case: str) -> None:
    whole = dltrain.fit(config_of(tmp_path, case), runs_dir=tmp_path / "whole")
    short = dltrain.fit(config_of(tmp_path, case, epochs=1), runs_dir=tmp_path / "short")
    more = dltrain.resume(short, {"train.epochs": 2})
    assert fingerprint(more) == fingerprint(whole)
    assert more.record().metrics == whole.record().metrics
    evaluation = dltrain.evaluate(whole)
    assert evaluation.samples == 11
    for name, value in evaluation.metrics.items():
        assert whole.record().metrics[f"test_{name}"] == pytest.approx(value, rel=1e-5)
    written = {path.name for path in (whole.path / "eval").iterdir()}
    assert ("confusion.csv" in written) == (case in ("classification", "whole numbers", "sequence"))
    assert ("predictions.npy" in written) == (case in ("reconstruction", "array"))
    assert len(json.loads((whole.path / "test_indices.json").read_text())) == 11


def test_own_data_predictions_have_the_names_of_classes(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "classification", epochs=1), runs_dir=tmp_path / "runs")
    lines = (run.path / "eval" / "predictions.csv").read_text().splitlines()
    assert {line.split(",")[1] for line in lines[1:]} == {"cat", "dog", "cow"}
    with restored(run) as trained:
        assert trained.output.class_names == ("cat", "cow", "dog")
        assert trained.input.unit_range


def test_own_data_model_is_rebuilt_without_the_data(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "sequence", epochs=1), runs_dir=tmp_path / "runs")
    (tmp_path / "d.npz").unlink()
    with restored(run) as trained:
        assert trained.output.shape == (6, 2)
        assert trained.output.task == "sequence"
    with pytest.raises(DataError, match="no such file") as caught:
        dltrain.evaluate(run)
    assert str(tmp_path / "d.npz") in str(caught.value)


def test_own_data_that_has_changed_is_not_the_runs(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "regression", epochs=1), runs_dir=tmp_path / "runs")
    np.savez(tmp_path / "d.npz", x=STEPS + 1, y=STEPS.mean(1))
    with pytest.raises(RunError, match="no longer the one"):
        dltrain.evaluate(run)
    with pytest.raises(RunError, match="data"):
        dltrain.resume(run, {"train.epochs": 2})


def test_own_data_whose_labels_have_other_names_is_not_the_runs(tmp_path: Path) -> None:
    config = config_of(tmp_path, "sequence", epochs=1)
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    arrays = CASES["sequence"][0]
    np.savez(tmp_path / "d.npz", x=arrays["x"], y=arrays["y"] + 1)
    with pytest.raises(RunError, match="no longer the one"):
        dltrain.evaluate(run)
    with pytest.raises(RunError, match="data"):
        dltrain.resume(run, {"train.epochs": 2})


@pytest.mark.parametrize(
    "written",
    [
        *(b"", b"{}", b"[]", b'{"facts": {"shape": "x"}}', b'{"facts": 3}', b"\xff", b'{"facts": {"shape": 5}}'),
        *(b'{"facts": {"class_names": {"a": 1}}}', b'{"facts": {"units": null}}', b'{"facts": {"class_names": "ab"}}'),
    ],
)
def test_own_data_damaged_facts_of_a_run_are_told(shared: runs.Run, tmp_path: Path, written: bytes) -> None:
    run = copied(shared, tmp_path)
    (run.path / "preprocess.json").write_bytes(written)
    with pytest.raises(RunError, match=r"preprocess\.json is damaged"), restored(run):
        pass


def test_own_data_in_a_file_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.data import values

    config = config_of(tmp_path, "array")
    in_memory = dltrain.fit(config, runs_dir=tmp_path / "memory")
    monkeypatch.setattr(values, "LARGEST_READ", 64)
    mapped = dltrain.fit(config, runs_dir=tmp_path / "mapped")
    assert fingerprint(mapped) == fingerprint(in_memory)
    assert (in_memory.record().runtime.feed, mapped.record().runtime.feed) == ("memory", "stream")


def test_own_data_whole_numbers_are_not_rounded_in_mixed_precision(tmp_path: Path) -> None:
    """Of 16-bit floats, those above 256 are no longer all whole numbers: word 2,999 would be another one."""
    config = config_of(tmp_path, "whole numbers", epochs=1, precision="mixed_bfloat16")
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    with restored(run) as trained:
        assert trained.input.dtype == "int32"
        embedding = trained.built.model.layers[0]
        x = np.array([[2999, 2998, 2997, 1, 2, 3]], np.int32)
        table = np.asarray(embedding.embeddings.value)
        assert np.allclose(np.asarray(embedding(x), np.float32), table[x], atol=1e-3)


def test_own_data_summary_of_a_run_names_it(shared: runs.Run) -> None:
    data = runs.find(shared.path).record().data
    assert (data.name, data.train, data.validation, data.test) == ("arrays", 65, 7, 11)
