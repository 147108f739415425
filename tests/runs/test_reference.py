from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dltrain import runs
from dltrain.errors import RunError, UsageError

IDS = ["20260101-000000-cnn-a1b2", "20260101-000000-lstm-a1b2", "20260202-000000-cnn-c3d4"]


def _make(runs_dir: Path, run_id: str, **fields: Any) -> Path:
    path = runs_dir / run_id
    path.mkdir(parents=True)
    created = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T00:00:00.000000Z"
    head = {"schema_version": 1, "id": run_id, "name": "n", "status": "completed", "created": created}
    (path / "run.json").write_text(json.dumps({**head, **fields}))
    return path


@pytest.fixture
def store(runs_dir: Path) -> Path:
    for run_id in IDS:
        _make(runs_dir, run_id)
    return runs_dir


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (IDS[1], IDS[1]),
        ("20260202", IDS[2]),
        ("20260101-000000-l", IDS[1]),
        ("latest", IDS[2]),
        ("latest~0", IDS[2]),
        ("latest~2", IDS[0]),
    ],
)
def test_reference_find_by_id_prefix_and_age(store: Path, reference: str, expected: str) -> None:
    assert runs.find(reference, store) == runs.Run(store / expected)


def test_reference_find_accepts_an_id_that_is_also_a_prefix(store: Path) -> None:
    _make(store, IDS[0] + "-copy")
    assert runs.find(IDS[0], store).id == IDS[0]


def test_reference_find_accepts_any_run_directory(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = _make(tmp_path / "other", "some-run")
    assert runs.find(str(elsewhere), store).path == elsewhere
    assert runs.find(f"{elsewhere}/", store).path == elsewhere
    assert runs.find(str(elsewhere), tmp_path / "none").path == elsewhere
    monkeypatch.chdir(elsewhere)
    assert runs.find(".", store).id == "some-run"
    (elsewhere / "sub").mkdir()
    monkeypatch.chdir(elsewhere / "sub")
    assert runs.find("..", store).id == "some-run"


def test_reference_find_latest_includes_damaged_runs_like_the_list(store: Path) -> None:
    (store / IDS[2] / "run.json").write_text("{")
    assert runs.find("latest", store).id == runs.list_runs(store)[-1].id == IDS[2]


@pytest.mark.parametrize(
    "reference",
    ["nope", "", " ", "../x", "..", "/", "a\0b", "x" * 5000, "latest~", "latest~-1", "~", "*", "\udcff"],
)
def test_reference_find_without_a_match_lists_existing_runs(store: Path, reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        runs.find(reference, store)
    assert repr(reference[:80]) in caught.value.message
    assert str(store) in caught.value.message
    assert caught.value.hint == f"newest first: {IDS[2]}, {IDS[1]}, {IDS[0]}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("reference", ["nope", "latest", "best:val_loss", "", "\0"])
def test_reference_find_without_runs_suggests_fit(tmp_path: Path, reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        runs.find(reference, tmp_path / "runs")
    assert caught.value.hint == "no runs yet; `dltrain fit CONFIG` makes one"


def test_reference_find_lists_only_the_newest_few(runs_dir: Path) -> None:
    for day in range(1, 10):
        _make(runs_dir, f"2026010{day}-000000-r-0000")
    with pytest.raises(UsageError) as caught:
        runs.find("nope", runs_dir)
    assert caught.value.hint.startswith("newest first: 20260109-")
    assert caught.value.hint.count("-r-") == 5
    assert caught.value.hint.endswith(" and 4 more")


def test_reference_find_of_an_ambiguous_prefix_lists_the_candidates(store: Path) -> None:
    with pytest.raises(UsageError, match="'20260101' fits 2 runs") as caught:
        runs.find("20260101", store)
    assert caught.value.hint == f"type more of the id: {IDS[1]}, {IDS[0]}"


@pytest.mark.parametrize("reference", ["latest~3", "latest~999999999"])
def test_reference_find_beyond_the_oldest_reports_the_number_of_runs(store: Path, reference: str) -> None:
    with pytest.raises(UsageError, match=f"no run `{reference}`: .* holds 3 runs"):
        runs.find(reference, store)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("val_accuracy", "20260104"), ("val_loss", "20260102"), ("test_mae", "20260101")],
)
def test_reference_find_best_follows_the_direction_of_the_metric(runs_dir: Path, metric: str, expected: str) -> None:
    table: list[Any] = [
        {"val_accuracy": 0.9, "val_loss": 0.5, "test_mae": 1},
        {"val_accuracy": 0.7, "val_loss": 0.1, "test_mae": 2},
        {"val_accuracy": 0.95, "val_loss": 0.3},
        {"val_accuracy": 0.95, "val_loss": None},
        {"val_accuracy": "0.99", "val_loss": True},
        {"val_accuracy": float("nan"), "val_loss": float("-inf")},
        None,
        [0.99],
    ]
    for day, metrics in enumerate(table, start=1):
        _make(runs_dir, f"2026010{day}-000000-r-0000", metrics=metrics)
    _make(runs_dir, "20260109-000000-r-0000")
    assert runs.find(f"best:{metric}", runs_dir).id.startswith(expected)


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ([{"foo": "min"}, {"foo": "min"}], "20260102"),
        ([{"foo": "max"}, {"foo": "max"}], "20260101"),
        ([None, {"foo": "min"}], "20260102"),  # a run of an older version, with no word on it
        ([None, None], "it is not known whether a low or a high `val_foo` is better"),
        ([{}, {"loss": "min"}], "it is not known whether a low or a high `val_foo` is better"),
        ([{"foo": "min"}, {"foo": "max"}], "its runs disagree whether a low or a high `val_foo` is better"),
    ],
)
def test_reference_find_best_follows_what_the_runs_say(runs_dir: Path, recorded: list[Any], expected: str) -> None:
    for day, (value, directions) in enumerate(zip((2, 1), recorded, strict=True), start=1):
        _make(runs_dir, f"2026010{day}-000000-r-0000", metrics={"val_foo": value}, directions=directions)
    if expected.isdecimal():
        assert runs.find("best:val_foo", runs_dir).id.startswith(expected)
        return
    with pytest.raises(UsageError, match=expected) as caught:
        runs.find("best:val_foo", runs_dir)
    assert "mode: min" in caught.value.hint
    assert "20260102-000000-r-0000, 20260101-000000-r-0000" in caught.value.hint


@pytest.mark.parametrize("directions", [{"foo": "down"}, {"foo": 1}, ["foo"]])
def test_reference_find_best_reports_a_damaged_direction(runs_dir: Path, directions: Any) -> None:
    path = _make(runs_dir, IDS[0], metrics={"val_foo": 2}, directions=directions)
    with pytest.raises(RunError, match="directions"):
        runs.Run(path).record()


def test_reference_find_best_of_an_unknown_metric_lists_the_known_ones(runs_dir: Path) -> None:
    _make(runs_dir, IDS[0], metrics={"val_loss": 1, "val_accuracy": 0.5, "auc": None})
    with pytest.raises(UsageError, match=r"no run in .* has the metric 'val_acc'") as caught:
        runs.find("best:val_acc", runs_dir)
    assert caught.value.hint == "metrics there: val_accuracy, val_loss"


@pytest.mark.parametrize("reference", ["best:", "best:x"])
def test_reference_find_best_without_metrics_is_reported(store: Path, reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        runs.find(reference, store)
    assert caught.value.hint == "no run there has final metrics yet"
