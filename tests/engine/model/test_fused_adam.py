"""Adam as one operation per variable: chosen automatically, same results, and no trace in the saved model."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.helpers import prepared

import dltrain as package
from dltrain.engine.backends import tensorflow


def optimizers() -> list[Any]:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
    return [
        ("dense", {"learning_rate": schedule}),
        ("dense", {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
        ("dense", {"use_ema": True, "ema_overwrite_frequency": 2}),
        ("dense", {"gradient_accumulation_steps": 2}),
        ("embedding", {"clipnorm": 1}),
        pytest.param("dense", {}, marks=pytest.mark.slow),
        pytest.param("dense", {"weight_decay": 0.1}, marks=pytest.mark.slow),
        pytest.param("dense", {"clipnorm": 0.01}, marks=pytest.mark.slow),
        pytest.param("embedding", {}, marks=pytest.mark.slow),
    ]


@pytest.mark.parametrize(("layer", "arguments"), optimizers())
def test_fused_adam_matches_weights_and_state_of_keras(layer: str, arguments: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, (40, 4)), rng.normal(size=(40, 3)).astype(np.float32)
    found = []
    for fast in (False, True):
        keras.utils.set_random_seed(1)
        first = [keras.layers.Embedding(9, 2), keras.layers.Flatten()] if layer == "embedding" else []
        model = keras.Sequential([keras.Input((4,)), *first, keras.layers.Dense(3)])
        model.compile(keras.optimizers.Adam(**arguments), "mean_squared_error", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        if fast:
            assert tensorflow.fuse(model)
        model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
        found.append([keras.ops.convert_to_numpy(v) for v in (*model.weights, *model.optimizer.variables)])
    for plain, fused in zip(*found, strict=True):
        assert np.allclose(plain, fused, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("overrides", "how"),
    [
        (["train.optimizer=Adam"], "fused"),
        (["train.optimizer={Adam: {weight_decay: 0.01}}", "train.precision=mixed_bfloat16"], "fused"),
        (["train.optimizer=Adam", "runtime.optimizer=keras"], "keras"),
        (["train.optimizer={Adam: {amsgrad: true}}"], "keras"),
        (["train.optimizer=AdamW"], "keras"),
        (["train.optimizer=Adam", "model.layers.0.Dense.dtype=float64"], "keras"),
        (["train.optimizer=Adam", "model.layers.0.Dense.dtype=bfloat16"], "keras"),
        (["train.optimizer=Adam", "model.layers.0.Dense.dtype=mixed_bfloat16"], "fused"),
        (["train.optimizer=Adam", "train.precision=mixed_float16"], "keras"),
    ],
)
def test_fused_adam_is_chosen_and_recorded(overrides: list[str], how: str, tiny: Path, tmp_path: Path) -> None:
    assert prepared(tiny, tmp_path, *overrides).record().runtime.optimizer == how


@pytest.mark.parametrize("arguments", ["{}", "{weight_decay: 0.01}"])
def test_fused_adam_is_saved_as_keras_adam(arguments: str, tiny: Path, tmp_path: Path) -> None:
    run = package.fit(tiny, [f"train.optimizer={{Adam: {arguments}}}", "train.epochs=1"], runs_dir=tmp_path)
    assert run.record().runtime.optimizer == "fused"
    with zipfile.ZipFile(run.path / "model.keras") as file:
        assert "Fused" not in file.read("config.json").decode()
    saved = keras.models.load_model(run.path / "model.keras").optimizer
    assert type(saved).__module__.startswith("keras.")
