"""Runs on texts: they resume to the same bits, are evaluated, and predict for new texts with the run's vocabulary."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import Command, fingerprint

import dltrain
from dltrain.data import values
from dltrain.errors import ConfigError, DataError, RunError, UsageError

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
    elif kind == "subwords":
        arguments |= {"output_sequence_length": 12, "split": "subword"}
    elif kind == "subwords_long":
        arguments = {"path": texts / "long.txt", "split": "subword", "output_sequence_length": 5, "max_tokens": 30}
        out["Dense"]["units"] = 30
        layers = [embedding, "Flatten", out]
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
        ("subwords", True),
        ("subwords_long", False),
        pytest.param("table", False, marks=pytest.mark.slow),
        pytest.param("folder", True, marks=pytest.mark.slow),
        pytest.param("classification", False, marks=pytest.mark.slow),
    ],
)
def test_own_texts_train_resume_and_are_evaluated(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, large: bool
) -> None:
    if "subwords" in kind:
        pytest.importorskip("tokenizers")
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
    rows = [line.replace('"', '""') for line in (texts / "new.txt").read_text().splitlines()]
    as_table = "\n".join(["id, text", *(f'{place},"{row}"' for place, row in enumerate(rows))])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(as_table.encode())))
    assert np.array_equal(dltrain.predict(run, "-").outputs, found.outputs)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"abc\xff")))
    with pytest.raises(DataError, match=r"^standard input: it is not written in utf-8: .* at byte 3"):
        dltrain.predict(run, "-")


def test_own_texts_in_subwords_need_the_library_for_the_training_alone(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tokenizers")
    run = dltrain.fit(config_of(texts, "subwords"), runs_dir=tmp_path / "runs")
    assert "tokenizers" in run.record().versions
    before = dltrain.predict(run, texts / "new.txt")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert np.array_equal(dltrain.predict(run, texts / "new.txt").outputs, before.outputs)
    assert dltrain.evaluate(run).metrics["accuracy"] == pytest.approx(run.record().metrics["test_accuracy"])
    assert dltrain.resume(run, {"train.epochs": 3}).record().status == "completed"


@pytest.mark.parametrize("merges", [["x"], [["e", "\0"]], [[0, 1]], {"a": 1}, None, [["__import__('os')", ""]]])
def test_own_texts_in_subwords_that_a_stranger_has_changed_are_told(texts: Path, tmp_path: Path, merges: Any) -> None:
    pytest.importorskip("tokenizers")
    run = dltrain.fit(config_of(texts, "subwords", epochs=1), runs_dir=tmp_path / "runs")
    file = run.path / "preprocess.json"
    kept = json.loads(file.read_text())
    kept["learnt"]["text"]["merges"] = merges
    file.write_text(json.dumps(kept))
    for use in (dltrain.evaluate, lambda run: dltrain.predict(run, texts / "new.txt")):
        with pytest.raises((DataError, RunError), match="damaged"):
            use(run)


def test_own_texts_give_the_model_a_class_for_each_place_of_the_vocabulary(texts: Path, tmp_path: Path) -> None:
    config = config_of(texts, "classification")
    config["model"]["layers"][-1]["Dense"]["units"] = 20
    with pytest.raises(ConfigError, match=r"one label per sample \(30 classes\)"):
        dltrain.fit(config, runs_dir=tmp_path / "runs")


@pytest.mark.parametrize("kind", ["classification", "sequence", "subwords_long", "words"])
def test_own_texts_go_on_by_themselves(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "subwords_long":
        pytest.importorskip("tokenizers")
    line = "abc def ghi\n" if "words" in kind else "abcdefghi\n"
    (texts / "long.txt").write_text(line * 40)
    config = config_of(texts, "classification" if kind == "words" else kind, epochs=20)
    if kind == "words":
        config["data"]["dataset"]["text"] |= {"split": "whitespace", "output_sequence_length": 3}
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    (texts / "new.txt").write_text(f"{line}{line}abc\n")
    found = dltrain.predict(run, texts / "new.txt", steps=11)
    rest = "def ghi abc def" if kind == "words" else f"{line[3:]}abc"
    assert found.texts is not None
    assert found.texts[0].startswith(rest)
    assert found.inputs == [str(texts / "new.txt")]
    assert found.outputs.shape == (1, 11)
    between = " " if kind == "words" else ""
    assert found.classes is not None
    told = [found.names[token].replace("\\n", "\n") for token in found.classes[0].tolist()]
    assert between.join(told) == found.texts[0]
    folder = tmp_path / "beginnings"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text((texts / "new.txt").read_text())
    assert dltrain.predict(run, folder, steps=11).texts == [found.texts[0]] * 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((texts / "new.txt").read_bytes())))
    piped = dltrain.predict(run, "-", steps=5, temperature=1.0, seed=3)
    assert piped.inputs == ["-"]
    again = dltrain.predict(run, texts / "new.txt", steps=5, temperature=1.0, seed=3)
    assert again.texts == piped.texts


def test_own_texts_command_writes_the_text_that_follows(texts: Path, tmp_path: Path) -> None:
    (texts / "long.txt").write_text("abcdefghi\n" * 40)
    run = dltrain.fit(config_of(texts, "classification", epochs=20), runs_dir=tmp_path / "runs")
    (texts / "new.txt").write_text("abcdefghi\nabc")
    command, goes_on = Command(texts), ["predict", run.path, "new.txt", "--steps", 10]
    plain, lines, arrays, wrong = command.in_turn(
        goes_on, [*goes_on, "-o", "o.jsonl"], [*goes_on, "-o", "o.npz"], [*goes_on[:3], "--temperature", 1]
    )
    assert plain.stdout == 'input,prediction\nnew.txt,"defghi\nabc"\n', plain.stderr
    assert "1 sample" in plain.stderr
    assert lines.returncode == arrays.returncode == 0
    assert json.loads((texts / "o.jsonl").read_text()) == {"input": "new.txt", "prediction": "defghi\nabc"}
    with np.load(texts / "o.npz", allow_pickle=False) as found:
        assert (found["text"].tolist(), found["prediction"].shape) == (["defghi\nabc"], (1, 10))
    assert wrong.returncode == 2
    assert "tokens are drawn where a text goes on" in wrong.stderr


def test_own_texts_of_a_table_do_not_go_on(texts: Path, tmp_path: Path) -> None:
    run = dltrain.fit(config_of(texts, "table", epochs=1), runs_dir=tmp_path / "runs")
    with pytest.raises(UsageError, match="a series, or of what follows in a long text"):
        dltrain.predict(run, texts / "new.txt", steps=3)
