from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from dltrain.cli.diagnostics import text as rendered
from dltrain.config import load
from dltrain.errors import ConfigError, Problem, UsageError


def problems_of(path: Path, *overrides: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    return list(caught.value.problems)


def test_load_problem_renders_with_its_source_line(tmp_path: Path, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("  optimizer: {Adam", "  optimzer: {Adam"))
    shown = [click.unstyle(rendered(p)).replace(str(tmp_path), ".") for p in problems_of(tiny)]
    assert shown == [
        (
            "error: unknown key `optimzer` in `train`\n"
            "  --> ./tiny.yaml:12:3\n"
            "   |\n"
            "12 |   optimzer: {Adam: {learning_rate: 1e-2}}\n"
            "   |   ^^^^^^^^ did you mean `optimizer`?"
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "says"),
    [
        ("units: 8", "unit: 8", "unknown-argument", 8, "did you mean `units`?"),
        ("units: 8", "units: ten", "wrong-type", 8, "`units` of `Dense` must be an integer of at least 1"),
        ("units: 8", "units: 0", "wrong-type", 8, "at least 1"),
        ("units: 8", "units: 1_000", "wrong-type", 8, "write `1000`"),
        ("units: 8", "units:8", "unknown-argument", 8, "write `units: 8`"),
        ("{units: 8, activation: relu}", "8", "object-form", 8, "`Dense: {units: 8}`"),
        ("Dropout:", "Dropuot:", "unknown-name", 9, "did you mean `Dropout`?"),
        ("Dropout: {rate: 0.2}", "Lambda", "unknown-name", 9, "Python"),
        ("Dropout: {rate: 0.2}", "Adam", "unknown-name", 9, "`Adam` is an optimizer"),
        ("activation: relu", "activation: rleu", "unknown-word", 8, "did you mean `relu`?"),
        ("epochs: 2", "epochs: ten", "wrong-type", 15, "`train.epochs` must be an integer"),
        ("epochs: 2", "epochs: 1e3", "wrong-type", 15, "write `1000`"),
        ("epochs: 2", "epochs: 0", "out-of-range", 15, "at least 1"),
        ("epochs: 2", "epochs: 2\n  precision: float16", "unknown-word", 16, "mixed_float16"),
        ("epochs: 2", "epochs: 2\n  batch_size: half", "wrong-value", 16, "or `full`"),
        ("epochs: 2", "epochs: 2\nepoch: 3", "unknown-key", 16, ""),
        ("  epochs: 2", "", "missing-key", 11, "write `epochs: 5`"),
        ("version: 1", "version: 2", "unknown-word", 1, "write `1`"),
        ("name: tiny", "name: ../x", "name", 2, "letters"),
        ("features: 4", "features: 4, shape: [4]", "contradiction", 5, "keep one"),
        ("epochs: 2", 'epochs: 2\nexpect: {test_acc: ">= 0.5"}', "unknown-metric", 16, "test_accuracy"),
        ("epochs: 2", "epochs: 2\nexpect: {test_accuracy: high}", "wrong-value", 16, "comparison"),
        (
            "epochs: 2",
            "epochs: 2\n  callbacks: [EarlyStopping: {monitor: val_acc}]",
            "unknown-metric",
            16,
            "did you mean `val_accuracy`?",
        ),
        ("learning_rate: 1e-2", "learning_rate: {CosineDecay: {}}", "missing-argument", 12, "decay_steps"),
    ],
)
def test_load_reports_problems_with_position_and_fix(
    tiny: Path, old: str, new: str, code: str, line: int, says: str
) -> None:
    text = tiny.read_text()
    assert old in text
    tiny.write_text(text.replace(old, new))
    found = [p for p in problems_of(tiny) if p.code == code]
    assert found
    assert any(p.where is not None and p.where.line == line and says in f"{p.message} {p.hint}" for p in found)


def test_load_reports_all_problems_in_file_order(tiny: Path) -> None:
    text = (
        tiny.read_text()
        .replace("units: 8", "unit: 8")
        .replace("rate: 0.2", "rate: 7")
        .replace("epochs: 2", "epochs: x")
    )
    tiny.write_text(text)
    lines = [p.where.line for p in problems_of(tiny) if p.where]
    assert lines == sorted(lines)
    assert {8, 9, 15} <= set(lines)


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.epochs=7", ("train", "epochs"), 7),
        ("data.limit.train=50", ("data", "limit", "train"), 50),
        ("train.optimizer=SGD", ("train", "optimizer", "SGD", "momentum"), 0.0),
        ("train.optimizer.Adam.learning_rate=0.5", ("train", "optimizer", "Adam", "learning_rate"), 0.5),
        ("model.layers.0.Dense.units=64", ("model", "layers", 0, "Dense", "units"), 64),
        ("train.metrics=[accuracy, acc]", ("train", "metrics"), ["accuracy", "acc"]),
    ],
)
def test_load_override_replaces_the_value_of_the_file(
    tiny: Path, override: str, path: tuple[str | int, ...], value: object
) -> None:
    found: Any = load(tiny, [override]).spec.dump()
    for key in path:
        found = found[key]
    assert found == value


@pytest.mark.parametrize("value", ["", "null", "~", "# nothing"])
def test_load_override_without_a_value_is_rejected(tiny: Path, value: str) -> None:
    (problem,) = problems_of(tiny, f"train.epochs={value}")
    assert problem.message == "`train.epochs` must be an integer, not nothing"


