"""The name of a data set and how to split it -> arrays for training, validation and test.

`sources` says what data sets there are and imports no NumPy, so a config is checked without it; the other modules do.
"""
