from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.config import changes, load

CONFIG = """
data: {dataset: {synthetic: {classes: 3}}, limit: {train: 100}}
model: {layers: [{Dense: {units: 8}}, {Dropout: {rate: 0.5}}, {Dense: {units: 3, activation: softmax}}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 2, metrics: [accuracy]}
"""


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], []),
        (["train.epochs=2"], []),
        (["train.epochs=3", "seed=1"], ["`seed` from `42` to `1`", "`train.epochs` from `2` to `3`"]),
        (["train.optimizer=sgd"], ["`train.optimizer` from `Adam` to `SGD`"]),
        (["train.optimizer.Adam.clipnorm=1"], ["`train.optimizer.Adam.clipnorm` from nothing to `1`"]),
        (["model.layers.1.Dropout.rate=0.1"], ["`model.layers.1.Dropout.rate` from `0.5` to `0.1`"]),
        (["model.layers.1={GaussianNoise: {stddev: 1}}"], ["`model.layers.1` from `Dropout` to `GaussianNoise`"]),
        (
            ["model.layers=[{Dense: {units: 3, activation: softmax}}]"],
            ["`model.layers` from a list of 3 to a list of 1"],
        ),
        (["expect={test_accuracy: '>= 0.5'}"], ["`expect.test_accuracy` from nothing to `>= 0.5`"]),
        (["data.limit.train=null"], ["`data.limit.train` from `100` to nothing"]),
        (["data.dataset={synthetic: {classes: 3, seed: 1}}"], ["`data.dataset.synthetic.seed` from `0` to `1`"]),
        (
            ["data.dataset=mnist", "model.layers=[Flatten, {Dense: {units: 10, activation: softmax}}]"],
            ["`data.dataset` from `synthetic` to `mnist`", "`model.layers` from a list of 3 to a list of 2"],
        ),
    ],
)
def test_changes_are_phrases_of_what_differs(tmp_path: Path, overrides: list[str], expected: list[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    found = [str(change) for change in changes(load(file).spec, load(file, overrides).spec)]
    assert found == expected
