"""Runs on texts: they resume to the same bits, are evaluated, and predict for new texts with the run's vocabulary."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import fingerprint

import dltrain
from dltrain.data import values
from dltrain.errors import ConfigError, DataError

RNG = np.random.default_rng(3)
WORDS = {"good": ["great", "fine", "lovely"], "bad": ["awful", "dull", "poor"]}


def sentences(label: str, count: int) -> list[str]:
    rest = ["the", "film", "was", "a", "story"]
    return [" ".join([*RNG.choice(rest, 4), RNG.choice(WORDS[label]), RNG.choice(rest)]) for _ in range(count)]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A table, a folder and a long text."""
    rows = [(text, label) for label in WORDS for text in sentences(label, 60)]
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    for number, (text, label) in enumerate(rows):
        folder = tmp_path / "reviews" / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(text)
    (tmp_path / "long.txt").write_text("\n".join(text for text, _ in rows[:6]))
    (tmp_path / "new.txt").write_text("a great story\nthe film was dull\n")
    return tmp_path


def config_of(texts: Path, kind: str, epochs: int = 2) -> dict[str, Any]:
    out: dict[str, Any] = {"Dense": {"units": 2, "activation": "softmax"}}
    embedding: dict[str, Any] = {"Embedding": {"input_dim": 30, "output_dim": 4}}
    layers: list[Any] = [embedding, {"Dropout": {"rate": 0.1}}, "GlobalAveragePooling1D", out]
    arguments: dict[str, Any] = {"path": texts / "t.csv", "text": "text", "target": "label", "max_tokens": 30}
    task = "classification"
    if kind == "tf_idf":
        arguments["output_mode"], layers = "tf_idf", [out]
    elif kind == "folder":
        arguments = {"path": texts / "reviews", "max_tokens": 30, "output_sequence_length": 6}
    elif kind == "table":
        arguments["output_sequence_length"] = 6
    else:
        task = kind
        arguments = {"path": texts / "long.txt", "split": "character", "output_sequence_length": 5, "max_tokens": 30}
        out["Dense"]["units"] = 30
        layers = [embedding, *(["Flatten"] if kind == "classification" else []), out]
    return {
        "data": {
            "dataset": {"text_folder" if kind == "folder" else "text": arguments},
            "task": task,
            "test": 0.2,
            "validation": 0.1,
        },
        "model": {"layers": layers},
        "train": {
            "optimizer": {"Adam": {"learning_rate": 0.05}},
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "epochs": epochs,
            "batch_size": 32,
        },
    }


@pytest.mark.parametrize(
    ("kind", "large"),
    [
        ("tf_idf", True),
        ("folder", False),
        ("sequence", True),
        pytest.param("table", False, marks=pytest.mark.slow),
        pytest.param("folder", True, marks=pytest.mark.slow),
        pytest.param("classification", False, marks=pytest.mark.slow),
    ],
)
def test_own_texts_train_resume_and_are_evaluated(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, large: bool
) -> None:
    monkeypatch.setattr(values, "LARGEST_READ", 64 if large else 2**20)
    whole = dltrain.fit(config_of(texts, kind), runs_dir=tmp_path / "whole")
    short = dltrain.fit(config_of(texts, kind, epochs=1), runs_dir=tmp_path / "short")
    more = dltrain.resume(short, {"train.epochs": 2})
    assert fingerprint(more) == fingerprint(whole)
    assert whole.record().runtime.feed == ("stream" if large else "memory")
    evaluation = dltrain.evaluate(whole)
    assert whole.record().metrics["test_accuracy"] == pytest.approx(evaluation.metrics["accuracy"])
    found = dltrain.predict(whole, texts / "new.txt")
    assert found.outputs.shape[0] == (1 if kind == "folder" else 2)
    assert not np.isnan(found.outputs).any()


def test_own_texts_predict_with_the_vocabulary_of_the_run(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = dltrain.fit(config_of(texts, "table", epochs=4), {"train.batch_size": 8}, runs_dir=tmp_path / "runs")
    vocabulary = json.loads((run.path / "preprocess.json").read_text())["learnt"]["text"]["vocabulary"]
    assert {"great", "dull", "film"} <= set(vocabulary)
    table = texts / "t.csv"
    scored = dltrain.predict(run, table)
    table.write_text("text,label\nfilm,good\nfilm,bad\n")
    found = dltrain.predict(run, texts / "new.txt")
    assert found.classes is not None
    assert [found.names[index] for index in found.classes] == ["good", "bad"]
    assert found.inputs == [f"{texts / 'new.txt'}:{row}" for row in range(2)]
    assert len(scored) == 120
    given = io.TextIOWrapper(io.BytesIO((texts / "new.txt").read_bytes()))
    monkeypatch.setattr("sys.stdin", given)
    piped = dltrain.predict(run, "-")
    assert piped.inputs == ["-:0", "-:1"]
    assert np.array_equal(piped.outputs, found.outputs)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"abc\xff")))
    with pytest.raises(DataError, match=r"^standard input: it is not written in utf-8: .* at byte 3"):
        dltrain.predict(run, "-")


def test_own_texts_give_the_model_a_class_for_each_place_of_the_vocabulary(texts: Path, tmp_path: Path) -> None:
    config = config_of(texts, "classification")
    config["model"]["layers"][-1]["Dense"]["units"] = 20
    with pytest.raises(ConfigError, match=r"one label per sample \(30 classes\)"):
        dltrain.fit(config, runs_dir=tmp_path / "runs")
