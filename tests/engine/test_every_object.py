"""Every object of the catalogue with drawn arguments, valid and invalid: what `check` passes, Keras builds and runs.

An error has its place and never is a traceback. What only Keras can refuse stands in `ONLY_KERAS`, with the reason.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.helpers import failures

import dltrain
from dltrain.arguments import Argument
from dltrain.config import load
from dltrain.config.catalogue import entries
from dltrain.engine.inputs import load_data
from dltrain.engine.session import open_session
from dltrain.engine.training.job import prepare
from dltrain.errors import ConfigError, Diverged

# Messages about a config that `check` passes and the build refuses: pattern, reason.
ONLY_KERAS: dict[str, str] = {
    r"only supports .* (tensor|data) format on the CPU|only supports N(D)?HWC": "the device decides: a GPU takes it",
    r"SparseTensor|SparseKerasTensor": "which layers take the sparse tensors of `sparse: true`, Keras says nowhere",
}
WORDS = ("ok", "a b", "x/y", "é", "-a", "hann", "ab,bc->ac", "abc,cd->abd", "")


def numbers(argument: Argument, whole: bool) -> st.SearchStrategy[Any]:
    """Draw numbers within the bounds, the bounds themselves among them, and seldom one beyond."""
    ends = (argument.minimum, argument.maximum, argument.above, argument.below)
    some: set[float] = {0, 1, 2, 3, 5, 12, -1, *(int(end) for end in ends if end is not None)}
    if not whole:
        some = {*map(float, some), 0.1, 0.5, 1e-3, 30.0}
    inside = [n for n in sorted(some) if within(argument, n) and abs(n) < 100]
    return st.sampled_from(inside * 4 + [-7, 1e4 if whole else 1e9]) if inside else st.sampled_from(sorted(some))


def within(argument: Argument, number: float) -> bool:
    low, high = argument.minimum, argument.maximum
    return (
        (low is None or number >= low)
        and (high is None or number <= high)
        and (argument.above is None or number > argument.above)
        and (argument.below is None or number < argument.below)
    )


def values(key: str, argument: Argument, depth: int) -> st.SearchStrategy[Any]:
    drawn = [kind_of_value(key, kind, argument, depth) for kind in argument.kinds]
    wrong = st.sampled_from(["text", -7, [], True, {"Adam": {}}])
    return st.one_of(*drawn * 5, *([st.none()] if argument.nullable else []), wrong)


def kind_of_value(key: str, kind: str, argument: Argument, depth: int) -> st.SearchStrategy[Any]:
    match kind:
        case "bool":
            return st.booleans()
        case "int" | "float":
            return numbers(argument, kind == "int")
        case "ints" | "floats":
            lengths = st.sampled_from(argument.lengths or (1, 2, 3))
            item = numbers(argument, kind == "ints")
            return lengths.flatmap(lambda n: st.lists(item, min_size=n, max_size=n))
        case "ints_nested":
            pair = st.lists(st.integers(0, 2), min_size=2, max_size=2)
            return st.lists(pair, min_size=argument.lengths[0], max_size=argument.lengths[0])
        case "mask_shape":
            return st.lists(st.sampled_from([None, 1, 2]), min_size=1, max_size=4)
        case "epochs":
            return st.sampled_from(["1 epoch", "2 epochs", "0.5 epochs", "30 epochs", "epochs"])
        case "epochs_list":
            return st.sampled_from([["1 epoch"], ["1 epoch", "2 epochs"], ["2 epochs", "1 epoch"], ["0.5 epochs", 3]])
        case "words":
            return st.sampled_from(argument.choices)
        case "activation":
            return st.sampled_from(entries.names("activation"))
        case "dtype":
            return st.sampled_from(["float32", "float16", "bfloat16", "float64", "mixed_float16", "int32", "half"])
        case "str" | "scope" | "root_scope":
            return st.sampled_from(WORDS)
        case "layer":
            inner = (
                ("LSTMCell", "GRUCell") if key == "cell" else ("LSTM", "GRU", "Dense", "Conv1D", "BatchNormalization")
            )
            return st.sampled_from(inner).flatmap(lambda name: objects("layer", name, depth + 1))
    return st.sampled_from(entries.names(kind)).flatmap(lambda name: objects(kind, name, depth + 1))


def objects(section: str, name: str, depth: int = 0) -> st.SearchStrategy[Any]:
    """Draw an object as a config has it, with its required arguments and a few others."""
    entry = entries.find(section, name)
    assert entry is not None
    required = {key: values(key, a, depth) for key, a in entry.arguments.items() if a.required}
    free = [key for key, argument in entry.arguments.items() if not argument.required]
    most = 3 if depth == 0 else 1

    def with_some(chosen: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(required | {key: values(key, entry.arguments[key], depth) for key in chosen})

    some = st.lists(st.sampled_from(free), max_size=most, unique=True) if free else st.just([])
    return some.flatmap(with_some).map(lambda arguments: {name: arguments} if arguments else name)


HOSTS: list[tuple[Any, list[int]]] = [
    ({"Dense": {"units": 3}}, [6]),
    ({"Conv2D": {"filters": 2, "kernel_size": 2}}, [5, 5, 2]),
    ({"LSTM": {"units": 3}}, [5, 3]),
    ({"BatchNormalization": {}}, [6]),
    ({"SeparableConv1D": {"filters": 2, "kernel_size": 2}}, [5, 3]),
]


def sample_shape(name: str) -> list[int]:
    """Return a shape of samples that the layer takes with most arguments."""
    digit = re.search(r"([123])D", name)
    if digit:
        return [6] * (int(digit[1]) + name.startswith("ConvLSTM")) + [2]
    if entries.trait("layer", name, "recurrent") or name == "TimeDistributed":
        return [5, 3]
    if "Spectrogram" in name:
        return [3000]
    entry = entries.find("layer", name)
    image = entry is not None and {"height", "value_range", "fill_mode", "factor"} & set(entry.arguments)
    return [6, 6, 3] if image or name.startswith("Random") else [6]


def config(section: str, name: str, made: Any, host: tuple[Any, list[int]]) -> dict[str, Any]:
    """Return a config around an object, in which it works with most arguments."""
    dataset: dict[str, Any] = {"samples": 40, "test_samples": 10, "shape": [6], "classes": 3}
    layers: list[Any] = [{"Dense": {"units": 3, "activation": "softmax"}}]
    train: dict[str, Any] = {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 1}
    numeric = entries.trait("metric", name, "labels") == "number" if section == "metric" else False
    if section == "loss":
        numeric = not entries.trait("loss", name, "for_classes")
    if numeric:
        dataset = {"samples": 40, "test_samples": 10, "shape": [6], "task": "regression"}
        layers, train["loss"] = [{"Dense": {"units": 1}}], "mse"
    elif section == "metric" and entries.trait("metric", name, "labels") != "integer":
        train["loss"] = "categorical_crossentropy"
    match section:
        case "layer":
            dataset["shape"] = sample_shape(name)
            layers = [made, "Flatten", *layers]
        case "initializer" | "regularizer" | "constraint":
            ((holder, arguments),) = host[0].items()
            entry = entries.find("layer", holder)
            assert entry is not None
            keys = [key for key in entry.arguments if key.endswith(section)]
            layers = [{holder: {**arguments, keys[len(repr(made)) % len(keys)]: made}}, "Flatten", *layers]
            dataset["shape"] = host[1]
        case "optimizer" | "loss":
            train[section] = made
        case "schedule":
            train["optimizer"] = {"Adam": {"learning_rate": made}}
        case "metric" | "callback":
            train[f"{section}s"] = [made]
    return {"data": {"dataset": {"synthetic": dataset}}, "model": {"layers": layers}, "train": train}


def build(made: dict[str, Any]) -> None:
    """Check a config and prepare its training. AssertionError if Keras refuses what should have been told before."""
    try:
        plan = load(made)
    except ConfigError:
        return
    try:
        with open_session(plan.spec, owns_process=True) as session:  # memory is not freed after each
            prepare(plan, load_data(plan.spec), session, lambda event: None)
    except ConfigError as error:
        assert_known(error, made)


def assert_known(error: ConfigError, made: dict[str, Any]) -> None:
    (problem,) = error.problems
    known = any(re.search(pattern, problem.message) for pattern in ONLY_KERAS)
    assert known, f"check is content with {made}, but the build says at {problem.path}: {problem.message}"


def train(made: dict[str, Any], folder: Path) -> None:
    """Train and evaluate a config that `check` passes."""
    try:
        load(made)
    except ConfigError:
        return
    try:
        dltrain.evaluate(dltrain.fit(made, runs_dir=folder))
    except ConfigError as error:
        assert_known(error, made)
    except Diverged:
        pass


def check_many(section: str, name: str, examples: int, check: Any) -> None:
    hosts = st.sampled_from(HOSTS)
    first = True

    def one(made: Any, host: tuple[Any, list[int]]) -> None:
        nonlocal first
        if first:  # Hypothesis begins with the simplest arguments, which test_catalogue.py builds
            first = False
            return
        check(config(section, name, made, host))

    settings(
        max_examples=examples + 1,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )(given(objects(section, name), hosts)(one))()


# Examples of each object; all of them take about half a minute of a core.
SECTIONS = {"layer": 1, "optimizer": 1, "schedule": 2, "loss": 1, "metric": 1, "callback": 2}
SECTIONS |= {"initializer": 2, "regularizer": 2, "constraint": 3}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_object_that_check_passes_is_built(section: str) -> None:
    found = failures(entries.names(section), lambda name: check_many(section, name, SECTIONS[section], build))
    assert found == {}


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_every_object_that_check_passes_is_built_with_many_arguments(section: str) -> None:
    found = failures(entries.names(section), lambda name: check_many(section, name, 40, build))
    assert found == {}


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_every_object_that_check_passes_is_trained(section: str, tmp_path: Path) -> None:
    found = failures(
        entries.names(section), lambda name: check_many(section, name, 3, lambda made: train(made, tmp_path))
    )
    assert found == {}
