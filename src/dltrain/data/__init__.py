"""The name of a data set and how to split it -> arrays for training, validation and test.

`sources` lists the data sets without importing NumPy, so `check` runs without it; the other modules import it.
"""
