"""What the shell offers after Tab: configs, runs, templates, names to explain, and keys of `-s`.

click asks for it in a process of its own, with `_DLTRAIN_COMPLETE` set. Nothing here starts TensorFlow, and what cannot
be read offers nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

from dltrain.errors import DltrainError

Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


_SPECIAL = re.compile(r"[^\w./~=:+@%,-]")
_BREAKS = ":="  # bash takes each for a word of its own, and completes what is behind it


class OpenBash(BashComplete):
    """Bash that puts no space after `train.epochs=` and `configs/`, which go on, and completes behind `best:`."""

    source_template = BashComplete.source_template.replace("-o nosort", "-o nosort -o nospace")

    def get_completion_args(self) -> tuple[list[str], str]:
        words = split_arg_string(os.environ["COMP_WORDS"])
        place = int(os.environ["COMP_CWORD"])
        whole: list[str] = []
        for word in [*words, ""][: place + 1]:
            if whole and ((word and not word.strip(_BREAKS)) or (word and whole[-1].endswith(tuple(_BREAKS)))):
                whole[-1] += word
            else:
                whole.append(word)
        last = max(whole[-1].rfind(each) for each in _BREAKS)
        self.kept = whole[-1][: last + 1]  # stands before the word that bash replaces
        return whole[1:-1], whole[-1]

    def format_completion(self, item: CompletionItem) -> str:
        ended = item.type == "plain" and not item.value.endswith(("=", ".", "/"))
        # Bash puts it into the line as it is, after `read` has taken one of the two backslashes.
        value = _SPECIAL.sub(r"\\\\\g<0>", item.value.removeprefix(self.kept))
        return f"{item.type},{value}{' ' * ended}"


add_completion_class(OpenBash, "bash")


def _offer(words: Callable[[click.Context, str], Iterable[str | tuple[str, str]]]) -> Offer:
    """Make a completion of a function that yields words, or words with what they are."""

    @wraps(words)
    def offer(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found: dict[str, str] = {}
        with suppress(DltrainError, OSError, ValueError):
            for each in words(context, incomplete):
                word, what = each if isinstance(each, tuple) else (each, "")
                if word.isprintable():  # a line break would end the offer, and begin another
                    found.setdefault(word, what)
        return [CompletionItem(word, help=what or None) for word, what in found.items() if word.startswith(incomplete)]

    return offer


@_offer
def configs(context: click.Context, incomplete: str) -> Iterator[str]:
    """Yield YAML files, and the directories on the way to them."""
    head = incomplete[: incomplete.rfind("/") + 1]
    for path in sorted(Path(head or ".").iterdir()):
        if path.name.startswith(".") and not incomplete[len(head) :].startswith("."):
            continue
        if path.is_dir():
            yield f"{head}{path.name}/"
        elif path.suffix in (".yaml", ".yml"):
            yield f"{head}{path.name}"


@_offer
def runs(context: click.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the runs, newest first, and the words for them."""
    from dltrain.runs import list_runs

    found = list_runs(Path(context.params.get("runs_dir") or "runs"))
    if found:
        yield "latest", "the newest run"
    for summary in reversed(found):
        yield summary.id, summary.status
    metrics = {name for summary in found if summary.record is not None for name in summary.record.metrics}
    for name in sorted(metrics):
        yield f"best:{name}", "the run that is best by it"


@_offer
def keys(context: click.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that an override may have: those of the schema, and those that the config itself has."""
    from dltrain.config.manual.keys import keys as known

    if context.info_name == "resume":
        yield from ((f"{key}=", "") for key in ("train.epochs", "train.steps_per_execution", "runtime.feed"))
        yield "expect.", ""
        return
    yield from ((f"{key.path}=", key.meaning) for key in known() if not key.section)
    given = [context.params.get("config"), *context.args]  # click parses nothing behind an open `-s`
    config = next((Path(each) for each in given if each is not None and Path(each).is_file()), None)
    if config is not None:
        yield from ((f"{path}=", "") for path in _written(config))


def _written(config: Path) -> Iterator[str]:
    """Yield the key paths of the single values in a config."""
    from dltrain.config import load

    yield from _paths(load(config).checked.tree.plain(), ())


def _paths(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, dict | list):
        yield ".".join(path)
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _paths(inner, (*path, str(key)))


@_offer
def templates(context: click.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    from dltrain.config.manual.templates import TEMPLATES

    return TEMPLATES.items()


@_offer
def names(context: click.Context, incomplete: str) -> Iterator[str]:
    """Yield what `docs` explains: keys, and the objects of the catalogue."""
    from dltrain.config.catalogue import entries
    from dltrain.config.manual.keys import keys as known
    from dltrain.config.manual.pages import SECTIONS

    yield from (key.path for key in known())
    for section in SECTIONS:
        for name in entries.names(section):
            yield name
            entry = entries.find(section, name) if incomplete.startswith(f"{name}.") else None
            yield from (f"{name}.{key}" for key in entry.arguments) if entry is not None else ()
