"""Arguments that exclude each other, or that count beyond what there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dltrain.config.catalogue.entries import find, trait
from dltrain.config.checks.draft import Draft, Placed, inner, kind_of, value_of, within
from dltrain.config.checks.outline import Outline
from dltrain.config.document.writer import flow
from dltrain.errors import Problem

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
# Their divisor starts above zero, or `epsilon` is not in it (3.15.1).
_NEED_NO_EPSILON = ("Adagrad", "Muon")
# What cuDNN computes, and nothing else.
_CUDNN = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "recurrent_dropout": 0,
    "reset_after": True,
    "unroll": False,
    "use_bias": True,
}


def check_arguments(draft: Draft, outline: Outline) -> Iterator[Problem]:
    if draft.optimizer is not None:
        yield from _check_clips(draft, draft.optimizer)
    for section, placed in (("loss", draft.loss), *(("metric", metric) for metric in draft.metrics or ())):
        if placed is not None:
            yield from _check_axes(draft, section, placed)
            yield from _check_ignored(draft, section, placed)
    outputs = outline.shape[0] if outline.shape is not None and len(outline.shape) == 1 else None
    for metric in draft.metrics or ():
        yield from _check_classes(draft, metric, outputs)
        yield from _check_labels(draft, metric, outputs)
        yield from _check_regressors(draft, metric)
    for layer in draft.layers:
        for part in within(layer):
            yield from _check_halves(draft, part)
            yield from _check_range(draft, part)
            yield from _check_lora(draft, part)
            yield from _check_orthogonal(draft, part)
            yield from _check_cudnn(draft, part)
    if draft.loss is not None:
        yield from _check_reduction(draft, draft.loss)
    if draft.loss is not None and outputs is not None:
        yield from _check_alpha(draft, draft.loss, outputs)
    yield from _check_activity(draft)
    yield from _check_epsilons(draft)


def _check_reduction(draft: Draft, loss: Placed) -> Iterator[Problem]:
    if loss.object.arguments.get("reduction", "mean") in (None, "none"):
        message = f"`{loss.object.name}` without a reduction is a number for each sample; training needs a single one"
        hint = "write `reduction: sum_over_batch_size`, Keras's default"
        yield draft.tell("reduction", message, loss.argument_path("reduction"), hint)


def _check_clips(draft: Draft, optimizer: Placed) -> Iterator[Problem]:
    given = [key for key in _CLIPS if value_of("optimizer", optimizer.object, key) is not None]
    if len(given) > 1:
        path = optimizer.argument_path(given[1])
        message = f"`{given[0]}` and `{given[1]}` both say how gradients are clipped; an optimizer takes one of them"
        yield draft.tell("contradiction", message, path, "keep one")


def _check_axes(draft: Draft, section: str, placed: Placed) -> Iterator[Problem]:
    """Axes of losses and metrics count those of a batch of outputs, such as (samples, outputs)."""
    entry = find(section, placed.object.name)
    if entry is None or "axis" not in entry.arguments:
        return
    axis = value_of(section, placed.object, "axis")
    axes = axis if isinstance(axis, list) else [axis]
    count = _output_axes(draft)
    outside = [number for number in axes if number is not None and not -count <= number < count]
    path, hint = placed.argument_path("axis"), "write `axis: -1`"
    if outside:
        has = "two, samples and outputs" if count == 2 else f"{count}, that of the samples first"
        message = f"`{placed.object.name}` has no axis {outside[0]}: outputs have {has}"
        yield draft.tell("axis", message, path, hint)
    elif "sparse_y_pred" in entry.arguments and axis % count == 0:
        message = f"`{placed.object.name}` takes the largest number along `axis: {axis}`, that of the samples"
        yield draft.tell("axis", message, path, hint)
    elif "Categorical" in entry.name and axis % count == 0:
        message = f"`{placed.object.name}` compares classes along `axis: {axis}`, that of the samples"
        yield draft.tell("axis", message, path, hint)
    elif len({None if number is None else number % count for number in axes}) < len(axes):
        yield draft.tell("axis", f"`{placed.object.name}` has one axis twice: {axes}", path, hint)


def _output_axes(draft: Draft) -> int:
    """The axes of a batch of outputs: samples, places in a sample, outputs."""
    if draft.data is None:
        return 2
    return len(draft.data.target_shape) + (2 if draft.data.targets == "classes" else 1)


def _check_ignored(draft: Draft, section: str, placed: Placed) -> Iterator[Problem]:
    """A class to leave out that no sample has."""
    ignored, data = value_of(section, placed.object, "ignore_class"), draft.data
    if not isinstance(ignored, int) or data is None or data.classes is None or 0 <= ignored < data.classes:
        return
    message = f"`ignore_class: {ignored}` has no effect: the labels of `{data.name}` are 0 to {data.classes - 1}"
    yield draft.tell("class-id", message, placed.argument_path("ignore_class"), "remove it", "warning")


def _check_classes(draft: Draft, metric: Placed, outputs: int | None) -> Iterator[Problem]:
    """Classes and labels that a metric counts, against the model's outputs and its own `num_classes`."""
    item = metric.object
    if kind_of("metric", metric) is None:
        return
    for key in ("class_id", "num_labels"):
        value = value_of("metric", item, key)
        if value is None or outputs is None:
            continue
        path = metric.argument_path(key)
        if key == "class_id" and value >= outputs:
            count = f"{outputs} outputs" if outputs > 1 else "one output"
            message = f"`{item.name}` has no class {value}: the model has {count}"
            yield draft.tell("class-id", message, path, f"write a number from 0 to {outputs - 1}")
        elif key == "num_labels" and value_of("metric", item, "multi_label") and value != outputs:
            message = f"`{item.name}` expects {value} labels, but the model has {outputs} outputs"
            yield draft.tell("class-id", message, path, f"write `num_labels: {outputs}`")
    targets = value_of("metric", item, "target_class_ids")
    classes = 2 if kind_of("metric", metric) == "BinaryIoU" else value_of("metric", item, "num_classes")
    if isinstance(classes, int) and targets and max(targets) >= classes:
        message = f"`{item.name}` has no class {max(targets)}: it counts {classes} classes"
        yield draft.tell("class-id", message, metric.argument_path("target_class_ids"), f"numbers below {classes}")


