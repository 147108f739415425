"""The keys of a config: what each takes, its default and what it means, as the models say."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dltrain.arguments import Argument
from dltrain.config.catalogue.kinds import expected
from dltrain.config.catalogue.objects import FIELDS
from dltrain.config.catalogue.phrases import noun, with_article
from dltrain.config.document.suggest import listing
from dltrain.config.document.writer import flow
from dltrain.config.schema import SECTIONS, KerasObject, default_phrase, words_of

# pydantic's names of bounds and Python's types, as arguments have them.
_BOUNDS = {"ge": "minimum", "gt": "above", "le": "maximum", "lt": "below"}
_KINDS: dict[object, str] = {int: "int", float: "float", str: "str", bool: "bool"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `default` is its default as YAML, `phrase` stands for one that is no value; both empty for a section."""

    path: str
    takes: str
    default: str
    phrase: str
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
        phrase = default_phrase(field)
        required = field.is_required() and not phrase
        told = phrase or ("required" if required and not section else "")
        yield Key(".".join(inner), _takes(inner, field), default, told, required, section, meaning)
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
    return _phrase(field.annotation, {ours: _bound(field, name) for name, ours in _BOUNDS.items()})


def _of_keras(section: str) -> str:
    return noun(section) if section == "dataset" else f"Keras {noun(section)}"


def _bound(field: FieldInfo, name: str) -> Any:
    found = (getattr(item, name, None) for item in field.metadata)
    return next((limit for limit in found if limit is not None), None)


def _phrase(annotation: Any, bounds: dict[str, Any]) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        words = listing(words_of(annotation))
        return f"one of {words}" if len(inner) > 1 else words
    if origin in (Union, types.UnionType):
        return " or ".join(_phrase(part, bounds) for part in inner)
    if origin is dict:
        if inner[0] is int:
            return "a mapping from epochs to learning rates"
        return "a mapping from names to weights" if inner[1] is float else "a mapping from names to bounds"
    if origin is list and inner == (str,):
        return expected(Argument(("strs",)))
    if annotation is KerasObject:
        return "a Keras object"
    if annotation is type(None):
        return "`null`"
    return expected(Argument((_KINDS[annotation],), **bounds)) if annotation in _KINDS else "a value"
