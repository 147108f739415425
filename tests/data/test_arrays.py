from __future__ import annotations

import numpy as np
import pytest

from dltrain.data.arrays import fingerprint

GRID = np.arange(24, dtype=np.int64).reshape(4, 6)


@pytest.mark.parametrize(
    "same",
    [GRID.copy(), np.asfortranarray(GRID), np.repeat(GRID, 2, axis=1)[:, ::2], GRID.astype(">i8")],
    ids=["copy", "fortran order", "strided", "big-endian"],
)
def test_arrays_fingerprint_does_not_depend_on_memory_layout(same: np.ndarray) -> None:
    assert fingerprint({"x": same}) == fingerprint({"x": GRID})


@pytest.mark.parametrize(
    "other",
    [
        {"y": GRID},
        {"x": GRID.reshape(6, 4)},
        {"x": GRID.astype(np.uint64)},
        {"x": GRID.T},
        {"x": GRID + (GRID == 23)},
        {"x": GRID, "y": GRID},
    ],
    ids=["name", "shape", "dtype", "transposed", "one value", "one array more"],
)
def test_arrays_fingerprint_distinguishes_contents(other: dict[str, np.ndarray]) -> None:
    assert fingerprint(other) != fingerprint({"x": GRID})


def test_arrays_fingerprint_never_changes() -> None:
    expected = "sha256:62c3771d363dc88f0c7dc8cd8c6e2b7627b4fa1ca6c3683007c693ef5565e786"
    assert fingerprint({"x": np.array([[1, 2], [3, 4]], np.uint8)}) == expected
