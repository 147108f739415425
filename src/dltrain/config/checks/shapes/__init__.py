"""Output shape, weights and MACs of a layer for one sample, inferred without Keras."""

from dltrain.config.checks.shapes.inference import RULES, infer
from dltrain.config.checks.shapes.terms import Inferred, Shape, ShapeError

__all__ = ["RULES", "Inferred", "Shape", "ShapeError", "infer"]
