"""The tables of an evaluation: the confusion matrix, and what the model says of every sample."""

from __future__ import annotations

import csv
import io

import numpy as np

_LARGEST_MATRIX = 1_000  # classes


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> str:
    """Return the confusion matrix as CSV: rows are true classes, columns predicted ones.

    Of more than a thousand classes, only the pairs that occur, each with its count.
    """
    size = max(len(names), int(predicted.max()) + 1)
    if size > _LARGEST_MATRIX:
        return _pairs(labels.reshape(-1), predicted.reshape(-1), names)
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (labels.reshape(-1), predicted.reshape(-1)), 1)
    shown = [*names, *(str(index) for index in range(len(names), size))]
    rows = [[name, *row] for name, row in zip(shown, counts[: len(names)].tolist(), strict=False)]
    return _csv([["true \\ predicted", *shown], *rows])


def _pairs(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> str:
    pairs, counts = np.unique(np.stack([labels, predicted]), axis=1, return_counts=True)
    label = dict(enumerate(names))
    rows = [
        [label.get(true, true), label.get(guess, guess), count]
        for true, guess, count in zip(*pairs.tolist(), counts.tolist(), strict=True)
    ]
    return _csv([["true", "predicted", "count"], *rows])


def class_predictions(labels: np.ndarray, predicted: np.ndarray, outputs: np.ndarray, names: tuple[str, ...]) -> str:
    """Return CSV; `output` is the model's output for the predicted class, or its only output.

    Where a sample has several labels, one a step or pixel, each has a row, with its place in the columns `step`, or
    `axis_0`, ….
    """
    single = outputs.shape[-1] == 1
    column = outputs[..., 0] if single else np.take_along_axis(outputs, predicted[..., None], -1)[..., 0]
    label = dict(enumerate(names))
    places = np.ndindex(labels.shape)
    rows = [
        [*place, label.get(true, true), label.get(guess, guess), f"{value:.6g}"]
        for place, true, guess, value in zip(
            places,
            labels.reshape(-1).tolist(),
            predicted.reshape(-1).tolist(),
            column.reshape(-1).tolist(),
            strict=True,
        )
    ]
    axes = ["step"] if labels.ndim == 2 else [f"axis_{axis}" for axis in range(labels.ndim - 1)]
    return _csv([["index", *axes, "label", "prediction", "output"], *rows])


def flag_predictions(flags: np.ndarray, outputs: np.ndarray, boundary: float, names: tuple[str, ...]) -> str:
    """Return CSV: the labels of each sample, those predicted, both joined by `|`, and the output of every label."""

    def told(row: list[bool]) -> str:
        return "|".join(name for name, yes in zip(names, row, strict=True) if yes)

    rows = [
        [index, told(true), told(guess), *(f"{value:.6g}" for value in values)]
        for index, (true, guess, values) in enumerate(
            zip((flags > 0).tolist(), (outputs > boundary).tolist(), outputs.tolist(), strict=True)
        )
    ]
    return _csv([["index", "labels", "predictions", *(f"output_{name}" for name in names)], *rows])


def npy(outputs: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, outputs, allow_pickle=False)
    return data.getvalue()


def target_predictions(targets: np.ndarray, outputs: np.ndarray, called: tuple[str, ...]) -> str:
    width = targets.shape[-1]
    ends = [""] if width == 1 else [f"_{name}" for name in called or range(width)]
    names = [f"{kind}{end}" for kind in ("target", "prediction") for end in ends]
    rows = np.concatenate([targets, outputs.reshape(len(targets), -1)], axis=1).tolist()
    return _csv([["index", *names], *([index, *(f"{v:.6g}" for v in row)] for index, row in enumerate(rows))])


def _csv(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
