"""The JSON Schema of a config, for editors: made from the models and the catalogue that `check` goes by.

Three things that `check` says are beyond JSON Schema: `3.0` is an integer there, `.inf` and `.nan` are no
values at all, and what sections say together (`expect` names a metric that exists) has no words.
Only keywords that draft 7 has too are used, `$defs` aside, so that older editors read it as well.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from pydantic import BaseModel

from dltrain.arguments import Argument
from dltrain.config.catalogue import datasets, entries, examples
from dltrain.config.catalogue.entries import Entry
from dltrain.config.catalogue.kinds import KINDS, expected
from dltrain.config.catalogue.objects import AUGMENT, FIELDS, LAYERS, find, known_names
from dltrain.config.catalogue.phrases import noun
from dltrain.config.document.reader import MAX_ENTRIES
from dltrain.config.schema import SECTIONS, Spec, default_phrase
from dltrain.errors import KeyPath, dotted

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_text() -> str:
    """The schema as `dltrain schema` prints it and the repository keeps it."""
    return json.dumps(json_schema(), indent=1, allow_nan=False) + "\n"


def json_schema() -> Json:
    """The schema of a config: our sections from the models, Keras's objects from the catalogue."""
    return {
        "$schema": DIALECT,
        "title": "dltrain config",
        "description": f"What `dltrain check` takes, with the objects of Keras {entries.keras_version()}.",
        "type": "object",
        "properties": {"extends": _extends()},  # named here too, so that editors offer it
        "if": {"required": ["extends"]},
        "then": _ref("config_that_extends"),
        "else": _ref("config"),
        "$defs": {
            "config": _section(Spec, (), part=False),
            "config_that_extends": _extending(_section(Spec, (), part=True)),
            **_definitions(),
        },
    }


def _extends() -> Json:
    return {
        "title": "extends",
        "description": "Another config, relative to this file, that this one completes: "
        "mappings merge, everything else is replaced.",
        "type": "string",
        "minLength": 1,
    }


def _extending(config: Json) -> Json:
    return config | {"properties": {"extends": _extends(), **config["properties"]}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _section(model: type[BaseModel], path: KeyPath, part: bool) -> Json:
    """A section of our own.

    Args:
        model: what says its keys.
        path: where it stands.
        part: of a config that completes another one: nothing is required, and `null` brings a default back.
    """
    generated = model.model_json_schema()["properties"]
    properties = {}
    required = []
    for key, field in model.model_fields.items():
        value = _key((*path, key), generated[key], part)
        if field.is_required() and not default_phrase(field):
            required.append(key)
        elif part:
            value = _or_null(value)
        about = {"title": dotted((*path, key)), "description": generated[key].get("description", "")}
        properties[key] = about | value
    section = {"type": "object", "properties": properties, "additionalProperties": False}
    if required and not part:
        section["required"] = required
    return section


def _key(path: KeyPath, generated: Json, part: bool) -> Json:
    """What stands under one key: a section, Keras objects, or a plain value as pydantic describes it."""
    if path in SECTIONS:
        return _section(SECTIONS[path], path, part)
    if path in FIELDS:
        return _ref(FIELDS[path])
    plain = {key: _short(generated[key]) for key in sorted(generated) if key not in ("title", "description")}
    if (*path, "*") in FIELDS:
        section = FIELDS[(*path, "*")]
        plain["items"] = _ref({LAYERS: "layer_or_repeat", AUGMENT: "augmentation"}.get((*path, "*"), section))
    if part and "additionalProperties" in plain:
        plain["additionalProperties"] = _or_null(plain["additionalProperties"])
    if "const" in plain:
        plain.pop("enum", None)  # pydantic before 2.10 says it twice
    return plain


def _short(value: Any) -> Any:
    """`1.0` as `1`, within it too: older releases of pydantic say bounds in the field's own type."""
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _or_null(schema: Json) -> Json:
    """The same with `null`, in as few keywords as will say it: editors then point more exactly."""
    null = {"type": "null"}
    if "anyOf" in schema:
        return schema if null in schema["anyOf"] else schema | {"anyOf": [*schema["anyOf"], null]}
    if "type" in schema and not {"enum", "const"} & schema.keys():
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, null]}


