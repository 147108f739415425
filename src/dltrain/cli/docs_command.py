from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from dltrain.cli import completion

if TYPE_CHECKING:
    from dltrain.config.manual.pages import Page

_ASK = (
    ("dltrain docs train", "a section and its keys"),
    ("dltrain docs train.epochs", "one key"),
    ("dltrain docs layers", "all objects of a kind"),
    ("dltrain docs Conv2D", "one object, with its arguments"),
    ("dltrain docs Conv2D.padding", "one argument"),
)
_ITEM = re.compile(r"\s*([-*+]|\d+[.)]) ")


@click.command("docs")
@click.argument("name", required=False, shell_complete=completion.names)
def command(name: str | None) -> None:
    """Explain NAME: a config key, a Keras object, one of its arguments, or a data set.

    \b
    dltrain docs train.callbacks
    dltrain docs Conv2D
    dltrain docs Adam.learning_rate
    """
    from dltrain.config.manual import pages as manual

    width = max(40, min(100, shutil.get_terminal_size().columns)) if sys.stdout.isatty() else 80
    if name is None or not name.strip():
        parts = [_page(page, width) for page in manual.overview()]
        parts.append([_bold("How to ask"), *_table((), _ASK, width)])
    else:
        parts = [_page(page, width) for page in manual.look_up(name)]
    color = False if os.environ.get("NO_COLOR") else None
    click.echo("\n\n".join("\n".join(lines) for lines in parts), color=color)


def _page(page: Page, width: int) -> list[str]:
    """Return the lines of a page, with an empty line between its parts."""
    from dltrain.cli.diagnostics import printable

    parts = [[f"{_bold(printable(page.title))} — {page.what}"]]
    parts += [_wrapped(text, width) for text in page.text]
    parts.append([f"{name:<9}{line}" for name, text in page.facts for line in _fact(text, width)])
    parts.append(_table(page.head, page.rows, width))
    parts.append(_filled(", ".join(page.names), width, "  "))
    if page.example:
        parts.append([_bold("Example"), *(f"  {line}" for line in page.example.splitlines())])
    if page.also:
        parts.append(_filled(f"See also: {', '.join(page.also)}", width, ""))
    if not page.text and page.rows:
        return [*parts[0], *(line for part in parts[1:] for line in part)]
    return [line for index, part in enumerate(filter(None, parts)) for line in ([""] if index else []) + part]


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _fact(text: str, width: int) -> list[str]:
    return ["\n         ".join(_filled(_plain(text), width - 9, ""))]


def _plain(text: str) -> str:
    """Remove backticks, which a table does not need."""
    return text.replace("`", "")


def _filled(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def _wrapped(text: str, width: int) -> list[str]:
    """Rewrap text from a Keras docstring; list items, code and empty lines stay separate."""
    from dltrain.cli.diagnostics import printable

    lines: list[str] = []
    for block in _blocks(text):
        if block[:1] == ["```"]:
            lines += [printable(line) for line in block[1:]]
            continue
        words = " ".join(printable(word) for line in block for word in line.split())
        hanging = "  " if _ITEM.match(words) else ""
        lines += textwrap.wrap(
            words, width, subsequent_indent=hanging, break_on_hyphens=False, break_long_words=False
        ) or [""]
    return lines


def _blocks(text: str) -> Iterator[list[str]]:
    """Split text into paragraphs, list items and code; a code block starts with a line of three backticks."""
    block: list[str] = []
    for line in text.splitlines():
        code = block[:1] == ["```"]
        if line.strip().startswith("```"):
            yield block
            block = [] if code else ["```"]
        elif not code and (not line.strip() or _ITEM.match(line)):
            yield block
            if not line.strip():
                yield []
            block = [line] if line.strip() else []
        else:
            block.append(line)
    yield block


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Format rows as columns with wrapped cells; the last column takes the remaining width."""
    if not rows:
        return []
    cells = [[_plain(cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    *fixed, _ = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    widest = max(24, width - fixed[0] - 32)  # a middle column; leaves room for the last one
    fixed = [fixed[0], *(min(size, widest) for size in fixed[1:])]
    rest = max(16, width - 2 - sum(size + 2 for size in fixed))
    lines = []
    for number, row in enumerate(cells):
        columns = [_filled(cell, size, "") or [""] for cell, size in zip(row, (*fixed, rest), strict=True)]
        for index in range(max(map(len, columns))):
            parts = [column[index] if index < len(column) else "" for column in columns]
            line = "  " + "  ".join(part.ljust(size) for part, size in zip(parts, (*fixed, 0), strict=True)).rstrip()
            lines.append(click.style(line, dim=True) if head and number == 0 else line)
    return lines
