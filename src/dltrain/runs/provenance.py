"""The provenance of a run: versions, commit, command and platform. Never the environment."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TypedDict

_GIT_SECONDS = 5.0
# What decides whether a file differs, and names no program.
_SETTINGS = r"^core\.(autocrlf|checkstat|eol|filemode|ignorecase|precomposeunicode|symlinks|trustctime)$"


class GitState(TypedDict):
    commit: str
    dirty: bool


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return versions by package, Python first, from metadata without imports; missing packages are left out."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_state(directory: Path) -> GitState | None:
    """Return the commit of the repository around `directory`, and whether a tracked file differs from it.

    Untracked files do not count: the run directory itself would be one. None without git, a repository or a
    commit, and if git does not answer within `_GIT_SECONDS`. The repository may be a stranger's: git compares its files
    from an empty repository of ours, and so never reads what its config would have it run.
    """
    here = Path(os.path.realpath(directory))
    try:
        # Neither command reads the index or an object, so nothing that a config names is run for them.
        parts = ("--show-toplevel", "--git-path", "objects", "--git-path", "index", "HEAD")
        lines = _git(here, "rev-parse", *parts).stdout.split("\n")
        settings = _git(here, "config", "--null", "--get-regexp", _SETTINGS, accepted=(0, 1)).stdout
        if len(lines) != 5:
            return None  # a path with a line break
        top, objects, index = (Path(os.path.realpath(here / line)) for line in lines[:3])
        if not here.is_relative_to(top):
            return None  # the config leads elsewhere
        with tempfile.TemporaryDirectory(prefix="dltrain-git-") as ours:
            differs = _differs(Path(ours), top, objects, index, lines[3], settings)
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": lines[3], "dirty": differs}


def _differs(ours: Path, top: Path, objects: Path, index: Path, commit: str, settings: str) -> bool:
    """Return whether the tracked files under `top` differ from `commit`; `ours` is an empty directory."""
    for folder in ("objects", "refs"):
        (ours / folder).mkdir()
    (ours / "HEAD").write_text(f"{commit}\n")
    hashes = "sha1" if len(commit) == 40 else "sha256"
    (ours / "config").write_text(f"[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat = {hashes}\n")
    for shared in index.parent.glob("sharedindex.*"):
        (ours / shared.name).symlink_to(shared)
    places = {
        "GIT_DIR": str(ours),
        "GIT_WORK_TREE": str(top),
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_INDEX_FILE": str(index),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # Before version 2.32, git has no GIT_CONFIG_GLOBAL.
        "HOME": str(ours),
        "XDG_CONFIG_HOME": str(ours),
    }
    pairs = (setting.partition("\n")[::2] for setting in settings.split("\0") if setting)
    kept = [word for key, value in pairs for word in ("-c", f"{key}={value}")]
    return (
        _git(top, *kept, "diff", "--quiet", "--ignore-submodules=dirty", "HEAD", accepted=(0, 1), **places).returncode
        == 1
    )


def _git(
    directory: Path, *words: str, accepted: tuple[int, ...] = (0,), **places: str
) -> subprocess.CompletedProcess[str]:
    """Run git in `directory`. Raises OSError or SubprocessError without git, an answer, or an accepted exit code."""
    # Inside a git hook, GIT_DIR and similar variables name another repository than the one around `directory`.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C", **places}
    done = subprocess.run(
        ["git", "-C", str(directory), *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_GIT_SECONDS,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    if done.returncode not in accepted:
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return done


def command_line(argv: Sequence[str]) -> str:
    """Return `argv` as one shell-quoted line."""
    return shlex.join(argv)


def platform_text() -> str:
    """Return system, release and machine, such as `Linux-6.1.0-x86_64-with-glibc2.36`; no host name."""
    return platform.platform()
