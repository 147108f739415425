"""A series in a file -> what is known of it before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from dltrain.data.facts import Facts, Task
from dltrain.data.numpy_files import npy
from dltrain.data.numpy_files.npy import Member
from dltrain.data.series.counting import count_windows, steps_of
from dltrain.data.series.form import Form, Roles, form_of, has_labels, roles_of
from dltrain.data.tables.csv_file import GLANCE, CsvReader
from dltrain.data.tables.dataset import classes_in, names_given
from dltrain.data.tables.table import MOST_TIMES, Column, Numbers, Table, Texts, Wrong, listed, raise_all
from dltrain.data.tables.times import moment, times_of
from dltrain.errors import DataError

SPLITS = {"train": "path", "validation": "path_val", "test": "path_test"}

_MOST_COUNTED = 2**28  # bytes of a file whose lines are counted before training
_PART = 2**24
_MOST_TOLD = 5
_MOST_DATES = 20


@dataclass(slots=True)
class Found:
    """What was found in the files of a series.

    Args:
        form: of a window.
        roles: of the columns.
        names: all columns.
        files: of each split, the columns of a table, whole or only its first rows, or an array.
        whole: whether tables are whole.
        facts: None without a task, and where the files are too large to count their rows.
        notes: what a person should know of the files.
    """

    form: Form
    roles: Roles
    names: list[str]
    files: dict[str, Table | Member]
    whole: bool
    facts: Facts | None
    notes: list[tuple[str, str]]


def is_array(path: Path) -> bool:
    """Return whether a file has an array, by its name."""
    return path.suffix.lower() in (".npy", ".npz")


def look(arguments: Mapping[str, Any], task: Task | None, *, whole: bool = False) -> Found:
    """Look at the files: read those that are small, or all of them, else their first rows.

    Raises Wrong at the argument at fault.
    """
    form = form_of(arguments, task)
    paths = {split: Path(arguments[key]) for split, key in SPLITS.items() if arguments[key] is not None}
    names = names_of(paths["train"], arguments)
    roles = roles_of(arguments, names, task, form)
    if arguments["missing"] == "interpolate" and form.shift < 1 and set(roles.target) & set(roles.features):
        message = f"with `shift: {form.shift}`, what is between two values would tell of those to be predicted"
        raise Wrong("missing", message, "write `missing: ffill`")
    reader = CsvReader(arguments)
    complete = whole or all(is_array(path) or reader.small(path) for path in paths.values())
    found = Found(form, roles, names, {}, complete, None, [])
    wrongs: list[Wrong] = []
    for split, path in paths.items():
        try:
            file = found.files[split] = opened(path, arguments, roles, task, names, None if complete else GLANCE)
            if isinstance(file, Table):
                check_table(file, roles, arguments["date_format"], task)
                found.notes += [(SPLITS[split], note) for note in notes_on(file, roles, arguments)]
        except Wrong as wrong:
            wrongs += wrong.of_file(SPLITS[split])
    raise_all([*wrongs, *(_missing(arguments, found) if complete else ())])
    found.facts = _facts(arguments, task, found, paths, reading=whole) if task is not None else None
    return found


def names_of(path: Path, arguments: Mapping[str, Any]) -> list[str]:
    """Return the columns of a file; those of an array are counted from 0. Raises Wrong."""
    if not is_array(path):
        return CsvReader(arguments).names(path)
    member = _member(path)
    for key in ("time", "group"):
        if arguments[key] is not None:
            raise Wrong(key, f"{member.file} is an array of numbers, without a column `{key}`", "save a CSV file")
    return [str(place) for place in range(member.shape[1] if len(member.shape) == 2 else 1)]


def _member(path: Path) -> Member:
    """Return the array of a file. Raises Wrong if there is none, or it is no series."""
    try:
        found = npy.members(path)
    except DataError as error:
        raise Wrong("path", error.message, error.hint or "") from None
    member = next(iter(found.values()))
    if len(found) > 1:
        shown = ", ".join(f"`{name}`" for name in list(found)[:8])
        raise Wrong("path", f"{path} has several arrays: {shown}", "save the series alone, as an .npy file")
    if len(member.shape) not in (1, 2) or member.kind not in "fiub":
        what = {"U": "strings", "S": "strings", "M": "dates"}.get(member.kind, f"the shape {member.shape}")
        raise Wrong("path", f"{member.file} has {what}", "a series is numbers of the shape (steps, columns)")
    if 0 in member.shape:
        raise Wrong("path", f"{member.file} is empty: its shape is {member.shape}", "save at least one step")
    return member


def opened(
    path: Path, arguments: Mapping[str, Any], roles: Roles, task: Task | None, names: list[str], most: int | None = None
) -> Table | Member:
    """Return the columns of a file that are used, or its array. Raises Wrong."""
    there = names_of(path, arguments)
    used = [*roles.features, *roles.target, *(name for name in (roles.time, roles.group) if name is not None)]
    if is_array(path):
        if len(there) < len(names):
            raise Wrong("path", f"{path} has {len(there)} columns, not {len(names)}", "save the same columns")
        return _member(path)
    known = set(there)
    if lacking := [name for name in dict.fromkeys(used) if name not in known]:
        shown, has = (", ".join(f"`{name[:60]}`" for name in some[:8]) for some in (lacking, there))
        raise Wrong("path", f"{path} has no column {shown}: it has {has}", "all files have the same columns")
    reader = CsvReader(arguments)
    columns: dict[str, Column] = {}
    for name in used:
        label = has_labels(arguments, task) and name in roles.target
        if name == roles.time:
            columns[name] = Texts(name, reader.missing, most=MOST_TIMES)
        elif label or name == roles.group:
            columns[name] = Texts(name, reader.missing)
        else:
            columns[name] = Numbers(name, reader.decimal, reader.missing)
    table = reader.fill(path, columns, there, most)
    if not len(table):
        raise Wrong("path", f"{path} has no rows", "save at least one step")
    if len(there) == 1:
        _check_blank_lines(table)
    return table


def _check_blank_lines(table: Table) -> None:
    """Raise Wrong where a file of a single column has blank lines, which may be steps without a value."""
    blank = [row for row in range(1, len(table)) if table.lines[row] != table.lines[row - 1] + 1]
    if blank:
        message = f"{table.file} has blank lines, first before {table.place(blank[0])}: nothing, or missing values?"
        raise Wrong("path", message, "remove them, or write a word such as NA there and `na_values: [NA]`")


def check_table(table: Table, roles: Roles, date_format: str | None, task: Task | None) -> None:
    """Raise Wrong with all that is wrong in rows, cells, times and groups."""
    faults = _faults(table, roles.target if task == "sequence" else ())
    raise_all([*faults, *_disorder(table, roles, date_format)])


def _faults(table: Table, labels: Sequence[str]) -> Iterator[Wrong]:
    """Yield what is wrong with rows and cells; a column of texts is no category here, but may have `labels`."""
    bad = [column.name for column in table.columns.values() if isinstance(column, Numbers) and column.count_bad]
    hint = f"leave such columns out, `drop: {listed(bad)}`, or say what they are: `time`, `group`"
    argument = "target" if bad and tuple(labels) == tuple(bad) else "path"
    hint = "with labels in it, name all of them: `classes: [a, b]`" if argument == "target" else hint
    for wrong in table.faults():
        of_texts = any(key in wrong.hint for key in ("categorical", "drop"))
        yield Wrong(argument, wrong.message, hint) if of_texts else wrong


def _disorder(table: Table, roles: Roles, date_format: str | None) -> Iterator[Wrong]:
    """Yield where rows lack their time or group, and where the times of a series do not rise."""
    for key, name in (("time", roles.time), ("group", roles.group)):
        column = table.columns[name] if name is not None else None
        if isinstance(column, Texts) and (count := column.count_missing):
            places = table.places(column.missing_rows(), count)
            message = f"`{name}` is empty in {count:,} row{'s' * (count > 1)} of {table.file}: {places}"
            yield Wrong(key, message, "each step has its own")
    found: dict[bool, list[tuple[str, int, int]]] = {True: [], False: []}  # whether equal -> group, row before it, row
    for group, before, row, (was, now) in _pairs(table, roles, date_format):
        if now <= was:
            found[now == was].append((group, before, row))
    time = table.columns[roles.time] if roles.time is not None else None
    for equal, steps in found.items() if isinstance(time, Texts) else ():
        if not steps:
            continue
        group, before, row = steps[0]
        earlier, later = (time.names[time.codes[place]] for place in (before, row))  # type: ignore[union-attr]
        name = f"`{roles.time}`" + (f" of `{group}`" if roles.group is not None else "")
        places = f"{table.places((row for _, _, row in steps), len(steps))} of {table.file}"
        again, back = (
            f"is {later} again in {places}, after {table.place(before)}",
            f"goes back in {places}: {later} after {earlier}",
        )
        hint = "keep one row for each time" if equal else "sort the rows by time"
        hint += "" if roles.group else "; several series need a `group` column"
        yield Wrong("time", f"{name} {again if equal else back}", hint)


def _pairs(table: Table, roles: Roles, date_format: str | None) -> Iterator[tuple[str, int, int, tuple[float, float]]]:
    """Yield each step but the first of a series: its group, the row before it, its own, and the times of both."""
    column = table.columns[roles.time] if roles.time is not None else None
    if not isinstance(column, Texts):
        return
    groups = table.columns[roles.group] if roles.group is not None else None
    codes = groups.codes if isinstance(groups, Texts) else None
    words = groups.names if isinstance(groups, Texts) else [""]
    latest: dict[int, tuple[int, float]] = {}
    for row, time in enumerate(times_of(table, column, date_format)):
        code = codes[row] if codes is not None else 0
        if code in latest:
            before, was = latest[code]
            yield words[code], before, row, (was, time)
        latest[code] = (row, time)


def notes_on(table: Table, roles: Roles, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a person should know of a table: rows left out, and times that jump."""
    if table.skipped:
        yield table.skipped
    for name in roles.features if roles.time is None else ():
        column = table.columns[name]
        if isinstance(column, Numbers) and _are_dates(column.values[:_MOST_DATES]):
            yield f"`{name}` has numbers such as {column.values[0]:.0f}, which look like dates: `time: {name}`"
    steps = [(after - was, row) for _, _, row, (was, after) in _pairs(table, roles, arguments["date_format"])]
    if not steps:
        return
    first = next(iter(table.columns[roles.time or ""].words))  # type: ignore[union-attr]
    if arguments["date_format"] is None and moment(first, "%Y%m%d") is not None and len(first) == 8:
        yield f"`{roles.time}` has numbers such as {first}; where these are dates, write `date_format: '%Y%m%d'`"
        return
    usual = sorted(length for length, _ in steps)[len(steps) // 2]
    jumps = [(length, row) for length, row in steps if length > 1.75 * usual]  # February and March differ by a tenth
    if jumps:
        lacking = sum(round(min(length / usual, 1e15)) - 1 for length, _ in jumps)
        places = ", ".join(table.place(row) for _, row in jumps[:_MOST_TOLD]) + (", …" * (len(jumps) > _MOST_TOLD))
        yield (
            f"`{roles.time}` jumps {len(jumps):,} times in {table.file}, before {places}: about {lacking:,} steps are "
            "not there, and the rows around them count as neighbours; add rows with empty cells to mark them as missing"
        )


def _are_dates(values: Sequence[float]) -> bool:
    """Return whether numbers look like dates that rise: 20240131, 20240201."""
    dates = all(value.is_integer() and moment(f"{value:.0f}", "%Y%m%d") is not None for value in values)
    return dates and all(1e7 <= was < value < 1e8 for was, value in pairwise(values))


def _missing(arguments: Mapping[str, Any], found: Found) -> Iterator[Wrong]:
    """Yield where values of tables are missing, and nothing says what becomes of them."""
    told: list[str] = []
    tables = [file for file in found.files.values() if isinstance(file, Table)]
    for table in tables if arguments["missing"] == "fail" else ():
        for name, column in table.columns.items():
            if (count := column.count_missing) and name not in (found.roles.time, found.roles.group):
                file = f"{Path(table.file).name} ({table.places(column.missing_rows(), count)})"
                told.append(f"`{name}` in {count:,} of {len(table):,} steps of {file}")
    if told:
        yield Wrong("missing", f"values are missing: {', '.join(told[:12])}", HINT)


HINT = "repeat the last value with `missing: ffill`, or leave such windows out: `missing: drop`"


def check_length(file: Table | Member, roles: Roles, form: Form) -> None:
    """Raise Wrong if no series of a file has a window."""
    steps = steps_of(file, roles)
    if not any(map(form.count, steps)):
        longest = max(steps)
        what = "a window with its targets" if form.horizon else "a window"
        name = file.file if isinstance(file, Table) else str(file.path)
        message = f"{name} has {longest:,} steps{' at most in a series' if len(steps) > 1 else ''}, and {what} takes "
        fits = longest - (form.span - form.last - 1)
        most = (fits - 1) // form.rate + 1
        hint = f"lower `sequence_length` to {most:,} or less" if most >= 1 else "lower `horizon` or `shift`"
        raise Wrong("sequence_length", f"{message}{form.span:,}", hint)


def _facts(
    arguments: Mapping[str, Any], task: Task, found: Found, paths: Mapping[str, Path], *, reading: bool
) -> Facts | None:
    counts: dict[str, int] = {}
    for split, file in found.files.items():
        if found.whole:
            try:
                check_length(file, found.roles, found.form)
                counts[split] = count_windows(file, found.roles, found.form, None if reading else arguments["missing"])
            except Wrong as wrong:
                raise Wrong(SPLITS[split] if split != "train" else wrong.argument, str(wrong), wrong.hint) from None
        else:
            lines = _lines(paths[split])
            if lines is None:
                return None
            counts[split] = max(1, found.form.count(lines - arguments["header"]))
    names: tuple[str, ...] | None = ()
    if has_labels(arguments, task):
        train = found.files["train"]
        given = arguments["classes"]
        names = names_given(given) if given is not None else None
        if isinstance(train, Table) and found.whole:
            names = classes_in(given, train, found.roles.target[0])
    elif arguments["classes"] is not None:
        raise Wrong("classes", f"the targets of a {task} are no classes", "remove `classes`")
    series = len(steps_of(found.files["train"], found.roles)) if found.whole else 1
    return facts_of(found.form, found.roles, task, names, counts, series)


def facts_of(
    form: Form, roles: Roles, task: Task, names: tuple[str, ...] | None, counts: Mapping[str, int], series: int
) -> Facts:
    """Return the facts of windows, of which each split has so many, over so many series."""
    shape, columns = (form.length, len(roles.features)), len(roles.target)
    targets: dict[str, tuple[int, ...]] = {
        "classification": (),
        "reconstruction": shape,
        "sequence": (form.horizon, columns) if names == () else (form.length,),
    }
    units = ("",) * (form.horizon * columns) if task == "regression" else ()
    steps = range(form.horizon)
    named = [name if form.horizon == 1 else f"{name}[{step}]" for step in steps for name in roles.target]
    return Facts(
        name="series",
        task=task,
        shape=shape,
        class_names=names,
        units=units,
        target_names=tuple(named) if task == "regression" else (),
        train=counts.get("train", 0),
        test=counts.get("test", 0),
        unit_range=False,
        validation=counts.get("validation", 0),
        target_shape=targets.get(task, (form.horizon * columns,)),
        gap=(form.span - 1) // form.stride * series if roles.time is not None or roles.group is None else 0,
    )


def _lines(path: Path) -> int | None:
    """Return how many lines a file has, nearly; None if it is too large to count them, or cannot be read."""
    try:
        if path.stat().st_size > _MOST_COUNTED:
            return None
        with path.open("rb") as file:
            return sum(part.count(b"\n") for part in iter(lambda: file.read(_PART), b""))
    except OSError:
        return None
