"""What each sample counts in the loss of the training, whatever the shape of its target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dltrain

N = 24
RNG = np.random.default_rng(0)
STEPS = RNG.normal(size=(N, 6, 3)).astype(np.float32)
WEIGHTS = np.where(np.arange(N) % 3, 1.5, 0.0)
LSTM = {"LSTM": {"units": 3, "return_sequences": True}}
CASES: dict[str, tuple[np.ndarray, np.ndarray, list[Any], str]] = {
    "classification": (
        STEPS,
        np.arange(N) // 3 % 2,
        ["Flatten", {"Dense": {"units": 2, "activation": "softmax"}}],
        "sparse_categorical_crossentropy",
    ),
    "regression": (STEPS, STEPS.sum((1, 2)), ["Flatten", {"Dense": {"units": 1}}], "mse"),
    "multi_label": (
        STEPS,
        STEPS.mean(1) > 0,
        ["Flatten", {"Dense": {"units": 3, "activation": "sigmoid"}}],
        "binary_crossentropy",
    ),
    "sequence": (
        STEPS,
        (STEPS.sum(-1) > 0).astype(int),
        [LSTM, {"Dense": {"units": 2, "activation": "softmax"}}],
        "sparse_categorical_crossentropy",
    ),
    "sequence of flags": (
        STEPS,
        (STEPS.sum(-1) > 0).astype(int),
        [LSTM, {"Dense": {"units": 1, "activation": "sigmoid"}}],
        "binary_crossentropy",
    ),
    "sequence of numbers": (STEPS, STEPS.cumsum(1).sum(-1), [LSTM, {"Dense": {"units": 1}}], "mse"),
    "reconstruction": (STEPS[..., None], STEPS, [{"Dense": {"units": 1}}], "mse"),
    "array": (
        STEPS,
        STEPS[..., None] * STEPS[:, :, None],
        [{"Reshape": {"target_shape": [6, 3, 1]}}, {"Dense": {"units": 3}}],
        "mse",
    ),
}


def losses(folder: Path, case: str, weight: str | None, *, nonsense: bool) -> list[float]:
    """Return the training loss of two epochs, in batches of as many samples as a sample has steps."""
    x, y, layers, loss = CASES[case]
    x, y = x.copy(), y.copy()
    of_training = x if case == "reconstruction" else y
    if nonsense:
        of_training[WEIGHTS == 0] = of_training[WEIGHTS == 0][::-1] == 0
    np.savez(folder / "d.npz", x_train=x, y_train=y, w=WEIGHTS, x_test=STEPS[:4].reshape(4, *x.shape[1:]), y_test=y[:4])
    config = {
        "data": {
            "dataset": {"arrays": {"path": folder / "d.npz", "sample_weight": weight}},
            "task": case.split()[0],
            "validation": 0,
        },
        "model": {"layers": layers},
        "train": {"optimizer": {"SGD": {"learning_rate": 0.1}}, "loss": loss, "epochs": 2, "batch_size": 6},
    }
    return [float(row["loss"] or 0) for row in dltrain.fit(config, runs_dir=folder / "runs").metrics()]


@pytest.mark.parametrize("case", CASES)
def test_sample_weight_of_zero_leaves_a_sample_out_of_the_loss(tmp_path: Path, case: str) -> None:
    plain, others = (losses(tmp_path, case, "w", nonsense=nonsense) for nonsense in (False, True))
    assert plain == others
    assert plain != losses(tmp_path, case, None, nonsense=False)
