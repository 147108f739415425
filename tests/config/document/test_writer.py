"""Written YAML round-trips through the reader."""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.config.document.reader import read
from dltrain.config.document.writer import Line, block, flow

DATA: dict[str, Any] = {
    "name": "a b",
    "rate": 1e-05,
    "empty": {},
    "nothing": None,
    "layers": [{"Dense": {"units": 2, "activation": "relu"}}, "Flatten", {"Reshape": {"target_shape": [2, 3]}}],
}


@pytest.mark.parametrize("depth", range(4))
def test_writer_blocks_of_any_depth_round_trip(depth: int) -> None:
    text = "\n".join(line.text for line in block(DATA, lambda path, value, columns: len(path) <= depth))
    assert read("written", text).plain() == DATA


def test_writer_maps_lines_to_values() -> None:
    lines = list(block({"layers": [{"Dense": {"units": 2}}]}, lambda path, value, columns: len(path) < 3))
    head = Line("layers:", ("layers",), opens=True)
    assert lines == [head, Line("  - Dense: {units: 2}", ("layers", 0, "Dense"))]


@pytest.mark.parametrize(
    "key",
    ["test_acc", "test_my acc", "test_a: b", "a #b", "a:", " a", "a ", "é", "a\nb", "", "-", "a 😀", "\\d83d 😀\\"],
)
def test_writer_keys_round_trip(key: str) -> None:
    text = "\n".join(line.text for line in block({key: 1}, lambda path, value, columns: True))
    assert read("written", text).plain() == {key: 1}


@pytest.mark.parametrize(
    "value",
    ["null", "True", "", "1", "1e-3", "a: b", "- a", "#", "é\u2028", 'a "😀" \\ud83d', "\\😀", True, None, 1.5, [[]]],
)
def test_writer_values_round_trip(value: object) -> None:
    assert read("written", f"value: {flow(value)}").plain() == {"value": value}
