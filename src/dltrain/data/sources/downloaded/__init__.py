"""The data sets that Keras downloads, with the arguments of its `load_data` and the same arrays.

URLs and SHA-256 are those of `keras.datasets`; tests compare them with the installed Keras.
"""

from __future__ import annotations

from dltrain.data.sources.downloaded import cifar, fashion_mnist, housing, word_indices
from dltrain.data.sources.source import Source

SOURCES: tuple[Source, ...] = (
    fashion_mnist.SOURCE,
    cifar.CIFAR10,
    cifar.CIFAR100,
    word_indices.IMDB,
    word_indices.REUTERS,
    housing.CALIFORNIA,
    housing.BOSTON,
)
