"""Runs on tables: every kind trains, resumes to the same bits, is evaluated and predicts in the original unit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import fingerprint, slow_but

import dltrain
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
    with pytest.raises(DataError, match="lacks values of `age` in line 2"):
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


def test_own_tables_without_a_header_keep_the_place_of_the_target(tmp_path: Path) -> None:
    rows = np.stack([np.arange(40) * 2.0, np.arange(40) % 7, np.arange(40)], axis=1)
    np.savetxt(tmp_path / "t.csv", rows, "%g", ",")
    source = {"csv": {"path": str(tmp_path / "t.csv"), "target": 0, "header": False}}
    config = {
        "data": {"dataset": source, "task": "regression", "test": 0.2},
        "model": {"layers": [{"Dense": {"units": 1}}]},
        "train": {"optimizer": "Adam", "loss": "mse", "epochs": 1},
    }
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    new = tmp_path / "new.csv"
    new.write_text("3,1\n")
    with pytest.raises(DataError, match="no column `2`") as raised:
        dltrain.predict(run, new)
    assert "the target empty" in raised.value.hint
    new.write_text(",3,1\n")
    assert len(dltrain.predict(run, new)) == 1
