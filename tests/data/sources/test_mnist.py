from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dltrain.data.arrays import RawDataset
from dltrain.data.sources import mnist
from dltrain.errors import DataError

# SHA-256 of the four original files, unpacked.
ORIGINALS = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture(scope="module")
def source() -> RawDataset:
    return mnist.read({})


def idx(array: np.ndarray) -> bytes:
    """The IDX file of a uint8 array: 0, 0, 8 for uint8, the number of axes, their sizes, the bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_mnist_file_contains_the_originals_bit_for_bit() -> None:
    with np.load(mnist.PATH, allow_pickle=False) as arrays:
        assert {key: arrays[key].dtype.str for key in arrays} == dict.fromkeys(ORIGINALS, "|u1")
        assert {key: hashlib.sha256(idx(arrays[key])).hexdigest() for key in arrays} == ORIGINALS


def test_mnist_load_returns_the_originals_bit_for_bit(source: RawDataset) -> None:
    arrays = {
        "x_train": source.train.x[..., 0],
        "y_train": source.train.y.astype(np.uint8),
        "x_test": source.test.x[..., 0],
        "y_test": source.test.y.astype(np.uint8),
    }
    assert {key: hashlib.sha256(idx(array)).hexdigest() for key, array in arrays.items()} == ORIGINALS


def test_mnist_load_describes_the_arrays(source: RawDataset) -> None:
    assert source.train.x.shape == (60_000, *source.facts.shape) == (60_000, 28, 28, 1)
    assert source.test.x.shape == (10_000, *source.facts.shape)
    assert source.train.x.dtype == source.test.x.dtype == np.uint8
    assert source.train.y.dtype == source.test.y.dtype == np.int64
    assert (source.facts.name, source.facts.task, source.facts.classes) == ("mnist", "classification", 10)
    assert source.facts.class_names == tuple("0123456789")
    assert source.train.x.max() * source.scale == 1


def test_mnist_licence_names_authors_licence_and_hashes() -> None:
    page = mnist.PATH.with_name("MNIST-LICENCE.md").read_text(encoding="utf-8")
    for words in (
        "Yann LeCun",
        "Corinna Cortes",
        "Christopher J.C. Burges",
        "CC BY-SA 3.0",
        *ORIGINALS.values(),
    ):
        assert words in page


def flip_first(packed: bytearray) -> None:
    packed[0] ^= 1


def flip_middle(packed: bytearray) -> None:
    packed[len(packed) // 2] ^= 1


def flip_last(packed: bytearray) -> None:
    packed[-1] ^= 1


def truncate(packed: bytearray) -> None:
    del packed[len(packed) // 2 :]


def empty(packed: bytearray) -> None:
    packed.clear()


def append(packed: bytearray) -> None:
    packed.append(0)


@pytest.mark.parametrize("damage", [flip_first, flip_middle, flip_last, truncate, empty, append])
def test_mnist_load_reports_a_damaged_file_and_the_fix(
    damage: Callable[[bytearray], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = bytearray(mnist.PATH.read_bytes())
    damage(packed)
    copy = tmp_path / "mnist.npz"
    copy.write_bytes(packed)
    monkeypatch.setattr(mnist, "PATH", copy)

    with pytest.raises(DataError, match="damaged") as caught:
        mnist.read({})
    assert str(copy) in caught.value.message
    assert "reinstall" in caught.value.hint


def test_mnist_load_rejects_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "mnist.npz"
    np.savez(other, x_train=np.array([{"a": "pickle"}], dtype=object))
    monkeypatch.setattr(mnist, "PATH", other)
    with pytest.raises(DataError, match="damaged"):
        mnist.read({})


def test_mnist_load_reports_a_missing_file_and_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "PATH", tmp_path / "mnist.npz")
    with pytest.raises(DataError, match="cannot read") as caught:
        mnist.read({})
    assert str(tmp_path / "mnist.npz") in caught.value.message
    assert "reinstall" in caught.value.hint
