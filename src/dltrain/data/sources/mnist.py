"""MNIST, complete and inside the package: 60,000 training and 10,000 test images of handwritten digits.

Authors and licence are in MNIST-LICENCE.md of the package `dltrain.data`; scripts/pack_mnist.py makes mnist.npz.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset

PATH = Path(__file__).parents[1] / "mnist.npz"
SHA256 = "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146"  # of mnist.npz

_FACTS = Facts("mnist", "classification", (28, 28, 1), tuple("0123456789"), (), 60_000, 10_000, unit_range=True)
_MEND = "reinstall dltrain from its sources: pip install --force-reinstall --no-deps ."


def read(arguments: Arguments, task: Task | None = None) -> RawDataset:
    """Read the bundled file: images uint8 (28, 28, 1), 0 to 255, white ink on black.

    The SHA-256 of the whole file is checked before anything in it is parsed, so a single flipped bit is reported
    here. Raises DataError if the file is missing, unreadable or not the shipped one.
    """
    import numpy as np

    from dltrain.data.arrays import RawDataset, Split

    try:
        packed = PATH.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"cannot read the bundled MNIST, {PATH}: {reason}", _MEND) from error
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise DataError(f"the bundled MNIST is damaged: the SHA-256 of {PATH} is not the shipped file's", _MEND)
    with np.load(BytesIO(packed), allow_pickle=False) as arrays:
        train, test = (
            Split(arrays[f"x_{part}"][..., None], arrays[f"y_{part}"].astype(np.int64)) for part in ("train", "test")
        )
    return RawDataset(_FACTS, 1 / 255, train, test)


SOURCE = Source(
    "mnist",
    "Handwritten digits: 60,000 images to train on and 10,000 to test on, 28 x 28 pixels, 10 classes. It is "
    "inside the package. Images arrive as (28, 28, 1), from 0 to 1.",
    arguments={},
    facts=lambda arguments, task: _FACTS,
    read=read,
)
