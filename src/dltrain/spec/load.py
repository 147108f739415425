"""A config file and its overrides -> a `Plan`, or every problem at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dltrain.errors import ConfigError, Problem, UsageError
from dltrain.spec import overrides as override_module
from dltrain.spec import problems
from dltrain.spec.objects import FIELDS, complete
from dltrain.spec.reader import Node, ReadError, Source, decode, read
from dltrain.spec.schema import Limit, Spec
from dltrain.spec.sense import check_sense
from dltrain.spec.suggest import closest, shown

SMOKE_TRAIN, SMOKE_TEST = 512, 128


@dataclass(frozen=True)
class Plan:
    """A checked config: `spec` has every default filled in, `tree` the place of every value that was written."""

    spec: Spec
    file: str
    text: bytes
    overrides: tuple[str, ...]
    tree: Node
    smoke: bool = False

    def error(self, path: tuple[str | int, ...], message: str, hint: str = "", code: str = "keras") -> ConfigError:
        """The error that says `message` at the place of `path`."""
        where = problems.place_of(self.tree, path)
        return ConfigError(self.file, [Problem(code, message, path, where, hint)])

    def resolved(self) -> str:
        """The YAML text in which every default and override is filled in; to load it gives the same plan."""
        return dump(self.spec.dump())


def load(
    config: Path | str,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    smoke: bool = False,
    name: str | None = None,
) -> Plan:
    """Reads and checks a config.

    Args:
        config: the YAML file.
        overrides: `key.path=value` texts, or a mapping from key paths to values.
        smoke: shrink to one epoch on a tiny subset, without `expect`.
        name: the run's name, instead of the config's.

    Raises:
        UsageError: no such file, or it cannot be read.
        ConfigError: the config has problems.
    """
    path = Path(config)
    data = read_bytes(path)
    texts = as_texts(overrides)
    if name is not None:
        texts = (*texts, f"name={quote(name)}")
    spec, tree = check(str(path), data, texts)
    return Plan(shrink(spec) if smoke else spec, str(path), data, texts, tree, smoke)


def read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            hint = "give a YAML file in it" if any(path.glob("*.y*ml")) else "give a YAML file"
            raise UsageError(f"{path} is a directory, not a config", hint)
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"no such config: {path}", _near_files(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot read {path}: {reason}") from None


def _near_files(path: Path) -> str:
    try:
        files = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    except OSError:
        return f"there is no directory {path.parent}"
    near = closest(path.name, files) or next((name for name in files if Path(name).stem == path.name), None)
    return f"did you mean {path.parent / near}?" if near else ""


def as_texts(overrides: Sequence[str] | Mapping[str, Any]) -> tuple[str, ...]:
    if not isinstance(overrides, Mapping):
        return tuple(overrides)
    return tuple(f"{key}={flow(value)}" for key, value in overrides.items())


def check(file: str, data: bytes, overrides: Sequence[str]) -> tuple[Spec, Node]:
    """The spec behind a config's bytes, and the tree that it was read from.

    Raises:
        ConfigError: with all problems, in the order of the file.
    """
    try:
        tree = read(file, decode(file, data))
    except ReadError as error:
        raise ConfigError(file, [error.problem]) from None
    if not isinstance(tree.value, dict):
        message = f"a config is a mapping of sections, not {shown(tree.plain())}"
        hint = "it has the sections `data`, `model` and `train`"
        raise ConfigError(file, [Problem("wrong-type", message, (), tree.where, hint)])
    found = [p for p in (override_module.apply(tree, text) for text in overrides) if p is not None]
    tree.value.setdefault("name", _named_after(file))
    found += problems.from_objects(tree)
    try:
        spec = Spec.model_validate(tree.plain())
    except ValidationError as error:
        found += problems.from_pydantic(error, tree)
        raise ConfigError(file, problems.in_order(found)) from None
    if not found:
        found = check_sense(spec, tree)
    if found:
        raise ConfigError(file, problems.in_order(found))
    return Spec.model_validate(_completed(spec)), tree


def _named_after(file: str) -> Node:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(file).stem).strip("-._")[:64] or "run"
    return Node(stem, Source(file, "").at(0, 0))


def _completed(spec: Spec) -> dict[str, Any]:
    """The spec as data with every object's defaults filled in."""
    data = spec.dump()
    for pattern, section in FIELDS.items():
        parent, key = data[str(pattern[0])], str(pattern[1])
        if pattern[-1] == "*":
            parent[key] = [_complete(section, item) for item in parent[key]]
        else:
            parent[key] = _complete(section, parent[key])
    checkpoint = data["train"]["checkpoint"]
    if checkpoint["monitor"] is None:
        checkpoint["monitor"] = "val_loss" if data["data"]["validation"] > 0 else "loss"
    return data


def _complete(section: str, item: str | dict[str, Any]) -> str | dict[str, Any]:
    name, arguments = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    name, arguments = complete(section, name, arguments)
    return {name: arguments} if arguments else name


def shrink(spec: Spec) -> Spec:
    """The same spec on 512 training and 128 test samples for one epoch, judged by no gate."""
    limit = spec.data.limit
    small = Limit(train=min(limit.train or SMOKE_TRAIN, SMOKE_TRAIN), test=min(limit.test or SMOKE_TEST, SMOKE_TEST))
    return spec.model_copy(
        update={
            "data": spec.data.model_copy(update={"limit": small}),
            "train": spec.train.model_copy(update={"epochs": 1}),
            "expect": {},
        }
    )


def dump(data: dict[str, Any]) -> str:
    """A config as YAML: sections as blocks, one Keras object a line."""
    lines = ["# every default and override filled in; to fit this file is to do the same run again"]
    for key, value in data.items():
        if not isinstance(value, dict) or not value:
            lines.append(f"{key}: {flow(value)}")
            continue
        lines.append(f"{key}:")
        for inner, item in value.items():
            if isinstance(item, list) and item:
                lines.append(f"  {inner}:")
                lines += [f"    - {flow(entry)}" for entry in item]
            else:
                lines.append(f"  {inner}: {flow(item)}")
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """A value on one line, as this package's reader reads it back."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quote(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return quote(str(value))


def quote(text: str) -> str:
    """A word bare where it reads back as itself, else in double quotes with escapes."""
    import json

    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) and text.lower() not in ("null", "true", "false"):
        return text
    return json.dumps(text)
