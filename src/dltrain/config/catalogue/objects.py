"""The Keras objects of a config against the catalogue: every wrong name, argument and value, with its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from dltrain.arguments import Argument
from dltrain.config.catalogue import datasets, elsewhere, entries
from dltrain.config.catalogue.elsewhere.words import Around, folded
from dltrain.config.catalogue.entries import Entry
from dltrain.config.catalogue.kinds import KINDS, expected, plain_kind, section_of, strings_of
from dltrain.config.catalogue.phrases import example, noun, number_hint, with_article
from dltrain.config.document.source import Node
from dltrain.config.document.suggest import listing, rename, short, shown
from dltrain.config.document.writer import flow
from dltrain.errors import Fix, KeyPath, Problem, Where

AUGMENT: KeyPath = ("data", "augment", "*")
LAYERS: KeyPath = ("model", "layers", "*")
ALONE = Around()
_TRIED = Around(tried=True)
FIELDS: dict[KeyPath, str] = {
    ("data", "dataset"): "dataset",
    AUGMENT: "layer",
    LAYERS: "layer",
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
    """Yield (section, path, node) of every Keras object directly in a section, except the layers of the model."""
    for pattern, section in FIELDS.items():
        node: Node | None = root
        for key in pattern:
            if key == "*" or node is None:
                break
            node = node.value.get(key) if isinstance(node.value, dict) else None
        if node is None or pattern == LAYERS:
            continue
        if pattern[-1] != "*":
            yield section, pattern, node
        elif isinstance(node.value, list):
            for index, item in enumerate(node.value):
                yield section, (*pattern[:-1], index), item


def check_object(section: str, node: Node, path: KeyPath, around: Around = ALONE) -> Iterator[Problem]:
    """Yield every problem of one object written `Name` or `Name: {arguments}`, nested objects included.

    Args:
        section: what is written there.
        node: the object.
        path: its place in the config.
        around: the rest of the config, for what an object of another framework takes from it.
    """
    if (meant := _in_another_form(section, node, around)) is not None:
        message = f"{with_article(noun(section))} is not written in this form: {shown(node.plain())}"
        yield Problem("object-form", message, path, node.where, meant)
    elif isinstance(node.value, str):
        yield from _check_named(section, node.value, {}, node.where, path, around)
    elif isinstance(node.value, dict) and len(node.value) == 1:
        ((name, arguments),) = node.value.items()
        place = arguments.key or node.where
        if arguments.value is None or isinstance(arguments.value, dict):
            yield from _check_named(section, name, arguments.value or {}, place, (*path, name), around)
        elif (owner := _owner(section, name)) is not None:
            message = f"`{name}` is an argument; the name of the {noun(section)} is missing"
            hint = f"name it: `{owner}: {{{name}: {short(arguments.plain())}}}`"
            yield Problem("object-form", message, path, place, hint)
        elif not _is_own(section, name) and (meant := _translated(section, name, arguments.plain(), around)):
            message = f"the arguments of `{name}` must be a mapping, not {shown(arguments.plain())}"
            if find(section, name) is None:
                message = f"unknown {noun(section)} `{name}`"
            yield Problem("unknown-name", message, path, place, meant)
        elif find(section, name) is None:
            fix = _instead_of(section, name, {}, around)
            if isinstance(fix, Fix) and fix.kind == "rename":
                fix = _as_mapping(section, str(fix.target[0]), arguments.plain())
            yield Problem("unknown-name", f"unknown {noun(section)} `{name}`", path, place, fix)
        else:
            message = f"the arguments of `{name}` must be a mapping, not {shown(arguments.plain())}"
            hint = _as_mapping(section, name, arguments.plain())
            yield Problem("object-form", message, path, arguments.where, hint)
    else:
        yield _wrong_form(section, node, path)


def _in_another_form(section: str, node: Node, around: Around) -> Fix | str | None:
    """Return how an object is written here that is a Python call, or has its name among its arguments."""
    if isinstance(node.value, str) and (call := elsewhere.call_of(node.value)) is not None:
        name, values, given = call
        given = {**elsewhere.named(section, name, values), **given}
    elif isinstance(node.value, dict) and (found := elsewhere.named_among(node.plain())) is not None:
        name, given = found
        beside = any(find(section, key) is not None for key in node.value)
        if beside or (find(section, name) is None and elsewhere.instead_of(section, name, given, around) is None):
            return None
    else:
        return None
    entry = find(section, name)
    if entry is None:
        fix = _instead_of(section, name, given, around)
        if not isinstance(fix, Fix) or fix.kind != "rename":
            return fix
        name = str(fix.target[0])
        entry = find(section, name)
    found_here = elsewhere.with_arguments(entry, given) if entry is not None else elsewhere.Translation((name,))
    missing = [key for key, argument in entry.arguments.items() if argument.required] if entry is not None else []
    (item,) = found_here.objects
    missing = [key for key in missing if not isinstance(item, dict) or key not in next(iter(item.values()))]
    words = f"write {found_here}" + (f", with {listing(missing)}" if missing else "")
    words += "".join(f"; {lost}" for lost in found_here.lost)
    return Fix("write", (elsewhere.written(item),), words)


def _is_own(section: str, name: str) -> bool:
    """Whether a name is Keras's own today, and not an older one that it still takes."""
    entry = find(section, name)
    return entry is not None and entry.name == name


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


