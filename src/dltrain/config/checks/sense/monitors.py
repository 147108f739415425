"""Names of metrics: given once, and measured where a callback, the checkpoint or `expect` asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.names import metric_name, metric_of, metric_parts, output_labels, snake_case
from dltrain.config.checks.draft import Draft, value_of
from dltrain.config.checks.outline import Outline
from dltrain.config.document.source import nearest
from dltrain.config.document.suggest import listing, rename
from dltrain.config.schema import KerasObject, parse_bound
from dltrain.errors import Fix, KeyPath, Problem
from dltrain.names import slug, valid_metric


def check_monitors(draft: Draft, outline: Outline) -> Iterator[Problem]:
    labels = _labels(draft, outline)
    logged = _logged_names(draft, labels)
    yield from _check_metric_names(draft, labels)
    if logged is not None:
        yield from _check_monitors(draft, logged)
        yield from _check_expect(draft, logged)


def _labels(draft: Draft, outline: Outline) -> tuple[str, ...]:
    """A word for each output; where their number is not known, one for each class."""
    names = draft.data.labels if draft.data is not None else ()
    return output_labels(
        names, outline.shape[0] if outline.shape is not None and len(outline.shape) == 1 else len(names)
    )


def _logged_names(draft: Draft, labels: Sequence[str]) -> list[str] | None:
    """The columns that every epoch of a run will have, the epoch's number aside; None where that is not known."""
    if draft.metrics is None or draft.validation is None:
        return None
    measured = [metric.object for metric in draft.metrics]
    names = ["loss", *(name for each in measured for name in (metric_name(each), *metric_parts(each, labels)))]
    return [*names, *(f"val_{name}" for name in names)] if draft.validation else names


def _check_metric_names(draft: Draft, labels: Sequence[str]) -> Iterator[Problem]:
    taken: set[str] = set()
    parts = {part for metric in draft.metrics or () for part in metric_parts(metric.object, labels)}
    for metric in draft.metrics or ():
        name = metric_name(metric.object)
        if not valid_metric(name):
            path = metric.argument_path("name") if "name" in metric.object.arguments else metric.path
            plain = slug(name).replace("-", "_").removeprefix("val_").removeprefix("test_")
            hint = f"letters, digits, `_`, `.` and `-`, as in `name: {plain if valid_metric(plain) else 'my_metric'}`"
            yield draft.tell("metric-name", f"a metric cannot be named `{name}`", path, hint)
        elif name in taken:
            hint = "remove one of them" if "name" not in metric.object.arguments else "give it another `name`"
            yield draft.tell("duplicate-name", f"two metrics are named `{name}`", metric.path, hint)
        elif name in parts:
            message = f"a metric is named `{name}`, but so is one of the numbers of another"
            yield draft.tell("duplicate-name", message, metric.path, "give it another `name`")
        taken.add(name)


def _check_monitors(draft: Draft, logged: list[str]) -> Iterator[Problem]:
    monitors: list[tuple[KeyPath, str]] = []
    if draft.monitor is not None:
        monitors.append((("train", "checkpoint", "monitor"), draft.monitor))
    for callback in draft.callbacks:
        name = value_of("callback", callback.object, "monitor")
        if isinstance(name, str):
            monitors.append((callback.argument_path("monitor"), name))
    for path, name in monitors:
        if name in logged:
            continue
        hint = ""
        if name.startswith("val_") and name.removeprefix("val_") in logged:
            hint = f"nothing is held out: give `data.validation` a share, or monitor `{name.removeprefix('val_')}`"
        if name.startswith("test_") and f"val_{name.removeprefix('test_')}" in logged:
            hint = f"the test split is measured at the end alone: write `val_{name.removeprefix('test_')}`"
        yield _unknown_metric(draft, f"nothing named `{name}` is measured", name, logged, path, hint)


def _check_expect(draft: Draft, logged: list[str]) -> Iterator[Problem]:
    measured = [name for name in logged if not name.startswith("val_")]
    known = [f"test_{name}" for name in measured] + [name for name in logged if name.startswith("val_")]
    for name, bound in draft.expect.items():
        if name in known and (problem := _never_holds(draft, name, bound)) is not None:
            yield problem
        if name not in known:
            hint = f"write `test_{name}`" if f"test_{name}" in known else ""
            path = ("expect", name)
            yield _unknown_metric(draft, f"nothing named `{name}` can be expected", name, known, path, hint)


def _never_holds(draft: Draft, name: str, bound: object) -> Problem | None:
    """A share that is to be above 1, as a percentage would be."""
    try:
        operator, value = parse_bound(bound)
    except ValueError:
        return None
    metric = metric_of([placed.object for placed in draft.metrics or ()], name)
    if metric is None or not is_share(metric) or operator not in (">", ">=") or value + (operator == ">") * 1e-12 <= 1:
        return None
    path = ("expect", name)
    hint = f'write `"{operator} {value / 100:g}"`' if value <= 100 else "it is a share, from 0 to 1"
    return draft.tell("expect-bound", f"`{name}` is at most 1: {operator} {value:g} never holds", path, hint)


def is_share(metric: KerasObject) -> bool:
    """Whether a metric lies between 0 and 1."""
    return entries.follows_labels("metric", metric.name) or bool(entries.trait("metric", metric.name, "share"))


def _unknown_metric(draft: Draft, message: str, name: str, known: list[str], path: KeyPath, hint: str) -> Problem:
    node = nearest(draft.tree, path)
    where = node.key if path[0] == "expect" and node.key is not None else draft.where(path)
    fix = (
        hint
        or _by_class(draft, name, known)
        or rename(name, known)
        or Fix("choose", tuple(known), f"there will be {listing(known)}")
    )
    return Problem("unknown-metric", message, path, where, fix)


def _by_class(draft: Draft, name: str, known: list[str]) -> Fix | None:
    """Return the column of the metric that another of its words stands for: `test_mae` for `mean_absolute_error`."""
    split = next((start for start in ("test_", "val_") if name.startswith(start)), "")
    word = entries.find("metric", name.removeprefix(split))
    classes = {snake_case(kind): kind for kind in entries.names("metric")}
    kind = word.name if word is not None else classes.get(name.removeprefix(split))
    for metric in draft.metrics or ():
        own = entries.find("metric", metric.object.name)
        column = f"{split}{metric_name(metric.object)}"
        if kind is not None and own is not None and own.name == kind and column in known:
            return Fix("rename", (column,))
    return None
