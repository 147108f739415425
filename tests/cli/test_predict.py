"""`dltrain predict`, as a person or a pipeline uses it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers import TINY, Command

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
    )
    fit, plain, written, scored, wide, nowhere, threshold, unknown, nothing = results
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
