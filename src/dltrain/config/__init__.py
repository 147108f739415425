"""YAML text -> a checked `Spec`. PyYAML and pydantic; no NumPy, no Keras."""

from dltrain.config.plan import Plan, load
from dltrain.config.schema import KerasObject, Spec, TrainSpec, parse_bound

__all__ = ["KerasObject", "Plan", "Spec", "TrainSpec", "load", "parse_bound"]