def _check_labels(draft: Draft, metric: Placed, outputs: int | None) -> Iterator[Problem]:
    """Counts and weights of labels, one an output."""
    name = metric.object.name
    count, weights = (value_of("metric", metric.object, key) for key in ("num_labels", "label_weights"))
    if count is not None and not value_of("metric", metric.object, "multi_label"):
        path = metric.argument_path("num_labels")
        message = f"`num_labels` of `{name}` is for `multi_label: true`, which is not written"
        yield draft.tell("contradiction", message, path, "remove `num_labels`")
        return
    outputs = outputs or count
    path = metric.argument_path("label_weights")
    if weights is not None and outputs is not None and len(weights) != outputs:
        needed = f"{outputs} outputs" if outputs > 1 else "one output"
        message = f"`label_weights` of `{name}` has {len(weights)} of them, but the model has {needed}"
        yield draft.tell("class-id", message, path, "write a number for each output")
    elif weights is not None and not any(weights):
        message = f"`label_weights` of `{name}` are all 0, so their average is not a number"
        yield draft.tell("class-id", message, path, "write at least one above 0")


def _check_regressors(draft: Draft, metric: Placed) -> Iterator[Problem]:
    """Keras adjusts R2 for at most two regressors fewer than there are samples; otherwise it gives plain R2."""
    count = value_of("metric", metric.object, "num_regressors")
    if not count or draft.train_samples is None:
        return
    least = min((draft.train_samples, *draft.other_samples))
    if count > least - 2:
        path = metric.argument_path("num_regressors")
        message = f"`{metric.object.name}` cannot be adjusted for {count:,} regressors with {least:,} samples"
        hint = f"write at most {least - 2}, or remove it" if least > 2 else "remove it"
        yield draft.tell("metric-setting", f"{message}: it is plain R2 on that split", path, hint, "warning")


def _check_halves(draft: Draft, layer: Placed) -> Iterator[Problem]:
    """An activation with an output of another shape, which Keras does not foresee."""
    for key in ("activation", "recurrent_activation"):
        word = value_of("layer", layer.object, key)
        if trait("activation", word, "halves"):
            message = (
                f"`{word}` halves the last axis of `{layer.object.name}`, and Keras builds the model for all of it"
            )
            yield draft.tell("shape", message, layer.argument_path(key), "write `silu`, a gate that keeps the shape")


def _check_range(draft: Draft, layer: Placed) -> Iterator[Problem]:
    low, high = layer.object.arguments.get("value_range") or (0, 1)
    if low >= high:
        message = f"`value_range` of `{layer.object.name}` holds nothing from {low:g} to {high:g}"
        hint = f"write `value_range: [{high:g}, {low:g}]`" if low > high else "write the lowest and the highest value"
        yield draft.tell("value-range", message, layer.argument_path("value_range"), hint)


