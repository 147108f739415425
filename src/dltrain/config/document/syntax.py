"""Errors of the YAML parser, explained so that a beginner can act on them.

PyYAML gives an error no code: its English sentences are all that tells one error from another.
"""

from __future__ import annotations

import re

import yaml

from dltrain.config.document.source import Source
from dltrain.errors import Problem

_LENGTH = 1_000  # characters of a line that are looked at: what is written by hand is shorter
_NO_SPACE = re.compile(r"(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:/,}\]]+)")
_BARE_COMPARISON = re.compile(r"[:\[,]\s+(?P<bound>[<>]=?\s*[-+.\d]+)\s*$")


def explain(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    """Return the problem behind a parser's error, at the line to change rather than where parsing stopped."""
    source = source.cut(_LENGTH)
    mark = error.problem_mark or error.context_mark
    line = min(mark.line, len(source.lines) - 1) if mark else 0
    column = mark.column if mark else 0
    text = f"{error.context or ''} {error.problem or ''}"
    return (
        _tab(source, line)
        or _dash(error, source, line, text)
        or _colon(source, line)
        or _comma(source, line, text)
        or _comparison(source, line)
        or _unclosed(error, source, text)
        or _missing_space(source, line)
        or _indentation(error, source, line)
        or _two_colons(source, line, text)
        or Problem(
            "yaml-syntax",
            f"not valid YAML: {error.problem or 'the text cannot be parsed'}",
            (),
            source.at(line, column),
            _context(error),
        )
    )


def _context(error: yaml.MarkedYAMLError) -> str:
    if error.context and error.context_mark:
        return f"{error.context} that begins at line {error.context_mark.line + 1}"
    return "check the indentation and the colons around this line"


def _dash(error: yaml.MarkedYAMLError, source: Source, line: int, text: str) -> Problem | None:
    """A list item without its `- `: this line, or the line before if only that one lacks it."""
    here = source.lines[line]
    if re.match(r"\s*-\w", here):
        column = here.index("-")
        where = source.at(line, column, len(here))
        return Problem("yaml-dash", "no space after `-`", (), where, f"write `- {here.strip()[1:]}`")
    if "expected '-' indicator" in text and here.strip():
        where = source.at(line, _indent(source, line) or 0, len(here))
        return Problem("yaml-dash", "this line is in a list, but has no `- `", (), where, "put `- ` before it")
    before = next((n for n in range(line - 1, -1, -1) if source.lines[n].strip()), None)
    if "block mapping" in (error.context or "") and here.lstrip().startswith("- ") and before is not None:
        above = source.lines[before]
        if not above.lstrip().startswith("-") and not above.rstrip().endswith(":"):
            where = source.at(before, _indent(source, before) or 0, len(above))
            return Problem(
                "yaml-dash", "a list begins after this line, which has no `- `", (), where, "put `- ` before it"
            )
    return None


def _colon(source: Source, line: int) -> Problem | None:
    """A key without its colon, with its values indented below."""
    before = next((n for n in range(line - 1, -1, -1) if source.lines[n].strip()), None)
    for number in (line, before):
        if number is None or not (match := re.fullmatch(r"\s*(?P<word>[A-Za-z_]\w*)\s*", source.lines[number])):
            continue
        below = next((n for n in range(number + 1, len(source.lines)) if source.lines[n].strip()), None)
        if below is not None and (_indent(source, below) or 0) > (_indent(source, number) or 0):
            where = source.at(number, match.start("word"), match.end("word"))
            hint = f"write `{match['word']}:`"
            return Problem("yaml-colon", f"no colon after `{match['word']}`", (), where, hint)
    return None


def _comma(source: Source, line: int, text: str) -> Problem | None:
    """Two entries between brackets without a comma."""
    if "expected ',' or" not in text:
        return None
    for number in (line, line - 1):
        if number < 0 or not (found := re.search(r"[\w\]}\"'];?\s+(?P<word>[A-Za-z_]\w*)\s*:", source.lines[number])):
            continue
        if re.search(r"[{\[]", source.lines[number][: found.start()]):
            where = source.at(number, found.start("word"), found.end("word"))
            return Problem("yaml-comma", "a comma is missing", (), where, f"put a comma before `{found['word']}`")
    return None


def _indentation(error: yaml.MarkedYAMLError, source: Source, line: int) -> Problem | None:
    """A key indented more or less than the keys before it."""
    here = _indent(source, line)
    before = next((n for n in range(line - 1, -1, -1) if source.lines[n].strip()), None)
    if here is None or before is None:
        return None
    start = error.context_mark
    block = start is not None and "block" in (error.context or "") and start.line < line
    wanted = start.column if block and start is not None else _indent(source, before)
    if wanted is None or here == wanted or source.lines[before].rstrip().endswith(":"):
        return None
    message = f"this line is indented by {here} spaces, the lines around it by {wanted}"
    return Problem("yaml-indentation", message, (), source.at(line, 0, max(here, 1)), f"indent it by {wanted}")


def _indent(source: Source, line: int) -> int | None:
    """Return the number of leading spaces of a line; None for an empty one."""
    text = source.lines[line] if 0 <= line < len(source.lines) else ""
    return len(text) - len(text.lstrip(" ")) if text.strip() else None


def _two_colons(source: Source, line: int, text: str) -> Problem | None:
    if "mapping values are not allowed" not in text:
        return None
    match = re.match(r"\s*(?:- )?[\w.-]+:\s+(?P<value>.*:\s.*|.*:)$", source.lines[line].split(" #")[0].rstrip())
    if match is None:
        return None
    where = source.at(line, match.start("value"), match.end("value"))
    hint = "write a mapping as `{key: value}`, or put a string with a colon in quotes"
    return Problem("yaml-colon", "a second colon in one line", (), where, hint)


def _tab(source: Source, line: int) -> Problem | None:
    for number in (line, line - 1):
        if 0 <= number < len(source.lines):
            text = source.lines[number]
            indent = text[: len(text) - len(text.lstrip())]
            for sign, name in (("\t", "a tab"), ("\u00a0", "a non-breaking space"), ("\u3000", "a full-width space")):
                if sign in indent:
                    column = indent.index(sign)
                    where = source.at(number, column, column + 1)
                    return Problem("yaml-tab", f"{name} in the indentation", (), where, "YAML takes plain spaces only")
    return None


def _comparison(source: Source, line: int) -> Problem | None:
    for number in (line, line - 1):
        if 0 <= number < len(source.lines) and (match := _BARE_COMPARISON.search(source.lines[number])):
            where = source.at(number, match.start("bound"), match.end("bound"))
            bound = match["bound"].strip()
            return Problem(
                "yaml-quote",
                f"`{bound}` must be in quotes",
                (),
                where,
                f'write `"{bound}"`: a bare `>` begins a text block',
            )
    return None


def _unclosed(error: yaml.MarkedYAMLError, source: Source, text: str) -> Problem | None:
    start = error.context_mark
    if start is None:
        return None
    if "quoted scalar" in text:
        quote = source.lines[min(start.line, len(source.lines) - 1)][start.column : start.column + 1]
        where = source.at(start.line, start.column)
        return Problem("yaml-unclosed", "this quote is never closed", (), where, f"close it with `{quote}`")
    opener = source.lines[start.line][start.column : start.column + 1] if start.line < len(source.lines) else ""
    if opener in ("[", "{"):
        where = source.at(start.line, start.column)
        closer = "]" if opener == "[" else "}"
        space = _missing_space(source, start.line)
        if space is not None:
            return space
        return Problem(
            "yaml-unclosed",
            f"this `{opener}` is never closed, or a comma is missing in it",
            (),
            where,
            f"close it with `{closer}`",
        )
    return None


def _missing_space(source: Source, line: int) -> Problem | None:
    for number in (line, line - 1, line - 2):
        if 0 <= number < len(source.lines):
            text = source.lines[number].split(" #")[0]
            match = _NO_SPACE.search(text)
            if match and '"' not in text and "'" not in text:
                where = source.at(number, match.start(), match.end())
                return Problem(
                    "yaml-blank",
                    f"no space after the colon in `{match[0]}`",
                    (),
                    where,
                    f"write `{match['key']}: {match['value']}`",
                )
    return None
