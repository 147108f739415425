"""`dltrain predict`, as a person or a pipeline uses it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import TINY, Command, Trained, copied

X = np.linspace(-1, 1, 40, dtype=np.float32).reshape(10, 4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Command:
    folder = tmp_path_factory.mktemp("predict")
    (folder / "tiny.yaml").write_text(TINY)
    np.savez(folder / "new.npz", x=X)
    np.savez(folder / "labelled.npz", x=X, y=np.arange(10) % 3)
    np.savez(folder / "wide.npz", x=np.zeros((3, 5), np.float32))
    return Command(folder)


def test_predict_writes_csv_to_stdout_and_everything_else_to_stderr(place: Command) -> None:
    results = place.in_turn(
        ("fit", "tiny.yaml"),
        ("predict", "latest", "new.npz"),
        ("predict", "latest", "labelled.npz", "new.npz", "-o", "out.jsonl"),
        ("predict", "latest", "labelled.npz", "--top", "2"),
        ("predict", "latest", "wide.npz"),
        ("predict", "latest", "nowhere.npz"),
        ("predict", "latest", "new.npz", "--threshold", "0.5"),
        ("predict", "latest", "new.npz", "-o", "out.txt"),
        ("predict", "latest"),
        ("predict", "latest", "new.npz", "-o", "-"),
    )
    fit, plain, written, scored, wide, nowhere, threshold, unknown, nothing, dash = results
    assert (dash.returncode, dash.stdout) == (0, plain.stdout)
    assert fit.returncode == 0, fit.stderr
    lines = plain.stdout.splitlines()
    assert lines[0] == "input,prediction,confidence"
    assert len(lines) == 11
    assert "10 samples" in plain.stderr
    assert written.stdout == ""
    assert len((place.folder / "out.jsonl").read_text().splitlines()) == 20
    assert "accuracy" not in written.stderr  # some have no labels
    assert "accuracy" in scored.stderr
    assert scored.stdout.splitlines()[0] == "input,prediction,confidence,prediction_2,confidence_2"
    assert (wide.returncode, nowhere.returncode, threshold.returncode, unknown.returncode) == (1, 1, 2, 2)
    assert "are (5,), those of the run are (4,)" in wide.stderr
    assert str(Path(place.folder / "nowhere.npz")) in nowhere.stderr
    assert "Missing argument" in nothing.stderr
    for done in results:
        assert "Traceback" not in done.stderr


def test_predict_replaces_no_file_of_samples_and_nothing_but_files(
    dltrain: Command, tmp_path: Path, trained: Trained
) -> None:
    copied(trained.finished(), tmp_path / "runs")
    np.savez(tmp_path / "new.npz", x=X)
    (tmp_path / "link.npz").symlink_to("new.npz")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    before = (tmp_path / "new.npz").read_bytes()
    results = dltrain.in_turn(
        *(
            ("predict", "latest", given, "-o", "new.npz")
            for given in ("new.npz", "link.npz", "*.npz", tmp_path / "new.npz")
        ),
        ("predict", "latest", "new.npz", "-o", "link.npz"),
        ("predict", "latest", "new.npz", "-o", "pipe.csv"),
        ("predict", "latest", "new.npz", "-o", "folder.csv"),
        ("predict", "latest", "new.npz", "-o", "none/x.csv"),
    )
    assert [done.returncode for done in results] == [2] * 8
    says = [*["would be replaced"] * 5, "is no plain file", "is a directory", "a directory that does not exist"]
    assert all(word in done.stderr for word, done in zip(says, results, strict=True))
    assert (tmp_path / "new.npz").read_bytes() == before
    assert (tmp_path / "pipe.csv").is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "new.npz", "link.npz", "pipe.csv", "folder.csv"}
