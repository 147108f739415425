"""Predictions as text, to the character."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from dltrain.engine.answers import write
from dltrain.engine.prediction import Predictions

THIRD = 1 / 3
KINDS: dict[str, tuple[list[Any], list[Any] | None, tuple[str, ...], bool, list[str]]] = {
    "classes": (
        [[0.25, 0.5, 0.25], [THIRD, THIRD, THIRD]],
        [1, 2],
        ("a", 'b,"c', "d"),
        True,
        [
            "input,prediction,confidence,prediction_2,confidence_2",
            'x:0,"b,""c",0.5,a,0.25',
            "x:1,d,0.333333,a,0.333333",
        ],
    ),
    "classes without a name": (
        [[1.0, 3.0, 2.0], [4.0, -1e-7, 1e20]],
        [1, 2],
        ("a", "b"),
        False,
        ["input,prediction,output,prediction_2,output_2", "x:0,b,3.0,2,2.0", "x:1,2,1e+20,a,4.0"],
    ),
    "yes or no": (
        [[0.75], [0.4]],
        [1, 1],
        ("no", "yes"),
        True,
        ["input,prediction,confidence,prediction_2,confidence_2", "x:0,yes,0.75,no,0.25", "x:1,yes,0.4,no,0.6"],
    ),
    "labels": (
        [[0.75, 0.5, 1.0], [0, 0, 0]],
        [[True, False, True], [False, False, False]],
        ("a", "b", "c"),
        True,
        ["input,prediction,confidence_a,confidence_b,confidence_c", "x:0,a|c,0.75,0.5,1.0", "x:1,,0.0,0.0,0.0"],
    ),
    "numbers": (
        [[1234567.0, -0.0], [np.nan, np.inf]],
        None,
        (),
        False,
        ["input,prediction_0,prediction_1", "x:0,1234570.0,-0.0", "x:1,nan,inf"],
    ),
    "steps": (
        [[[0.25, 0.75], [1, 0]], [[0, 1], [0.5, 0.5]]],
        [[1, 0], [1, 0]],
        ("a", "b"),
        True,
        [
            "input,step,prediction,confidence,prediction_2,confidence_2",
            "x:0,0,b,0.75,a,0.25",
            "x:0,1,a,1.0,b,0.0",
            "x:1,0,b,1.0,a,0.0",
            "x:1,1,a,0.5,b,0.5",
        ],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", [1, 2])
def test_answers_are_written_to_the_character(kind: str, parts: int) -> None:
    outputs, classes, names, probabilities, lines = KINDS[kind]
    inputs = ["x:0", "x:1"]
    found = Predictions(
        inputs, np.array(outputs, np.float32), None if classes is None else np.array(classes), names, probabilities
    )
    stream = io.BytesIO()
    assert write(stream, ".csv", [found] * parts, 2) == 2 * parts
    assert stream.getvalue().decode().splitlines() == [lines[0], *lines[1:] * parts]
    stream = io.BytesIO()
    write(stream, ".jsonl", [found] * parts, 2)
    rows = [json.loads(line) for line in stream.getvalue().decode().splitlines()]
    assert [list(row) for row in rows] == [lines[0].split(",")] * len(lines[1:]) * parts
    assert [row["input"] for row in rows] == [line.partition(",")[0] for line in lines[1:]] * parts


@pytest.mark.parametrize("kind", KINDS)
def test_answers_of_several_parts_are_one_array(kind: str) -> None:
    outputs, classes, names, probabilities, _ = KINDS[kind]
    arrays = np.array(outputs, np.float32), None if classes is None else np.array(classes)
    stream = io.BytesIO()
    parts = [Predictions(inputs, *arrays, names, probabilities) for inputs in (["x:0", "x:1"], ["Köln:10", "x:11"])]
    assert write(stream, ".npz", parts, 1) == 4
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as found:
        assert list(found) == ["input", "output", *(["prediction", "names"] if classes is not None else [])]
        assert found["input"].tolist() == ["x:0", "x:1", "Köln:10", "x:11"]
        assert np.array_equal(found["output"], np.concatenate([arrays[0]] * 2), equal_nan=True)
        if arrays[1] is not None:
            assert found["prediction"].dtype == arrays[1].dtype
            assert np.array_equal(found["prediction"], np.concatenate([arrays[1]] * 2))
            assert found["names"].tolist() == list(names)