@pytest.mark.parametrize(
    ("override", "column"),
    [("train.epochs=x", 17), ("model.layers.9.Dense=1", 17), ("epochs", 4), ("train.epochs=[1", 17), ("trian.x=1", 4)],
)
def test_load_locates_problems_in_an_override(tiny: Path, override: str, column: int) -> None:
    (problem, *_) = problems_of(tiny, override)
    assert problem.where is not None
    assert problem.where.file == f"-s {override}"
    assert problem.where.column == column


def test_load_resolved_text_round_trips(tiny: Path, tmp_path: Path) -> None:
    plan = load(tiny, {"train.epochs": 3, "train.optimizer": {"SGD": {"learning_rate": 0.1}}})
    again = tmp_path / "resolved.yaml"
    again.write_text(plan.resolved())
    second = load(again)
    assert second.spec == plan.spec
    assert second.resolved() == plan.resolved()
    assert plan.spec.train.checkpoint.monitor == "val_loss"
    assert plan.spec.model.layers[0].arguments["use_bias"] is True


SOFTMAX = "Dense: {units: 3, activation: softmax"
ENDS = [
    (f"[{SOFTMAX}}}]", ["float32"]),
    ("[Dense: {units: 3}, Softmax]", [None, "float32"]),
    ("[Dense: {units: 3}, Activation: {activation: softmax}]", [None, "float32"]),
    (f"[Dense, {SOFTMAX}}}]".replace("Dense,", "Dense: {units: 3},"), [None, "float32"]),
    # What passes its numbers on is in float32 too
    (f"[{SOFTMAX}}}, Dropout: {{rate: 0.1}}, Reshape: {{target_shape: [3]}}, Flatten]", ["float32"] * 4),
    # A dtype that is written stays
    (f"[{SOFTMAX}, dtype: mixed_bfloat16}}]", ["mixed_bfloat16"]),
    (f"[{SOFTMAX}, dtype: null}}]", [None]),
    (f"[{SOFTMAX}}}, Flatten: {{dtype: bfloat16}}]", ["float32", "bfloat16"]),
]


@pytest.mark.parametrize(("layers", "dtypes"), ENDS)
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_plan_in_mixed_precision_has_its_output_in_float32(
    tiny: Path, precision: str, layers: str, dtypes: list[str | None]
) -> None:
    overrides = [f"model.layers={layers}", f"train.precision={precision}"]
    plan = load(tiny, overrides)
    assert [layer.arguments.get("dtype") for layer in plan.spec.model.layers] == dtypes
    assert plan.precision.endswith((dtypes[-1] or precision).removeprefix("mixed_"))
    of_run = load(tiny, data=plan.resolved().encode())
    assert of_run.spec == plan.spec
    plain = load(tiny, [overrides[0], "train.precision=float32"])
    written = [dtype if dtype != "float32" else None for dtype in dtypes]
    assert [layer.arguments.get("dtype") for layer in plain.spec.model.layers] == written
    assert plain.precision == "float32"


def test_plan_of_a_run_of_an_older_version_keeps_its_output_in_half_precision(tiny: Path) -> None:
    older = load(tiny, ["train.precision=mixed_bfloat16"]).resolved().replace(", dtype: float32", "")
    plan = load(tiny, data=older.encode())
    assert "dtype" not in plan.spec.model.layers[-1].arguments
    assert plan.precision == "mixed_bfloat16, output in bfloat16"


@pytest.mark.parametrize("kind", ["missing", "directory", "binary-name"])
def test_load_rejects_a_path_that_is_not_a_config(tmp_path: Path, kind: str) -> None:
    path = {"missing": tmp_path / "no.yaml", "directory": tmp_path, "binary-name": Path("a\0b")}[kind]
    with pytest.raises(UsageError):
        load(path)


def test_plan_of_a_mapping_is_that_of_its_yaml(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "data": {"dataset": {"synthetic": {"shape": (4,), "classes": np.int64(2), "samples": 64}}},
        "model": {"layers": ["Flatten", {"Dense": {"units": 2, "activation": "softmax"}}]},
        "train": {"optimizer": {"Adam": {"learning_rate": np.float32(0.5)}}, "loss": "mse", "epochs": 1},
    }
    config["train"]["loss"] = "sparse_categorical_crossentropy"
    plan = load(config)
    path = tmp_path / "config.yaml"
    path.write_bytes(plan.file_bytes)
    assert load(path).spec == plan.spec
    assert plan.spec.train.optimizer.arguments["learning_rate"] == 0.5
    assert load(config, {"train.epochs": 3}).spec.train.epochs == 3


ITSELF: dict[str, Any] = {}
ITSELF["data"] = [ITSELF]


@pytest.mark.parametrize(
    "config", [3, None, ["a"], {"data": object()}, {"train": {"loss": {1, 2}}}, b"data: 1", ITSELF]
)
def test_plan_of_what_is_no_config_is_an_error_of_the_caller(config: Any) -> None:
    with pytest.raises(UsageError) as caught:
        load(config)
    assert caught.value.hint


def test_plan_of_a_mapping_tells_problems_at_their_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"data": {"dataset": "mnist"}, "modle": {}})
    assert "model" in "".join(problem.hint for problem in caught.value.problems)
    assert all(problem.where is not None for problem in caught.value.problems)
