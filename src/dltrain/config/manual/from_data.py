"""A commented config for files of the user: what they were taken for is said beside each line."""

from __future__ import annotations

import json
import os
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

from dltrain.config import plan
from dltrain.config.document.writer import flow
from dltrain.config.manual import starter_models
from dltrain.data.guesses.guess import Guess, Taken
from dltrain.data.guesses.path import guess
from dltrain.data.sizes import held_out_samples
from dltrain.data.sources import SOURCES
from dltrain.errors import ConfigError, DataError, UsageError
from dltrain.names import slug

_WIDTH = 120
_COMMENT = 40  # the column where comments begin, if a line is short enough
_PATH = re.compile(r"(?:\.\./)+[A-Za-z][A-Za-z0-9_./-]*")
_MANY = 5_000  # samples from which a tenth is enough to be held out


def default_file(path: Path) -> Path:
    """Return the file for a config that nobody has named: that of the data in the current folder, with `.yaml`."""
    there = Path(os.path.normpath(path.absolute()))
    return Path(f"{slug(there.name if there.is_dir() else there.stem)}.yaml")


def text(path: Path, target_column: str | None, file: Path) -> str:
    """Return the config for a path, which `dltrain check` passes.

    Args:
        path: a folder of images or texts, a CSV or Parquet file, a long text, or arrays of NumPy.
        target_column: the column to predict, of a table.
        file: where the config will stand; the path in it is relative to that.

    Raises DataError if the path is none of these, or no model can be trained on it.
    """
    try:
        str(path).encode()
        str(file).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{str(path)!r} or {str(file)!r} is no text, which a config is", "rename it") from None
    found = guess(path, target_column)
    written = _written(found, path, file)
    try:
        checked = plan.check(str(file), written.encode(), ())
    except ConfigError as error:
        first = next(problem for problem in error.problems if problem.severity == "error")
        raise DataError(f"no config was written for {path}: {first.message}", first.hint) from None
    if not checked.warnings:
        return written
    doubts = [
        f"`dltrain check` warns: {problem.message} ({problem.hint})".removesuffix(" ()") for problem in checked.warnings
    ]
    return "".join(f"{line}\n" for doubt in doubts for line in _comment(doubt, "")) + written


def _written(found: Guess, path: Path, file: Path) -> str:
    quoted = shlex.quote(str(file))
    lines = [
        *_comment(f"From {_one_line(str(path))}: {found.found}.", ""),
        *_comment("What was taken for what stands beside each line; change what is not so.", ""),
        f"#   dltrain check {quoted}",
        f"#   dltrain fit {quoted}",
        *_comment("Editors complete keys after `dltrain schema > dltrain.schema.json`, with this as first line:", ""),
        "#   yaml-language-server: $schema=dltrain.schema.json",
        "",
        *_line(f"# name: {slug(file.stem)}", "name of the runs; default: this file's name", ""),
        *_line("# seed: 42", "of weights, shuffling and splits; the same seed gives the same run", ""),
        "",
        *_data(found, path, file),
        "",
        "model:",
        "  layers:",
        *_layers(found),
        "",
        *_train(found),
    ]
    return "".join(f"{line}\n" for line in lines)


def _flow(value: Any) -> str:
    """Return a value on one line, letters of all scripts as they are."""
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if not isinstance(value, str) or not value.isprintable():
        return flow(value)
    if _PATH.fullmatch(value) or flow(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _one_line(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _relative(path: Path, file: Path) -> str:
    """Return the path of the data, as the config has it."""
    found = os.path.relpath(path.absolute(), file.absolute().parent)
    return f"./{found}" if found.startswith("~") else found


def _data(found: Guess, path: Path, file: Path) -> list[str]:
    lines = ["data:", "  dataset:", f"    {found.source}:"]
    lines += _key("path", Taken(_relative(path, file), "relative to this file"), " " * 6)
    for key, taken in found.arguments.items():
        taken = Taken(_relative(taken.value, file), taken.why) if isinstance(taken.value, Path) else taken
        lines += _key(key, taken, " " * 6)
    if SOURCES[found.source].has_task:
        lines += _comment(f"task: {found.task.value}; {found.task.why}", "  ")
    else:
        lines += _key("task", found.task, "  ")
    share = 0.1 if found.train >= _MANY else 0.2
    latest = "latest " if found.source == "series" or "sequence_stride" in found.arguments else ""
    if not found.has_test:
        lines += _key("test", Taken(share, f"the {latest}share to hold out for the test"), "  ")
    why = f"the {latest}share of the rest to hold out: it shows when the model overfits"
    validation = Taken("given", "the validation split") if found.has_validation else Taken(share, why)
    return lines + _key("validation", validation, "  ")


def _layers(found: Guess) -> list[str]:
    lines: list[str] = []
    for taken in starter_models.layers(found):
        if taken.value is None:
            lines += _comment(taken.why, "    ")
        else:
            lines += _line(f"- {_item(taken.value)}", taken.why, "    ")
    return lines


def _item(value: Any) -> str:
    """Return an item of a list, an object of Keras without its outer braces."""
    if isinstance(value, dict):
        ((name, arguments),) = value.items()
        return f"{name}: {flow(arguments)}"
    return flow(value)


def _train(found: Guess) -> list[str]:
    loss, why, metrics = starter_models.training(found)
    rest = found.train
    for held in (not found.has_test, not found.has_validation):
        rest -= held_out_samples(rest, 0.1 if found.train >= _MANY else 0.2) if held else 0
    batch = next((size for size in (32, 16, 8, 4, 2) if rest >= 10 * size), min(2, max(1, rest)))
    rate = "if the loss jumps or becomes NaN: ten times smaller"
    patience = "ends training after so many epochs without a lower `val_loss`"
    return [
        "train:",
        *_line("optimizer: {Adam: {learning_rate: 1e-3}}", rate, "  "),
        *_line(f"loss: {loss}", why, "  "),
        *_line(f"metrics: {flow(metrics)}", "", "  "),
        *_line(f"batch_size: {batch}", "samples of a step", "  "),
        *_line(f"epochs: {30 if found.kind == 'vector' else 15}", "more while `val_loss` still falls", "  "),
        "  callbacks:",
        *_line("- EarlyStopping: {monitor: val_loss, patience: 5}", patience, "    "),
    ]


def _key(key: str, taken: Taken, indent: str) -> list[str]:
    """Return the lines of a key; a long list stands below it, an item a line."""
    whole = f"{key}: {_flow(taken.value)}"
    if isinstance(taken.value, list) and len(indent) + len(whole) > _WIDTH - 20:
        return [*_line(f"{key}:", taken.why, indent), *(f"{indent}  - {_flow(item)}" for item in taken.value)]
    return _line(whole, taken.why, indent)


def _line(content: str, comment: str, indent: str) -> list[str]:
    """Return a line with its comment beside it, or above it where that is too long."""
    line = f"{indent}{content}"
    if not comment:
        return [line]
    beside = f"{line:<{_COMMENT}}  # {comment}"
    return [beside] if len(beside) <= _WIDTH else [*_comment(comment, indent), line]


def _comment(words: str, indent: str) -> list[str]:
    start = f"{indent}# "
    one_line = "".join(letter if letter.isprintable() else " " for letter in words)
    return textwrap.wrap(one_line, _WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)
