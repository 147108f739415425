from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dltrain.runs import provenance


def _git(directory: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "commit.gpgsign=false")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(
        ["git", *identity, "-C", str(directory), *words],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    (path / "sub").mkdir(parents=True)
    _git(path, "init", "-q")
    (path / "sub" / "file").write_text("1")
    _git(path, "add", ".")
    _git(path, "commit", "-q", "-m", "one")
    return path


def test_provenance_versions_skips_missing_packages_and_imports_nothing() -> None:
    code = (
        "import sys; from dltrain.runs import provenance; "
        "print(provenance.versions(['pytest', 'no-such-package-here'])); print('pytest' in sys.modules)"
    )
    source = Path(provenance.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )
    expected = {"python": platform.python_version(), "pytest": pytest.__version__}
    assert done.stdout.splitlines() == [str(expected), "False"]


def test_provenance_git_state_of_a_clean_and_a_dirty_tree(repository: Path) -> None:
    commit = _git(repository, "rev-parse", "HEAD")
    (repository / "untracked").touch()
    assert provenance.git_state(repository / "sub") == {"commit": commit, "dirty": False}
    (repository / "sub" / "file").write_text("2")
    assert provenance.git_state(repository) == {"commit": commit, "dirty": True}


@pytest.mark.parametrize("variables", [("GIT_DIR",), ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")])
def test_provenance_git_state_ignores_the_environment_of_a_git_hook(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: tuple[str, ...]
) -> None:
    commit = _git(repository, "rev-parse", "HEAD")
    for variable in variables:
        monkeypatch.setenv(variable, str(tmp_path / "other"))
    assert provenance.git_state(repository) == {"commit": commit, "dirty": False}


def test_provenance_git_state_runs_no_program_from_the_repository_config(repository: Path, tmp_path: Path) -> None:
    _git(repository, "config", "core.fsmonitor", f"touch {shlex.quote(str(tmp_path / 'ran'))}; false")
    assert provenance.git_state(repository) is not None
    assert not (tmp_path / "ran").exists()


def test_provenance_git_state_is_none_without_repository_or_commit(tmp_path: Path) -> None:
    assert provenance.git_state(tmp_path) is None
    assert provenance.git_state(tmp_path / "missing") is None
    _git(tmp_path, "init", "-q")
    assert provenance.git_state(tmp_path) is None


def test_provenance_git_state_is_none_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.git_state(Path.cwd()) is None


def test_provenance_git_state_does_not_wait_for_a_hanging_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(provenance, "_GIT_SECONDS", 0.2)
    start = time.monotonic()
    assert provenance.git_state(tmp_path) is None
    assert time.monotonic() - start < 30


def test_provenance_command_line_round_trips() -> None:
    argv = ["dltrain", "fit", "my config.yaml", "-s", "name='x y'", "", "$HOME"]
    assert shlex.split(provenance.command_line(argv)) == argv


def test_provenance_platform_text_contains_the_system_but_not_the_host() -> None:
    text = provenance.platform_text()
    assert text.startswith(("macOS", platform.system()))
    assert len(platform.node()) < 3 or platform.node() not in text


def test_provenance_git_state_runs_no_filter_of_the_repository(repository: Path, tmp_path: Path) -> None:
    (repository / ".gitattributes").write_text("* filter=evil\n")
    _git(repository, "config", "filter.evil.clean", f"touch {tmp_path / 'ran'}; cat")
    _git(repository, "config", "filter.evil.process", f"touch {tmp_path / 'ran'}")
    os.utime(repository / "sub" / "file", (1, 1))
    state = provenance.git_state(repository)
    assert state is not None
    assert len(state["commit"]) == 40
    assert not (tmp_path / "ran").exists()
