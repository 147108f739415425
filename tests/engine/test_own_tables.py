"""Runs on tables: every kind trains, resumes to the same bits, is evaluated and predicts in the original unit."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import fingerprint, slow_but

import dltrain
from dltrain.engine.events import Warned
from dltrain.engine.prediction import predictor
from dltrain.errors import ConfigError, DataError, RunError

RNG = np.random.default_rng(11)
COUNT = 120
AGES = RNG.integers(18, 80, COUNT)
PLACES = RNG.choice(["Ulm", "Bonn", "Köln"], COUNT)
WAGES = 100.0 * AGES + 500 * (PLACES == "Bonn") + RNG.normal(0, 50, COUNT)
CASES: dict[str, tuple[dict[str, Any], list[Any], str, list[Any]]] = {
    "classification": (
        {"target": "kind", "drop": ["wage", "old"], "scale": "standard"},
        [{"Dense": {"units": 2, "activation": "softmax"}}],
        "sparse_categorical_crossentropy",
        ["accuracy"],
    ),
    "regression": (
        {"target": "wage", "drop": ["kind", "old", "rich"], "scale": {"age": "minmax"}, "target_scale": "standard"},
        [{"Dense": {"units": 1}}],
        "mse",
        ["mae", "R2Score"],
    ),
    "multi_label": (
        {"target": ["old", "rich"], "features": ["age", "place"], "scale": "log"},
        [{"Dense": {"units": 2, "activation": "sigmoid"}}],
        "binary_crossentropy",
        ["BinaryAccuracy"],
    ),
    "reconstruction": ({"features": ["age", "place"], "scale": "standard"}, [{"Dense": {"units": 4}}], "mse", ["mae"]),
}


def table(path: Path, rows: slice = slice(None), columns: tuple[str, ...] = ()) -> Path:
    found = {
        "age": AGES,
        "place": PLACES,
        "wage": WAGES.round(2),
        "kind": np.where(WAGES > 5000, "rich", "poor"),
        "old": (AGES > 50).astype(int),
        "rich": (WAGES > 5000).astype(int),
    }
    names = columns or tuple(found)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *zip(*(found[name][rows].tolist() for name in names), strict=True)])
    return path


def config_of(folder: Path, case: str, epochs: int = 2, **more: Any) -> dict[str, Any]:
    arguments, layers, loss, metrics = CASES[case]
    dataset = {"path": table(folder / "t.csv"), "categorical": ["place"], **arguments}
    return {
        "data": {"dataset": {"csv": dataset}, "task": case, "test": 0.2, "validation": 0.2},
        "model": {"layers": layers},
        "train": {"optimizer": "Adam", "loss": loss, "metrics": metrics, "epochs": epochs, "batch_size": 16} | more,
    }


def recorded(run: Any) -> Any:
    return json.loads((run.path / "preprocess.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", slow_but(["regression", "multi_label"], CASES))
def test_own_tables_train_resume_and_are_evaluated(case: str, tmp_path: Path) -> None:
    whole = dltrain.fit(config_of(tmp_path, case, 4), runs_dir=tmp_path / "a")
    part = dltrain.fit(config_of(tmp_path, case, 2), runs_dir=tmp_path / "b")
    resumed = dltrain.resume(part, {"train.epochs": 4}, runs_dir=tmp_path / "b")
    assert fingerprint(whole) == fingerprint(resumed)
    measured = dltrain.evaluate(whole).metrics
    assert measured == {name[5:]: value for name, value in whole.record().metrics.items() if name.startswith("test_")}
    assert recorded(whole)["learnt"] == recorded(resumed)["learnt"]


def test_own_tables_tell_metrics_and_predictions_in_the_original_unit(tmp_path: Path) -> None:
    config = config_of(tmp_path, "regression", 10, optimizer={"Adam": {"learning_rate": 0.05}}, batch_size=5)
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    rows = list(csv.DictReader((run.path / "eval" / "predictions.csv").open(encoding="utf-8")))
    truth, guess = (np.array([float(row[key]) for row in rows]) for key in ("target", "prediction"))
    assert sorted(truth.tolist()) == pytest.approx(
        sorted(WAGES[json.loads((run.path / "test_indices.json").read_text())].round(2)), rel=1e-4
    )
    metrics = run.record().metrics
    assert metrics["test_mae"] == pytest.approx(np.abs(truth - guess).mean(), rel=1e-4)
    residual, total = ((truth - guess) ** 2).sum(), ((truth - truth.mean()) ** 2).sum()
    assert metrics["test_r2_score"] == pytest.approx(1 - residual / total, rel=1e-3)
    assert metrics["test_mae"] > 20 * metrics["test_loss"]  # the loss is that of the scaled targets
    answers = dltrain.predict(run, table(tmp_path / "new.csv", slice(0, 9), ("place", "age")))
    np.testing.assert_allclose(answers.outputs[:, 0], WAGES[:9], atol=2500)


def test_own_tables_predict_from_the_columns_in_any_order(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "classification"), runs_dir=tmp_path / "runs")
    names = ("rich", "place", "age")
    first = dltrain.predict(run, table(tmp_path / "new.csv", slice(0, 7), names))
    again = dltrain.predict(run, table(tmp_path / "other.csv", slice(0, 7), names[::-1]))
    assert np.array_equal(first.outputs, again.outputs)
    assert first.names == ("poor", "rich")


def test_own_tables_new_rows_unlike_those_of_the_training_are_told(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "classification"), runs_dir=tmp_path / "runs")
    new = tmp_path / "new.csv"
    told: list[Any] = []
    new.write_text("age,place,rich\n30,Bonn,0\nold,Ulm,0\n")
    with pytest.raises(DataError, match="`age`: 'old' in line 3"):
        dltrain.predict(run, new)
    new.write_text("years,place,rich\n30,Bonn,0\n")
    with pytest.raises(DataError, match="no column `age`"):
        dltrain.predict(run, new)
    new.write_text("30,40,0\n")
    with pytest.raises(DataError, match="no names, but numbers") as raised:
        dltrain.predict(run, new)
    assert "the same header" in raised.value.hint
    new.write_text("age,place,rich,kind\n30,Bonn,0,?\n")
    with pytest.raises(DataError, match="no class of the training: ") as raised:
        dltrain.predict(run, new)
    assert "leave these rows out" in raised.value.hint
    new.write_text("age,place,rich\n,Bonn,0\n")
    with pytest.raises(DataError, match="nothing stands since the training: `age` in line 2"):
        dltrain.predict(run, new)
    new.write_text("age,place,rich\n30,Mainz,0\n")
    dltrain.predict(run, new, on_event=told.append)
    assert "training did not have: Mainz; it had " in str(told)


def test_own_tables_that_have_changed_are_not_evaluated(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "classification"), runs_dir=tmp_path / "runs")
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    (tmp_path / "t.csv").write_text(text.replace(f"\n{AGES[5]},", f"\n{AGES[5] + 1},"), encoding="utf-8")
    with pytest.raises(RunError, match="no longer the one"):
        dltrain.evaluate(run)


def test_own_tables_models_of_another_width_are_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, "classification")  # an age, three places, rich
    config["model"]["layers"] = [{"Reshape": {"target_shape": [6]}}, *config["model"]["layers"]]
    with pytest.raises(ConfigError, match="Reshape"):
        dltrain.fit(config, runs_dir=tmp_path / "runs")


def test_own_tables_weights_of_zero_leave_samples_out_of_the_loss(tmp_path: Path) -> None:
    """Labels of half the samples are nonsense, and weigh nothing."""
    rows = [(i / 30, int(i > 15), 1) for i in range(30)] + [(i / 30, int(i <= 15), 0) for i in range(30)]
    path, test = tmp_path / "mine.csv", tmp_path / "test.csv"
    path.write_text("a,y,w\n" + "".join(f"{a},{y},{w}\n" for a, y, w in rows))
    test.write_text("a,y,w\n" + "".join(f"{a},{y},{w}\n" for a, y, w in rows[:30]))
    config = config_of(tmp_path, "classification", 6, optimizer={"Adam": {"learning_rate": 0.1}}, batch_size=2)
    reached = []
    for weight in ("w", None):
        more = {"sample_weight": weight} if weight else {"drop": "w"}
        dataset = {"csv": {"path": path, "target": "y", "path_test": test, "scale": "standard"} | more}
        config["data"] = {"dataset": dataset, "task": "classification", "validation": 0}
        reached.append(dltrain.fit(config, runs_dir=tmp_path / "runs").record().metrics["test_accuracy"])
    assert reached[0] > 0.9 > reached[1]


@pytest.mark.parametrize("target", [0, 1])
def test_own_tables_without_a_header_keep_the_place_of_the_target(target: int, tmp_path: Path) -> None:
    rows = np.stack([np.arange(40) * 2.0, np.arange(40) % 7, np.arange(40), np.zeros(40)], axis=1)
    np.savetxt(tmp_path / "t.csv", rows, "%g", ",")
    source = {"csv": {"path": str(tmp_path / "t.csv"), "target": target, "drop": [3], "header": False}}
    config = {
        "data": {"dataset": source, "task": "regression", "test": 0.2},
        "model": {"layers": [{"Dense": {"units": 1}}]},
        "train": {"optimizer": "Adam", "loss": "mse", "epochs": 1},
    }
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    new = tmp_path / "new.csv"
    for text, columns in (("3,1,0\n", 3), ("3,1,0,0,0\n", 5)):
        new.write_text(text)
        with pytest.raises(
            DataError, match=f"has {columns} columns without a header, and the .* training 4$"
        ) as raised:
            dltrain.predict(run, new)
        assert "the target empty" in raised.value.hint
    new.write_text(",3,1,0\n" if target == 0 else "3,,1,0\n")
    answer = dltrain.predict(run, new)
    assert len(answer) == 1
    preprocess = run.path / "preprocess.json"
    written = recorded(run)
    del written["learnt"]["table"]["places"]  # as older versions have it
    preprocess.write_text(json.dumps(written))
    assert np.array_equal(dltrain.predict(run, new).outputs, answer.outputs)
    new.write_text("3,1\n")
    with pytest.raises(DataError, match="no column `2`"):
        dltrain.predict(run, new)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("large")
    return dltrain.fit(config_of(folder, "classification"), runs_dir=folder / "runs")


def saved(path: Path, rows: list[str], header: str = "age,place,rich,kind") -> Path:
    if path.suffix == ".parquet":
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        columns = zip(*(row.split(",") for row in rows), strict=True)
        cells = dict(zip(header.split(","), columns, strict=True))
        typed = {name: list(map(float, cells[name])) if name in ("age", "rich") else cells[name] for name in cells}
        parquet.write_table(arrow.table(typed), path)
    else:
        path.write_text("\n".join([header, *rows]) + "\n")
    return path


def rows_of(count: int) -> list[str]:
    return [
        f"{20 + row % 50},{['Ulm', 'Bonn'][row % 2]},{row % 3 % 2},{['poor', 'rich'][row % 2]}" for row in range(count)
    ]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some hundred rows are as large ones: they come in parts."""
    monkeypatch.setattr("dltrain.data.tables.new_rows._PART", 0)
    monkeypatch.setattr("dltrain.data.tables.csv_file._BLOCK", 500)


