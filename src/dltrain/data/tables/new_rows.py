"""New rows for a trained model: the columns that it was trained on, prepared as then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.data.arrays import Split
from dltrain.data.learnt.scaling import scaled
from dltrain.data.samples import Samples, Trained
from dltrain.data.tables.dataset import Reader
from dltrain.data.tables.preparing import CategoryColumn, Features, NumberColumn
from dltrain.data.tables.roles import Roles, columns_of
from dltrain.data.tables.splits import NOT_TRAINED, cells, scales_of, targets
from dltrain.data.tables.table import Numbers, Table, Texts, Wrong

_MOST_TOLD = 6
_AS_TRAINED = "save the columns as those of the training"
_IN_PLACE = "columns are counted from 0 as in the training: save all of them, that of the target empty"


def samples(reader: Reader, path: Path, arguments: Mapping[str, Any], like: Trained) -> Samples:
    """Read the rows of a file that has the features of the training, and perhaps its targets.

    Raises DataError if a column is missing, a cell is none that the training could have had, or a value is missing
    that nothing stands for.
    """
    features = Features.from_json((like.learnt or {}).get("table"))
    try:
        table, labelled = _table(reader, path, arguments, features, like)
        words = {c.name: c.names for c in table.columns.values() if isinstance(c, Texts)}
        names = [column.name for column in features.columns]
        _check_values(table, features)
        x = features.samples(cells(table, names, words), words)
        y = targets(table, _listed(arguments["target"]), like.facts, NOT_TRAINED) if labelled else None
    except Wrong as wrong:
        raise wrong.as_error() from None
    scales = scales_of(like.learnt or {})
    y = scaled(y, scales) if y is not None and like.facts.task == "regression" else y
    notes = [
        f"{path} has values of `{column.name}` that training did not have: {_told(strange)}; "
        f"it had {_told([name or 'an empty one' for name in column.categories])}"
        for column, strange in features.unknown(words)
    ]
    return Samples(str(path), Split(x, y), labelled or like.facts.task == "reconstruction", notes=tuple(notes))


def _table(
    reader: Reader, path: Path, arguments: Mapping[str, Any], features: Features, like: Trained
) -> tuple[Table, bool]:
    """Read the columns of the features, and those of the targets where all rows have them."""
    try:
        there = reader.names(path)
    except Wrong as wrong:
        hint = "write the file as that of the training: the same header, delimiter and encoding"
        raise Wrong(wrong.argument, str(wrong), hint if wrong.argument != "path" else wrong.hint) from None
    needed = [column.name for column in features.columns]
    known = set(there)
    lacking = [name for name in needed if name not in known]
    if lacking:
        has = ", ".join(f"`{name[:60]}`" for name in there[:12]) + (", …" if len(there) > 12 else "")
        hint = _IN_PLACE if arguments.get("header") is False else _AS_TRAINED
        raise Wrong("path", f"{path} has no column {_told([f'`{name}`' for name in lacking])}: it has {has}", hint)
    target = _listed(arguments["target"])
    labelled = bool(target) and set(target) <= set(there)
    categorical = frozenset(column.name for column in features.columns if isinstance(column, CategoryColumn))
    for wanted in [tuple(target), ()] if labelled else [()]:
        roles = Roles(tuple(needed), categorical, wanted, None, None, None, None, {})
        task = like.facts.task if wanted else "reconstruction"
        table = reader.fill(path, columns_of(roles, task, reader.decimal, reader.missing), there)
        if not len(table):
            raise Wrong("path", f"{path} has no rows", "save at least one")
        if not any(table.columns[name].count_missing for name in wanted):
            table.check(hint=_AS_TRAINED)
            return table, bool(wanted)
    return table, False


def _check_values(table: Table, features: Features) -> None:
    """Raise Wrong if values are missing that nothing stands for."""
    for column in features.columns:
        found = table.columns[column.name]
        lacks = isinstance(column, NumberColumn) and column.fill is None
        if isinstance(found, Numbers) and lacks and found.count_missing:
            rows = [table.place(int(row)) for row in np.flatnonzero(np.isnan(np.frombuffer(found.values)))[:_MOST_TOLD]]
            message = f"{table.file} lacks values of `{column.name}` in {', '.join(rows)}; the training lacked none"
            raise Wrong("path", message, "fill them, or train with `missing: mean`")


def _listed(target: Any) -> list[str]:
    return [] if target is None else [str(name) for name in target] if isinstance(target, list) else [str(target)]


def _told(names: Sequence[str]) -> str:
    return ", ".join(name[:60] for name in names[:_MOST_TOLD]) + (", …" if len(names) > _MOST_TOLD else "")
