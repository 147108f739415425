"""The mend of a loss or metric that Keras calls otherwise, held against the output and the labels before it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dltrain.config.catalogue.elsewhere import OPEN, written
from dltrain.config.catalogue.entries import find
from dltrain.config.catalogue.labels import LOSS_KIN, usual_losses
from dltrain.config.catalogue.objects import check_object
from dltrain.config.checks.draft import make_draft
from dltrain.config.checks.outline import make_outline
from dltrain.config.checks.sense import check_sense
from dltrain.config.document.reader import ReadError, read
from dltrain.config.document.source import Node, locate
from dltrain.data.facts import Facts, Targets
from dltrain.errors import Fix, KeyPath, Problem

Item = Any  # an object as a config has it: `Name`, or `{Name: {arguments}}`
_LOSS: KeyPath = ("train", "loss")
_METRICS: KeyPath = ("train", "metrics")
_ROUNDS = 4  # mends of a mend that are followed
_MOST_FITTED = 20


def fitted(
    tree: Node, layers: Sequence[KeyPath], found: Sequence[Problem], facts: Facts | None = None
) -> list[Problem]:
    """Return the problems; mends of losses and metrics fit the model's output and the labels, or say why none does.

    Args:
        tree: the config as written.
        layers: the paths of its layers, repeats expanded.
        found: the problems of its keys and values.
        facts: those of its data set, where it was read already.
    """
    numbers = [number for number, problem in enumerate(found) if _place(problem) is not None][:_MOST_FITTED]
    if not numbers:
        return list(found)
    trial = _Trial(tree, layers, found, facts)
    fits = {number: _fit(trial, found[number]) for number in numbers if _place(found[number]) == _LOSS}
    for mended in fits.values():  # metrics are for the loss that is meant
        item = _meant(tree, _LOSS, mended)
        if item is not None and not any(True for _ in check_object("loss", _node(item, tree), _LOSS)):
            rest = [problem for problem in found if problem.path[:2] != _LOSS]
            trial = _Trial(_replaced(tree, _LOSS, item), layers, rest, facts)
    fits |= {number: _fit(trial, found[number]) for number in numbers if number not in fits}
    return [fits.get(number, problem) for number, problem in enumerate(found)]


def _place(problem: Problem) -> KeyPath | None:
    """Return where the loss or metric stands whose name is mended; None for another problem."""
    if problem.code not in ("unknown-name", "object-form"):
        return None
    if problem.path[:2] == _LOSS and len(problem.path) <= 3:
        return _LOSS
    return problem.path[:3] if problem.path[:2] == _METRICS and 3 <= len(problem.path) <= 4 else None


class _Trial:
    """The config with other objects in the place of some."""

    def __init__(self, tree: Node, layers: Sequence[KeyPath], found: Sequence[Problem], facts: Facts | None) -> None:
        self.tree, self.layers, self.found = tree, layers, found
        draft = make_draft(tree, layers, found, facts)
        self.facts = draft.data  # known, so that files are not looked at again
        self.outline = make_outline(draft)
        self.targets: Targets = draft.data.targets if draft.data is not None else "classes"
        self.before = {(problem.path, problem.message) for problem in check_sense(draft, self.outline)}

    def caused(self, items: Mapping[KeyPath, Item]) -> list[Problem]:
        """Return the problems that the config has with these objects, and not without them; errors first."""
        tree = self.tree
        for path, item in items.items():
            tree = _replaced(tree, path, item)
        rest = [problem for problem in self.found if not any(problem.path[: len(path)] == path for path in items)]
        draft = make_draft(tree, self.layers, rest, self.facts)
        new = [p for p in check_sense(draft, self.outline) if (p.path, p.message) not in self.before]
        return sorted((p for p in new if p.path[:1] == ("model",) or p.path[:2] in (_LOSS, _METRICS)), key=_severity)


def _severity(problem: Problem) -> str:
    return problem.severity


def _replaced(node: Node, path: KeyPath, item: Item) -> Node:
    if not path:
        return _node(item, node)
    first, rest = path[0], path[1:]
    if isinstance(node.value, dict):
        child = node.value.get(str(first), node)
        return replace(node, value={**node.value, str(first): _replaced(child, rest, item)})
    children = list(node.value)
    children[int(first)] = _replaced(children[int(first)], rest, item)
    return replace(node, value=children)


def _node(value: Any, at: Node) -> Node:
    if isinstance(value, dict):
        value = {key: _node(child, at) for key, child in value.items()}
    elif isinstance(value, list):
        value = [_node(child, at) for child in value]
    return Node(value, at.where, at.key)


def _fit(trial: _Trial, problem: Problem) -> Problem:
    path = _place(problem)
    item = _meant(trial.tree, path, problem) if path is not None else None
    if item is None or path is None:
        return problem
    section = "loss" if path == _LOSS else "metric"
    if any(True for _ in check_object(section, _node(item, trial.tree), path)):
        return problem  # its arguments are told first
    node = locate(trial.tree, path)
    if problem.code == "object-form" and node is not None and _split(item)[0] in str(node.plain()):
        return problem  # what is written is meant, in another form
    return _fit_loss(trial, problem, item) if path == _LOSS else _fit_metric(trial, problem, item)


def _meant(tree: Node, path: KeyPath, problem: Problem) -> Item | None:
    """Return the object that a mend writes in the place of an unknown one; None where it writes none."""
    fix = problem.fix
    if isinstance(fix, Fix) and fix.kind == "rename":
        node = locate(tree, path)
        plain = node.plain() if node is not None else None
        given = next(iter(plain.values())) if isinstance(plain, dict) and len(plain) == 1 else None
        return {str(fix.target[0]): given} if isinstance(given, dict) and given else str(fix.target[0])
    if isinstance(fix, Fix):
        return _parsed(str(fix.target[0])) if fix.kind == "write" and len(fix.target) == 1 else None
    found = re.search(r"(?:^|: )write `([^`]+)`", fix)
    return _parsed(found[1]) if found is not None else None


def _parsed(text: str) -> Item | None:
    """Return an object from its text on one line; None for another text."""
    if OPEN in text:
        return None
    try:
        item = read("mend", f"item: {{{text}}}" if re.match(r"\w+: ", text) else f"item: {text}").value["item"].plain()
    except ReadError:
        return None
    return item if isinstance(item, str) or (isinstance(item, dict) and len(item) == 1) else None


def _split(item: Item) -> tuple[str, dict[str, Any]]:
    name, given = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    return name, dict(given or {})


def _fit_loss(trial: _Trial, problem: Problem, item: Item) -> Problem:
    caused = trial.caused({_LOSS: item})
    if not caused:
        return problem
    for other in _kin(item):
        if not trial.caused({_LOSS: other}):
            why = f"{caused[0].message}: " if caused[0].severity == "warning" else ""
            words = f"{why}write `{written(other)}`{_around(problem)[1]}"
            return replace(problem, fix=Fix("write", (written(other),), words))
    usual = next((loss for loss in map(_parsed, usual_losses(trial.targets)) if not trial.caused({_LOSS: loss})), None)
    if usual is None or (caused[0].severity == "warning" and trial.targets == "numbers"):
        return problem
    words = f"{_why(item, caused[0])}; write `{written(usual)}`"
    return replace(problem, fix=Fix("write", (written(usual),), words))


def _why(item: Item, problem: Problem) -> str:
    """Return the message of a problem, and which object causes it."""
    if f"`{_split(item)[0]}`" in problem.message:
        return problem.message
    return f"it is `{written(item)}` here, which does not fit: {problem.message}"


def _kin(item: Item) -> Iterator[Item]:
    """Yield what a loss is for other outputs: more or fewer of them, with or without their activation."""
    name, given = _split(item)
    entry = find("loss", name)
    family = next((names for names in LOSS_KIN if entry is not None and entry.name in names), ())
    for logits in (bool(given.get("from_logits")), not given.get("from_logits")):
        for other in family:
            known = find("loss", other)
            if known is None or (logits and "from_logits" not in known.arguments):
                continue
            kept = {key: value for key, value in given.items() if key in known.arguments and key != "from_logits"}
            if "label_smoothing" in given and "label_smoothing" not in kept:
                continue
            arguments = {**({"from_logits": True} if logits else {}), **kept}
            yield {other: arguments} if arguments else other


def _fit_metric(trial: _Trial, problem: Problem, item: Item) -> Problem:
    """Fit a metric as the only one: others may have problems of their own."""
    metric, loss = item, None
    caused = _caused(trial, metric, loss)
    for _ in range(_ROUNDS):
        further = _followed(caused[0], metric, loss) if caused else None
        if further is None:
            break
        metric, loss = further
        caused = _caused(trial, metric, loss)
    also = f", and `loss: {_flow(loss)}`, whose labels it takes" if loss is not None else ""
    if caused and (caused[0].severity == "error" or caused[0].code != "metric-average" or metric == item):
        return replace(problem, fix=f"{_why(metric, caused[0])}: {caused[0].hint}{also}")
    if loss is not None and not _caused(trial, metric, None):
        also = ""
    if metric == item and not also:
        return problem
    text = written(metric)
    before, after = _around(problem)
    return replace(problem, fix=Fix("write", (text,), f"{before}write `{text}`{also}{after}"))


def _caused(trial: _Trial, metric: Item, loss: Item | None) -> list[Problem]:
    items: dict[KeyPath, Any] = {_METRICS: [metric]}
    return trial.caused(items | ({_LOSS: loss} if loss is not None else {}))


def _around(problem: Problem) -> tuple[str, str]:
    """Return what a mend says before and after what to write: how near it is, and what it leaves out."""
    found = re.match(r"([^`]*?)write (?:`[^`]*`(?:, )?)+(.*)", problem.hint)
    before, after = found.groups() if found is not None else ("", "")
    after = re.sub(r"^; or, [^`]*`[^`]*`", "", after)
    return before, after if after.startswith("; ") else ""


def _flow(item: Item) -> str:
    return item if isinstance(item, str) else f"{{{written(item)}}}"


def _followed(problem: Problem, metric: Item, loss: Item | None) -> tuple[Item, Item | None] | None:
    """Return metric and loss after the mend of a problem that they cause; None where it asks for something else."""
    if problem.path[:2] != _METRICS or not problem.hint.startswith("write `"):
        return None
    before = metric, loss
    for text in re.findall(r"`([^`]+)`", problem.hint.partition(";")[0]):
        if text.startswith("loss: "):
            loss = _parsed(text.removeprefix("loss: "))
        elif (other := _of_its_kind(metric, _parsed(text))) is not None:
            metric = other
            break
    return (metric, loss) if (metric, loss) != before else None


def _of_its_kind(item: Item, other: Item | None) -> Item | None:
    """Return the other metric, with the arguments of the first, if it counts the same of other labels or outputs."""
    if other is None:
        return None
    (name, given), (new, changed) = _split(item), _split(other)
    entry, own = find("metric", new), find("metric", name)
    kind, old = (entry.name if entry is not None else new), (own.name if own is not None else name)
    accuracies = all("ccuracy" in word and "TopK" not in word for word in (kind, old))
    if not accuracies and kind.removeprefix("Sparse") != old.removeprefix("Sparse"):
        return None
    kept = {key: value for key, value in given.items() if entry is not None and key in entry.arguments}
    if kind == old and (not changed or any(given.get(key, value) != value for key, value in changed.items())):
        return None  # other arguments than were meant
    arguments = {**kept, **changed}
    return {new: arguments} if arguments else new
