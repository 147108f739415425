"""Whole tables -> the splits of a data set, with what is to be learnt from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dltrain.data.arrays import Division, Prepared, RawDataset, Split
from dltrain.data.facts import Facts, Scale, Task
from dltrain.data.tables.dataset import Reader, look, needed, targets_of, unknown_labels
from dltrain.data.tables.preparing import Features, Rules, learn_features, learn_targets, prepared
from dltrain.data.tables.roles import Roles
from dltrain.data.tables.table import Numbers, Table, Texts, Wrong
from dltrain.data.tables.times import times_of
from dltrain.errors import DataError

_MOST_TOLD = 6
NOT_TRAINED = "the model was trained without them: leave these rows out, or all labels"
_UNKNOWN = "name all classes with `classes`, or leave these rows out"


def read(reader: Reader, name: str, arguments: Mapping[str, Any], task: Task | None) -> RawDataset:
    """Read the tables whole. Raises DataError if they are damaged, or cells are not what their columns are for."""
    try:
        found = look(reader, name, arguments, task, whole=True)
        if task is None:
            raise Wrong("target", f"`{name}` does not say what its targets are", "write `task` under `data`")
        labels, shape = targets_of(arguments, task, found.roles, found.tables["train"])
        names = found.roles.target if task == "regression" else ()
        known = Facts(name, task, (len(found.roles.features),), labels, ("",) * len(names), 0, 0, False)
        known = replace(known, target_shape=shape, target_names=names)
        return _raw_dataset(found.tables, found.roles, arguments, known)
    except Wrong as wrong:
        raise wrong.as_error() from None


def _raw_dataset(tables: Mapping[str, Table], roles: Roles, arguments: Mapping[str, Any], known: Facts) -> RawDataset:
    """Return the splits of whole tables. Raises Wrong if their cells are not what the columns are for."""
    words = _words(tables, roles)
    always = needed(roles, arguments["missing"])
    kept = {split: ~lacking(table, always) for split, table in tables.items()}
    splits = {
        split: _split(table, roles, known, words).take(np.flatnonzero(kept[split])) for split, table in tables.items()
    }
    train = splits["train"]
    if not len(train):
        message = f"{tables['train'].file} has no row with a value of all of {', '.join(always[:_MOST_TOLD])}"
        hint = "fill features: `missing: mean`" if arguments["missing"] == "drop" else "look at the file"
        raise Wrong("path", message, hint)
    counts = {split: len(splits.get(split, ())) for split in ("train", "test", "validation")}
    known = replace(known, **counts)  # type: ignore[arg-type]
    what = "target" if set(always) <= set(roles.target) else "value"
    notes: list[str] = [table.skipped for table in tables.values() if table.skipped]
    notes += [
        f"{np.count_nonzero(~rows):,} of {len(rows):,} rows of {tables[split].file} lack a {what} and are left out"
        for split, rows in kept.items()
        if not rows.all()
    ]

    def learn(training: Split, learnt: Mapping[str, Any] | None) -> Prepared:
        return _prepared(known, roles, words, arguments, training, learnt, tables["train"].width)

    return RawDataset(
        known,
        1.0,
        train,
        splits.get("test", train.take(np.empty(0, np.int64))),
        splits.get("validation"),
        notes=tuple(notes),
        division=division(tables["train"], roles, arguments).take(np.flatnonzero(kept["train"])),
        learn=learn,
    )


def _prepared(
    known: Facts,
    roles: Roles,
    words: Mapping[str, Sequence[str]],
    arguments: Mapping[str, Any],
    training: Split,
    learnt: Mapping[str, Any] | None,
    places: int | None,
) -> Prepared:
    if learnt is not None:
        features, notes = Features.from_json(learnt.get("table")), list[str]()
        targets = scales_of(learnt)
    else:
        rules = Rules(
            roles.scales,
            arguments["missing"],
            arguments["category_encoding"],
            arguments["min_frequency"],
            arguments["target_scale"],
        )
        features, notes = learn_features(np.asarray(training.x), roles.features, words, rules)
        features = replace(features, places=places)
        scaling = known.task == "regression"
        targets = learn_targets(np.asarray(training.y), arguments["target_scale"]) if scaling else ()
    return prepared(known, features, words, targets, notes, training)


def scales_of(learnt: Mapping[str, Any]) -> tuple[Scale, ...]:
    """Return the scales of targets that a run has learnt. Raises DataError if they are damaged."""
    try:
        return tuple(Scale.from_json(scale) for scale in learnt["target"])
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"what the run has learnt of its targets is damaged: {error}", "train it anew") from None


def _words(tables: Mapping[str, Table], roles: Roles) -> dict[str, list[str]]:
    """Return the texts of each column of categories in all files, those of the training file first."""
    found: dict[str, list[str]] = {}
    for name in roles.features:
        if name in roles.categorical:
            columns = [table.columns[name] for table in tables.values()]
            found[name] = list(dict.fromkeys(word for column in columns for word in column.words))  # type: ignore[union-attr]
    return found


def cells(table: Table, names: Sequence[str], words: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Return the cells of some columns, float64 of shape (rows, columns); a text by its place in `words`."""
    found = np.empty((len(table), len(names)))
    for place, name in enumerate(names):
        column = table.columns[name]
        if isinstance(column, Numbers):
            found[:, place] = np.frombuffer(column.values)
        else:
            places = {word: code for code, word in enumerate(words[name])}
            codes = np.array([places[word] for word in column.words], np.int64)
            found[:, place] = codes[np.frombuffer(column.codes, np.intc)]
    return found


