"""A table of image files with their targets, beside the folder that has the files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from dltrain.data.facts import Facts, Task
from dltrain.data.tables.dataset import Found, Reader, look
from dltrain.data.tables.roles import listed_names
from dltrain.data.tables.table import Column, Numbers, Table, Texts, Wrong, partly_labelled, raise_all

if TYPE_CHECKING:
    import numpy as np

    from dltrain.data.arrays import Prepared, RawDataset, Split
    from dltrain.data.images.decoding import Look
    from dltrain.data.samples import Samples, Trained

_MOST_TOLD = 8
_EXTENSIONS = (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".webp")


@dataclass(slots=True)
class Images:
    """What was found in the tables, and the files that they name, in the order of their first row.

    Args:
        found: the tables, with a single feature, the column of files.
        root: the folder that has the files.
        files: relative to it.
        facts: None where the tables are not whole, or without a task.
    """

    found: Found
    root: Path
    files: list[str]
    facts: Facts | None


def look_at(
    reader: Reader, arguments: Mapping[str, Any], task: Task | None, shape: tuple[int, ...], *, whole: bool = False
) -> Images:
    """Look at the tables and for the files that they name. Raises Wrong at the argument at fault."""
    column = str(arguments["image"])
    others = {"features": [column], "categorical": [column], "drop": None, "scale": None}
    rules = {"category_encoding": "ordinal", "min_frequency": 1}
    try:
        found = look(reader, "image_table", {**arguments, **others, **rules}, task, whole=whole)
    except Wrong as wrong:
        first, *more = (
            Wrong("image" if one.argument in others else one.argument, one.message, one.hint) for one in wrong.all
        )
        raise Wrong(first.argument, first.message, first.hint, more) from None
    root = Path(arguments["directory"] or Path(arguments["path"]).parent)
    if not root.is_dir():
        raise Wrong("directory", f"there is no folder {root.absolute()}", "name the folder that has the images")
    files = files_of(found.tables.values(), column, arguments["extension"])
    _check_files(root, files, arguments["extension"])
    facts = found.facts
    if facts is not None:
        targets = shape if facts.task == "reconstruction" else facts.target_shape
        facts = replace(facts, shape=shape, unit_range=True, whole=False, target_shape=targets)
    return Images(found, root, files, facts)


def files_of(tables: Any, column: str, extension: str) -> list[str]:
    """Return the different files that tables name."""
    words: dict[str, None] = {}
    for table in tables:
        cells = table.columns[column]
        words |= dict.fromkeys(f"{word}{extension}" for word in cells.words if word)
    return list(words)


def _check_files(root: Path, files: Sequence[str], extension: str) -> None:
    """Raise Wrong with all files that are not inside the folder."""
    wrongs: list[Wrong] = []
    outside = {file for file in files if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts}
    if outside:
        message = f"files are not inside {root}: {_told([file for file in files if file in outside])}"
        wrongs.append(Wrong("image", message, "name them relative to `directory`, without `..`"))
    real = root.resolve()
    inside = [file for file in files if file not in outside]
    there = {file: os.path.isfile(root / file) for file in inside}  # noqa: PTH113  of names of any length
    missing = [file for file, found in there.items() if not found]
    if missing:
        near = next((e for e in _EXTENSIONS if not extension and os.path.isfile(root / f"{missing[0]}{e}")), None)  # noqa: PTH113
        hint = f"write `extension: {near}`" if near else "name their folder: `directory: photos`"
        told = f"{len(missing):,} of {len(files):,} images are not in {root}: {_told(missing)}"
        wrongs.append(Wrong("image", told, hint))
    present = [file for file, found in there.items() if found]
    links = {folder for folder in {Path(file).parent for file in present} if _is_link(root, folder)}
    led = [file for file in present if (root / file).is_symlink() or Path(file).parent in links]
    led = [file for file in led if not (root / file).resolve().is_relative_to(real)]
    if led:
        wrongs.append(Wrong("image", f"links lead out of {root}: {_told(led)}", "copy what they name into the folder"))
    raise_all(wrongs)


def _is_link(root: Path, folder: Path) -> bool:
    """Return whether a folder, or one above it within the root, is a link."""
    return any((root / part).is_symlink() for part in (folder, *folder.parents))


def _told(files: Sequence[str]) -> str:
    shown = ", ".join(file[:80] for file in files[:_MOST_TOLD])
    return shown + (f" and {len(files) - _MOST_TOLD:,} more" if len(files) > _MOST_TOLD else "")


def read(reader: Reader, arguments: Mapping[str, Any], task: Task | None, how: Look) -> RawDataset:
    """Decode the images, or open what an earlier run has decoded; their rows are the samples.

    Raises DataError if the tables or the folder are not as they should be, or with all images that cannot be read.
    """
    from dltrain.data.images.cache import pixels

    try:
        seen = look_at(reader, arguments, task, how.shape, whole=True)
        if seen.facts is None:
            raise Wrong("target", "`image_table` does not say what its targets are", "write `task` under `data`")
        skip = arguments["on_bad"] == "skip"
        decoded = pixels(seen.root, seen.files, how, keep_bad=skip)
        told = ""
        if decoded.bad:
            shown = [f"{seen.files[place]}: {why}" for place, why in sorted(decoded.bad.items())[:_MOST_TOLD]]
            told = f"{len(decoded.bad):,} of {len(seen.files):,} images in {seen.root} cannot be read: "
            told += "; ".join(shown) + (", …" if len(decoded.bad) > _MOST_TOLD else "")
            if not skip:
                raise Wrong("image", told, "mend or remove them, or leave them out: `on_bad: skip`")
        notes = [*decoded.notes(seen.root), *([f"{told}; they are left out"] if told else [])]
        return _raw_dataset(seen, arguments, seen.facts, decoded.values, set(decoded.bad), notes)
    except Wrong as wrong:
        raise wrong.as_error() from None


def _raw_dataset(
    seen: Images,
    arguments: Mapping[str, Any],
    known: Facts,
    values: np.ndarray,
    bad: set[int],
    notes: list[str],
) -> RawDataset:
    import numpy as np

    from dltrain.data.arrays import RawDataset
    from dltrain.data.tables.splits import division

    places = {file: place for place, file in enumerate(seen.files)}
    splits: dict[str, Split] = {}
    kept_of_train = np.empty(0, np.int64)
    for name, table in seen.found.tables.items():
        codes = _codes(table, str(arguments["image"]), arguments["extension"], places)
        kept = np.flatnonzero((codes >= 0) & ~np.isin(codes, list(bad)))
        if arguments["missing"] == "drop":
            from dltrain.data.tables.splits import lacking

            kept = kept[~lacking(table, table.columns)[kept]]
        splits[name] = _split(table, seen, known, values, codes, kept)
        kept_of_train = kept if name == "train" else kept_of_train
        notes += [table.skipped] if table.skipped else []
    counts = {name: len(splits.get(name, ())) for name in ("train", "test", "validation")}
    train = splits["train"]
    if not len(train):
        raise Wrong("path", "no row of the training split has an image that can be read", "mend some of them")
    known = replace(known, **counts)  # type: ignore[arg-type]
    return RawDataset(
        known,
        1 / 255,
        train,
        splits.get("test", train.take(np.empty(0, np.int64))),
        splits.get("validation"),
        notes=tuple(notes),
        division=division(seen.found.tables["train"], seen.found.roles, arguments).take(kept_of_train),
        learn=_learner(known, arguments["target_scale"]) if known.task == "regression" else None,
    )


def _codes(table: Table, column: str, extension: str, places: Mapping[str, int]) -> np.ndarray:
    """Return the place of each row's image among the files; -1 for a row without one."""
    import numpy as np

    cells = table.columns[column]
    if not isinstance(cells, Texts):
        raise Wrong("image", f"`{column}` has no names of files", "name the column that has them")
    by_word = np.array([places[f"{word}{extension}"] if word else -1 for word in cells.words], np.int64)
    return by_word[np.frombuffer(cells.codes, np.intc)]


