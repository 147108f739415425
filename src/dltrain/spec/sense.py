"""What the sections of a config say together: names of metrics that will exist, and those that will not."""

from __future__ import annotations

import re

from dltrain.errors import Problem
from dltrain.spec import catalogue
from dltrain.spec.problems import place_of
from dltrain.spec.reader import Node
from dltrain.spec.schema import KerasObject, Spec
from dltrain.spec.suggest import closest, listing


def metric_name(metric: KerasObject) -> str:
    """The name under which Keras logs a metric: the word as written, its `name`, or its class in snake case."""
    given = metric.arguments.get("name")
    if isinstance(given, str):
        return given
    entry = catalogue.find("metric", metric.name)
    if entry is None or entry.name != metric.name:
        return metric.name
    argument = entry.arguments.get("name")
    if argument is not None and isinstance(argument.default, str):
        return argument.default
    return snake_case(entry.name)


def snake_case(name: str) -> str:
    """Keras's own form of a class name: `Conv2DTranspose` -> `conv2d_transpose`."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def logged_names(spec: Spec) -> list[str]:
    """The columns that every epoch of a run will have, the epoch's number aside."""
    names = ["loss", *(metric_name(metric) for metric in spec.train.metrics)]
    held_out = [f"val_{name}" for name in names] if spec.data.validation > 0 else []
    return [*names, *held_out]


def check_sense(spec: Spec, tree: Node) -> list[Problem]:
    """The problems of a config whose every part is valid on its own."""
    return [*_check_monitors(spec, tree), *_check_expect(spec, tree)]


def _check_monitors(spec: Spec, tree: Node) -> list[Problem]:
    logged = logged_names(spec)
    monitors: list[tuple[tuple[str | int, ...], object]] = []
    if spec.train.checkpoint.monitor is not None:
        monitors.append((("train", "checkpoint", "monitor"), spec.train.checkpoint.monitor))
    for index, callback in enumerate(spec.train.callbacks):
        entry = catalogue.find("callback", callback.name)
        if entry is not None and (argument := entry.arguments.get("monitor")) is not None:
            path = ("train", "callbacks", index, callback.name, "monitor")
            monitors.append((path, callback.arguments.get("monitor", argument.default)))
    return [
        _unknown_metric(f"nothing named `{name}` is measured", str(name), logged, path, tree)
        for path, name in monitors
        if name not in logged
    ]


def _check_expect(spec: Spec, tree: Node) -> list[Problem]:
    logged = logged_names(spec)
    measured = [name for name in logged if not name.startswith("val_")]
    known = [f"test_{name}" for name in measured] + [name for name in logged if name.startswith("val_")]
    return [
        _unknown_metric(f"nothing named `{name}` can be expected", name, known, ("expect", name), tree, at_key=True)
        for name in spec.expect
        if name not in known
    ]


def _unknown_metric(
    message: str, name: str, known: list[str], path: tuple[str | int, ...], tree: Node, at_key: bool = False
) -> Problem:
    from dltrain.spec.problems import locate

    node, _ = locate(tree, path)
    where = node.key if at_key and node.key is not None else place_of(tree, path)
    near = closest(name, known)
    hint = f"did you mean `{near}`?" if near else f"there will be {listing(known)}"
    return Problem("unknown-metric", message, path, where, hint)
