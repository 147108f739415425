"""A plan -> a compiled Keras model."""
