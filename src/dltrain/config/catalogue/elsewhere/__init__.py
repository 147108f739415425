"""What names of other frameworks, and of older Keras, are here: objects, arguments, keys, with their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.elsewhere import keys
from dltrain.config.catalogue.elsewhere.arguments import (
    CLASS_WEIGHTS,
    NO_CLASS_WEIGHTS,
    carried,
    in_other_unit,
    known,
    twice,
)
from dltrain.config.catalogue.elsewhere.calls import call_of, named_among
from dltrain.config.catalogue.elsewhere.keys import AUGMENTATIONS, PRECISIONS, with_schedule
from dltrain.config.catalogue.elsewhere.layers import ACTIVATIONS, INITIALIZERS, LAYERS, REGULARIZERS, model_of
from dltrain.config.catalogue.elsewhere.schedules import SCHEDULES
from dltrain.config.catalogue.elsewhere.training import (
    CALLBACKS,
    DATASET_WORDS,
    DATASETS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
)
from dltrain.config.catalogue.elsewhere.words import OPEN, Around, Table, Word, folded
from dltrain.config.catalogue.entries import Entry
from dltrain.config.document.writer import flow
from dltrain.errors import Fix

TABLES: dict[str, Table] = {
    "layer": LAYERS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "callback": CALLBACKS,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "dataset": DATASET_WORDS,
}


@dataclass(frozen=True, slots=True)
class Translation:
    """What another framework's object is here.

    Args:
        objects: as a config has them, one after the other.
        lost: arguments that have no counterpart, or phrases about them.
    """

    objects: tuple[Any, ...]
    lost: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The objects as a list has them, or the one alone: `Conv2D: {filters: 32, kernel_size: 3}`."""
        dash = "- " if len(self.objects) > 1 else ""
        return ", ".join(f"`{dash}{written(item)}`" for item in self.objects)


__all__ = [
    "OPEN",
    "PRECISIONS",
    "TABLES",
    "Translation",
    "activation",
    "call_of",
    "carried",
    "in_other_unit",
    "instead_of",
    "key",
    "known",
    "named",
    "named_among",
    "other_data_set",
    "twice",
    "with_arguments",
    "with_schedule",
    "written",
]


def written(item: Any) -> str:
    """Return an object on one line; numbers that the config leaves open are dots."""
    text = flow(item)[1:-1] if isinstance(item, Mapping) else str(item)
    return text.replace(flow(OPEN), OPEN)


def other_data_set(word: str, known: Iterable[str]) -> bool:
    """Whether a name is that of a data set which is not offered: a known one's name within a longer one is another."""
    name = folded(word)
    return name in DATASETS or any(own in name and own != name for own in known)


def instead_of(section: str, name: str, given: Any, around: Around) -> Translation | str | None:
    """Return what an object of another framework is here.

    Args:
        section: where it stands.
        name: its name as written.
        given: its arguments: a mapping, a list in their order, one alone, or None.
        around: the rest of the config.

    Returns: the objects to write; a phrase on what to do where there are none; None for an unknown name.
    """
    word = folded(name)
    found = TABLES.get(section, {}).get(word)
    if found is None and section == "layer":
        if (phrase := model_of(word)) is not None:
            return phrase
        plain = {folded(activation): activation for activation in entries.names("activation")}
        activation = plain.get(word) or ACTIVATIONS.get(word)
        same = {folded(layer) for layer in entries.names("layer")}
        if activation is not None and word not in same:
            return Translation(({"Activation": {"activation": activation}},))
    if found is None or isinstance(found, str):
        return found
    arguments, lost = _named(found, section, given)
    if found.make is not None:
        objects = found.make(arguments, around)
        weights = [key for key, value in arguments.items() if folded(key) in CLASS_WEIGHTS and value is not None]
        if section == "loss" and weights:
            lost = (*lost, f"`{weights[0]}`: {NO_CLASS_WEIGHTS}")
        return "; ".join((objects, *lost)) if isinstance(objects, str) else Translation(tuple(objects), lost)
    return _of_class(found, section, arguments, lost)


