"""The Keras objects that a config may name, with their arguments: data made from Keras, read without it.

scripts/make_catalogue.py writes catalogue.json. The sections are `layer`, `optimizer`, `schedule`, `loss`,
`metric`, `regularizer`, `initializer`, `constraint`, `callback` and `activation`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from dltrain.arguments import Argument

# What a class does, beside what its arguments say. A trait is true, or has a value; a class that lacks it has None.
Trait = Literal[
    # Layers
    "recurrent",  # goes along the steps of a sequence
    "cell",  # one step of a recurrent layer, not a layer of its own
    "flattens",  # makes one vector of a sample with more axes
    "keeps_values",  # outputs its input's numbers, reordered or repeated
    "takes_whole",  # takes whole numbers, such as the indices of words
    "drops",  # sets a share, its `rate`, of the numbers to zero or blurs them, in training alone
    "adds_noise",  # in training alone
    "augments",  # changes images by chance, in training alone: their `values`, or the `places` of these
    "rescales",  # multiplies and shifts its input's numbers, so they may lie anywhere
    "applies",  # the activation function that the layer is
    "positionwise",  # works at every position along a sample's axes alike: it adds none and takes none away
    "updates",  # changes weights of its own with each call, in training alone
    "masks",  # passes on the mask of its input; the others lose it
    "ends_mask",  # takes a mask and outputs one vector, which needs none
    # Layers and losses
    "mixes_batch",  # a sample's output depends on the other samples: `training` or `always`
    # Optimizers
    "adaptive",  # its step does not shrink with the gradient: a rate of 1 moves every weight by about 1
    "rates",  # [a usual learning rate, one so high that hardly any model trains with it]
    "slots",  # numbers that it keeps, at the least, for each weight that is learned
    # Schedules
    "ends",  # stays at its last value after `decay_steps`
    # Losses
    "for_classes",  # means nothing for labels that are not classes
    "for_sequences",  # compares sequences of labels
    "binary",  # judges each output as a yes-or-no question of its own
    "categorical",  # compares the classes with each other: one output per class
    "integer_labels",  # takes the number of the class; the others take one-hot rows, or 0 and 1 for one output
    "signed",  # makes -1 and 1 of the labels 0 and 1
    "outputs",  # [lowest, highest] that it takes, null for no end, beside `probabilities`
    "targets",  # the same of targets
    "divides",  # by the targets
    "turns",  # compares directions: of a single number, the sign
    "crossentropy",  # plain cross-entropy: ln(classes) for uniform guesses, ln 2 for a binary output
    # Losses and metrics
    "probabilities",  # takes outputs for probabilities, where it is not told that they are logits
    # Metrics
    "labels",  # those that it takes: integer, one_hot, binary, per_output, predicted (classes, by number) or number
    "share",  # from 0 to 1
    "undirected",  # Keras does not know which way it is better
    "vector",  # the argument that makes its result a vector: one number a class where null, one a threshold for a list
    # Initializers and regularizers
    "rank",  # [lowest, highest] number of axes of the weights that it takes, null for no end
    # Activations
    "range",  # [lowest, highest] value, null for no end; absent too where values only dip below zero, as of gelu
    "sums_to_one",  # over the last axis
    "alone",  # its value wherever the last axis has one number
    "halves",  # the last axis
    "flat_at_zero",  # 0 at 0, with a gradient of 0 there
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One class of Keras under its own name, and the arguments that a config may give it.

    `docs` says where Keras's source describes it: `module.Name` of its own docstring, then of those of its bases.
    """

    section: str
    name: str
    arguments: dict[str, Argument]
    docs: tuple[str, ...] = ()
    traits: Mapping[Trait, Any] = field(default_factory=dict)


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
    return Entry(section, own, arguments, tuple(found.get("docs", ())), found.get("traits", {}))


def trait(section: str, name: str | None, key: Trait) -> Any:
    """A trait of a class, found by its name or an alias; None where the class does not have it."""
    entry = find(section, name) if name is not None else None
    return entry.traits.get(key) if entry is not None else None


def passes_on(layer: str) -> bool:
    """Whether a layer leaves every number what it is, outside of training."""
    return any(trait("layer", layer, name) for name in ("keeps_values", "drops", "adds_noise"))


def augmentations() -> tuple[str, ...]:
    """The layers that change samples by chance, in training alone, and take every chance from their seed."""
    return tuple(name for name in names("layer") if _by_chance(name))


def _by_chance(layer: str) -> bool:
    return any(trait("layer", layer, name) for name in ("augments", "drops", "adds_noise"))


def follows_labels(section: str, name: str) -> bool:
    """Whether Keras picks the class of a word by the labels, as of `accuracy`."""
    return aliases(section).get(name, "") is None


def why_not(name: str) -> tuple[str, str] | None:
    """Why a name that Keras has may not be written in a config, and what to do instead; None for other names."""
    found = _data()["excluded"].get(name)
    return (found[0], found[1]) if found is not None else None


def why_not_argument(name: str, argument: str) -> str | None:
    """Why an argument that Keras's class `name` has is left out; None for other arguments."""
    table: dict[str, str] = _data()["excluded_arguments"]
    return table.get(f"{name}.{argument}") or table.get(argument)


def is_left_out_default(name: str, argument: str, value: Any) -> bool:
    """Whether Keras's class `name` gives this value to an argument that is left out here."""
    defaults: dict[str, Any] = _data()["excluded_defaults"]
    key = f"{name}.{argument}"
    return key in defaults and type(value) in (type(defaults[key]), bool) and value == defaults[key]


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
