"""The oldest supported versions, which `make check-oldest` installs, are the lower bounds of pyproject.toml."""

from __future__ import annotations

import tomllib

from tests.helpers import ROOT

# Extras for users; not the developer tools, and not the GPU libraries, which need a GPU.
EXTRAS = ("digits", "jax", "subwords", "tables")


def test_oldest_versions_are_the_lower_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounds = [*project["dependencies"], *(bound for name in EXTRAS for bound in project["optional-dependencies"][name])]
    lines = (ROOT / "requirements" / "oldest.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert pinned == [bound.replace(">=", "==") for bound in bounds]
