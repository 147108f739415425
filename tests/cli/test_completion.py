"""Tab completes verbs, configs, runs, templates, names and the keys of `-s`, through the shell's own script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers import ROOT, Trained, copied

BASH = """
eval "$(_DLTRAIN_COMPLETE=bash_source dltrain)"
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_dltrain_completion dltrain
printf '%s|\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a config, a folder of configs, other files, and the command itself."""
    shutil.copy(ROOT / "configs" / "cnn_mnist.yaml", tmp_path / "mine.yaml")
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "a b.yml").write_text("version: 1\n")
    for name in ("s$(touch x).yaml", "s`touch x`.yaml", "s;touch x;.yaml", "s\nplain,touch.yaml", "s*.yaml"):
        (tmp_path / name).touch()
    for name in ("notes.txt", ".hidden.yaml", "broken.yaml"):
        (tmp_path / name).write_text("a: [\n")
    command = tmp_path / "bin" / "dltrain"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nfrom dltrain.__main__ import main\nmain()\n")
    command.chmod(0o755)
    return tmp_path


def offered(place: Path, *words: str) -> list[str]:
    path = f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-c", BASH, "bash", "dltrain", *words]
    done = subprocess.run(
        command, cwd=place, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line.removesuffix("|") for line in done.stdout.splitlines() if line != "|"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["f"], ["fit "]),
        (["s"], ["show ", "schema "]),
        (["fit", "m"], ["mine.yaml "]),
        (["check", "o"], ["others/"]),
        (["check", "others/"], ["others/a\\ b.yml "]),
        (["fit", "nowhere/"], []),
        (
            ["fit", "s"],
            [r"s\$\(touch\ x\).yaml ", r"s\*.yaml ", r"s\;touch\ x\;.yaml ", r"s\`touch\ x\`.yaml "],
        ),
        (["fit", "mine.yaml", "-s", "train.ep"], ["train.epochs="]),
        (["fit", "mine.yaml", "-s", "model.layers.0.Conv2D.f"], ["model.layers.0.Conv2D.filters="]),
        (["fit", "broken.yaml", "-s", "train.ep"], ["train.epochs="]),
        (["resume", "latest", "-s", "train."], ["train.epochs=", "train.steps_per_execution="]),
        (["init", "stacked"], ["stacked-lstm "]),
        (["docs", "AdamW"], ["AdamW "]),
        (["docs", "AdamW.weight"], ["AdamW.weight_decay "]),
        (["eval", "latest", "--split", "v"], ["validation "]),
        (["show", "l"], []),
    ],
)
def test_completion_offers_what_fits(place: Path, words: list[str], expected: list[str]) -> None:
    assert offered(place, *words) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_completion_offers_the_runs(place: Path, trained: Trained) -> None:
    run = copied(trained.finished(), place / "runs")
    assert offered(place, "show", "") == ["latest ", f"{run.id} ", *offered(place, "show", "best")]
    assert "best:test_accuracy " in offered(place, "eval", "b")
    # As bash splits `best:te`.
    assert "test_accuracy " in offered(place, "eval", "best", ":")
    assert offered(place, "eval", "best", ":", "test_a") == ["test_accuracy "]
    assert offered(place, "resume", "latest", "-s", "train.epochs", "=", "3", "-s", "train.e") == ["train.epochs="]
    assert offered(place, "resume", run.id[:8]) == [f"{run.id} "]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_a_shell(shell: str) -> None:
    readme = (ROOT / "README.md").read_text()
    assert f"_DLTRAIN_COMPLETE={shell}_source dltrain" in readme
    environment = {**os.environ, "_DLTRAIN_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-c", "from dltrain.__main__ import main; main()"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{shell}_complete" in done.stdout
