"""What Keras says of its own classes and arguments, read from its source as text: Keras is not imported.

The catalogue says which docstrings are a class's own and its bases', so that no import has to be followed here.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# A line that ends the description: `Args:`, `Examples:`, `Call arguments:`, a fence of code, an example.
_END = re.compile(r"(?:[A-Z][\w ,'/`-]{0,50}:|```.*|>>>.*|#+ .*|\{\{\w+\}\})\s*")
_ARGUMENTS = re.compile(r"(?P<indent> *)Arg(?:ument)?s:\s*")
_NAMES = re.compile(r"(?P<indent> *)[`*]*(?P<names>\w+(?:[`*]*, *[`*]*\w+)*)[`*]*(?: *\([^)]*\))?: ?(?P<text>.*)")
_PLACEHOLDER = re.compile(r"( *)\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Words:
    """A description, paragraph by paragraph, and one of each argument; all empty where Keras says nothing."""

    paragraphs: tuple[str, ...]
    arguments: dict[str, str]


@cache
def words(homes: tuple[str, ...]) -> Words:
    """The words about a class or function.

    Args:
        homes: where docstrings about it stand, as `keras.src.layers.core.dense.Dense`: its own, then those of its
            bases, which say what it leaves out.
    """
    paragraphs: tuple[str, ...] = ()
    arguments: dict[str, str] = {}
    for home in homes:
        text = _PLACEHOLDER.sub(lambda match: _replaced(match, homes), _text(home))
        paragraphs = paragraphs or _paragraphs(text)
        arguments = _arguments(text) | arguments
    return Words(paragraphs, arguments)


def readable() -> bool:
    """Whether the installed Keras has its source beside it."""
    return _root() is not None


@cache
def _root() -> Path | None:
    try:
        found = find_spec("keras")
    except (ImportError, ValueError):
        return None
    return Path(found.origin).parent if found is not None and found.origin else None


@cache
def _texts(module: str) -> dict[str, str]:
    """The docstrings of a module's classes and functions, and its strings, by their names."""
    root, texts = _root(), {}
    if root is None:
        return {}
    file = root.joinpath(*module.split(".")[1:]).with_suffix(".py")
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return {}
    for node in tree.body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                texts[node.name] = ast.get_docstring(node) or ""
            case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(str(text))):
                texts[name] = inspect.cleandoc(text)
    return texts


def _text(home: str) -> str:
    module, _, name = home.rpartition(".")
    return _texts(module).get(name, "")


def _replaced(match: re.Match[str], homes: Iterable[str]) -> str:
    """The text that Keras puts in the place of `{{word}}`; it stands in the module of a base class."""
    indent, word = match[1][:4], match[2]  # one placeholder of Keras stands deeper than its text belongs
    found = (_texts(home.rpartition(".")[0]).get(word, "") for home in homes)
    return "\n".join(indent + line if line else line for line in next(filter(None, found), "").splitlines())


def _paragraphs(text: str) -> tuple[str, ...]:
    """The description before the first section, each paragraph with its line breaks."""
    lines: list[str] = []
    for line in text.splitlines():
        if _END.fullmatch(line):
            break
        lines.append(line)
    blocks = re.split(r"\n\s*\n", "\n".join(lines).strip())
    return tuple(block for block in blocks if block.strip())


def _arguments(text: str) -> dict[str, str]:
    """The entries of the sections `Args:` and `Arguments:`."""
    found: dict[str, str] = {}
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if (header := _ARGUMENTS.fullmatch(line)) is not None:
            found = _entries(lines[start + 1 :], len(header["indent"])) | found
    return found


def _entries(lines: list[str], outer: int) -> dict[str, str]:
    """`name: text` blocks, each indented further than `outer`; two names before one colon share the text."""
    found: dict[str, str] = {}
    inner, names = 0, [""]
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent <= outer:
            break
        match = _NAMES.fullmatch(line)
        if match is not None and indent <= (inner or indent):
            inner = inner or indent
            names = [name.strip(" `*") for name in match["names"].split(",")]
            line = match["text"]
        for name in names:
            found[name] = f"{found[name]}\n{line}" if name in found else line
    return {name: inspect.cleandoc(text) for name, text in found.items() if name}
