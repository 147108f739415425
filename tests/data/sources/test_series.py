"""The source `series`: windows and their targets, splits without a common step, missing values, bad files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data.arrays import Dataset, fingerprint
from dltrain.data.facts import Facts, Task
from dltrain.data.loading import load
from dltrain.data.series.windows import Windows
from dltrain.data.sizes import train_samples
from dltrain.data.sources.series import SOURCE
from dltrain.errors import DataError

RNG = np.random.default_rng(5)
NAN = float("nan")


def written(folder: Path, values: Any, names: str = "a,b", **columns: list[Any]) -> str:
    """Write steps and other columns as CSV; NaN is an empty cell."""
    rows = np.asarray(values, float).reshape(len(values), -1)
    header = [*columns, *names.split(",")[: rows.shape[1]]]
    lines = [",".join(header)]
    for place, row in enumerate(rows.tolist()):
        cells = [str(column[place]) for column in columns.values()]
        lines.append(",".join([*cells, *("" if cell != cell else repr(cell) for cell in row)]))
    (folder / "s.csv").write_text("\n".join(lines) + "\n")
    return str(folder / "s.csv")


def known(arguments: dict[str, Any], task: Task = "regression") -> Facts:
    found = SOURCE.facts(SOURCE.filled(arguments), task)
    assert found is not None, [problem.message for problem in SOURCE.contradictions(arguments, task)]
    return found


def loaded(arguments: dict[str, Any], task: Task = "regression", **more: Any) -> Dataset:
    options: dict[str, Any] = {"validation": 0.0, "test": 0.2, "limit_train": None, "limit_test": None, "seed": 1}
    return load("series", arguments, task=task, **(options | more))


def all_of(arguments: dict[str, Any], task: Task = "regression") -> Any:
    return SOURCE.read(SOURCE.filled(arguments), task)


def drawn(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "sequence_length": int(rng.integers(1, 6)),
        "horizon": int(rng.integers(1, 4)),
        "shift": int(rng.integers(1, 4)),
        "sequence_stride": int(rng.integers(1, 4)),
        "sampling_rate": int(rng.integers(1, 4)),
    }


def steps_of(start: int, form: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return the steps of a window and those of its targets, by the definition."""
    inside = [start + place * form["sampling_rate"] for place in range(form["sequence_length"])]
    return inside, [inside[-1] + form["shift"] + place for place in range(form["horizon"])]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("task", ["regression", "sequence"])
def test_series_windows_and_targets_are_those_of_the_definition(tmp_path: Path, seed: int, task: Task) -> None:
    form, values = drawn(seed), RNG.normal(size=(40, 2))
    raw = all_of({"path": written(tmp_path, values), **form}, task)
    starts = range(0, 40 - max(steps_of(0, form)[1]), form["sequence_stride"])
    assert len(raw.train) == len(starts) == known({"path": str(tmp_path / "s.csv"), **form}).train
    x, y = raw.learn(raw.train, None).apply(raw.train).x[:], raw.train.y[:]
    for place, start in enumerate(starts):
        inside, after = steps_of(start, form)
        assert np.array_equal(x[place], values[inside].astype(np.float32))
        assert np.array_equal(y[place].reshape(-1), values[after].reshape(-1))
    assert x.shape[1:] == raw.facts.shape
    assert y.shape[1:] == raw.facts.target_shape


def test_series_windows_do_not_cross_groups_in_any_order_of_rows(tmp_path: Path) -> None:
    values = np.arange(24.0)
    groups = ["a", "b", "c"] * 8
    path = written(tmp_path, values, "v", shop=groups)
    raw = all_of({"path": path, "group": "shop", "sequence_length": 3, "horizon": 2})
    assert len(raw.train) == 3 * 4 == known({"path": path, "group": "shop", "sequence_length": 3, "horizon": 2}).train
    for window, after in zip(raw.train.x[:], raw.train.y[:], strict=True):
        assert np.array_equal(np.diff([*window[:, 0], *after]), [3, 3, 3, 3])


