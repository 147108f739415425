"""The direction of a metric, for the checks, training and the list of runs."""

from __future__ import annotations

# Keras's losses and error metrics. Only the end of a name is compared, so a prefix such as `val_` does not matter.
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
    """Return whether a smaller value is better: true for names that end like a loss or an error."""
    return metric.lower().endswith(_LOWER)
