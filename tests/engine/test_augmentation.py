"""`data.augment`: training samples that change by chance, the same on every machine and after every resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tests.helpers import StopError, fingerprint, stop_at

import dltrain
from dltrain.config import load
from dltrain.config.catalogue import entries, examples
from dltrain.engine.backends import jax, tensorflow
from dltrain.engine.backends.backend import Backend
from dltrain.engine.events import EpochDone
from dltrain.engine.inputs import load_data
from dltrain.engine.model.augmentation import Augmentation
from dltrain.engine.model.construct import construct
from dltrain.engine.session import open_session
from dltrain.engine.training.job import prepare
from dltrain.errors import ConfigError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, 8, 8, 1), np.uint8)
FLIP: list[Any] = [{"RandomFlip": {"mode": "horizontal"}}]
ALL: list[Any] = [*FLIP, {"RandomRotation": {"factor": 0.1}}, {"GaussianNoise": {"stddev": 0.1}}]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("augmented")
    np.savez(folder / "d.npz", x=IMAGES, y=np.arange(60) % 3)
    np.savez(folder / "mask.npz", x=IMAGES, y=(IMAGES > 127).astype(np.float32))
    np.savez(folder / "words.npz", x=RNG.integers(0, 9, (60, 5), np.int32), y=np.arange(60) % 3)
    return folder


def config(folder: Path, augment: Any, file: str = "d.npz", **sections: Any) -> dict[str, Any]:
    softmax = {"Dense": {"units": 3, "activation": "softmax"}}
    made: dict[str, Any] = {
        "data": {
            "dataset": {"arrays": {"path": folder / file}},
            "task": "classification",
            "test": 0.2,
            "validation": 0.25,
            "augment": augment,
        },
        "model": {"layers": ["Flatten", softmax]},
        "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "batch_size": 8, "epochs": 2},
    }
    for name, keys in sections.items():
        made.setdefault(name, {}).update(keys)
    return made


def batches(made: dict[str, Any], epoch: int = 0, split: str = "train") -> list[tuple[np.ndarray, ...]]:
    """Return the batches of a split in a training."""
    plan = load(made)
    dataset = load_data(plan.spec)
    with open_session(plan.spec) as session:
        job = prepare(plan, dataset, session, lambda event: None)
        counter = session.backend.epoch()
        counter.assign(epoch)
        pipeline = getattr(job.inputs, split)
        found = pipeline.shuffled(8, plan.spec.seed, counter) if split == "train" else pipeline.in_order(8)
        return [tuple(np.asarray(part) for part in batch) for batch in found]


def of_x(found: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    return np.concatenate([batch[0] for batch in found])


@pytest.mark.parametrize("augment", [FLIP, ALL], ids=["flip", "all"])
def test_augmentation_is_a_function_of_seed_epoch_and_step(files: Path, augment: list[Any]) -> None:
    first, plain = batches(config(files, augment)), batches(config(files, []))
    for feed in ("memory", "stream"):
        again = batches(config(files, augment, runtime={"feed": feed}))
        assert np.array_equal(of_x(first), of_x(again))
    for (x, y), (other, labels) in zip(first, plain, strict=True):
        assert np.array_equal(y, labels)
        assert x.shape == other.shape
        assert x.dtype == np.float32
    assert not np.array_equal(of_x(first), of_x(plain))
    assert not np.array_equal(of_x(first), of_x(batches(config(files, augment) | {"seed": 7})))
    assert not np.array_equal(of_x(first), of_x(batches(config(files, augment), epoch=1)))


def test_augmentation_flips_some_samples_and_leaves_the_others(files: Path) -> None:
    found, plain = of_x(batches(config(files, FLIP))), of_x(batches(config(files, [])))
    flipped = [np.array_equal(a, b[:, ::-1]) for a, b in zip(found, plain, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(found, plain, strict=True)]
    assert all(a or b for a, b in zip(flipped, same, strict=True))
    assert 5 < sum(flipped) < len(found) - 5


@pytest.mark.parametrize("split", ["validation", "test"])
def test_augmentation_leaves_validation_and_test(files: Path, split: str) -> None:
    assert np.array_equal(of_x(batches(config(files, ALL), split=split)), of_x(batches(config(files, []), split=split)))


def test_augmentation_of_a_seed_of_its_own(files: Path) -> None:
    seeded = [of_x(batches(config(files, [{"GaussianNoise": {"stddev": 0.1, "seed": s}}]))) for s in (1, 1, 2)]
    assert np.array_equal(seeded[0], seeded[1])
    assert not np.array_equal(seeded[0], seeded[2])
    twice = [{"GaussianNoise": {"stddev": 0.1}}] * 2
    noise = of_x(batches(config(files, twice))) - of_x(batches(config(files, [])))
    assert noise.std() == pytest.approx(0.1 * 2**0.5, rel=0.1)  # two layers draw different numbers


def test_augmentation_resumes_to_the_same_bits(files: Path, tmp_path: Path) -> None:
    made = config(files, ALL, train={"class_weight": "balanced"})
    whole = dltrain.fit(made, runs_dir=tmp_path / "whole")
    with pytest.raises(StopError):
        dltrain.fit(made, runs_dir=tmp_path / "stopped", on_event=stop_at(1, EpochDone))
    resumed = dltrain.resume("latest", runs_dir=tmp_path / "stopped", overrides={"runtime.feed": "stream"})
    assert fingerprint(resumed) == fingerprint(whole)
    assert whole.record().parameters == 64 * 3 + 3
    loaded = keras.models.load_model(whole.path / "model.keras")
    assert [type(layer).__name__ for layer in loaded.layers] == ["Flatten", "Dense"]


def test_augmentation_reconstructs_the_sample_before_it(files: Path) -> None:
    made = config(files, [{"GaussianNoise": {"stddev": 0.2}}], train={"loss": "mse"})
    made["data"]["task"] = "reconstruction"
    made["model"]["layers"] = [{"Conv2D": {"filters": 1, "kernel_size": 3, "padding": "same"}}]
    clean = set(map(bytes, (IMAGES * np.float32(1 / 255)).reshape(60, -1)))
    for x, y in batches(made):
        assert {bytes(row) for row in y.reshape(len(y), -1)} <= clean
        assert 0.1 < (x - y).std() < 0.3


@pytest.mark.parametrize("backend", [tensorflow, jax], ids=["tensorflow", "jax"])
def test_augmentation_gets_other_states_in_every_step(backend: Backend) -> None:
    class Told:
        states = 3

        def __call__(self, x: Any, states: Any, /) -> Any:
            total = sum(states[i, j] % 65_536 for i in range(3) for j in range(2))
            return x * 0 + (tf.cast(total, tf.float32) if isinstance(total, tf.Tensor) else total)

    x = np.zeros((9, 1), np.float32)
    pipeline = backend.input_pipeline(x, np.arange(9), 1.0, "memory", augment=Told())
    seen = []
    for epoch in (0, 1, 0):
        counter = backend.epoch()
        counter.assign(epoch)
        in_turn = [np.asarray(batch[1]).tolist() for batch in pipeline.shuffled(3, 5, counter, shuffle=False)]
        assert in_turn == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
        seen.append(
            [float(np.asarray(batch[0])[0, 0]) for batch in pipeline.shuffled(3, 5, counter, shuffle=epoch == 0)]
        )
    assert seen[0] == seen[2]
    assert len({*seen[0], *seen[1]}) == 6
    assert all(not np.asarray(batch[0]).any() for batch in pipeline.in_order(3))


@pytest.mark.parametrize(
    ("augment", "message", "hint"),
    [
        (["RandomFlop"], "unknown layer `RandomFlop`", "did you mean `RandomFlip`?"),
        ([{"RandomFlip": {"mod": "horizontal"}}], "unknown argument `mod`", "did you mean `mode`?"),
        ([{"Rescaling": {"scale": 2}}], "`Rescaling` is no augmentation", "put it in `model.layers`"),
        ([{"Dense": {"units": 2}}], "`Dense` is no augmentation", "put it in `model.layers`"),
        ([{"Resizing": {"height": 4, "width": 4}}], "`Resizing` is no augmentation", "put it in `model.layers`"),
        ([{"AugMix": {"value_range": [0, 1]}}], "without a seed", "RandAugment"),
        ([{"RandomCrop": {"height": 4, "width": 4}}], "makes (4, 4, 1) of samples of (8, 8, 1)", "RandomTranslation"),
        ([{"RandomBrightness": {"factor": 0.1}}], "values from 0 to 255", "value_range: [0, 1]"),
        ([{"RandomHue": {"factor": 0.1, "value_range": [0, 1]}}], "takes 3 channels", "RandomBrightness"),
        ([{"Dropout": {"rate": 1.0}}], "drops everything", "rate: 0.2"),
        ([{"RandomRotation": {"factor": 20}}], "", "a share of a whole turn"),
        ([{"SpatialDropout1D": {"rate": 0.1}}], "needs (steps, channels)", "behind a `Reshape`"),
        ("RandomFlip", "must be a list", "augment: [RandomFlip: {mode: horizontal}]"),
    ],
    ids=str,
)
def test_augmentation_that_cannot_be_meant_is_told(files: Path, augment: Any, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config(files, augment), strict=True)
    found = caught.value.problems
    assert len(found) == 1
    assert message in found[0].message
    assert hint in found[0].hint
    assert found[0].path[:2] == ("data", "augment")


def test_augmentation_that_moves_pixels_away_from_their_targets_is_told(files: Path) -> None:
    made = config(files, [*FLIP, {"GaussianNoise": {"stddev": 0.1}}], "mask.npz", train={"loss": "mse"})
    made["data"]["task"] = "array"
    made["model"]["layers"] = [{"Conv2D": {"filters": 1, "kernel_size": 3, "padding": "same"}}]
    (problem,) = load(made).checked.warnings
    assert "moves the pixels of samples, but not their targets" in problem.message
    made["data"]["augment"] = [{"GaussianNoise": {"stddev": 0.1}}]
    assert not load(made).checked.warnings


def test_augmentation_of_whole_numbers_is_refused(files: Path) -> None:
    made = config(files, [{"GaussianNoise": {"stddev": 0.1}}], "words.npz")
    made["model"]["layers"].insert(0, {"Embedding": {"input_dim": 9, "output_dim": 2}})
    with pytest.raises(ConfigError, match="makes fractions"):
        load(made)


def test_augmentation_that_keras_alone_refuses_is_told_at_its_line(files: Path) -> None:
    made = config(files, [*FLIP, {"RandomElasticTransform": {"value_range": [0, 1], "fill_mode": "bilinear"}}])
    with pytest.raises(ConfigError) as caught:
        dltrain.fit(made)
    assert caught.value.problems[0].path[:2] == ("data", "augment")


def test_augmentation_draws_every_layer_of_the_catalogue_from_its_states() -> None:
    x = keras.ops.convert_to_tensor(RNG.random((4, 9, 9, 3), np.float32))
    for name in entries.augmentations():
        entry = entries.find("layer", name)
        assert entry is not None
        arguments = examples.arguments(entry) | ({"value_range": [0, 1]} if "value_range" in entry.arguments else {})
        arguments |= {"height": 9, "width": 9} if name == "RandomCrop" else {}
        if name in ("SpatialDropout1D", "SpatialDropout3D"):
            continue  # for samples of other axes
        made = [Augmentation([(construct("layer", name, arguments), 0)]) for _ in range(2)]
        first, second = (np.asarray(each(x, np.full((each.states, 2), 5))) for each in made)
        assert np.array_equal(first, second), name
        assert first.shape == x.shape, name