@pytest.mark.parametrize("seed", range(30))
def test_series_splits_have_no_step_in_common(tmp_path: Path, seed: int) -> None:
    form, rng = drawn(seed), np.random.default_rng(100 + seed)
    arguments: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {}
    count = 160
    if seed % 3:  # several series: with times of their own, or with none
        lengths = rng.integers(70, 100, 3)
        columns["id"] = np.repeat(["p", "q", "r"], lengths).tolist()
        count, arguments["group"] = len(columns["id"]), "id"
    if seed % 3 == 1:
        columns["t"] = np.concatenate([rng.integers(0, 30) + rng.integers(1, 3, n).cumsum() for n in lengths]).tolist()
        arguments["time"] = "t"
    path = written(tmp_path, np.arange(float(count)), "v", **columns)
    limit = int(rng.integers(15, 40)) if seed % 2 else None
    data = loaded({"path": path, **form, **arguments}, validation=0.2, limit_train=limit, limit_test=limit)
    touched = []
    for split in (data.train, data.validation, data.test):
        assert split is not None
        assert len(split)
        steps = {int(step) for start in split.x.starts for part in steps_of(int(start), form) for step in part}
        touched.append(steps)
        clock = columns.get("t", list(range(count)))
        touched[-1] = {clock[step] for step in steps} if "group" not in arguments or "time" in arguments else steps
    train, validation, test = touched
    assert not train & (validation | test)
    assert not validation & test
    if "group" not in arguments or "time" in arguments:
        assert max(train) < min(validation)
        assert max(validation) < min(test)
    if seed % 3 == 0:  # what `check` says of the steps of an epoch
        said = train_samples(known({"path": path, **form}).train, limit, 0.2, 0.2, data.facts.gap)
        assert len(data.train) == said
    if limit:
        assert len(data.train) + len(data.validation) <= limit  # type: ignore[arg-type]


def test_series_limits_count_windows_and_not_the_gap(tmp_path: Path) -> None:
    data = loaded(
        {"path": written(tmp_path, RNG.normal(size=900)), "sequence_length": 60}, limit_train=50, validation=0.2
    )
    assert (len(data.train), len(data.validation)) == (40, 10)  # type: ignore[arg-type]
    assert data.validation_indices[0] - data.train_indices[-1] == 61


@pytest.mark.parametrize("rule", ["drop", "ffill", "interpolate"])
@pytest.mark.parametrize("rate", [1, 2])
def test_series_missing_values_are_never_made_of_what_follows_a_window(tmp_path: Path, rule: str, rate: int) -> None:
    values = RNG.normal(size=(60, 2))
    values[RNG.random((60, 2)) < 0.15] = NAN
    values[:2] = NAN
    arguments = {"sequence_length": 4, "sampling_rate": rate, "missing": rule, "horizon": 2}
    raw = all_of({"path": written(tmp_path, values), **arguments})
    assert known({"path": str(tmp_path / "s.csv"), **arguments}).train == len(raw.train)
    x, y, starts = raw.train.x[:], raw.train.y[:], raw.train.x.starts
    assert len(x) > (10 if rule == "ffill" else 1)
    assert np.isfinite(x).all()
    for window, after, start in zip(x, y, starts, strict=True):
        last = int(start) + 3 * rate
        assert np.array_equal(after.reshape(2, 2), values[last + 1 : last + 3])  # targets are never made up
        there = values[int(start) : last + 1 : rate]
        assert np.array_equal(window[~np.isnan(there)], there[~np.isnan(there)])
        changed = values.copy()
        changed[last + 1 :] = 1000.0
        again = all_of({"path": written(tmp_path, changed), **arguments})
        place = int(np.flatnonzero(again.train.x.starts == start)[0])
        assert np.array_equal(again.train.x[place : place + 1][0], window)


