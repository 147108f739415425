"""Predictions for new samples: the same as the evaluation's, in the order of the input, checked against the run."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.engine.test_own_data import CASES, config_of

import dltrain
from dltrain import runs
from dltrain.data.samples import paths_of, read_samples
from dltrain.engine import prediction
from dltrain.engine.answers import write, write_file
from dltrain.engine.events import Noted
from dltrain.engine.prediction import Predictions, predictor
from dltrain.engine.trained import open_run, trained_on
from dltrain.errors import DataError, RunError, UsageError


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, runs.Run]:
    found = {}
    for case in CASES:
        folder = tmp_path_factory.mktemp(case.replace(" ", "_"))
        found[case] = dltrain.fit(config_of(folder, case, epochs=1), runs_dir=folder / "runs")
    return found


def samples(folder: Path, case: str, **more: Any) -> Path:
    arrays: dict[str, Any] = {"x": CASES[case][0]["x"], **more}
    np.savez(folder / "new.npz", **arrays)
    return folder / "new.npz"


@pytest.mark.parametrize("case", CASES)
def test_prediction_is_that_of_the_saved_model(case: str, trained: dict[str, runs.Run], tmp_path: Path) -> None:
    found = dltrain.predict(trained[case], samples(tmp_path, case))
    x = CASES[case][0]["x"]
    scaled = x.astype(np.float32) * np.float32(1 / 255) if x.dtype == np.uint8 else x
    model = keras.models.load_model(trained[case].path / "model.keras")
    assert np.allclose(found.outputs, model.predict(scaled, verbose=0), atol=1e-6)
    assert found.inputs == [f"{tmp_path / 'new.npz'}:{row}" for row in range(90)]


def test_prediction_of_the_test_split_is_in_its_evaluation(trained: dict[str, runs.Run], tmp_path: Path) -> None:
    run = trained["classification"]
    rows = json.loads((run.path / "test_indices.json").read_text())
    arrays = CASES["classification"][0]
    path = samples(tmp_path, "classification", x=arrays["x"][rows])
    found = dltrain.predict(run, path)
    assert found.classes is not None
    with (run.path / "eval" / "predictions.csv").open() as file:
        evaluated = [row["prediction"] for row in csv.DictReader(file)]
    assert [found.names[index] for index in found.classes] == evaluated


def table(found: Predictions, top: int = 1) -> list[list[str]]:
    stream = io.BytesIO()
    assert write(stream, ".csv", [found], top) == len(found)
    return list(csv.reader(io.StringIO(stream.getvalue().decode())))


@pytest.mark.parametrize(
    ("case", "top", "header"),
    [
        ("classification", 1, "input,prediction,confidence"),
        ("classification", 2, "input,prediction,confidence,prediction_2,confidence_2"),
        ("classification", 9, "input,prediction,confidence,prediction_2,confidence_2,prediction_3,confidence_3"),
        ("whole numbers", 1, "input,prediction,confidence"),
        ("multi_label", 1, "input,prediction,confidence_0,confidence_1,confidence_2"),
        ("regression", 1, "input,prediction_0,prediction_1,prediction_2"),
        ("sequence", 1, "input,step,prediction,confidence"),
    ],
)
def test_prediction_table_begins_with_input_and_answer(
    case: str, top: int, header: str, trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    found = dltrain.predict(trained[case], samples(tmp_path, case))
    rows = table(found, top)
    assert ",".join(rows[0]) == header
    assert len(rows) == 1 + 90 * (6 if case == "sequence" else 1)
    assert rows[1][0] == f"{tmp_path / 'new.npz'}:0"


def test_prediction_lists_the_likeliest_classes_first(trained: dict[str, runs.Run], tmp_path: Path) -> None:
    found = dltrain.predict(trained["classification"], samples(tmp_path, "classification"))
    for row, outputs in zip(table(found, 3)[1:], found.outputs, strict=True):
        order = np.argsort(-outputs, kind="stable")
        assert row[1::2] == [found.names[index] for index in order]
        assert [float(value) for value in row[2::2]] == pytest.approx(outputs[order].tolist(), rel=1e-5)


@pytest.mark.parametrize("threshold", [0.001, 0.999])
@pytest.mark.parametrize("case", ["whole numbers", "multi_label"])
def test_prediction_threshold_decides_yes_or_no(
    case: str, threshold: float, trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    told: list[Any] = []
    found = dltrain.predict(trained[case], samples(tmp_path, case), threshold=threshold, on_event=told.append)
    assert found.classes is not None
    assert set(np.unique(found.classes)) == {int(threshold < 0.5)}
    notes = [event.text for event in told if isinstance(event, Noted)]
    assert notes == ([f"above {threshold:g}, the answer is `{found.names[1]}`"] if case == "whole numbers" else [])


SCORED = ["accuracy", "Precision", "Recall", "FalsePositives", {"F1Score": {"threshold": 0.5, "average": "micro"}}]
KEPT = [{"Recall": {"thresholds": 0.9, "name": "strict"}}, {"Recall": {"thresholds": [0.2, 0.8], "name": "two"}}, "AUC"]


@pytest.mark.parametrize("kind", ["probabilities", "logits", "labels"])
def test_prediction_threshold_is_that_of_the_metrics_too(kind: str, tmp_path: Path) -> None:
    """Metrics of the answers move with them; loss, AUC and metrics with thresholds of their own do not."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)).astype(np.float32)
    y = x + rng.normal(size=(200, 3)) > 0.4
    y = y if kind == "labels" else y[:, 0].astype(int)
    np.savez(tmp_path / "new.npz", x=x, y=y)
    from_zero = {"BinaryAccuracy": {"threshold": 0, "name": "accuracy"}}
    scored = [{name: {"thresholds": 0}} for name in ("Precision", "Recall", "FalsePositives")]
    metrics: list[Any] = SCORED + KEPT if kind != "logits" else [from_zero, *scored]
    metrics = [{"BinaryAccuracy": {"name": "accuracy"}}, *metrics[1:]] if kind == "labels" else metrics
    loss = {"BinaryCrossentropy": {"from_logits": kind == "logits"}}
    output = {"units": 3 if kind == "labels" else 1, "activation": "linear" if kind == "logits" else "sigmoid"}
    config = {
        "data": {
            "dataset": {"arrays": {"path": tmp_path / "new.npz"}},
            "task": "multi_label" if kind == "labels" else "classification",
            "test": 0.2,
        },
        "model": {"layers": [{"Dense": output}]},
        "train": {"optimizer": {"Adam": {"learning_rate": 0.05}}, "loss": loss, "metrics": metrics, "epochs": 5},
    }
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    events: list[Any] = []
    found = dltrain.predict(run, tmp_path / "new.npz", threshold=0.3, on_event=events.append)
    kept = "`precision`, `recall`, `false_positives` of logits cannot count at 0.3"
    assert (kept in str(events)) == (kind == "logits")
    scores = []
    for threshold in (None, 0.3):
        with predictor(run, [tmp_path / "new.npz"], threshold=threshold) as opened:
            scores.append(opened.score() or {})
    usual, moved = scores
    yes, held = np.asarray(found.classes).astype(bool), y.astype(bool)
    hits = (yes & held).sum()
    expected = {
        "accuracy": (yes == held).mean(),
        "precision": hits / yes.sum(),
        "recall": hits / held.sum(),
        "false_positives": (yes & ~held).sum(),
        "f1_score": 2 * hits / (yes.sum() + held.sum()),
    }
    told = {name: value for name, value in expected.items() if kind != "logits" or name == "accuracy"}
    assert moved == pytest.approx(usual | told, rel=1e-5)
    assert all(usual[name] != pytest.approx(value) for name, value in told.items())