def named(section: str, name: str, values: list[Any]) -> dict[str, Any]:
    """Return positional arguments by name: those of a class of Keras in its order, others in their framework's."""
    own = entries.find(section, name.rpartition(".")[2])
    word = TABLES.get(section, {}).get(folded(name))
    if isinstance(word, Word) and (own is None or name.startswith(("nn.", "torch."))):
        return _named(word, section, values)[0]
    return dict(zip(own.arguments, values, strict=False)) if own is not None else {}


def with_arguments(entry: Entry, given: Mapping[str, Any]) -> Translation:
    """Return an object of Keras with what another framework's arguments are there."""
    return _of_class(Word(entry.name), entry.section, given, ())


def _named(word: Word, section: str, given: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return arguments by name, those without one in the order of their framework; and those that are too many."""
    if isinstance(given, Mapping):
        return dict(given), ()
    values = given if isinstance(given, list) else [] if given is None else [given]
    order = list(word.takes)
    entry = entries.find(section, word.name)
    if not order and entry is not None:
        order = [key for key, argument in entry.arguments.items() if argument.required]
    counts = word.make is not None or (entry is not None and any(item.required for item in entry.arguments.values()))
    if not isinstance(given, list) and counts:  # one alone is the one that counts: `Linear: 10`
        order = [key for key in order if word.takes.get(key, key) is not None]
    return dict(zip(order, values, strict=False)), tuple(str(value) for value in values[len(order) :])


def _of_class(word: Word, section: str, given: Mapping[str, Any], lost: tuple[str, ...]) -> Translation:
    entry = entries.find(section, word.name)
    arguments: dict[str, Any] = {}
    left = list(lost)
    for argument, value in given.items():
        found: Any = None
        if argument in word.takes:
            carry = word.takes[argument]
            if carry is None:
                continue
            found = {carry: value} if isinstance(carry, str) else carry(value, given)
        elif entry is not None and argument in entry.arguments:
            found = {argument: value}
        elif entry is not None:
            found = carried(entry, argument, value, given)
            if isinstance(found, str) and found.startswith("remove it"):
                continue
        if isinstance(found, Mapping) and (other := twice(arguments, found)) is not None:
            left.append(f"`{argument}` is `{other}` too: keep one of them")
        elif isinstance(found, Mapping):
            arguments.update(found)
        else:
            left.append(found if isinstance(found, str) else f"`{argument}` has no counterpart")
    arguments = {**word.fixed, **arguments}
    return Translation(({word.name: arguments} if arguments else word.name,), tuple(left))


def key(word: str, value: Any, around: Around) -> Fix | str | None:
    """Return what to write for a key of other frameworks with this value; None for an unknown one."""
    if folded(word) in AUGMENTATIONS and (found := _augmentation(value, around)):
        return _as_augment(found)
    return keys.key(word, value, around)


def _as_augment(layers: list[Any]) -> Fix:
    """Return the fix for layers that augment; what a layer does in predictions too belongs in the model."""
    augment = [layer for layer in layers if (layer if isinstance(layer, str) else next(iter(layer))) in _AUGMENTING]
    others = [layer for layer in layers if layer not in augment]
    words = f"write `augment: {flow(augment)}` in `data`" if augment else ""
    if others:
        words += f"{', and' if words else 'write'} as first layers {Translation(tuple(others))}"
    return Fix("move", ("data", "augment"), words)


_AUGMENTING = entries.augmentations()


def _augmentation(value: Any, around: Around) -> list[Any]:
    """Return the layers that an augmentation of another framework is; empty where one of its parts is unknown."""
    items = value if isinstance(value, list) else [value]
    if isinstance(value, Mapping):
        items = [{name: given} for name, given in value.items()]
    layers: list[Any] = []
    for item in items:
        name, given = next(iter(item.items())) if isinstance(item, Mapping) and len(item) == 1 else (item, None)
        if not isinstance(name, str):
            return []
        found = instead_of("layer", name, given, around)
        if isinstance(found, Translation):
            layers += found.objects
        elif entries.find("layer", name) is not None:
            layers.append({name: given} if given else name)
        else:
            return []
    return layers


def activation(word: str) -> str | None:
    """Return Keras's name of an activation that other frameworks call `word`; None for an unknown one."""
    return ACTIVATIONS.get(folded(word))
