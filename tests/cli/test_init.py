"""`dltrain init` writes a commented, valid config and never overwrites a file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.helpers import Command, runner, slow_but

import dltrain as package
from dltrain.cli.init_command import command
from dltrain.config import load
from dltrain.config.manual import templates
from dltrain.errors import DltrainError, UsageError


def init(*arguments: str) -> Result:
    return runner().invoke(command, arguments, catch_exceptions=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_lists_one_line_per_template() -> None:
    shown = init().stdout
    names = [line.split()[0] for line in shown.splitlines()]
    files = {Path(file.name).stem for file in resources.files("dltrain").joinpath("templates").iterdir()}
    assert set(names) == set(templates.TEMPLATES) == files


@pytest.mark.parametrize("name", templates.TEMPLATES)
def test_init_template_passes_check_without_warnings(name: str, folder: Path) -> None:
    assert init(name).stdout == f"{name}.yaml\n"
    plan = load(folder / f"{name}.yaml", strict=True)
    assert plan.spec.name == name


@pytest.mark.parametrize("name", slow_but(["mlp", "conv-lstm"], templates.TEMPLATES))
def test_init_template_trains(name: str, folder: Path) -> None:
    init(name)
    run = package.fit(f"{name}.yaml", smoke=True, runs_dir=folder / "runs")
    assert run.record().status == "completed"


@pytest.mark.parametrize("name", templates.TEMPLATES)
def test_init_template_is_commented(name: str) -> None:
    lines = templates.text(name).splitlines()
    assert lines[0].startswith("# ")
    assert sum("#" in line for line in lines) > len(lines) / 3
    assert max(map(len, lines)) <= 120


def test_init_prints_the_next_steps_on_stderr() -> None:
    done = init("cnn", "-o", "my net.yaml")
    assert done.stdout == "my net.yaml\n"
    assert "dltrain check 'my net.yaml'" in done.stderr
    assert "dltrain fit 'my net.yaml'" in done.stderr


def test_init_writes_to_stdout(folder: Path) -> None:
    assert init("mlp", "-o", "-").stdout == templates.text("mlp")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_init_never_overwrites(kind: str, folder: Path) -> None:
    target = folder / "cnn.yaml"
    if kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(folder / "nowhere")
    with pytest.raises(UsageError, match="exists already") as caught:
        init("cnn")
    assert caught.value.hint.endswith("-o cnn-2.yaml")
    assert not (folder / "nowhere").exists()
    assert kind != "file" or target.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cn"], "did you mean `cnn`?"),
        (["transformer"], "`stacked-lstm`"),
        (["cnn", "-o", "no/such/a.yaml"], "there is no folder no/such"),
        (["cnn", "-o", "."], "name a file in it: -o cnn.yaml"),
        (["-o", "a.yaml"], "-o needs a template or data"),
    ],
)
def test_init_bad_input_raises_a_usage_error_and_creates_nothing(arguments: list[str], says: str, folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        init(*arguments)
    assert says in f"{caught.value.message} {caught.value.hint}"
    assert list(folder.iterdir()) == []


def test_init_leaves_no_partial_file_on_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

    def opened(path: Path, mode: str = "r", **rest: Any) -> Any:
        if mode != "xb":
            return original_open(path, mode, **rest)
        path.touch()
        return Full()

    original_open = Path.open

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(DltrainError, match="No space left"):
        templates.write("cnn", folder / "cnn.yaml")
    assert list(folder.iterdir()) == []


@pytest.fixture
def table(folder: Path) -> Path:
    rows = [f"{n % 7},{n % 3},{'high' if n % 7 > 3 else 'low'}" for n in range(60)]
    (folder / "levels.csv").write_text("a,b,level\n" + "\n".join(rows) + "\n")
    return folder / "levels.csv"


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ([], "levels.yaml"),
        (["-o", "mine.yaml"], "mine.yaml"),
        (["--target", "b"], "levels.yaml"),
    ],
)
def test_init_from_data_writes_a_config_that_passes_the_check(arguments: list[str], file: str, table: Path) -> None:
    done = init("--from", "levels.csv", *arguments)
    assert done.stdout == f"{file}\n"
    assert f"dltrain fit {file}" in done.stderr
    plan = load(table.parent / file, strict=True)
    assert plan.spec.data.dataset.arguments["target"] == ("b" if "--target" in arguments else "level")


def test_init_from_data_writes_to_stdout(table: Path) -> None:
    assert "target: level" in init("--from", "levels.csv", "-o", "-").stdout
    assert list(table.parent.iterdir()) == [table]


def test_init_from_data_never_overwrites(table: Path) -> None:
    (table.parent / "levels.yaml").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        init("--from", "levels.csv")
    assert (table.parent / "levels.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cnn", "--from", "levels.csv"], "from a template or from data"),
        (["cnn", "--target", "a"], "--target is the column of a table"),
        (["--from", "level.csv"], "No such file"),
        (["--from", "levels.csv", "--target", "c"], "has no column `c`"),
        (["--from", "levels.csv", "-o", "no/such/a.yaml"], "there is no folder no/such"),
    ],
)
def test_init_from_data_bad_input_is_told_and_creates_nothing(arguments: list[str], says: str, table: Path) -> None:
    with pytest.raises(DltrainError) as caught:
        init(*arguments)
    assert says in f"{caught.value.message} {caught.value.hint}"
    assert list(table.parent.iterdir()) == [table]


def test_init_is_a_verb(dltrain: Command) -> None:
    done = dltrain("init", "cnn")
    assert done.returncode == 0
    again = dltrain("init", "cnn")
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
    assert again.stdout == ""
