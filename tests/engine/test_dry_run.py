from __future__ import annotations

import math
from pathlib import Path

import pytest

from dltrain.config import load
from dltrain.engine.dry_run import DryRun, dry_run
from dltrain.errors import ConfigError


def run_dry(path: Path, *overrides: str) -> DryRun:
    return dry_run(load(path, overrides))


def test_dry_run_of_a_sound_model_has_no_warnings(tiny: Path) -> None:
    found = run_dry(tiny)
    assert [row.parameters for row in found.layers] == [40, 0, 27]
    assert [row.output for row in found.layers] == [(8,), (8,), (3,)]
    assert found.expected_loss == pytest.approx(math.log(3))
    assert found.start_loss == pytest.approx(math.log(3), rel=0.7)
    assert found.steps == 6
    assert found.epoch_seconds > 0
    assert found.peak_bytes > 10_000_000
    assert found.warnings == ()


def test_dry_run_start_loss_excludes_regularizers(tiny: Path) -> None:
    plain = run_dry(tiny)
    penalised = run_dry(tiny, "model.layers.0.Dense.kernel_regularizer={L2: {l2: 10}}")
    assert penalised.start_loss == pytest.approx(plain.start_loss, rel=1e-3)


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        (["model.layers.0.Dense.kernel_initializer={RandomNormal: {stddev: 100}}"], "start-loss"),
        (
            ["model.layers.0.Dense.kernel_initializer=zeros", "model.layers.2.Dense.kernel_initializer=zeros"],
            "gradient",
        ),
    ],
)
def test_dry_run_warns_about_a_bad_start(tiny: Path, overrides: list[str], code: str) -> None:
    warnings = run_dry(tiny, *overrides).warnings
    assert code in {problem.code for problem in warnings}
    assert all(problem.severity == "warning" and problem.where is not None for problem in warnings)


IMAGES = """\
data: {dataset: {synthetic: {shape: [28, 28, 1], classes: 10, samples: 300}}}
model:
  layers:
    - Conv2D: {filters: 64, kernel_size: 2, padding: same, activation: relu, kernel_initializer: INITIALIZER}
    - MaxPooling2D
    - Conv2D: {filters: 32, kernel_size: 2, padding: same, activation: relu, kernel_initializer: INITIALIZER}
    - MaxPooling2D
    - Flatten
    - Dense: {units: 256, activation: relu, kernel_initializer: INITIALIZER}
    - Dense: {units: 10, activation: softmax}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}
"""


@pytest.mark.parametrize(
    ("initializer", "codes"),
    [("HeNormal", []), ("GlorotUniform", []), ("{RandomNormal: {stddev: 1}}", ["start-loss"])],
)
def test_dry_run_start_on_inputs_of_unit_variance(tmp_path: Path, initializer: str, codes: list[str]) -> None:
    path = tmp_path / "images.yaml"
    path.write_text(IMAGES.replace("INITIALIZER", initializer))
    assert [problem.code for problem in run_dry(path).warnings] == codes


def test_dry_run_rejects_a_non_finite_loss(tiny: Path) -> None:
    overrides = [
        "model.layers.0.Dense.kernel_initializer={Constant: {value: 1e38}}",
        "model.layers.0.Dense.activation=exponential",
    ]
    with pytest.raises(ConfigError) as caught:
        run_dry(tiny, *overrides)
    assert "first batch" in caught.value.problems[0].message


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_dry_run_works_in_every_precision(tiny: Path, precision: str) -> None:
    assert math.isfinite(run_dry(tiny, f"train.precision={precision}").start_loss)
