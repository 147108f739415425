"""A plan -> a compiled `keras.Sequential`; an error of Keras is reported at the line of the layer at fault."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Literal

import keras
import numpy as np

from dltrain.config import KerasObject, Plan
from dltrain.config.catalogue.datasets import input_dtype
from dltrain.config.catalogue.labels import LabelEncoding, boundary, label_encoding, needed_shape
from dltrain.config.catalogue.names import direction, layer_names
from dltrain.data.facts import Facts
from dltrain.engine.backends.backend import Recurrence
from dltrain.engine.model import blame, speed
from dltrain.engine.model.adapting import Adapted, Learner
from dltrain.engine.model.construct import Refused, ask, construct, construct_metric, culprit
from dltrain.engine.model.metrics import in_original_unit, log_as_numbers, parts_of
from dltrain.engine.model.shards import mixing
from dltrain.engine.session import Session, precision
from dltrain.errors import KeyPath


def _scope(name: str) -> str:
    """Return a run's name as TensorFlow takes it for a scope: ASCII letters and digits, `.`, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name) if re.match(r"[A-Za-z0-9]", name) else _scope(f"model_{name}")


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """A compiled model.

    Args:
        model: the model itself.
        encoding: of the labels that its loss takes.
        from_logits: whether its outputs are logits, of which the loss makes probabilities.
        boundary: value of a single output above which a sample is of the class 1.
        recurrent: the layers that compute otherwise than Keras would, by name.
        shards: parts of a batch that are computed side by side.
        optimizer: whether the optimizer updates a variable in one operation (`fused`) or as Keras has it.
        metric_parts: names of the numbers beside its mean that a metric with a vector as its result logs.
        adapted: what `Normalization` layers have learnt.
    """

    model: keras.Sequential
    encoding: LabelEncoding
    from_logits: bool
    boundary: float
    recurrent: Mapping[str, Recurrence]
    shards: int
    optimizer: Literal["fused", "keras"]
    metric_parts: tuple[str, ...] = ()
    adapted: Adapted = field(default_factory=dict)

    def count_parameters(self) -> int:
        """Return the number of values in the model's weights, trainable or not."""
        return sum(math.prod(variable.shape) for variable in self.model.weights)

    def count_trained(self) -> int:
        """Return the number of those that the optimizer changes."""
        return sum(math.prod(variable.shape) for variable in self.model.trainable_variables)


def build_model(plan: Plan, facts: Facts, session: Session, learn: Learner) -> BuiltModel:
    """Build and compile the model of a plan for the samples of a data set.

    Args:
        plan: the config.
        facts: of the data set.
        session: the backend.
        learn: gives what a `Normalization` without `mean` learns from the training split, or has learnt.

    Raises:
        ConfigError: Keras refuses a layer, or the model's output does not fit the labels.
    """
    train = plan.spec.train
    from_logits = bool(train.loss.arguments.get("from_logits", False))
    split_at = boundary(train.loss.name, from_logits)
    dtype = input_dtype(facts, plan.spec.model.layers)
    with precision(train.precision):
        layers, recurrent, adapted = _build_layers(plan, facts, session, learn)
        model = keras.Sequential([keras.Input(facts.shape, dtype=dtype), *layers], name=_scope(plan.spec.name))
        for layer in model.layers:
            if layer.name in train.freeze:
                layer.trainable = False  # those inside a wrapper too
        encoding = _check_output(plan, facts, model)
        optimizer = _part(plan, ("train", "optimizer"), "optimizer", train.optimizer)
        loss = _part(plan, ("train", "loss"), "loss", train.loss)
        half = boundary(train.loss.name, False)
        metrics = [
            in_original_unit(
                _part(plan, ("train", "metrics", i), "metric", metric, boundary=half, outputs=model.output_shape[-1]),
                facts.target_scales,
            )
            for i, metric in enumerate(train.metrics)
        ]
        try:
            ask(model.compile, optimizer=optimizer, loss=loss, metrics=metrics, jit_compile=session.backend.JIT_COMPILE)
            # Keras would build it in the first step, where some optimizers give their variables other names.
            ask(model.optimizer.build, model.trainable_variables)
        except Refused as refusal:
            raise blame.training_at_fault(plan, model, refusal) from refusal
        fused = plan.spec.runtime.optimizer == "auto" and session.backend.fuse(model)
    sharded = session.backend.shard(model, session.cores.shards, list(mixing(plan, model)))
    parts = parts_of(train.metrics, facts.labels, model.output_shape[-1])
    log_as_numbers(model, parts)
    return BuiltModel(
        model,
        encoding,
        from_logits,
        split_at,
        recurrent,
        session.cores.shards if sharded else 1,
        "fused" if fused else "keras",
        tuple(chain.from_iterable(parts.values())),
        adapted,
    )


