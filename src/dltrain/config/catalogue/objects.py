"""The Keras objects of a config against the catalogue: every wrong name, argument and value, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dltrain.arguments import Argument
from dltrain.config.catalogue import datasets, elsewhere, entries
from dltrain.config.catalogue.entries import Entry
from dltrain.config.catalogue.kinds import expected, plain_kind, section_of, strings_of
from dltrain.config.catalogue.phrases import example, noun, number_hint, with_article
from dltrain.config.document.source import Node
from dltrain.config.document.suggest import listing, rename, short, shown
from dltrain.errors import Fix, KeyPath, Problem, Where

FIELDS: dict[KeyPath, str] = {
    ("data", "dataset"): "dataset",
    ("model", "layers", "*"): "layer",
    ("train", "optimizer"): "optimizer",
    ("train", "loss"): "loss",
    ("train", "metrics", "*"): "metric",
    ("train", "callbacks", "*"): "callback",
}


def find(section: str, name: str) -> Entry | None:
    """The catalogue's entry, data sets included; None for a name that may not be written there."""
    return datasets.ENTRIES.get(name) if section == "dataset" else entries.find(section, name)


def known_names(section: str) -> list[str]:
    if section == "dataset":
        return list(datasets.ENTRIES)
    return [*entries.names(section), *entries.aliases(section)]


def object_nodes(root: Node) -> Iterator[tuple[str, KeyPath, Node]]:
    """Yield (section, path, node) of every Keras object directly in a section, except layers."""
    for pattern, section in FIELDS.items():
        node: Node | None = root
        for key in pattern:
            if key == "*" or node is None:
                break
            node = node.value.get(key) if isinstance(node.value, dict) else None
        if node is None or section == "layer":
            continue
        if pattern[-1] != "*":
            yield section, pattern, node
        elif isinstance(node.value, list):
            for index, item in enumerate(node.value):
                yield section, (*pattern[:-1], index), item


def check_object(section: str, node: Node, path: KeyPath) -> Iterator[Problem]:
    """Yield every problem of one object written `Name` or `Name: {arguments}`, nested objects included."""
    if isinstance(node.value, str):
        yield from _check_named(section, node.value, {}, node.where, path)
    elif isinstance(node.value, dict) and len(node.value) == 1:
        ((name, arguments),) = node.value.items()
        place = arguments.key or node.where
        if arguments.value is None or isinstance(arguments.value, dict):
            yield from _check_named(section, name, arguments.value or {}, place, (*path, name))
        elif (owner := _owner(section, name)) is not None:
            message = f"`{name}` is an argument; the name of the {noun(section)} is missing"
            hint = f"name it: `{owner}: {{{name}: {short(arguments.plain())}}}`"
            yield Problem("object-form", message, path, place, hint)
        else:
            message = f"the arguments of `{name}` must be a mapping, not {shown(arguments.plain())}"
            hint = _as_mapping(section, name, arguments.plain())
            yield Problem("object-form", message, path, arguments.where, hint)
    else:
        yield _wrong_form(section, node, path)


def _owner(section: str, name: str) -> str | None:
    """Return the object that is usually meant where one of its arguments is written instead of its name."""
    common = {"optimizer": "Adam", "layer": "Dense"}.get(section)
    entry = find(section, common) if common is not None and find(section, name) is None else None
    return common if entry is not None and name in entry.arguments else None


def _as_mapping(section: str, name: str, given: Any) -> str:
    """Return a hint for arguments that are written as a list or alone."""
    if isinstance(given, list) and given and all(isinstance(item, dict) for item in given):
        return f"remove the dashes before the arguments of `{name}`"
    values = given if isinstance(given, list) else [given]
    entry = find(section, name)
    keys = list(entry.arguments) if entry is not None else []
    keys.sort(key=lambda key: not (entry is not None and entry.arguments[key].required))
    pairs = [f"{key}: {short(value)}" for key, value in zip(keys, values, strict=False)]
    return f"write `{name}: {{{', '.join(pairs)}}}`"


