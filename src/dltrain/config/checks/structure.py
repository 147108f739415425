"""Each key and value on its own: sections against their models, Keras objects against the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dltrain.config.catalogue import datasets, elsewhere, entries, examples
from dltrain.config.catalogue.elsewhere.words import Around, folded
from dltrain.config.catalogue.objects import FIELDS, check_object, find, object_nodes
from dltrain.config.catalogue.phrases import number_hint, share_hint
from dltrain.config.checks.around import look_around
from dltrain.config.checks.data import check_data, known_facts
from dltrain.config.document.source import Node, nearest
from dltrain.config.document.suggest import listing, rename, short, shown
from dltrain.config.document.writer import flow
from dltrain.config.schema import SECTIONS, Spec, choices
from dltrain.data.facts import Facts
from dltrain.errors import Fix, KeyPath, Problem, dotted
from dltrain.names import LONGEST, slug

_EXAMPLES = {
    "data": "data: {dataset: mnist}",
    "dataset": "dataset: mnist",
    "augment": "augment: [RandomFlip: {mode: horizontal}]",
    "model": "model: {layers: [Flatten, Dense: {units: 10, activation: softmax}]}",
    "layers": "layers: [Flatten, Dense: {units: 10, activation: softmax}]",
    "train": "train: {optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 5}",
    "optimizer": "optimizer: Adam",
    "loss": "loss: sparse_categorical_crossentropy",
    "epochs": "epochs: 5",
    "expect": 'expect: {test_accuracy: ">= 0.9"}',
    "metrics": "metrics: [accuracy]",
    "schedule": "schedule: {1: 0.001, 10: 0.0001}",
    "class_weight": "class_weight: balanced",
    "callbacks": "callbacks: [EarlyStopping: {patience: 3}]",
    "initial_weights": "initial_weights: latest",
    "freeze": "freeze: [conv2d]",
    "limit": "limit: {train: 1000}",
    "checkpoint": "checkpoint: {monitor: val_accuracy}",
    "monitor": "monitor: val_loss",
    "runtime": "runtime: {backend: tensorflow}",
}
_EXPECTED = {
    "int_type": ("an integer", ("int",)),
    "int_from_float": ("an integer", ("int",)),
    "float_type": ("a number", ("float",)),
    "finite_number": ("a finite number", ()),
    "bool_type": ("`true` or `false`", ("bool",)),
    "string_type": ("a string", ()),
    "list_type": ("a list", ()),
    "dict_type": ("a mapping", ()),
    "model_type": ("a mapping", ()),
    "model_attributes_type": ("a mapping", ()),
}


def check_structure(
    tree: Node, layers: Sequence[KeyPath], facts: Facts | None = None
) -> tuple[Spec | None, Iterator[Problem]]:
    """Return the config as a spec, if it is valid, and the problems of its keys and values, found one by one.

    Args:
        tree: the config as written.
        layers: the paths of its layers, repeats expanded.
        facts: those of its data set, where it was read already.
    """
    around = look_around(tree, layers)
    found = chain(_check_objects(tree, layers, around), check_data(tree) if facts is None else ())
    try:
        return Spec.model_validate(_plain(tree, layers)), found
    except ValidationError as error:
        return None, chain(_of_pydantic(error, tree, around), found)


def _plain(tree: Node, layers: Sequence[KeyPath]) -> dict[str, Any]:
    """Return the config as plain data, repeats expanded."""
    plain: dict[str, Any] = tree.plain()
    model = plain.get("model")
    if isinstance(model, dict) and isinstance(model.get("layers"), list) and model["layers"]:
        # An empty repeat is already reported.
        model["layers"] = [nearest(tree, path).plain() for path in layers] or ["Identity"]
    return plain


def _check_objects(tree: Node, layers: Sequence[KeyPath], around: Around) -> Iterator[Problem]:
    """Check Keras objects against the catalogue; a repeated layer is checked once."""
    written = [("layer", path, nearest(tree, path)) for path in dict.fromkeys(layers)]
    found = [*object_nodes(tree), *written]
    for section, path, node in found:
        for problem in check_object(section, node, path, around):
            yield _with_example(problem) if problem.code == "wrong-type" and not problem.hint else problem


def _with_example(problem: Problem) -> Problem:
    """Return the problem of an argument's value, with a valid value as its hint."""
    name, key = (str(part) for part in problem.path[-2:])
    found = (find(section, name) for section in ("dataset", *entries.sections()))
    entry = next((entry for entry in found if entry is not None and key in entry.arguments), None)
    return problem if entry is None else replace(problem, fix=f"as in `{key}: {flow(examples.value(entry, key))}`")


