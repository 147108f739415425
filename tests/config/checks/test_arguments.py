"""Arguments that exclude each other, count beyond what there is, or that no name scope takes."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config import load
from dltrain.errors import ConfigError, Problem

INDEX = "sparse_categorical_crossentropy"
IMAGE = {"Reshape": {"target_shape": [3, 2, 1]}}
STEPS = {"Reshape": {"target_shape": [3, 2]}}
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


@pytest.fixture(autouse=True)
def _without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltrain.config.checks.sense.arguments.has_gpu", lambda: False)


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
        ([], {"metrics": [{"OneHotIoU": {"num_classes": 10, "target_class_ids": []}}]}, "OneHotIoU.target_class_ids"),
        ([], {"metrics": [{"OneHotMeanIoU": {"num_classes": 10, "sparse_y_pred": True}}]}, "sparse_y_pred"),
        ([], {"metrics": [{"OneHotMeanIoU": {"num_classes": 9}}]}, "OneHotMeanIoU.num_classes"),
        ([], {"metrics": [{"OneHotMeanIoU": {"num_classes": 10, "axis": -2}}]}, "OneHotMeanIoU.axis"),
        ([], {"metrics": [{"MeanIoU": {"num_classes": 10, "sparse_y_pred": False}}]}, "sparse_y_true"),
        ([], {"loss": INDEX, "metrics": [{"MeanIoU": {"num_classes": 10}}]}, "sparse_y_pred"),
        ([], {"loss": INDEX, "metrics": [{"MeanIoU": {"num_classes": 10, "sparse_y_true": False}}]}, "sparse_y_true"),
        ([], {"metrics": [{"AUC": {"num_labels": 3}}]}, "AUC.num_labels"),
        ([], {"metrics": [{"AUC": {"label_weights": [1, 2]}}]}, "AUC.label_weights"),
        ([], {"metrics": [{"AUC": {"multi_label": True, "label_weights": [0] * 10}}]}, "AUC.label_weights"),
        ([dense(activation="glu")], {}, "Dense.activation"),
        ([STEPS, {"LSTM": {"units": 2, "dtype": "bfloat16"}}], {}, "LSTM.dtype"),
        ([dense(lora_rank=2, kernel_constraint="NonNeg")], {}, "Dense.kernel_constraint"),
        ([IMAGE, {"AugMix": {"value_range": [-1, -1]}}, "Flatten"], {}, "AugMix.value_range"),
        ([IMAGE, {"RandomBrightness": {"factor": 0.1, "value_range": [1, 0]}}, "Flatten"], {}, "value_range"),
        ([{"Activation": {"activation": "glu"}}], {}, "Activation.activation"),
        ([STEPS, {"LSTM": {"units": 2, "recurrent_activation": "glu"}}], {}, "LSTM.recurrent_activation"),
        ([STEPS, {"TimeDistributed": {"layer": dense(activation="glu")}}], {}, "layer.Dense.activation"),
        ([STEPS, {"LSTM": {"units": 2, "use_cudnn": True}}], {}, "LSTM.use_cudnn"),
        ([STEPS, {"Bidirectional": {"layer": {"GRU": {"units": 2, "use_cudnn": True}}}}], {}, "GRU.use_cudnn"),
        ([], {"metrics": [{"CategoricalCrossentropy": {"axis": 5}}]}, "CategoricalCrossentropy.axis"),
        ([], {"metrics": [{"CategoricalCrossentropy": {"axis": 0}}]}, "CategoricalCrossentropy.axis"),
        ([], {"loss": INDEX, "metrics": [{"SparseCategoricalCrossentropy": {"axis": -2}}]}, "Crossentropy.axis"),
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
        ([], {"metrics": [{"AUC": {"label_weights": [1, *[0] * 9]}}]}),
        ([], {"metrics": [{"OneHotIoU": {"num_classes": 10, "target_class_ids": [0, 9]}}]}),
        ([], {"loss": INDEX, "metrics": [{"MeanIoU": {"num_classes": 10, "sparse_y_pred": False, "axis": 1}}]}),
        ([{"Activation": {"activation": "silu"}}], {}),
        ([STEPS, {"LSTM": {"units": 2, "dtype": "mixed_bfloat16"}}], {}),
        ([dense(dtype="bfloat16")], {}),
        ([dense(lora_rank=2, bias_constraint="NonNeg")], {}),
        ([dense(kernel_constraint="NonNeg")], {}),
        ([IMAGE, {"RandAugment": {"value_range": [-1, 1]}}, "Flatten"], {}),
        ([STEPS, {"LSTM": {"units": 3, "use_cudnn": "auto", "activation": "relu"}}], {}),
        ([], {"loss": {"CategoricalFocalCrossentropy": {"alpha": [0.5] * 10}}}),
        ([dense(name="_hidden-1.a", dtype="float64")], {}),
        ([dense(activity_regularizer="L2", dtype="float32")], {"precision": "mixed_bfloat16"}),
        ([dense(kernel_regularizer="L2")], {"precision": "mixed_bfloat16"}),
    ],
)
def test_arguments_that_work_are_left_alone(layers: list[Any], train: dict[str, Any]) -> None:
    assert [problem.message for problem in problems(*layers, **train)] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, ""),
        ({"recurrent_dropout": 0, "activation": "tanh"}, ""),
        ({"activation": "relu"}, "activation: tanh"),
        ({"recurrent_dropout": 0.1}, "recurrent_dropout: 0"),
        ({"use_bias": False}, "use_bias: true"),
    ],
)
def test_arguments_of_cudnn_are_those_that_it_computes(
    arguments: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltrain.config.checks.sense.arguments.has_gpu", lambda: True)
    found = problems(STEPS, {"LSTM": {"units": 2, "use_cudnn": True, **arguments}})
    assert [told in problem.message and problem.code for problem in found] == (["cudnn"] if told else [])


@pytest.mark.parametrize(
    ("count", "validation", "told"), [(2, 0.1, False), (3, 0.1, True), (8, 0, False), (9, 0, True), (0, 0.1, False)]
)
def test_arguments_of_r2_leave_samples_for_the_regressors(count: int, validation: float, told: bool) -> None:
    config = {
        "data": {
            "dataset": {"synthetic": {"samples": 50, "test_samples": 10, "shape": [6], "task": "regression"}},
            "validation": validation,
            "limit": {"train": 40},
        },
        "model": {"layers": [{"Dense": {"units": 1}}]},
        "train": {"optimizer": "Adam", "loss": "mse", "epochs": 1, "metrics": [{"R2Score": {"num_regressors": count}}]},
    }
    found = [problem.path[-1] for problem in load(config).checked.warnings]
    assert found == (["num_regressors"] if told else [])
