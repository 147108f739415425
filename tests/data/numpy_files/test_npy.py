"""Headers of NumPy's files: what NumPy writes is read, everything else is refused by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data.numpy_files import npy
from dltrain.data.values import LARGEST_READ, opened
from dltrain.errors import DataError

ARRAYS = [
    np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    np.arange(6, dtype=">f8").reshape(3, 2),
    np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
    np.array([True, False]),
    np.array(["cat", "dog", "çà"]),
    np.array([b"a", b"bc"]),
    np.zeros((0, 5), np.float32),
    np.array(3.5),
    np.arange(5, dtype=np.float16),
    np.arange("2024-01", "2024-04", dtype="datetime64[M]"),
    np.array(["1969-12-31T23:59:59", "NaT"], ">M8[25ns]"),
]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed, None], ids=["npz", "compressed", "npy"])
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype.str}-{array.shape}")
def test_npy_arrays_are_read_as_numpy_reads_them(tmp_path: Path, array: np.ndarray, save: Any) -> None:
    path = tmp_path / ("a.npy" if save is None else "a.npz")
    np.save(path, array) if save is None else save(path, a=array)
    member = npy.members(path)["a"]
    assert (member.shape, np.dtype(member.descr)) == (array.shape, array.dtype)
    values = opened(member)
    assert values.tobytes() == array.tobytes()
    assert (values.shape, values.dtype) == (array.shape, array.dtype)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions_are_read(tmp_path: Path, version: tuple[int, int]) -> None:
    data = io.BytesIO()
    np.lib.format.write_array(data, np.arange(3), version=version)
    (tmp_path / "a.npy").write_bytes(data.getvalue())
    assert opened(npy.members(tmp_path / "a.npy")["a"]).tolist() == [0, 1, 2]


def test_npy_large_arrays_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    shape = (LARGEST_READ + 1, 1)
    np.lib.format.open_memmap(path, "w+", np.uint8, shape).flush()  # a hole: no bytes on the disk
    values = opened(npy.members(path)["a"])
    assert isinstance(values, np.memmap)
    assert values.shape == shape


def test_npy_directory_has_its_files(tmp_path: Path) -> None:
    for name in ("x_train", "y_train"):
        np.save(tmp_path / f"{name}.npy", np.zeros(3))
    assert list(npy.members(tmp_path)) == ["x_train", "y_train"]


ODD = ("<f3", "<f1", "<f16", "<i3", "<i0", "<f0", "<f4[x]", "f", "i", "<u16", "<b2", "<U0", "S")


def header(text: str, values: bytes = b"", version: int = 1) -> bytes:
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2, "little") + text.encode() + values


PLAIN = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"x,y\n1,2\n", "it begins otherwise"),
        (header(PLAIN, b"1234567"), "is cut off"),
        (header(PLAIN.replace("(2,)", "(-2,)"), b"12345678"), "damaged header"),
        (header(PLAIN.replace("(2,)", "(99999999999999999999,)")), "damaged header"),
        (header(PLAIN.replace("'<f4'", "'|O'"), b"12345678"), "Python objects"),
        (header(PLAIN.replace("'<f4'", "'<c8'"), b"1" * 16), "complex numbers"),
        (header(PLAIN.replace("'<f4'", "'<M8'"), b"1" * 16), "dates without a unit"),
        (header(PLAIN.replace("'<f4'", "'<M8[0s]'"), b"1" * 16), "dates without a unit"),
        (header(PLAIN.replace("'<f4'", "'<m8[s]'"), b"1" * 16), "durations"),
        (header(PLAIN.replace("'<f4'", "[('a', '<f4')]"), b"12345678"), "records"),
        (header("__import__('os').system('touch pwned')"), "damaged header"),
        (header("(" * 9000), "damaged header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"(" * 100, "a header of"),
        (b"\x93NUMPY\x09\x00", "no array"),
        (b"PK\x03\x04" + b"\0" * 100, "is damaged"),
        (b"\x93NUMPY\x02\x00\x01\x02", "is damaged"),
        (header(PLAIN.replace("(2,)", "(1 2, 3)"), b"12345678"), "is damaged"),
        (header(PLAIN.replace("(2,)", f"({'9' * 5000},)"), b"12345678"), "is damaged|a damaged header"),
        *((header(PLAIN.replace("<f4", descr), b"1" * 64), "holds values of the dtype") for descr in ODD),
    ],
)
def test_npy_refuses_what_is_no_array_of_numbers(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        npy.members(path)


def test_npy_refuses_a_pickle(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(DataError, match="only pickle can read"):
        npy.members(tmp_path / "a.npy")


@pytest.mark.parametrize("flip", range(0, 400, 7))
def test_npy_damaged_archives_are_refused_or_read(tmp_path: Path, flip: int) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.arange(40.0).reshape(20, 2), y=np.arange(20))
    data = bytearray(path.read_bytes())
    data[flip % len(data)] ^= 0x55
    path.write_bytes(bytes(data))
    try:
        for member in npy.members(path).values():
            opened(member)
    except DataError:
        pass


def test_npy_member_that_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    """A header that asks for terabytes costs no memory."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header(PLAIN.replace("(2,)", "(999999999999,)"), b"12345678"))
    with pytest.raises(DataError, match="is cut off"):
        npy.members(path)


@pytest.mark.parametrize("kind", ["missing", "pipe", "device", "directory"])
def test_npy_path_that_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    import os

    path = tmp_path / "a.npz"
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "directory":
        path = tmp_path
    with pytest.raises(DataError) as caught:
        npy.members(path)
    assert str(path) in str(caught.value)
    if kind in ("missing", "directory"):
        assert "other.npz" in caught.value.hint


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_npy_path_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot read"):
        npy.members(tmp_path / name)


def test_npy_link_that_leads_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.npy").symlink_to(tmp_path / "x.npy")
    with pytest.raises(DataError, match="leads nowhere"):
        npy.members(tmp_path)


def test_npy_archive_may_hold_other_things(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("notes/", b"")
        archive.writestr("readme.txt", b"hello")
        archive.writestr("x.npy", header(PLAIN, b"12345678"))
    assert list(npy.members(tmp_path / "a.npz")) == ["x"]


def test_npy_compressed_array_beyond_the_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(10_000))
    member = npy.members(tmp_path / "a.npz")["x"]
    monkeypatch.setattr("os.sysconf", lambda name: 100)
    with pytest.raises(DataError, match="it is compressed"):
        opened(member)


def test_npy_link_out_of_a_directory_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "secret.npy", np.zeros(3))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x_train.npy").symlink_to(tmp_path / "secret.npy")
    with pytest.raises(DataError, match="leads out"):
        npy.members(tmp_path / "data")
