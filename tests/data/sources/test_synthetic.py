from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data import generators
from dltrain.data.arrays import RawDataset, fingerprint
from dltrain.data.sources import synthetic
from dltrain.errors import DataError

SHAPES = [[1], [10], [50, 3], [28, 28, 1], [4, 5, 6, 2], [1, 1]]


def load(**arguments: Any) -> RawDataset:
    defaults = {
        "task": "classification",
        "samples": 101,
        "test_samples": 33,
        "shape": [10],
        "classes": 3,
        "noise": 0.5,
        "seed": 0,
    }
    return synthetic.read(defaults | arguments)


def content(source: RawDataset) -> str:
    train, test = source.train, source.test
    return fingerprint({"x_train": train.x, "y_train": train.y, "x_test": test.x, "y_test": test.y})


@pytest.mark.parametrize("shape", SHAPES)
def test_synthetic_classification_describes_the_arrays(shape: list[int]) -> None:
    source = load(shape=shape)
    assert source.facts.shape == tuple(shape)
    assert source.train.x.shape == (101, *shape)
    assert source.test.x.shape == (33, *shape)
    assert source.train.x.dtype == source.test.x.dtype == np.float32
    assert source.train.y.dtype == source.test.y.dtype == np.int64
    assert source.train.y.shape == (101,)
    assert (source.facts.task, source.facts.classes, source.facts.class_names) == ("classification", 3, ("0", "1", "2"))
    assert source.scale == 1.0


@pytest.mark.parametrize("shape", SHAPES)
def test_synthetic_regression_describes_the_arrays(shape: list[int]) -> None:
    source = load(task="regression", shape=shape)
    assert source.train.x.shape == (101, *shape)
    assert source.train.y.shape == (101, 1)
    assert source.test.y.shape == (33, 1)
    assert source.train.x.dtype == source.train.y.dtype == np.float32
    assert (source.facts.task, source.facts.classes, source.facts.class_names) == ("regression", None, ())


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"features": 7, "shape": None}, (7,)),
        ({"features": None, "shape": None}, (10,)),
        ({"shape": [2, 3]}, (2, 3)),
    ],
)
def test_synthetic_shape_can_be_given_as_a_number_of_features(
    arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    assert load(**arguments).facts.shape == shape


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_synthetic_same_arguments_give_the_same_bytes(task: str) -> None:
    assert content(load(task=task)) == content(load(task=task))


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("change", [{"seed": 1}, {"noise": 0.6}])
def test_synthetic_different_arguments_give_different_data(task: str, change: dict[str, Any]) -> None:
    assert content(load(task=task)) != content(load(task=task, **change))


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_synthetic_classes_are_balanced_and_shuffled(classes: int) -> None:
    source = load(classes=classes, samples=1001)
    for split in (source.train, source.test):
        counts = np.bincount(split.y, minlength=classes)
        assert counts.max() - counts.min() <= 1
    assert np.any(np.diff(source.train.y) < 0)
    assert not np.array_equal(source.train.y, np.arange(1001) % classes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("noise", [0, 0.5, 10, 1e200])
def test_synthetic_inputs_have_mean_zero_and_unit_variance(shape: list[int], noise: float) -> None:
    x = load(shape=shape, samples=4000, classes=2, noise=noise).train.x
    assert abs(float(x.mean())) < 0.05
    assert float(x.std()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("shape", [[1], [2], [10], [28, 28, 1], [50, 3]])
def test_synthetic_classes_differ_even_in_few_dimensions(shape: list[int]) -> None:
    source = load(shape=shape, classes=20, samples=400, noise=0)
    x = source.train.x.reshape(400, -1)
    assert len(np.unique(np.round(x, 4), axis=0)) == 40  # two prototypes per class


def test_synthetic_images_are_smooth_along_every_axis() -> None:
    x = load(shape=[28, 28], noise=0).train.x
    for axis in (1, 2):
        assert float(np.abs(np.diff(x, axis=axis)).mean()) < 0.25


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_synthetic_test_samples_are_not_training_samples(task: str) -> None:
    source = load(task=task)
    rows = {row.tobytes() for row in source.train.x}
    assert len(rows) == 101
    assert not rows & {row.tobytes() for row in source.test.x}


def test_synthetic_test_split_is_independent_of_the_training_size() -> None:
    assert np.array_equal(load(samples=50).test.x, load(samples=500).test.x)


@pytest.mark.parametrize("seed", range(4))
def test_synthetic_classification_needs_more_than_a_linear_model(seed: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    source = load(classes=2, samples=1000, test_samples=500, seed=seed)
    network = MLPClassifier(
        (8,),
        solver="sgd",
        learning_rate_init=0.1,
        momentum=0,
        batch_size=32,
        max_iter=25,
        tol=0,
        random_state=0,
    )
    with pytest.warns(match="Maximum iterations"):
        network.fit(source.train.x, source.train.y)
    linear = LogisticRegression().fit(source.train.x, source.train.y)
    assert network.score(source.test.x, source.test.y) >= 0.95
    assert linear.score(source.test.x, source.test.y) < 0.65


def test_synthetic_regression_targets_are_standardised_and_nonlinear() -> None:
    source = load(task="regression", samples=4000, test_samples=1000, shape=[4], noise=0)
    x, y = np.c_[source.train.x, np.ones(4000)], source.train.y
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert float(y.mean()) == pytest.approx(0, abs=1e-4)
    assert float(y.std()) == pytest.approx(1, abs=1e-4)
    assert float(source.test.y.std()) == pytest.approx(1, abs=0.1)
    assert float(residual.var()) > 0.05


def test_synthetic_regression_noise_sets_the_unexplained_variance() -> None:
    clean, noisy = (
        load(task="regression", samples=20_000, noise=noise).train.y.astype(np.float64) for noise in (0, 0.5)
    )
    correlation = np.corrcoef(clean[:, 0], noisy[:, 0])[0, 1]
    assert 1 - correlation**2 == pytest.approx(0.25 / 1.25, abs=0.01)


def test_synthetic_data_beyond_memory_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(generators, "_smooth_fields", fail)
    with pytest.raises(DataError, match=r"1\.0 GiB does not fit in memory"):
        load(samples=1024 * 255, test_samples=1024, shape=[1024])
