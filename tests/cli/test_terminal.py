"""The live display, as a person sees it on a terminal of 80 columns."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.terminal import Screen, run_in_terminal

EPOCH = r"epoch +{}/{}  loss \d\.\d{{4}} accuracy \d\.\d{{4}}  val \d\.\d{{4}} \d\.\d{{4}}  .*"


def screen_of(sent: str) -> Screen:
    """The screen at the end: of whole lines, with the cursor back."""
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
    assert setup == "180 training samples, 20 held out, 67 parameters"
    assert device.startswith("on ")
    assert len(epochs) == 3
    assert all(re.fullmatch(EPOCH.format(number, 3), line) for number, line in enumerate(epochs, start=1))
    assert completed.startswith("completed in ")
    assert tested.startswith("test_loss ")
    assert (tmp_path / run / "run.json").is_file()


def test_terminal_ctrl_c_leaves_no_garbage_and_an_interrupted_run(tiny: Path, tmp_path: Path) -> None:
    long = ("-s", "data.dataset.synthetic.samples=20000", "-s", "train.batch_size=8", "-s", "train.epochs=1000")
    code, sent = run_in_terminal(tmp_path, "fit", tiny, *long, interrupt_after="epoch    2/1000")
    assert code == 130
    shown = screen_of(sent).shown()
    stopping = shown.index("stopping after this step; press Ctrl-C again to stop at once")
    assert all(re.fullmatch(EPOCH.format(number, 1000), line) for number, line in enumerate(shown[2:stopping], start=1))
    interrupted, run, told, hint = shown[stopping + 1 :]
    assert interrupted.startswith("interrupted in ")
    assert told.startswith("stopped in epoch ")
    assert hint == f"to continue: dltrain resume {run}"
    assert json.loads((tmp_path / run / "run.json").read_text())["status"] == "interrupted"
    assert (tmp_path / run / "model.keras").is_file()


def test_terminal_ctrl_c_while_tensorflow_starts_leaves_no_garbage_and_no_run(tiny: Path, tmp_path: Path) -> None:
    code, sent = run_in_terminal(tmp_path, "fit", tiny, interrupt_after="starting TensorFlow …")
    assert code == 130
    assert screen_of(sent).shown()[-1] == "stopped before the training began"
    assert list((tmp_path / "runs").iterdir()) == []