def _part(plan: Plan, path: KeyPath, section: str, item: KerasObject, **of_metric: Any) -> Any:
    """Construct the Keras object at `path`. Raises ConfigError at the argument that Keras refuses."""
    try:
        if section == "metric":
            return construct_metric(item, **of_metric)
        return construct(section, item.name, item.arguments)
    except Refused as refusal:
        raise blame.refusal_at(plan, path, f"the {section} `{item.name}`", item, refusal) from refusal


def _build_layers(
    plan: Plan, facts: Facts, session: Session, learn: Learner
) -> tuple[list[keras.layers.Layer], dict[str, Recurrence], Adapted]:
    """Build the layers in order, named as Keras names them in a fresh process.

    Returns:
        the layers, the faster implementation of recurrent layers by name, and what `Normalization` layers have learnt.

    Raises:
        ConfigError: at the line of the first layer that Keras refuses.
    """
    tensor = keras.Input(facts.shape, dtype=input_dtype(facts, plan.spec.model.layers))
    built: list[keras.layers.Layer] = []
    changed: dict[str, Recurrence] = {}
    adapted: Adapted = {}
    faster = speed.speeds_up_recurrence(plan, facts)
    layers = plan.spec.model.layers
    for index, ((layer, masked), name) in enumerate(zip(speed.with_masks(layers), layer_names(layers), strict=True)):
        shape = tuple(tensor.shape[1:])
        try:
            arguments = {**layer.arguments, "name": name}
            if layer.name == "Normalization" and layer.arguments.get("mean") is None:
                adapted[name] = learn(name, built, layer.arguments.get("axis"))
                arguments |= adapted[name]
            made = construct("layer", layer.name, arguments)
            how = speed.recurrence(layer, shape, masked) if faster else None
            if how is not None and session.backend.speed_up(made, how):
                changed[name] = how
            tensor = ask(made, tensor)
        except Refused as refusal:
            use = partial(blame.call, layer.name, tensor)
            path = refusal.path or culprit("layer", layer.name, layer.arguments, use)
            raise blame.layer_refusal(plan, index, refusal, shape, path) from refusal
        built.append(made)
    return built, changed, adapted


def _check_output(plan: Plan, facts: Facts, model: keras.Sequential) -> LabelEncoding:
    """Check the model's output against the labels and return their encoding.

    Raises:
        ConfigError: the output does not fit; the error stands at the last layer and names the needed shape.
    """
    shape = tuple(model.output_shape[1:])
    last = len(plan.spec.model.layers) - 1
    loss = plan.spec.train.loss.name
    outputs = shape[-1] if shape else None
    encoding = label_encoding(loss, facts.targets, facts.classes, outputs)
    wanted = needed_shape(encoding, facts)
    if shape == wanted or (encoding == "index" and shape[:-1] == wanted[:-1] and (outputs or 0) >= (wanted[-1] or 0)):
        return encoding
    what = f"{facts.classes} classes" if facts.targets == "classes" else f"targets of {facts.target_shape}"
    message = f"the model's output has the shape {shape}, but `{facts.name}` has {what}: `{loss}` needs {wanted}"
    flatten = f"put `Flatten` or a pooling layer before it, and end in `Dense: {{units: {wanted[-1]}}}`"
    hint = f"end in `Dense: {{units: {wanted[-1]}}}`" if len(shape) == len(wanted) else flatten
    if len(wanted) > 1:
        hint = f"end in a layer that gives {wanted}"
    raise plan.error(("model", "layers", last), message, hint, "output-shape")


def try_out(plan: Plan, built: BuiltModel, samples: tuple[np.ndarray, np.ndarray]) -> None:
    """Run a few samples through model, regularizers, constraints, loss and metrics, which changes no state.

    Raises:
        ConfigError: a part refuses them; the error stands at the argument at fault, where a single one is.
    """
    model = built.model
    x, y = (keras.ops.convert_to_tensor(each) for each in samples)
    try:
        outputs = blame.exercise(model, x)
    except Refused as refusal:
        raise blame.layer_at_fault(plan, model, x, refusal) from refusal
    try:
        ask(model.compute_loss, x=x, y=y, y_pred=outputs, training=False)
    except Refused as refusal:
        raise blame.loss_at_fault(plan, y, outputs, model, refusal) from refusal
    try:
        ask(model.compute_metrics, x, y, outputs)
    except Refused as refusal:
        raise blame.metric_at_fault(plan, y, outputs, refusal) from refusal
    model.reset_metrics()


def build_callbacks(plan: Plan) -> list[keras.callbacks.Callback]:
    """Construct the callbacks of a plan, in order; `mode: auto` becomes the direction of the metric that they monitor.

    Raises:
        ConfigError: at the first callback that Keras refuses.
    """
    built = []
    for index, callback in enumerate(plan.spec.train.callbacks):
        arguments = dict(callback.arguments)
        if arguments.get("mode") == "auto":  # Keras knows its metrics by their classes, but not by their parts
            arguments["mode"] = direction(plan.spec.train.metrics, arguments["monitor"]) or "auto"
        item = callback.model_copy(update={"arguments": arguments})
        built.append(_part(plan, ("train", "callbacks", index), "callback", item))
    return built