def _check_named(
    section: str, name: str, arguments: dict[str, Node], where: Where, path: KeyPath, around: Around
) -> Iterator[Problem]:
    entry = find(section, name)
    if entry is None:
        if section != "dataset" and not arguments and entries.aliases(section).get(name, "") is None:
            return  # a name that Keras itself resolves, such as `accuracy`
        given = {key: child.plain() for key, child in arguments.items()}
        fix = _instead_of(section, name, given, around)
        message = f"unknown {noun(section)} `{name}`"
        if section != "dataset" and (left_out := entries.why_not(name)):
            message = f"`{name}` {left_out[0]}"
        yield Problem("unknown-name", message, path, where, fix)
        if isinstance(fix, Fix) and fix.kind == "rename" and _certain(section, name, str(fix.target[0])):
            entry = find(section, str(fix.target[0]))
    if entry is not None:
        yield from _check_arguments(entry, arguments, where, path, around)


def _certain(section: str, name: str, meant: str) -> bool:
    """Whether a name stands for `meant` without doubt: arguments of an object that is only guessed mean nothing."""
    return folded(name) == folded(meant) or elsewhere.instead_of(section, name, None, ALONE) is not None


def _check_arguments(
    entry: Entry, arguments: dict[str, Node], where: Where, path: KeyPath, around: Around
) -> Iterator[Problem]:
    given = {key: child.plain() for key, child in arguments.items()}
    given = {key: value for key, value in given.items() if not entries.is_left_out_default(entry.name, key, value)}
    arguments = {key: child for key, child in arguments.items() if key in given}
    foreign = [key for key in given if key not in entry.arguments]
    renamed = {name for key in foreign for name in _carried(entry, key, given)}
    missing = [key for key, argument in entry.arguments.items() if argument.required and key not in {*given, *renamed}]
    together = not around.tried and (len(foreign) > 1 or (foreign and missing))
    if together and (meant := _translated_arguments(entry, path, given, around)) is not None:
        plural = "s" if len(foreign) > 1 else ""
        message = f"`{entry.name}` does not have the argument{plural} {listing(foreign)}"
        yield Problem("unknown-argument", message, path, where, meant)
        return
    tuples = any(isinstance(child.value, str) and child.value.startswith("(") for child in arguments.values())
    for key, child in arguments.items():
        if tuples and child.value is None and key.endswith(")"):
            continue  # the end of a Python tuple, reported at its beginning
        if key not in entry.arguments:
            yield _unknown_argument(entry, key, child, (*path, key), given)
        else:
            yield from check_value(entry, key, child, (*path, key), around)
    for key in missing:
        hint = f"write `{entry.name}: {{{key}: …}}`: {expected(entry.arguments[key])}"
        message = f"`{entry.name}` needs the argument `{key}`"
        yield Problem("missing-argument", message, (*path, key), where, hint)


