"""Every problem of a config that can be found before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dltrain.config.checks.draft import make_draft
from dltrain.config.checks.outline import Outline, make_outline
from dltrain.config.checks.problems import in_order
from dltrain.config.checks.sense import check_sense
from dltrain.config.checks.structure import check_structure
from dltrain.config.document.source import Node
from dltrain.config.schema import Spec
from dltrain.errors import KeyPath, Problem


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of all checks.

    Args:
        spec: the config, if its keys and values are valid; defaults of Keras objects are not filled in.
        outline: the layers with their shapes, as far as they are known.
        problems: all of them, warnings included, in the order of the file.
    """

    spec: Spec | None
    outline: Outline
    problems: tuple[Problem, ...]


def check_config(tree: Node, layers: Sequence[KeyPath], known: Iterable[Problem]) -> Findings:
    """Check each key and value on its own, then the valid ones against each other.

    Args:
        tree: the config as written, its bases and overrides merged.
        layers: the paths of its layers, repeats expanded.
        known: problems found before.
    """
    spec, wrong = check_structure(tree, layers)
    found = [*known, *wrong]
    draft = make_draft(tree, layers, found)
    outline = make_outline(draft)
    found += [*outline.problems, *check_sense(draft, outline)]
    return Findings(spec, outline, tuple(in_order(found)))
