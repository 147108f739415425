"""The words of tables."""

from __future__ import annotations

import pytest

from dltrain.cli.tables import why_stopped
from dltrain.runs import EarlyStop


@pytest.mark.parametrize(
    ("best", "min_delta", "baseline", "told"),
    [
        (1.2344, None, None, "val_loss was best in epoch 9, 1.2344"),
        (None, None, None, "val_loss was best in epoch 9"),
        (1.2344, 0.05, None, "no improvement of val_loss by min_delta 0.05 since epoch 9 (1.2344)"),
        (1.2344, None, 0.01, "val_loss did not reach the baseline 0.01 (1.2344 in epoch 9)"),
        (1.2344, 0.05, 0.01, "val_loss did not reach the baseline 0.01 by min_delta 0.05 (1.2344 in epoch 9)"),
    ],
)
def test_tables_say_why_early_stopping_ended_a_run(
    best: float | None, min_delta: float | None, baseline: float | None, told: str
) -> None:
    stop = EarlyStop(epoch=11, monitor="val_loss", best_epoch=9, best=best, min_delta=min_delta, baseline=baseline)
    assert why_stopped(stop) == told
