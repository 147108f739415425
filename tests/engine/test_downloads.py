"""Runs on downloaded data sets: they train, resume to the same bits, and tell what a server or its absence does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.data.downloads import serving
from tests.data.downloads.serving import Server
from tests.helpers import Command, fingerprint

import dltrain
from dltrain.config import load
from dltrain.data.sources import SOURCES
from dltrain.data.sources.downloaded import fashion_mnist, housing, word_indices
from dltrain.engine.events import Event, Phase, Warned
from dltrain.errors import DataError

IMDB = """\
data:
  dataset: {imdb: {num_words: 50, sequence_length: 12}}
model:
  layers:
    - Embedding: {input_dim: 50, output_dim: 4}
    - GlobalAveragePooling1D
    - Dense: {units: 1, activation: sigmoid}
train: {optimizer: Adam, loss: binary_crossentropy, metrics: [accuracy], epochs: 2, batch_size: 16}
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of IMDB and Fashion-MNIST, whose files are made here and stand in the place of those of Keras."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("DLTRAIN_OFFLINE", raising=False)
    with Server().running() as running:
        file = running.stands_for(word_indices.FILE_IMDB, serving.imdb(60))
        read: Any = partial(word_indices.read_imdb, file=file)
        monkeypatch.setitem(SOURCES, "imdb", replace(SOURCES["imdb"], read=read))
        files = [
            running.stands_for(one, body) for one, body in zip(fashion_mnist.FILES, serving.fashion(), strict=True)
        ]
        read = partial(fashion_mnist.read, files=files)
        monkeypatch.setitem(SOURCES, "fashion_mnist", replace(SOURCES["fashion_mnist"], read=read))
        yield running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "imdb.yaml"
    path.write_text(IMDB)
    return path


def test_downloads_train_resume_and_are_evaluated(
    server: Server, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Event] = []
    whole = dltrain.fit(config, runs_dir=tmp_path / "whole", on_event=told.append)
    assert Phase("downloading imdb: 1 of 1 MiB") in told
    assert not [event for event in told if isinstance(event, Warned)]
    monkeypatch.setenv("DLTRAIN_OFFLINE", "1")  # the cache has it now
    short = dltrain.fit(config, {"train.epochs": 1}, runs_dir=tmp_path / "short")
    more = dltrain.resume(short, {"train.epochs": 2})
    assert fingerprint(more) == fingerprint(whole)
    assert dltrain.evaluate(whole).samples == 60
    assert server.asked == ["/imdb.npz"]


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        ("num_words: 50, output_mode: multi_hot", "Dense: {units: 4}"),
        ("maxlen: 20, sequence_length: 20", "Embedding: {input_dim: 80, output_dim: 2}"),
    ],
)
def test_downloads_train_in_every_form(
    server: Server, config: Path, tmp_path: Path, arguments: str, first: str
) -> None:
    text = IMDB.replace("num_words: 50, sequence_length: 12", arguments)
    text = text.replace("Embedding: {input_dim: 50, output_dim: 4}", first)
    config.write_text(text.replace("    - GlobalAveragePooling1D\n", "    - Flatten\n"))
    load(config)
    assert server.asked == []
    assert dltrain.fit(config, {"train.epochs": 1}, runs_dir=tmp_path / "runs").record().status == "completed"


def test_downloads_of_prices_are_brought_to_one_scale(
    server: Server, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = server.stands_for(housing.FILE_BOSTON, serving.housing(90, 13))
    read: Any = partial(housing.read_boston, file=file)
    monkeypatch.setitem(SOURCES, "boston_housing", replace(SOURCES["boston_housing"], read=read))
    config.write_text(
        "data: {dataset: {boston_housing: {test_split: 0.3}}}\n"
        "model: {layers: [Normalization, {Dense: {units: 1}}]}\n"
        "train: {optimizer: Adam, loss: mse, metrics: [mae], epochs: 1}\n"
    )
    record = dltrain.fit(config, runs_dir=tmp_path / "runs").record()
    assert record.status == "completed"
    assert record.data.test == 28


def test_downloads_note_in_the_run_the_hash_that_nobody_pins(server: Server, config: Path, tmp_path: Path) -> None:
    config.write_text(
        "data: {dataset: fashion_mnist}\n"
        "model: {layers: [Flatten, {Dense: {units: 10, activation: softmax}}]}\n"
        "train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}\n"
    )
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Warned):
            told.extend(problem.message for problem in event.problems if "SHA-256" in problem.message)

    run = dltrain.fit(config, runs_dir=tmp_path / "runs", on_event=listen)
    assert len(told) == 4
    notes = json.loads((run.path / "preprocess.json").read_text())["notes"]
    assert [note for note in notes if "SHA-256" in note] == told
    again = dltrain.fit(config, runs_dir=tmp_path / "runs", on_event=listen)
    assert len(told) == 4
    assert again.record().data.fingerprint == run.record().data.fingerprint


def test_downloads_that_fail_leave_no_run(server: Server, config: Path, tmp_path: Path) -> None:
    server.answers.clear()
    with pytest.raises(DataError, match=r"cannot download `imdb`.*404 Not Found"):
        dltrain.fit(config, runs_dir=tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("2*"))


def test_downloads_are_not_tried_offline(
    dltrain: Command, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    fit, build, check = dltrain.in_turn(
        ["fit", config, "--offline"], ["check", config, "--build", "--offline"], ["check", config]
    )
    for done in (fit, build):
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        told = " ".join(done.stderr.split())
        assert "error: `imdb` is not in the cache, and nothing is downloaded, as --offline" in told
        assert str(tmp_path / "cache" / "dltrain" / "datasets" / "imdb.npz") in told.replace("- ", "-")
    assert (check.returncode, check.stderr) == (0, "")
