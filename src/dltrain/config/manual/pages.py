"""What is known about a name: a key of the config, a Keras object, an argument, a data set. A page, not yet text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dltrain.arguments import Argument
from dltrain.config.catalogue import datasets, entries, examples, objects
from dltrain.config.catalogue.entries import Entry
from dltrain.config.catalogue.kinds import expected
from dltrain.config.catalogue.phrases import noun, with_article
from dltrain.config.document.suggest import closest
from dltrain.config.document.writer import flow
from dltrain.config.manual import docstrings, texts
from dltrain.config.manual.keys import Key, keys
from dltrain.data.sources import SOURCES
from dltrain.errors import UsageError

SECTIONS = (*entries.sections(), "dataset")
ALSO = 6
NOT_READABLE = "Keras's own words would stand here; its source was not found in this environment."
NOT_DESCRIBED = "Keras does not describe it."


@dataclass(frozen=True, slots=True)
class Page:
    """What is known about one name.

    Args:
        title: the name.
        what: what it is, as `a layer`.
        text: the description, paragraph by paragraph.
        facts: what it takes and its default, for a key or an argument.
        head, rows: a table of its arguments or keys, and what its columns are.
        names: names to look up next.
        example: YAML as a config has it.
        also: other things under the same name, to be asked for in this way.
    """

    title: str
    what: str
    text: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = ()
    example: str = ""
    also: tuple[str, ...] = ()


def overview() -> tuple[Page, ...]:
    """The keys at the top of a config, and the kinds of objects."""
    top = [(key.path, key.meaning) for key in keys() if "." not in key.path]
    special = [(name, summary) for name, (_, summary, _, _, _) in texts.SPECIAL.items()]
    kinds = [(_plural(section), str(len(_names(section))), texts.KINDS[section]) for section in SECTIONS]
    return (
        Page("A config", "its keys", rows=(*top, *special)),
        Page("What it names", "data sets, and objects of Keras", rows=tuple(kinds)),
    )


def look_up(name: str) -> tuple[Page, ...]:
    """The pages about a name, more than one where Keras uses it for more than one thing.

    Raises:
        UsageError: nothing has that name.
    """
    word = _without_place(name.strip().strip("."))
    for same in (_same, _same_but_for_case):
        for search in (_special, _keys, _objects, _last_keys, _sections, _members, _bare_arguments):
            if pages := search(word, same):
                return pages
    raise _unknown(word)


def _without_place(name: str) -> str:
    """`Adam.learning_rate` for `train.optimizer.Adam.learning_rate`, `expect` for `expect.test_accuracy`."""
    if name.startswith("expect."):
        return "expect"
    for key in keys():
        if _section_of(key.path) is not None and name.startswith(f"{key.path}."):
            parts = name.removeprefix(f"{key.path}.").split(".")
            return ".".join(part for part in parts if not part.isdecimal()) or key.path
    return name


Same = Callable[[str, str], bool]


def _same(name: str, known: str) -> bool:
    return name == known


def _same_but_for_case(name: str, known: str) -> bool:
    return name.casefold() == known.casefold()


def _special(name: str, same: Same) -> tuple[Page, ...]:
    found = next((key for key in texts.SPECIAL if same(name, key)), None)
    if found is None:
        return ()
    what, summary, more, takes, example = texts.SPECIAL[found]
    return (Page(found, what, (f"{summary} {more}",), (("takes", takes),), example=example),)


def _keys(name: str, same: Same) -> tuple[Page, ...]:
    return tuple(_key_page(key) for key in keys() if same(name, key.path))[:1]


def _last_keys(name: str, same: Same) -> tuple[Page, ...]:
    """A key by the last word of its path; a list where there are several."""
    found = [key for key in keys() if same(name, key.path.rpartition(".")[2])]
    if len(found) > 1:
        paths = tuple(key.path for key in found)
        return (Page(name, f"a key in {len(found)} places", names=paths),)
    return tuple(_key_page(key) for key in found)


def _key_page(key: Key) -> Page:
    inner = [other for other in keys() if other.path.rpartition(".")[0] == key.path and key.section]
    example = examples.block(_nested(key.path.split("."), texts.KEYS[key.path])) if key.path in texts.KEYS else ""
    facts = [] if key.section else [("takes", key.takes), ("default", key.phrase or key.default)]
    section = _section_of(key.path)
    word = key.path.rpartition(".")[2]
    also = (*_objects_named(word), *_arguments_named(word, _same))
    rows = tuple(
        (k.path.rpartition(".")[2], "required" if k.required else k.phrase or k.default, k.meaning) for k in inner
    )
    return Page(
        key.path,
        "a section of the config" if key.section else "a key of the config",
        (key.meaning,),
        tuple(facts),
        ("key", "default", "meaning"),
        rows,
        _names_at(key.path, section),
        example,
        also if len(also) <= ALSO else (),
    )


def _nested(path: list[str], value: object) -> dict[str, object]:
    return {path[0]: _nested(path[1:], value) if len(path) > 1 else value}


def _section_of(path: str) -> str | None:
    """The kind of object that a key takes."""
    for pattern, section in objects.FIELDS.items():
        if ".".join(str(part) for part in pattern if part != "*") == path:
            return section
    return None


def _names_at(path: str, section: str | None) -> tuple[str, ...]:
    """Return the names that a key takes; none for a key without objects."""
    return entries.augmentations() if path == "data.augment" else _names(section) if section else ()


def _names(section: str) -> tuple[str, ...]:
    return tuple(datasets.ENTRIES) if section == "dataset" else entries.names(section)


def _sections(name: str, same: Same) -> tuple[Page, ...]:
    """All names of a kind, as `layers` or `initializer`."""
    for section in SECTIONS:
        if same(name, section) or same(name, _plural(section)):
            title = _plural(section)
            text = f"{texts.KINDS[section]}.".capitalize()
            return (Page(title, f"{len(_names(section))} of them", (text,), names=_names(section)),)
    return ()


def _plural(section: str) -> str:
    return {"loss": "losses", "dataset": "datasets"}.get(section, f"{section}s")


def _entries(name: str, same: Same) -> Iterator[tuple[str, Entry]]:
    """(name as Keras has it, entry) of every object with that name or alias."""
    for section in SECTIONS:
        known = next((own for own in objects.known_names(section) if same(name, own)), None)
        entry = objects.find(section, known) if known else None
        if known and entry is not None:
            yield known, entry


def _objects(name: str, same: Same) -> tuple[Page, ...]:
    pages = [_object_page(known, entry) for known, entry in _entries(name, same)]
    chosen = next((word for word, own in entries.aliases("metric").items() if own is None and same(name, word)), None)
    if chosen is not None:
        example = examples.block({"train": {"metrics": [chosen]}})
        pages.append(Page(chosen, "a metric, chosen by the labels", (texts.CHOSEN,), example=example))
    return tuple(pages)


def _object_page(known: str, entry: Entry) -> Page:
    what = with_article(noun(entry.section))
    if known != entry.name:
        what += f", the same as {entry.name}"
    rows = sorted(entry.arguments.items(), key=lambda item: not item[1].required)
    name = known if entry.section in ("loss", "metric") else entry.name
    given = examples.arguments(entry) if name == entry.name else {}
    return Page(
        known,
        what,
        _description(entry),
        head=("argument", "default", "takes"),
        rows=tuple((key, _default(argument), expected(argument)) for key, argument in rows),
        example=examples.in_place(entry.section, name, given),
        also=tuple(other for other in _objects_named(known) if not _is(other, entry.name)),
    )


def _description(entry: Entry) -> tuple[str, ...]:
    """The first paragraph, and the second behind a single line."""
    if entry.section == "dataset":
        return (SOURCES[entry.name].description,)
    paragraphs = docstrings.words(entry.docs).paragraphs
    if not paragraphs:
        return (NOT_DESCRIBED if docstrings.readable() else NOT_READABLE,)
    second = paragraphs[1:2] if "\n" not in paragraphs[0] else ()
    return (paragraphs[0], *(text for text in second if not text.endswith(":")))


def _objects_named(word: str) -> tuple[str, ...]:
    """Objects whose names differ from the word in upper and lower case at most."""
    return tuple(dict.fromkeys(known for known, _ in _entries(word, _same_but_for_case)))


def _is(name: str, own: str) -> bool:
    """Whether a name or alias stands for the class `own` in any section."""
    return any(entry.name == own for _, entry in _entries(name, _same))


def _members(name: str, same: Same) -> tuple[Page, ...]:
    """`Object.argument`."""
    owner, dot, key = name.rpartition(".")
    if not dot:
        return ()
    pages = []
    for _, entry in _entries(owner, same):
        argument = next((own for own in entry.arguments if same(key, own)), None)
        if argument is not None:
            pages.append(_argument_page(entry, argument))
    return tuple(pages)


def _argument_page(entry: Entry, key: str) -> Page:
    argument = entry.arguments[key]
    text = argument.meaning or docstrings.words(entry.docs).arguments.get(key, "")
    return Page(
        f"{entry.name}.{key}",
        f"an argument of the {noun(entry.section)} {entry.name}",
        (text or (NOT_DESCRIBED if docstrings.readable() else NOT_READABLE),),
        (("takes", expected(argument)), ("default", _default(argument))),
        example=examples.in_place(entry.section, entry.name, examples.arguments(entry, key)),
        also=tuple(_plural(kind) for kind in argument.kinds if kind in SECTIONS),
    )


def _default(argument: Argument) -> str:
    if argument.required:
        return "required"
    return flow(argument.default) if argument.has_default else "–"


def _arguments_named(word: str, same: Same) -> tuple[str, ...]:
    """`Object.argument` of every object that has such an argument."""
    found = []
    for section in SECTIONS:
        for name in _names(section):
            entry = objects.find(section, name)
            found += [f"{name}.{key}" for key in entry.arguments if same(word, key)] if entry else []
    return tuple(dict.fromkeys(found))


def _bare_arguments(name: str, same: Same) -> tuple[Page, ...]:
    found = _arguments_named(name, same)
    if len(found) > 1:
        word = found[0].rpartition(".")[2]
        return (Page(word, f"an argument of {len(found)} objects", names=found, also=_objects_named(word)),)
    return _members(found[0], _same) if found else ()


def _unknown(name: str) -> UsageError:
    owner, dot, key = name.rpartition(".")
    own = next(_entries(owner, _same_but_for_case), None) if dot else None
    message = f"`{name}` is neither a key of the config nor a Keras object"
    if own is not None:
        if reason := entries.why_not_argument(own[1].name, key):
            return UsageError(f"`{key}` of `{own[1].name}` cannot be given in a config", reason)
        near = closest(key, own[1].arguments)
        hint = f"did you mean `{own[0]}.{near}`?" if near else f"`dltrain docs {own[0]}` lists its arguments"
        return UsageError(f"`{own[0]}` has no argument `{key}`", hint)
    if left_out := entries.why_not(name):
        return UsageError(f"`{name}` cannot be named in a config", "; ".join(filter(None, left_out)))
    paths = [key.path for key in keys()]
    known = [*texts.SPECIAL, *paths, *(name for section in SECTIONS for name in objects.known_names(section))]
    known += [path.rpartition(".")[2] for path in paths]
    known += [key for section in SECTIONS for name in _names(section) for key in _argument_names(section, name)]
    near = closest(name, known)
    return UsageError(
        message, f"did you mean `{near}`?" if near else "`dltrain docs` without a name says what there is"
    )


def _argument_names(section: str, name: str) -> tuple[str, ...]:
    entry = objects.find(section, name)
    return tuple(entry.arguments) if entry else ()