def _instead_of(section: str, name: str, given: Any, around: Around) -> Fix | str:
    """Return what to write instead of a name that Keras does not have in this section, or a config may not."""
    if section == "dataset" and name.endswith((".npz", ".npy")):
        return Fix("write", (f"arrays: {{path: {flow(name)}}}",))
    last = name.rpartition(".")[2]
    own = {known.lower(): known for known in reversed(known_names(section))}  # classes win over their aliases
    same = last if last in own.values() else own.get(last.lower())
    entry = find(section, same) if same is not None else None
    foreign = entry is not None and isinstance(given, dict) and not set(given) <= set(entry.arguments)
    if same is not None and not foreign:
        return Fix("rename", (same,))
    if meant := _translated(section, name, given, around):
        return meant
    if same is not None and entry is not None:
        return _translated_arguments(entry, (same,), given, around) or Fix("rename", (same,))
    if section == "callback" and (meant := _translated("schedule", name, given, around)):
        return _elsewhere("schedule", meant, around)
    if section != "dataset" and (left_out := entries.why_not(name)):
        return left_out[1] or Fix("remove")
    known = known_names(section)
    if not (section == "dataset" and elsewhere.other_data_set(name, known)) and (near := rename(name, known)):
        return near
    for other in (*entries.sections(), "dataset"):
        if other == section:
            continue
        if find(other, name) is not None:
            return f"`{name}` is {with_article(noun(other))}"
        if meant := _translated(other, name, given, around):
            return _elsewhere(other, meant, around)
    if section == "dataset" and elsewhere.other_data_set(name, known):
        return Fix("choose", tuple(known), f"it is another data set, which is not offered; known: {listing(known)}")
    if section == "dataset" or len(known) <= 12:
        return Fix("choose", tuple(known), f"known: {listing(known)}")
    return f"names are Keras's own, as in `{example(section)}`"


def _translated(section: str, name: str, given: Any, around: Around) -> Fix | str | None:
    """Return what to write for another framework's object, its numbers carried over; None for an unknown name."""
    found = elsewhere.instead_of(section, name, given, around)
    if found is None or isinstance(found, str):
        return found
    (first, *_) = found.objects
    kind, arguments = (first, {}) if isinstance(first, str) else next(iter(first.items()))
    # Arguments that stay as they are get checked where they stand.
    if around.tried or (len(found.objects) == 1 and not found.lost and arguments == (given or {})):
        return Fix("rename", (kind,))
    problems = [problem for item in found.objects for problem in _problems_of(section, item)]
    if any(problem.code != "missing-argument" for problem in problems):
        return Fix("rename", (kind,))
    missing = [str(problem.path[-1]) for problem in problems]
    words = f"write {found}" + (f", with {listing(missing)}" if missing else "")
    words += "".join(f"; {lost}" for lost in found.lost)
    return Fix("write", tuple(elsewhere.written(item) for item in found.objects), words)


def _translated_arguments(entry: Entry, path: KeyPath, given: dict[str, Any], around: Around) -> Fix | None:
    """Return an object with another framework's arguments as Keras has it; None if some are unknown."""
    written = str(path[-1]) if path else entry.name
    found = elsewhere.instead_of(entry.section, written, given, around)
    if not isinstance(found, elsewhere.Translation) or found.lost:
        found = elsewhere.with_arguments(entry, given)
    if found.lost or any(_problems_of(entry.section, item) for item in found.objects):
        return None
    return Fix("write", tuple(elsewhere.written(item) for item in found.objects), f"write {found}")


