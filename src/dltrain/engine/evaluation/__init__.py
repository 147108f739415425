"""Evaluation of a run's model on a split: metrics, a sheet with intervals, and tables of every sample."""

from dltrain.engine.evaluation.evaluate import Evaluation, evaluate, evaluate_model, failed_bounds

__all__ = ["Evaluation", "evaluate", "evaluate_model", "failed_bounds"]
