"""A file, what it extends and the overrides -> one tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dltrain.config.composition.extends import read_chain
from dltrain.config.composition.overrides import apply_override
from dltrain.config.composition.repeat import expand
from dltrain.config.document.source import Node
from dltrain.errors import KeyPath, Problem


@dataclass(frozen=True, slots=True)
class Composed:
    """A config as written, all parts in one tree.

    Args:
        tree: its values, bases and overrides merged.
        layers: the paths of its layers, repeats expanded.
        problems: invalid overrides and repeats.
    """

    tree: Node
    layers: tuple[KeyPath, ...]
    problems: tuple[Problem, ...]


def compose(file: str, data: bytes, overrides: Sequence[str], alone: bool = False) -> Composed:
    """Merge a config with what it extends and with its overrides.

    Args:
        file: its name, to which paths in it are relative.
        data: its bytes.
        overrides: `key.path=value` texts.
        alone: read no other file.

    Raises:
        ReadError: the file, or one that it extends, cannot be read.
    """
    tree = read_chain(file, data, alone)
    wrong = [problem for text in overrides if (problem := apply_override(tree, text)) is not None]
    layers, wrong_repeats = expand(tree)
    return Composed(tree, tuple(layers), (*wrong, *wrong_repeats))
