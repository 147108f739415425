"""The valid parts of a config, so that cross-checks can run although other parts have errors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dltrain.config.catalogue import objects, rates
from dltrain.config.catalogue.names import layer_names
from dltrain.config.checks.data import known_facts
from dltrain.config.checks.shapes.terms import WRAPPED
from dltrain.config.document.source import Node, locate, nearest, place_of
from dltrain.config.schema import CheckpointSpec, DataSpec, KerasObject, Limit, TrainSpec
from dltrain.data.facts import Facts
from dltrain.data.sizes import GIVEN, held_out_samples, train_samples
from dltrain.errors import Fix, KeyPath, Problem, Severity, Where


@dataclass(frozen=True, slots=True)
class Placed:
    """A Keras object of the config, and its path there."""

    path: KeyPath
    object: KerasObject

    def argument_path(self, key: str) -> KeyPath:
        return (*self.path, self.object.name, key)


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a config without problems of their own; None stands for a part that has some.

    Args:
        tree: the config as written.
        data: what is known of the data set.
        layers: the layers, repeats expanded, up to the first that has a problem.
        whole: whether these are all layers.
        augment: the layers under `data.augment`.
        optimizer: with steps for what is given in epochs, as far as the steps of an epoch are known.
        steps: optimizer steps in an epoch.
        schedule: learning rates by the epochs from which they hold, in their order.
        initial_weights: where the first weights come from.
        freeze: names of layers that keep their weights; these layers are among `layers` with `trainable: false`.
        expect: the names under `expect`, with their bounds as written.
        other_samples: of the validation split, where there is one, and of the test split, as far as they are known.
    """

    tree: Node
    data: Facts | None
    augment: tuple[Placed, ...]
    layers: tuple[Placed, ...]
    whole: bool
    optimizer: Placed | None
    loss: Placed | None
    metrics: tuple[Placed, ...] | None
    callbacks: tuple[Placed, ...]
    validation: float | str | None
    batch_size: int | str | None
    epochs: int | None
    precision: str | None
    shuffle: bool | None
    schedule: Mapping[int, float]
    class_weight: Mapping[str, float] | str | None
    oversample: bool | None
    initial_weights: str | None
    freeze: tuple[str, ...]
    monitor: str | None
    mode: str | None
    expect: Mapping[str, object]
    train_samples: int | None
    other_samples: tuple[int, ...]

    @property
    def batch(self) -> int | None:
        """Samples per optimizer step."""
        if self.batch_size == "full":
            return self.train_samples
        return self.batch_size if isinstance(self.batch_size, int) else None

    @property
    def steps(self) -> int | None:
        if self.train_samples is None or self.batch is None:
            return None
        return math.ceil(self.train_samples / self.batch)

    def where(self, path: KeyPath) -> Where:
        """Return the place of a value; for an argument that is not written, its object's."""
        return place_of(self.tree, path)

    def tell(self, code: str, message: str, path: KeyPath, fix: Fix | str, severity: Severity = "error") -> Problem:
        """Return a problem at the place of `path`."""
        return Problem(code, message, path, self.where(path), fix, severity)

    def line(self, path: KeyPath) -> str:
        """Return `line 12`, for a hint that points elsewhere."""
        return f"line {self.where(path).line}"


def make_draft(tree: Node, layers: Sequence[KeyPath], found: Iterable[Problem], facts: Facts | None = None) -> Draft:
    """Return the parts of a config that none of the problems `found` concerns.

    Args:
        tree: the config as written.
        layers: the paths of its layers, repeats expanded.
        found: problems of single values.
        facts: those of its data set, where it was read already.
    """
    found = [problem for problem in found if problem.severity == "error"]
    bad = _Bad(found)

    def node(path: KeyPath) -> Node | None:
        return locate(tree, path) if not bad(path) else None

    def scalar(path: KeyPath, default: Any) -> Any:
        if bad(path):
            return None
        there = node(path)
        return default if there is None else there.plain()

    def placed(path: KeyPath) -> Placed | None:
        there = node(path)
        return _placed(path, there) if there is not None else None

    def listed(path: KeyPath) -> tuple[Placed, ...]:
        there = locate(tree, path)
        if there is None or not isinstance(there.value, list):
            return ()
        items = [_placed((*path, i), item) for i, item in enumerate(there.value) if not bad((*path, i))]
        return tuple(item for item in items if item is not None)

    dataset = placed(("data", "dataset"))
    if any(_moves_into(problem, ("data", "dataset")) for problem in found):
        dataset = None  # its shape is not the intended one
    if facts is None and dataset is not None and not bad(("data", "task")):
        facts = known_facts(tree)
    validation = scalar(("data", "validation"), DataSpec.model_fields["validation"].default)
    test = scalar(("data", "test"), None)
    limit = scalar(("data", "limit", "train"), Limit.model_fields["train"].default)
    good = [_placed(path, nearest(tree, path)) if not bad(path) else None for path in layers]
    first_bad = good.index(None) if None in good else len(good)
    train = TrainSpec.model_fields
    freeze = tuple(scalar(("train", "freeze"), None) or ())
    expect = locate(tree, ("expect",))
    draft = Draft(
        tree=tree,
        data=facts,
        augment=listed(("data", "augment")),
        layers=_frozen([item for item in good[:first_bad] if item is not None], freeze),
        whole=first_bad == len(good) and not bad(("model", "layers")) and bool(good),
        optimizer=placed(("train", "optimizer")),
        loss=placed(("train", "loss")),
        metrics=None if bad(("train", "metrics")) else listed(("train", "metrics")),
        callbacks=listed(("train", "callbacks")),
        validation=validation,
        batch_size=scalar(("train", "batch_size"), train["batch_size"].default),
        epochs=scalar(("train", "epochs"), None),
        shuffle=scalar(("train", "shuffle"), train["shuffle"].default),
        schedule=_schedule(scalar(("train", "schedule"), {})),
        class_weight=scalar(("train", "class_weight"), None),
        oversample=scalar(("train", "oversample"), False),
        initial_weights=scalar(("train", "initial_weights"), None),
        freeze=freeze,
        precision=scalar(("train", "precision"), train["precision"].default),
        monitor=scalar(("train", "checkpoint", "monitor"), CheckpointSpec.model_fields["monitor"].default),
        mode=scalar(("train", "checkpoint", "mode"), CheckpointSpec.model_fields["mode"].default),
        expect=expect.plain() if expect is not None and isinstance(expect.value, dict) else {},
        train_samples=None
        if facts is None or validation is None or scalar(("train", "oversample"), False)
        else max(1, train_samples(facts.train, limit, validation, test, facts.gap)),
        other_samples=()
        if facts is None
        else _other_samples(facts, limit, validation, test, scalar(("data", "limit", "test"), None)),
    )
    return replace(draft, optimizer=_in_steps(draft))