def _wrong_form(section: str, node: Node, path: KeyPath) -> Problem:
    what = noun(section)
    if isinstance(node.value, dict) and node.value:
        first, *rest = node.value
        place = next(iter(node.value.values())).key or node.where
        if find(section, first) is not None and node.value[first].value is None:
            second = node.value[rest[0]]
            hint = f"indent `{rest[0]}` further than `{first}:`, or write `{first}: {{{rest[0]}: …}}`"
            message = f"`{rest[0]}` is beside `{first}`, not under it"
            return Problem("object-form", message, path, second.key or place, hint)
        hint = f"write `Name: {{arguments}}`, one {what} an item"
        return Problem(
            "object-form", f"{with_article(what)} has one name; here are {len(node.value)} keys", path, place, hint
        )
    message = f"expected {with_article(what)}, not {shown(node.plain())}"
    return Problem("object-form", message, path, node.where, "write `Name` or `Name: {arguments}`")


def _check_named(section: str, name: str, arguments: dict[str, Node], where: Where, path: KeyPath) -> Iterator[Problem]:
    entry = find(section, name)
    if entry is None:
        if section != "dataset" and not arguments and entries.aliases(section).get(name, "") is None:
            return  # a name that Keras itself resolves, such as `accuracy`
        yield (unknown := _unknown_name(section, name, path, where))
        if isinstance(unknown.fix, Fix) and unknown.fix.kind == "rename":
            entry = find(section, str(unknown.fix.target[0]))
    if entry is not None:
        yield from _check_arguments(entry, arguments, where, path)


def _check_arguments(entry: Entry, arguments: dict[str, Node], where: Where, path: KeyPath) -> Iterator[Problem]:
    tuples = any(isinstance(child.value, str) and child.value.startswith("(") for child in arguments.values())
    for key, child in arguments.items():
        if tuples and child.value is None and key.endswith(")"):
            continue  # the end of a Python tuple, reported at its beginning
        if key not in entry.arguments:
            yield _unknown_argument(entry, key, child, (*path, key))
        else:
            yield from check_value(entry, key, child, (*path, key))
    for key, argument in entry.arguments.items():
        if argument.required and key not in arguments:
            hint = f"write `{entry.name}: {{{key}: …}}`: {expected(argument)}"
            message = f"`{entry.name}` needs the argument `{key}`"
            yield Problem("missing-argument", message, (*path, key), where, hint)
    if entry.section == "dataset":
        yield from datasets.check_arguments(entry.name, arguments, where, path)


def _unknown_name(section: str, name: str, path: KeyPath, where: Where) -> Problem:
    what = noun(section)
    message = f"unknown {what} `{name}`"
    if section != "dataset" and (left_out := entries.why_not(name)):
        why, instead = left_out
        return Problem("unknown-name", f"`{name}` {why}", path, where, instead or Fix("remove"))
    if meant := elsewhere.name(section, name):
        return Problem("unknown-name", message, path, where, Fix("rename", (meant,)))
    if near := rename(name, known_names(section)):
        return Problem("unknown-name", message, path, where, near)
    for other in entries.sections():
        if other != section and entries.find(other, name) is not None:
            return Problem("unknown-name", message, path, where, f"`{name}` is {with_article(noun(other))}")
    if len(known := known_names(section)) <= 12:
        return Problem("unknown-name", message, path, where, Fix("choose", tuple(known), f"known: {listing(known)}"))
    return Problem("unknown-name", message, path, where, f"names are Keras's own, as in `{example(section)}`")


