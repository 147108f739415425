"""`dltrain docs`: readable at 80 columns, in a pipe as on a terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.helpers import Command, failures, runner

from dltrain.cli.docs_command import command
from dltrain.config.catalogue import datasets, entries
from dltrain.config.manual.keys import keys


def docs(*arguments: str) -> str:
    return runner().invoke(command, arguments, catch_exceptions=False).stdout


PAGES = {
    **{section: entries.names(section) for section in entries.sections()},
    "dataset": tuple(datasets.ENTRIES),
    "key": tuple(key.path for key in keys()),
    "other": ("extends", "repeat", "kernel_size", "initializers", "layers", "LSTM.return_sequences"),
}


@pytest.mark.parametrize("kind", PAGES)
def test_docs_pages_fit_80_columns(kind: str) -> None:
    def show(name: str) -> None:
        shown = docs(name)
        assert shown.splitlines()[0].startswith(f"{name} — ") or name == "layers"
        assert [line for line in shown.splitlines() if len(line) > 80 and " " in line.strip()] == []
        assert "\x1b" not in shown

    assert failures(PAGES[kind], show) == {}


def test_docs_explains_an_object() -> None:
    shown = docs("Conv2D")
    assert "2D convolution layer." in shown
    assert "filters               required        an integer of at least 1" in shown
    assert "- Conv2D: {filters: 32, kernel_size: 3, activation: relu}" in shown


def test_docs_without_a_name_shows_usage() -> None:
    shown = docs()
    for words in ("train ", "extends ", "layers ", "dltrain docs Conv2D", "How to ask"):
        assert words in shown


def test_docs_columns_stay_aligned_after_a_long_default() -> None:
    lines = docs("SparseCategoricalCrossentropy").split("Example")[0].splitlines()
    column = next(line.index("takes") for line in lines if line.startswith("  argument"))
    assert all(line[column - 2 : column] == "  " for line in lines if line.startswith("  "))


def test_docs_unknown_name_exits_2(dltrain: Command) -> None:
    done = dltrain("docs", "Convv2D")
    assert done.returncode == 2
    assert "did you mean `Conv2D`?" in done.stderr
    assert done.stdout == ""


def test_docs_does_not_import_keras() -> None:
    code = (
        "import sys\nfrom dltrain.cli import cli\n"
        "try:\n    cli.main(['docs', 'Conv2D'], prog_name='dltrain')\nexcept SystemExit as stop:\n"
        "    assert not stop.code\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