def _problems_of(section: str, item: Any) -> list[Problem]:
    """Return the problems of an object that is made here; numbers that depend on the rest of the config have none."""
    if elsewhere.OPEN in str(item):
        return []
    place = Where("", 1, 1, 2, "")

    def node(value: Any) -> Node:
        if isinstance(value, dict):
            return Node({key: node(child) for key, child in value.items()}, place, place)
        return Node([node(child) for child in value] if isinstance(value, list) else value, place, place)

    return list(check_object(section, node(item), (), _TRIED))


def _elsewhere(section: str, meant: Fix | str, around: Around) -> str:
    """Return where an object belongs that stands in a section of others."""
    if isinstance(meant, str):
        return meant
    target = [f"`{item}`" for item in meant.target]
    if section == "schedule":
        return f"write it as the optimizer's rate: `{elsewhere.with_schedule(around, str(meant.target[0]))}`"
    return f"it is {with_article(noun(section))}: write {', '.join(target)} there"


def _carried(entry: Entry, key: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return Keras's arguments for one that only other frameworks have; empty where there are none."""
    found = elsewhere.carried(entry, key, given[key], given)
    return dict(found) if isinstance(found, Mapping) else {}


def _unknown_argument(entry: Entry, key: str, child: Node, path: KeyPath, given: dict[str, Any]) -> Problem:
    message = f"unknown argument `{key}` of `{entry.name}`"
    where = child.key or child.where
    word, colon, rest = key.partition(":" if ":" in key else "=")
    if colon and word in entry.arguments:
        missing = "a space is missing: " if colon == ":" else ""
        meant = Fix("rename", (word,), f"{missing}write `{word}: {rest}`")
        return Problem("unknown-argument", message, path, where, meant)
    if key.isdigit() and child.value is None:
        return Problem("unknown-argument", message, path, where, "a number has a decimal point, not a comma: `0.001`")
    if reason := entries.why_not_argument(entry.name, key):
        if key in _WITHOUT_EFFECT or given[key] in (False, None):
            message = f"`{key}` of `{entry.name}` has no effect here"
            return Problem("no-effect", message, path, where, f"remove it: {reason}", "warning")
        return Problem("unknown-argument", message, path, where, reason)
    own = {folded(name): name for name in entry.arguments}
    if (same := own.get(folded(key))) is not None:
        return Problem("unknown-argument", message, path, where, _renamed(same, given))
    found = elsewhere.carried(entry, key, given[key], given)
    if isinstance(found, str):
        return Problem("unknown-argument", message, path, where, found)
    if found is not None:
        return Problem("unknown-argument", message, path, where, _as_argument(entry, key, found, given))
    if near := rename(key, entry.arguments):
        return Problem("unknown-argument", message, path, where, _renamed(str(near.target[0]), given))
    takes = f"it takes {listing(entry.arguments, 16)}" if entry.arguments else "it takes no arguments"
    return Problem("unknown-argument", message, path, where, Fix("choose", tuple(entry.arguments), takes))


def _renamed(name: str, given: Mapping[str, Any]) -> Fix | str:
    """Return the fix for an argument that is meant as `name`."""
    return _given_twice(name, given) if name in given else Fix("rename", (name,))


def _given_twice(name: str, given: Mapping[str, Any]) -> str:
    return f"it is `{name}` here, and `{name}: {flow(given[name])}` is given too: remove one of them"


# Arguments that say what is told and not what is done; any value is harmless.
_WITHOUT_EFFECT = ("verbose", "raise_error")


def _as_argument(entry: Entry, key: str, found: Mapping[str, Any], given: dict[str, Any]) -> Fix | str:
    """Return what to write instead of another framework's argument, its value carried over."""
    if (other := elsewhere.twice(given, found)) is not None:
        return _given_twice(other, given)
    if any(name in given for name in found):
        whole = {name: value for name, value in given.items() if name != key} | dict(found)
        return Fix("write", (f"{entry.name}: {flow(whole)}",))
    wrong = [problem for problem in _problems_of(entry.section, {entry.name: dict(found)}) if len(problem.path) > 1]
    same = len(found) == 1 and next(iter(found.values())) == given[key]
    if same or any(problem.code != "missing-argument" for problem in wrong):
        return Fix("rename", tuple(found)[:1])
    return Fix("write", tuple(f"{name}: {flow(value)}" for name, value in found.items()))


def check_value(entry: Entry, key: str, node: Node, path: KeyPath, around: Around = ALONE) -> list[Problem]:
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
            return list(check_object(section, node, path, around))
    if isinstance(value, str) and {"scope", "root_scope"} & set(argument.kinds):
        takes = KINDS[argument.kinds[0]].phrase(argument)
        message = f"`{key}` of `{entry.name}` cannot be {shown(value, node.quoted)}: {takes} alone"
        return [Problem("name", message, path, node.where, Fix("write", (_scope(value),)))]
    if "activation" in argument.kinds and (meant := _activation_layer(entry, node)) is not None:
        message = f"`{key}` of `{entry.name}` must be {expected(argument)}, not {shown(node.plain())}"
        return [Problem("wrong-type", message, path, node.where, meant)]
    if isinstance(value, str) and strings_of(argument):
        return [_unknown_word(argument, entry, key, node, path)]
    message = f"`{key}` of `{entry.name}` must be {expected(argument)}, not {shown(node.plain(), node.quoted)}"
    if (meant := elsewhere.in_other_unit(entry, key, node.plain())) is not None:
        return [Problem("wrong-type", message, path, node.where, meant)]
    if isinstance(value, str) and (found := re.match(r"\(([^()]*)\)", node.where.text[node.where.column - 1 :][:200])):
        return [Problem("wrong-type", message, path, node.where, f"a list is written `[{found[1].strip(' ,')}]`")]
    if isinstance(value, list) and value and value[0].value in ("None", None) and "ints" in argument.kinds:
        rest = shown([item.plain() for item in value[1:]])
        return [Problem("wrong-type", message, path, node.where, f"leave out the batch axis: {rest}")]
    return [
        Problem(
            "wrong-type",
            message,
            path,
            node.where,
            number_hint(value, argument.kinds, None if key in _NO_SHARES else argument.maximum),
        )
    ]


def _activation_layer(entry: Entry, node: Node) -> str | None:
    """Return how an activation with arguments is written, which only a layer has; None for other values."""
    if not isinstance(node.value, dict) or len(node.value) != 1:
        return None
    ((name, arguments),) = node.plain().items()
    layer = next((known for known in entries.names("layer") if folded(known) == folded(name)), None)
    words = {folded(word): word for word in entries.names("activation")}
    word = words.get(folded(name)) or elsewhere.activation(name)
    if not arguments or layer is None:
        return f"write `{word}`: an activation here has no arguments" if word is not None else None
    item = elsewhere.written({layer: arguments})
    place = "instead of this layer" if entry.name == "Activation" else "after this one, without its `activation`"
    return f"write a layer {place}: `- {item}`" + (f"; or `{word}` alone" if word is not None else "")


# Keras bounds them by 1 too, but they are no shares: nobody writes them as percentages.
_NO_SHARES = ("sigma", "stddev")


def _scope(text: str) -> str:
    """Return the name nearest to `text` that TensorFlow takes for a scope."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^A-Za-z0-9_.>-]+", "_", plain).lstrip("_->") or "my_name"


def _number(text: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", text) is not None


def _unknown_word(argument: Argument, entry: Entry, key: str, node: Node, path: KeyPath) -> Problem:
    words = strings_of(argument)
    message = f"unknown `{key}` of `{entry.name}`: `{node.value}`"
    meant = elsewhere.activation(node.value) if "activation" in argument.kinds else None
    near = Fix("rename", (meant,)) if meant is not None else rename(node.value, words)
    fix = near or Fix("choose", tuple(words), f"expected one of {listing(words, 30)}")
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
