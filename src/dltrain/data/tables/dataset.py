"""A table in a file -> what is known of it before training, and its splits."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dltrain.data.facts import Facts, Task, natural
from dltrain.data.tables.csv_file import GLANCE
from dltrain.data.tables.roles import Roles, columns_of, roles_of
from dltrain.data.tables.table import Column, Numbers, Table, Texts, Wrong, listed, nearly_unique, raise_all
from dltrain.data.tables.times import times_of

_MOST_CLASSES = 10_000
_MOST_TOLD = 12
SPLITS = {"train": "path", "validation": "path_val", "test": "path_test"}
_LEAVE_OUT = "leave such rows out: `missing: drop`"
_FILL = f"fill numbers with `missing: mean` or `median`, or {_LEAVE_OUT}"


class Reader(Protocol):
    """Reads one kind of file."""

    decimal: str
    missing: frozenset[str]

    def names(self, path: Path) -> list[str]:
        """Return the names of the columns. Raises Wrong."""

    def fill(self, path: Path, columns: Mapping[str, Column], names: list[str], most: int | None = None) -> Table:
        """Read cells into columns, of the first `most` rows or of all. Raises Wrong."""

    def parts(self, path: Path, columns: Mapping[str, Column], names: list[str], rows: int) -> Iterator[Table]:
        """Read cells into columns, and yield them whenever they have some rows, forgetting these. Raises Wrong."""

    def small(self, path: Path) -> bool:
        """Return whether a file is small enough to be read while a config is checked."""


@dataclass(slots=True)
class Found:
    """What was found in the files of a table.

    Args:
        roles: what the columns are for.
        tables: of each split, whole or only their first rows.
        whole: whether the tables are whole.
        facts: None where the tables are not whole, or without a task.
    """

    roles: Roles
    tables: dict[str, Table]
    whole: bool
    facts: Facts | None


def look(reader: Reader, name: str, arguments: Mapping[str, Any], task: Task | None, *, whole: bool = False) -> Found:
    """Look at the files: read those that are small, or all of them, else their first rows.

    Raises Wrong at the arguments at fault, with all that is wrong.
    """
    paths = {split: Path(arguments[key]) for split, key in SPLITS.items() if arguments.get(key) is not None}
    names = reader.names(paths["train"])
    roles = roles_of(arguments, names, task)
    complete = whole or all(reader.small(path) for path in paths.values())
    tables: dict[str, Table] = {}
    wrongs: list[Wrong] = []
    for split, path in paths.items():
        columns = columns_of(roles, task, reader.decimal, reader.missing)
        try:
            there = names if split == "train" else reader.names(path)
            check_columns(columns, there, path)
            tables[split] = reader.fill(path, columns, there, None if complete else GLANCE)
            tables[split].check({*roles.target, roles.sample_weight})
            if complete and not len(tables[split]):
                raise Wrong("path", tables[split].skipped or f"{path} has no rows", "save at least one")
        except Wrong as wrong:
            wrongs += wrong.of_file(SPLITS[split])
    wrongs += missing_in(arguments, roles, tables) if complete else ()
    wrongs += misuse(tables["train"], roles, arguments["date_format"]) if "train" in tables else ()
    raise_all(wrongs)
    if complete:
        check_labels(arguments, task, roles, tables)
    facts = _facts(name, arguments, task, roles, tables) if complete and task is not None else None
    return Found(roles, tables, complete, facts)


def check_columns(columns: Iterable[str], names: list[str], path: Path) -> None:
    """Raise Wrong if a file does not have all columns."""
    there = set(names)
    lacking = [name for name in columns if name not in there]
    if lacking:
        shown = ", ".join(f"`{name}`" for name in lacking[:8])
        raise Wrong("path", f"{path} has no column {shown}", "all files of a data set have the same columns")


def missing_in(arguments: Mapping[str, Any], roles: Roles, tables: Mapping[str, Table]) -> Iterator[Wrong]:
    """Yield where values are missing, and nothing says what becomes of them."""
    if arguments["missing"] != "fail":
        return
    always = {*roles.target, roles.sample_weight, roles.time, roles.group, arguments.get("image")}
    told: list[str] = []
    fillable = False
    for table in tables.values():
        for name, column in table.columns.items():
            if count := column.count_missing:
                where = f" ({table.places(column.missing_rows(), count)})" if len(told) < _MOST_TOLD else ""
                told.append(f"`{name}` in {count:,} of {len(table):,} rows of {Path(table.file).name}{where}")
                fillable |= name not in always
    if told:
        more = f" and {len(told) - _MOST_TOLD} more columns" if len(told) > _MOST_TOLD else ""
        hint = _FILL if fillable else _LEAVE_OUT
        yield Wrong("missing", f"values are missing: {', '.join(told[:_MOST_TOLD])}{more}", hint)


def needed(roles: Roles, rule: str) -> list[str]:
    """Return the columns without whose value a row is left out: all, or those for which nothing can stand."""
    if rule == "drop":
        return roles.used
    always = (*roles.target, roles.sample_weight, roles.time, roles.group) if rule != "fail" else ()
    return [name for name in always if name is not None]


def check_labels(arguments: Mapping[str, Any], task: Task | None, roles: Roles, tables: Mapping[str, Table]) -> None:
    """Raise Wrong where validation or test have labels that training has not."""
    if task != "classification" or len(roles.target) != 1:
        return  # `targets_of` tells what is wrong with that
    known = frozenset(classes_in(arguments.get("classes"), tables["train"], roles.target[0]) or ())
    for split, table in tables.items():
        if strange := unknown_labels(table, roles.target[0], known):
            message = f"{table.file} has labels that training never has: {strange}"
            raise Wrong(SPLITS[split], message, "name all classes with `classes`, or leave these rows out")


def unknown_labels(table: Table, target: str, known: Collection[str]) -> str:
    """Return the labels of a column that are not known, and where they are; empty if all are."""
    column = table.columns[target]
    strange = [word for word in column.words if word and word not in known] if isinstance(column, Texts) else []
    if not strange or not isinstance(column, Texts):
        return ""
    codes = {column.words[word] for word in strange}
    rows = [row for row, code in enumerate(column.codes) if code in codes]
    shown = ", ".join(f"`{word[:40]}`" for word in strange[:_MOST_TOLD]) + ", …" * (len(strange) > _MOST_TOLD)
    return f"{shown}, in {table.places(rows, len(rows))}"


def misuse(table: Table, roles: Roles, date_format: str | None) -> Iterator[Wrong]:
    """Yield which weights are below 0, and which times are none."""
    weight = table.columns.get(roles.sample_weight or "")
    rows = [row for row, value in enumerate(weight.values) if value < 0] if isinstance(weight, Numbers) else []
    if rows and isinstance(weight, Numbers):
        message = (
            f"`{roles.sample_weight}` is {weight.values[rows[0]]:g} in {table.places(rows, len(rows))} of {table.file}"
        )
        yield Wrong("sample_weight", message, "weights are numbers from 0 on")
    time = table.columns.get(roles.time or "")
    try:
        deque(times_of(table, time, date_format) if isinstance(time, Texts) else (), maxlen=0)
    except Wrong as wrong:
        yield wrong


def _facts(name: str, arguments: Mapping[str, Any], task: Task, roles: Roles, tables: Mapping[str, Table]) -> Facts:
    """Return what whole tables say. How many categories the training split has, all rows tell nearly."""
    labels, shape = targets_of(arguments, task, roles, tables["train"])
    always = needed(roles, arguments["missing"])
    left_out = lacking_rows(tables["train"], always)
    width = sum(_width(tables["train"].columns[feature], arguments, left_out) for feature in roles.features)
    rows = {split: kept_rows(table, always) for split, table in tables.items()}
    return Facts(
        name=name,
        task=task,
        shape=(width,),
        class_names=labels,
        units=("",) * len(roles.target) if task == "regression" else (),
        target_names=roles.target if task == "regression" else (),
        train=rows["train"],
        test=rows.get("test", 0),
        unit_range=False,
        validation=rows.get("validation", 0),
        target_shape=(width,) if task == "reconstruction" else shape,
        whole=set(roles.features) == roles.categorical and arguments["category_encoding"] == "ordinal",
    )


def _width(column: Column, arguments: Mapping[str, Any], left_out: Collection[int]) -> int:
    """Return how many numbers of a sample a column makes, of rows that are not left out."""
    if isinstance(column, Numbers) or arguments["category_encoding"] == "ordinal":
        return 1
    codes = (code for row, code in enumerate(column.codes) if row not in left_out) if left_out else column.codes
    counts, least = Counter(codes), arguments["min_frequency"]
    kept = sum(count >= least for count in counts.values())
    return max(1, kept + (kept < len(counts)))


def kept_rows(table: Table, needed: Iterable[str]) -> int:
    """Return how many rows have a value in all columns that are needed."""
    return len(table) - len(lacking_rows(table, needed))


def lacking_rows(table: Table, needed: Iterable[str]) -> set[int]:
    """Return the rows without a value in one of the columns that are needed."""
    lacking: set[int] = set()
    for name in needed:
        column = table.columns[name]
        if isinstance(column, Numbers) and column.count_missing:
            lacking.update(row for row, value in enumerate(column.values) if value != value)
        elif isinstance(column, Texts) and column.count_missing:
            lacking.update(row for row, code in enumerate(column.codes) if code == column.words[""])
    return lacking


def targets_of(
    arguments: Mapping[str, Any], task: Task, roles: Roles, table: Table
) -> tuple[tuple[str, ...] | None, tuple[int, ...]]:
    """Return the names of classes or labels, and the shape of a target. Raises Wrong if the task does not fit them."""
    given = arguments.get("classes")
    count = len(roles.target)
    if given is not None and task != "classification":
        raise Wrong("classes", f"the targets of a {task} are no classes", "remove `classes`")
    if task == "classification":
        if count != 1:
            hint = "with a column of 0 and 1 for each label, write `task: multi_label`"
            raise Wrong("target", f"a classification has one column of labels, not {count}", hint)
        return classes_in(given, table, roles.target[0]), ()
    if task == "multi_label":
        _check_flags(table, roles.target)
        return roles.target, (count,)
    if task in ("sequence", "array"):
        hint = "write `task: regression` for numbers, or `classification` for labels"
        raise Wrong("target", f"a row of a table has no targets for a {task}", hint)
    return (), (count,)


def names_given(given: Iterable[object]) -> tuple[str, ...]:
    """Return the names of classes as a config has them. Raises Wrong unless there are two different ones or more."""
    names = tuple(map(str, given))
    if len(set(names)) < len(names) or len(names) < 2:
        raise Wrong("classes", "`classes` needs at least two different names")
    return names


def classes_in(given: Any, table: Table, target: str) -> tuple[str, ...] | None:
    """Return the names of classes: those given, or the different labels of a column. Raises Wrong."""
    column = table.columns[target]
    if not isinstance(column, Texts):
        return None
    found = [name for name in column.words if name]
    if given is None:
        names = tuple(sorted(found, key=natural))
        if len(names) > _MOST_CLASSES:
            hint = "with numbers as targets, write `task: regression`"
            raise Wrong("target", f"`{target}` has {len(names):,} different values, more than {_MOST_CLASSES:,}", hint)
        if len(names) < 2:
            message = f"`{target}` has a single value, `{names[0] if names else ''}`: there is nothing to tell apart"
            raise Wrong("target", message, "name another column as the target")
        return names
    names = names_given(given)
    if strange := [name for name in found if name not in names]:
        message = f"`{target}` has labels that are no class: {', '.join(strange[:6])}; there are {', '.join(names[:6])}"
        raise Wrong("classes", message, "name all classes in order")
    return names


def _check_flags(table: Table, target: tuple[str, ...]) -> None:
    for name in target:
        column = table.columns[name]
        for row, value in enumerate(column.values if isinstance(column, Numbers) else ()):
            if value not in (0, 1) and value == value:
                message = f"`{name}` has {value:g} in {table.place(row)}; each label has a column of 0 and 1"
                raise Wrong("target", message, "with numbers as targets, write `task: regression`")


def warnings(found: Found) -> Iterator[tuple[str, str, str]]:
    """Yield what is probably a mistake: the argument, a message and a hint."""
    table = found.tables["train"]
    index = [name for name in found.roles.features if name.startswith("Unnamed: ")]
    if index:
        message = f"the column `{index[0]}` has no name; it is likely an index, which says nothing of new samples"
        yield "path", message, f"leave it out: `drop: {listed(index)}`"
    unique = [
        name
        for name in found.roles.categorical
        if isinstance(column := table.columns[name], Texts) and nearly_unique(len(column.words), len(table))
    ]
    if unique and found.roles.features != tuple(unique):
        name = min(unique, key=found.roles.features.index)
        message = f"`{name}` has nearly as many different values as rows, so it says nothing of new samples"
        yield "categorical", message, f"leave it out of `categorical`: `drop: {listed(sorted(unique))}`"
    zeros = [c for c in table.columns.values() if isinstance(c, Numbers) and c.zeros and c.name in found.roles.features]
    if zeros:
        message = (
            f"`{zeros[0].name}` has numbers with zeros before them, such as {zeros[0].zeros}: a code, not a quantity"
        )
        yield "path", message, f"as a category: `categorical: {listed(column.name for column in zeros)}`"
    for split, table in found.tables.items():
        if table.skipped:
            yield SPLITS[split], table.skipped, ""
