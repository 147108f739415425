"""What `dltrain docs` and the guide say in words of our own; Keras's own words are read from its source."""

from __future__ import annotations

from typing import Any

KINDS = {
    "layer": "a step of the model",
    "optimizer": "how the weights follow the loss",
    "schedule": "a learning rate that changes from step to step",
    "loss": "what training makes small",
    "metric": "what is measured beside the loss",
    "regularizer": "a penalty on weights or outputs that is added to the loss",
    "initializer": "what weights are before training",
    "constraint": "what weights are held to after each step",
    "callback": "what happens between epochs",
    "activation": "a function on every output of a layer",
    "dataset": "what to train on",
}
# Words for which Keras picks the metric by the labels.
CHOSEN = "Keras takes the binary, the categorical or the sparse categorical one, as the labels and the loss require."
# What it is, a sentence about it and more, what it takes, an example.
SPECIAL: dict[str, tuple[str, str, str, str, str]] = {
    "extends": (
        "a key of the config",
        "Another config, relative to this file, that this one completes.",
        "Mappings merge, at any depth; everything else, lists too, is replaced, and so is a Keras object by one with "
        "another name. A key of a section that is set to `null` takes its default again. What is extended may extend a "
        "third one.",
        "a file",
        "extends: base.yaml\ntrain:\n  epochs: 20",
    ),
    "repeat": (
        "an item of `model.layers`",
        "A set of layers that comes several times in a row, each time with weights of its own.",
        "A repeat may stand in a repeat.",
        "a mapping of `times` and `layers`",
        "model:\n  layers:\n    - repeat:\n        times: 3\n        layers:\n"
        "          - Dense: {units: 64, activation: relu}\n          - Dropout: {rate: 0.2}",
    ),
}
_LAYERS: list[Any] = ["Flatten", {"Dense": {"units": 64, "activation": "relu"}}]
_LAYERS.append({"Dense": {"units": 10, "activation": "softmax"}})
_TRAIN: dict[str, Any] = {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
KEYS: dict[str, Any] = {
    "version": 1,
    "name": "my_first",
    "seed": 42,
    "data": {"dataset": "mnist", "validation": 0.1},
    "data.dataset": {"synthetic": {"samples": 1000, "features": 10, "classes": 3}},
    "data.task": "classification",
    "data.validation": 0.2,
    "data.test": 0.2,
    "data.augment": [{"GaussianNoise": {"stddev": 0.1}}],
    "data.limit": {"train": 5000, "test": 1000},
    "data.limit.train": 5000,
    "data.limit.test": 1000,
    "model": {"layers": _LAYERS},
    "model.layers": _LAYERS,
    "train": {**_TRAIN, "batch_size": 32, "epochs": 5},
    "train.optimizer": {"Adam": {"learning_rate": 0.001}},
    "train.loss": "sparse_categorical_crossentropy",
    "train.metrics": ["accuracy"],
    "train.batch_size": 64,
    "train.epochs": 10,
    "train.shuffle": False,
    "train.schedule": {1: 0.001, 10: 0.0001},
    "train.class_weight": "balanced",
    "train.oversample": True,
    "train.callbacks": [{"EarlyStopping": {"monitor": "val_loss", "patience": 3}}],
    "train.initial_weights": "latest",
    "train.freeze": ["dense"],
    "train.checkpoint": {"monitor": "val_accuracy"},
    "train.checkpoint.monitor": "val_accuracy",
    "train.checkpoint.mode": "max",
    "train.precision": "mixed_bfloat16",
    "train.deterministic": False,
    "train.steps_per_execution": 32,
    "runtime": {"backend": "jax"},
    "runtime.backend": "jax",
    "runtime.recurrent": "keras",
    "runtime.optimizer": "keras",
    "runtime.shards": 2,
    "runtime.jit_compile": False,
    "runtime.feed": "stream",
    "expect": {"test_accuracy": ">= 0.90"},
}
