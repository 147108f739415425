from __future__ import annotations

import gzip
import hashlib
import io
import struct
import zipfile
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests import helpers

from dltrain.data.sources import mnist


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return helpers.script("pack_mnist")


def unpack(folder: Path, script: ModuleType) -> None:
    """Write the packaged MNIST as its four original gzipped IDX files."""
    with np.load(mnist.PATH, allow_pickle=False) as arrays:
        for key, (name, shape, _) in script.PARTS.items():
            header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
            (folder / f"{name}.gz").write_bytes(gzip.compress(header + arrays[key].tobytes(), 1))


def test_pack_mnist_writes_where_the_package_reads(script: ModuleType) -> None:
    assert script.OUTPUT.resolve() == mnist.PATH.resolve()


def test_pack_mnist_bytes_do_not_depend_on_time(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"x_train": np.arange(100, dtype=np.uint8).reshape(10, 10), "y_train": np.zeros(10, np.uint8)}
    first = script.pack(arrays)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert script.pack(arrays) == first


def test_pack_mnist_reads_the_originals_with_any_compression(script: ModuleType, tmp_path: Path) -> None:
    unpack(tmp_path, script)
    arrays = script.read(tmp_path)
    with np.load(mnist.PATH, allow_pickle=False) as packed:
        assert list(arrays) == list(packed)
        assert all(np.array_equal(arrays[key], packed[key]) for key in packed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b"not gzip", "cannot read"),
        (gzip.compress(b"x" * 100)[:-9], "cannot read"),
        (gzip.compress(b"other"), "is not that of the original train-images-idx3-ubyte"),
    ],
    ids=["missing", "not gzip", "truncated", "other content"],
)
def test_pack_mnist_rejects_files_that_are_not_the_originals(
    script: ModuleType, tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(SystemExit, match=message):
        script.read(tmp_path)


def described(members: zipfile.ZipFile) -> list[tuple[object, ...]]:
    """Return what a zip file says of each member, its compressed bytes aside."""
    return [(m.filename, m.date_time, m.CRC, m.file_size, m.compress_type, m.external_attr) for m in members.infolist()]


@pytest.mark.slow
def test_pack_mnist_reproduces_the_committed_file(script: ModuleType, tmp_path: Path) -> None:
    """The same members with any zlib, and the same bytes unless zlib is zlib-ng, which compresses differently."""
    unpack(tmp_path, script)
    packed = script.pack(script.read(tmp_path))
    with zipfile.ZipFile(io.BytesIO(packed)) as made, zipfile.ZipFile(mnist.PATH) as committed:
        assert made.testzip() is None
        assert described(made) == described(committed)
    assert hashlib.sha256(packed).hexdigest() == mnist.SHA256 or "ng" in zlib.ZLIB_RUNTIME_VERSION
