"""A config file and overrides -> a `Plan`, or every problem at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from dltrain.calls import overrides_of, path_of
from dltrain.config.catalogue import entries, objects
from dltrain.config.catalogue.rates import in_steps
from dltrain.config.checks import check_config
from dltrain.config.checks.data import task_of
from dltrain.config.checks.outline import Outline
from dltrain.config.checks.transfer import INITIAL_WEIGHTS, is_path
from dltrain.config.composition import compose
from dltrain.config.composition.extends import read_limited
from dltrain.config.document.reader import MAX_DEPTH, ReadError
from dltrain.config.document.source import Node, Source, locate, nearest, place_of
from dltrain.config.document.suggest import near_files
from dltrain.config.document.writer import block, flow, quote
from dltrain.config.resolved import FLOAT32, complete, dump, readable, with_origins
from dltrain.config.schema import Limit, Spec
from dltrain.data.facts import Facts
from dltrain.errors import ConfigError, KeyPath, Problem, UsageError
from dltrain.names import slug

SMOKE_TRAIN, SMOKE_TEST = 512, 128


@dataclass(frozen=True)
class Checked:
    """A config without errors, and what the checks found out about it.

    Args:
        spec: every default filled in, repeats expanded.
        tree: every written value with its place.
        layers: the path of each layer of `spec` in the file.
        outline: the layers with their shapes.
        facts: what is known of the data set.
        warnings: what is probably a mistake.
    """

    spec: Spec
    tree: Node
    layers: tuple[KeyPath, ...]
    outline: Outline
    facts: Facts | None
    warnings: tuple[Problem, ...]

    @property
    def told(self) -> frozenset[str]:
        """The messages of the warnings."""
        return frozenset(problem.message for problem in self.warnings)


@dataclass(frozen=True)
class Plan:
    """A checked config, ready to be trained.

    Args:
        checked: what is known of the config as written.
        spec: what is trained: that of `checked`, shrunk for a smoke run.
        file: the config's path, as errors name it.
        file_bytes: the config as written.
        overrides: in the form of `-s`.
        smoke: whether this is a smoke run.
    """

    checked: Checked
    spec: Spec
    file: str
    file_bytes: bytes
    overrides: tuple[str, ...]
    smoke: bool = False

    def error(self, path: KeyPath, message: str, hint: str = "", code: str = "keras") -> ConfigError:
        """Return the error `message` at the place of `path` in `spec`."""
        written = path
        if path[:2] == ("model", "layers") and len(path) > 2 and isinstance(path[2], int):
            written = (*self.checked.layers[path[2]], *path[3:])
        written = as_written(self.checked.tree, written)
        where = place_of(self.checked.tree, written)
        return ConfigError(self.file, [Problem(code, message, written, where, hint)])

    def refusal(self, warnings: Sequence[Problem]) -> ConfigError:
        """Return the error that treats warnings as errors."""
        return ConfigError(self.file, [replace(problem, severity="error") for problem in warnings])

    def with_facts(self, facts: Facts) -> Plan:
        """Return the plan with what only the data says, such as the number of classes, after checking it against that.

        Raises ConfigError if the data contradicts the config.
        """
        before = self.checked
        if before.facts == facts:
            return self
        found = check_config(before.tree, before.layers, (), facts)
        if any(problem.severity == "error" for problem in found.problems):
            raise ConfigError(self.file, found.problems)
        early = [warning for warning in before.warnings if warning.code in ("splits", "files")]  # of what the files say
        warnings = (*early, *found.problems)
        return replace(self, checked=replace(before, outline=found.outline, facts=facts, warnings=warnings))

    def in_steps(self, steps: int) -> Plan:
        """Return the plan with optimizer steps for what is given in epochs, of which each has so many `steps`."""
        item = self.spec.train.optimizer
        optimizer = item.model_copy(update={"arguments": in_steps("optimizer", item.name, item.arguments, steps)})
        train = self.spec.train.model_copy(update={"optimizer": optimizer})
        return replace(self, spec=self.spec.model_copy(update={"train": train}))

    def starting_from(self, weights: str) -> Plan:
        """Return the plan with `weights`, an absolute path, for `train.initial_weights`."""
        train = self.spec.train.model_copy(update={"initial_weights": weights})
        return replace(self, spec=self.spec.model_copy(update={"train": train}))

    @property
    def precision(self) -> str:
        """The dtype policy, and in mixed precision the dtype of the output: `mixed_bfloat16, output in float32`."""
        policy = self.spec.train.precision
        dtype = self.spec.model.layers[-1].arguments.get("dtype") or policy
        return policy if policy == FLOAT32 else f"{policy}, output in {dtype.removeprefix('mixed_')}"

    def resolved(self) -> str:
        """Return the config as YAML, every default and override filled in; loading it gives the same `spec`."""
        return dump(self.spec.dump())

    def origins(self) -> str:
        """Return the same, one value a line, each with its origin: `default`, `file:line` or the override."""
        written = [nearest(self.checked.tree, path) for path in self.checked.layers]
        return with_origins(self.spec.dump(), self.checked.tree, written)


def load(
    config: Path | str | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    smoke: bool = False,
    name: str | None = None,
    strict: bool = False,
    data: bytes | None = None,
    facts: Facts | None = None,
) -> Plan:
    """Read and check a config.

    Args:
        config: the YAML file, or what it would contain.
        overrides: `key.path=value` texts, or a mapping from key paths to values.
        smoke: shrink it to one epoch on a tiny subset, without `expect`.
        name: the run's name, instead of the config's.
        strict: treat warnings as errors.
        data: the contents of the resolved config of a run, if it is read already. It extends nothing, because it may
            come from anyone, and what it does not say keeps the meaning that it had when the run was made.
        facts: those of its data set, if they are known already: then its files are not looked at.

    Raises:
        UsageError: the file does not exist or cannot be read.
        ConfigError: the config has problems.
    """
    alone = data is not None
    if isinstance(config, Mapping):
        path, data = Path("config"), _as_yaml(config)
    else:
        path = path_of(config, "a config", "a path or a mapping", "give a YAML file, or what it would contain")
    texts = _as_texts(overrides_of(overrides), name)
    written = data if data is not None else _read(path)
    checked = check(str(path), written, texts, alone, facts)
    plan = Plan(checked, shrink(checked.spec) if smoke else checked.spec, str(path), written, texts, smoke)
    if strict and checked.warnings:
        raise plan.refusal(checked.warnings)
    return plan


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            hint = "give a YAML file in it" if any(path.glob("*.y*ml")) else "give a YAML file"
            raise UsageError(f"{path} is a directory, not a config", hint)
        return read_limited(path)
    except FileNotFoundError:
        raise UsageError(f"no such config: {path}", near_files(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot read {path}: {reason}") from None


def as_written(tree: Node, path: KeyPath) -> KeyPath:
    """Return a path of `spec` with the names that the file has for Keras's classes, up to what is written."""
    written: list[str | int] = []
    for key in path:
        there = nearest(tree, tuple(written)).value
        if isinstance(there, dict) and key not in there and len(there) == 1:
            (other,) = there
            sections = entries.sections()
            if any((e := entries.find(section, other)) is not None and e.name == key for section in sections):
                key = other
        written.append(key)
    return tuple(written)


