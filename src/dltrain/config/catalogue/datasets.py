"""The data sets that a config may name, in the catalogue's own terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from dltrain.config.catalogue.entries import Entry, trait
from dltrain.config.schema import KerasObject
from dltrain.data.facts import Facts, Task
from dltrain.data.sources import SOURCES
from dltrain.data.sources.source import SEEN, Contradiction, once

ENTRIES: dict[str, Entry] = {name: Entry("dataset", name, dict(source.arguments)) for name, source in SOURCES.items()}


@contextmanager
def looking_once() -> Iterator[None]:
    """Look at the files of a data set once within, however often it is asked for."""
    token = SEEN.set({})
    try:
        yield
    finally:
        SEEN.reset(token)


def facts(name: str, arguments: Mapping[str, Any], task: Task | None = None) -> Facts | None:
    """Return the facts of a data set with valid arguments; None where it has to be read first."""
    source = SOURCES.get(name)
    if source is None:
        return None
    found = once(("facts", name, arguments, task), lambda: source.facts(source.filled(arguments), task))
    return found.for_task(task) if found is not None else None


def has_task(name: str) -> bool:
    """Return whether a data set itself says what its targets are."""
    return name in SOURCES and SOURCES[name].has_task


def likely_tasks(name: str, arguments: Mapping[str, Any]) -> str:
    """Return the tasks that the targets of a data set without one allow, as a phrase."""
    likely = SOURCES[name].likely_tasks
    return likely(arguments) if likely is not None else "write `task: classification` for labels"


def contradictions(name: str, arguments: Mapping[str, Any], task: Task | None) -> Iterable[Contradiction]:
    """Return what valid arguments of a data set say against each other, and against the files that they name."""
    found: Iterable[Contradiction] = once(
        ("contradictions", name, arguments, task), lambda: list(SOURCES[name].contradictions(arguments, task))
    )
    return found


def input_dtype(facts: Facts, layers: Sequence[KerasObject]) -> Literal["float32", "int32"]:
    """Return the dtype of a model's input: int32 where its first layer takes whole numbers and the samples are such.

    As floats, they would be rounded in mixed precision.
    """
    first = next((layer.name for layer in layers if not trait("layer", layer.name, "keeps_values")), None)
    return "int32" if facts.whole and trait("layer", first, "takes_whole") else "float32"
