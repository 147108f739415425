"""`dltrain data`, as a person or a pipeline uses it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import TINY, Command

import dltrain as package
from dltrain import describe_data
from dltrain.data.caching import Freed, cache_folder
from dltrain.errors import ConfigError, DataError, UsageError

TABLE = """\
data:
  dataset: {csv: {path: t.csv, target: y, missing: median}}
  task: classification
  test: 0.25
  validation: 0.25
model: {layers: [Dense: {units: 2, activation: softmax}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1, batch_size: 4}
"""
IMAGES = """\
data:
  dataset: {arrays: {path: images.npz}}
  task: classification
  test: 0.25
  augment: [RandomFlip, GaussianNoise: {stddev: 0.1}]
model: {layers: [Flatten, Dense: {units: 3, activation: softmax}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1, batch_size: 4}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Command:
    folder = tmp_path_factory.mktemp("data")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "table.yaml").write_text(TABLE)
    rows = [f"{'' if i % 5 == 3 else i},{i * i % 7},7,{'yes' if i % 3 else 'no'}" for i in range(40)]
    (folder / "t.csv").write_text("\n".join(["a,b,same,y", *rows, *rows[20:30]]) + "\n")
    (folder / "images.yaml").write_text(IMAGES)
    x = np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3)).astype(np.uint8)
    np.savez(folder / "images.npz", x=x, y=np.arange(40) % 3)
    (folder / "gone.yaml").write_text(TABLE.replace("t.csv", "gone.csv"))
    return Command(folder)


def test_data_shows_what_the_model_gets_and_notes_go_to_stderr(place: Command) -> None:
    results = place.in_turn(
        ("data", "table.yaml"),
        ("data", "tiny.yaml", "--json", "-s", "data.limit.train=50"),
        ("data", "tiny.yaml", "--pictures", "pictures"),
        ("data", "gone.yaml"),
        ("data",),
        ("data", "tiny.yaml", "--pictures", "table.yaml/below"),
    )
    table, plain, drawn, gone, nothing, nowhere = results
    assert table.stdout.splitlines()[:2] == ["csv: classification", "samples (3,) float32, targets 2 classes"]
    assert "constant in training: same" in table.stdout
    assert "missing in training, filled in: a (" in table.stdout
    assert "test samples are also in the train split: test " in table.stderr
    assert "duplicates in" in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 80
    told = json.loads(plain.stdout)
    assert [split["samples"] for split in told["splits"]] == [45, 5, 60]
    assert told["classes"] == ["0", "1", "2"]
    assert len(told["first"]) == 5
    assert drawn.stderr.splitlines()[-1] == "pictures in pictures"
    assert {file.name for file in (place.folder / "pictures").iterdir()} == {"features.png", "targets.png"}
    assert (gone.returncode, nothing.returncode, nowhere.returncode) == (2, 2, 2)
    assert "Missing argument 'CONFIG'" in nothing.stderr
    assert "cannot write pictures" in nowhere.stderr
    assert all("Traceback" not in done.stderr for done in results)


def test_data_draws_augmented_images(place: Command, tmp_path: Path) -> None:
    found = describe_data(place.folder / "images.yaml", pictures=tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"samples.png", "augmented.png", "targets.png"}
    assert found.splits[0].values.highest == 1.0
    before = (tmp_path / "augmented.png").read_bytes()
    describe_data(place.folder / "images.yaml", {"seed": 7}, pictures=tmp_path)
    assert (tmp_path / "augmented.png").read_bytes() != before


