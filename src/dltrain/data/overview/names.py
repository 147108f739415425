"""Names of the numbers of a sample, from what was learnt of the training split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.data.arrays import Dataset

UNKNOWN = "[UNK]"


def feature_names(dataset: Dataset) -> list[str] | None:
    """Return the name of each number along the last axis of a sample; None where they have none."""
    learnt: Mapping[str, Any] = dataset.learnt or {}
    names: list[str] | None = None
    if "table" in learnt:
        names = [name for column in learnt["table"]["columns"] for name in _of_column(column, learnt["table"])]
    elif "series" in learnt:
        names = list(learnt["series"]["features"])
        if len(dataset.facts.shape) == 1 and names:  # windows in a row
            steps = dataset.facts.shape[0] // len(names)
            names = [f"{name}[{step}]" for step in range(steps) for name in names]
    elif "text" in learnt and not dataset.facts.whole:
        names = [UNKNOWN, *learnt["text"]["vocabulary"]]
        names += [f"unused {place}" for place in range(len(names), dataset.facts.shape[-1])]
    return names if names is not None and len(names) == dataset.facts.shape[-1] else None


def target_names(dataset: Dataset) -> list[str]:
    """Return the name of each number of a target: of a forecast, the column and the step."""
    shape = dataset.facts.target_shape
    count = shape[-1] if shape and dataset.facts.task not in ("array", "reconstruction") else 1
    if dataset.facts.target_names:
        return list(dataset.facts.target_names)
    return ["target"] if count == 1 else [f"target {place}" for place in range(count)]


def _of_column(column: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    if "categories" not in column or table["encoding"] != "one_hot":
        return [column["name"]]
    return [f"{column['name']}={category or '(missing)'}" for category in column["categories"]]


def filled(dataset: Dataset) -> dict[str, int]:
    """Return the columns in which values were missing in the training split and are filled in, with their number."""
    columns = (dataset.learnt or {}).get("table", {}).get("columns", ())
    return {column["name"]: column["missing"] for column in columns if column.get("missing")}


def vocabulary(dataset: Dataset) -> list[str] | None:
    """Return the token that each whole number stands for; None unless samples are tokens of a text."""
    learnt: Mapping[str, Any] = dataset.learnt or {}
    if "text" not in learnt or not dataset.facts.whole:
        return None
    return ["", UNKNOWN, *learnt["text"]["vocabulary"]]
