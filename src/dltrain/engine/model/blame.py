"""Which part of a config Keras refuses: its parts are tried one by one, on samples and outside the training's graph.

A fresh object of each part is tried, so the state of a built model never changes.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import keras
import numpy as np

from dltrain.config import KerasObject, Plan
from dltrain.engine.model.construct import KERAS_ERRORS, Refused, ask, construct_once, culprit, telling_sentence
from dltrain.engine.session import Session, precision
from dltrain.errors import ConfigError, DltrainError, KeyPath, dotted

P = ParamSpec("P")
T = TypeVar("T")


_OURS = tuple(f"{Path(__file__).parents[2] / folder}{os.sep}" for folder in ("engine/training", "runs"))


def guarded(session: Session, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of Keras that runs our code too, as `fit` runs the recorder: errors of ours stay as they are.

    Raises:
        Refused: Keras or the backend raised an error.
        DltrainError: out of memory.
    """
    try:
        return function(*args, **kwargs)
    except KERAS_ERRORS as error:
        if session.backend.out_of_memory(error):
            raise out_of_memory() from error
        if any(frame.filename.startswith(_OURS) for frame in traceback.extract_tb(error.__traceback__)):
            raise
        raise Refused(telling_sentence(error)) from error


def out_of_memory() -> DltrainError:
    return DltrainError("out of memory during training", "a smaller `batch_size`, a smaller model, or `data.limit`")


def refusal_at(
    plan: Plan, where: KeyPath, thing: str, item: KerasObject, refusal: Refused, hint: str = "", path: KeyPath = ()
) -> ConfigError:
    """Return the error that Keras refuses an object, at its argument if that is known.

    Args:
        plan: of the config.
        where: the path of the object.
        thing: names the object: "layer 2, `Dense`".
        item: the object.
        refusal: what Keras says.
        hint: what is good to know.
        path: from the object's arguments to the one at fault.
    """
    path = path or refusal.path
    if not path:
        return plan.error(where, f"Keras refuses {thing}: {refusal}", hint)
    return plan.error((*where, item.name, *path), f"Keras refuses `{dotted(path)}` of {thing}: {refusal}", hint)


def layer_refusal(
    plan: Plan, index: int, refusal: Refused, shape: tuple[int | None, ...], path: KeyPath
) -> ConfigError:
    """Return the error of layer `index` that gets samples of `shape`."""
    layer = plan.spec.model.layers[index]
    thing, hint = f"layer {index + 1}, `{layer.name}`", f"the layer gets samples of shape {shape}"
    return refusal_at(plan, ("model", "layers", index), thing, layer, refusal, hint, path)


def call(name: str, x: Any, arguments: Mapping[str, Any]) -> Any:
    """Return the output of a fresh layer. Raises Refused."""
    return ask(construct_once("layer", name, arguments), x)


def exercise(model: keras.Sequential, x: Any) -> Any:
    """Return the outputs for samples, after training on them has been tried as far as it changes no state.

    Raises:
        Refused: the model, a regularizer or a constraint does not take them.
    """
    outputs = ask(model, x, training=False)
    ask(_penalty, model)
    ask(model.stateless_call, model.trainable_variables, model.non_trainable_variables, x, training=True)
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            ask(variable.constraint, variable.value)
    return outputs


def _penalty(model: keras.Sequential, loss: Any = 0.0) -> Any:
    """Add up a loss and those of the layers, as training does; Keras's regularizers run only then."""
    first = keras.ops.convert_to_tensor(loss)
    return keras.ops.sum([first, *(keras.ops.sum(value) for value in model.losses)])


def layer_at_fault(plan: Plan, model: keras.Sequential, x: Any, refusal: Refused) -> ConfigError:
    """Return the error of the first layer that cannot run, or be trained, on samples `x`, or whose output Keras did
    not foresee when it built the model.
    """
    with precision(plan.spec.train.precision):
        for index, (layer, built) in enumerate(zip(plan.spec.model.layers, model.layers, strict=True)):
            use = partial(_exercise_alone, layer.name, x)
            try:
                following = use(layer.arguments)
            except Refused as alone:
                path = culprit("layer", layer.name, layer.arguments, use)
                return layer_refusal(plan, index, alone, tuple(x.shape[1:]), path)
            foreseen, shape = tuple(built.output.shape[1:]), tuple(following.shape[1:])
            if shape != foreseen:
                message = (
                    f"layer {index + 1}, `{layer.name}`, gives samples of shape {shape}; Keras foresees {foreseen}"
                )
                return plan.error(("model", "layers", index), message, "write other arguments, or another layer")
            x = following
    return plan.error(("model", "layers"), f"the model cannot run: {refusal}")


