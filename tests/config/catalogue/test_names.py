"""The names under which a run logs its metrics."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config.catalogue.names import metric_of, metric_parts, output_labels
from dltrain.config.schema import KerasObject
from dltrain.names import valid_metric

ABC = ("a", "b", "c")


def metric(own: str, **arguments: Any) -> KerasObject:
    return KerasObject.model_construct(name=own, arguments=arguments)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        (metric("F1Score"), ["f1_score_a", "f1_score_b", "f1_score_c"]),
        (metric("f1_score"), ["f1_score_a", "f1_score_b", "f1_score_c"]),
        (metric("F1Score", average=None, name="f"), ["f_a", "f_b", "f_c"]),
        (metric("FBetaScore", beta=2.0), ["fbeta_score_a", "fbeta_score_b", "fbeta_score_c"]),
        (metric("R2Score", class_aggregation=None), ["r2_score_a", "r2_score_b", "r2_score_c"]),
        (metric("Precision", thresholds=[0.5, 0.25]), ["precision_0.5", "precision_0.25"]),
        (metric("FalsePositives", thresholds=[0, 1]), ["false_positives_0", "false_positives_1"]),
        (metric("Recall", thresholds=[0.5, 0.5]), ["recall_0", "recall_1"]),
        # One number
        (metric("F1Score", average="macro"), []),
        (metric("R2Score"), []),
        (metric("Precision"), []),
        (metric("Precision", thresholds=0.5), []),
        (metric("Precision", thresholds=[0.5]), []),
        (metric("AUC", thresholds=[0.2, 0.5]), []),
        (metric("accuracy"), []),
    ],
)
def test_names_of_the_numbers_in_a_vector(written: KerasObject, parts: list[str]) -> None:
    assert list(metric_parts(written, ABC)) == parts
    assert all(metric_of([written], f"val_{part}") == written for part in parts)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("T-shirt/top", "Ankle boot"), ("T-shirt_top", "Ankle_boot")),
        (("кошка", "собака"), ("кошка", "собака")),
        (("e\u0301", "u"), ("é", "u")),
        (("a/b", "a:b"), ("0", "1")),  # the same word
        (("", "b"), ("0", "1")),
        (("<>", "b"), ("0", "1")),
        (("x" * 200, "b"), ("0", "1")),
        (("\n\x1b[31m", "a\u202eb"), ("31m", "a_b")),
    ],
)
def test_names_of_classes_become_valid_names_of_metrics(classes: tuple[str, ...], words: tuple[str, ...]) -> None:
    for name in ("f1_score", "f" * 64):
        parts = metric_parts(metric("F1Score", name=name), classes)
        assert parts == tuple(f"{name}_{word}" for word in words)
        assert all(valid_metric(part) or len(name) == 64 for part in parts)


@pytest.mark.parametrize(("outputs", "labels"), [(3, ABC), (1, ("0",)), (4, ("0", "1", "2", "3"))])
def test_names_of_outputs_are_those_of_the_classes_where_there_is_one_each(
    outputs: int, labels: tuple[str, ...]
) -> None:
    assert output_labels(ABC, outputs) == labels
