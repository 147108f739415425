"""YAML text -> a checked `Spec`. PyYAML and pydantic; no NumPy, no Keras."""

from dltrain.config.changes import Change, changes
from dltrain.config.document.reader import MAX_BYTES
from dltrain.config.plan import Plan, load
from dltrain.config.schema import MOST_SHARDS, KerasObject, Spec, TrainSpec, parse_bound

__all__ = [
    "MAX_BYTES",
    "MOST_SHARDS",
    "Change",
    "KerasObject",
    "Plan",
    "Spec",
    "TrainSpec",
    "changes",
    "load",
    "parse_bound",
]
