"""What is told of an object's argument names arguments that its class has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dltrain.config.catalogue import entries, examples
from dltrain.config.document.writer import flow
from dltrain.config.plan import check
from dltrain.config.schema import SECTIONS
from dltrain.errors import ConfigError, Problem

KEYS = {key for model in SECTIONS.values() for key in model.model_fields}
SOFTMAX = {"Dense": {"units": 4, "activation": "softmax"}}
SIGMOID = {"Dense": {"units": 1, "activation": "sigmoid"}}
RATES = {
    "initial_learning_rate": (0.1,),
    "decay_steps": (1, 1000, 100_000),
    "first_decay_steps": (5, 300),
    "decay_rate": (0.0, 1.5, 0.9),
    "m_mul": (0.0, 2.0),
    "alpha": (0.0, 1.0, 3.0),
    "end_learning_rate": (0.0, 1.0),
    "warmup_target": (None, 0.01, 0.5),
    "warmup_steps": (0, 5000),
}


def problems(**train: Any) -> tuple[Problem, ...]:
    layer = SIGMOID if train.get("loss") == "binary_crossentropy" else SOFTMAX
    classes = layer["Dense"]["units"] if layer is SOFTMAX else 2
    made = {
        "data": {"dataset": {"synthetic": {"shape": [8], "classes": classes, "samples": 2000}}, "validation": 0.2},
        "model": {"layers": [layer]},
        "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 20, **train},
    }
    text = "".join(f"{key}: {flow(value)}\n" for key, value in made.items())
    try:
        return check("test.yaml", text.encode(), ()).warnings
    except ConfigError as error:
        return error.problems


def objects_in(path: tuple[Any, ...], section: str) -> list[entries.Entry]:
    """Return the objects of the catalogue that a path leads through."""
    sections = (section, "schedule", "layer")
    found = (entries.find(name, str(part)) for part in path for name in sections)
    return [entry for entry in found if entry is not None]


def strangers(problem: Problem, section: str) -> set[str]:
    """Return the arguments that a message names and that no object on its path has."""
    on_path = objects_in(problem.path, section)
    if not on_path or str(problem.path[-1]) not in on_path[-1].arguments:
        return set()
    own = {key for entry in on_path for key in entry.arguments}
    others = {
        key
        for kind in {entry.section for entry in on_path}
        for name in entries.names(kind)
        for key in (entries.find(kind, name) or on_path[0]).arguments
    }
    words = set(re.findall(r"`(\w+)(?:`|:)|, (\w+): ", f"{problem.message} {problem.hint}"))
    return {word for pair in words for word in pair if word in others - own - KEYS}


def schedules() -> Iterator[dict[str, Any]]:
    for name in entries.names("schedule"):
        entry = entries.find("schedule", name)
        keys = [key for key in RATES if entry is not None and key in entry.arguments]
        for values in itertools.product(*(RATES[key] for key in keys)) if len(keys) > 1 else ():
            yield {"SGD": {"learning_rate": {name: dict(zip(keys, values, strict=True))}}}


def extremes(section: str) -> Iterator[Any]:
    """Yield each object with one of its numbers at 0, 1 and far up."""
    for name in entries.names(section):
        entry = entries.find(section, name)
        if entry is None or name == "LossScaleOptimizer":
            continue
        needed = {key: value for key, value in examples.arguments(entry).items() if entry.arguments[key].required}
        for key, argument in entry.arguments.items():
            for value in (0, 1, 5000) if {"int", "float"} & set(argument.kinds) else ():
                yield {name: {**needed, key: value}}


def test_mends_of_schedules_name_their_own_arguments() -> None:
    made = list(schedules())
    found = {
        flow(item): words
        for item in made
        for problem in problems(optimizer=item)
        if (words := strangers(problem, "optimizer"))
    }
    assert len(made) > 80
    assert found == {}


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
def test_mends_of_metrics_name_their_own_arguments(loss: str) -> None:
    found = {
        flow(item): words
        for item in extremes("metric")
        for problem in problems(metrics=[item], loss=loss)
        if (words := strangers(problem, "metric"))
    }
    assert found == {}


@pytest.mark.parametrize("section", ["optimizer", "loss"])
def test_mends_of_optimizers_and_losses_name_their_own_arguments(section: str) -> None:
    found = {
        flow(item): words
        for item in extremes(section)
        for problem in problems(**{section: item})
        if (words := strangers(problem, section))
    }
    assert found == {}
