"""What Keras refuses is told at the argument of the config that caused it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
from tests.helpers import TINY

import dltrain
from dltrain.config import load
from dltrain.config.checks.shapes import RULES
from dltrain.engine.dry_run import dry_run
from dltrain.engine.inputs import load_data
from dltrain.engine.session import open_session
from dltrain.engine.training.job import prepare
from dltrain.errors import ConfigError, KeyPath, Problem

EINSUM = {"equation": "ab,bcd->acd", "output_shape": [2, 3]}
NORM = {"max_norm": {"axis": 5}}


def refusal(*first_layers: Any, **train: Any) -> Problem:
    """Return the one problem that the build finds and `check` does not."""
    plan = load(
        {
            "data": {"dataset": {"synthetic": {"samples": 40, "test_samples": 10, "features": 4, "classes": 3}}},
            "model": {"layers": [*first_layers, "Flatten", {"Dense": {"units": 3, "activation": "softmax"}}]},
            "train": {"optimizer": "Adam", "loss": "categorical_crossentropy", "epochs": 1, **train},
        }
    )
    with pytest.raises(ConfigError) as caught, open_session(plan.spec) as session:
        prepare(plan, load_data(plan.spec), session, lambda event: None)
    (problem,) = caught.value.problems
    assert problem.where is not None
    return problem


@pytest.fixture(autouse=True)
def _without_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` knows nothing of EinsumDense here, so that Keras refuses it."""
    monkeypatch.delitem(RULES, "EinsumDense")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"kernel_constraint": NORM}, ("kernel_constraint", "max_norm", "axis")),
        ({"kernel_constraint": NORM, "kernel_initializer": "zeros"}, ("kernel_constraint", "max_norm", "axis")),
        ({"kernel_regularizer": "OrthogonalRegularizer"}, ("kernel_regularizer",)),
        ({"kernel_initializer": "identity"}, ("kernel_initializer",)),
        ({"bias_axes": "d", "bias_initializer": "orthogonal"}, ("bias_initializer",)),
        ({"bias_axes": "x"}, ("bias_axes",)),
    ],
)
def test_blame_names_the_argument_of_a_layer(given: dict[str, Any], path: KeyPath) -> None:
    problem = refusal({"EinsumDense": EINSUM | given})
    assert problem.path == ("model", "layers", 0, "EinsumDense", *path)
    assert "of layer 1, `EinsumDense`" in problem.message


def test_blame_names_the_layer_where_several_arguments_are_at_fault_or_none_is() -> None:
    problem = refusal({"Dense": {"units": 4}}, {"EinsumDense": {"equation": "abc,cd->abd", "output_shape": 2}})
    assert problem.path[:3] == ("model", "layers", 1)


def test_blame_names_the_layer_whose_output_keras_did_not_foresee() -> None:
    problem = refusal({"EinsumDense": {"equation": "ab,bc->ac", "output_shape": [2, 1, 3]}})
    assert problem.path == ("model", "layers", 0)
    assert "gives samples of shape (2,); Keras foresees (2, 1, 3)" in problem.message


def test_blame_names_the_argument_of_a_layer_within_another() -> None:
    inner = {"EinsumDense": EINSUM | {"kernel_constraint": NORM}}
    problem = refusal({"Reshape": {"target_shape": [2, 2]}}, {"TimeDistributed": {"layer": inner}})
    wanted = ("layer", "EinsumDense", "kernel_constraint", "max_norm", "axis")
    assert problem.path == ("model", "layers", 1, "TimeDistributed", *wanted)


def test_blame_names_the_metric_and_its_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltrain.config.checks.sense.output.check_metrics", lambda *given: ())
    problem = refusal(metrics=["accuracy", {"MeanIoU": {"num_classes": 3, "axis": 1}}])
    assert problem.path == ("train", "metrics", 1, "MeanIoU", "axis")
    assert "the metric `MeanIoU`" in problem.message


def test_blame_names_the_layer_whose_output_is_not_finite(tmp_path: Path) -> None:
    config = tmp_path / "constant.yaml"
    config.write_text(TINY)
    zero = "{Dense: {units: 4, kernel_initializer: zeros}}"
    layers = f"[{zero}, {{BatchNormalization: {{epsilon: 0}}}}, {{Dense: {{units: 3, activation: softmax}}}}]"
    plan = load(config, [f"model.layers={layers}"])
    assert [problem.code for problem in plan.checked.warnings if problem.path[-1] == "epsilon"] == ["epsilon"]
    with pytest.raises(ConfigError) as caught:
        dry_run(plan)
    assert caught.value.problems[0].path == ("model", "layers", 1, "BatchNormalization", "epsilon")


def raise_error(*arguments: Any, **named: Any) -> None:
    raise ValueError("no such thing")


def test_blame_turns_an_error_of_keras_in_training_into_one_of_the_config(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.callbacks.ReduceLROnPlateau, "on_epoch_end", raise_error)
    with pytest.raises(ConfigError, match="1 problem") as caught:
        dltrain.fit(tiny, ["train.callbacks=[ReduceLROnPlateau: {monitor: loss}]"], runs_dir=tmp_path / "runs")
    assert caught.value.problems[0].message == "the model cannot be trained: no such thing"
    assert dltrain.load_run("latest", tmp_path / "runs").record().status == "failed"


def test_blame_leaves_errors_of_our_own_code_in_training_as_they_are(tiny: Path, tmp_path: Path) -> None:
    from dltrain.engine import EpochDone

    def listen(event: object) -> None:
        if isinstance(event, EpochDone):
            raise ValueError("a bug of the listener")

    with pytest.raises(ValueError, match="a bug of the listener"):
        dltrain.fit(tiny, runs_dir=tmp_path / "runs", on_event=listen)
