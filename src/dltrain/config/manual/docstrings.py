"""What Keras says of its own classes and arguments, read from its source as text: Keras is not imported."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Definition = ast.ClassDef | ast.FunctionDef

# A line that ends the description: `Args:`, `Examples:`, `Call arguments:`, a fence of code, an example.
_END = re.compile(r"(?:[A-Z][\w ,'/`-]{0,50}:|```.*|>>>.*|#+ .*|\{\{\w+\}\})\s*")
_ARGUMENTS = re.compile(r"(?P<indent> *)Arg(?:ument)?s:\s*")
_NAMES = re.compile(r"(?P<indent> *)[`*]*(?P<names>\w+(?:[`*]*, *[`*]*\w+)*)[`*]*(?: *\([^)]*\))?: ?(?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Words:
    """A description, paragraph by paragraph, and one of each argument; all empty where Keras says nothing."""

    paragraphs: tuple[str, ...]
    arguments: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Module:
    name: str
    definitions: dict[str, Definition]
    imports: dict[str, str]
    texts: dict[str, str]


@cache
def words(module: str, name: str) -> Words:
    """The words about the class or function `name` of a module, those of its base classes where it has none."""
    found = _definition(module, name)
    if found is None:
        return Words((), {})
    home, definition = found
    text = inspect.cleandoc(ast.get_docstring(definition) or "")
    text = re.sub(r"( *)\{\{(\w+)\}\}", lambda match: _placeholder(match, home, definition), text)
    paragraphs, arguments = _paragraphs(text), _arguments(text)
    for base_module, base_name in _bases(home, definition):
        inherited = words(base_module, base_name)
        paragraphs = paragraphs or inherited.paragraphs
        arguments = inherited.arguments | arguments
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
def _module(name: str) -> _Module | None:
    root = _root()
    package, *parts = name.split(".")
    if root is None or package != "keras":
        return None
    folder = root.joinpath(*parts)
    for file in (folder.with_suffix(".py"), folder / "__init__.py"):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            continue
        return _read(name, tree)
    return None


def _read(name: str, tree: ast.Module) -> _Module:
    module = _Module(name, {}, {}, {})
    for node in tree.body:
        if isinstance(node, Definition):
            module.definitions[node.name] = node
        elif isinstance(node, ast.ImportFrom) and node.module:
            module.imports.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                module.texts[node.targets[0].id] = node.value.value
            elif isinstance(node.value, ast.Attribute | ast.Name):
                module.imports[node.targets[0].id] = _dotted(module, node.value)
    return module


def _dotted(module: _Module, node: ast.expr) -> str:
    """The full name behind `Name` or `module.Name`."""
    *parts, name = ast.unparse(node).split(".")
    if not parts:
        return module.imports.get(name, f"{module.name}.{name}")
    return ".".join([module.imports.get(parts[0], parts[0]), *parts[1:], name])


def _definition(module: str, name: str, depth: int = 5) -> tuple[_Module, Definition] | None:
    """A class or function and the module that defines it, through the imports of others."""
    found = _module(module)
    if found is None or depth == 0:
        return None
    if name in found.definitions:
        return found, found.definitions[name]
    if name in found.imports:
        home, _, own = found.imports[name].rpartition(".")
        return _definition(home, own, depth - 1)
    return None


def _bases(module: _Module, definition: Definition) -> list[tuple[str, str]]:
    if not isinstance(definition, ast.ClassDef):
        return []
    full = [_dotted(module, base) for base in definition.bases if isinstance(base, ast.Name | ast.Attribute)]
    return [(name.rpartition(".")[0], name.rpartition(".")[2]) for name in full]


def _placeholder(match: re.Match[str], module: _Module, definition: Definition) -> str:
    """The text that Keras puts in the place of `{{word}}`; it stands in the module of a base class."""
    indent, word = match[1][:4], match[2]  # one placeholder of Keras stands deeper than its text belongs
    homes = [module.name, *(base_module for base_module, _ in _bases(module, definition))]
    for home in homes:
        text = _text(home, word)
        if text is not None:
            lines = inspect.cleandoc(text).splitlines()
            return "\n".join(indent + line if line else line for line in lines)
    return ""


def _text(module: str, word: str, depth: int = 5) -> str | None:
    found = _module(module)
    if found is None or depth == 0:
        return None
    if word in found.texts:
        return found.texts[word]
    if word in found.imports:
        home, _, own = found.imports[word].rpartition(".")
        return _text(home, own, depth - 1)
    return None


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
