"""A compiled model and data -> a trained run."""