def predicted(run: Any, inputs: list[Path], told: list[Any]) -> tuple[dltrain.Predictions, dict[str, float] | None]:
    with predictor(run, inputs, on_event=told.append) as opened:
        parts, score = list(opened), opened.score()
        del opened
    names = [name for part in parts for name in part.inputs]
    return replace(parts[0], inputs=names, outputs=np.concatenate([part.outputs for part in parts])), score


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_own_tables_large_files_are_predicted_and_scored_as_small_ones(
    suffix: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = (saved(tmp_path / f"{name}{suffix}", rows_of(count)) for name, count in (("s", 9), ("l", 900)))
    if suffix == ".parquet":
        run = dltrain.fit(parquet_of(config_of(tmp_path, "classification"), tmp_path), runs_dir=tmp_path / "runs")
    whole, score = predicted(run, [small, large], [])
    monkeypatch.setattr("dltrain.data.tables.new_rows._PART", 0)
    monkeypatch.setattr("dltrain.data.tables.csv_file._BLOCK", 500)
    parts, again = predicted(run, [small, large], [])
    assert parts.inputs == whole.inputs == [f"{small}:{r}" for r in range(9)] + [f"{large}:{r}" for r in range(900)]
    assert np.array_equal(parts.outputs, whole.outputs)
    assert score is not None
    assert again == score


def parquet_of(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    lines = table(folder / "t.csv", columns=("age", "place", "rich", "kind")).read_text(encoding="utf-8").splitlines()
    path = saved(folder / "t.parquet", lines[1:])
    arguments = {key: value for key, value in config["data"]["dataset"]["csv"].items() if key != "drop"}
    return config | {"data": config["data"] | {"dataset": {"parquet": arguments | {"path": path}}}}


@pytest.mark.parametrize(
    ("place", "row", "message"),
    [
        (700, "old,Ulm,0,poor", "`age`: 'old' in line 702"),
        (700, ",Ulm,0,poor", "since the training: `age` in line 702"),
        (700, "30,Ulm,0", "line 702 has 3"),
        (700, "1e200,Ulm,0,poor", "beyond the range"),
        (700, "30,Ulm,0,both", "no class of the training: `both`, in line 702"),
    ],
)
@pytest.mark.usefixtures("small_parts")
def test_own_tables_large_files_are_checked_before_the_first_answer(
    place: int, row: str, message: str, run: Any, tmp_path: Path
) -> None:
    rows = rows_of(900)
    rows[place] = row
    with pytest.raises(DataError, match=message), predictor(run, [saved(tmp_path / "new.csv", rows)]):
        pytest.fail("it is opened")


@pytest.mark.usefixtures("small_parts")
def test_own_tables_large_files_tell_all_wrong_cells_and_categories_at_once(run: Any, tmp_path: Path) -> None:
    rows = rows_of(900)
    for place in (5, 300, 899):
        rows[place] = f"x{place},Ulm,0,poor"
    with pytest.raises(DataError, match=r"'x5' in line 7, 'x300' in line 302, 'x899' in line 901$"):
        dltrain.predict(run, saved(tmp_path / "new.csv", rows))
    rows = rows_of(900)
    rows[4], rows[800] = "30,Mainz,0,poor", "30,Trier,0,poor"
    told: list[Any] = []
    assert len(predicted(run, [saved(tmp_path / "new.csv", rows)], told)[0]) == 900
    assert "did not have: Mainz, Trier; it had" in str(told)


@pytest.mark.parametrize(
    ("files", "notes"),
    [
        (["age,place,rich,kind\n30,Ulm,0,poor\n"], []),
        (["age,place,rich,kind\n30,Ulm,0,\n"], []),
        (["age,place,rich,kind\n30,Ulm,0,poor\n31,Ulm,0,\n32,Ulm,1,?\n"], ["0.csv lacks `kind` in 1 of 3 rows, so"]),
        (
            ["age,place,rich,kind\n30,Ulm,0,poor\n", "age,place,rich\n30,Ulm,0\n"],
            ["1 of 2 inputs have no targets, so nothing is scored: "],
        ),
    ],
)
def test_own_tables_in_part_without_targets_are_told(
    files: list[str], notes: list[str], run: Any, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{place}.csv" for place in range(len(files))]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text)
    told: list[Any] = []
    _, score = predicted(run, paths, told)
    found = [problem.message for event in told if isinstance(event, Warned) for problem in event.problems]
    assert len(found) == len(notes)
    assert all(note in message for note, message in zip(notes, found, strict=True))
    assert (score is not None) == (len(files) == 1 and not notes and files[0].endswith("poor\n"))


def test_own_tables_in_part_with_columns_of_targets_are_told(tmp_path: Path) -> None:
    run = dltrain.fit(config_of(tmp_path, "multi_label"), runs_dir=tmp_path / "runs")
    (tmp_path / "new.csv").write_text("age,place,old\n30,Ulm,0\n40,Bonn,1\n")
    told: list[Any] = []
    assert predicted(run, [tmp_path / "new.csv"], told)[1] is None
    assert "lacks `rich` in 2 of 2 rows, so it is predicted and not scored" in str(told)


@pytest.mark.parametrize(("rule", "categories"), [("drop", 2), ("mean", 3)])
def test_own_tables_the_check_counts_the_categories_of_rows_that_are_kept(
    rule: str, categories: int, tmp_path: Path
) -> None:
    rows = ["a,town,kind", *("1,Ulm,x\n2,Bonn,y" for _ in range(20)), "3,,x", "3,,y", "3,,x", ",,y", "5,Jena,"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    arguments = {"path": str(tmp_path / "t.csv"), "target": "kind", "categorical": ["town"], "missing": rule}
    layers = [{"Reshape": {"target_shape": [1 + categories, 1]}}, "Flatten"]
    config = {
        "data": {"dataset": {"csv": arguments}, "task": "classification", "test": 0.2},
        "model": {"layers": [*layers, {"Dense": {"units": 2, "activation": "softmax"}}]},
        "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 1},
    }
    assert dltrain.describe_data(config).shape == (1 + categories,)
