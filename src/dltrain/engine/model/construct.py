"""Construction of the Keras objects that a config names; an error of Keras becomes a `Refused`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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

# Errors that Keras and its backend raise for incompatible arguments and shapes.
KERAS_ERRORS: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
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
    """Keras or its backend refuses its arguments; the message is the relevant sentence of the error."""


P = ParamSpec("P")
T = TypeVar("T")


def ask(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a Keras function and turn its errors into Refused. Only Keras calls go here, so our own bugs surface."""
    try:
        return function(*args, **kwargs)
    except KERAS_ERRORS as error:
        raise Refused(_telling_sentence(error)) from error


def construct(section: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Construct the Keras object of a catalogued name; strings that Keras resolves, such as `accuracy`, are returned.

    Raises:
        Refused: Keras refuses the arguments.
    """
    entry = find(section, name)
    if entry is None or (section == "metric" and entry.name != name and not arguments):
        return name
    given = {key: _construct_argument(entry.arguments[key], value) for key, value in arguments.items()}
    return ask(getattr(_MODULES[section], entry.name), **given)


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
    return construct(section, name, given)


def _telling_sentence(error: BaseException) -> str:
    """Return the relevant sentence of a Keras error, without its list of received arguments."""
    # Keras colours some of its messages; TensorFlow names its kernels around them.
    text = re.sub(r"\x1b\[[0-9;]*m|\{\{function_node [^}]*\}\}|\[Op:\w+\]( name:)?", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    noise = ("Exception encountered", "Arguments received", "Call arguments received")
    telling = [line for line in lines if not line.startswith(noise)]
    return (telling or lines or [type(error).__name__])[0].removeprefix("• ")
