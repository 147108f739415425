"""Write the catalogue of the Keras objects that a config may name, from the installed Keras.

Run as `python scripts/make_catalogue.py`; with `--check`, exit 1 if the file is stale.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import keras  # noqa: E402
from keras.src import activations, constraints, initializers, losses, metrics, optimizers, regularizers  # noqa: E402
from scripts.catalogue_classes import ARGUMENTS_LEFT_OUT, CLASSES, LEFT_OUT  # noqa: E402
from scripts.catalogue_rules import COMMON, SECTIONS, SUFFIXES, Rule  # noqa: E402
from scripts.catalogue_traits import TRAITS, Traits  # noqa: E402

from dltrain.config.catalogue.entries import Trait  # noqa: E402
from dltrain.config.catalogue.kinds import KINDS  # noqa: E402

TARGET = ROOT / "src/dltrain/config/catalogue/catalogue.json"
MODULES: dict[str, ModuleType] = {
    "layer": keras.layers,
    "optimizer": keras.optimizers,
    "schedule": keras.optimizers.schedules,
    "loss": keras.losses,
    "metric": keras.metrics,
    "regularizer": keras.regularizers,
    "initializer": keras.initializers,
    "constraint": keras.constraints,
    "callback": keras.callbacks,
}
# The tables in which functions such as `keras.losses.get("mse")` look up strings.
STRINGS: dict[str, dict[str, Any]] = {
    "optimizer": optimizers.ALL_OBJECTS_DICT,
    "loss": losses.ALL_OBJECTS_DICT,
    "metric": metrics.ALL_OBJECTS_DICT,
    "regularizer": regularizers.ALL_OBJECTS_DICT,
    "initializer": initializers.ALL_OBJECTS_DICT,
    "constraint": constraints.ALL_OBJECTS_DICT,
}
# Strings for which `compile` chooses a metric by the shape of the labels.
CHOSEN_BY_COMPILE = ("accuracy", "acc")
# Every layer that passes keyword arguments to the base class accepts these.
BASE_ARGUMENTS = ("name", "dtype", "trainable")


def public_classes(module: ModuleType) -> dict[str, type]:
    return {name: value for name, value in vars(module).items() if inspect.isclass(value) and name[0] != "_"}


def own_name(names: Iterable[str], cls: type) -> str:
    """Return the catalogue name of a class: its own, or the first exported one if Keras does not export that."""
    return cls.__name__ if cls.__name__ in names else min(names)


def named_classes(section: str) -> dict[str, type]:
    """Return the classes of a section that a config may name."""
    by_class: dict[type, list[str]] = {}
    for name, cls in public_classes(MODULES[section]).items():
        by_class.setdefault(cls, []).append(name)
    named = {own_name(names, cls): cls for cls, names in by_class.items()}
    return {name: cls for name, cls in named.items() if name not in LEFT_OUT}


def rule_for(section: str, cls: type, parameter: inspect.Parameter) -> Rule:
    name = parameter.name
    for table, key in ((CLASSES, f"{cls.__name__}.{name}"), (SECTIONS[section], name), (COMMON, name)):
        if key in table:
            return resolved(table[key], cls)
    for suffix, rule in SUFFIXES.items():
        if name.endswith(suffix):
            return dict(rule)
    if isinstance(parameter.default, bool):
        return {"kinds": ["bool"]}
    raise SystemExit(f"no rule for {section} {cls.__name__}.{name}: add one to scripts/catalogue_rules.py")


def resolved(rule: Rule, cls: type) -> Rule:
    """Return the rule with its placeholders replaced by values of the class."""
    made = dict(rule)
    if made.get("length") == "rank":
        digit = re.search(r"([123])D", cls.__name__)
        if digit is None:
            raise SystemExit(f"{cls.__name__} has no rank in its name")
        made["length"] = int(digit[1])
    bounds = getattr(cls, "_FACTOR_BOUNDS", ())
    for index, key in enumerate(("min", "max")):
        if made.get(key) == "factor":
            made[key] = bounds[index]
    if isinstance(made.get("choices"), str):
        made["choices"] = sorted(getattr(cls, made["choices"]))
    return made


def plain(value: Any) -> Any:
    """Return a default as a JSON value. TypeError if JSON has none."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{value!r} cannot be written as JSON")


def argument(section: str, cls: type, parameter: inspect.Parameter) -> Rule:
    entry = rule_for(section, cls, parameter)
    for kind in entry["kinds"]:
        if kind not in KINDS:
            raise SystemExit(f"{cls.__name__}.{parameter.name} is of the kind {kind}: kinds.py does not have it")
    if parameter.default is parameter.empty:
        entry.setdefault("required", True)
    elif not entry.get("required"):
        entry["default"] = plain(parameter.default)
        if parameter.default is None:
            entry.setdefault("nullable", True)
    return {key: value for key, value in entry.items() if value is not False or key == "default"}


