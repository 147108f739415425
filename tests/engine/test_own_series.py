"""Runs on series: they train on both feeds, resume to the same bits, and forecast."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import ROOT, Command, fingerprint, slow_but

import dltrain
from dltrain import runs
from dltrain.engine.answers import write
from dltrain.engine.prediction import predictor
from dltrain.engine.trained import restored
from dltrain.errors import ConfigError, DataError, UsageError

RNG = np.random.default_rng(4)
KINDS = ["low", "mid", "top"]
LEVELS = np.stack([50 + 10 * np.sin(np.arange(160) / 3), 5 + np.cumsum(RNG.normal(0, 0.1, 160))], axis=1)
DENSE = ["Flatten", {"Dropout": {"rate": 0.1}}, {"Dense": {"units": 4}}]
STEPS = [{"LSTM": {"units": 4, "return_sequences": True}}, {"Dense": {"units": 2}}]
CASES: dict[str, tuple[dict[str, Any], str, list[Any], str]] = {
    "regression": ({"horizon": 2}, "regression", DENSE, "mse"),
    "one of two": ({"target": "a"}, "regression", ["Flatten", {"Dense": {"units": 1}}], "mse"),
    "sequence": ({"horizon": 6, "shift": -4}, "sequence", STEPS, "mse"),
    "classification": (
        {"target": "kind"},
        "classification",
        ["Flatten", {"Dense": {"units": 3, "activation": "softmax"}}],
        "sparse_categorical_crossentropy",
    ),
    "labels": (
        {"target": "kind", "classes": KINDS},
        "sequence",
        [STEPS[0], {"Dense": {"units": 3, "activation": "softmax"}}],
        "sparse_categorical_crossentropy",
    ),
    "reconstruction": ({"drop": "kind"}, "reconstruction", [{"Dense": {"units": 2}}], "mse"),
}


def table(folder: Path, values: np.ndarray = LEVELS, name: str = "s.csv", groups: bool = True) -> Path:
    """Write two series, one after the other, with times and a label."""
    rows = [["who", "t", "kind", "a", "b"]]
    half = len(values) // 2
    for place, (a, b) in enumerate(values.tolist()):
        who = "x" if place < half or not groups else "y"
        rows.append([who, str(place % half if groups else place), KINDS[int(a // 10) % 3], str(a), str(b)])
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    return path


def config_of(folder: Path, case: str = "regression", **train: Any) -> dict[str, Any]:
    arguments, task, layers, loss = CASES[case]
    dropped = {} if "kind" in arguments.values() else {"drop": "kind"}
    series = {"path": table(folder), "group": "who", "time": "t", "sequence_length": 6, "scale": "standard"}
    return {
        "data": {"dataset": {"series": {**series, **dropped, **arguments}}, "task": task, "test": 0.2},
        "model": {"layers": layers},
        "train": {
            "optimizer": {"Adam": {"learning_rate": 0.01}},
            "loss": loss,
            "metrics": ["accuracy" if loss.startswith("sparse") else "mae"],
            "epochs": 2,
            "batch_size": 16,
            **train,
        },
    }


class Trained:
    """Runs that are trained once, for tests that only read them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._known = folder, dict[str, runs.Run]()

    def __call__(self, case: str) -> runs.Run:
        if case not in self._known:
            self._known[case] = dltrain.fit(config_of(self.folder, case), runs_dir=self.folder / case)
        return self._known[case]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.mark.parametrize("case", slow_but(["sequence", "classification"], ["regression", "sequence", "classification"]))
def test_own_series_resume_and_are_evaluated(tmp_path: Path, trained: Trained, case: str) -> None:
    whole = trained(case)
    assert whole.record().runtime.feed == "stream"
    short = dltrain.fit(config_of(trained.folder, case), {"train.epochs": 1}, runs_dir=tmp_path)
    assert fingerprint(dltrain.resume(short, {"train.epochs": 2})) == fingerprint(whole)
    evaluation = dltrain.evaluate(whole)
    for name, value in evaluation.metrics.items():
        assert whole.record().metrics[f"test_{name}"] == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("case", slow_but(["reconstruction"], ["sequence", "reconstruction"]))
def test_own_series_train_alike_from_memory(tmp_path: Path, trained: Trained, case: str) -> None:
    memory = dltrain.fit(config_of(trained.folder, case), {"runtime.feed": "memory"}, runs_dir=tmp_path)
    assert fingerprint(memory) == fingerprint(trained(case))


