"""The data set of a config: what is known of it before it is read, and what its files and splits contradict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dltrain.config.catalogue import datasets, entries
from dltrain.config.catalogue.objects import check_object
from dltrain.config.document.source import Node, locate, place_of
from dltrain.config.schema import KerasObject
from dltrain.data.facts import TASKS, Facts, Task
from dltrain.data.sizes import GIVEN, train_samples
from dltrain.errors import Fix, KeyPath, Problem, Severity

_DATASET: KeyPath = ("data", "dataset")


def known_facts(tree: Node) -> Facts | None:
    """Return what is known of the data set of a config; None where it is not valid, or the task is not known."""
    dataset = _dataset(tree)
    if dataset is None:
        return None
    return datasets.facts(dataset.name, dataset.arguments, task_of(tree, dataset.name))


def task_of(tree: Node, name: str) -> Task | None:
    """Return the task that `data.task` says, or the loss of a data set without one; None for the data set's own.

    Losses that take classes alone say that labels are classes; of others, nothing is guessed.
    """
    written = _plain(tree, ("data", "task"))
    if written in TASKS:
        return cast(Task, written)
    loss = _object(_plain(tree, ("train", "loss")))
    if datasets.has_task(name) or loss is None:
        return None
    entry = entries.find("loss", loss.name)
    if entry is None:
        return None
    of_classes = entries.trait("loss", entry.name, "integer_labels") or entries.trait("loss", entry.name, "categorical")
    return "classification" if of_classes else None


def check_data(tree: Node) -> Iterator[Problem]:
    """Yield the problems of the data set's arguments with each other, with its files, and with the splits."""
    dataset = _dataset(tree)
    if dataset is None:
        return

    def wrong(path: KeyPath, message: str, fix: Fix | str, severity: Severity = "error") -> Problem:
        return Problem("data", message, path, place_of(tree, path), fix, severity)

    task = task_of(tree, dataset.name)
    found = list(datasets.contradictions(dataset.name, dataset.arguments, task))
    for problem in found:
        path = (*_DATASET, dataset.name, problem.argument)
        where = place_of(tree, path)
        node = locate(tree, path)
        where = node.key or where if node is not None else where
        code = "contradiction" if problem.severity == "error" else "files"
        yield Problem(code, problem.message, path, where, problem.hint, problem.severity)
    if any(problem.severity == "error" for problem in found):
        return
    if task is None and not datasets.has_task(dataset.name):
        message = f"`{dataset.name}` does not say what its targets are"
        if _plain(tree, ("data", "task")) in (None, "auto"):  # another word is told as such
            fix = Fix("choose", TASKS, datasets.likely_tasks(dataset.name, dataset.arguments))
            yield wrong(("data", "task"), message, fix)
        return
    facts = datasets.facts(dataset.name, dataset.arguments, task)
    if facts is None:
        return
    if task not in (None, facts.task):
        what = "classes" if facts.targets == "classes" else "numbers"
        hint = f"remove `task`: it is a {facts.task}"
        yield wrong(("data", "task"), f"the targets of `{dataset.name}` are {what}, so `{task}` cannot be told", hint)
    yield from _check_splits(tree, facts)


def _check_splits(tree: Node, facts: Facts) -> Iterator[Problem]:
    validation, test = _plain(tree, ("data", "validation")), _plain(tree, ("data", "test"))

    def wrong(key: str, message: str, hint: str, severity: Severity = "error") -> Problem:
        path = ("data", key)
        return Problem("splits", message, path, place_of(tree, path), hint, severity)

    if facts.test and test is not None:
        message = f"`{facts.name}` has a test split of its own, of {facts.test:,} samples"
        yield wrong("test", message, "remove `test`")
    if not facts.test and test is None:
        yield wrong("test", f"`{facts.name}` has no test split", "hold samples out: write `test: 0.2` under `data`")
    shares = validation if isinstance(validation, str | int | float) else 0.1, test if facts.test == 0 else None
    if facts.gap and _fit(*shares) and train_samples(facts.train, None, *shares, facts.gap) < 1:
        message = (
            f"no sample is left for the training: of {facts.train:,}, {facts.gap:,} before each share reach into it"
        )
        yield wrong("validation" if shares[0] else "test", message, "hold less out, or take shorter windows")
    if validation == GIVEN and not facts.validation:
        message = f"`{facts.name}` has no validation split of its own"
        yield wrong("validation", message, "write the share of the training split to hold out: `validation: 0.1`")
    if validation != GIVEN and facts.validation:
        message = f"the validation split of `{facts.name}`, of {facts.validation:,} samples, is not used"
        yield wrong("validation", message, f"write `validation: {GIVEN}`", "warning")
    if validation == "test":
        message = "the test split decides which epoch is the best, so its figures flatter the model"
        yield wrong("validation", message, "hold samples out instead: `validation: 0.1`", "warning")


def _fit(validation: Any, test: Any) -> bool:
    """Return whether shares are such, or none."""
    return all(
        share is None or isinstance(share, str) or (isinstance(share, int | float) and 0 <= share < 1)
        for share in (validation, test)
    )


def _dataset(tree: Node) -> KerasObject | None:
    """Return the data set of a config; None where it has a problem."""
    node = locate(tree, _DATASET)
    if node is None or any(True for _ in check_object("dataset", node, ())):
        return None
    return _object(node.plain())


def _object(value: Any) -> KerasObject | None:
    if isinstance(value, str):
        return KerasObject.model_construct(name=value, arguments={})
    if isinstance(value, dict) and len(value) == 1:
        ((name, arguments),) = value.items()
        if arguments is None or isinstance(arguments, dict):
            return KerasObject.model_construct(name=name, arguments=arguments or {})
    return None


def _plain(tree: Node, path: KeyPath) -> Any:
    node = locate(tree, path)
    return node.plain() if node is not None else None