def _of_pydantic(error: ValidationError, root: Node, around: Around) -> Iterator[Problem]:
    """Yield pydantic's errors as problems; those about Keras objects are left to the catalogue."""
    for detail in error.errors(include_url=False, include_context=True):
        path = tuple(detail["loc"])
        if detail["type"] == "keras_object" or _inside_object(path):
            continue
        yield _problem(detail, path, root, around)


def _inside_object(path: KeyPath) -> bool:
    generic = tuple("*" if isinstance(key, int) else key for key in path)
    return any(generic[: len(field)] == field and len(path) > len(field) for field in FIELDS)


def _problem(detail: ErrorDetails, path: KeyPath, root: Node, around: Around) -> Problem:
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    node = nearest(root, path)
    if kind == "extra_forbidden":
        return _unknown_key(path, node, around)
    if kind == "missing":
        return _missing_key(path, root)
    name = dotted(path) or "the config"
    value = shown(node.plain(), node.quoted)
    if kind in _EXPECTED:
        phrase, kinds = _EXPECTED[kind]
        if path == ("model",) and isinstance(node.value, list):
            message = "`model` must be a mapping, not a list"
            return Problem("wrong-type", message, path, node.key or node.where, "put `layers:` above this list")
        message = f"`{name}` must be {phrase}, not {value}" if path else f"a config must be a mapping, not {value}"
        return Problem("wrong-type", message, path, node.where, number_hint(node.value, kinds) or _example(path))
    if kind == "literal_error":
        words = choices(path)
        known = elsewhere.PRECISIONS.get(str(node.value).lower()) if path == ("train", "precision") else None
        near = Fix("rename", (known,)) if known is not None else None
        if near is None and isinstance(node.value, str):
            near = rename(node.value, words)
        return Problem("unknown-word", f"`{name}` cannot be {value}", path, node.where, near or Fix("choose", words))
    if kind == "name":
        hint = f"up to {LONGEST} letters, digits, `.`, `_` and `-`, as in `{slug(str(node.value))}`"
        return Problem("name", f"`{name}` cannot be {value}", path, node.where, hint)
    if kind == "too_short":
        return Problem("too-short", f"`{name}` is empty", path, node.key or node.where, "write at least one")
    bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for key, phrase in bounds.items():
        if key in context:
            message = f"`{name}` must be {phrase} {context[key]:g}, not {value}"
            fix = share_hint(node.value, context.get("lt")) or _example(path)
            return Problem("out-of-range", message, path, node.where, fix)
    meant = _schedule(node.plain(), around) if path == ("train", "schedule") else None
    value = "this mapping" if isinstance(node.value, dict) else value
    return Problem("wrong-value", f"`{name}` cannot be {value}", path, node.where, meant or str(detail["msg"]))


def _schedule(value: Any, around: Around) -> Fix | str | None:
    """Return what a schedule is that is named in `train.schedule`; None for a value that names none."""
    named = isinstance(value, str) or (isinstance(value, dict) and not any(re.match(r"[-+.]?\d", key) for key in value))
    return elsewhere.key("scheduler", value, around) if named else None


def _example(path: KeyPath) -> Fix | str:
    """Return the key with a valid value: a written example, or its default."""
    key = str(path[-1]) if path else ""
    if key in _EXAMPLES:
        return Fix("write", (_EXAMPLES[key],))
    field = SECTIONS[path[:-1]].model_fields.get(key) if path[:-1] in SECTIONS else None
    default = field.default if field is not None else None
    return f"as in `{key}: {short(default)}`" if isinstance(default, int | float | str) else ""


