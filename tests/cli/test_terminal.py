"""The live display, as a user sees it in an 80-column terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.terminal import Screen, run_in_terminal

EPOCH = r"epoch +{}/{}  loss \d\.\d{{4}} accuracy \d\.\d{{4}}  val \d\.\d{{4}} \d\.\d{{4}}  .*"


def screen_of(sent: str) -> Screen:
    """Return the final screen, on which no line is wrapped and the cursor is visible at the start of a line."""
    screen = Screen()
    screen.feed(sent)
    assert screen.unknown == []
    assert not screen.wrapped
    assert screen.cursor_visible
    assert screen.column == 0
    return screen


def test_terminal_fit_shows_progress_and_leaves_epochs_and_the_run(tiny: Path, tmp_path: Path) -> None:
    code, sent = run_in_terminal(tmp_path, "fit", tiny, "-s", "train.epochs=3")
    assert code == 0
    for live in ("starting TensorFlow …", "building the model …", "epochs ", "steps  ", "━━━", "evaluating …"):
        assert live in sent
    setup, device, *epochs, completed, tested, run = screen_of(sent).shown()
    assert setup == "180 training samples, 20 for validation, 67 parameters"
    assert device.startswith("on ")
    assert len(epochs) == 3
    assert all(re.fullmatch(EPOCH.format(number, 3), line) for number, line in enumerate(epochs, start=1))
    assert completed.startswith("completed in ")
    assert tested.startswith("test_loss ")
    assert (tmp_path / run / "run.json").is_file()


def test_terminal_ctrl_c_leaves_a_clean_screen_and_an_interrupted_run(tiny: Path, tmp_path: Path) -> None:
    long = ("-s", "data.dataset.synthetic.samples=20000", "-s", "train.batch_size=8", "-s", "train.epochs=1000")
    code, sent = run_in_terminal(tmp_path, "fit", tiny, *long, interrupt_after="epoch    2/1000")
    assert code == 130
    shown = screen_of(sent).shown()
    stopping = shown.index("stopping after this step; press Ctrl-C again to stop at once")
    assert all(re.fullmatch(EPOCH.format(number, 1000), line) for number, line in enumerate(shown[2:stopping], start=1))
    interrupted, run, stopped, hint = shown[stopping + 1 :]
    assert interrupted.startswith("interrupted in ")
    assert stopped.startswith("stopped in epoch ")
    assert hint == f"to continue: dltrain resume {run}"
    assert json.loads((tmp_path / run / "run.json").read_text())["status"] == "interrupted"
    assert (tmp_path / run / "model.keras").is_file()


def test_terminal_ctrl_c_at_startup_leaves_a_clean_screen_and_no_run(tiny: Path, tmp_path: Path) -> None:
    code, sent = run_in_terminal(tmp_path, "fit", tiny, interrupt_after="starting TensorFlow …")
    assert code == 130
    assert screen_of(sent).shown()[-1] == "stopped before the training began"
    assert list((tmp_path / "runs").iterdir()) == []
