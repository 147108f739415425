"""Strict YAML: text -> a tree of nodes in which every key and value knows its line and column.

It differs from `yaml.safe_load`: numbers are those of YAML 1.2 (`1e-3` is a number; `010`, `12:30` and
`1_000` are strings), only `true` and `false` are booleans, a duplicate key is an error, tags are refused,
and an alias counts as many nodes as it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from typing import Any

import yaml

from dltrain.config.document.source import LINE_BREAK, Node, Source
from dltrain.config.document.suggest import listing
from dltrain.config.document.syntax import explain
from dltrain.errors import Origin, Problem, Where

# Limits far above what a config needs; below them, every check takes linear time and less than a second.
MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_NODES = 60_000
MAX_ENTRIES = 1_000
MAX_LENGTH = 1_000  # characters of a value
MAX_KEY = 200
MAX_DIGITS = 40

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_INFINITE = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class ReadError(Exception):
    """The text is not valid YAML for dltrain; reading stopped at `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def decode(name: str, data: bytes) -> str:
    """Decode UTF-8 bytes, without a byte-order mark.

    Raises:
        ReadError: too many bytes, invalid UTF-8, or a character that YAML forbids.
    """
    if len(data) > MAX_BYTES:
        where = Where(name, 1, 1, 2, "")
        raise ReadError(
            Problem(
                "too-large",
                f"the file has {len(data):,} bytes; a config has at most {MAX_BYTES:,}",
                (),
                where,
            )
        )
    if data[:2].count(0) == 1 or data[:4].count(0) > 1:  # a config begins with a plain letter, which is one byte
        where = Where(name, 1, 1, 2, "")
        raise ReadError(
            Problem("utf-8", "the file is UTF-16 or UTF-32, not UTF-8", (), where, "save the file as UTF-8")
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        *above, here = LINE_BREAK.split(before)
        line, column = len(above), len(here)
        shown = data.decode("utf-8-sig", "replace")
        where = Source(name, shown).at(line, column)
        byte = data[error.start]
        raise ReadError(
            Problem("utf-8", f"byte 0x{byte:02x} is not valid UTF-8", (), where, "save the file as UTF-8")
        ) from None
    return text.replace("\r\n", "\n")


def read(name: str, text: str, origin: Origin = "file") -> Node:
    """Return the tree of the one YAML document in `text`.

    Raises:
        ReadError: at the first place that is not strict YAML, is a cycle or exceeds a limit.
    """
    source = Source(name, text, origin)
    try:
        root = _Composer(source, yaml.parse(text, Loader=_LOADER)).document()
    except yaml.reader.ReaderError as error:
        *above, here = LINE_BREAK.split(text[: error.position])
        line, column = len(above), len(here)
        code_point = error.character if isinstance(error.character, int) else ord(str(error.character)[0])
        raise ReadError(
            Problem(
                "yaml-syntax",
                f"the character U+{code_point:04X} is not allowed in YAML",
                (),
                source.at(line, column),
                "remove it, or write it as an escape inside double quotes",
            )
        ) from None
    except yaml.MarkedYAMLError as error:
        raise ReadError(explain(error, source)) from None
    if root is None:
        raise ReadError(
            Problem(
                "empty",
                "the file contains no config",
                (),
                source.at(0, 0),
                "a config has the sections `data`, `model` and `train`",
            )
        )
    return root


def _twice(key: str, first: Where) -> str:
    if key[:1].isupper():
        return f"put `- ` before it, and before the one in line {first.line}: layers are a list"
    return f"it was given before, at line {first.line}, column {first.column}: remove one of them"


class _Composer:
    """Parser events -> nodes, at most `MAX_DEPTH` deep."""

    def __init__(self, source: Source, events: Iterator[Any]) -> None:
        self.source = source
        self.events = events
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self.error(event, "documents", "a second YAML document begins here", "keep one per file")
                root = self.node(next(self.events), 0)
        if root is not None and root.value is None and not root.quoted:
            return None
        return root

    def bounded(self, event: Any, noun: str, text: str | None, length: int) -> None:
        """Refuse a text that is too long for what comes after to explain it."""
        if text is not None and len(text) > length:
            message = f"{noun} with {len(text):,} characters begins here"
            raise self.error(event, "too-long", message, f"use at most {length:,}")

    def entries(self, entries: Sized, event: Any) -> None:
        if len(entries) > MAX_ENTRIES:
            message = f"more than {MAX_ENTRIES:,} entries in one list or mapping"
            raise self.error(event, "too-many-entries", message)

    def node(self, event: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error(event, "too-deep", f"nested deeper than {MAX_DEPTH} levels", "a config has 5 to 10 levels")
        self.bounded(event, "an anchor", event.anchor, MAX_KEY)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        self.bounded(event, "a tag", event.tag, MAX_KEY)
        if event.tag is not None and event.tag != "!":
            raise self.error(
                event, "tag", f"the tag `{event.tag}` is not supported", "remove it: values have plain types"
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        self.count(1, event)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise self.error(event, "too-many-nodes", f"the config has more than {MAX_NODES:,} values")

    def alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            known = listing(f"&{name}" for name in self.anchors) or "none"
            raise self.error(event, "alias", f"no anchor `&{event.anchor}` before `*{event.anchor}`", f"known: {known}")
        target = self.anchors[event.anchor]
        if target is None:
            raise self.error(event, "cycle", f"`*{event.anchor}` is inside the value that it refers to")
        self.count(target.size, event)
        where = self.source.between(event.start_mark, event.end_mark)
        return Node(target.value, where, None, target.size, target.quoted)

    def sequence(self, event: Any, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(child := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(child, depth + 1))
            self.entries(items, child)
        where = self.source.between(event.start_mark, child.end_mark)
        return Node(items, where, None, 1 + sum(item.size for item in items))

    def mapping(self, event: Any, depth: int) -> Node:
        entries: dict[str, Node] = {}
        merged: list[Node] = []
        while not isinstance(key_event := next(self.events), yaml.MappingEndEvent):
            key = self.key(key_event)
            key_where = self.source.between(key_event.start_mark, key_event.end_mark)
            value = self.node(next(self.events), depth + 1)
            value.key = key_where
            if key == "<<" and not key_event.style:
                merged.extend(self.merge_sources(value, key_event))
            elif key in entries:
                first = entries[key].key or key_where
                raise ReadError(
                    Problem(
                        "duplicate-key",
                        f"the key `{key}` is given twice",
                        (),
                        key_where,
                        _twice(key, first),
                    )
                )
            else:
                entries[key] = value
                self.entries(entries, key_event)
        for base in merged:
            for key, child in base.value.items():
                entries.setdefault(key, child)
        self.entries(entries, event)
        where = self.source.between(event.start_mark, key_event.end_mark)
        return Node(entries, where, None, 1 + sum(child.size for child in entries.values()))

    def merge_sources(self, value: Node, event: Any) -> list[Node]:
        sources = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(item.value, dict) for item in sources):
            raise self.error(event, "merge", "`<<` takes a mapping or a list of mappings", "write `<<: *name`")
        self.count(sum(item.size for item in sources), event)
        return list(sources)

    def key(self, event: Any) -> str:
        if isinstance(event, yaml.ScalarEvent) and event.tag in (None, "!"):
            self.bounded(event, "a key", event.value, MAX_KEY)
            self.bounded(event, "an anchor", event.anchor, MAX_KEY)
            if event.anchor is not None:
                self.anchors[event.anchor] = self.scalar(event)
            self.count(1, event)
            return str(event.value)
        raise self.error(event, "key", "a key must be a plain string")

    def scalar(self, event: Any) -> Node:
        self.bounded(event, "a value", event.value, MAX_LENGTH)
        where = self.source.between(event.start_mark, event.end_mark)
        quoted = bool(event.style)  # libyaml says "" for a plain scalar, PyYAML's own parser None
        return Node(event.value if quoted else self.resolve(event), where, None, 1, quoted)

    def resolve(self, event: Any) -> bool | int | float | str | None:
        text: str = event.value
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise self.error(event, "digits", f"a number with {len(text):,} digits", f"use at most {MAX_DIGITS}")
            return int(text)
        if text.lower() in _INFINITE:
            return _INFINITE[text.lower()]
        if _FLOAT.fullmatch(text) and not _LEADING_ZERO.fullmatch(text):
            return float(text)
        return text

    def error(self, event: Any, code: str, message: str, hint: str = "") -> ReadError:
        return ReadError(Problem(code, message, (), self.source.between(event.start_mark, event.end_mark), hint))