def _split(table: Table, roles: Roles, known: Facts, words: Mapping[str, Sequence[str]]) -> Split:
    return Split(cells(table, roles.features, words), targets(table, roles.target, known), weights(table, roles))


def weights(table: Table, roles: Roles) -> np.ndarray | None:
    """Return what each sample counts in the loss, float32; None where no column says so. Raises Wrong below 0."""
    if roles.sample_weight is None:
        return None
    weight = np.frombuffer(table.columns[roles.sample_weight].values).astype(np.float32)  # type: ignore[union-attr]
    if len(weight) and (weight < 0).any():
        row = int(np.flatnonzero(weight < 0)[0])
        message = f"`{roles.sample_weight}` is {weight[row]:g} in {table.place(row)} of {table.file}"
        raise Wrong("sample_weight", message, "weights are numbers from 0 on")
    return weight


def targets(table: Table, names: Sequence[str], known: Facts, unknown: str = _UNKNOWN) -> np.ndarray | None:
    """Return the targets of a table: int64 indices of classes, or numbers, float64 of shape (rows, targets).

    Raises Wrong if there are labels that training did not have, with the hint `unknown`.
    """
    if known.task == "reconstruction":
        return None
    column = table.columns[names[0]]
    if not isinstance(column, Texts):
        numbers = cells(table, names, {})
        return numbers.astype(np.float32) if known.task == "multi_label" else numbers
    places = {name: place for place, name in enumerate(known.labels)}
    if strange := unknown_labels(table, names[0], places):
        there = ", ".join(known.labels[:_MOST_TOLD]) + (", …" if len(known.labels) > _MOST_TOLD else "")
        message = f"{table.file} has labels that are no class of the training: {strange}; there are {there}"
        raise Wrong("path", message, unknown)
    codes = np.array([places.get(word, -1) for word in column.words], np.int64)
    return codes[np.frombuffer(column.codes, np.intc)]


def lacking(table: Table, needed: Iterable[str]) -> np.ndarray:
    """Return whether each row lacks a value in one of the columns, bool of shape (rows,)."""
    found = np.zeros(len(table), bool)
    for name in needed:
        column = table.columns[name]
        if column.count_missing and isinstance(column, Numbers):
            found |= np.isnan(np.frombuffer(column.values))
        elif column.count_missing and isinstance(column, Texts):
            found |= np.frombuffer(column.codes, np.intc) == column.words[""]
    return found


def division(table: Table, roles: Roles, arguments: Mapping[str, Any]) -> Division:
    """Return how shares are held out, as the columns of a table say. Raises Wrong if times are none."""

    def codes(name: str | None) -> np.ndarray | None:
        return np.frombuffer(table.columns[name].codes, np.intc) if name is not None else None  # type: ignore[union-attr]

    if roles.time is None:
        return Division(codes(roles.stratify), codes(roles.group))
    column = table.columns[roles.time]
    return Division(times=np.array(list(times_of(table, column, arguments["date_format"]))))  # type: ignore[arg-type]
