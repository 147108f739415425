"""Arguments that exclude each other, count beyond what there is, or that no name scope takes."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config import load
from dltrain.errors import ConfigError, Problem

SOFTMAX = [{"Dense": {"units": 10, "activation": "softmax"}}]


def problems(*layers: Any, shape: tuple[int, ...] = (6,), **train: Any) -> list[Problem]:
    config = {
        "data": {"dataset": {"synthetic": {"shape": list(shape), "classes": 10}}},
        "model": {"layers": [*layers, *SOFTMAX]},
        "train": {"optimizer": "Adam", "loss": "categorical_crossentropy", "epochs": 1, **train},
    }
    try:
        return list(load(config).checked.warnings)
    except ConfigError as error:
        return list(error.problems)


def dense(**given: Any) -> dict[str, Any]:
    return {"Dense": {"units": 3, **given}}


@pytest.mark.parametrize(
    ("layers", "train", "path"),
    [
        ([], {"optimizer": {"Adam": {"clipnorm": 1, "clipvalue": 0.5}}}, "optimizer.Adam.clipvalue"),
        ([], {"optimizer": {"SGD": {"global_clipnorm": 1, "clipnorm": 0.5}}}, "optimizer.SGD.global_clipnorm"),
        ([], {"optimizer": {"Adam": {"epsilon": 0}}}, "optimizer.Adam.epsilon"),
        ([], {"optimizer": {"Adam": {"name": "my optimizer"}}}, "optimizer.Adam.name"),
        ([], {"metrics": [{"Precision": {"class_id": 12}}]}, "metrics.0.Precision.class_id"),
        ([], {"metrics": ["accuracy", {"Recall": {"class_id": 10}}]}, "metrics.1.Recall.class_id"),
        ([], {"metrics": [{"AUC": {"multi_label": True, "num_labels": 3}}]}, "metrics.0.AUC.num_labels"),
        ([], {"metrics": [{"IoU": {"num_classes": 10, "target_class_ids": [10]}}]}, "IoU.target_class_ids"),
        ([], {"metrics": [{"CategoricalCrossentropy": {"axis": 5}}]}, "CategoricalCrossentropy.axis"),
        ([], {"loss": {"CategoricalCrossentropy": {"axis": -3}}}, "loss.CategoricalCrossentropy.axis"),
        ([], {"loss": {"Dice": {"axis": [-1, 1]}}}, "loss.Dice.axis"),
        ([], {"loss": {"CategoricalFocalCrossentropy": {"alpha": [1, 2]}}}, "CategoricalFocalCrossentropy.alpha"),
        ([], {"loss": {"CategoricalCrossentropy": {"name": "_x"}}}, "loss.CategoricalCrossentropy.name"),
        ([], {"loss": {"CategoricalCrossentropy": {"reduction": "none"}}}, "CategoricalCrossentropy.reduction"),
        ([], {"loss": {"CategoricalCrossentropy": {"reduction": None}}}, "CategoricalCrossentropy.reduction"),
        ([{"Rescaling": {"scale": 1e39}}], {}, "Rescaling.scale"),
        ([dense(bias_initializer={"Constant": {"value": -1e39}})], {}, "Constant.value"),
        (["BatchNormalization", {"LayerNormalization": {"epsilon": 0}}], {}, "LayerNormalization.epsilon"),
        ([{"BatchNormalization": {"epsilon": 0.0}}], {}, "BatchNormalization.epsilon"),
        ([dense(name="a/b")], {}, "Dense.name"),
        ([dense(name="größe")], {}, "Dense.name"),
        ([dense(name="two words")], {}, "Dense.name"),
        ([dense(dtype="half")], {}, "Dense.dtype"),
        ([dense(dtype="int32")], {}, "Dense.dtype"),
        ([dense(activity_regularizer="L2")], {"precision": "mixed_bfloat16"}, "Dense.activity_regularizer"),
        ([dense(activity_regularizer="L2", dtype="float16")], {}, "Dense.activity_regularizer"),
    ],
)
def test_arguments_that_cannot_work_are_told_at_their_place(
    layers: list[Any], train: dict[str, Any], path: str
) -> None:
    told = {".".join(map(str, problem.path)): problem for problem in problems(*layers, **train)}
    (found,) = [problem for key, problem in told.items() if key.endswith(path)]
    assert found.hint


@pytest.mark.parametrize(
    ("layers", "train"),
    [
        ([], {"optimizer": {"Adam": {"clipnorm": 1, "clipvalue": None, "name": "adam_1.x"}}}),
        ([], {"optimizer": {"Adagrad": {"epsilon": 0, "learning_rate": 0.01}}}),
        ([], {"loss": {"CategoricalCrossentropy": {"reduction": "sum"}}}),
        ([{"Rescaling": {"scale": 1e38}}], {}),
        ([], {"metrics": [{"AUC": {"multi_label": True, "num_labels": 10}}]}),
        ([], {"metrics": [{"AUC": {"num_labels": 3}}]}),
        ([], {"metrics": [{"IoU": {"num_classes": 10, "target_class_ids": [0, 9]}}]}),
        ([], {"loss": {"CategoricalFocalCrossentropy": {"alpha": [0.5] * 10}}}),
        ([dense(name="_hidden-1.a", dtype="float64")], {}),
        ([dense(activity_regularizer="L2", dtype="float32")], {"precision": "mixed_bfloat16"}),
        ([dense(kernel_regularizer="L2")], {"precision": "mixed_bfloat16"}),
    ],
)
def test_arguments_that_work_are_left_alone(layers: list[Any], train: dict[str, Any]) -> None:
    assert [problem.message for problem in problems(*layers, **train)] == []