@pytest.mark.parametrize(
    ("case", "threshold", "message"),
    [
        ("classification", 0.3, "answers of yes or no"),
        ("regression", 0.3, "answers of yes or no"),
        ("whole numbers", 1.5, "makes no sense"),
    ],
)
def test_prediction_threshold_that_cannot_act_is_told(
    case: str, threshold: float, message: str, trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        dltrain.predict(trained[case], samples(tmp_path, case), threshold=threshold)


IMAGES, STEPS, WORDS = (CASES[case][0]["x"] for case in ("classification", "regression", "whole numbers"))


@pytest.mark.parametrize(
    ("case", "x", "message"),
    [
        ("classification", IMAGES[0], "a single sample"),
        ("classification", IMAGES[:, :5], r"are \(5, 6, 1\), those of the run are \(6, 6, 1\)"),
        ("classification", IMAGES / 255, "are float64, those of the run are uint8"),
        ("classification", IMAGES[:0], "is empty"),
        ("classification", IMAGES.astype(str), "are strings"),
        ("regression", (STEPS * 100).astype(np.uint8), "those of the run are float32"),
        ("regression", np.where(STEPS > 2, np.nan, STEPS), "NaN"),
        ("whole numbers", WORDS + 3000, "the model takes 0 to 2,999"),
        ("whole numbers", WORDS.astype(float), "those of the run are int64"),
    ],
)
def test_prediction_samples_unlike_those_of_the_training_are_told(
    case: str, x: np.ndarray, message: str, trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        dltrain.predict(trained[case], samples(tmp_path, case, x=x))


@pytest.mark.parametrize("names", [["1", "0"], ["7", "3"], None])
def test_prediction_reads_labels_as_the_training_did(tmp_path: Path, names: list[str] | None) -> None:
    """Whole numbers are places in a list of names, even where the names are numbers."""
    labels = (STEPS.mean((1, 2)) > 0).astype(int) + (5 if names is None else 0)
    config = config_of(tmp_path, "regression", epochs=1, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    config["model"]["layers"] = ["Flatten", {"Dense": {"units": 2, "activation": "softmax"}}]
    np.savez(tmp_path / "d.npz", x=STEPS, y=labels)
    config["data"] |= {"dataset": {"arrays": {"path": tmp_path / "d.npz", "classes": names}}, "task": "classification"}
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    rows = json.loads((run.path / "test_indices.json").read_text())
    np.savez(tmp_path / "new.npz", x=STEPS[rows], y=labels[rows])
    with prediction.predictor(run, [tmp_path / "new.npz"]) as opened:
        scores = opened.score()
        del opened
    assert scores is not None
    assert run.record().metrics["test_accuracy"] == pytest.approx(scores["accuracy"])


@pytest.mark.parametrize(
    ("case", "y", "message"),
    [
        ("multi_label", np.zeros(90), r"the shape \(\) a sample"),
        ("multi_label", np.zeros((90, 1)), r"the shape \(1,\) a sample"),
        ("regression", np.zeros(90), r"the shape \(\) a sample"),
        ("regression", np.full((90, 3), "1"), "holds strings"),
        ("sequence", np.zeros(90, int), r"the shape \(\) a sample"),
        ("classification", np.eye(7)[np.arange(90) % 7], r"the shape \(7,\) a sample"),
        ("classification", np.array(["horse"] * 90), "labels that are no class: horse"),
        ("array", np.zeros((90, 6, 3), np.float32), "were uint8 in training"),
        ("regression", np.zeros((80, 3)), "90 samples, but"),
    ],
)
def test_prediction_targets_unlike_those_of_the_training_are_told(
    case: str, y: np.ndarray, message: str, trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        dltrain.predict(trained[case], samples(tmp_path, case, y=y))


def test_prediction_of_a_model_that_was_made_larger_is_refused_before_it_is_built(
    trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    from tests.helpers import copied

    run = copied(trained["regression"], tmp_path)
    written = json.loads((run.path / "preprocess.json").read_text())
    written["facts"]["shape"] = [1_000_000, 3]
    (run.path / "preprocess.json").write_text(json.dumps(written))
    with pytest.raises(RunError, match="weights, and would have"):
        dltrain.evaluate(run)


def test_prediction_needs_to_know_which_array_has_the_samples(trained: dict[str, runs.Run], tmp_path: Path) -> None:
    np.savez(tmp_path / "new.npz", a=STEPS, b=STEPS)
    with pytest.raises(DataError, match=r"which array of .* has the samples"):
        dltrain.predict(trained["regression"], tmp_path / "new.npz")
    np.save(tmp_path / "anything.npy", STEPS)
    assert len(dltrain.predict(trained["regression"], tmp_path / "anything.npy")) == 90


@pytest.mark.parametrize(
    ("x", "y", "labelled"),
    [
        ("x", "y", True),
        ("images", "labels", True),
        ("test_images", "test_labels", True),
        ("new_data", "new_targets", True),
        ("X_new", "Y_new", True),
        ("x_test", "z", False),
        ("foto", "y", True),
    ],
)
def test_prediction_finds_the_targets_of_the_samples(
    x: str, y: str, labelled: bool, trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    arrays: dict[str, Any] = {x: STEPS, y: STEPS.mean(1)}
    np.savez(tmp_path / "new.npz", **arrays)
    with prediction.predictor(trained["regression"], [tmp_path / "new.npz"]) as opened:
        assert (opened.score() is not None) == labelled
        del opened


@pytest.mark.parametrize("said", [{"x_train": "arr_0", "y_train": "arr_1"}, {"x_test": "arr_0.npy", "y_test": "arr_1"}])
def test_prediction_finds_arrays_by_the_names_that_the_config_says(
    said: dict[str, str], trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    np.savez(tmp_path / "new.npz", STEPS, STEPS.mean(1), STEPS + 1)  # the third would fit as well
    like = trained_on(open_run(trained["regression"], runs_dir="runs"))
    found = read_samples(tmp_path / "new.npz", like, said)
    assert found.labelled
    assert np.array_equal(np.asarray(found.split.x), STEPS)


def test_prediction_takes_several_files_in_order(
    trained: dict[str, runs.Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "_CHUNK", 37)
    for name, rows in (("b", STEPS[:50]), ("a", STEPS[50:])):
        np.save(tmp_path / f"{name}.npy", rows)
    found = dltrain.predict(trained["regression"], [tmp_path / "b.npy", str(tmp_path / "a.npy")])
    assert [Path(found.inputs[row]).name for row in (0, 50, -1)] == ["b.npy:0", "a.npy:0", "a.npy:39"]
    whole = dltrain.predict(trained["regression"], samples(tmp_path, "regression"))
    assert np.allclose(found.outputs, whole.outputs, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_prediction_of_labelled_samples_is_scored(case: str, trained: dict[str, runs.Run], tmp_path: Path) -> None:
    run, arrays = trained[case], CASES[case][0]
    rows = json.loads((run.path / "test_indices.json").read_text())
    np.savez(tmp_path / "new.npz", **{name: array[rows] for name, array in arrays.items()})
    with prediction.predictor(run, [tmp_path / "new.npz"]) as opened:
        scores = opened.score()
        del opened
    assert scores is not None
    for name, value in scores.items():
        assert run.record().metrics[f"test_{name}"] == pytest.approx(value, rel=1e-4)


def test_prediction_of_logits_has_probabilities(tmp_path: Path) -> None:
    config = config_of(tmp_path, "classification", epochs=1, loss={SPARSE: {"from_logits": True}})
    config["model"]["layers"] = ["Flatten", {"Dense": {"units": 3}}]
    found = dltrain.predict(dltrain.fit(config, runs_dir=tmp_path / "runs"), samples(tmp_path, "classification"))
    assert np.allclose(found.outputs.sum(axis=1), 1, atol=1e-5)
    assert found.probabilities


SPARSE = "SparseCategoricalCrossentropy"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".npz"])
def test_prediction_files_are_whole_and_say_the_same(suffix: str, trained: dict[str, runs.Run], tmp_path: Path) -> None:
    found = dltrain.predict(trained["classification"], samples(tmp_path, "classification"))
    path = tmp_path / f"out{suffix}"
    path.write_text("before")
    assert write_file(path, [found], 1) == 90
    assert found.classes is not None
    names = [found.names[index] for index in found.classes]
    if suffix == ".npz":
        with np.load(path) as arrays:
            assert [arrays["names"][index] for index in arrays["prediction"]] == names
            assert np.array_equal(arrays["output"], found.outputs)
    elif suffix == ".jsonl":
        assert [json.loads(line)["prediction"] for line in path.read_text().splitlines()] == names
    else:
        assert [row[1] for row in csv.reader(path.open())][1:] == names
    assert {other.name for other in tmp_path.iterdir()} == {"new.npz", path.name}


def test_prediction_file_is_kept_where_predicting_fails(trained: dict[str, runs.Run], tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    found = dltrain.predict(trained["array"], samples(tmp_path, "array"))
    wide = Predictions(found.inputs, found.outputs[..., None], None, (), False)
    with pytest.raises(UsageError, match="are no table"):
        write_file(path, [wide], 1)
    assert path.read_text() == "before"
    assert {other.name for other in tmp_path.iterdir()} == {"new.npz", "out.csv"}
    with pytest.raises(UsageError, match="no known format"):
        write_file(tmp_path / "out.txt", [found], 1)
    with pytest.raises(UsageError, match="does not exist"):
        write_file(tmp_path / "nowhere" / "out.csv", [found], 1)


def test_prediction_of_a_run_that_does_not_say_what_samples_are_like(
    trained: dict[str, runs.Run], tmp_path: Path
) -> None:
    from tests.helpers import copied

    run = copied(trained["regression"], tmp_path)
    written = json.loads((run.path / "preprocess.json").read_text())
    for samples_ in (None, {"dtype": "object", "scale": 1.0}, {"dtype": "float32", "scale": "x"}):
        (run.path / "preprocess.json").write_text(json.dumps(written | {"samples": samples_}))
        with pytest.raises(RunError, match=r"does not say what (its )?samples are like"):
            dltrain.predict(run, tmp_path)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/1.jpg", ["photos/cat/1.jpg", "photos/dog/1.jpg"]),
        ("photos/**", ["photos/cat/1.jpg", "photos/dog/1.jpg", "photos/dog/2.jpg"]),
        ("photos/**/[2-9].jp*", ["photos/dog/2.jpg"]),
        ("photos/d**/1.jpg", ["photos/dog/1.jpg"]),
        ("photos/*/1.jpg", ["photos/cat/1.jpg", "photos/dog/1.jpg"]),
        ("photos/.old/**/*.jpg", ["photos/.old/3.jpg"]),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_prediction_patterns_find_files_and_follow_no_circle_of_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, found: list[str], absolute: bool
) -> None:
    for name in ("cat/1.jpg", "dog/1.jpg", "dog/2.jpg", ".old/3.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    for name in ("up", "cat/up", "dog/up", "dog/again"):  # as glob follows them, 2 ** 40 folders
        (tmp_path / "photos" / name).symlink_to("..")
    monkeypatch.chdir(tmp_path)
    root = tmp_path if absolute else Path()
    assert paths_of([root / pattern]) == [root / name for name in found]