def arguments(section: str, name: str, cls: type) -> dict[str, Rule]:
    made = {}
    takes_more = False
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            takes_more = takes_more or parameter.kind is parameter.VAR_KEYWORD
        elif not {parameter.name, f"{name}.{parameter.name}"} & ARGUMENTS_LEFT_OUT.keys():
            made[parameter.name] = argument(section, cls, parameter)
    if section == "layer" and takes_more:
        for key in BASE_ARGUMENTS:
            nullable = {"nullable": True} if key != "trainable" else {}
            made.setdefault(key, COMMON[key] | nullable)
    return made


def left_out_defaults(name: str, cls: type) -> dict[str, Any]:
    """Return the defaults of the arguments that a config may not give, by `Class.argument`."""
    given = inspect.signature(cls).parameters.values()
    left_out = [p for p in given if {p.name, f"{name}.{p.name}"} & ARGUMENTS_LEFT_OUT.keys()]
    return {f"{name}.{p.name}": plain(p.default) for p in left_out if p.default is not p.empty}


def traits(section: str, name: str) -> dict[str, Traits]:
    """Return the traits of a class; empty for sections without traits."""
    if section not in TRAITS:
        return {}
    if name not in TRAITS[section]:
        raise SystemExit(f"nobody has judged the {section} {name}: add it to scripts/catalogue_traits.py")
    for trait in TRAITS[section][name]:
        if trait not in get_args(Trait):
            raise SystemExit(f"{name} has the trait {trait}: `Trait` in entries.py does not have it")
    return {"traits": TRAITS[section][name]} if TRAITS[section][name] else {}


def docs(thing: Any) -> dict[str, list[str]]:
    """Return where Keras documents a class or function: its own docstring, then those of its bases."""
    classes = inspect.getmro(thing) if inspect.isclass(thing) else (thing,)
    ours = (c for c in classes if c.__module__.startswith("keras.src.") and c.__doc__)
    # The backend's base class depends on the installed backend.
    return {"docs": [f"{c.__module__}.{c.__name__}" for c in ours if not c.__module__.startswith("keras.src.backend.")]}


def function_of(section: str, cls: type) -> Callable[..., Any] | None:
    """Return the function that a loss without arguments computes, such as `mean_squared_error` for MeanSquaredError."""
    return getattr(cls(), "fn", None) if section == "loss" else None


def needs_no_arguments(thing: Any) -> bool:
    """Return whether a bare string can name it: a function, or a class without required arguments."""
    parameters = inspect.signature(thing).parameters.values() if inspect.isclass(thing) else ()
    required = (p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return all(parameter.default is not parameter.empty for parameter in required)


def aliases(section: str, classes: dict[str, type]) -> dict[str, str | None]:
    """Return all other names of catalogued classes: those that Keras exports, and the strings that it resolves."""
    names: dict[Any, str] = {cls: name for name, cls in classes.items()}
    names |= {fn: name for name, cls in classes.items() if (fn := function_of(section, cls)) is not None}
    strings = {text: thing for text, thing in STRINGS.get(section, {}).items() if needs_no_arguments(thing)}
    known = public_classes(MODULES[section]) | strings
    made: dict[str, str | None] = {
        name: names[target] for name, target in known.items() if target in names and name != names[target]
    }
    if section == "metric":
        made |= dict.fromkeys(CHOSEN_BY_COMPILE)
    return made


def make() -> dict[str, Any]:
    """Return the catalogue of the installed Keras, ready for JSON."""
    classes = {section: named_classes(section) for section in MODULES}
    sections = {
        section: {
            name: {"arguments": arguments(section, name, cls), **traits(section, name), **docs(cls)}
            for name, cls in named.items()
        }
        for section, named in classes.items()
    }
    functions = {name: function for name, function in activations.ALL_OBJECTS_DICT.items() if name not in LEFT_OUT}
    sections["activation"] = {
        name: {"arguments": {}, **traits("activation", name), **docs(function)} for name, function in functions.items()
    }
    return {
        "keras": keras.__version__,
        "sections": sections,
        "aliases": {section: aliases(section, named) for section, named in classes.items()},
        "excluded": LEFT_OUT,
        "excluded_arguments": ARGUMENTS_LEFT_OUT,
        "excluded_defaults": {
            key: value
            for named in classes.values()
            for name, cls in named.items()
            for key, value in left_out_defaults(name, cls).items()
        },
    }


def in_order(value: Any, key: str = "") -> Any:
    """Sort all keys except arguments, which keep the order of Keras's signature."""
    if not isinstance(value, dict):
        return value
    keys = list(value) if key == "arguments" else sorted(value)
    return {inner: in_order(value[inner], inner) for inner in keys}


def text() -> str:
    return json.dumps(in_order(make()), indent=1) + "\n"


def main() -> int:
    made = text()
    if "--check" in sys.argv[1:]:
        if TARGET.exists() and TARGET.read_text(encoding="utf-8") == made:
            return 0
        print(f"{TARGET} is stale: run python scripts/make_catalogue.py", file=sys.stderr)
        return 1
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
