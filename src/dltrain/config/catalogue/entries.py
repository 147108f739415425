"""The Keras objects that a config may name, with their arguments: data made from Keras, read without it.

scripts/make_catalogue.py writes catalogue.json. The sections are `layer`, `optimizer`, `schedule`, `loss`,
`metric`, `regularizer`, `initializer`, `constraint`, `callback` and `activation`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from dltrain.arguments import Argument


@dataclass(frozen=True, slots=True)
class Entry:
    """One class of Keras under its own name, and the arguments that a config may give it.

    `module` and `definition` say where Keras's source defines it; both are empty for what is not Keras's.
    """

    section: str
    name: str
    arguments: dict[str, Argument]
    module: str = ""
    definition: str = ""


@cache
def _data() -> dict[str, Any]:
    text = resources.files("dltrain.config.catalogue").joinpath("catalogue.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def keras_version() -> str:
    """The Keras that the catalogue was made from."""
    return str(_data()["keras"])


def sections() -> tuple[str, ...]:
    return tuple(_data()["sections"])


@cache
def names(section: str) -> tuple[str, ...]:
    """The class names of a section, sorted; activations by their words."""
    return tuple(sorted(_data()["sections"].get(section, ())))


@cache
def aliases(section: str) -> Mapping[str, str | None]:
    """Other words that Keras takes, each with its class; None where Keras picks the class by the labels."""
    return MappingProxyType(_data()["aliases"].get(section, {}))


@cache
def find(section: str, name: str) -> Entry | None:
    """The entry of a class, by its name or an alias; None where the section has none."""
    known = _data()["sections"].get(section, {})
    own = name if name in known else aliases(section).get(name)
    if own is None:
        return None
    found = known[own]
    arguments = {key: _argument(rule) for key, rule in found["arguments"].items()}
    return Entry(section, own, arguments, found.get("module", ""), found.get("class", own))


def why_not(name: str) -> tuple[str, str] | None:
    """Why a name that Keras has may not be written in a config, and what to do instead; None for other names."""
    found = _data()["excluded"].get(name)
    return (found[0], found[1]) if found is not None else None


def why_not_argument(name: str, argument: str) -> str | None:
    """Why an argument that Keras's class `name` has is left out; None for other arguments."""
    table: dict[str, str] = _data()["excluded_arguments"]
    return table.get(f"{name}.{argument}") or table.get(argument)


def _argument(rule: dict[str, Any]) -> Argument:
    length = rule.get("length", ())
    return Argument(
        kinds=tuple(rule["kinds"]),
        choices=tuple(rule.get("choices", ())),
        minimum=rule.get("min"),
        maximum=rule.get("max"),
        above=rule.get("above"),
        below=rule.get("below"),
        lengths=(length,) if isinstance(length, int) else tuple(length),
        nullable=rule.get("nullable", False),
        required=rule.get("required", False),
        has_default="default" in rule,
        default=rule.get("default"),
    )