def _as_yaml(config: Mapping[str, Any]) -> bytes:
    """Return a config that was made in Python as YAML; numbers of other libraries are plain ones there."""
    return "".join(
        f"{line.text}\n" for line in block(_plain(config), lambda path, value, columns: columns > 100)
    ).encode()


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise UsageError(f"a config cannot be nested deeper than {MAX_DEPTH} levels", "a config has 5 to 10 levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise UsageError(f"{ascii(value)[:60]} holds half of a character", "a config is Unicode text")
        return value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):  # a scalar of NumPy
        return _plain(value.item(), depth + 1)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    hint = "a config holds mappings, lists, strings, numbers, True, False and None"
    raise UsageError(f"a config cannot hold a {type(value).__name__}", hint)


def _as_texts(overrides: Sequence[str] | Mapping[str, Any], name: str | None) -> tuple[str, ...]:
    """Return overrides in the form of `-s`, with the run's name among them."""
    given = overrides
    if isinstance(overrides, Mapping):
        given = [f"{key}={flow(_plain(value))}" for key, value in overrides.items()]
    return (*given, *([f"name={quote(name)}"] if name is not None else ()))


def check(file: str, data: bytes, overrides: Sequence[str], alone: bool = False, facts: Facts | None = None) -> Checked:
    """Check the bytes of a config without starting TensorFlow.

    Raises:
        ConfigError: with all problems, warnings included, in the order of the file.
    """
    try:
        composed = compose(file, data, overrides, alone)
    except ReadError as error:
        raise ConfigError(file, [error.problem]) from None
    composed.tree.value.setdefault("name", _named_after(file))
    anchor(composed.tree)
    found = check_config(composed.tree, composed.layers, composed.problems, facts)
    if found.spec is None or any(problem.severity == "error" for problem in found.problems):
        raise ConfigError(file, found.problems)
    spec = complete(found.spec, task_of(composed.tree, found.spec.data.dataset.name), of_run=alone)
    if not readable(spec.dump()):
        where = place_of(composed.tree, ("model", "layers"))
        message = "with every default filled in, this config is larger than a config may be"
        raise ConfigError(file, [Problem("too-large", message, ("model", "layers"), where, "use fewer layers")])
    return Checked(spec, composed.tree, composed.layers, found.outline, found.facts, found.problems)


def anchor(tree: Node) -> None:
    """Make the paths of a config absolute: they are relative to the file that has them, overrides to the directory."""
    weights = locate(tree, INITIAL_WEIGHTS)
    if weights is not None and isinstance(weights.value, str) and is_path(weights.value):
        weights.value = _absolute(weights, weights.value)
    node = locate(tree, ("data", "dataset"))
    if node is None or not isinstance(node.value, dict):
        return
    for name, arguments in node.value.items():
        entry = objects.find("dataset", name)
        if entry is None or not isinstance(arguments.value, dict):
            continue
        for key, child in arguments.value.items():
            argument = entry.arguments.get(key)
            if argument is not None and argument.kinds == ("path",) and isinstance(child.value, str) and child.value:
                child.value = _absolute(child, child.value)


def _absolute(node: Node, path: str) -> str:
    base = Path(node.where.file).parent if node.where.origin == "file" else Path()
    return os.path.normpath((base / _at_home(path)).absolute())


def _at_home(path: str) -> Path:
    return Path(path).expanduser() if path.startswith("~/") else Path(path)


def _named_after(file: str) -> Node:
    return Node(slug(Path(file).stem), Source(file, "", "default").at(0, 0))


def shrink(spec: Spec) -> Spec:
    """Return the spec for 512 training and 128 test samples and one epoch, without `expect`."""
    limit = spec.data.limit
    small = Limit(train=min(limit.train or SMOKE_TRAIN, SMOKE_TRAIN), test=min(limit.test or SMOKE_TEST, SMOKE_TEST))
    return spec.model_copy(
        update={
            "data": spec.data.model_copy(update={"limit": small}),
            "train": spec.train.model_copy(update={"epochs": 1}),
            "expect": {},
        }
    )
