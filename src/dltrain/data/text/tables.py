"""A table with a column of texts: its targets are those of any table, its samples the tokens of the texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.data.facts import Facts, Task
from dltrain.data.tables.csv_file import GLANCE
from dltrain.data.tables.dataset import (
    SPLITS,
    Reader,
    check_columns,
    check_labels,
    kept_rows,
    missing_in,
    misuse,
    targets_of,
)
from dltrain.data.tables.roles import Roles, columns_of, roles_of
from dltrain.data.tables.table import Table, Wrong, raise_all
from dltrain.data.text.tokens import Tokenizer, Tokens, Words

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.text.form import Form

_OURS = {"features": "text", "categorical": "text", "drop": "text", "scale": "text"}


@dataclass(slots=True)
class Found:
    """What was found in the files.

    Args:
        text: the column with the texts.
        roles: what the columns are for.
        tables: of each split, without the texts.
        tokens: the texts of each split; empty where they were not read.
        whole: whether the files were read whole, or only their first rows.
    """

    text: str
    roles: Roles
    tables: dict[str, Table]
    tokens: dict[str, Tokens]
    whole: bool


def look(reader: Reader, arguments: Mapping[str, Any], task: Task | None, tokenizer: Tokenizer | None = None) -> Found:
    """Look at the files: read the columns beside the texts where all are small; with a tokenizer, all there is.

    Raises Wrong at the argument at fault.
    """
    paths = {split: Path(arguments[key]) for split, key in SPLITS.items() if arguments.get(key) is not None}
    names = reader.names(paths["train"])
    text, roles = _roles(arguments, names, task)
    whole = tokenizer is not None or all(reader.small(path) for path in paths.values())
    found, words = Found(text, roles, {}, {}, whole), Words()
    wrongs: list[Wrong] = []
    for split, path in paths.items():
        columns = columns_of(roles, task, reader.decimal, reader.missing)
        del columns[text]
        tokens = {text: Tokens(tokenizer, words)} if tokenizer is not None else {}
        try:
            there = names if split == "train" else reader.names(path)
            check_columns((text, *columns), there, path)
            table = reader.fill(path, {**columns, **tokens}, there, None if whole else GLANCE)  # type: ignore[dict-item]
            table.columns = columns
            table.check({*roles.target, roles.sample_weight})
            if whole and not len(table):
                raise Wrong("path", table.skipped or f"{path} has no rows", "save at least one")
        except Wrong as wrong:
            wrongs += wrong.of_file(SPLITS[split])
            continue
        found.tables[split] = table
        if tokens:
            found.tokens[split] = tokens[text]
    wrongs += missing_in(arguments, roles, found.tables) if whole else ()
    wrongs += misuse(found.tables["train"], roles, arguments["date_format"]) if "train" in found.tables else ()
    raise_all(wrongs)
    if whole:
        check_labels(arguments, task, roles, found.tables)
    return found


def _roles(arguments: Mapping[str, Any], names: list[str], task: Task | None) -> tuple[str, Roles]:
    if arguments["text"] is None:
        there = ", ".join(f"`{name[:60]}`" for name in names[:12])
        raise Wrong("text", f"which column has the texts? There are {there}", f"write `text: {names[0]}`")
    text = str(arguments["text"])
    try:
        return text, roles_of({**arguments, "features": [text], "categorical": [text]}, names, task)
    except Wrong as wrong:
        if wrong.argument in _OURS and text == str(arguments["target"]):
            raise Wrong("target", f"`{text}` has the texts, so it is not to be told", "name another column") from None
        raise Wrong(_OURS.get(wrong.argument, wrong.argument), str(wrong), wrong.hint) from None


def facts(found: Found, name: str, arguments: Mapping[str, Any], task: Task, form: Form) -> Facts | None:
    """Return what whole tables say; None where they have to be read first. Raises Wrong if the task does not fit."""
    if not found.whole:
        return None
    labels, shape = targets_of(arguments, task, found.roles, found.tables["train"])
    rows = {
        split: kept_rows(table, table.columns if arguments["missing"] == "drop" else ())
        for split, table in found.tables.items()
    }
    return texts_facts(name, task, form, labels, found.roles.target, shape, rows)


def texts_facts(
    name: str,
    task: Task,
    form: Form,
    labels: tuple[str, ...] | None,
    target: tuple[str, ...],
    target_shape: tuple[int, ...],
    samples: Mapping[str, int],
) -> Facts:
    """Return the facts of texts in a form, with the targets of a task."""
    return Facts(
        name=name,
        task=task,
        shape=form.shape,
        class_names=labels,
        units=("",) * len(target) if task == "regression" else (),
        train=samples["train"],
        test=samples.get("test", 0),
        unit_range=form.output_mode == "multi_hot",
        validation=samples.get("validation", 0),
        target_shape=form.shape if task == "reconstruction" else target_shape,
        whole=form.whole,
        lowest=0.0,
        highest={"int": form.max_tokens - 1.0, "multi_hot": 1.0}.get(form.output_mode),
    )


def warnings(found: Found) -> Iterator[tuple[str, str]]:
    """Yield what is probably a mistake: the argument and a message."""
    for split, table in found.tables.items():
        if table.skipped:
            yield SPLITS[split], table.skipped


def read(
    reader: Reader, name: str, arguments: Mapping[str, Any], task: Task | None, tokenizer: Tokenizer, form: Form
) -> RawDataset:
    """Read the tables whole. Raises DataError if they are damaged, or cells are not what their columns are for."""
    from dltrain.data.tables.splits import division, lacking
    from dltrain.data.text.preparing import Texts, empty_told
    from dltrain.data.text.ragged import Ragged

    try:
        if task is None:
            raise Wrong("target", f"`{name}` does not say what its targets are", "write `task` under `data`")
        found = look(reader, arguments, task, tokenizer)
        known = facts(found, name, arguments, task, form)
        splits, notes = {}, [message for _, message in warnings(found)]
        for split, table in found.tables.items():
            texts = Ragged.of(found.tokens[split])
            splits[split] = _split(texts, table, found.roles, known, arguments)  # type: ignore[arg-type]
            notes += empty_told(texts, table.file, table.place)
            lost = len(texts) - len(splits[split])
            if lost:
                notes.append(f"{lost:,} of {len(texts):,} rows of {table.file} lack a value and are left out")
        by = division(found.tables["train"], found.roles, arguments)
        by = (
            by.take((~lacking(found.tables["train"], found.tables["train"].columns)).nonzero()[0])
            if arguments["missing"] == "drop"
            else by
        )
        if not len(splits["train"]):
            raise Wrong("path", f"{found.tables['train'].file} has no row with a target", "look at the file")
        words = found.tokens["train"].words.names
        return Texts(known, form, words, splits, by, tuple(notes), arguments["target_scale"]).raw()  # type: ignore[arg-type]
    except Wrong as wrong:
        raise wrong.as_error() from None


def _split(texts: Any, table: Table, roles: Roles, known: Facts, arguments: Mapping[str, Any]) -> Split:
    from dltrain.data.arrays import Split
    from dltrain.data.tables.splits import lacking, targets, weights

    split = Split(texts, targets(table, roles.target, known), weights(table, roles))
    return split.take((~lacking(table, table.columns)).nonzero()[0]) if arguments["missing"] == "drop" else split
