"""Fashion-MNIST: 60,000 training and 10,000 test images of clothes.

Source: H. Xiao, K. Rasul and R. Vollgraf, Zalando SE, https://github.com/zalandoresearch/fashion-mnist, MIT licence.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dltrain.data.downloads.remote import Remote
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from dltrain.data.arrays import RawDataset

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_INSTALLED = "/usr/share/datasets/fashion-mnist/"  # by Debian's package dataset-fashion-mnist, compressed anew
FILES = tuple(
    Remote(f"fashion-mnist/{name}", _URL + name, None, installed=_INSTALLED + name)
    for name in (
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    )
)
_NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_FACTS = Facts("fashion_mnist", "classification", (28, 28, 1), _NAMES, (), 60_000, 10_000, unit_range=True)
_LARGEST = 2**26  # bytes of one file, unpacked
_REMOVE = "remove it, and the note of its SHA-256 beside it, from the cache"


def read(arguments: Arguments, task: Task | None = None, files: Sequence[Remote] = FILES) -> RawDataset:
    """Read the images, uint8 (28, 28, 1), 0 to 255, light on black. Raises DataError if the files cannot be had."""
    import numpy as np

    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.downloads.fetching import fetch

    fetched = fetch("fashion_mnist", files)
    arrays = [
        _idx(content, remote.path, axes)
        for content, remote, axes in zip(fetched.contents, files, (3, 1, 3, 1), strict=True)
    ]
    splits = []
    for place in (0, 2):
        x, y = arrays[place], arrays[place + 1]
        if x.shape != (len(y), 28, 28) or not len(y) or y.max() >= len(_NAMES):
            raise DataError(f"{files[place].path} and its labels are not Fashion-MNIST's", _REMOVE)
        splits.append(Split(x[..., None], y.astype(np.int64)))
    train, test = splits
    known = replace(_FACTS, train=len(train), test=len(test))
    return RawDataset(known, 1 / 255, train, test, notes=fetched.notes)


def _idx(content: bytes, file: str, axes: int) -> np.ndarray:
    """Return the bytes of a compressed IDX file as an array. Source: http://yann.lecun.com/exdb/mnist/."""
    import numpy as np

    from dltrain.data.downloads.archives import unzipped

    values = unzipped(content, file, _LARGEST)
    begin = 4 + 4 * axes
    sizes = struct.unpack(f">{axes}I", values[4:begin]) if len(values) >= begin else ()
    if values[:4] != bytes([0, 0, 8, axes]) or len(values) != begin + math.prod(sizes):
        raise DataError(f"{file} is no IDX file of {axes} ax{'i' if axes == 1 else 'e'}s", _REMOVE)
    return np.frombuffer(values, np.uint8, offset=begin).reshape(sizes)


SOURCE = Source(
    "fashion_mnist",
    "Images of clothes: 60,000 to train on and 10,000 to test on, 28 x 28 pixels, 10 classes. It is downloaded once, "
    "29 MiB. Images arrive as (28, 28, 1), from 0 to 1.",
    arguments={},
    facts=lambda arguments, task: _FACTS,
    read=read,
)