ON_JAX = """
import sys
from pathlib import Path
import dltrain
from tests.engine.test_own_series import config_of
from tests.helpers import fingerprint
folder = Path(sys.argv[1])
jax = {"runtime.backend": "jax"}
whole = dltrain.fit(config_of(folder), jax, runs_dir=folder / "whole")
short = dltrain.fit(config_of(folder), jax | {"train.epochs": 1}, runs_dir=folder / "short")
assert fingerprint(dltrain.resume(short, {"train.epochs": 2})) == fingerprint(whole)
memory = dltrain.fit(config_of(folder), jax | {"runtime.feed": "memory"}, runs_dir=folder / "memory")
assert fingerprint(memory) == fingerprint(whole)
assert dltrain.predict(whole, folder / "s.csv", steps=3).outputs.shape == (2, 3, 2)
"""


@pytest.mark.slow
def test_own_series_train_on_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    command = [sys.executable, "-c", ON_JAX, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]


def test_own_series_errors_and_forecasts_are_in_the_original_unit(trained: Trained) -> None:
    run = trained("regression")
    rows = list(csv.reader(io.StringIO((run.path / "eval" / "predictions.csv").read_text())))[1:]
    values = np.array(rows, float)[:, 1:]
    assert run.record().metrics["test_mae"] == pytest.approx(np.abs(values[:, :4] - values[:, 4:]).mean(), rel=1e-3)
    assert 20 < values[:, [0, 2]].mean() < 80
    notes = run.read_json("preprocess.json", 10**6)["notes"]
    assert any("the naive forecast" in note and "test split" in note for note in notes)


def test_own_series_new_steps_are_forecast_and_scored(tmp_path: Path, trained: Trained) -> None:
    run = trained("regression")
    new = table(tmp_path, LEVELS[:24], "new.csv")
    found = dltrain.predict(run, new)
    assert list(found.inputs) == [f"{new}:{row}" for row in (*range(5, 12), *range(17, 24))]
    with restored(run) as model:
        scales = model.opened.facts.target_scales
        window = (LEVELS[18:24] - [s.shift for s in scales[:2]]) / [s.scale for s in scales[:2]]
        last = np.asarray(model.built.model.predict_on_batch(window[None].astype(np.float32)))[0]
    expected = last * [s.scale for s in scales] + [s.shift for s in scales]
    assert found.outputs[-1] == pytest.approx(expected, rel=1e-5)


def test_own_series_forecasts_go_on_from_forecasts(tmp_path: Path, trained: Trained) -> None:
    run = trained("regression")
    new = table(tmp_path, LEVELS[:40], "new.csv")
    ahead = dltrain.predict(run, new, steps=5)
    assert list(ahead.inputs) == [f"{new}:19", f"{new}:39"]
    assert ahead.outputs.shape == (2, 5, 2)
    history = np.concatenate([LEVELS[20:40], ahead.outputs[1]])
    for known in (20, 22, 24):
        grown = table(tmp_path, history[:known], "grown.csv", groups=False)
        step = dltrain.predict(run, grown).outputs[-1].reshape(2, 2)
        wanted = ahead.outputs[1][known - 20 : known - 18]
        assert step[: len(wanted)] == pytest.approx(wanted, rel=1e-4)


def test_own_series_command_writes_a_row_for_each_step_ahead(tmp_path: Path, trained: Trained) -> None:
    run = trained("regression")
    table(tmp_path)
    command = Command(tmp_path)
    scored, ahead = command.in_turn(["predict", run.path, "s.csv"], ["predict", run.path, "s.csv", "--steps", 3])
    assert (scored.returncode, ahead.returncode) == (0, 0), scored.stderr + ahead.stderr
    assert "mae" in scored.stderr
    rows = ahead.stdout.splitlines()
    assert rows[0] == "input,step,prediction_a,prediction_b"
    assert [row.split(",")[:2] for row in rows[1:]] == [[f"s.csv:{end}", str(k)] for end in (79, 159) for k in range(3)]


def test_own_series_labels_of_each_step_are_told_and_scored(tmp_path: Path, trained: Trained) -> None:
    """Each row, held against the file, in which a label is missing; the accuracy, against the rows."""
    lines = table(tmp_path, LEVELS[:40], "new.csv", groups=False).read_text().splitlines()
    lines[8] = lines[8].replace(lines[8].split(",")[2], "")
    (tmp_path / "new.csv").write_text("\n".join(lines))
    said, written = [line.split(",")[2] for line in lines[1:]], io.BytesIO()
    with predictor(trained("labels"), [tmp_path / "new.csv"]) as opened:
        write(written, ".csv", opened, 1)
        metrics = opened.score()
    rows = list(csv.DictReader(io.StringIO(written.getvalue().decode())))
    assert len(rows) == 35 * 6
    right: dict[int, list[bool]] = {}
    for row in rows:
        last = int(row["input"].rsplit(":", 1)[1])
        right.setdefault(last, []).append(row["prediction"] == said[last - 5 + int(row["step"])])
    assert list(right) == [*range(5, 40)]
    scored = [found for last, found in right.items() if "" not in said[last - 5 : last + 1]]
    assert len(scored) == 35 - 6
    assert metrics is not None
    assert metrics["accuracy"] == pytest.approx(np.mean(scored), abs=1e-6)


