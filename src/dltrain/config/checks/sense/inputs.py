"""Layers that do not suit the values they get, or that leave nothing to learn."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.names import class_name
from dltrain.config.checks.augmentation import check_value_range
from dltrain.config.checks.draft import Draft, Placed, value_of
from dltrain.config.checks.outline import Outline
from dltrain.errors import Problem, Severity

# Layers that take integers for positions, each with the argument that counts these.
_TABLES = {"CategoryEncoding": "num_tokens", "Embedding": "input_dim", "ReversibleEmbedding": "input_dim"}


def check_inputs(draft: Draft, outline: Outline) -> Iterator[Problem]:
    yield from _check_first_layers(draft)
    yield from _check_scale(draft)
    yield from _check_channels(draft, outline)
    yield from _check_codes(draft, outline)
    for placed in draft.layers:
        yield from _check_dropout(draft, outline, placed)
    yield from _check_crops(draft, outline)
    if outline.shape is not None and not any(row.after.trainable for row in outline.rows):
        message = "the model has nothing to learn: no layer has trainable weights"
        path = ("model", "layers")
        hint = "add a layer such as `Dense: {units: 10}`"
        if draft.freeze:
            path, hint = ("train", "freeze"), "freeze fewer layers: the last one at least has something to learn"
        yield draft.tell("nothing-to-learn", message, path, hint)


def _check_first_layers(draft: Draft) -> Iterator[Problem]:
    """Layers that get the data itself, before anything learned has changed its values."""
    if draft.data is None:
        return
    for placed in draft.layers:
        kind = class_name(placed.object)
        entry = entries.find("layer", kind)
        if entry is not None and "value_range" in entry.arguments:
            if draft.data.unit_range:
                yield from check_value_range(draft, placed, kind)
        elif kind == "Rescaling":
            yield from _check_rescaling(draft, placed)
            return
        elif not entries.trait("layer", kind, "keeps_values"):
            return


def _check_scale(draft: Draft) -> Iterator[Problem]:
    """Images whose floats reach 255: weights begin for values about as large as 1."""
    data = draft.data
    if data is None or data.name != "arrays" or data.whole or len(data.shape) < 2:
        return
    if data.lowest is not None and data.highest is not None and data.lowest >= 0 and 128 < data.highest <= 255:
        message = f"samples reach {data.highest:g}: as images, they train better from 0 to 1"
        path = ("data", "dataset", "arrays", "scale")
        yield draft.tell("value-range", message, path, f"write `scale: {1 / 255:.6g}`", "warning")


def _check_rescaling(draft: Draft, placed: Placed) -> Iterator[Problem]:
    scale = placed.object.arguments.get("scale")
    if draft.data is None or not draft.data.unit_range or not isinstance(scale, int | float) or not 0 < scale < 0.05:
        return
    path = placed.argument_path("scale")
    message = f"the images are from 0 to 1 already; a `scale` of {scale:g} leaves at most {scale:g} of them"
    yield draft.tell("value-range", message, path, "remove the layer `Rescaling`", "warning")


def _check_channels(draft: Draft, outline: Outline) -> Iterator[Problem]:
    """Samples of the data sets here have their channels last, until a layer moves the axes."""
    shape = draft.data.shape if draft.data is not None else ()
    if draft.data is None or len(shape) < 2 or shape[-1] >= shape[0]:
        return
    for placed in draft.layers:
        kind = class_name(placed.object)
        if kind in ("Permute", "Reshape") or entries.trait("layer", kind, "flattens"):
            return
        if value_of("layer", placed.object, "data_format") == "channels_first":
            path = placed.argument_path("data_format")
            if any(problem.path == path for problem in outline.problems):
                return
            message = (
                f"`{kind}` takes samples of {shape} for {shape[0]:,} channels; those of `{draft.data.name}` are last"
            )
            yield draft.tell("data-format", message, path, "remove `data_format`", "warning")
            return


def _check_codes(draft: Draft, outline: Outline) -> Iterator[Problem]:
    """Layers that take integers for positions: what they get must be integers, each below the size of the table."""
    if draft.data is None:
        return
    # Of the integers at this place, infinity for an unknown one; None for fractions.
    largest: float | None = None
    if draft.data.whole:
        largest = math.inf if draft.data.highest is None else float(draft.data.highest)
    origin = f"`{draft.data.name}` holds"
    for index, placed in enumerate(draft.layers):
        kind = class_name(placed.object)
        key = next((key for name, key in _TABLES.items() if name == kind), "")
        if key and largest is None:
            yield _fractions(draft, placed, kind, origin)
        elif key and largest is not None and largest >= placed.object.arguments[key] and largest < math.inf:
            size, lost = placed.object.arguments[key], kind == "CategoryEncoding"
            message = f"`{kind}` has {size:,} positions, but {origin} integers up to {largest:,.0f}"
            path, hint = placed.argument_path(key), f"write `{key}: {largest + 1:.0f}`"
            yield draft.tell("embedding-input", message, path, hint, "warning" if lost else "error")
        if not entries.trait("layer", kind, "keeps_values"):
            values = outline.rows[index].before[0] if index < len(outline.rows) else math.inf
            largest = _largest_code(placed, kind, values)
            origin = f"`{kind}` in {draft.line(placed.path)} outputs"


def _largest_code(placed: Placed, kind: str, values: float) -> float | None:
    """Return the largest integer that a layer outputs for a number of values, all alike; None for fractions."""
    sizes = {"Discretization": "bin_boundaries", "Hashing": "num_bins", "CategoryEncoding": "num_tokens"}
    if kind not in sizes:
        return None
    mode, size = value_of("layer", placed.object, "output_mode"), placed.object.arguments[sizes[kind]]
    if mode == "int":
        return float(len(size) if kind == "Discretization" else size - 1)
    return values if mode == "count" else 1.0


def _fractions(draft: Draft, placed: Placed, kind: str, origin: str) -> Problem:
    message = f"`{kind}` takes integers as positions in its table, but {origin} fractions"
    hint = (
        "the data set `arrays` takes whole numbers, such as words by their index; `Dense`, convolutional and "
        "recurrent layers take numbers as they are"
    )
    if draft.data is not None and draft.data.name == "arrays":
        hint = "save whole numbers as int32, without a `scale`; with uint8, write `scale: 1`"
    if draft.data is not None and draft.data.name in ("imdb", "reuters"):
        message = f"`{kind}` takes integers as positions in its table, but {origin} a 0 or 1 for each word"
        hint = "write `sequence_length: 200` in the place of `output_mode: multi_hot`"
    if kind == "CategoryEncoding":
        message = f"`{kind}` takes integers as numbers of categories, but {origin} fractions"
        hint = "put `- Discretization: {bin_boundaries: [0.5]}` before it, with boundaries that suit the data"
    return draft.tell("embedding-input", message, placed.path, hint)


def _check_crops(draft: Draft, outline: Outline) -> Iterator[Problem]:
    """Keras's RandomCrop crops in training alone, and leaves images as they are in validation and test."""
    for row in outline.rows:
        if row.kind != "RandomCrop" or row.after.shape == row.before:
            continue
        behind = {later.kind for later in outline.rows[row.number :]}
        message = f"{row} crops in training alone: elsewhere samples keep {row.before}, not {row.after.shape}"
        sizes = ", ".join(f"{key}: {row.placed.object.arguments[key]}" for key in ("height", "width"))
        hint = f"write `CenterCrop: {{{sizes}}}`, or `RandomTranslation` to move images about"
        severity: Severity = "error" if behind & {"Flatten", "Reshape"} else "warning"
        yield draft.tell("random-crop", message, row.placed.path, hint, severity)


def _check_dropout(draft: Draft, outline: Outline, placed: Placed) -> Iterator[Problem]:
    kind = class_name(placed.object)
    rate = placed.object.arguments.get("rate")
    if entries.trait("layer", kind, "drops") and isinstance(rate, int | float) and rate >= 1:
        path = placed.argument_path("rate")
        message = f"a `rate` of {rate:g} drops everything: nothing is learned behind it"
        yield draft.tell("dropout", message, path, "write the share to drop, such as `rate: 0.5`")
    mask = placed.object.arguments.get("noise_shape")
    path = placed.argument_path("noise_shape")
    fits = all(problem.path != path for problem in outline.problems)
    if entries.trait("layer", kind, "drops") and isinstance(mask, list) and mask[:1] == [1] and fits:
        message = "a `noise_shape` that begins with 1 drops the same numbers in every sample of a batch"
        sizes = ["null" if size is None else str(size) for size in mask[1:]]
        hint = f"write `noise_shape: [{', '.join(['null', *sizes])}]`"
        yield draft.tell("dropout", message, path, hint, "warning")
