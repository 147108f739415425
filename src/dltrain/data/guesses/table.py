"""A table -> the data set `csv`, `parquet`, `text`, `series` or `image_table`, and what each column is for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dltrain.data.guesses.columns import Profile
from dltrain.data.guesses.guess import Guess, Taken, plural, told
from dltrain.data.guesses.images import looks, root_of
from dltrain.data.guesses.look import Look, bad_rows_of, by_reason, counts, read, reason_to_drop
from dltrain.data.guesses.target import target_of, task_of
from dltrain.data.guesses.texts import tokens
from dltrain.errors import DataError

_WORDS_ALONE, _WORDS_OF_MANY = 2.5, 8  # words of a cell that make a column the text, alone or beside other features
_FEWEST_STEPS, _WINDOW = 50, 24  # rows of a series, and those of a window
_FILES = 50  # names of images that are looked for
_UNIT = "metrics and predictions stay in the unit of the file"


def guess_table(path: Path, target: str | None) -> Guess:
    """Read a table and say what its columns are. Raises DataError if it cannot be one of samples."""
    look, written = read(path)
    column, why = target_of(look, target)
    others = [other for other in look.columns.values() if other is not column]
    for files in others if look.source == "csv" else ():
        if (root := root_of(path, list(files.counts)[:_FILES])) is not None:
            return _of_images(look, files, root, column, why, written)
    time = _time(look, column)
    if time is not None:
        return _series(look, time, column, why, written)
    task, classes = task_of(look, column)
    reasons = {other.name: reason for other in others if (reason := reason_to_drop(look, other))}
    text = _prose(look, others, reasons) if look.source == "csv" else None
    arguments = {"target": Taken(column.name, why)}
    if text is not None:
        used = [text, column]
        unused = [other.name for other in others if other is not text]
        arguments = {"text": _text(text, unused)} | arguments | tokens(text.lengths)
    else:
        reasons = _spared(look, others, reasons)
        used = [other for other in look.columns.values() if other.name not in reasons]
        arguments |= _features(used, column, reasons)
    if task.value == "regression":
        arguments["target_scale"] = Taken("standard", _UNIT)
    arguments |= _missing(look, column, used, of_text=text is not None) | written
    if look.bad_rows:
        arguments["on_bad"] = bad_rows_of(look)
    return Guess(
        source="text" if text is not None else look.source,
        found=f"{plural(look.rows, 'row')} and {plural(len(look.columns), 'column')}",
        arguments=arguments,
        task=task,
        kind="indices" if text is not None else "vector",
        shape=(arguments["output_sequence_length"].value,) if text is not None else (),
        train=max(1, look.rows - look.lacking(column)),
        classes=classes,
        target_shape=() if classes else (1,),
        vocabulary=arguments["max_tokens"].value if text is not None else 0,
        padded=text is not None,
    )


def _of_images(look: Look, files: Profile, root: Path, target: Profile, why: str, written: dict[str, Taken]) -> Guess:
    """Return the data set `image_table` for a table whose column `files` names images in the folder `root`."""
    task, classes = task_of(look, target)
    unused = [name for name in look.columns if name not in (files.name, target.name)]
    others = f"; other columns are not used: {told(unused)}" if unused else ""
    arguments = {"image": Taken(files.name, f"names of image files{others}"), "target": Taken(target.name, why)}
    if root != look.path.parent:
        arguments = {"directory": Taken(root, "has the images; relative to this file")} | arguments
    of_images, shape = looks(root, [name for name in files.counts if name not in look.missing])
    if task.value == "regression":
        arguments["target_scale"] = Taken("standard", _UNIT)
    lacking = [column for column in (files, target) if look.lacking(column)]
    if lacking:
        arguments["missing"] = Taken("drop", f"rows are left out ({', '.join(counts(look, lacking))} are missing)")
    return Guess(
        source="image_table",
        found=f"{plural(look.rows, 'row')} and {plural(len(look.columns), 'column')}",
        arguments=arguments | of_images | written | ({"on_bad": bad_rows_of(look)} if look.bad_rows else {}),
        task=task,
        kind="images",
        shape=shape,
        train=max(1, look.rows - sum(map(look.lacking, lacking))),
        classes=classes,
        target_shape=() if classes else (1,),
    )


def _time(look: Look, target: Profile) -> Profile | None:
    """Return the column of times of a series: dates that rise, beside numbers alone; None for other tables."""
    times = [column for column in look.columns.values() if column.are_steps]
    rest = [column for column in look.columns.values() if column not in times and not reason_to_drop(look, column)]
    numbers = target.content == "number" and all(column.content == "number" for column in rest)
    return times[0] if len(times) == 1 and numbers and look.source == "csv" and look.rows >= _FEWEST_STEPS else None


def _series(look: Look, time: Profile, target: Profile, why: str, written: dict[str, Taken]) -> Guess:
    """Return the data set `series` for a table whose rows are steps in time."""
    others = [column for column in look.columns.values() if column not in (time, target)]
    reasons = {column.name: reason for column in others if (reason := reason_to_drop(look, column))}
    used = [column for column in look.columns.values() if column is not time and column.name not in reasons]
    length = min(_WINDOW, look.rows // 10)
    arguments = {
        "time": Taken(time.name, "dates that rise from row to row, beside numbers: rows are taken for steps in time"),
        "target": Taken(target.name, why),
        "sequence_length": Taken(length, "rows of a window; take so many as tell what comes"),
        "horizon": Taken(1, "rows to predict behind a window"),
    }
    if time.are_days:
        arguments["date_format"] = Taken("%Y%m%d", f"dates are written as in {next(iter(time.counts))}")
    if reasons:
        arguments["drop"] = Taken(list(reasons), by_reason(reasons))
    arguments["scale"] = Taken("standard", "learnt from the training rows; metrics stay in the unit of the file")
    missing = _missing(look, target, used, of_text=False)
    if "missing" in missing:
        lacks = ", ".join(counts(look, [column for column in used if look.lacking(column)]))
        missing["missing"] = Taken("ffill", f"the last value stands for a missing one ({lacks}); or `interpolate`")
    arguments |= missing | written
    if look.bad_rows:
        arguments["on_bad"] = bad_rows_of(look)
    alternative = "where the columns of a row tell its target, write `csv`, `drop` these dates, and end as here"
    return Guess(
        source="series",
        found=f"{plural(look.rows, 'row')} and {plural(len(look.columns), 'column')}",
        arguments=arguments,
        task=Taken("regression", f"`{target.name}` of the next row from {length} rows; {alternative}"),
        kind="steps",
        shape=(length, len(used)),
        train=look.rows - length,
        target_shape=(1,),
    )


def _prose(look: Look, others: list[Profile], reasons: Mapping[str, str]) -> Profile | None:
    """Return the column of sentences that tells more than the other columns; None if there is none."""
    prose = [column for column in others if column.name in reasons and column.content == "text"]
    longest = max(prose, key=lambda column: column.mean_length, default=None)
    if longest is None or longest.numbers > look.rows / 2:
        return None
    needed = _WORDS_ALONE if len(reasons) == len(others) else _WORDS_OF_MANY
    return longest if longest.mean_length >= needed else None


def _text(text: Profile, unused: list[str]) -> Taken:
    others = f"; other columns are not used: {told(unused)}" if unused else ""
    return Taken(text.name, f"{text.mean_length:.0f} words on average{others}")


def _spared(look: Look, others: list[Profile], reasons: dict[str, str]) -> dict[str, str]:
    """Return why columns are left out; where none would be left, those that only seem to count the rows are kept."""
    if len(reasons) < len(others):
        return reasons
    kept = {column.name for column in others if column.content == "index" and column.numbers}
    if not kept:
        why = "; ".join(dict.fromkeys(reasons.values())) or "the target is the only one"
        raise DataError(f"no column of {look.path} is left for the features: {why}", "give a table with features")
    return {name: why for name, why in reasons.items() if name not in kept}


def _features(used: list[Profile], target: Profile, reasons: Mapping[str, str]) -> dict[str, Taken]:
    """Return which columns are left out, which are categories, and how numbers are scaled."""
    categories = [column.name for column in used if column is not target and column.content in ("text", "code")]
    found: dict[str, Taken] = {}
    if reasons:
        found["drop"] = Taken(list(reasons), by_reason(reasons))
    if categories:
        why = "columns of text; add those whose numbers are only names, such as 1, 2 and 3 for places"
        found["categorical"] = Taken(categories, why)
    if len(categories) + 1 < len(used):
        why = "numbers come to a mean of 0 and a deviation of 1, learnt from the training split"
        found["scale"] = Taken("standard", why)
    return found


def _missing(look: Look, target: Profile, used: list[Profile], *, of_text: bool) -> dict[str, Taken]:
    """Return which words mean that a value is missing, and what becomes of such."""
    found: dict[str, Taken] = {}
    words = sorted(word for word in look.missing if any(word in column.counts for column in used))
    if words and look.source == "csv":
        places = told(column.name for column in used if any(word in column.counts for word in words))
        found["na_values"] = Taken(words, f"in {places}: taken for missing values")
    lacking = [column for column in used if look.lacking(column)]
    features = [column for column in lacking if column is not target and not of_text]  # an empty text is a text
    lost = f"{plural(look.lacking(target), 'row')} without a target: left out" if look.lacking(target) else ""
    if features:
        lacks = ", ".join(counts(look, features))
        why = f"the mean stands for a missing number, an empty text for a category ({lacks}); or `median`, `drop`"
        found["missing"] = Taken("mean", f"{lost}; {why}" if lost else why)
    elif lost:
        found["missing"] = Taken("drop", lost)
    return found