def _check_lora(draft: Draft, layer: Placed) -> Iterator[Problem]:
    """Beside `lora_rank` Keras freezes the kernel, or the table, and takes no constraint of it."""
    if value_of("layer", layer.object, "lora_rank") is None:
        return
    for key in ("kernel_constraint", "embeddings_constraint"):
        if value_of("layer", layer.object, key) is not None:
            message = f"`{layer.object.name}` has `lora_rank`, which freezes what `{key}` is for"
            yield draft.tell("contradiction", message, layer.argument_path(key), "keep one of the two")


def _check_orthogonal(draft: Draft, layer: Placed) -> Iterator[Problem]:
    """TensorFlow has no decomposition in bfloat16, from which Keras makes orthogonal weights."""
    if value_of("layer", layer.object, "dtype") != "bfloat16":
        return
    entry = find("layer", layer.object.name)
    keys = [key for key in entry.arguments if key.endswith("_initializer")] if entry is not None else []
    key = next((key for key in keys if kind_of("initializer", inner(layer, "layer", key)) == "Orthogonal"), None)
    if key is not None:
        message = f"`{key}` of `{layer.object.name}` is `Orthogonal`, which makes no weights in `bfloat16`"
        hint = "write `dtype: mixed_bfloat16`, which keeps the weights in float32"
        yield draft.tell("weight-dtype", message, layer.argument_path("dtype"), hint)


def _check_cudnn(draft: Draft, layer: Placed) -> Iterator[Problem]:
    if value_of("layer", layer.object, "use_cudnn") is not True:
        return
    found = ((key, value_of("layer", layer.object, key), needed) for key, needed in _CUDNN.items())
    other = next((key for key, value, needed in found if value is not None and value != needed), None)
    why = f"cuDNN computes `{layer.object.name}` with `{other}: {flow(_CUDNN[other])}` alone" if other else ""
    if not why and not has_gpu():
        why = "cuDNN needs a GPU of NVIDIA, and this machine has none"
    if why:
        hint = "write `use_cudnn: auto`, which uses cuDNN where it can"
        yield draft.tell("cudnn", why, layer.argument_path("use_cudnn"), hint)


def has_gpu() -> bool:
    """Whether this machine has a GPU of NVIDIA, as Linux and its Windows subsystem show it."""
    return Path("/dev/dxg").exists() or any(Path("/dev").glob("nvidia[0-9]*"))


def _check_alpha(draft: Draft, loss: Placed, outputs: int) -> Iterator[Problem]:
    """A list of weights of the classes, one an output."""
    alpha = value_of("loss", loss.object, "alpha")
    if isinstance(alpha, list) and len(alpha) not in (1, outputs):
        message = f"`alpha` of `{loss.object.name}` has {len(alpha)} numbers, but the model has {outputs} outputs"
        yield draft.tell("class-id", message, loss.argument_path("alpha"), f"write one number, or {outputs}")


def _check_activity(draft: Draft) -> Iterator[Problem]:
    """Keras cannot add a penalty on outputs of 16 bits to a loss of 32 (3.15.1)."""
    mixed = draft.precision is not None and draft.precision.startswith("mixed")
    for placed in draft.layers:
        kind = kind_of("layer", placed)
        dtype = value_of("layer", placed.object, "dtype") or (draft.precision if mixed else "float32")
        if dtype == "float32":
            continue
        regularizes = kind == "ActivityRegularization"
        if not regularizes and value_of("layer", placed.object, "activity_regularizer") is None:
            continue
        path = placed.path if regularizes else placed.argument_path("activity_regularizer")
        message = f"Keras cannot add the penalty on outputs in `{dtype}` to the loss, which is in `float32`"
        yield draft.tell("activity-dtype", message, path, f"write `{kind}: {{dtype: float32, …}}`")


def _check_epsilons(draft: Draft) -> Iterator[Problem]:
    """A small number that keeps a divisor from zero, set to zero."""
    optimizers = [("optimizer", draft.optimizer)] if draft.optimizer is not None else []
    for section, placed in (*(("layer", layer) for layer in draft.layers), *optimizers):
        kind = kind_of(section, placed)
        for key in ("epsilon", "epsilon_1"):
            if placed.object.arguments.get(key) != 0 or kind in _NEED_NO_EPSILON:
                continue
            when = "a gradient is zero" if section == "optimizer" else "the values that it scales are all alike"
            message = f"`{key}: 0` lets `{kind}` divide by zero where {when}: the loss becomes NaN"
            yield draft.tell("epsilon", message, placed.argument_path(key), "leave it at Keras's default", "warning")
