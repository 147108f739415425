"""The README is correct: its examples run, its commands exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

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


def test_readme_command_runs(dltrain: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    done = dltrain("fit", "configs/cnn_mnist.yaml", "--smoke", "-s", "train.epochs=3")
    assert getattr(done, "returncode", None) == 0