def _unknown_argument(entry: Entry, key: str, child: Node, path: KeyPath) -> Problem:
    message = f"unknown argument `{key}` of `{entry.name}`"
    where = child.key or child.where
    word, colon, rest = key.partition(":" if ":" in key else "=")
    if colon and word in entry.arguments:
        missing = "a space is missing: " if colon == ":" else ""
        meant = Fix("rename", (word,), f"{missing}write `{word}: {rest}`")
        return Problem("unknown-argument", message, path, where, meant)
    if key.isdigit() and child.value is None:
        return Problem("unknown-argument", message, path, where, "a number has a decimal point, not a comma: `0.001`")
    if key in elsewhere.ADVICE:
        return Problem("unknown-argument", message, path, where, elsewhere.ADVICE[key])
    if reason := entries.why_not_argument(entry.name, key):
        return Problem("unknown-argument", message, path, where, reason)
    if near := rename(key, entry.arguments):
        return Problem("unknown-argument", message, path, where, near)
    if (other := elsewhere.ARGUMENTS.get(key)) in entry.arguments:
        return Problem("unknown-argument", message, path, where, Fix("rename", (other,)))
    if key in ("input_shape", "input_dim", "batch_input_shape", "in_channels", "in_features", "input_size"):
        return Problem("unknown-argument", message, path, where, "remove it: Keras sees what the layer gets")
    takes = f"it takes {listing(entry.arguments, 16)}" if entry.arguments else "it takes no arguments"
    return Problem("unknown-argument", message, path, where, Fix("choose", tuple(entry.arguments), takes))


def check_value(entry: Entry, key: str, node: Node, path: KeyPath) -> list[Problem]:
    """The problems of one argument's value: none where any of the kinds that it may have fits."""
    argument = entry.arguments[key]
    value = node.value
    if value is None:
        if argument.nullable:
            return []
    elif plain_kind(argument, node.plain()) is not None:
        return []
    elif not (isinstance(value, str) and _number(value) and {"int", "float"} & set(argument.kinds)):
        section = section_of(argument)
        if section is not None and isinstance(value, dict | str):
            return list(check_object(section, node, path))
    if isinstance(value, str) and strings_of(argument):
        return [_unknown_word(argument, entry, key, node, path)]
    message = f"`{key}` of `{entry.name}` must be {expected(argument)}, not {shown(node.plain(), node.quoted)}"
    if isinstance(value, str) and (found := re.match(r"\(([^()]*)\)", node.where.text[node.where.column - 1 :][:200])):
        return [Problem("wrong-type", message, path, node.where, f"a list is written `[{found[1].strip(' ,')}]`")]
    if isinstance(value, list) and value and value[0].value in ("None", None) and "ints" in argument.kinds:
        rest = shown([item.plain() for item in value[1:]])
        return [Problem("wrong-type", message, path, node.where, f"leave out the batch axis: {rest}")]
    return [Problem("wrong-type", message, path, node.where, number_hint(value, argument.kinds, argument.maximum))]


def _number(text: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", text) is not None


def _unknown_word(argument: Argument, entry: Entry, key: str, node: Node, path: KeyPath) -> Problem:
    words = strings_of(argument)
    message = f"unknown `{key}` of `{entry.name}`: `{node.value}`"
    fix = rename(node.value, words) or Fix("choose", tuple(words), f"expected one of {listing(words, 30)}")
    return Problem("unknown-word", message, path, node.where, fix)


def complete(section: str, name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The object with every default of the catalogue filled in, nested objects included.

    A word that Keras resolves on its own stays as it is where a class would behave otherwise: `accuracy`
    follows the labels, and a metric given by its function's name is logged under that name.
    """
    entry = find(section, name)
    if entry is None or (section == "metric" and not arguments and entry.name != name):
        return name, arguments
    filled = {}
    for key, argument in entry.arguments.items():
        if key in arguments:
            filled[key] = _complete_value(argument, arguments[key])
        elif argument.has_default:
            filled[key] = argument.default
    return entry.name, filled


def _complete_value(argument: Argument, value: Any) -> Any:
    section = section_of(argument)
    if section is None or not (isinstance(value, dict) or (isinstance(value, str) and section == "layer")):
        return value
    name, given = (value, {}) if isinstance(value, str) else next(iter(value.items()))
    name, filled = complete(section, name, given or {})
    return {name: filled} if filled else name
