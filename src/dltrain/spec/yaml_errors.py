"""What the YAML parser stumbled over, in words that a beginner can act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dltrain.errors import Problem

if TYPE_CHECKING:
    import yaml

    from dltrain.spec.reader import Source

_NO_BLANK = re.compile(r"(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:/,}\]]+)")
_BARE_COMPARISON = re.compile(r"[:\[,]\s+(?P<bound>[<>]=?\s*[-+.\d]+)\s*$")


def explain(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    """The problem behind a parser's error, at the line that is to be mended rather than where parsing ended."""
    mark = error.problem_mark or error.context_mark
    line = min(mark.line, len(source.lines) - 1) if mark else 0
    column = mark.column if mark else 0
    text = f"{error.context or ''} {error.problem or ''}"
    return (
        _tab(source, line)
        or _comparison(source, line)
        or _unclosed(error, source, text)
        or _missing_blank(source, line)
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


def _indentation(error: yaml.MarkedYAMLError, source: Source, line: int) -> Problem | None:
    """A key that stands further in or out than the keys before it."""
    here = _indent(source, line)
    before = next((n for n in range(line - 1, -1, -1) if source.lines[n].strip()), None)
    if here is None or before is None:
        return None
    start = error.context_mark
    block = start is not None and "block" in (error.context or "") and start.line < line
    wanted = start.column if block and start is not None else _indent(source, before)
    if wanted is None or here == wanted or source.lines[before].rstrip().endswith(":"):
        return None
    message = f"this line is indented by {here}, the lines that it belongs to by {wanted}"
    return Problem("yaml-indentation", message, (), source.at(line, 0, max(here, 1)), f"indent it by {wanted}")


def _indent(source: Source, line: int) -> int | None:
    """Blanks before the first sign of a line; None for an empty one."""
    text = source.lines[line] if 0 <= line < len(source.lines) else ""
    return len(text) - len(text.lstrip(" ")) if text.strip() else None


def _two_colons(source: Source, line: int, text: str) -> Problem | None:
    if "mapping values are not allowed" not in text:
        return None
    match = re.match(r"\s*(?:- )?[\w.-]+:\s+(?P<value>.*:\s.*|.*:)$", source.lines[line].split(" #")[0].rstrip())
    if match is None:
        return None
    where = source.at(line, match.start("value"), match.end("value"))
    hint = "write a mapping as `{key: value}`, or put a text with a colon in quotes"
    return Problem("yaml-colon", "a second colon in one line", (), where, hint)


def _tab(source: Source, line: int) -> Problem | None:
    for number in (line, line - 1):
        if 0 <= number < len(source.lines):
            text = source.lines[number]
            indent = text[: len(text) - len(text.lstrip())]
            if "\t" in indent:
                column = indent.index("\t")
                where = source.at(number, column, column + 1)
                return Problem("yaml-tab", "a tab in the indentation", (), where, "YAML takes blanks only")
    return None


def _comparison(source: Source, line: int) -> Problem | None:
    for number in (line, line - 1):
        if 0 <= number < len(source.lines) and (match := _BARE_COMPARISON.search(source.lines[number])):
            where = source.at(number, match.start("bound"), match.end("bound"))
            bound = match["bound"].strip()
            return Problem(
                "yaml-quote",
                f"`{bound}` must stand in quotes",
                (),
                where,
                f'write `"{bound}"`: a bare `>` is YAML\'s own',
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
        blank = _missing_blank(source, start.line)
        if blank is not None:
            return blank
        return Problem(
            "yaml-unclosed",
            f"this `{opener}` is never closed, or a comma is missing in it",
            (),
            where,
            f"close it with `{closer}`",
        )
    return None


def _missing_blank(source: Source, line: int) -> Problem | None:
    for number in (line, line - 1, line - 2):
        if 0 <= number < len(source.lines):
            text = source.lines[number].split(" #")[0]
            match = _NO_BLANK.search(text)
            if match and '"' not in text and "'" not in text:
                where = source.at(number, match.start(), match.end())
                return Problem(
                    "yaml-blank",
                    f"no blank after the colon in `{match[0]}`",
                    (),
                    where,
                    f"write `{match['key']}: {match['value']}`",
                )
    return None