def _split(table: Table, seen: Images, known: Facts, values: np.ndarray, codes: np.ndarray, kept: np.ndarray) -> Split:
    import numpy as np

    from dltrain.data.arrays import Rows, Split, is_mapped
    from dltrain.data.tables.splits import targets, weights

    rows, roles = codes[kept], seen.found.roles
    x: Any = values
    if not np.array_equal(rows, np.arange(len(values))):
        x = Rows(values, rows) if is_mapped(values) else values[rows]
    y, weight = targets(table, roles.target, known), weights(table, roles)
    return Split(x, y[kept] if y is not None else None, weight[kept] if weight is not None else None)


def _learner(known: Facts, kind: str | None) -> Any:
    """Return what learns the scale of the targets from the training split."""
    import numpy as np

    from dltrain.data.arrays import Prepared, Split
    from dltrain.data.learnt.scaling import scaled
    from dltrain.data.tables.preparing import learn_targets
    from dltrain.data.tables.splits import scales_of

    def learn(training: Split, learnt: Mapping[str, Any] | None) -> Prepared:
        scales = scales_of(learnt) if learnt is not None else learn_targets(np.asarray(training.y), kind)

        def apply(split: Split) -> Split:
            return Split(split.x, scaled(np.asarray(split.y), scales), split.weight)

        return Prepared(replace(known, target_scales=scales), apply, {"target": [asdict(scale) for scale in scales]})

    return learn