def test_series_windows_that_lack_a_value_are_counted(tmp_path: Path) -> None:
    values = np.arange(40.0).reshape(20, 2)
    values[10] = NAN
    data = loaded({"path": written(tmp_path, values), "sequence_length": 3, "missing": "drop"})
    assert any("4 of 17 windows" in note and "left out" in note for note in data.notes)


def test_series_scales_are_learnt_from_the_steps_of_the_training_alone(tmp_path: Path) -> None:
    values = RNG.normal(size=(100, 2)) * [3, 0.1] + [5, 100]
    arguments = {"sequence_length": 5, "scale": "standard"}
    data = loaded({"path": written(tmp_path, values), **arguments}, validation=0.2)
    last = int(data.train_indices[-1]) + 5
    changed = values.copy()
    changed[last + 1 :] += 1e6
    assert loaded({"path": written(tmp_path, changed), **arguments}, validation=0.2).learnt == data.learnt
    scale = data.learnt["series"]["scales"]["a"]  # type: ignore[index]
    assert scale["shift"] == pytest.approx(values[: last + 1, 0].mean())
    assert np.asarray(data.train.x).std() == pytest.approx(1, abs=0.15)
    assert [round(s.shift, 9) for s in data.facts.target_scales] == [
        round(learnt["shift"], 9)
        for learnt in data.learnt["series"]["scales"].values()  # type: ignore[index]
    ]
    again = loaded({"path": written(tmp_path, values), **arguments}, validation=0.2, learnt=data.learnt)
    assert again.fingerprint == data.fingerprint


def test_series_tells_the_error_of_the_naive_forecast(tmp_path: Path) -> None:
    values = np.cumsum(RNG.normal(size=200))
    data = loaded({"path": written(tmp_path, values), "sequence_length": 4, "horizon": 3}, validation=0.2)
    firsts = data.test_indices + 4
    errors = [abs(values[first + ahead] - values[first - 1]) for first in firsts for ahead in range(3)]
    assert any(f"error of {np.mean(errors):.4g} on the test split" in note for note in data.remarks)
    assert any("on the validation split" in note for note in data.remarks)


@pytest.mark.parametrize("labels", [[*"xxyyzz"] * 5, [0, 0, 1, 1, 2, 2] * 5])
def test_series_the_label_of_a_window_is_that_of_its_last_step(tmp_path: Path, labels: list[Any]) -> None:
    path = written(tmp_path, RNG.normal(size=30), "v", kind=labels)
    arguments = {"path": path, "target": "kind", "sequence_length": 4}
    facts = known(arguments, "classification")
    names = sorted({str(label) for label in labels})
    assert (facts.class_names, facts.shape, facts.target_shape) == (tuple(names), (4, 1), ())
    raw = all_of(arguments, "classification")
    assert [names[code] for code in raw.train.y.tolist()] == [str(label) for label in labels[3:]]


KINDS = ["rest", "walk", "run"]


@pytest.mark.parametrize("seed", range(20))
def test_series_labels_of_each_step_are_those_of_the_windows_own_steps(tmp_path: Path, seed: int) -> None:
    """By the definition, over series whose rows are mixed, without windows in which a label or a number is missing."""
    rng, form = np.random.default_rng(seed), drawn(seed)
    form = {key: form[key] for key in ("sequence_length", "sequence_stride", "sampling_rate")}
    values, who = rng.normal(size=(90, 2)), rng.choice([*"pqr"], 90)
    values[rng.random(90) < 0.05, 0] = NAN
    labels = np.where(rng.random(90) < 0.05, "", rng.choice(KINDS, 90))
    arguments = {"path": written(tmp_path, values, kind=labels.tolist(), who=who.tolist()), "group": "who", **form}
    arguments |= {"target": "kind", "classes": KINDS, "missing": "drop"}
    windows = []
    for rows in (np.flatnonzero(who == name) for name in dict.fromkeys(who)):
        span = (form["sequence_length"] - 1) * form["sampling_rate"]
        for start in range(0, len(rows) - span, form["sequence_stride"]):
            inside = rows[start : start + span + 1 : form["sampling_rate"]]
            if not np.isnan(values[inside]).any() and (labels[inside] != "").all():
                windows.append(inside)
    facts, raw = known(arguments, "sequence"), all_of(arguments, "sequence")
    assert (facts.train, facts.class_names, facts.target_shape) == (len(windows), tuple(KINDS), facts.shape[:1])
    x, y = raw.learn(raw.train, None).apply(raw.train).x[:], raw.train.y[:]
    assert sorted(map(repr, x.tolist())) == sorted(repr(values[w].astype(np.float32).tolist()) for w in windows)
    found = {
        repr(window): [KINDS[code] for code in codes] for window, codes in zip(x.tolist(), y.tolist(), strict=True)
    }
    for window in windows:
        assert found[repr(values[window].astype(np.float32).tolist())] == labels[window].tolist()


