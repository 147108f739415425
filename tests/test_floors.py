"""The import rules of the house."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "dltrain"
CONFIG = ("config.schema", "config.document", "config.catalogue")
CHECKED = (*CONFIG, "config.composition", "config.checks", "config.resolved")
ENGINE = ("engine.backends", "engine.events", "engine.session", "engine.inputs", "engine.model")
KERAS = {"keras", "numpy"}
# Room -> the rooms that it may import beside itself and `errors`, and the packages of others. A room of the table ends
# where another begins: `data` is `data` without `data.sources`.
RULES: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "errors": ((), set()),
    "names": ((), set()),
    "arguments": ((), set()),
    "directions": ((), set()),
    "data.facts": ((), set()),
    "data.sizes": ((), set()),
    "data.sources": (("arguments", "data.facts", "data"), {"numpy", "sklearn"}),
    "data": (("data.facts", "data.sizes", "data.sources"), {"numpy"}),
    "config.schema": (("names",), {"pydantic", "pydantic_core"}),
    "config.document": ((), {"yaml"}),
    "config.catalogue": (
        ("arguments", "directions", "data.facts", "data.sources", "config.schema", "config.document"),
        {"pydantic", "pydantic_core"},
    ),
    "config.composition": (("config.document", "config.catalogue"), set()),
    "config.checks": (
        (*CONFIG, "arguments", "data.facts", "data.sizes"),
        {"pydantic", "pydantic_core"},
    ),
    "config.resolved": (CONFIG, set()),
    "config.manual": ((*CHECKED, "arguments", "data.sources"), {"pydantic"}),
    "config.plan": ((*CHECKED, "names"), {"pydantic"}),
    "config": (("config.plan", *CONFIG), set()),
    "runs": (("names", "directions"), set()),
    "engine.events": ((), set()),
    "engine.backends": ((), {*KERAS, "tensorflow", "jax"}),
    "engine.session": (("config", "engine.backends", "engine.events"), KERAS),
    "engine.inputs": (
        ("config", "config.catalogue", "data", "engine.backends", "engine.events", "engine.model"),
        KERAS,
    ),
    "engine.model": (
        (*CONFIG, "arguments", "config", "data", "data.facts", "data.sizes", "engine.backends", "engine.session"),
        {*KERAS, "safetensors"},
    ),
    "engine.checkpoint": (("runs", "engine.model"), KERAS),
    "engine.trained": ((*ENGINE, "config", "config.catalogue", "data.facts", "runs", "engine.checkpoint"), KERAS),
    "engine.evaluation": ((*ENGINE, "config", "data", "runs", "engine.trained"), KERAS),
    "engine.training": (
        (
            *(*ENGINE, "names", "config", "config.catalogue", "data", "runs"),
            *("engine.checkpoint", "engine.trained", "engine.evaluation"),
        ),
        {*KERAS, "tensorboard"},
    ),
    "engine.dry_run": ((*ENGINE, *CONFIG, "config", "engine.training"), KERAS),
    "engine": (("engine.events", "engine.trained", "engine.evaluation", "engine.training"), set()),
    "cli": (
        (*CHECKED, "config", "config.manual", "runs", *ENGINE, "engine.training", "engine.dry_run", "engine", ""),
        {"click", "rich"},
    ),
}
MODULES = {
    ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip("."): file
    for file in sorted(SOURCE.rglob("*.py"))
}
OUTSIDE = {"", "__main__"}  # what a user of the package and the command meet: they import what they show


def imports_of(file: Path, top_level: bool = False) -> set[str]:
    """The modules that a file imports, those of functions and type checking too, by their full names."""
    names: set[str] = set()
    tree = ast.parse(file.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inside if name.removeprefix("dltrain.") in MODULES}
            names |= modules | ({node.module} if len(modules) < len(inside) else set())
    return names


def ours(file: Path) -> Iterator[str]:
    """The modules of ours that a file imports."""
    for name in imports_of(file):
        if name.split(".")[0] == "dltrain":
            yield name.removeprefix("dltrain").lstrip(".")


def room_of(module: str) -> str:
    fitting = [room for room in RULES if module == room or module.startswith(f"{room}.")]
    return max(fitting, key=len, default="")


def test_floors_every_module_has_a_room() -> None:
    assert [module for module in MODULES if module not in OUTSIDE and not room_of(module)] == []
    assert {room_of(module) for module in MODULES} - {""} == set(RULES)


@pytest.mark.parametrize("room", RULES)
def test_floors_a_room_imports_only_what_it_may(room: str) -> None:
    rooms, packages = RULES[room]
    for module, file in MODULES.items():
        if room_of(module) != room or module in OUTSIDE:
            continue
        for name in ours(file):
            assert room_of(name) in {room, "errors", *rooms}, (module, name)
        foreign = {name.split(".")[0] for name in imports_of(file)} - {"dltrain"} - sys.stdlib_module_names
        assert foreign <= packages, (module, foreign)


def test_floors_rooms_import_only_downwards() -> None:
    """The table has no circle, `data` and its sources aside: a source makes the arrays of `data` when it reads."""
    edges = {room: {*rooms} - {room} for room, (rooms, _) in RULES.items()}
    edges["data.sources"] -= {"data"}
    assert circle(edges) == []


def test_floors_there_is_no_circle_between_modules() -> None:
    edges = {module: {name for name in ours(file) if name in MODULES} for module, file in MODULES.items()}
    assert circle(edges) == []


def circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle of a graph; empty where there is none."""
    done: set[str] = set()

    def search(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(edges.get(node, ())):
            if found := search(other, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(edges) if (found := search(node, []))), [])


