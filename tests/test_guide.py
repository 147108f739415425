"""docs/config.md is correct: its tables are current, its examples pass the check, its commands parse."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file
from tests.helpers import ROOT, script

import dltrain
from dltrain.cli import VERBS, cli
from dltrain.cli.diagnostics import text
from dltrain.config import load
from dltrain.config.manual import templates
from dltrain.config.schema import SECTIONS
from dltrain.data.sources import SOURCES
from dltrain.engine.events import Loaded
from dltrain.errors import ConfigError

GUIDE = (ROOT / "docs" / "config.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", GUIDE, re.S)
    for line in block.splitlines()
    if line.startswith("dltrain ")
]
BASE = """\
data: {dataset: mnist}
model: {layers: [Flatten, Dense: {units: 10, activation: softmax}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, metrics: [accuracy], epochs: 1}
"""


def is_complete(example: str) -> bool:
    return all(re.search(rf"(?m)^{section}:", example) for section in ("data", "model", "train"))


def own_arrays(path: Path) -> None:
    x, y = np.zeros((200, 28, 28, 1), np.uint8), np.arange(200) % 10
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    np.savez(path.with_name("visits.npz"), x=x, y=y, patient=np.arange(200) // 4, w=np.ones(200))


def own_images(path: Path) -> None:
    """Create a folder of ten classes; the check opens no image."""
    for split in ("train", "val", "test"):
        for number in range(100):
            folder = path / split / str(number % 10)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.jpg").touch()


def own_texts(path: Path) -> None:
    """Create a table with texts, a folder of ten classes of them and a long text."""
    rows = [f"word{number},{number % 5 + 1}\n" for number in range(50)]
    (path / "reviews.csv").write_text("review,stars\n" + "".join(rows))
    (path / "book.txt").write_text("word after word\n" * 100)
    for number in range(10):
        (path / "reviews" / str(number)).mkdir(parents=True)
        for place in range(10):
            (path / "reviews" / str(number) / f"{place}.txt").touch()


def first_complete_example() -> str:
    return str(next(example for example in EXAMPLES if is_complete(example)))


def fine_tuning() -> list[str]:
    """Return the configs of the section on fine-tuning, each of which takes the weights of the one before it."""
    return [example for example in EXAMPLES if "initial_weights: latest" in example]


def test_guide_fine_tuning_trains_the_head_and_then_all_layers(tmp_path: Path) -> None:
    head, everything = fine_tuning()
    (tmp_path / "head.yaml").write_text(head)
    (tmp_path / "all.yaml").write_text(everything)
    found = []
    steps = [("head.yaml", ["train.initial_weights=null", "train.freeze=[]"]), ("head.yaml", []), ("all.yaml", [])]
    for name, overrides in steps:
        events: list[Any] = []
        run = dltrain.fit(tmp_path / name, overrides, smoke=True, runs_dir=tmp_path / "runs", on_event=events.append)
        found.append(load_file(next((run.path / "checkpoints").iterdir()) / "weights.safetensors"))
        assert [event.matched for event in events if isinstance(event, Loaded)] == ([] if overrides else [4])
    assert np.array_equal(found[0]["body/kernel"], found[1]["body/kernel"])
    assert not np.array_equal(found[1]["body/kernel"], found[2]["body/kernel"])


def test_guide_tables_are_current() -> None:
    assert script("make_docs").text() == GUIDE, "stale: run python scripts/make_docs.py"


def test_guide_names_every_key() -> None:
    for path, model in SECTIONS.items():
        for key in model.model_fields:
            assert re.search(rf"\b{key}\b", GUIDE), (path, key)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_guide_example_passes_the_check(example: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "head.yaml").write_text(fine_tuning()[0])
    own_arrays(tmp_path / "data.npz")
    own_images(tmp_path / "photos")
    own_texts(tmp_path)
    files = sorted(path.relative_to(tmp_path / "photos") for path in (tmp_path / "photos" / "train").rglob("*.jpg"))
    lines = [f"{file},{file.parent.name}\n" for file in files]
    (tmp_path / "photos" / "labels.csv").write_text(f"filename,label\n{''.join(lines)}")
    for table in (ROOT / "configs" / "data").glob("*.csv"):
        (tmp_path / table.name).symlink_to(table)
    config = tmp_path / "config.yaml"
    links = is_complete(example) or "extends:" in example
    config.write_text(example if links else f"extends: base.yaml\n{example}")
    assert load(config, strict=True)


def test_guide_lines_for_scripts_are_keys_and_arguments() -> None:
    """The right column of "From your script": data sets with their arguments, and keys of the sections."""
    section = GUIDE.split("## From your script")[1].split("\n## ")[0]
    cells = [line.split(" | ")[-1] for line in section.splitlines() if line.startswith("| `")]
    spans = [yaml.safe_load(span) for cell in cells for span in re.findall(r"`([^`]*: [^`]*)`", cell)]
    assert len(spans) >= 20
    keys = {key for part in SECTIONS.values() for key in part.model_fields}
    for span in spans:
        ((key, value),) = span.items()
        assert key in keys | SOURCES.keys(), key
        if key == "dataset":
            key, value = next(iter(value.items())) if isinstance(value, dict) else (value, {})
        if key in SOURCES:
            arguments = SOURCES[key].arguments
            assert value.keys() <= arguments.keys(), key
            assert all(name in value for name, argument in arguments.items() if argument.required), key


def test_guide_shows_the_actual_message(tmp_path: Path) -> None:
    config = tmp_path / "first.yaml"
    config.write_text(first_complete_example().replace("Dropout", "Dorpout"))
    with pytest.raises(ConfigError) as caught:
        load(config)
    shown = [click.unstyle(text(problem)).replace(f"{tmp_path}/", "") for problem in caught.value.problems]
    (quoted,) = re.findall(r"```\n(error:.*?)\n```", GUIDE, re.S)
    assert quoted in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_guide_command_parses(command: str) -> None:
    _, verb, *arguments = shlex.split(command.split(" > ")[0])
    assert verb in VERBS
    found = cli.get_command(click.Context(cli), verb)
    assert found is not None
    found.make_context(verb, arguments)


@pytest.mark.parametrize("command", [command for command in COMMANDS if " -s " in command])
def test_guide_override_applies_to_the_template(command: str, tmp_path: Path) -> None:
    config = tmp_path / "cnn.yaml"
    config.write_text(templates.text("cnn"))
    arguments = shlex.split(command)
    assert load(config, arguments[arguments.index("-s") + 1 :])


def test_guide_links_point_to_its_headings() -> None:
    headings = {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in re.findall("## .*", GUIDE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", GUIDE)) <= {heading.strip("-") for heading in headings}


def test_guide_has_an_argument_table_for_every_data_set() -> None:
    text = (ROOT / "docs" / "config.md").read_text()
    for source in SOURCES.values():
        assert not source.arguments or f"<!-- generated: dataset {source.name} -->" in text, source.name