@pytest.mark.parametrize("rate", [1, 3])
def test_series_labels_of_each_step_are_in_one_split_alone(tmp_path: Path, rate: int) -> None:
    path = written(tmp_path, np.arange(200.0), "v", kind=["rest", "walk"] * 100)
    arguments = {"path": path, "target": "kind", "classes": ["rest", "walk"], "sequence_length": 5}
    data = loaded({**arguments, "sampling_rate": rate}, "sequence", validation=0.2)
    touched = []
    for split in (data.train, data.validation, data.test):
        assert split is not None
        touched.append(set(np.asarray(split.x)[..., 0].astype(int).reshape(-1)))
    assert max(touched[0]) < min(touched[1]) <= max(touched[1]) < min(touched[2])
    assert np.array_equal(np.asarray(data.test.y), np.asarray(data.test.x)[..., 0].astype(int) % 2)


def test_series_labels_of_each_step_may_be_a_column_of_an_array(tmp_path: Path) -> None:
    steps = np.stack([np.arange(30), np.arange(30) % 2], axis=1)
    np.save(tmp_path / "s.npy", steps)
    arguments = {"path": str(tmp_path / "s.npy"), "target": 1, "classes": ["rest", "walk"], "sequence_length": 4}
    assert known(arguments, "sequence").target_shape == (4,)
    raw = all_of(arguments, "sequence")
    assert raw.train.y[:].tolist() == [[(start + step) % 2 for step in range(4)] for start in range(27)]
    (problem,) = SOURCE.contradictions({**arguments, "classes": ["walk", "walk"]}, "sequence")
    assert (problem.argument, "two different names" in problem.message) == ("classes", True)
    np.save(tmp_path / "s.npy", steps * 2)
    with pytest.raises(DataError, match="labels that are no class: 2"):
        all_of(arguments, "sequence")


def test_series_whole_groups_are_held_out_where_they_have_no_times(tmp_path: Path) -> None:
    groups = np.repeat([*"abcdefghij"], 6).tolist()
    path = written(tmp_path, RNG.normal(size=60), "v", who=groups, kind=["u", "v"] * 30)
    arguments = {"path": path, "group": "who", "target": "kind", "sequence_length": 6}
    data = loaded(arguments, "classification", test=0.3, validation=0.2)
    assert (len(data.train), len(data.validation), len(data.test)) == (6, 1, 3)  # type: ignore[arg-type]


def test_series_an_array_is_as_a_table(tmp_path: Path) -> None:
    values = RNG.normal(size=(50, 2)).astype(np.float32)
    np.save(tmp_path / "s.npy", values)
    form = {"sequence_length": 6, "horizon": 2, "target": 1}
    facts = known({"path": str(tmp_path / "s.npy"), **form})
    assert (facts.train, facts.shape, facts.target_shape) == (43, (6, 2), (2,))
    of_array = loaded({"path": str(tmp_path / "s.npy"), **form})
    of_table = loaded({"path": written(tmp_path, values, "a,b"), **form, "target": "b"})
    assert of_array.fingerprint == of_table.fingerprint
    np.save(tmp_path / "one.npy", values[:, 0])
    assert known({"path": str(tmp_path / "one.npy"), "sequence_length": 6}).shape == (6, 1)