def _in_section(path: KeyPath) -> str:
    return f" in `{dotted(path)}`" if path else ""


def _unknown_key(path: KeyPath, node: Node, around: Around) -> Problem:
    parent, key = path[:-1], str(path[-1])
    message = f"unknown key `{key}`{_in_section(parent)}"
    where = node.key or node.where
    known = SECTIONS[parent].model_fields if parent in SECTIONS else {}
    word, colon, rest = key.partition(":")
    plain = key.strip("\u00a0\u3000\u2003 ")
    fix: Fix | str | None
    if colon and word in known:
        fix = Fix("rename", (word,), f"a space is missing: write `{word}: {rest}`")
    elif plain != key and any(plain in model.model_fields for model in SECTIONS.values()):
        fix = Fix("rename", (plain,), f"the spaces before `{plain}` are not plain spaces: type them again")
    else:
        fix = _elsewhere(parent, key, node.plain(), around) or rename(key, known)
    choose = Fix("choose", tuple(known), f"known: {listing(known, 16)}")
    return Problem("unknown-key", message, path, where, fix or choose)


def _elsewhere(parent: KeyPath, key: str, value: Any, around: Around) -> Fix | str | None:
    """Return what a key is that is unknown in the section `parent`, or where it belongs."""
    known = SECTIONS[parent].model_fields if parent in SECTIONS else {}
    if (near := rename(key, known)) is not None and folded(key) == folded(str(near.target[0])):
        return near
    owners = [name for name, entry in datasets.ENTRIES.items() if parent == ("data",) and key in entry.arguments]
    if owners and around.dataset in ("", *owners):
        return _of_data_set(around.dataset or owners[0], key)
    if meant := elsewhere.key(key, value, around):
        if isinstance(meant, Fix) and meant.kind == "rename" and meant.target[0] not in known:
            found = _section_of(str(meant.target[0]), parent)
            return Fix("move", found.target, f"write `{dotted(found.target)}`") if found is not None else str(meant)
        if isinstance(meant, Fix) and meant.target[:-1] == parent:
            own = str(meant.target[-1])
            if str(meant).startswith(f"write `{own}: {flow(value)}` in "):
                return Fix("rename", (own,))
        return meant
    return _section_of(key, parent) or (_of_data_set(owners[0], key) if owners else None)


def _of_data_set(name: str, key: str) -> Fix:
    """Return the fix for a key that is an argument of a data set."""
    words = f"it belongs to the data set: `dataset: {{{name}: {{{key}: …}}}}`"
    return Fix("move", ("data", "dataset", name, key), words)


def _section_of(key: str, parent: KeyPath) -> Fix | None:
    """Return the fix for a key that another section than `parent` has."""
    sections = (section for section, model in SECTIONS.items() if section != parent and key in model.model_fields)
    section = next(sections, None)
    return Fix("move", (*section, key)) if section is not None else None


def _missing_key(path: KeyPath, root: Node) -> Problem:
    key = str(path[-1])
    node = nearest(root, path[:-1])
    where = node.key or node.where
    fix = Fix("write", (_missing_example(path, root),)) if key in _EXAMPLES else ""
    return Problem("missing-key", f"missing key `{key}`{_in_section(path[:-1])}", path, where, fix)


def _missing_example(path: KeyPath, root: Node) -> str:
    """Return a missing key with a value: what stands at the top level for `train`, and a loss for the data."""
    top = {key: root.value[key].plain() for key in ("optimizer", "loss", "epochs") if key in root.value}
    if path[:1] != ("train",):
        return _EXAMPLES[str(path[-1])]
    loss = "mean_squared_error" if _of_numbers(root) else "sparse_categorical_crossentropy"
    values = {"optimizer": "Adam", "loss": loss, "epochs": 5} | {k: v for k, v in top.items() if v is not None}
    if path == ("train",):
        return f"train: {flow(values)}"
    key = str(path[-1])
    return f"{key}: {flow(values[key])}" if key in values else _EXAMPLES[key]


def _of_numbers(root: Node) -> bool:
    """Whether the data set's targets are numbers, as far as it is valid."""
    facts = known_facts(root)
    return facts is not None and facts.targets == "numbers"