def _definitions() -> Json:
    sections = ["dataset", *(section for section in entries.sections() if section != "activation")]
    definitions: Json = {section: _object(section, known_names(section)) for section in sections}
    definitions["augmentation"] = _object("layer", list(entries.augmentations()))
    definitions["layer_or_repeat"] = _layer_or_repeat(definitions["layer"])
    definitions["repeat"] = _repeat()
    definitions["activation"] = {"type": "string", "enum": list(entries.names("activation"))}
    definitions["no_arguments"] = {
        "description": "Keras picks the class by the labels.",
        "type": ["object", "null"],
        "maxProperties": 0,
    }
    for section in sections:
        for name in datasets.ENTRIES if section == "dataset" else entries.names(section):
            entry = find(section, name)
            if entry is not None:
                definitions[f"{section}.{name}"] = _arguments(entry)
    return definitions


def _object(section: str, names: list[str]) -> Json:
    """`Name` where it needs no argument, or a mapping of one name to its arguments."""
    bare = []
    properties = {}
    snippets = []
    for name in names:
        entry = find(section, name)
        properties[name] = _ref("no_arguments" if entry is None else f"{section}.{entry.name}")
        if entry is None or not _required(entry):
            bare.append(name)
        if entry is not None and entry.name == name:
            snippets.append(_snippet(entry))
    return _named(bare, properties, snippets)


def _snippet(entry: Entry) -> Json:
    """What an editor writes for a name with arguments; without it, it would offer bare names alone."""
    given = examples.arguments(entry).items()
    places = {
        key: value if isinstance(value, dict | list) else f"${{{n}:{value}}}" for n, (key, value) in enumerate(given, 1)
    }
    return {"label": f"{entry.name}: …" if places else entry.name, "body": {entry.name: places}}


def _named(bare: list[str], properties: Json, snippets: list[Json]) -> Json:
    mapping = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    if snippets:
        mapping["defaultSnippets"] = snippets
    return {"anyOf": [mapping, {"type": "string", "enum": bare}]} if bare else mapping


def _layer_or_repeat(layer: Json) -> Json:
    """What stands in a list of layers; one mapping with all the names, so that an error has one place."""
    mapping, words = layer["anyOf"]
    repeat = {"label": "repeat", "body": {"repeat": {"times": "${1:2}", "layers": ["$2"]}}}
    snippets = [*mapping["defaultSnippets"], repeat]
    return _named(words["enum"], mapping["properties"] | {"repeat": _ref("repeat")}, snippets)


def _repeat() -> Json:
    return {
        "title": "repeat",
        "description": "The same layers several times over, each time with weights of their own.",
        "type": "object",
        "properties": {
            "times": {
                "title": "times",
                "description": "How often the layers are laid down.",
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_ENTRIES,
            },
            "layers": {
                "title": "layers",
                "description": "Keras layers in order, or repeats of them.",
                "type": "array",
                "minItems": 1,
                "items": _ref("layer_or_repeat"),
            },
        },
        "required": ["times", "layers"],
        "additionalProperties": False,
    }


def _required(entry: Entry) -> list[str]:
    return [key for key, argument in entry.arguments.items() if argument.required]


def _arguments(entry: Entry) -> Json:
    """The arguments of one class; `Name:` with nothing after it will do where none is required."""
    required = _required(entry)
    whose = "A data set" if entry.section == "dataset" else f"Keras {noun(entry.section)}"
    needs = f"; needs {' and '.join(f'`{key}`' for key in required)}" if required else ""
    about = {"title": entry.name, "description": f"{whose}{needs}."}
    body = {
        "type": "object" if required else ["object", "null"],
        "properties": {key: _argument(argument) for key, argument in entry.arguments.items()},
        "additionalProperties": False,
    }
    return about | body | ({"required": required} if required else {})


def _argument(argument: Argument) -> Json:
    kinds = [KINDS[kind].schema(argument) for kind in argument.kinds]
    value = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    schema = {"description": expected(argument)} | (_or_null(value) if argument.nullable else value)
    return schema | ({"default": copy.deepcopy(argument.default)} if argument.has_default else {})
