"""The keys of a config: what each takes, its default and what it means, as the models say."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dltrain.config.catalogue.objects import FIELDS
from dltrain.config.catalogue.phrases import noun, with_article
from dltrain.config.document.suggest import listing
from dltrain.config.document.writer import flow
from dltrain.config.schema import SECTIONS, KerasObject

_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_WORDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a word",
    bool: "`true` or `false`",
    type(None): "`null`",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `default` is empty for a section and for what has to be given."""

    path: str
    takes: str
    default: str
    required: bool
    section: bool
    meaning: str


def keys() -> Iterator[Key]:
    """Every key of a config in the order of the models, a section before what is in it."""
    yield from _of(())


def _of(path: tuple[str, ...]) -> Iterator[Key]:
    for name, field in SECTIONS[path].model_fields.items():
        inner = (*path, name)
        section = inner in SECTIONS
        default = "" if section or field.is_required() else flow(_plain(field.get_default()))
        meaning = field.description or ""
        # A config's name comes from its file before the model looks at it.
        required = field.is_required() and inner != ("name",)
        yield Key(".".join(inner), _takes(inner, field), default, required, section, meaning)
        if section:
            yield from _of(inner)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _takes(path: tuple[str, ...], field: FieldInfo) -> str:
    if path in SECTIONS:
        return "a section"
    if path in FIELDS:
        return with_article(_of_keras(FIELDS[path]))
    if (*path, "*") in FIELDS:
        return f"a list of {_of_keras(FIELDS[*path, '*'])}s"
    bounds = [f"{words} {limit}" for name, words in _BOUNDS.items() if (limit := _bound(field, name)) is not None]
    return _phrase(field.annotation, f" of {' and '.join(bounds)}" if bounds else "")


def _of_keras(section: str) -> str:
    return noun(section) if section == "dataset" else f"Keras {noun(section)}"


def _bound(field: FieldInfo, name: str) -> object:
    found = (getattr(item, name, None) for item in field.metadata)
    return next((limit for limit in found if limit is not None), None)


def _phrase(annotation: Any, bounds: str) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        words = listing([str(word) for word in inner])
        return f"one of {words}" if len(inner) > 1 else words
    if origin in (Union, types.UnionType):
        return " or ".join(_phrase(part, bounds) for part in inner)
    if origin is dict:
        return "a mapping from names to bounds"
    if annotation is KerasObject:
        return "a Keras object"
    return _WORDS.get(annotation, "a value") + (bounds if annotation in (int, float) else "")
