"""Every problem of a config that can be found before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from dltrain.config.catalogue import datasets
from dltrain.config.checks.augmentation import check_augmentation
from dltrain.config.checks.draft import make_draft
from dltrain.config.checks.fitting import fitted
from dltrain.config.checks.outline import Outline, make_outline
from dltrain.config.checks.problems import told
from dltrain.config.checks.sense import check_sense
from dltrain.config.checks.structure import check_structure
from dltrain.config.checks.transfer import check_transfer
from dltrain.config.document.source import Node
from dltrain.config.schema import Spec
from dltrain.data.facts import Facts
from dltrain.errors import KeyPath, Problem

_MOST_FOUND = 500  # problems of keys and values; after these, checking ends


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of all checks.

    Args:
        spec: the config, if its keys and values are valid; defaults of Keras objects are not filled in.
        outline: the layers with their shapes, as far as they are known.
        facts: what is known of the data set; None if it is not valid.
        problems: warnings included, in the order of the file; the last one counts those that are too many to tell.
    """

    spec: Spec | None
    outline: Outline
    facts: Facts | None
    problems: tuple[Problem, ...]


def check_config(
    tree: Node, layers: Sequence[KeyPath], known: Iterable[Problem], facts: Facts | None = None
) -> Findings:
    """Check each key and value on its own, then the valid ones against each other.

    Args:
        tree: the config as written, its bases and overrides merged.
        layers: the paths of its layers, repeats expanded.
        known: problems found before.
        facts: those of its data set, where it was read already: its files are not looked at again.
    """
    with datasets.looking_once():
        return _check(tree, layers, known, facts)


def _check(tree: Node, layers: Sequence[KeyPath], known: Iterable[Problem], facts: Facts | None) -> Findings:
    spec, wrong = check_structure(tree, layers, facts)
    found = [*known, *islice(wrong, _MOST_FOUND)]
    if len(found) >= _MOST_FOUND:
        return Findings(None, Outline(), None, told(found, whole=False))
    found = fitted(tree, layers, found, facts)
    draft = make_draft(tree, layers, found, facts)
    outline = make_outline(draft)
    found += [*outline.problems, *check_augmentation(draft), *check_transfer(draft, outline, files=facts is None)]
    found += check_sense(draft, outline)
    return Findings(spec, outline, draft.data, told(found))
