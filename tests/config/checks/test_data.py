"""A config against its data set, before anything is read but the headers of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.config import load
from dltrain.config.plan import check
from dltrain.errors import ConfigError, Problem

X = np.zeros((60, 6, 3), np.float32)
LAYERS = {
    "classes": "[Flatten, Dense: {units: 3, activation: softmax}]",
    "flags": "[Flatten, Dense: {units: 4, activation: sigmoid}]",
    "number": "[Flatten, Dense: {units: 1}]",
    "numbers": "[Flatten, Dense: {units: 2}]",
    "steps": "[LSTM: {units: 4, return_sequences: true}, Dense: {units: 3, activation: softmax}]",
    "one step": "[LSTM: {units: 4}, Dense: {units: 3, activation: softmax}]",
    "step numbers": "[LSTM: {units: 4, return_sequences: true}, Dense: {units: 1}]",
    "itself": "[Dense: {units: 8, activation: relu}, Dense: {units: 3}]",
    "softmax": "[Flatten, Dense: {units: 4, activation: softmax}]",
}
TARGETS: dict[str, Any] = {
    "labels": np.arange(60) % 3,
    "flags": np.arange(240).reshape(60, 4) % 2,
    "number": np.arange(60.0),
    "numbers": np.zeros((60, 2)),
    "steps": np.arange(360).reshape(60, 6) % 3,
    "step numbers": np.zeros((60, 6, 1)),
    "itself": None,
}


def problems(folder: Path, data: str, layers: str, loss: str, metrics: str = "", **arrays: Any) -> list[Problem]:
    np.savez(folder / "d.npz", **arrays)
    text = (
        f"data: {{dataset: {{arrays: {{path: d.npz}}}}, {data}}}\nmodel: {{layers: {layers}}}\n"
        f"train: {{optimizer: Adam, loss: {loss}, metrics: [{metrics}], epochs: 2}}\n"
    )
    try:
        return list(check(str(folder / "c.yaml"), text.encode(), ()).warnings)
    except ConfigError as error:
        return list(error.problems)


SPARSE = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("task", "targets", "layers", "loss", "metrics"),
    [
        ("", "labels", "classes", SPARSE, "accuracy"),  # the loss says the task
        ("classification", "labels", "classes", "categorical_crossentropy", "accuracy, F1Score"),
        ("multi_label", "flags", "flags", "binary_crossentropy", "BinaryAccuracy, AUC: {multi_label: true}"),
        ("regression", "number", "number", "mse", "mae"),
        ("regression", "numbers", "numbers", "mse", "mae"),
        ("sequence", "steps", "steps", SPARSE, "accuracy"),
        ("sequence", "step numbers", "step numbers", "mae", "mse"),
        ("reconstruction", "itself", "itself", "mse", "mae"),
        ("array", "step numbers", "step numbers", "mse", "mae"),
    ],
)
def test_data_tasks_that_fit_have_no_problem(
    tmp_path: Path, task: str, targets: str, layers: str, loss: str, metrics: str
) -> None:
    arrays = {"x": X} | ({"y": TARGETS[targets]} if TARGETS[targets] is not None else {})
    said = f"task: {task}, test: 0.2" if task else "test: 0.2"
    assert problems(tmp_path, said, LAYERS[layers], loss, metrics, **arrays) == []


@pytest.mark.parametrize(
    ("task", "targets", "layers", "loss", "metrics", "code", "hint"),
    [
        ("regression", "number", "number", SPARSE, "", "loss-task", "mean_squared_error"),
        ("multi_label", "flags", "flags", SPARSE, "", "loss-task", "binary_crossentropy"),
        ("multi_label", "flags", "softmax", "binary_crossentropy", "", "output-activation", "sigmoid"),
        ("multi_label", "flags", "classes", "binary_crossentropy", "", "output-units", "units: 4"),
        ("multi_label", "flags", "flags", "binary_crossentropy", "accuracy", "metric-labels", "BinaryAccuracy"),
        ("regression", "numbers", "number", "mse", "", "output-units", "units: 2"),
        ("sequence", "steps", "one step", SPARSE, "", "output-shape", "return_sequences: true"),
        ("sequence", "steps", "itself", SPARSE, "", "output-activation", "softmax"),
        ("reconstruction", "itself", "number", "mse", "", "output-shape", "Reshape: {target_shape: [6, 3]}"),
        ("reconstruction", "itself", "step numbers", "mse", "", "output-units", "units: 3"),
        ("classification", "labels", "steps", SPARSE, "", "output-shape", "Flatten"),
    ],
)
def test_data_tasks_that_do_not_fit_are_told(
    tmp_path: Path, task: str, targets: str, layers: str, loss: str, metrics: str, code: str, hint: str
) -> None:
    arrays = {"x": X} | ({"y": TARGETS[targets]} if TARGETS[targets] is not None else {})
    (problem,) = problems(tmp_path, f"task: {task}, test: 0.2", LAYERS[layers], loss, metrics, **arrays)
    assert problem.code == code
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("said", "extra", "path", "severity", "message"),
    [
        ("test: 0.2", {}, ("data", "task"), "error", "does not say what its targets are"),
        ("task: regression", {}, ("data", "test"), "error", "no test split"),
        ("task: regression, test: 0.2", {"x_test": X, "y_test": X[:, 0, 0]}, ("data", "test"), "error", "of its own"),
        ("task: regression, test: 0.2, validation: given", {}, ("data", "validation"), "error", "no validation split"),
        (
            "task: regression, test: 0.2",
            {"x_val": X, "y_val": X[:, 0, 0]},
            ("data", "validation"),
            "warning",
            "is not used",
        ),
        ("task: regression, test: 0.2, validation: test", {}, ("data", "validation"), "warning", "flatter the model"),
    ],
)
def test_data_splits_that_are_not_there_or_unused_are_told(
    tmp_path: Path, said: str, extra: dict[str, Any], path: tuple[str, ...], severity: str, message: str
) -> None:
    arrays = {"x": X, "y": TARGETS["number"]} | extra
    (problem,) = problems(tmp_path, said, LAYERS["number"], "mse", **arrays)
    assert (problem.path, problem.severity) == (path, severity)
    assert message in problem.message


@pytest.mark.parametrize(
    ("said", "splits", "extra", "codes"),
    [
        ("", ("train", "test"), (), []),
        ("test: 0.2", ("train",), (), []),
        ("validation: given", ("train", "val", "test"), (), []),
        ("task: reconstruction", ("train", "test"), (), ["loss-task", "output-shape"]),
        ("", ("train",), (), ["splits"]),
        ("", ("train", "val", "test"), (), ["splits"]),
        ("task: regression", ("train", "test"), (), ["data"]),
        ("", ("train", "test"), ("train/cat/a.txt",), ["files"]),
        ("", ("train", "test"), ("train/cow/",), ["contradiction"]),
        ("", ("train",), ("train/1.jpg",), ["splits", "files"]),
    ],
)
def test_data_folders_of_images_are_checked_by_their_listing(
    tmp_path: Path, said: str, splits: tuple[str, ...], extra: tuple[str, ...], codes: list[str]
) -> None:
    files = [f"{split}/{name}/{number}.jpg" for split in splits for name in ("cat", "dog") for number in range(40)]
    for file in (*files, *extra):
        path = tmp_path / "photos" / file
        (path if file.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not file.endswith("/"):
            path.touch()
    text = (
        f"data: {{dataset: {{image_folder: {{path: photos, image_size: [8, 8]}}}}, {said}}}\n"
        "model: {layers: [Flatten, Dense: {units: 2, activation: softmax}]}\n"
        f"train: {{optimizer: Adam, loss: {SPARSE}, epochs: 2}}\n"
    )
    try:
        found = check(str(tmp_path / "c.yaml"), text.encode(), ()).warnings
    except ConfigError as error:
        found = error.problems
    assert sorted(problem.code for problem in found) == sorted(codes)
    warnings = [problem.code for problem in found if problem.severity == "warning"]
    assert set(warnings) <= {"files", "splits"}


def test_data_folders_are_listed_once_in_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.jpg").touch()
    text = (
        "data: {dataset: {image_folder: {path: photos, image_size: [8, 8]}}, test: 0.5}\n"
        "model: {layers: [Flatten, Dense: {units: 2, activation: softmax}]}\n"
        f"train: {{optimizer: Adam, loss: {SPARSE}, epochs: 2}}\n"
    )
    listed: list[str] = []
    scandir = os.scandir

    def noted(path: Any) -> Any:
        listed.append(Path(path).name)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noted)
    for times in (1, 2):  # the next check looks again
        check(str(tmp_path / "c.yaml"), text.encode(), ())
        assert listed.count("cat") == times


@pytest.mark.parametrize(("dataset", "task"), [("mnist", "regression"), ("{synthetic: {task: regression}}", "array")])
def test_data_task_of_a_data_set_that_has_another_is_told(dataset: str, task: str) -> None:
    text = f"data: {{dataset: {dataset}, task: {task}}}\nmodel: {{layers: [Flatten]}}\n"
    text += "train: {optimizer: Adam, loss: mse, epochs: 1}\n"
    with pytest.raises(ConfigError) as caught:
        check("c.yaml", text.encode(), ())
    assert [problem.path for problem in caught.value.problems if problem.code == "data"] == [("data", "task")]


@pytest.mark.parametrize("given", ["d.npz", "./sub/../d.npz", "absolute"])
def test_data_paths_are_relative_to_the_file_that_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=TARGETS["number"])
    (tmp_path / "sub").mkdir()
    path = str(tmp_path / "d.npz") if given == "absolute" else given
    (tmp_path / "base.yaml").write_text(
        f"data: {{dataset: {{arrays: {{path: '{path}'}}}}, task: regression, test: 0.2}}\n"
        "model: {layers: [Flatten, Dense: {units: 1}]}\ntrain: {optimizer: Adam, loss: mse, epochs: 1}\n"
    )
    (tmp_path / "sub" / "over.yaml").write_text("extends: ../base.yaml\n")
    monkeypatch.chdir(tmp_path / "sub")
    for config in ("../base.yaml", "over.yaml"):
        plan = load(config)
        assert plan.spec.data.dataset.arguments["path"] == str(tmp_path / "d.npz")
    plan = load("../base.yaml", ["data.dataset.arrays.path=../d.npz"])  # relative to the directory
    assert plan.spec.data.dataset.arguments["path"] == str(tmp_path / "d.npz")
    assert load({"extends": "../base.yaml"}).spec == load("../base.yaml").spec.model_copy(update={"name": "config"})


def test_data_resolved_config_is_the_same_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=TARGETS["labels"])
    config = tmp_path / "c.yaml"
    config.write_text(
        "data: {dataset: {arrays: {path: d.npz}}, test: 0.2}\nmodel: {layers: " + LAYERS["classes"] + "}\n"
        "train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}\n"
    )
    plan = load(config)
    assert plan.spec.data.task == "classification"
    (tmp_path / "elsewhere").mkdir()
    resolved = tmp_path / "elsewhere" / "resolved.yaml"
    resolved.write_text(plan.resolved())
    assert load(resolved).spec == plan.spec


@pytest.mark.parametrize(
    ("units", "labels", "message"),
    [(2, np.arange(60) % 3, "3 classes"), (3, np.arange(60) % 3, ""), (7, np.arange(60) % 3, "3 classes")],
)
def test_data_number_of_classes_is_checked_when_it_is_read(
    tmp_path: Path, units: int, labels: np.ndarray, message: str
) -> None:
    from dltrain.engine.inputs import load_data

    np.savez(tmp_path / "d.npz", x=X, y=labels)
    plan = load(
        {
            "data": {"dataset": {"arrays": {"path": tmp_path / "d.npz"}}, "test": 0.2},
            "model": {"layers": ["Flatten", {"Dense": {"units": units, "activation": "softmax"}}]},
            "train": {"optimizer": "Adam", "loss": SPARSE, "epochs": 1},
        }
    )
    assert not plan.checked.warnings
    facts = load_data(plan.spec).facts
    if units < 3:
        with pytest.raises(ConfigError, match=message):
            plan.with_facts(facts)
    else:
        warnings = plan.with_facts(facts).checked.warnings
        assert bool(warnings) == bool(message)
        assert all(message in warning.message for warning in warnings)


def test_data_embedding_is_checked_against_the_highest_number(tmp_path: Path) -> None:
    from dltrain.engine.inputs import load_data

    np.savez(tmp_path / "d.npz", x=np.arange(120).reshape(60, 2), y=np.arange(60) % 2)
    config = {
        "data": {"dataset": {"arrays": {"path": tmp_path / "d.npz"}}, "test": 0.2, "task": "classification"},
        "model": {
            "layers": [
                {"Embedding": {"input_dim": 50, "output_dim": 2}},
                "Flatten",
                {"Dense": {"units": 1, "activation": "sigmoid"}},
            ]
        },
        "train": {"optimizer": "Adam", "loss": "binary_crossentropy", "epochs": 1},
    }
    plan = load(config)
    with pytest.raises(ConfigError, match="integers up to 119") as caught:
        plan.with_facts(load_data(plan.spec).facts)
    assert caught.value.problems[0].hint == "write `input_dim: 120`"
    fixed = load(config, ["model.layers.0.Embedding.input_dim=120"])
    assert fixed.with_facts(load_data(fixed.spec).facts).checked.warnings == ()


@pytest.mark.parametrize(
    "dataset", ["{arrays: {path: d.npz}}, task: classification", "{image_folder: {path: photos, image_size: [6, 3]}}"]
)
def test_data_is_checked_without_numpy_and_pillow(tmp_path: Path, dataset: str) -> None:
    import subprocess
    import sys

    np.savez(tmp_path / "d.npz", x=X, y=TARGETS["labels"])
    for number in range(60):
        (tmp_path / "photos" / str(number % 3)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / str(number % 3) / f"{number}.jpg").touch()
    (tmp_path / "c.yaml").write_text(
        f"data: {{dataset: {dataset}, test: 0.2}}\nmodel: {{layers: {LAYERS['classes']}}}\n"
        f"train: {{optimizer: Adam, loss: {SPARSE}, epochs: 1}}\n"
    )
    code = "import sys; from dltrain.config import load; load('c.yaml', strict=True); "
    code += "assert not {'numpy', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("top", [1, 200])
def test_data_reconstruction_of_shares_takes_a_loss_for_shares(tmp_path: Path, dtype: str, top: int) -> None:
    from dltrain.engine.inputs import load_data

    np.savez(tmp_path / "d.npz", x=np.full((60, 6, 3), top, dtype))
    config = {
        "data": {"dataset": {"arrays": {"path": tmp_path / "d.npz"}}, "task": "reconstruction", "test": 0.2},
        "model": {"layers": [{"Dense": {"units": 3, "activation": "sigmoid"}}]},
        "train": {"optimizer": "Adam", "loss": "binary_crossentropy", "epochs": 1},
    }
    plan = load(config, strict=True)
    facts = load_data(plan.spec).facts
    if dtype == "uint8" or top == 1:
        assert plan.with_facts(facts).checked.warnings == ()
    else:
        with pytest.raises(ConfigError, match="are numbers"):
            plan.with_facts(facts)


def test_data_images_up_to_255_are_told_when_they_are_read(tmp_path: Path) -> None:
    from dltrain.engine.inputs import load_data

    x = np.linspace(0, 255, 60 * 18, dtype=np.float32).reshape(60, 6, 3)
    np.savez(tmp_path / "d.npz", x=x, y=TARGETS["number"])
    config = {
        "data": {"dataset": {"arrays": {"path": tmp_path / "d.npz"}}, "task": "regression", "test": 0.2},
        "model": {"layers": ["Flatten", {"Dense": {"units": 1}}]},
        "train": {"optimizer": "Adam", "loss": "mse", "epochs": 1},
    }
    plan = load(config)
    (warning,) = plan.with_facts(load_data(plan.spec).facts).checked.warnings
    assert warning.hint == "write `scale: 0.00392157`"
    scaled = load(config, ["data.dataset.arrays.scale=0.00392157"])
    assert scaled.with_facts(load_data(scaled.spec).facts).checked.warnings == ()


def test_data_one_output_for_an_unknown_number_of_classes_is_told(tmp_path: Path) -> None:
    layers = "[Flatten, Dense: {units: 1, activation: sigmoid}]"
    (problem,) = problems(tmp_path, "test: 0.2", layers, SPARSE, x=X, y=TARGETS["labels"])
    assert (problem.code, problem.severity) == ("output-units", "error")
    assert "binary_crossentropy" in problem.hint


@pytest.mark.parametrize(("written", "hint"), [("data.npz", "arrays: {path: data.npz}"), ("x.npy", "path: x.npy")])
def test_data_file_as_a_data_set_is_mended(written: str, hint: str) -> None:
    text = f"data: {{dataset: {written}}}\nmodel: {{layers: [Flatten]}}\n"
    text += "train: {optimizer: Adam, loss: mse, epochs: 1}\n"
    with pytest.raises(ConfigError) as caught:
        check("c.yaml", text.encode(), ())
    assert any(hint in problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize(("axis", "told"), [(-1, False), (2, False), (0, True), (-3, True), (3, True)])
def test_data_axes_of_a_loss_count_the_steps_too(tmp_path: Path, axis: int, told: bool) -> None:
    loss = f"{{SparseCategoricalCrossentropy: {{axis: {axis}}}}}"
    arrays = {"x": X, "y": TARGETS["steps"]}
    found = problems(tmp_path, "task: sequence, test: 0.2", LAYERS["steps"], loss, **arrays)
    assert [problem.code for problem in found] == ["axis"] * told
