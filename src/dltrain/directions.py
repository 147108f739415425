"""Which way a metric is better. All that know it ask here: the checks, training, and the list of runs."""

from __future__ import annotations

# Keras's losses and error metrics; a name counts by its end, so `val_` or a class in front does not matter.
_LOWER = (
    "loss",
    "error",
    "crossentropy",
    "divergence",
    "hinge",
    "poisson",
    "huber",
    "cosh",
    "perplexity",
    "mae",
    "mse",
    "mape",
    "msle",
    "rmse",
    "false_positives",
    "false_negatives",
)


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value wins: names ending as losses and errors do; accuracy, AUC and the rest grow."""
    return metric.lower().endswith(_LOWER)
