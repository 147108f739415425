"""What a layer makes of one sample: shape, weights and operations, worked out without Keras."""

from dltrain.config.checks.shapes.inference import infer, rules
from dltrain.config.checks.shapes.terms import Inferred, Shape, ShapeError

__all__ = ["Inferred", "Shape", "ShapeError", "infer", "rules"]
