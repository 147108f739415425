"""YAML text -> a checked `Spec`. PyYAML and pydantic; no NumPy, no Keras."""

from dltrain.spec.load import Plan, load
from dltrain.spec.schema import KerasObject, Spec, parse_bound

__all__ = ["KerasObject", "Plan", "Spec", "load", "parse_bound"]
