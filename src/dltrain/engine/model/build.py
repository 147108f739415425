"""Spec -> `keras.Sequential`, compiled; what Keras refuses is told at the line of the layer at fault."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from dltrain.config.catalogue.kinds import plain_kind, section_of
from dltrain.config.catalogue.labels import LabelForm, label_form
from dltrain.config.catalogue.names import layer_names, metric_name, snake_case
from dltrain.config.catalogue.objects import find
from dltrain.engine import backends
from dltrain.engine.model import device, speed
from dltrain.engine.model.labels import encode

if TYPE_CHECKING:
    from dltrain.config import Plan
    from dltrain.config.catalogue.entries import Argument
    from dltrain.config.schema import KerasObject
    from dltrain.data import Dataset

# What Keras and its backend raise for arguments and shapes that do not go together.
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


def construct(section: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """The Keras object of a catalogued name; a word that Keras resolves itself, such as `accuracy`, stays a word."""
    entry = find(section, name)
    if entry is None or (section == "metric" and entry.name != name and not arguments):
        return name
    given = {key: _construct_argument(entry.arguments[key], value) for key, value in arguments.items()}
    return getattr(_MODULES[section], entry.name)(**given)


def _metric(metric: KerasObject) -> Any:
    """Named as the spec says: Keras would number the second one of a class in the process."""
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


def message_of(error: BaseException) -> str:
    """The telling sentence of a Keras error, without its list of received arguments."""
    # Keras colours some of its messages; TensorFlow names its kernels around them.
    text = re.sub(r"\x1b\[[0-9;]*m|\{\{function_node [^}]*\}\}|\[Op:\w+\]( name:)?", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    noise = ("Exception encountered", "Arguments received", "Call arguments received")
    telling = [line for line in lines if not line.startswith(noise)]
    return (telling or lines or [type(error).__name__])[0].removeprefix("• ")


def layers(plan: Plan, dataset: Dataset) -> tuple[list[keras.layers.Layer], dict[str, str]]:
    """The layers, built one after the other for a data set's samples, named as Keras names them in a fresh process.

    Returns:
        the layers, and by name those that compute otherwise than Keras would, with how (`run.json` has it).

    Raises:
        ConfigError: at the line of the first layer that Keras refuses.
    """
    tensor = keras.Input(dataset.shape)
    built: list[keras.layers.Layer] = []
    masked = False
    changed: dict[str, str] = {}
    faster = speed.unrolls(plan, len(dataset.train.x))
    names = layer_names(plan.spec.model.layers)
    for index, (layer, name) in enumerate(zip(plan.spec.model.layers, names, strict=True)):
        path = ("model", "layers", index)
        before = tuple(tensor.shape[1:])
        try:
            made = construct("layer", layer.name, {**layer.arguments, "name": name})
            if faster and (how := backends.current().speed_up(made, before, masked)):
                changed[name] = how
            masked = masked or isinstance(made, keras.layers.Masking) or bool(getattr(made, "mask_zero", False))
            tensor = made(tensor)
        except KERAS_ERRORS as error:
            message = f"Keras refuses layer {index + 1}, `{layer.name}`: {message_of(error)}"
            raise plan.error(path, message, f"the layer gets samples of shape {before}") from error
        built.append(made)
    return built, changed


def compiled(plan: Plan, dataset: Dataset) -> tuple[keras.Sequential, LabelForm, dict[str, Any]]:
    """The model of a plan, ready to train on `dataset`, the form of labels that its loss takes, and what is sped up:
    `recurrent`, how by the layer's name, and `optimizer`, `fused` or `keras`, as run.json has them.

    Raises:
        ConfigError: Keras refuses a layer, or the model's output cannot meet the labels.
    """
    train = plan.spec.train
    with device.precision(train.precision):
        built, changed = layers(plan, dataset)
        model = keras.Sequential([keras.Input(dataset.shape), *built], name=plan.spec.name)
        form = _check_output(plan, dataset, model)
        try:
            model.compile(
                optimizer=construct("optimizer", train.optimizer.name, train.optimizer.arguments),
                loss=construct("loss", train.loss.name, train.loss.arguments),
                metrics=[_metric(metric) for metric in train.metrics],
                jit_compile=backends.current().JIT_COMPILE,
            )
            # Keras would build it in the first step, where some optimizers name their variables otherwise.
            model.optimizer.build(model.trainable_variables)
            fused = plan.spec.runtime.optimizer == "auto" and backends.current().fuse(model)
        except KERAS_ERRORS as error:
            raise plan.error(("train",), f"Keras refuses to compile the model: {message_of(error)}") from error
    _try_out(plan, dataset, model, form)
    return model, form, {"recurrent": changed, "optimizer": "fused" if fused else "keras"}


def _check_output(plan: Plan, dataset: Dataset, model: keras.Sequential) -> LabelForm:
    """Holds the model's output against the labels.

    Raises:
        ConfigError: at the last layer, with the shape that was needed.
    """
    shape = tuple(model.output_shape[1:])
    last = len(plan.spec.model.layers) - 1
    loss = plan.spec.train.loss.name
    outputs = shape[-1] if shape else None
    form = label_form(loss, dataset.task, dataset.classes, outputs)
    wanted = dataset.classes if form in ("index", "one_hot") else dataset.train.y.shape[-1] if form == "target" else 1
    fits = len(shape) == 1 and (outputs == wanted or (form == "index" and (outputs or 0) >= (wanted or 0)))
    if fits:
        return form
    what = f"{dataset.classes} classes" if dataset.task == "classification" else f"{wanted} target a sample"
    message = f"the model's output has the shape {shape}, but `{dataset.name}` has {what}: `{loss}` needs ({wanted},)"
    flatten = f"put `Flatten` or a pooling layer before it, and end in `Dense: {{units: {wanted}}}`"
    hint = f"end in `Dense: {{units: {wanted}}}`" if len(shape) == 1 else flatten
    raise plan.error(("model", "layers", last), message, hint, "output-shape")


def _try_out(plan: Plan, dataset: Dataset, model: keras.Sequential, form: LabelForm) -> None:
    """Pushes two samples through model, loss and metrics in inference mode, which changes no state.

    Raises:
        ConfigError: the loss or a metric does not take such outputs.
    """
    x = keras.ops.convert_to_tensor(dataset.train.x[:2], "float32") * dataset.scale
    y = keras.ops.convert_to_tensor(encode(dataset.train.y[:2], form, dataset.classes))
    try:
        outputs = model(x, training=False)
    except KERAS_ERRORS as error:
        raise plan.error(("model", "layers"), f"the model cannot run: {message_of(error)}") from error
    try:
        model.compute_loss(x=x, y=y, y_pred=outputs, training=False)
    except KERAS_ERRORS as error:
        raise plan.error(
            ("train", "loss"), f"the loss does not take the model's output: {message_of(error)}"
        ) from error
    try:
        model.compute_metrics(x, y, outputs)
        model.reset_metrics()
    except KERAS_ERRORS as error:
        message = f"a metric does not take the model's output: {message_of(error)}"
        raise plan.error(("train", "metrics"), message) from error


def callbacks(plan: Plan) -> list[keras.callbacks.Callback]:
    return [construct("callback", item.name, item.arguments) for item in plan.spec.train.callbacks]


def parameters(model: keras.Sequential) -> int:
    """How many numbers the model learns or keeps."""
    return sum(math.prod(variable.shape) for variable in model.weights)


def from_logits(plan: Plan) -> bool:
    return bool(plan.spec.train.loss.arguments.get("from_logits", False))


def as_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))
