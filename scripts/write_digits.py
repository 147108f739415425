"""Write scikit-learn's digits as PNG files, for the configs that train on images in files.

    python scripts/write_digits.py

configs/data/digits/ has a folder for each split and class, and a table of files and labels for each split.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from dltrain.data.sources import digits

FOLDER = Path(__file__).parent.parent / "configs" / "data" / "digits"


def write(folder: Path = FOLDER) -> Path:
    """Write the images, whole or not at all, unless they are there."""
    if folder.exists():
        return folder
    raw = digits.read({})
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tmp-digits-") as temporary:
        made = Path(temporary) / "digits"
        for name, split in (("train", raw.train), ("test", raw.test)):
            rows = []
            for number, (image, label) in enumerate(zip(split.x, split.y, strict=True)):
                file = Path(name) / str(label) / f"{number}.png"
                (made / file).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray((image[..., 0] * (255 / 16)).round().astype(np.uint8)).save(made / file)
                rows.append([file, label])
            with (made / f"{name}.csv").open("w", newline="", encoding="utf-8") as table:
                csv.writer(table).writerows([["filename", "digit"], *rows])
        if not folder.exists():
            made.rename(folder)
    return folder


if __name__ == "__main__":
    print(write())
