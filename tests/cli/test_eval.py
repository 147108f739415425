"""`dltrain eval` and docs/evaluation.md: what is printed fits a terminal, and the guide names every figure and file."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from tests.helpers import ROOT, Command, Trained, copied

import dltrain as package
from dltrain.cli import sheet as view
from dltrain.metrics.classes import class_sheet
from dltrain.metrics.flags import flag_sheet
from dltrain.metrics.numbers import array_sheet, errors_by_step, number_sheet

GUIDE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```\n(.*?)```", GUIDE, re.S) for line in block.splitlines()]
COMMANDS = [line for line in COMMANDS if line.startswith("dltrain eval")]


def test_eval_commands_of_the_guide_run(dltrain: Command, trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.finished(), tmp_path / "runs")
    done = dltrain.in_turn(*(tuple(shlex.split(line)[1:]) for line in COMMANDS))
    assert len(done) == len(COMMANDS) > 3
    for each in done:
        assert each.returncode == 0, each.stderr
    text, as_json = done[0].stdout, json.loads(done[-1].stdout)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert re.search(r"(?m)^accuracy +\d\.\d{4} +\d\.\d{4} to \d\.\d{4}$", text)
    assert re.search(r"(?m)^class +samples  precision  recall +F1  ROC AUC +AP$", text)
    assert as_json["sheet"]["scores"]["accuracy"]["method"] == "wilson"
    names = {path.relative_to(run.path / "eval").as_posix() for path in (run.path / "eval").rglob("*.*")}
    assert {"sheet.json", "probabilities.npz", "validation-sheet.json", "last/sheet.json"} <= names
    for name in names:
        assert f"`{name.split('/')[-1].removeprefix('validation-')}`".replace("validation.json", "test.json") in GUIDE


@pytest.mark.parametrize("checkpoint", ["first", "0", "-1", "1.5", "", "²", "best ", "9" * 30])
def test_eval_tells_what_a_checkpoint_is(dltrain: Command, checkpoint: str) -> None:
    done = dltrain("eval", "latest", "--checkpoint", checkpoint)
    assert done.returncode == 2
    assert "no" in done.stderr
    assert "Traceback" not in done.stderr


def sheets() -> list[object]:
    draws = np.random.default_rng(0)
    labels, given = draws.integers(0, 40, 300), draws.dirichlet(np.ones(40), 300)
    names = [f"a long name of the class {index} \x1b[31m and more of it\n" for index in range(40)]
    flags = draws.random((50, 3)) < 0.4
    numbers = draws.normal(size=(50, 3))
    two = draws.dirichlet(np.ones(2), 60)
    steps = numbers[:, :, None]
    by_step, baselines = errors_by_step(steps, steps + 1, {"naive": steps})
    of_numbers = number_sheet(numbers, numbers + 1, ["x", "y", "z"], centre=np.zeros(3), median=np.zeros(3))
    return [
        class_sheet(labels, given.argmax(axis=1), given, names, probabilities=True),
        class_sheet(draws.integers(0, 2, 60), two.argmax(axis=1), two, ["no", "yes"], probabilities=True),
        flag_sheet(flags, ~flags, draws.random((50, 3)), ["a", "b", "c"], probabilities=True),
        number_sheet(numbers[:, :1], numbers[:, :1] * 1e7, [], centre=np.zeros(1), median=np.zeros(1)),
        of_numbers,
        replace(of_numbers, by_step=by_step, baselines=baselines),
        array_sheet(np.abs(numbers[:, 0]), numbers[:, 0] ** 2),
    ]


@pytest.mark.parametrize("index", range(7))
def test_eval_prints_every_sheet_in_eighty_columns(index: int, capsys: pytest.CaptureFixture[str]) -> None:
    view.show(sheets()[index])  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert shown.strip()
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= (100 if index == 0 else 80)  # long names of classes take more
    assert "nan" not in shown.lower()


def test_eval_guide_names_every_figure() -> None:
    for found in sheets():
        for name in [
            *getattr(found, "scores", {}),
            *(n for each in getattr(found, "numbers", ()) for n in each.scores),
        ]:
            assert f"`{name}`" in GUIDE or name == "bias", name
    assert click.unstyle(GUIDE) == GUIDE
    assert "checkpoint" in (package.evaluate.__doc__ or "")
