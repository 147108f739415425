"""Pickles of arrays are read; whatever else a pickle asks for is refused, and nothing of it runs."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.data.downloads.serving import batch, like_python_2, npz, ragged, tar

from dltrain.data.downloads.archives import npz_arrays, tar_members, unzipped
from dltrain.data.downloads.pickles import Array, BadPickle, Dtype, unpickled
from dltrain.errors import DataError

NUMBERS = [
    np.arange(6, dtype=np.uint8).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype="<i4").reshape(2, 3)),
    np.arange(6, dtype=">f8"),
    np.array([[True], [False]]),
    np.empty((0, 3), np.float32),
]


@pytest.mark.parametrize("values", NUMBERS, ids=str)
@pytest.mark.parametrize("dump", [like_python_2, lambda value: pickle.dumps(value, 3), lambda v: pickle.dumps(v, 4)])
def test_pickles_of_numbers_are_arrays(values: np.ndarray, dump: Callable[[Any], bytes]) -> None:
    found = unpickled(dump({"x": values, "y": [1, 2]}))
    assert isinstance(found, dict)
    array = found.get(b"x", found.get("x"))
    assert isinstance(array, Array)
    np.testing.assert_array_equal(array.values, values, strict=True)


@pytest.mark.parametrize("dump", [like_python_2, lambda value: pickle.dumps(value, 3), lambda v: pickle.dumps(v, 4)])
def test_pickles_of_objects_are_lists(dump: Callable[[Any], bytes]) -> None:
    found = unpickled(dump(ragged([[1, 2], [], [3]])))
    assert isinstance(found, Array)
    assert found.values == [[1, 2], [], [3]]


class Runs:
    """Asks for a call when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.call


HOSTILE: list[Any] = [
    Runs(os.system, "touch {here}"),
    Runs(eval, "open('{here}', 'w')"),
    Runs(subprocess.Popen, ["touch", "{here}"]),
    Runs(np.load, "{here}", None, True),
    Runs(np.ndarray.tofile, np.zeros(1), "{here}"),
    Runs(getattr, "{here}", "format"),
    Runs(Path, "{here}"),
    ragged([[1], [Runs(os.system, "touch {here}")]]),
]


def filled(value: Any, here: Path) -> Any:
    if isinstance(value, Runs):
        value.call = tuple(filled(part, here) for part in value.call)
    elif isinstance(value, tuple | list):
        return type(value)(filled(part, here) for part in value)
    elif isinstance(value, str):
        return value.format(here=here)
    return value


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_pickles_that_run_something_are_refused(value: Any, protocol: int, tmp_path: Path) -> None:
    packed = pickle.dumps(filled(value, tmp_path / "ran"), protocol)
    with pytest.raises(BadPickle, match="which no array needs"):
        unpickled(packed)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"garbage",
        pickle.dumps([1, 2])[:-3],
        b"cnumpy\nndarray\n(K\x01K\x02tR(dS'x'\nK\x01sb.",  # an array with a state that is a mapping
        b"cnumpy\nndarray\n}S'__init__'\nK\x01sb.",  # the class itself with a state
        b"cnumpy.core.multiarray\n_reconstruct\n}S'x'\nK\x01sb.",  # a function with a state
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(K\x00tS'b'\ntR.",  # an array of another class
        b"(cnumpy\nndarray\no}(S'values'\nK\x01ub.",
        b"cnumpy\ndtype\n(S'O8'\ntR(K\x03S'|'\nNNNtb.\x80",
        b"\x82\x01.",  # a registered extension
        b"Pname\n.",  # a persistent object
        pickle.dumps(np.array(["2020-01-01"], "M8[D]"), 2),
        pickle.dumps(np.array([1 + 2j]), 3),
        pickle.dumps(np.zeros(2, [("a", "f4")]), 3),
        pickle.dumps(np.zeros(2, [("a", "O")]), 3),
    ],
    ids=range(15),
)
def test_pickles_that_are_damaged_or_strange_are_refused(packed: bytes) -> None:
    before = set(vars(Array)), Array.__init__
    found: object = None
    with contextlib.suppress(BadPickle):
        found = unpickled(packed)
    assert not isinstance(found, Array) or found.values is None or found.values == []
    assert (set(vars(Array)), Array.__init__) == before


@pytest.mark.parametrize("shape", [(5,), (-6,), (2**50, 2**50), (2, 3, 1, 1, 1), ("6",), (True, 6)])
def test_pickles_of_arrays_of_another_size_are_refused(shape: tuple[Any, ...]) -> None:
    with pytest.raises(BadPickle):
        Array().__setstate__((1, shape, Dtype("u1"), False, b"123456"))


def test_pickles_cut_or_changed_anywhere_are_refused_or_data() -> None:
    packed = batch(2, {"labels": 10})
    head = len(packed) - 2 * 3072 - 200
    rng = np.random.default_rng(0)
    for place in [*range(head), *rng.integers(0, len(packed), 100)]:
        for changed in (packed[:place], packed[:place] + bytes([rng.integers(256)]) + packed[place + 1 :]):
            try:
                unpickled(changed)
            except BadPickle:
                continue


def test_archives_give_lists_and_numbers_of_an_npz_file() -> None:
    words, labels = npz_arrays(npz(x=ragged([[1], [2, 3]]), y=np.arange(2), z=np.zeros(3)), "made.npz", ("x", "y"))
    assert words == [[1], [2, 3]]
    np.testing.assert_array_equal(labels, np.arange(2))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no archive",
        npz(x=np.zeros(3)),
        npz(x=np.array([{"a": 1}, Runs(os.system, "true")]), y=np.zeros(2)),
        npz(x=np.array(Runs(os.system, "true"), object), y=np.zeros(2)),
        npz(x=ragged([[1]]), y=np.zeros(2))[:-30],
    ],
    ids=range(6),
)
def test_archives_refuse_other_npz_files(content: bytes) -> None:
    with pytest.raises(DataError, match=r"made\.npz"):
        npz_arrays(content, "made.npz", ("x", "y"))


def test_archives_refuse_links_and_folders_in_a_tar_file(tmp_path: Path) -> None:
    for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "b"), (tarfile.DIRTYPE, "")):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            entry = tarfile.TarInfo("b")
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"1"))
            entry = tarfile.TarInfo("a")
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
        with pytest.raises(DataError, match="has no file a"):
            tar_members(stream.getvalue(), "made.tar.gz", ["a"])


@pytest.mark.parametrize("cut", [0, 5, 60, -3000])
def test_archives_refuse_damaged_tar_files(cut: int) -> None:
    with pytest.raises(DataError, match=r"made\.tar\.gz"):
        tar_members(tar({"a": os.urandom(5000)})[:cut], "made.tar.gz", ["a"])


def test_archives_refuse_more_than_a_bound() -> None:
    packed = gzip.compress(bytes(10_000))
    assert unzipped(packed, "made.gz", 10_000) == bytes(10_000)
    for content, bound in ((packed, 9_999), (packed[:-9], 10_000), (b"text", 10)):
        with pytest.raises(DataError, match=r"made\.gz"):
            unzipped(content, "made.gz", bound)
