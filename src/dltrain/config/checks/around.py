"""What the translation of another framework's words takes from the rest of a config, as far as that is valid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dltrain.config.catalogue.elsewhere.arguments import known
from dltrain.config.catalogue.elsewhere.words import Around, folded, number
from dltrain.config.catalogue.objects import find
from dltrain.config.checks.data import known_facts
from dltrain.config.document.source import Node, locate, nearest
from dltrain.config.schema import DataSpec, TrainSpec
from dltrain.data.sizes import GIVEN, TEST, train_samples
from dltrain.errors import KeyPath


def look_around(tree: Node, layers: Sequence[KeyPath]) -> Around:
    """Return what a config says of its steps, its optimizer and its output.

    Args:
        tree: the config as written.
        layers: the paths of its layers, repeats expanded.
    """
    name, settings = _object(_plain(tree, ("train", "optimizer")))
    entry = find("optimizer", name) if name is not None else None
    kind = entry.name if entry is not None else "Adam"
    epochs = _plain(tree, ("train", "epochs"))
    last = nearest(tree, layers[-1]).plain() if layers else None
    _, arguments = _object(last)
    return Around(
        dataset=_object(_plain(tree, ("data", "dataset")))[0] or "",
        steps=_steps(tree),
        epochs=epochs if isinstance(epochs, int) and not isinstance(epochs, bool) and epochs > 0 else None,
        optimizer=kind,
        settings=known(entry, settings) if entry is not None else {},
        rate=_rate(settings, kind),
        outputs=arguments["units"] if isinstance(arguments.get("units"), int) else None,
        squashed=any(folded(word) in ("softmax", "sigmoid") for word in _words(last)),
    )


def _plain(tree: Node, path: KeyPath) -> Any:
    node = locate(tree, path)
    return node.plain() if node is not None else None


def _object(value: Any) -> tuple[str | None, Mapping[str, Any]]:
    """Return the name and arguments of an object; no name where it is not written as one."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, dict) and len(value) == 1:
        ((name, arguments),) = value.items()
        return name, arguments if isinstance(arguments, dict) else {}
    return None, {}


def _words(value: Any) -> Iterator[str]:
    """Yield the name of an object and the strings among its arguments, in whatever form they are written."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        yield from (word for item in value.values() for word in _words(item))
    elif isinstance(value, list):
        yield from (word for item in value for word in _words(item))


def _rate(settings: Mapping[str, Any], kind: str) -> float:
    """Return the learning rate as written, that of a schedule at its start, or the optimizer's default."""
    rates = [settings.get(key) for key in ("learning_rate", "lr")]
    for rate in rates:
        _, schedule = _object(rate)
        for value in (rate, *(schedule.get(key) for key in ("initial_learning_rate", "max_lr", "lr", "initial_lr"))):
            if (found := number(value)) is not None and math.isfinite(found) and found > 0:
                return found
    entry = find("optimizer", kind)
    default = (
        entry.arguments["learning_rate"].default if entry is not None and "learning_rate" in entry.arguments else None
    )
    return float(default) if isinstance(default, int | float) else 0.001


def _steps(tree: Node) -> int | None:
    """Return the optimizer steps in an epoch; None where a part that decides them is not valid."""
    facts = known_facts(tree)
    validation = _or_default(tree, ("data", "validation"), DataSpec.model_fields["validation"].default)
    limit = _plain(tree, ("data", "limit", "train"))
    batch = _or_default(tree, ("train", "batch_size"), TrainSpec.model_fields["batch_size"].default)
    test = _plain(tree, ("data", "test"))
    if facts is None or not (validation in (TEST, GIVEN) or (number(validation) is not None and 0 <= validation < 1)):
        return None
    if test is not None and not (number(test) is not None and 0 < test < 1):
        return None
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        return None
    samples = max(1, train_samples(facts.train, limit, validation, test, facts.gap))
    if batch == "full":
        return 1
    whole = isinstance(batch, int) and not isinstance(batch, bool) and batch > 0
    return math.ceil(samples / batch) if whole else None


def _or_default(tree: Node, path: KeyPath, default: Any) -> Any:
    return default if locate(tree, path) is None else _plain(tree, path)