def test_data_is_a_function_of_a_config(place: Command) -> None:
    events: list[object] = []
    found = describe_data(place.folder / "table.yaml", ["data.validation=0"], on_event=events.append)
    assert [split.name for split in found.splits] == ["train", "test"]
    assert isinstance(found, package.Summary)
    assert events
    with pytest.raises(UsageError, match="`pictures` must be a path"):
        describe_data(place.folder / "table.yaml", pictures=3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        describe_data(place.folder / "table.yaml", ["data.task=regression"])


SERIES = """
data:
  dataset: {series: {path: s.csv, sequence_length: 3, target: level of the river, on_bad: skip}}
  task: regression
  test: 0.2
model: {layers: [Flatten, Dense: {units: 1}]}
train: {optimizer: Adam, loss: mse, epochs: 1}
"""
NAMED = """
data:
  dataset: {csv: {path: n.csv, target: y}}
  task: classification
  test: 0.2
model: {layers: [Dense: {units: 2, activation: softmax}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}
"""


def test_data_tells_steps_apart_and_names_by_their_ends(place: Command) -> None:
    (place.folder / "series.yaml").write_text(SERIES)
    (place.folder / "s.csv").write_text(
        "level of the river,rain\n" + "".join(f"{i},{i % 4}\n" for i in range(60)) + "7\n"
    )
    (place.folder / "named.yaml").write_text(NAMED)
    long = "the depth of the river, as measured in "
    rows = "".join(f"{i},{-i},{'犬😀' if i % 2 else 'dog'}\n" for i in range(40))
    (place.folder / "n.csv").write_text(f'"{long}May","{long}June",y\n{rows}')
    series, named = place.in_turn(("data", "series.yaml"), ("data", "named.yaml"))
    assert series.stderr.count("with another number of cells than 2") == 1  # by the check, and not again
    assert "position  target  steps of level of the river, rain" in series.stdout
    assert "       0  3       0 0 | 1 1 | 2 2" in series.stdout
    assert "the depth of …sured in May" in named.stdout
    assert "the depth of …ured in June" in named.stdout
    assert "dog       14           2     4" in named.stdout
    assert "犬😀      15           1     4" in named.stdout


def test_data_shows_the_most_frequent_of_many_classes(place: Command) -> None:
    (place.folder / "many.yaml").write_text(IMAGES.replace("images.npz", "many.npz").replace("units: 3", "units: 30"))
    y = np.r_[np.repeat(np.arange(29), 4), np.repeat(29, 40)]
    np.savez(place.folder / "many.npz", x=np.zeros((len(y), 2, 2, 1)), y=y)
    (found,) = place.in_turn(("data", "many.yaml"))
    lines = found.stdout.splitlines()
    head = next(place for place, line in enumerate(lines) if line.startswith("class"))
    assert lines[head + 1].split()[0] == "29"
    assert "… and 6 more, with " in found.stdout


@pytest.mark.parametrize("config", [(), ("tiny.yaml",)])
def test_data_clears_the_cache_and_nothing_else(
    tmp_path: Path, tiny: Path, dltrain: Command, monkeypatch: pytest.MonkeyPatch, config: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = cache_folder()
    assert folder is not None
    outside = tmp_path / "outside"
    for file in ("images-1.npy", "images-1.json", "datasets/imdb/imdb.npz", "notes.txt", "unfinished-x", "../other"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"x" * 1000)
    os.utime(folder / "unfinished-x", (0, 0))
    outside.mkdir()
    (outside / "mine").touch()
    (folder / "datasets" / "link").symlink_to(outside)
    done = dltrain("data", *config, "--clear-cache")
    assert done.returncode == 0, done.stderr
    assert "removed 4 files, " in done.stderr
    assert sorted(file.name for file in folder.iterdir()) == ["notes.txt"]
    assert (outside / "mine").exists()
    assert (folder / "../other").exists()
    assert bool(done.stdout) == bool(config)
    assert package.clear_cache().files == 0


def test_data_without_a_cache_clears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert package.clear_cache() == Freed(tmp_path / "none" / "dltrain", 0, 0)


def test_data_that_cannot_be_removed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "dltrain"
    folder.mkdir()
    (folder / "images-1.npy").touch()

    def refuse(path: Path, missing_ok: bool = False) -> None:  # as the system does to all but root
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(DataError, match=f"cannot clear the cache {folder}: Permission denied"):
        package.clear_cache()
