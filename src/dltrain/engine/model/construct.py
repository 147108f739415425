"""Construction of the Keras objects that a config names; an error of Keras becomes a `Refused`.

`culprit` finds the argument that Keras refuses by trying: its errors name no argument of a config.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ParamSpec, TypeVar

import keras

from dltrain.arguments import Argument
from dltrain.config import KerasObject
from dltrain.config.catalogue.entries import follows_labels
from dltrain.config.catalogue.kinds import plain_kind, section_of
from dltrain.config.catalogue.labels import HALF
from dltrain.config.catalogue.names import metric_name, snake_case
from dltrain.config.catalogue.objects import find
from dltrain.engine import backends
from dltrain.errors import KeyPath

# Errors that Keras and its backend raise for incompatible arguments and shapes.
KERAS_ERRORS: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    ImportError,  # as of SciPy, which some initializers need
    NotImplementedError,
    RuntimeError,
    MemoryError,
    *backends.current().ERRORS,
)
_MODULES = {
    "layer": keras.layers,
    "optimizer": keras.optimizers,
    "schedule": keras.optimizers.schedules,
    "loss": keras.losses,
    "metric": keras.metrics,
    "regularizer": keras.regularizers,
    "initializer": keras.initializers,
    "constraint": keras.constraints,
    "callback": keras.callbacks,
}


class Refused(Exception):
    """Keras or its backend refuses its arguments; the message is the relevant sentence of the error.

    Args:
        path: the keys from an object's arguments to the one at fault; empty where no single one is.
    """

    def __init__(self, message: str, path: KeyPath = ()) -> None:
        super().__init__(message)
        self.path = path


P = ParamSpec("P")
T = TypeVar("T")


def ask(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a Keras function and turn its errors into Refused. Only Keras calls go here, so our own bugs surface."""
    try:
        return function(*args, **kwargs)
    except KERAS_ERRORS as error:
        raise Refused(telling_sentence(error)) from error


def construct(section: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Construct the Keras object of a catalogued name; strings that Keras resolves, such as `accuracy`, are returned.

    Raises:
        Refused: Keras refuses the arguments; it knows the one at fault.
    """
    try:
        return construct_once(section, name, arguments)
    except Refused as refusal:
        path = culprit(section, name, arguments, lambda changed: construct_once(section, name, changed))
        raise Refused(str(refusal), path) from refusal


def construct_once(section: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Construct as `construct` does, without a search for the argument at fault."""
    entry = find(section, name)
    if entry is None or (section == "metric" and entry.name != name and not arguments):
        return name
    given = {key: _construct_argument(entry.arguments[key], value) for key, value in arguments.items()}
    return ask(getattr(_MODULES[section], entry.name), **given)


def culprit(section: str, name: str, arguments: Mapping[str, Any], use: Callable[[dict[str, Any]], object]) -> KeyPath:
    """Return the keys to the argument at fault of an object that `use` refuses; empty where no single one is.

    One argument after the other gets Keras's default, in nested objects too, until `use` takes what there is.
    Those that are objects come first: without a bias, nothing is wrong with its initializer.
    """
    entry, changed = find(section, name), dict(arguments)
    known = entry.arguments if entry is not None else {}
    for key in sorted(arguments, key=lambda key: section_of(known[key]) is None):
        argument, value = known[key], arguments[key]
        if inside := _culprit_inside(argument, value, partial(_use_with, use, changed, key)):
            return (key, *inside)
        if not argument.has_default or value == argument.default:
            continue
        changed[key] = argument.default
        if _is_taken(use, changed):
            return (key,)
    return ()


def _culprit_inside(argument: Argument, value: Any, use: Callable[[Any], object]) -> KeyPath:
    """Return the keys within a nested object to the argument at fault."""
    section = section_of(argument)
    if section is None or not isinstance(value, dict):
        return ()
    ((name, given),) = value.items()
    inside = culprit(section, name, given or {}, lambda changed: use({name: changed}))
    return (name, *inside) if inside else ()


def _use_with(use: Callable[[dict[str, Any]], object], arguments: Mapping[str, Any], key: str, value: Any) -> object:
    return use({**arguments, key: value})


def _is_taken(use: Callable[[dict[str, Any]], object], arguments: dict[str, Any]) -> bool:
    try:
        use(arguments)
    except Refused:
        return False
    return True


def construct_metric(metric: KerasObject, boundary: float = HALF, outputs: int | None = None) -> Any:
    """Construct a metric with the name from the config: Keras would number the second of a class in a process.

    Args:
        metric: the metric.
        boundary: value of a single output that parts the classes. Keras's `accuracy` would take 0.5.
        outputs: how many numbers the model outputs per sample.
    """
    if outputs == 1 and boundary != HALF and follows_labels("metric", metric.name):
        return construct("metric", "BinaryAccuracy", {"threshold": boundary, "name": metric.name})
    made = construct("metric", metric.name, metric.arguments)
    if isinstance(made, str):
        return made
    return construct("metric", metric.name, {**metric.arguments, "name": metric_name(metric)})


def _construct_argument(argument: Argument, value: Any) -> Any:
    kind, section = plain_kind(argument, value), section_of(argument)
    if kind is not None:
        return kind.construct(value)
    if section is None or value is None:
        return value
    name, given = (value, {}) if isinstance(value, str) else next(iter(value.items()))
    given = given or {}
    if section == "layer":
        given = {**given, "name": given.get("name") or snake_case(name)}
    return construct_once(section, name, given)


# How lines around the message of an operation in a graph begin.
_OF_GRAPHS = (
    "Graph execution error:",
    "Detected at node",
    "<stack traces",
    "Node:",
    "File ",
    "The op is created",
    "[[",
)


def telling_sentence(error: BaseException) -> str:
    """Return the relevant sentence of a Keras error, without its list of received arguments."""
    # Keras colours some of its messages; TensorFlow names its kernels around them.
    text = re.sub(r"\x1b\[[0-9;]*m|\{\{(function_)?node [^}]*\}\}|\[Op:\w+\]( name:)?", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    noise = ("Exception encountered", "Arguments received", "Call arguments received", *_OF_GRAPHS)
    telling = [line for line in lines if not line.startswith(noise)]
    return (telling or lines or [type(error).__name__])[0].removeprefix("• ")