def test_series_a_reconstruction_has_windows_as_targets(tmp_path: Path) -> None:
    data = loaded({"path": written(tmp_path, RNG.normal(size=(50, 2))), "sequence_length": 6}, "reconstruction")
    assert data.train.y is None
    assert data.facts.target_shape == data.facts.shape == (6, 2)


def test_series_files_of_their_own_are_the_other_splits(tmp_path: Path) -> None:
    for name in ("v", "t"):
        (tmp_path / name).mkdir()
    paths = {
        "path": written(tmp_path, RNG.normal(size=50)),
        "path_val": written(tmp_path / "v", RNG.normal(size=20)),
        "path_test": written(tmp_path / "t", RNG.normal(size=30)),
    }
    data = loaded({**paths, "sequence_length": 5}, validation="given", test=None)
    assert (len(data.train), len(data.validation), len(data.test)) == (45, 15, 25)  # type: ignore[arg-type]


def test_series_shape_and_size_of_a_large_file_are_known_from_its_lines(tmp_path: Path) -> None:
    path = written(tmp_path, np.arange(90_000.0).reshape(-1, 1) / 7)
    facts = known({"path": path, "sequence_length": 24})
    assert (facts.train, facts.shape) == (90_000 - 24, (24, 1))


def test_series_windows_are_hashed_by_what_they_are_made_of() -> None:
    series = np.zeros((200_000, 4), np.float32)
    windows = Windows(series, np.arange(100_000), 50_000)
    assert windows.nbytes > 2**36
    found = fingerprint({"x": windows})
    assert fingerprint({"x": windows.taken(np.arange(99_999))}) != found
    series[-1] = 1
    assert fingerprint({"x": windows}) != found


DAYS = [f"2024-01-{day:02}" for day in range(1, 31)]
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "unsorted": ({"t": [*DAYS[:5], DAYS[3], *DAYS[6:]]}, {"time": "t"}, "goes back in line 7", "sort the rows"),
    "twice": ({"t": [*DAYS[:5], DAYS[4], *DAYS[6:]]}, {"time": "t"}, "again in line 7", "one row for each time"),
    "groups": ({"t": DAYS[:15] * 2}, {"time": "t"}, "goes back in line 17", "a `group` column"),
    "no time": ({"t": [*DAYS[:5], "later", *DAYS[6:]]}, {"time": "t"}, "no time in line 7", "date_format"),
    "empty time": ({"t": [*DAYS[:5], "", *DAYS[6:]]}, {"time": "t"}, "empty in 1 row of", "each step"),
    "dates": ({"t": DAYS}, {}, "'2024-01-01' in line 2", "`time`"),
    "text": ({"t": ["x"] * 30}, {"features": ["t"]}, "'x' in line 2", "drop: [t]"),
    "column": ({}, {"target": "c"}, "no column `c`", ""),
    "short": ({}, {"sequence_length": 30}, "30 steps, and a window with its targets takes 31", "to 29 or less"),
    "groups short": ({"g": [*"abc"] * 10}, {"group": "g", "sequence_length": 12}, "10 steps at most", "to 9 or less"),
    "horizon": ({}, {"sequence_length": 1, "horizon": 40}, "takes 41", "`horizon`"),
    "before": ({}, {"shift": -5}, "begin before the window", "at least -3"),
    "copied": ({}, {"shift": 0, "features": ["a"], "target": "a"}, "have the values of `a`", "shift: 1"),
    "uses": ({"t": DAYS}, {"time": "t", "features": ["t", "a"]}, "another use", "`features`"),
    "classes": ({}, {"classes": ["a", "b"]}, "no classes", "remove `classes`"),
    "nothing left": ({}, {"drop": "a"}, "no column is left", "features"),
    "scale": ({}, {"scale": {"c": "log"}}, "no column `c`", ""),
}


