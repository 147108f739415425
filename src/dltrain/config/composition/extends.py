"""`extends: base.yaml`: a config that builds on another one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dltrain.config.catalogue.objects import FIELDS
from dltrain.config.document.reader import MAX_BYTES, ReadError, decode, read
from dltrain.config.document.source import Node
from dltrain.config.document.suggest import near_files, shown
from dltrain.errors import Fix, Problem, Where

MAX_CHAIN = 16


def read_chain(file: str, data: bytes, alone: bool = False) -> Node:
    """Return the tree of a config, merged with everything that it extends.

    Mappings merge; everything else, lists too, is replaced; a Keras object with another name replaces the old
    one; a key of a section that is set to nothing gets its default back.

    Raises:
        ReadError: a file of the chain cannot be read, or the chain is a cycle or too long.
    """
    trees = [_tree(file, data)]
    chain = [Path(file)]
    while (link := trees[-1].value.pop("extends", None)) is not None:
        if alone:
            problem = Problem(
                "extends", "the config of a run cannot extend another", ("extends",), link.where, Fix("remove")
            )
            raise ReadError(problem)
        base = _base(chain, link)
        trees.append(_tree(str(base), _bytes(base, link.where)))
        chain.append(base)
    merged = trees.pop()
    while trees:
        merged = _merge(merged, trees.pop(), ())
    return merged


def _tree(file: str, data: bytes) -> Node:
    tree = read(file, decode(file, data))
    if isinstance(tree.value, dict):
        return tree
    message = f"a config is a mapping of sections, not {shown(tree.plain())}"
    hint = "it has the sections `data`, `model` and `train`"
    raise ReadError(Problem("wrong-type", message, (), tree.where, hint))


def _base(chain: list[Path], link: Node) -> Path:
    """Return the file that the last of the chain extends."""

    def error(message: str, hint: str = "") -> ReadError:
        return ReadError(Problem("extends", message, ("extends",), link.where, hint))

    if not isinstance(link.value, str) or not link.value or "\0" in link.value:
        raise error(f"`extends` must be a file, not {shown(link.plain())}", "write `extends: base.yaml`")
    if Path(link.value).is_absolute():
        raise error(f"`extends` takes a path relative to this file, not {shown(link.value)}", "as in `../base.yaml`")
    base = chain[-1].parent / link.value
    known = [_identity(path) for path in chain]
    if _identity(base) in known:
        loop = [*chain[known.index(_identity(base)) :], base]
        raise error(f"a cycle: {' extends '.join(path.name for path in loop)}", "remove one of them")
    if len(chain) >= MAX_CHAIN:
        raise error(f"a chain of more than {MAX_CHAIN} configs", "merge some of them into one")
    return base


def _identity(path: Path) -> str:
    try:
        return str(path.resolve())
    except (OSError, RuntimeError):  # a loop of symbolic links
        return str(path)


def _bytes(path: Path, where: Where) -> bytes:
    """Read a base: only a plain file, which never blocks."""

    def error(message: str, hint: str = "") -> ReadError:
        return ReadError(Problem("extends", message, ("extends",), where, hint))

    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise error(f"{path} is {'a directory, not a config' if stat.S_ISDIR(mode) else 'not a plain file'}")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise error(f"{path} is not a plain file")
            return stream.read(MAX_BYTES + 1) or b""
    except FileNotFoundError:
        raise error(f"no such config: {path}", near_files(path) or "the path is relative to this file") from None
    except OSError as failure:
        raise error(f"cannot read {shown(str(path))}: {failure.strerror or failure}") from None


def read_limited(path: Path) -> bytes:
    """Return the bytes of a file, at most one more than a config may have."""
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _merge(base: Node, over: Node, path: tuple[str, ...]) -> Node:
    if path in FIELDS:
        return _merge_object(base, over)
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        if child.value is None and key in merged:
            del merged[key]
        elif key in merged:
            merged[key] = _merge(merged[key], child, (*path, key))
        else:
            merged[key] = child
    return _mapping(merged, over)


def _merge_object(base: Node, over: Node) -> Node:
    """Merge two objects written `Name: {arguments}`: under the same name, arguments merge."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict) and base.value.keys() == over.value.keys()):
        return over
    merged = {}
    for name, given in over.value.items():
        before = base.value[name]
        if isinstance(before.value, dict) and isinstance(given.value, dict):
            both = before.value.keys() & given.value.keys()
            arguments = before.value | given.value
            arguments |= {key: _merge_object(before.value[key], given.value[key]) for key in both}
            merged[name] = _mapping(arguments, given)
        else:
            merged[name] = given
    return _mapping(merged, over)


def _mapping(entries: dict[str, Node], over: Node) -> Node:
    return Node(entries, over.where, over.key, 1 + sum(child.size for child in entries.values()))