def test_floors_a_circle_would_be_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_floors_a_folder_holds_a_dozen_modules_at_most() -> None:
    folders = {file.parent for file in MODULES.values()} - {SOURCE / "cli"}  # a module a verb
    crowded = {folder.name: count for folder in folders if (count := len(list(folder.glob("*.py")))) > 13}
    assert crowded == {}  # a dozen, and `__init__.py`


def test_floors_sources_of_data_import_numpy_when_they_read() -> None:
    for module, file in MODULES.items():
        if room_of(module) == "data.sources":
            assert not {"numpy", "sklearn"} & {name.split(".")[0] for name in imports_of(file, top_level=True)}, module


@pytest.mark.parametrize("library", ["tensorflow", "jax"])
def test_floors_a_backend_is_imported_by_its_module_alone(library: str) -> None:
    users = [name for name, file in MODULES.items() if any(n.split(".")[0] == library for n in imports_of(file))]
    assert users
    assert all(room_of(name) == "engine.backends" and name.split(".")[2] == library for name in users)


def test_floors_rich_is_imported_by_console_alone() -> None:
    users = [f.name for f in SOURCE.rglob("*.py") if any(n.split(".")[0] == "rich" for n in imports_of(f))]
    assert users == ["console.py"]


def test_floors_no_module_loads_code_from_files() -> None:
    banned = {"pickle", "marshal", "shelve", "h5py", "dill", "joblib"}
    for file in SOURCE.rglob("*.py"):
        assert not {name.split(".")[0] for name in imports_of(file)} & banned, file
        assert "load_model" not in file.read_text(), file


def loaded_by(arguments: list[str]) -> set[str]:
    code = (
        "import sys\nfrom dltrain.cli import cli\n"
        f"try:\n    cli.main({arguments!r}, prog_name='dltrain')\nexcept SystemExit as stop:\n"
        "    assert not stop.code\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split("LOADED")[1].split())


def test_floors_help_loads_no_more_than_click() -> None:
    loaded = loaded_by(["--help"])
    assert not loaded & {"numpy", "keras", "tensorflow", "rich", "pydantic", "yaml", "matplotlib"}


def test_floors_check_loads_no_numpy_and_no_keras(tiny: Path) -> None:
    loaded = loaded_by(["check", str(tiny)])
    assert "pydantic" in loaded
    assert not loaded & {"numpy", "keras", "tensorflow", "rich"}


def test_floors_no_module_calls_what_runs_code_or_a_shell() -> None:
    banned_names = {"eval", "exec", "compile", "__import__"}
    banned_attributes = {"system", "popen", "load_model", "deserialize_keras_object", "enable_unsafe_deserialization"}
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            assert name not in banned_names, (file, node.lineno)
            assert attribute not in banned_attributes, (file, node.lineno)
            words = {keyword.arg: keyword.value for keyword in node.keywords}
            shell = words.get("shell")
            assert shell is None or (isinstance(shell, ast.Constant) and shell.value is False), (file, node.lineno)
            if attribute == "load" and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "np":
                assert ast.unparse(words["allow_pickle"]) == "False", (file, node.lineno)
            if attribute in ("load", "load_all") and ast.unparse(node.func).startswith("yaml"):
                raise AssertionError((file, node.lineno))
