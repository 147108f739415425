"""The direction of a metric, for the checks, training and the list of runs."""

from __future__ import annotations

from typing import Literal

Direction = Literal["min", "max"]

# The loss, and Keras's metrics by their default names; `rmse` is what most people call that one.
_LOWER = (
    "loss",
    "binary_crossentropy bce categorical_crossentropy sparse_categorical_crossentropy",
    "categorical_hinge hinge squared_hinge kl_divergence poisson log_cosh_error logcosh",
    "mean_absolute_error mae mean_absolute_percentage_error mape mean_squared_error mse",
    "mean_squared_logarithmic_error msle root_mean_squared_error rmse",
    "false_negatives false_positives",
)
_HIGHER = (
    "accuracy acc binary_accuracy categorical_accuracy sparse_categorical_accuracy",
    "top_k_categorical_accuracy sparse_top_k_categorical_accuracy",
    "auc f1_score f_beta_score fbeta_score precision recall true_negatives true_positives",
    "precision_at_recall recall_at_precision sensitivity_at_specificity specificity_at_sensitivity",
    "binary_io_u io_u mean_io_u one_hot_io_u one_hot_mean_io_u",
    "concordance_correlation cosine_similarity pearson_correlation r2_score",
)
_WORDS: dict[str, Direction] = {
    **{word: "min" for row in _LOWER for word in row.split()},
    **{word: "max" for row in _HIGHER for word in row.split()},
}


def direction_of(name: str) -> Direction | None:
    """Return which values of the loss or a metric are better, by Keras's own name for it; None for other names."""
    return _WORDS.get(name.lower())


def bare(column: str) -> str:
    """Return the metric's name in a column of a run: without `val_` or `test_`."""
    return column.removeprefix("val_").removeprefix("test_")
