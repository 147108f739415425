"""The messages that broken configs get, each written down beside it; scripts/write_messages.py writes them anew."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
BROKEN = sorted((ROOT / "tests" / "broken").glob("*.yaml"))
# Nothing to write instead: the message says it all.
WITHOUT_HINT: set[str] = set()


def script() -> ModuleType:
    path = ROOT / "scripts" / "write_messages.py"
    found = importlib.util.spec_from_file_location("write_messages", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_broken_configs_are_many() -> None:
    assert len(BROKEN) >= 100


@pytest.mark.parametrize("config", BROKEN, ids=lambda path: path.stem)
def test_broken_config_gets_its_message(config: Path) -> None:
    assert script().message(config) == config.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("config", BROKEN, ids=lambda path: path.stem)
def test_broken_config_is_told_where_and_what_to_write(config: Path) -> None:
    text = config.with_suffix(".txt").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        first, place, *_ = block.splitlines()
        assert re.match(r"(error|warning): \S", first)
        assert re.match(rf" *--> {config.name}:\d+:\d+$", place)
        assert "^" in block
        hinted = re.search(r"(\^ \S|\n +=  ?\S)", block)
        assert hinted or config.stem in WITHOUT_HINT


def test_broken_formats_say_the_same(dltrain: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    config = ROOT / "tests" / "broken" / "many-at-once.yaml"
    text, as_json, github = (dltrain("check", config, "--format", form) for form in ("text", "json", "github"))
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
