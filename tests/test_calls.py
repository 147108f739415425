"""The Python functions take text and paths; anything else is a `UsageError` that names the argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

import dltrain as package
from dltrain.config import load
from dltrain.errors import ConfigError, UsageError

WRONG = [None, 3, 3.5, True, b"runs", ["runs"], object()]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(
    "call", [package.fit, package.describe_data, package.resume, package.evaluate, package.load_run]
)
def test_calls_need_a_config_or_a_run(call: Callable[..., Any], value: Any) -> None:
    with pytest.raises(UsageError, match=r"a (config|run) must be a path( or a mapping)?, not \w+"):
        call(value)


@pytest.mark.parametrize("value", WRONG)
def test_calls_need_a_path_of_the_runs(tiny: Path, value: Any) -> None:
    for call in (package.fit, package.resume, package.evaluate):
        with pytest.raises(UsageError, match="`runs_dir` must be a path"):
            call(str(tiny), runs_dir=value)
    with pytest.raises(UsageError, match="`runs_dir` must be a path"):
        package.load_run("latest", value)


@pytest.mark.parametrize("value", [None, 3, 3.5, True, b"runs", object(), "train.epochs=1", [3]])
def test_calls_need_overrides_as_they_are_written(tiny: Path, value: Any) -> None:
    with pytest.raises(UsageError, match="`overrides` must be a mapping"):
        package.fit(tiny, value)


@pytest.mark.parametrize("argument", ["smoke", "profile", "owns_process", "on_event", "force", "from_scratch"])
@pytest.mark.parametrize("value", [None, "no", 0, 1.5])
def test_calls_need_flags_and_listeners(tiny: Path, tmp_path: Path, argument: str, value: Any) -> None:
    calls = {package.fit: ("smoke", "profile"), package.resume: ("force", "from_scratch"), package.evaluate: ()}
    for call, own in calls.items():
        if argument in (*own, "owns_process", "on_event"):
            with pytest.raises(UsageError, match=f"`{argument}` must be"):
                call(str(tiny), **{argument: value, "runs_dir": tmp_path / "runs"})  # type: ignore[operator]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("split", [None, "tset", "", ["test"], 3])
def test_calls_need_a_split_that_exists(split: Any) -> None:
    with pytest.raises(UsageError, match="there is no split"):
        package.evaluate("latest", split)


def test_calls_need_overrides_by_text(tiny: Path) -> None:
    with pytest.raises(UsageError, match="a key of `overrides` must be text, not int"):
        package.fit(tiny, {3: 3})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("value", "plain"), [(np.bool_(True), True), (np.float32(0.5), 0.5), (np.int64(3), 3), (np.array(2), 2)]
)
def test_calls_take_scalars_of_numpy(tiny: Path, value: Any, plain: Any) -> None:
    key = {bool: "train.deterministic", float: "data.validation", int: "seed"}[type(plain)]
    spec = load(tiny, {key: value}).spec.model_dump()
    found: Any = spec
    for part in key.split("."):
        found = found[part]
    assert found == plain


def test_calls_refuse_half_a_character() -> None:
    with pytest.raises(UsageError, match="half of a character"):
        package.fit({"name": "a\ud800"})


@pytest.mark.parametrize("value", [3, b"a", ["a"], {}])
def test_calls_need_a_name_of_text(tiny: Path, value: Any) -> None:
    with pytest.raises(UsageError, match="`name` must be text"):
        package.fit(tiny, name=value)


def test_calls_take_text_and_paths(tiny: Path, tmp_path: Path) -> None:
    run = package.fit(str(tiny), {"train.epochs": 1}, runs_dir=str(tmp_path / "runs"))
    assert package.load_run("latest", str(tmp_path / "runs")) == run
    assert package.load_run(PurePosixPath(run.path)) == run
    assert package.load_run(run) == run
    assert package.evaluate(run.id, runs_dir=tmp_path / "runs").run == run.id
    assert package.evaluate(run.path).run == run.id


def test_calls_tell_every_problem_of_a_config() -> None:
    with pytest.raises(ConfigError) as caught:
        package.fit({"model": {"layers": [{"Dens": 3}]}, "train": {"epochs": 0}})
    text = str(caught.value)
    assert "error at model.layers.0" in text
    assert "`Dense: {units: 3}`" in text
    assert "train.epochs" in text
