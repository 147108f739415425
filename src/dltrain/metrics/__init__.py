"""Figures of predictions beside the truth, with confidence intervals: NumPy alone, no model."""
