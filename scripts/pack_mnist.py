"""Pack the four original MNIST files into the one file that dltrain ships.

    python scripts/pack_mnist.py SOURCE_DIR

SOURCE_DIR holds the gzipped IDX files under their original names. Their contents must match the SHA-256 below; the
compression does not matter. The same zlib always writes the same bytes. Another one, such as zlib-ng, writes other
bytes for the same arrays; then SHA256 in src/dltrain/data/sources/mnist.py must change too.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import sys
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).parents[1] / "src" / "dltrain" / "data" / "mnist.npz"

# array: original file, shape, SHA-256 of the unpacked file
PARTS: dict[str, tuple[str, tuple[int, ...], str]] = {
    "x_train": (
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "y_train": (
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "x_test": (
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "y_test": (
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


def read(source: Path) -> dict[str, np.ndarray]:
    """Unpack and check the four files in `source`; exit with a message if one is not the original."""
    arrays = {}
    for key, (name, shape, sha256) in PARTS.items():
        path = source / f"{name}.gz"
        try:
            idx = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            sys.exit(f"cannot read {path}: {error}")
        if hashlib.sha256(idx).hexdigest() != sha256:
            sys.exit(f"{path}: unpacked, its SHA-256 is not that of the original {name}")
        header = 4 + 4 * len(shape)  # bytes: a magic number, then the size of every axis
        arrays[key] = np.frombuffer(idx, np.uint8, offset=header).reshape(shape)
    return arrays


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Make an .npz archive whose bytes depend only on the arrays and zlib, not on time or platform."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for key, array in arrays.items():
            member = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # Unix; the default follows the machine
            npy = BytesIO()
            np.lib.format.write_array(npy, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, npy.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return packed.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack the original MNIST into the file that dltrain ships.")
    parser.add_argument("source", type=Path, help="directory of the four gzipped IDX files")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="default: %(default)s")
    options = parser.parse_args()
    packed = pack(read(options.source))
    options.output.write_bytes(packed)
    print(f"{hashlib.sha256(packed).hexdigest()}  {options.output}  ({len(packed):,} bytes)")


if __name__ == "__main__":
    main()
