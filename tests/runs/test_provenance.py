from __future__ import annotations

import os
import platform
import shlex
import shutil
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


NAMES = ["evil", "a=b", "=", "a=b=c", "a.b", "a b", 'a"b', "a\\b", "a\tb", "ä", "$(x)", "-x", "%s", "*", ".clean"]
KEYS = [
    "alias.config",
    "alias.diff",
    "alias.rev-parse",
    "alias.status",
    "core.alternateRefsCommand",
    "core.askPass",
    "core.editor",
    "core.fsmonitor",
    "core.gitProxy",
    "core.hooksPath",
    "core.pager",
    "core.sshCommand",
    "credential.helper",
    "diff.external",
    "gpg.program",
    "pager.config",
    "pager.diff",
    "pager.rev-parse",
    "pager.status",
    "sequence.editor",
    "uploadpack.packObjectsHook",
]
OF_A_NAME = ["diff.%s.command", "diff.%s.textconv", "filter.%s.clean", "filter.%s.process", "filter.%s.smudge"]
OF_A_NAME += ["merge.%s.driver", "remote.%s.uploadpack", "submodule.%s.update", "trailer.%s.command"]


@pytest.fixture
def hostile(repository: Path, tmp_path: Path) -> Path:
    """A repository where everything that git can run is a program that leaves the file `ran`."""
    program = f"sh -c ': > {tmp_path / 'ran'}'"
    lines = []
    for number, name in enumerate(NAMES):
        (repository / f"file{number}").write_text("1")
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        for pattern in OF_A_NAME:
            section, _, variable = pattern.split(".")
            lines += [f'[{section} "{quoted}"]', f'\t{variable} = "{"!" if variable == "update" else ""}{program}"']
    _git(repository, "add", ".")
    _git(repository, "commit", "-q", "-m", "two")
    attributes = "".join(
        f"file{number} filter={name} diff={name} merge={name}\n" for number, name in enumerate(NAMES) if " " not in name
    )
    (repository / ".gitattributes").write_text(attributes)
    (repository / ".gitmodules").write_text(
        f'[submodule "sub"]\npath = sub\nurl = ext::{program}\nupdate = !{program}\n'
    )
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout", "reference-transaction"):
        path = repository / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(0o755)
    for key in KEYS:
        section, _, variable = key.partition(".")
        lines += [f"[{section}]", f'\t{variable} = "{"!" if section == "alias" else ""}{program}"']
    lines += ["[protocol]", "\tallow = always", '[remote "o"]', f'\turl = "ext::{program}"', "\tpromisor = true"]
    (tmp_path / "more").write_text("\n".join(lines) + "\n")
    with (repository / ".git" / "config").open("a") as config:
        config.write(
            "\n".join(lines) + f'\n[include]\n\tpath = "{tmp_path / "more"}"\n[extensions]\n\tpartialClone = o\n'
        )
    for path in repository.glob("file*"):
        os.utime(path, (1, 1))
    return repository


def test_provenance_git_state_runs_nothing_that_a_repository_names(hostile: Path, tmp_path: Path) -> None:
    code = "from pathlib import Path; from dltrain.runs.provenance import git_state; print(git_state(Path.cwd()))"
    command = [sys.executable, "-c", code]
    log = tmp_path / "strace"
    if shutil.which("strace"):
        command = [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=execve,execveat",
            "-e",
            "status=successful",
            "-o",
            str(log),
            *command,
        ]
    source = str(Path(provenance.__file__).parents[2])
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=hostile, env={**os.environ, "PYTHONPATH": source}
    )
    # Neither the names nor the programs keep the state from being found: no content differs.
    assert done.stdout.strip() == str({"commit": _git(hostile, "rev-parse", "HEAD"), "dirty": False})
    assert not (tmp_path / "ran").exists()
    if log.exists():
        programs = {Path(line.split('"')[1]).name for line in log.read_text().splitlines() if '"' in line}
        assert programs <= {"git", Path(sys.executable).name}


def test_provenance_git_state_is_tested_on_a_repository_that_does_run_programs(hostile: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "-C", str(hostile), "status"], check=False, capture_output=True)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", ["worktree", "submodule", "packed", "autocrlf", "split index"])
def test_provenance_git_state_of_other_kinds_of_repositories(repository: Path, tmp_path: Path, place: str) -> None:
    seen = repository
    if place == "worktree":
        seen = tmp_path / "worktree"
        _git(repository, "worktree", "add", "-q", str(seen))
    elif place == "submodule":
        seen = tmp_path / "super" / "sub"
        seen.parent.mkdir()
        _git(seen.parent, "init", "-q")
        _git(seen.parent, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "sub")
    elif place == "packed":
        _git(repository, "gc", "-q")
    elif place == "autocrlf":
        _git(repository, "config", "core.autocrlf", "true")
        (repository / "sub" / "file").write_bytes(b"1\r\n")
        _git(repository, "commit", "-q", "-a", "-m", "crlf")
        os.utime(repository / "sub" / "file", (1, 1))
    else:
        _git(repository, "update-index", "--split-index")
    commit = _git(seen, "rev-parse", "HEAD")
    assert provenance.git_state(seen / "sub") == {"commit": commit, "dirty": False}
    (seen / "sub" / "file").write_text("changed")
    assert provenance.git_state(seen) == {"commit": commit, "dirty": True}


def test_provenance_git_state_does_not_follow_a_config_that_leads_elsewhere(repository: Path, tmp_path: Path) -> None:
    _git(repository, "config", "core.worktree", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    assert provenance.git_state(repository) is None