def samples(reader: Reader, path: Path, arguments: Mapping[str, Any], like: Trained, how: Look) -> Samples:
    """Decode images: those that a table names, in its order, with their targets where it has them; or files.

    Files are relative to the folder that the config names, or where the table's first is not there, to that of the
    table; samples have the names that the table has. Raises DataError if the table or its files are not as they should
    be.
    """
    from dltrain.data.images import new_images

    skip = arguments["on_bad"] == "skip"
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return new_images.samples(path, how, like, skip=skip)
    try:
        table, y, notes = _new_table(reader, path, arguments, like)
        cells = table.columns[str(arguments["image"])]
        words: list[str] = cells.names  # type: ignore[union-attr]
        files = [f"{word}{arguments['extension']}" for word in words]
        root = Path(arguments["directory"] or path.parent)
        root = root if os.path.isfile(root / files[0]) else path.parent  # noqa: PTH113
        _check_files(root, files, arguments["extension"])
        codes: Sequence[int] = cells.codes  # type: ignore[union-attr]
    except Wrong as wrong:
        raise wrong.as_error() from None
    rows, names = [files[code] for code in codes], [words[code] for code in codes]
    found = new_images.decoded(str(path), root, rows, how, like, y, names, skip=skip)
    return replace(found, notes=(*found.notes, *notes))


def _new_table(
    reader: Reader, path: Path, arguments: Mapping[str, Any], like: Trained
) -> tuple[Table, np.ndarray | None, list[str]]:
    """Read the names of files, their targets where all columns of these are there and no cell is empty, and notes."""
    from dltrain.data.learnt.scaling import scaled
    from dltrain.data.tables.splits import NOT_TRAINED, targets

    image, there = str(arguments["image"]), reader.names(path)
    if image not in there:
        raise Wrong("path", f"{path} has no column `{image}`: it has {_told(there)}", "name the column as in training")
    target = [name for name in listed_names(arguments["target"]) if name in there]
    classes = like.facts.targets == "classes"
    columns: dict[str, Column] = {image: Texts(image, reader.missing)}
    if len(target) == len(listed_names(arguments["target"])):
        for name in target:
            columns[name] = Texts(name, reader.missing) if classes else Numbers(name, reader.decimal, reader.missing)
    table = reader.fill(path, columns, there)
    if table.ragged:
        table.check(hint="save the columns as those of the training")
    if not len(table) or columns[image].count_missing:
        rows = table.places(columns[image].missing_rows(), columns[image].count_missing)
        told = f"{path} has rows without a file: {rows}" if len(table) else f"{path} has no rows"
        raise Wrong("path", told, "name files")
    if len(columns) == 1 or any(columns[name].count_missing for name in target):
        return table, None, partly_labelled(str(path), listed_names(arguments["target"]), table, there, len(table))
    table.check(hint="save the columns as those of the training")
    y = targets(table, target, like.facts, NOT_TRAINED)
    y = scaled(y, like.facts.target_scales) if y is not None and like.facts.task == "regression" else y
    return table, y, []
