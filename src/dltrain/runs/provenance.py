"""The provenance of a run: versions, commit, command and platform. Never the environment."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TypedDict

_GIT_SECONDS = 5.0


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
    commit, and if git does not answer within `_GIT_SECONDS`.
    """
    filters = _git(directory, "config", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process)$")
    if filters is None:
        return None
    # Programs that the repository configures are not run: it may be a stranger's.
    harmless = [word for key in filters for word in ("-c", f"{key}=")]
    status = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty")
    lines = _git(directory, "-c", "core.fsmonitor=false", *harmless, *status) or []
    commits = [line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")]
    if not commits or commits[0] == "(initial)":
        return None
    return {"commit": commits[0], "dirty": any(not line.startswith("#") for line in lines)}


def _git(directory: Path, *arguments: str) -> list[str] | None:
    """Return the lines that git prints, none if it fails; None without git or without an answer."""
    # Inside a git hook, GIT_DIR and similar variables name another repository than the one around `directory`.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").splitlines() if done.returncode == 0 else []


def command_line(argv: Sequence[str]) -> str:
    """Return `argv` as one shell-quoted line."""
    return shlex.join(argv)


def platform_text() -> str:
    """Return system, release and machine, such as `Linux-6.1.0-x86_64-with-glibc2.36`; no host name."""
    return platform.platform()
