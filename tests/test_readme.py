"""The README is correct: its examples run, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.helpers import Command

from dltrain.cli import VERBS
from dltrain.config import load
from dltrain.errors import ConfigError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def example(section: str = "## A config") -> str:
    (text,) = re.findall(r"```yaml\n(.*?)```", README.split(section)[1].split("\n## ")[0], re.S)
    return str(text)


def test_readme_example_trains(tmp_path: Path) -> None:
    import dltrain as package

    config = tmp_path / "my_first.yaml"
    config.write_text(example())
    assert package.fit(config, smoke=True, runs_dir=tmp_path / "runs").record().status == "completed"


def test_readme_own_data_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dltrain as package

    code, _ = re.findall(r"```python\n(.*?)```", README, re.S)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    (tmp_path / "mine.yaml").write_text(example("## Your own data"))
    run = package.fit("mine.yaml", runs_dir=tmp_path / "runs")
    assert run.record().metrics["test_accuracy"] > 0.8
    assert "heavy" in (run.path / "eval" / "confusion.csv").read_text()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("optimizer:", "optimzer:"),
        ("- Flatten\n    - Dense: {units: 64, activation: relu}", "- LSTM: {units: 64}"),
    ],
)
def test_readme_shows_the_actual_message(tmp_path: Path, right: str, wrong: str) -> None:
    import click

    from dltrain.cli.diagnostics import text

    config = tmp_path / "my_first.yaml"
    config.write_text(example().replace(right, wrong))
    with pytest.raises(ConfigError) as caught:
        load(config)
    shown = [click.unstyle(text(p)).replace(f"{tmp_path}/", "") for p in caught.value.problems]
    assert set(shown) & set(re.findall(r"```\n(error:.*?)\n```", README, re.S))


def test_readme_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", README, re.S)[-1]
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert list((tmp_path / "runs").iterdir())


def test_readme_lists_exactly_the_verbs() -> None:
    named = set(re.findall(r"`dltrain (\w+)", README.split("## Commands")[1].split("##")[0]))
    assert named == set(VERBS)


@pytest.mark.slow  # quick in one process: the example above, and the commands of a table below
def test_readme_command_runs(dltrain: Command, tmp_path: Path) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    done = dltrain("fit", "configs/cnn_mnist.yaml", "--smoke", "-s", "train.epochs=3")
    assert done.returncode == 0, done.stderr


def test_readme_own_data_leads_from_a_table_to_predictions(dltrain: Command, tmp_path: Path) -> None:
    """The commands of the section, word for word, on a table of its own."""
    section = README.split("## Your own data")[1]
    commands = [line.split("#")[0].split() for line in section.split("```sh")[1].split("```")[0].strip().splitlines()]
    assert [command[1] for command in commands] == ["init", "data", "fit", "predict"]
    rows = [f"{i % 17},{'ab'[i % 2]},{'low' if i % 17 < 8 else 'high'}" for i in range(200)]
    (tmp_path / "table.csv").write_text("\n".join(["size,kind,level", *rows]) + "\n")
    (tmp_path / "new.csv").write_text("kind,size\na,1\nb,16\n")
    found = dltrain.in_turn(*(command[1:] for command in commands))
    for done in found:
        assert done.returncode == 0, done
    answers = found[-1].stdout.splitlines()
    assert [line.split(",")[:2] for line in answers[1:]] == [["new.csv:0", "low"], ["new.csv:1", "high"]]
