"""The data sets that a config may name, in the catalogue's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.config.catalogue.entries import Entry
from dltrain.config.document.source import Node
from dltrain.data.facts import Facts
from dltrain.data.sources import SOURCES
from dltrain.errors import Problem, Where

ENTRIES: dict[str, Entry] = {name: Entry("dataset", name, dict(source.arguments)) for name, source in SOURCES.items()}


def facts(name: str, arguments: Mapping[str, Any]) -> Facts | None:
    """The facts of a data set with valid arguments; None where it has to be read first."""
    source = SOURCES.get(name)
    return source.facts(source.filled(arguments)) if source is not None else None


def check_arguments(name: str, arguments: dict[str, Node], where: Where, path: tuple[str | int, ...]) -> list[Problem]:
    """What the arguments of a data set say together."""
    written = {key: node.plain() for key, node in arguments.items()}
    return [
        Problem("contradiction", found.message, path, arguments[found.argument].key or where, found.hint)
        for found in SOURCES[name].contradictions(written)
    ]
