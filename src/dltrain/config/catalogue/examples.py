"""Examples of Keras objects and of data sets as a config writes them: by hand for the common ones, else made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dltrain.arguments import Argument
from dltrain.config.catalogue.entries import Entry, trait
from dltrain.config.catalogue.kinds import KINDS
from dltrain.config.catalogue.objects import check_value
from dltrain.config.document import writer
from dltrain.config.document.reader import read
from dltrain.config.document.source import Node
from dltrain.data.sources import SOURCES
from dltrain.errors import KeyPath

WIDTH = 76

OBJECTS: dict[str, dict[str, Any]] = {
    "Adam": {"learning_rate": 0.001},
    "AdamW": {"learning_rate": 0.001, "weight_decay": 0.004},
    "AUC": {"curve": "PR"},
    "BatchNormalization": {"momentum": 0.9},
    "Bidirectional": {"layer": {"LSTM": {"units": 64}}},
    "CategoricalCrossentropy": {"label_smoothing": 0.1},
    "Conv1D": {"filters": 32, "kernel_size": 5, "activation": "relu"},
    "Conv2D": {"filters": 32, "kernel_size": 3, "activation": "relu"},
    **KINDS["schedule"].samples[0],
    "Dense": {"units": 64, "activation": "relu"},
    "Dropout": {"rate": 0.2},
    "EarlyStopping": {"monitor": "val_loss", "patience": 3},
    "EinsumDense": {"equation": "abc,cd->abd", "output_shape": [8, 3]},
    "Embedding": {"input_dim": 10000, "output_dim": 64},
    "ExponentialDecay": {"initial_learning_rate": 0.001, "decay_steps": 1000, "decay_rate": 0.9},
    "GRU": {"units": 128},
    "GroupNormalization": {"groups": 8},
    "Huber": {"delta": 0.5},
    "L1L2": {"l1": 1e-05, "l2": 0.0001},
    "L2": {"l2": 0.0001},
    "LSTM": {"units": 128},
    "LossScaleOptimizer": {"inner_optimizer": {"Adam": {"learning_rate": 0.001}}},
    "MaxNorm": {"max_value": 2},
    "MaxPooling2D": {"pool_size": 2},
    "PiecewiseConstantDecay": {"boundaries": [1000, 2000], "values": [0.1, 0.01, 0.001]},
    "RNN": {"cell": {"LSTMCell": {"units": 64}}},
    "RandomFlip": {"mode": "horizontal"},
    "RandomPosterization": {"factor": 4},
    "ReduceLROnPlateau": {"monitor": "val_loss", "factor": 0.5, "patience": 2},
    "Reshape": {"target_shape": [28, 28]},
    "Rescaling": {"scale": 2, "offset": -1},
    "SGD": {"learning_rate": 0.01, "momentum": 0.9},
    "SpectralNormalization": {"layer": {"Dense": {"units": 64}}},
    "TimeDistributed": {"layer": {"Dense": {"units": 16}}},
    "TopKCategoricalAccuracy": {"k": 3},
    "SparseTopKCategoricalAccuracy": {"k": 3},
}
_ARGUMENTS: dict[str, Any] = {
    "activation": "relu",
    "backward_layer": {"LSTM": {"units": 64, "go_backwards": True}},
    "bin_boundaries": [0.25, 0.75],
    "boundaries": [1000.0],
    "cell": {"LSTMCell": {"units": 64}},
    "clipnorm": 1.0,
    "decay_rate": 0.9,
    "decay_steps": 1000,
    "dims": [2, 1],
    "dtype": "float32",
    "factor": 0.2,
    "filters": 32,
    "first_decay_steps": 1000,
    "height": 24,
    "initial_learning_rate": 0.001,
    "input_dim": 10000,
    "kernel_size": 3,
    "learning_rate": 0.01,
    "mean": 0.5,
    "monitor": "val_loss",
    "name": "my_name",
    "output_dim": 64,
    "pool_size": 2,
    "precision": 0.9,
    "rate": 0.2,
    "recall": 0.9,
    "sensitivity": 0.9,
    "shape": [28, 28, 1],
    "specificity": 0.9,
    "strides": 2,
    "target_class_ids": [0],
    "target_shape": [28, 28],
    "units": 64,
    "values": [0.1, 0.01],
    "variance": 0.25,
    "weight_decay": 0.004,
    "width": 24,
}


def arguments(entry: Entry, key: str | None = None) -> dict[str, Any]:
    """Arguments with which the object can be written, `key` among them where it is given."""
    common = SOURCES[entry.name].example if entry.section == "dataset" else OBJECTS.get(entry.name)
    made = dict(common or {})
    for name, argument in entry.arguments.items():
        if argument.required and name not in made:
            made[name] = value(entry, name)
    if key is not None and key not in made:
        if entry.section == "dataset":
            # Its arguments may exclude each other.
            made = {name: given for name, given in made.items() if entry.arguments[name].required}
        made[key] = value(entry, key)
    return made


def value(entry: Entry, key: str) -> Any:
    """A value that the argument takes, another one than its default where that can be."""
    argument = entry.arguments[key]
    fitting = [found for found in _candidates(argument, key) if _fits(entry, key, found)]
    fresh = [found for found in fitting if not argument.has_default or found != argument.default]
    return next(iter(fresh or fitting), argument.default)


def _candidates(argument: Argument, key: str) -> Iterator[Any]:
    if key in _ARGUMENTS:
        yield _ARGUMENTS[key]
    yield from argument.choices
    for kind in argument.kinds:
        yield from KINDS[kind].samples
    yield from (bound for bound in (argument.minimum, argument.maximum) if bound is not None)


def _fits(entry: Entry, key: str, found: Any) -> bool:
    return not check_value(entry, key, node(found), ())


def node(data: Any) -> Node:
    """Data as the reader would read it from a file."""
    return read("example", f"value: {writer.flow(data)}").value["value"]


def written(name: str, given: dict[str, Any]) -> Any:
    return {name: given} if given else name


def in_place(section: str, name: str, given: dict[str, Any]) -> str:
    """An object where a config has it, as YAML; one that stands only in others within the commonest of these."""
    made = written(name, given)
    match section:
        case "layer":
            inner = {"RNN": {"cell": made}} if trait("layer", name, "cell") else made
            return block({"model": {"layers": [inner]}})
        case "metric" | "callback":
            return block({"train": {f"{section}s": [made]}})
        case "optimizer" | "loss":
            return block({"train": {section: made}})
        case "schedule":
            return block({"train": {"optimizer": {"Adam": {"learning_rate": made}}}})
        case "dataset":
            return block({"data": {"dataset": made}})
        case "activation":
            return block({"model": {"layers": [{"Dense": {"units": 64, "activation": made}}]}})
    return block({"model": {"layers": [{"Dense": {"units": 64, f"kernel_{section}": made}}]}})


def block(data: dict[str, Any]) -> str:
    """A part of a config as YAML: sections as blocks, each value on its line where it is short enough."""

    def opens(path: KeyPath, value: Any, columns: int) -> bool:
        if isinstance(path[-1], int):
            return True
        return columns > WIDTH or path[-1] in ("data", "model", "train", "layers", "callbacks", "expect")

    return "\n".join(line.text for line in writer.block(data, opens))
