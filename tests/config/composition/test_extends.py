from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dltrain.config import load
from dltrain.errors import ConfigError, Problem


def loaded(path: Path, *overrides: str) -> dict[str, Any]:
    return load(path, overrides).spec.dump()


def problem_of(path: Path, *overrides: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    (problem,) = caught.value.problems
    return problem


@pytest.fixture
def child(tiny: Path) -> Path:
    path = tiny.parent / "sub" / "child.yaml"
    path.parent.mkdir()
    path.write_text("extends: ../tiny.yaml\n")
    return path


def test_extends_loads_the_base(tiny: Path, child: Path) -> None:
    base, extended = loaded(tiny), loaded(child)
    assert extended == base


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("train: {epochs: 9}", ("train", "epochs"), 9),
        ("train: {epochs: 9}", ("train", "loss", "SparseCategoricalCrossentropy", "from_logits"), False),
        ("seed: 7", ("seed",), 7),
        ("data: {dataset: {synthetic: {samples: 300}}}", ("data", "dataset", "synthetic", "samples"), 300),
        ("data: {dataset: {synthetic: {samples: 300}}}", ("data", "dataset", "synthetic", "features"), 4),
        ("train: {optimizer: {Adam: {beta_1: 0.8}}}", ("train", "optimizer", "Adam", "learning_rate"), 0.01),
        ("train: {optimizer: {SGD: {momentum: 0.9}}}", ("train", "optimizer", "SGD", "learning_rate"), 0.01),
        ("train: {optimizer: Adam}", ("train", "optimizer", "Adam", "learning_rate"), 0.001),
        ("train: {metrics: [acc]}", ("train", "metrics"), ["acc"]),
        ("train: {metrics: null}", ("train", "metrics"), []),
        ("name: other", ("name",), "other"),
    ],
)
def test_extends_merges_mappings_and_replaces_the_rest(
    child: Path, text: str, path: tuple[str, ...], value: object
) -> None:
    child.write_text(f"{child.read_text()}{text}\n")
    found: Any = loaded(child)
    for key in path:
        found = found[key]
    assert found == value


def test_extends_replaces_layers_as_a_whole(child: Path) -> None:
    child.write_text(child.read_text() + "model: {layers: [{Dense: {units: 3, activation: softmax}}]}\n")
    assert len(loaded(child)["model"]["layers"]) == 1


def test_extends_chains_and_overrides_take_precedence(tiny: Path, child: Path) -> None:
    last = tiny.parent / "last.yaml"
    child.write_text(child.read_text() + "seed: 1\ntrain: {epochs: 3, batch_size: 8}\n")
    last.write_text("extends: sub/child.yaml\ntrain: {epochs: 4}\n")
    found = loaded(last, "train.batch_size=16")
    assert (found["seed"], found["train"]["epochs"], found["train"]["batch_size"]) == (1, 4, 16)


def test_extends_locates_problems_in_the_file_at_fault(tiny: Path, child: Path) -> None:
    tiny.write_text(tiny.read_text().replace("units: 8", "unit: 8"))
    with pytest.raises(ConfigError) as caught:
        load(child)
    for problem in caught.value.problems:
        assert problem.where is not None
        assert Path(problem.where.file).resolve() == tiny
        assert problem.where.line == 8


def test_extends_rejects_a_cycle_and_shows_the_chain(tmp_path: Path) -> None:
    for name, base in (("a", "b"), ("b", "c"), ("c", "b")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {base}.yaml\n")
    problem = problem_of(tmp_path / "a.yaml")
    assert "b.yaml extends c.yaml extends b.yaml" in problem.message
    assert problem.where is not None
    assert problem.where.file.endswith("c.yaml")


def test_extends_rejects_an_overlong_chain(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.yaml").write_text(f"extends: {number + 1}.yaml\n")
    assert "more than 16" in problem_of(tmp_path / "0.yaml").message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("3", "must be a file"),
        ("[a.yaml]", "must be a file"),
        ('""', "must be a file"),
        ('"a\\0b"', "must be a file"),
        ("no.yaml", "no such config"),
        (".", "is a directory"),
        ("/dev/zero", "relative to this file"),
        ("../../../../../../../../dev/zero", "not a plain file"),
        ("a" * 900, "cannot read"),
        ("tiny.yml", "did you mean"),
    ],
)
def test_extends_reports_an_invalid_base(tiny: Path, value: str, says: str) -> None:
    child = tiny.parent / "child.yaml"
    child.write_text(f"extends: {value}\n")
    problem = problem_of(child)
    assert says in f"{problem.message} {problem.hint}"
    assert problem.where is not None
    assert problem.where.line == 1


def test_extends_is_rejected_in_overrides(tiny: Path) -> None:
    assert "top level of a file" in problem_of(tiny, "extends=other.yaml").hint


def test_extends_origins_show_the_source_of_each_value(tiny: Path, child: Path) -> None:
    child.write_text(child.read_text() + "train: {epochs: 9}\n")
    plan = load(child, ["seed=3"])
    lines = plan.origins().splitlines()
    origins = {line.split("#")[0].strip(): line.split("#")[1].strip() for line in lines if "#" in line}
    assert origins["seed: 3"] == "-s seed=3"
    assert origins["epochs: 9"].endswith("sub/child.yaml:2")
    assert origins["features: 4"].endswith("tiny.yaml:5")
    assert origins["validation: 0.1"] == "default"
    assert origins["beta_1: 0.9"] == "default"
    assert origins["use_bias: true"] == "default"
    again = tiny.parent / "again.yaml"
    again.write_text(plan.origins())
    assert load(again).spec == plan.spec