def test_own_series_labels_of_new_steps_may_be_absent(tmp_path: Path, trained: Trained) -> None:
    run = trained("classification")
    lines = [line.split(",") for line in table(tmp_path, name="new.csv").read_text().splitlines()]
    (tmp_path / "new.csv").write_text("\n".join(",".join(line[:2] + line[3:]) for line in lines))
    assert len(dltrain.predict(run, tmp_path / "new.csv")) == 150


@pytest.mark.parametrize(
    ("rows", "change", "steps", "message"),
    [
        (4, {}, None, "4 steps at most in a series, and a window takes 6"),
        (24, {"a": "c"}, None, "has no column `a`"),
        (24, {",1,": ",0,"}, None, "`t` of `x` is 0 again"),
        (24, {}, 2, "does not predict all that its windows have"),
    ],
)
def test_own_series_new_steps_unlike_those_of_the_training_are_told(
    tmp_path: Path, trained: Trained, rows: int, change: dict[str, str], steps: int | None, message: str
) -> None:
    run = trained("one of two")
    new = table(tmp_path, LEVELS[: 2 * rows if rows < 6 else rows], "new.csv")
    text = new.read_text()
    for old, other in change.items():
        text = text.replace(old, other)
    new.write_text(text)
    with pytest.raises(DataError) as caught:
        dltrain.predict(run, new, steps=steps)
    assert message in caught.value.message


def test_own_series_missing_values_of_new_steps_are_told_by_their_line(tmp_path: Path, trained: Trained) -> None:
    new = table(tmp_path, LEVELS[:24], "new.csv")
    head, *lines = new.read_text().splitlines()
    rows = [line.split(",") for pair in zip(lines[:12], lines[12:], strict=True) for line in pair]
    rows[3][3] = rows[4][3] = ""  # of the second series, then of the first
    new.write_text("\n".join([head, *map(",".join, rows)]) + "\n")
    with pytest.raises(DataError, match="lacks values in 2 steps, first in line 5") as caught:
        dltrain.predict(trained("one of two"), new)
    assert "fill them, or train anew" in (caught.value.hint or "")


def test_own_series_shares_leave_windows_for_the_training(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config["data"]["dataset"]["series"]["sequence_length"] = 40
    with pytest.raises(ConfigError, match="no sample is left for the training"):
        dltrain.fit(config, {"data.test": 0.7}, runs_dir=tmp_path / "runs")


def test_own_series_steps_are_for_series(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=LEVELS, y=LEVELS)
    arrays = {"dataset": {"arrays": {"path": tmp_path / "d.npz"}}, "task": "regression", "test": 0.2}
    config = config_of(tmp_path) | {"data": arrays, "model": {"layers": [{"Dense": {"units": 2}}]}}
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    with pytest.raises(UsageError, match="forecasts of a series"):
        dltrain.predict(run, tmp_path / "d.npz", steps=3)
    with pytest.raises(UsageError, match="0 steps"):
        dltrain.predict(run, tmp_path / "d.npz", steps=0)


@pytest.mark.parametrize(("missing", "told"), [("ffill", False), ("interpolate", True)])
def test_own_series_forecasts_go_on_where_a_last_value_stands_for_a_missing_one(
    tmp_path: Path, missing: str, told: bool
) -> None:
    config = config_of(tmp_path)
    config["data"]["dataset"]["series"]["missing"] = missing
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    new = table(tmp_path, LEVELS[:20], "new.csv", groups=False)
    lines = new.read_text().splitlines()
    filled, gap = (",".join([*lines[-1].split(",")[:-1], last]) for last in (lines[-2].split(",")[-1], ""))
    new.write_text("\n".join([*lines[:-1], gap]) + "\n")
    if told:
        with pytest.raises(DataError, match="values are missing at the end"):
            dltrain.predict(run, new, steps=2)
        return
    found = dltrain.predict(run, new, steps=2).outputs
    new.write_text("\n".join([*lines[:-1], filled]) + "\n")
    assert np.array_equal(found, dltrain.predict(run, new, steps=2).outputs)


def test_own_series_tell_a_jump_of_the_times_once(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    path = tmp_path / "s.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if ",30," not in line) + "\n")
    told: list[Any] = []
    dltrain.describe_data(config, on_event=told.append)
    assert str(told).count("jumps 2 times") == 1