def _in_steps(draft: Draft) -> Placed | None:
    """Return the optimizer with steps for what is given in epochs, where the steps of an epoch are known."""
    placed = draft.optimizer
    if placed is None or draft.steps is None:
        return placed
    name = placed.object.name
    arguments = rates.in_steps("optimizer", name, placed.object.arguments, draft.steps)
    return Placed(placed.path, KerasObject.model_construct(name=name, arguments=arguments))


def _schedule(written: Mapping[str, float] | None) -> dict[int, float]:
    return {int(epoch): float(rate) for epoch, rate in sorted((written or {}).items(), key=lambda item: int(item[0]))}


def _frozen(layers: Sequence[Placed], freeze: Collection[str]) -> tuple[Placed, ...]:
    """Return the layers, those that `freeze` names as if they had `trainable: false`."""
    names = layer_names([placed.object for placed in layers]) if freeze else ()
    found = list(layers)
    for index, name in enumerate(names):
        item = layers[index].object
        if name in freeze and (entry := objects.find("layer", item.name)) and "trainable" in entry.arguments:
            arguments = {**item.arguments, "trainable": False}
            still = KerasObject.model_construct(name=item.name, arguments=arguments)
            found[index] = Placed(layers[index].path, still)
    return tuple(found)


def _other_samples(
    facts: Facts, limit: int | None, validation: float | str | None, test: float | None, tested: int | None
) -> tuple[int, ...]:
    """Return the samples of the validation split and of the test split; a split without any is left out."""
    pool = facts.train - held_out_samples(facts.train, test) - (facts.gap if test else 0)
    testing = facts.test or held_out_samples(facts.train, test)
    held_out = facts.validation if validation == GIVEN else held_out_samples(min(pool, limit or pool), validation)
    return tuple(count for count in (held_out, min(testing, tested or testing)) if count)


def _moves_into(problem: Problem, path: KeyPath) -> bool:
    """Whether the problem is a key that belongs inside the object at `path`."""
    fix = problem.fix
    return isinstance(fix, Fix) and fix.kind == "move" and fix.target[:-1][: len(path)] == path


class _Bad:
    """Whether a path is that of a problem, or leads into or out of one."""

    def __init__(self, found: Iterable[Problem]) -> None:
        self.exact = {problem.path for problem in found if problem.path}
        self.above = {path[:depth] for path in self.exact for depth in range(len(path))}

    def __call__(self, path: KeyPath) -> bool:
        if path in self.exact or path in self.above:
            return True
        return any(path[:depth] in self.exact for depth in range(1, len(path)))


def _placed(path: KeyPath, node: Node) -> Placed | None:
    value = node.value
    if isinstance(value, str):
        return Placed(path, KerasObject.model_construct(name=value, arguments={}))
    if isinstance(value, dict) and len(value) == 1:
        ((name, arguments),) = value.items()
        if arguments.value is None or isinstance(arguments.value, dict):
            return Placed(path, KerasObject.model_construct(name=name, arguments=arguments.plain() or {}))
    return None


def value_of(section: str, item: KerasObject, key: str) -> Any:
    """Return an argument's value: as written, else Keras's default."""
    if key in item.arguments:
        return item.arguments[key]
    entry = objects.find(section, item.name)
    argument = entry.arguments.get(key) if entry is not None else None
    return argument.default if argument is not None else None


def inner(placed: Placed, section: str, key: str) -> Placed | None:
    """Return the object that an argument of `placed` is, its default included; None for another value.

    Args:
        placed: an object of `section`.
        section: its section.
        key: the argument.
    """
    value = value_of(section, placed.object, key)
    if isinstance(value, str):
        return Placed(placed.argument_path(key), KerasObject.model_construct(name=value, arguments={}))
    if isinstance(value, dict) and len(value) == 1:
        ((name, arguments),) = value.items()
        return Placed(placed.argument_path(key), KerasObject.model_construct(name=name, arguments=arguments or {}))
    return None


def within(placed: Placed) -> Iterator[Placed]:
    """Yield a layer, and those that it wraps."""
    yield placed
    for key in WRAPPED:
        nested = inner(placed, "layer", key)
        if nested is not None:
            yield from within(nested)


def kind_of(section: str, placed: Placed | None) -> str | None:
    """Return the class that an object's name stands for; None where Keras resolves the name, or there is no object."""
    entry = objects.find(section, placed.object.name) if placed is not None else None
    return entry.name if entry is not None else None
