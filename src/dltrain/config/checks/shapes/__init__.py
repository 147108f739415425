"""What each layer makes of one sample, without Keras."""
