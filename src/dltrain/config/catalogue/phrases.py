"""What an argument takes, as a phrase for people, and what to write instead of a value that does not fit."""

from __future__ import annotations

import re

from dltrain.arguments import Argument
from dltrain.config.catalogue import entries
from dltrain.config.document.suggest import listing

_SECTION_NOUN = {"dataset": "data set", "schedule": "learning-rate schedule"}


def number_hint(value: object, kinds: tuple[str, ...], limit: float | None = None) -> str:
    """What to write where YAML took for a word what was meant as a number or a truth value."""
    if isinstance(value, float) and "int" in kinds and value.is_integer() and abs(value) < 1e15:
        return f"write `{int(value)}`"
    if not isinstance(value, str):
        return share_hint(value, limit) if "float" in kinds else ""
    if {"int", "float", "ints", "floats"} & set(kinds):
        digits = value.replace("_", "").replace(",", "")
        if digits.lstrip("+-").isdigit() and digits.isascii():
            return f"write `{int(digits)}`" if len(digits) < 40 else ""
    if "float" in kinds and re.fullmatch(r"[-+]?(\d+\.\d*|\.?\d+)([eE][-+]?\d+)?", value):
        return f"write `{value}`"
    if "bool" in kinds and value.lower() in ("yes", "on", "no", "off", "true", "false"):
        return f"write `{'true' if value.lower() in ('yes', 'on', 'true') else 'false'}`"
    return ""


def share_hint(value: object, limit: float | None) -> str:
    """What to write where a percentage stands for a share."""
    if limit == 1 and isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 100:
        return f"a share, not a percentage: write `{value / 100:g}`"
    return ""


def expected(argument: Argument) -> str:
    """What an argument takes, as a phrase: `a whole number of at least 1`."""
    bounds = _bounds_phrase(argument)
    lengths = " or ".join(str(n) for n in argument.lengths)
    if len(argument.lengths) > 2:
        lengths = f"{min(argument.lengths)} to {max(argument.lengths)}"
    phrases = {
        "bool": "`true` or `false`",
        "int": f"a whole number{bounds}",
        "float": f"a number{bounds}",
        "str": "a word",
        "dtype": "a dtype such as `float32`",
        "ints": f"a list of {lengths + ' ' if lengths else ''}whole numbers",
        "floats": f"a list of {lengths + ' ' if lengths else ''}numbers",
        "ints_nested": "a list of pairs of whole numbers",
        "words": f"one of {listing(argument.choices, 30)}",
        "activation": "an activation such as `relu`",
    }
    parts = []
    for kind in argument.kinds:
        parts.append(phrases.get(kind) or with_article(noun(kind)))
    if argument.nullable:
        parts.append("`null`")
    return " or ".join(parts)


def _figure(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def _bounds_phrase(argument: Argument) -> str:
    parts = []
    if argument.minimum is not None:
        parts.append(f"at least {_figure(argument.minimum)}")
    if argument.above is not None:
        parts.append(f"more than {_figure(argument.above)}")
    if argument.maximum is not None:
        parts.append(f"at most {_figure(argument.maximum)}")
    if argument.below is not None:
        parts.append(f"less than {_figure(argument.below)}")
    return " of " + " and ".join(parts) if parts else ""


def example(section: str) -> str:
    examples = {"layer": "Dense", "optimizer": "Adam", "loss": "mean_squared_error", "metric": "accuracy"}
    return examples.get(section) or entries.names(section)[0]


def noun(section: str) -> str:
    return _SECTION_NOUN.get(section, section)


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
