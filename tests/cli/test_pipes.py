"""Output whose reader has gone, as `| head -1` does, and input that is a pipe or a device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import TINY, Command, Trained, copied

PATIENCE = 300
GONE = 141  # as SIGPIPE ends other tools


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> Path:
    folder = tmp_path_factory.mktemp("pipes")
    (folder / "tiny.yaml").write_text(TINY)
    copied(trained.finished(), folder / "runs")
    np.save(folder / "many.npy", np.zeros((200_000, 4), np.float32))
    return folder


def read(folder: Path, lines: int, *arguments: str, both: bool = False) -> tuple[list[str], int, str]:
    """Run a command, read some lines of its output, and close the pipe; return them, the exit code and stderr."""
    command = [sys.executable, "-m", "dltrain", *arguments]
    with (folder / "stderr").open("w+") as told:
        reader, writer = os.pipe()
        process = subprocess.Popen(command, cwd=folder, stdout=writer, stderr=writer if both else told)
        os.close(writer)
        with os.fdopen(reader) as stream:
            found = [stream.readline() for _ in range(lines)]
        code = process.wait(timeout=PATIENCE)
        told.seek(0)
        return found, code, told.read()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["fit", "--help"],
        ["docs"],
        ["schema"],
        ["init"],
        ["init", "cnn", "-o", "-"],
        ["check", "tiny.yaml", "-v"],
        ["check", "tiny.yaml", "--format", "json"],
        ["data", "tiny.yaml", "--json"],
        ["ls"],
        ["show", "latest"],
        ["eval", "latest", "--json"],
    ],
    ids=" ".join,
)
def test_pipes_that_nobody_reads_end_a_command_as_they_end_other_tools(place: Path, arguments: list[str]) -> None:
    _, code, stderr = read(place, 0, *arguments)
    assert code == GONE
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    assert "rror" not in stderr


@pytest.mark.parametrize("both", [False, True])
def test_pipes_may_be_closed_amid_predictions(place: Path, both: bool) -> None:
    found, code, stderr = read(place, 1, "predict", "latest", "many.npy", both=both)
    assert (found, code, stderr) == (["input,prediction,confidence\n"], GONE, "")


def test_pipes_that_nobody_reads_keep_an_error_and_its_exit_code(place: Path) -> None:
    _, code, stderr = read(place, 0, "show", "nothing")
    assert code == 2
    assert "nothing" in stderr
    assert read(place, 0, "show", "nothing", both=True)[1] == 2


def named_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def test_pipes_and_devices_are_no_samples(place: Path) -> None:
    fifo = named_pipe(place / "fifo.npy")
    (place / "link.npy").symlink_to(fifo)
    for path in (fifo, place / "link.npy", "/dev/zero"):
        done = Command(place)("predict", "latest", path)
        assert done.returncode == 2
        assert f"{path} is neither a file nor a folder" in done.stderr
        assert "`-` is standard input" in done.stderr


@pytest.mark.parametrize("source", ["csv", "arrays", "text", "text_folder", "image_folder", "series", "parquet"])
@pytest.mark.parametrize("kind", ["fifo", "/dev/zero"])
def test_pipes_and_devices_are_no_data(tmp_path: Path, source: str, kind: str) -> None:
    path = named_pipe(tmp_path / "fifo.csv") if kind == "fifo" else Path(kind)
    more = {
        "csv": "target: y",
        "parquet": "target: y",
        "arrays": "",
        "text": "text: a, target: y, output_sequence_length: 5",
        "text_folder": "output_sequence_length: 5",
        "image_folder": "image_size: [8, 8]",
        "series": "sequence_length: 5, target: y",
    }[source]
    (tmp_path / "c.yaml").write_text(
        f"""
data: {{dataset: {{{source}: {{path: {path}, {more}}}}}, task: classification, test: 0.2, validation: 0.2}}
model: {{layers: [Flatten, Dense: {{units: 2, activation: softmax}}]}}
train: {{optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}}
"""
    )
    checked, looked = Command(tmp_path).in_turn(("check", "c.yaml"), ("init", "--from", path, "-o", "-"))
    assert (checked.returncode, looked.returncode) == (2, 1)
    assert str(path) in checked.stderr
    assert f"{path} is neither a file nor a folder" in looked.stderr


def test_pipes_standard_input_that_is_closed_is_empty(place: Path) -> None:
    line = f"'{sys.executable}' -m dltrain predict latest - <&-"
    done = subprocess.run(line, shell=True, cwd=place, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard input")


def test_pipes_a_wrong_command_is_one_without_a_reader_too(place: Path) -> None:
    _, code, _ = read(place, 0, "fit", "--nonsense", both=True)
    assert code == 2
