"""The source `image_table`: rows name images and targets; what is wrong is told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dltrain
from dltrain.data.sources.image_table import SOURCE
from dltrain.errors import DataError

COUNT = 40


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images whose brightness is their target, in one flat folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "photos"
    folder.mkdir()
    rows = []
    for number in range(COUNT):
        light = number * 6
        Image.fromarray(np.full((5, 4), light, np.uint8)).save(folder / f"a{number}.png")
        rows.append(f"a{number}.png,{light / 255:.4f},{'dark' if light < 120 else 'bright'},{number % 2},p{number % 8}")
    (folder / "t.csv").write_text("filename,light,kind,odd,who\n" + "\n".join(rows) + "\n")
    return folder


def arguments(photos: Path, **more: Any) -> dict[str, Any]:
    return {"path": str(photos / "t.csv"), "image_size": [5, 4], "color_mode": "grayscale", "target": "kind", **more}


def told(given: dict[str, Any], task: Any = "classification") -> list[tuple[str, str, str]]:
    return [(each.argument, each.message, each.hint) for each in SOURCE.contradictions(given, task)]


@pytest.mark.parametrize(
    ("target", "task", "shape"),
    [("kind", "classification", ()), ("light", "regression", (1,)), (["odd"], "multi_label", (1,))],
)
def test_image_table_rows_are_samples_and_their_targets(photos: Path, target: Any, task: Any, shape: Any) -> None:
    filled = SOURCE.filled(arguments(photos, target=target))
    assert told(arguments(photos, target=target), task) == []
    facts = SOURCE.facts(filled, task)
    assert facts is not None
    assert (facts.shape, facts.train, facts.target_shape, facts.unit_range) == ((5, 4, 1), COUNT, shape, True)
    raw = SOURCE.read(filled, task)
    assert np.asarray(raw.train.x)[:, 0, 0, 0].tolist() == [number * 6 for number in range(COUNT)]
    assert len(raw.train.y) == COUNT


def test_image_table_rows_in_any_order_and_twice_have_their_own_images(photos: Path) -> None:
    (photos / "t.csv").write_text("filename,kind\na9.png,x\na2.png,y\na9.png,x\n")
    raw = SOURCE.read(SOURCE.filled(arguments(photos)), "classification")
    assert np.asarray(raw.train.x)[:, 0, 0, 0].tolist() == [54, 12, 54]
    assert raw.train.y.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("table", "more", "argument", "message", "hint"),
    [
        ("file,kind\na1.png,x\n", {}, "image", "no column `filename`", ""),
        ("filename,kind\na1,x\na2,y\n", {}, "image", "2 of 2 images are not in", "write `extension: .png`"),
        ("filename,kind\na1.png,x\nb.png,y\n", {}, "image", "1 of 2 images are not in", "directory"),
        (f"filename,kind\n{'a' * 5_000}.png,x\na2.png,y\n", {}, "image", "1 of 2 images are not in", "directory"),
        ("filename,kind\na\0.png,x\na2.png,y\n", {}, "image", "1 of 2 images are not in", "directory"),
        ("filename,kind\n../a1.png,x\na2.png,y\n", {}, "image", "not inside", "relative"),
        ("filename,kind\n/etc/passwd,x\na2.png,y\n", {}, "image", "not inside", "relative"),
        ("filename,kind\na1.png,x\na2.png,\n", {}, "missing", "`kind` in 1 of 2", "missing: drop"),
        ("filename,kind\na1.png,x\na2.png,y\n", {"directory": "/nowhere"}, "directory", "no folder /nowhere", ""),
    ],
)
def test_image_table_says_what_is_wrong(
    photos: Path, table: str, more: dict[str, Any], argument: str, message: str, hint: str
) -> None:
    (photos / "t.csv").write_text(table)
    ((where, what, mend),) = told(arguments(photos, **more))
    assert where == argument
    assert message in what
    assert hint in mend
    with pytest.raises(DataError):
        SOURCE.read(SOURCE.filled(arguments(photos, **more)), "classification")


def test_image_table_tells_all_files_that_cannot_be_used_at_once(photos: Path) -> None:
    (photos / "t.csv").write_text("filename,kind\n../a1.png,x\nnone.png,y\n/etc/passwd,x\na1.png,y\n")
    assert [what.replace(str(photos), "photos") for _, what, _ in told(arguments(photos))] == [
        "files are not inside photos: ../a1.png, /etc/passwd",
        "1 of 4 images are not in photos: none.png",
    ]


def test_image_table_mends_of_missing_cells_are_its_own(photos: Path) -> None:
    (photos / "t.csv").write_text("filename,kind\na1.png,x\n,y\na2.png,y\n")
    ((_, what, mend),) = told(arguments(photos))
    assert what == "values are missing: `filename` in 1 of 3 rows of t.csv (line 3)"
    assert mend == "leave such rows out: `missing: drop`"


def test_image_table_links_do_not_lead_out(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes((photos / "a1.png").read_bytes())
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    (photos / "t.csv").write_text("filename,kind\nlink.png,x\na2.png,y\n")
    assert "links lead out" in told(arguments(photos))[0][1]


@pytest.mark.parametrize("skip", [False, True])
def test_image_table_images_that_are_none_are_all_told(photos: Path, skip: bool) -> None:
    for number in (3, 7):
        (photos / f"a{number}.png").write_bytes(b"no image")
    filled = SOURCE.filled(arguments(photos, on_bad="skip" if skip else "fail"))
    if not skip:
        with pytest.raises(DataError, match=r"2 of 40 images .* a3.png: .*; a7.png: "):
            SOURCE.read(filled, "classification")
        return
    raw = SOURCE.read(filled, "classification")
    assert len(raw.train) == COUNT - 2
    assert 18 not in np.asarray(raw.train.x)
    assert "they are left out" in raw.notes[0]


def test_image_table_trains_and_predicts_in_the_original_unit(photos: Path, tmp_path: Path) -> None:
    dataset = arguments(photos, target="light", target_scale="standard", group="who")
    config = {
        "data": {"dataset": {"image_table": dataset}, "task": "regression", "test": 0.2, "validation": 0.2},
        "model": {"layers": ["Flatten", {"Dense": {"units": 1}}]},
        "train": {"optimizer": {"Adam": {"learning_rate": 0.05}}, "loss": "mse", "metrics": ["mae"], "epochs": 60},
    }
    run = dltrain.fit(config, runs_dir=tmp_path / "runs")
    assert dltrain.evaluate(run).metrics["mae"] == pytest.approx(run.record().metrics["test_mae"])
    by_table = dltrain.predict(run, photos / "t.csv")
    truth = np.arange(COUNT) * 6 / 255
    assert np.abs(by_table.outputs[:, 0] - truth).mean() < 0.1
    by_file = dltrain.predict(run, photos / "a5.png")
    np.testing.assert_allclose(by_file.outputs[0], by_table.outputs[5], rtol=1e-4)
    assert by_table.inputs[5] == "a5.png"  # as in the table
    assert by_file.inputs == [str(photos / "a5.png")]
    (photos / "part.csv").write_text("filename,light\na5.png,0.1\na6.png,\n")
    told: list[Any] = []
    dltrain.predict(run, photos / "part.csv", on_event=told.append)
    assert "part.csv lacks `light` in 1 of 2 rows, so it is predicted and not scored" in str(told)
