"""The messages of broken configs, each stored next to its config; scripts/write_messages.py regenerates them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.helpers import ROOT, Command, script

import dltrain as package
from dltrain.config import load
from dltrain.errors import ConfigError, Problem

BROKEN = sorted((ROOT / "tests" / "broken").glob("*.yaml"))
# Problems that appear only after the first one is fixed.
REVEALED = {"layer-bare-number": {"output-activation"}}


def test_broken_has_at_least_100_configs() -> None:
    assert len(BROKEN) >= 100


@pytest.mark.parametrize("config", BROKEN, ids=lambda path: path.stem)
def test_broken_config_gives_its_stored_message(config: Path) -> None:
    assert script("write_messages").message(config) == config.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("config", BROKEN, ids=lambda path: path.stem)
def test_broken_messages_have_a_position_and_a_hint(config: Path) -> None:
    text = config.with_suffix(".txt").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        first, place, *_ = block.splitlines()
        assert re.match(r"(error|warning): \S", first)
        assert re.match(rf" *--> {config.name}:\d+:\d+$", place)
        assert "^" in block
        assert re.search(r"(\^ \S|\n += \S)", block)


def fixed(text: str, problem: Problem) -> str | None:
    """Return the config with the hint applied literally; None if the hint leaves a choice."""
    where = problem.where
    assert where is not None
    lines = text.split("\n")
    line, start, end = where.line - 1, where.column - 1, where.end_column - 1

    def put(words: str) -> str:
        return "\n".join([*lines[:line], lines[line][:start] + words + lines[line][end:], *lines[line + 1 :]])

    if found := re.fullmatch(r"insert before it: `(- .*)`", problem.hint):
        indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
        return "\n".join([*lines[:line], indent + found[1], *lines[line:]])
    if found := re.fullmatch(r"indent it by (\d+)", problem.hint):
        return "\n".join([*lines[:line], " " * int(found[1]) + lines[line].lstrip(), *lines[line + 1 :]])
    if found := re.fullmatch(r"did you mean `(\S+)`\?", problem.hint):
        return put(found[1])
    if found := re.fullmatch(r".*?(?:write|as in) `(\w+): ?([^`]*)`", problem.hint):
        before = lines[line][:start].rstrip()
        if before.endswith(f"{found[1]}:"):
            return put(found[2])
        if lines[line][start:end].startswith(f"{found[1]}:"):
            return put(f"{found[1]}: {found[2]}")
    if found := re.fullmatch(r"(?:.*: )?write `([^`: ]*)`", problem.hint):
        return put(found[1])
    return None


def problems_of(path: Path) -> tuple[Problem, ...]:
    try:
        return load(path).checked.warnings
    except ConfigError as error:
        return error.problems


def test_broken_configs_are_fixed_by_their_hints(tmp_path: Path) -> None:
    followed = 0
    for config in BROKEN:
        text = config.read_text(encoding="utf-8")
        for problem in problems_of(config):
            better = fixed(text, problem)
            if better is None:
                continue
            followed += 1
            path = tmp_path / config.name
            path.write_text(better, encoding="utf-8")
            left = {(p.code, p.message) for p in problems_of(path)}
            assert (problem.code, problem.message) not in left, (config.name, problem.hint)
            known = {p.code for p in problems_of(config)} | REVEALED.get(config.stem, set())
            assert {code for code, _ in left} <= known, (config.name, problem.hint, left)
    assert followed >= 50


@pytest.mark.parametrize("name", ["shape-lstm-on-vectors", "shape-conv-into-lstm", "shape-sequence-output"])
def test_broken_beginner_configs_train_after_the_hint_is_applied(name: str, tmp_path: Path) -> None:
    """An LSTM on flat features, a convolution directly before an LSTM, an output for every step of a sequence."""
    config = ROOT / "tests" / "broken" / f"{name}.yaml"
    (problem,) = problems_of(config)
    better = fixed(config.read_text(encoding="utf-8"), problem)
    assert better is not None
    path = tmp_path / config.name
    path.write_text(better, encoding="utf-8")
    assert package.fit(path, smoke=True, runs_dir=tmp_path / "runs").record().status == "completed"


def test_broken_formats_report_the_same_problems(dltrain: Command) -> None:
    config = ROOT / "tests" / "broken" / "many-at-once.yaml"
    text, as_json, github = dltrain.in_turn(
        *(("check", config, "--format", output_format) for output_format in ("text", "json", "github"))
    )
    assert (text.returncode, as_json.returncode, github.returncode) == (2, 2, 2)
    problems = json.loads(as_json.stdout)
    keys = {"severity", "code", "path", "file", "line", "column", "end", "message", "hint"}
    assert all(problem.keys() == keys for problem in problems)
    annotations = github.stdout.splitlines()
    assert len(annotations) == len(problems) > 4
    for problem, annotation in zip(problems, annotations, strict=True):
        assert f"{problem['severity']}: {problem['message']}" in text.stderr
        assert f"{problem['file']}:{problem['line']}:{problem['column']}" in text.stderr
        place = f"file={problem['file']},line={problem['line']},col={problem['column']}"
        assert annotation.startswith(f"::{problem['severity']} {place},")