def test_series_tells_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    days = [*DAYS[:5], DAYS[3], DAYS[4], DAYS[7], "", DAYS[8], DAYS[8], *DAYS[10:]]
    columns = {"t": days, "b": ["", "x", *["1"] * (len(days) - 2)]}
    values = np.arange(float(len(days)))
    path = written(tmp_path, values, "a", **columns)
    arguments = {"path": path, "sequence_length": 4, "time": "t"}
    told = [
        (each.argument, each.message.replace(path, "s.csv")) for each in SOURCE.contradictions(arguments, "regression")
    ]
    assert told == [
        ("path", "s.csv has text in columns of numbers: `b`: 'x' in line 3"),
        ("time", "`t` is empty in 1 row of s.csv: line 10"),
        ("time", f"`t` is {DAYS[8]} again in line 12 of s.csv, after line 11"),
        ("time", f"`t` goes back in line 7 of s.csv: {DAYS[3]} after {DAYS[4]}"),
        ("missing", f"values are missing: `b` in 1 of {len(days)} steps of s.csv (line 2)"),
    ]


@pytest.mark.parametrize("case", WRONG)
def test_series_what_is_wrong_is_told_before_training(tmp_path: Path, case: str) -> None:
    columns, more, message, hint = WRONG[case]
    arguments = {"path": written(tmp_path, np.arange(30.0), "a", **columns), "sequence_length": 4, **more}
    (problem,) = SOURCE.contradictions(arguments, "regression")
    assert message in problem.message
    assert hint in problem.hint
    assert SOURCE.facts(SOURCE.filled(arguments), "regression") is None
    with pytest.raises(DataError, match=re.escape(message)):
        all_of(arguments)


@pytest.mark.parametrize(
    ("task", "more", "message"),
    [
        ("classification", {}, "no single column has the labels"),
        ("classification", {"target": "a", "features": ["a"]}, "only copy"),
        ("classification", {"target": "a", "horizon": 2}, "a single label"),
        ("reconstruction", {"target": "a"}, "their own targets"),
        ("reconstruction", {"horizon": 2}, "their own targets"),
        ("multi_label", {}, "no targets for the task"),
        ("sequence", {"shift": -3}, "have the values of `a`"),
        ("sequence", {"shift": -2, "horizon": 4, "missing": "interpolate"}, "between two values"),
        ("sequence", {"classes": ["0", "1"]}, "no single column has the labels"),
        ("sequence", {"classes": ["0", "1"], "target": "b", "horizon": 4}, "each step of a window has its own label"),
        ("sequence", {"classes": ["0", "1"], "target": "b", "shift": 1}, "each step of a window has its own label"),
        ("sequence", {"classes": ["0", "1"], "target": "b", "features": ["a", "b"]}, "only copy"),
        ("sequence", {"classes": ["0", "1"], "target": "b"}, "labels that are no class: u, v"),
        ("sequence", {"target": "b"}, "'u' in line 2"),
    ],
)
def test_series_arguments_fit_the_task(tmp_path: Path, task: Task, more: dict[str, Any], message: str) -> None:
    labels = {"b": ["u", "v"] * 15} if "classes" in more or "target" in more else {}
    arguments = {"path": written(tmp_path, np.arange(30.0), "a", **labels), "sequence_length": 4, **more}
    (problem,) = SOURCE.contradictions(arguments, task)
    assert message in problem.message
    assert "'u' in line 2" not in message or problem.hint == "with labels in it, name all of them: `classes: [a, b]`"


