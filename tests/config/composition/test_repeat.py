from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.config import Plan, load
from dltrain.errors import ConfigError, Problem

CONFIG = """\
data:
  dataset: {{synthetic: {{samples: 100, features: 4, classes: 3}}}}
model:
  layers:
    - Dense: {{units: 4}}
    - {repeat}
    - Dense: {{units: 3, activation: softmax}}
train:
  optimizer: Adam
  loss: sparse_categorical_crossentropy
  epochs: 1
"""


def write_config(tmp_path: Path, repeat: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(repeat=repeat))
    return path


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return list(caught.value.problems)


def units(plan: Plan) -> list[object]:
    return [layer.arguments.get("units") for layer in plan.spec.model.layers]


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ("repeat: {times: 1, layers: [{Dense: {units: 5}}]}", [4, 5, 3]),
        ("repeat: {times: 3, layers: [{Dense: {units: 5}}]}", [4, 5, 5, 5, 3]),
        ("repeat: {times: 2, layers: [{Dense: {units: 5}}, {Dense: {units: 6}}]}", [4, 5, 6, 5, 6, 3]),
        (
            "repeat: {times: 2, layers: [{Dense: {units: 5}}, {repeat: {times: 2, layers: [{Dense: {units: 6}}]}}]}",
            [4, 5, 6, 6, 5, 6, 6, 3],
        ),
    ],
)
def test_repeat_expands_layers(tmp_path: Path, repeat: str, expected: list[int]) -> None:
    plan = load(write_config(tmp_path, repeat))
    assert units(plan) == expected
    assert "repeat" not in plan.resolved()


def test_repeat_overrides_apply_inside(tmp_path: Path) -> None:
    path = write_config(tmp_path, "repeat: {times: 2, layers: [{Dense: {units: 5}}]}")
    overrides = ["model.layers.1.repeat.times=3", "model.layers.1.repeat.layers.0.Dense.units=7"]
    assert units(load(path, overrides)) == [4, 7, 7, 7, 3]


def test_repeat_override_does_not_change_other_uses_of_an_anchor(tmp_path: Path) -> None:
    path = write_config(tmp_path, "{Dense: &five {units: 5}}")
    path.write_text(path.read_text().replace("    - Dense: {units: 3", "    - Dense: *five\n    - Dense: {units: 3"))
    assert units(load(path, ["model.layers.1.Dense.units=9"])) == [4, 9, 5, 3]


@pytest.mark.parametrize(
    ("repeat", "code", "says"),
    [
        ("repeat: 3", "wrong-type", "a mapping"),
        ("repeat", "unknown-name", "unknown layer"),
        ("repeat: {layers: [Flatten]}", "missing-key", "`times`"),
        ("repeat: {times: 2}", "missing-key", "`layers`"),
        ("repeat: {times: 0, layers: [Flatten]}", "out-of-range", "at least 1"),
        ("repeat: {times: 2.5, layers: [Flatten]}", "wrong-type", "an integer"),
        ("repeat: {times: true, layers: [Flatten]}", "wrong-type", "an integer"),
        ("repeat: {times: 2, layers: []}", "too-short", "at least one"),
        ("repeat: {times: 2, layers: Flatten}", "wrong-type", "a list"),
        ("repeat: {time: 2, layers: [Flatten]}", "unknown-key", "`times`"),
        ("repeat: {times: 2, layers: [Flaten]}", "unknown-name", "`Flatten`"),
        ("{repeat: {times: 2, layers: [Flatten]}, Dense: {units: 3}}", "object-form", "one name"),
    ],
)
def test_repeat_reports_errors_at_their_line(tmp_path: Path, repeat: str, code: str, says: str) -> None:
    found = [problem for problem in problems_of(write_config(tmp_path, repeat)) if problem.code == code]
    assert len(found) == 1
    assert says in f"{found[0].message} {found[0].hint}"
    assert found[0].where is not None
    assert found[0].where.line == 6


def test_repeat_rejects_exponential_expansion(tmp_path: Path) -> None:
    repeat = "{Dense: {units: 5}}"
    for _ in range(12):
        repeat = f"{{repeat: {{times: 1000, layers: [{repeat}]}}}}"
    assert {problem.code for problem in problems_of(write_config(tmp_path, repeat))} == {"too-many-layers"}


def test_repeat_reports_an_invalid_layer_once_with_its_source_path(tmp_path: Path) -> None:
    problems = problems_of(write_config(tmp_path, "repeat: {times: 50, layers: [{Dense: {unit: 5}}]}"))
    path = ("model", "layers", 1, "repeat", "layers", 0, "Dense")
    assert [problem.path[:7] for problem in problems] == [path]