def _exercise_alone(name: str, x: Any, arguments: Mapping[str, Any]) -> Any:
    return exercise(keras.Sequential([construct_once("layer", name, arguments)]), x)


def loss_at_fault(plan: Plan, y: Any, outputs: Any, model: keras.Sequential, refusal: Refused) -> ConfigError:
    """Return the error of a loss that does not take labels `y` and the model's outputs."""
    loss = plan.spec.train.loss

    def use(arguments: Mapping[str, Any]) -> None:
        ask(_penalty, model, ask(construct_once("loss", loss.name, arguments), y, outputs))

    return _at_fault(plan, ("train", "loss"), "loss", f"the loss `{loss.name}`", loss, use, refusal)


def metric_at_fault(plan: Plan, y: Any, outputs: Any, refusal: Refused) -> ConfigError:
    """Return the error of the first metric that does not take labels `y` and the model's outputs."""
    for index, metric in enumerate(plan.spec.train.metrics):
        use = partial(_measure, metric.name, y, outputs)
        try:
            use(metric.arguments)
        except Refused as alone:
            thing = f"the metric `{metric.name}`"
            return _at_fault(plan, ("train", "metrics", index), "metric", thing, metric, use, alone)
    return plan.error(("train", "metrics"), f"a metric does not take the model's output: {refusal}")


def _measure(name: str, y: Any, outputs: Any, arguments: Mapping[str, Any]) -> None:
    model = keras.Sequential([keras.layers.Identity()])
    ask(model.compile, metrics=[construct_once("metric", name, arguments)])
    ask(model.compute_metrics, outputs, y, outputs)


def training_at_fault(plan: Plan, model: keras.Sequential, refusal: Refused, compiled: bool = False) -> ConfigError:
    """Return the error of a model that runs, but whose training step does not: of its optimizer, or of all.

    Args:
        plan: the config.
        model: that of the plan.
        refusal: what Keras or the backend says.
        compiled: whether XLA compiled the step, which supports fewer operations.
    """
    optimizer = plan.spec.train.optimizer
    use = partial(_step, optimizer.name, model)
    try:
        use(optimizer.arguments)
    except Refused as alone:
        thing = f"the optimizer `{optimizer.name}`"
        return _at_fault(plan, ("train", "optimizer"), "optimizer", thing, optimizer, use, alone)
    message = f"the model cannot be trained: {refusal}"
    return plan.error(("model", "layers"), message, "without XLA: -s runtime.jit_compile=false" if compiled else "")


def _step(name: str, model: keras.Sequential, arguments: Mapping[str, Any]) -> None:
    """Let a fresh optimizer take one step without a gradient, on copies of the weights."""
    copies = [keras.Variable(keras.ops.convert_to_numpy(v.value), dtype=v.dtype) for v in model.trainable_variables]
    optimizer = construct_once("optimizer", name, arguments)
    ask(optimizer.build, copies)
    ask(optimizer.apply, [keras.ops.zeros_like(copy.value) for copy in copies], copies)


def _at_fault(
    plan: Plan,
    where: KeyPath,
    section: str,
    thing: str,
    item: KerasObject,
    use: Callable[[dict[str, Any]], object],
    refusal: Refused,
) -> ConfigError:
    return refusal_at(plan, where, thing, item, refusal, path=culprit(section, item.name, item.arguments, use))


def not_finite_at_fault(plan: Plan, x: Any) -> ConfigError | None:
    """Return the error of the first layer whose output for samples `x` is not finite in training; None for none."""
    with precision(plan.spec.train.precision):
        for index, layer in enumerate(plan.spec.model.layers):
            use = partial(_finite, layer.name, x)
            try:
                x = use(layer.arguments)
            except Refused:
                path = culprit("layer", layer.name, layer.arguments, use)
                where: KeyPath = ("model", "layers", index)
                thing, hint = f"layer {index + 1}, `{layer.name}`", "look at the scale of what it gets"
                if path:
                    where = (*where, layer.name, *path)
                    thing, hint = f"`{dotted(path)}` of {thing}", "leave it at Keras's default"
                return plan.error(where, f"{thing}: the output is not finite on the first batch", hint, "start-loss")
    return None


def _finite(name: str, x: Any, arguments: Mapping[str, Any]) -> Any:
    outputs = ask(keras.Sequential([construct_once("layer", name, arguments)]), x, training=True)
    if not np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))).all():
        raise Refused("its output is not finite")
    return outputs
