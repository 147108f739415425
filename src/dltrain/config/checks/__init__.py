"""What is wrong with a config, before anything starts."""

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
    """What the checks say of a config.

    Args:
        spec: the config, where its keys and values are right; defaults of Keras objects are not filled in.
        outline: the layers with their shapes, as far as they are known.
        problems: all of them, in the order of the file; warnings among them.
    """

    spec: Spec | None
    outline: Outline
    problems: tuple[Problem, ...]


def check_config(tree: Node, layers: Sequence[KeyPath], known: Iterable[Problem]) -> Findings:
    """Checks each key and value on its own, then the valid ones against each other.

    Args:
        tree: the config as it was written, its bases and overrides merged.
        layers: the paths of its layers, repeats expanded.
        known: problems that were found on the way here.
    """
    spec, wrong = check_structure(tree, layers)
    found = [*known, *wrong]
    draft = make_draft(tree, layers, found)
    outline = make_outline(draft)
    found += [*outline.problems, *check_sense(draft, outline)]
    return Findings(spec, outline, tuple(in_order(found)))