def test_series_missing_values_are_an_error_unless_a_rule_is_said(tmp_path: Path) -> None:
    values = np.arange(30.0)
    values[[4, 9]] = NAN
    arguments: dict[str, Any] = {"path": written(tmp_path, values, "a", n=[1] * 30), "sequence_length": 4}
    (problem,) = SOURCE.contradictions(arguments, "regression")
    assert (problem.argument, "`a` in 2 of 30 steps" in problem.message) == ("missing", True)
    np.save(tmp_path / "s.npy", values)
    with pytest.raises(DataError, match="lacks values in 2 steps, first in row 4") as caught:
        loaded({"path": str(tmp_path / "s.npy"), "sequence_length": 4})
    assert "missing: ffill" in (caught.value.hint or "")
    values[4] = np.inf
    np.save(tmp_path / "s.npy", values)
    with pytest.raises(DataError, match="infinity"):
        loaded({"path": str(tmp_path / "s.npy"), "sequence_length": 4, "missing": "drop"})
    values[:] = NAN
    np.save(tmp_path / "s.npy", values)
    with pytest.raises(DataError, match="none of the 26 windows"):
        loaded({"path": str(tmp_path / "s.npy"), "sequence_length": 4, "missing": "ffill"})


def test_series_jumps_of_the_times_are_a_warning(tmp_path: Path) -> None:
    days = [day for day in DAYS if day not in DAYS[10:13]]
    arguments = {"path": written(tmp_path, np.arange(27.0), "a", t=days), "time": "t", "sequence_length": 4}
    (problem,) = SOURCE.contradictions(arguments, "regression")
    assert problem.severity == "warning"
    assert "jumps 1 times" in problem.message
    assert "about 3 steps" in problem.message
    assert any("jumps" in note for note in loaded(arguments).notes)


def test_series_numbers_that_look_like_dates_are_a_warning(tmp_path: Path) -> None:
    days = [int(day.replace("-", "")) for day in DAYS]
    arguments = {"path": written(tmp_path, np.arange(30.0), "a", t=days), "time": "t", "sequence_length": 4}
    (problem,) = SOURCE.contradictions(arguments, "regression")
    assert "date_format: '%Y%m%d'" in problem.message
    assert list(SOURCE.contradictions({**arguments, "date_format": "%Y%m%d"}, "regression")) == []
    (problem,) = SOURCE.contradictions({**arguments, "time": None}, "regression")
    assert "look like dates: `time: t`" in problem.message


def test_series_blank_lines_of_a_single_column_are_no_steps_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a\n1\n2\n\n3\n4\n5\n\n")
    (problem,) = SOURCE.contradictions({"path": str(tmp_path / "s.csv"), "sequence_length": 2}, "regression")
    assert "blank lines, first before line 5" in problem.message
    (tmp_path / "s.csv").write_text("a\n1\n2\n3\n4\n5\n\n")
    assert known({"path": str(tmp_path / "s.csv"), "sequence_length": 2}).train == 3


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3, 2)), "has the shape"),
        (np.array(["a"] * 9), "has strings"),
        (np.zeros((0, 2)), "is empty"),
    ],
)
def test_series_arrays_that_are_no_series_are_told(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "s.npy", array)
    (problem,) = SOURCE.contradictions({"path": str(tmp_path / "s.npy"), "sequence_length": 2}, "regression")
    assert message in problem.message


@pytest.mark.parametrize(
    "damage",
    [
        {"features": ["a"]},
        {"target": []},
        {"target": ["a", "b", "c"]},
        {"features": "ab"},
        {"scales": {"a": 3}},
        {"scales": {"a": {"shift": 0, "scale": 0, "log": False}}},
        {"scales": []},
    ],
)
def test_series_what_was_learnt_is_checked(tmp_path: Path, damage: dict[str, Any]) -> None:
    arguments = {"path": written(tmp_path, RNG.normal(size=(50, 2))), "sequence_length": 5, "scale": "standard"}
    learnt = dict(loaded(arguments).learnt or {})
    loaded(arguments, learnt=learnt)
    with pytest.raises(DataError, match="has learnt of"):
        loaded(arguments, learnt={"series": learnt["series"] | damage})
