"""Runs on folders of images: they resume to the same bits, from the cache or without it, and tell what was left out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.helpers import fingerprint

import dltrain
from dltrain.config import load
from dltrain.data import values
from dltrain.data.images import decoding
from dltrain.engine.events import Event, Phase, Warned
from dltrain.engine.inputs import load_data
from dltrain.engine.prediction import predictor
from dltrain.errors import DataError, Interrupted, RunError, UsageError

RNG = np.random.default_rng(7)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of three classes in two splits: reddish, greenish and bluish noise."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for split, count in (("train", 20), ("test", 6)):
        for place, name in enumerate(("cat", "cow", "dog")):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = RNG.integers(0, 120, (12, 10, 3))
                pixels[..., place] += 100
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")
    return tmp_path / "photos"


def config_of(photos: Path, epochs: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "data": {"dataset": {"image_folder": {"path": photos, "image_size": [6, 6], **more}}},
        "model": {"layers": ["Flatten", {"Dropout": {"rate": 0.1}}, {"Dense": {"units": 3, "activation": "softmax"}}]},
        "train": {
            "optimizer": "Adam",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "epochs": epochs,
            "batch_size": 16,
        },
    }


@pytest.mark.parametrize("mapped", [False, True])
def test_own_images_train_resume_and_are_evaluated(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    monkeypatch.setattr(values, "LARGEST_READ", 64 if mapped else 2**20)
    whole = dltrain.fit(config_of(photos), runs_dir=tmp_path / "whole")
    short = dltrain.fit(config_of(photos, epochs=1), runs_dir=tmp_path / "short")
    shutil.rmtree(tmp_path / "cache")
    more = dltrain.resume(short, {"train.epochs": 2})
    assert fingerprint(more) == fingerprint(whole)
    assert whole.record().runtime.feed == ("stream" if mapped else "memory")
    evaluation = dltrain.evaluate(whole)
    assert evaluation.samples == 18
    assert whole.record().metrics["test_accuracy"] == pytest.approx(evaluation.metrics["accuracy"])
    lines = (whole.path / "eval" / "predictions.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["cat"] * 6 + ["cow"] * 6 + ["dog"] * 6


def test_own_images_that_are_left_out_are_told_and_recorded(photos: Path, tmp_path: Path) -> None:
    (photos / "train" / "cow" / "3.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 of 78 images .*: train/cow/3\.jpg: it is empty"):
        dltrain.fit(config_of(photos, epochs=1), runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").glob("2*"))
    told: list[Event] = []
    run = dltrain.fit(config_of(photos, epochs=1, on_bad="skip"), runs_dir=tmp_path / "runs", on_event=told.append)
    (warned,) = [event for event in told if isinstance(event, Warned)]
    (problem,) = warned.problems
    assert "train/cow/3.jpg" in problem.message
    written = json.loads((run.path / "preprocess.json").read_text())
    assert written["notes"] == [problem.message]
    assert written["facts"]["train"] == 59
    assert (run.record().data.train, run.record().data.validation) == (53, 6)


def test_own_images_that_have_changed_are_not_the_runs(photos: Path, tmp_path: Path) -> None:
    run = dltrain.fit(config_of(photos, epochs=1), runs_dir=tmp_path / "runs")
    Image.new("RGB", (10, 12)).save(photos / "train" / "cat" / "0.jpg")
    with pytest.raises(RunError, match="data"):
        dltrain.resume(run, {"train.epochs": 2})


def test_own_images_become_an_autoencoders(photos: Path, tmp_path: Path) -> None:
    config = config_of(photos, epochs=1)
    config["data"] |= {"task": "reconstruction"}
    config["model"]["layers"] = [{"Conv2D": {"filters": 3, "kernel_size": 3, "padding": "same"}}]
    config["train"] |= {"loss": "mse", "metrics": ["mae"]}
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    assert np.load(run.path / "eval" / "predictions.npy", allow_pickle=False).shape == (18, 6, 6, 3)


def test_own_images_tell_how_far_decoding_has_come_and_can_be_stopped(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_CHUNK", 30)
    spec, told = load(config_of(photos)).spec, list[Event]()

    def stop() -> None:
        if len(told) == 2:
            raise Interrupted("stopped", 2)

    with pytest.raises(Interrupted):
        load_data(spec, told.append, stop)
    assert list((tmp_path / "cache" / "dltrain").iterdir()) == []
    told.clear()
    load_data(spec, told.append)
    texts = ["loading data", *(f"decoding images: {done} of 78" for done in (30, 60, 78))]
    assert told == [Phase(text) for text in texts]
    told.clear()
    load_data(spec, told.append, stop)  # from the cache
    assert told == [Phase("loading data")]


def test_own_images_predict_from_files_folders_and_patterns(photos: Path, tmp_path: Path) -> None:
    run = dltrain.fit(config_of(photos), runs_dir=tmp_path / "runs")
    new = tmp_path / "new"
    new.mkdir()
    for number in (2, 10, 1):
        shutil.copy(photos / "test" / "cow" / f"{number % 6}.jpg", new / f"{number}.jpg")
    whole = dltrain.predict(run, new)
    assert whole.inputs == [str(new / f"{number}.jpg") for number in (1, 2, 10)]  # in natural order
    single = dltrain.predict(run, [new / "10.jpg", new / "1.jpg"])
    assert list(single.inputs) == [str(new / "10.jpg"), str(new / "1.jpg")]
    np.testing.assert_allclose(single.outputs, whole.outputs[[2, 0]], rtol=1e-5)
    assert sorted(dltrain.predict(run, f"{new}/*.jpg").inputs) == sorted(whole.inputs)
    with pytest.raises(UsageError, match="no file fits"):
        dltrain.predict(run, f"{new}/*.png")
    with pytest.raises(UsageError, match="no file fits") as caught:
        dltrain.predict(run, f"{new}/*.JPG")
    assert "capitals count" in caught.value.hint


def test_own_images_in_folders_of_classes_are_scored_as_the_test_split(photos: Path, tmp_path: Path) -> None:
    run = dltrain.fit(config_of(photos), runs_dir=tmp_path / "runs")
    wanted = dltrain.evaluate(run).metrics
    with predictor(run, [photos / "test"]) as opened:
        assert opened.score() == pytest.approx(wanted, rel=1e-5)
        del opened
    with predictor(run, [photos / "test", photos / "train" / "cat" / "1.jpg"]) as opened:
        assert opened.score() is not None
        del opened


@pytest.mark.parametrize("skip", [False, True])
def test_own_images_that_are_none_are_all_told_before_predicting(photos: Path, tmp_path: Path, skip: bool) -> None:
    run = dltrain.fit(config_of(photos, on_bad="skip" if skip else "fail"), runs_dir=tmp_path / "runs")
    for name in ("a", "b"):
        (photos / "test" / "dog" / f"{name}.png").write_bytes(b"no image")
    told: list[Event] = []
    if not skip:
        with pytest.raises(DataError, match=r"2 of 20 images .* dog/a.png: .*; dog/b.png: "):
            dltrain.predict(run, photos / "test")
        return
    assert len(dltrain.predict(run, photos / "test", on_event=told.append)) == 18
    assert "they are left out" in str(told)


def test_own_images_of_a_folder_without_any_are_told(photos: Path, tmp_path: Path) -> None:
    run = dltrain.fit(config_of(photos), runs_dir=tmp_path / "runs")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no image is in"):
        dltrain.predict(run, tmp_path / "none")
    with pytest.raises(DataError, match="there is no"):
        dltrain.predict(run, tmp_path / "nothing.jpg")
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 6, 6, 3), np.uint8))
    assert len(dltrain.predict(run, tmp_path / "x.npz")) == 2
