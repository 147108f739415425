"""NumPy's files: their headers, which array is what, and what its shape says; all without NumPy."""
