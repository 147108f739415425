"""Nouns for the sections of the catalogue, and what to write instead of a value that does not fit."""

from __future__ import annotations

import re

from dltrain.config.catalogue import entries

_SECTION_NOUN = {"dataset": "data set", "schedule": "learning-rate schedule"}


def number_hint(value: object, kinds: tuple[str, ...], limit: float | None = None) -> str:
    """What to write where YAML took for a word what was meant as a number or a truth value."""
    if isinstance(value, int | float) and 3.4e38 < abs(value) < float("inf") and "float" in kinds:
        return "Keras computes in float32, whose largest number is 3.4e38"
    if isinstance(value, float) and "int" in kinds and value.is_integer() and abs(value) < 1e15:
        return f"write `{int(value)}`"
    if not isinstance(value, str):
        return share_hint(value, limit) if "float" in kinds else ""
    if "epochs" in kinds and (found := re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?-?(e|ep|epochs?)\.?", value.lower())):
        return f"write `{found[1]} epochs`"
    if "int" in kinds and (found := re.fullmatch(r"(\d{1,12}) ?steps?", value.lower())):
        return f"write `{found[1]}`"
    if {"int", "float", "ints", "floats"} & set(kinds):
        digits = value.replace("_", "").replace(",", "")
        if digits.lstrip("+-").isdigit() and digits.isascii():
            return f"write `{int(digits)}`" if len(digits) < 40 else ""
    if "float" in kinds and re.fullmatch(r"[-+]?(\d+\.\d*|\.?\d+)([eE][-+]?\d+)?", value):
        return f"write `{value}`"
    share = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?/ ?(\d{1,9}(?:\.\d{1,9})?)", value)
    if "float" in kinds and share is not None and float(share[2]):
        return f"write `{float(share[1]) / float(share[2]):.6g}`"
    if "bool" in kinds and value.lower() in ("yes", "on", "no", "off", "true", "false"):
        return f"write `{'true' if value.lower() in ('yes', 'on', 'true') else 'false'}`"
    return ""


def share_hint(value: object, limit: float | None) -> str:
    """What to write where a percentage stands for a share."""
    if limit == 1 and isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 100:
        return f"a share, not a percentage: write `{value / 100:g}`"
    return ""


def example(section: str) -> str:
    examples = {"layer": "Dense", "optimizer": "Adam", "loss": "mean_squared_error", "metric": "accuracy"}
    return examples.get(section) or entries.names(section)[0]


def noun(section: str) -> str:
    return _SECTION_NOUN.get(section, section)


def with_article(words: str, *, quoted: bool = False) -> str:
    shown = f"`{words}`" if quoted else words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {shown}"
