"""The import rules between the parts of the package, and banned imports and calls."""

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
# Part -> the parts that it may import besides itself and `errors`, and the third-party packages. A part excludes the
# parts nested in it: `data` is `data` without `data.sources`.
RULES: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "errors": ((), set()),
    "names": ((), set()),
    "calls": ((), set()),
    "directions": ((), set()),
    "arguments": ((), set()),
    "data.facts": ((), set()),
    "data.sizes": ((), set()),
    "data.sources": (
        (
            "arguments",
            "data.facts",
            "data",
            "data.images",
            "data.downloads",
            "data.folders",
            "data.numpy_files",
            "data.tables",
            "data.series",
            "data.text",
        ),
        {"numpy", "sklearn"},
    ),
    "data": (("data.facts", "data.sizes", "data.numpy_files", "data.sources"), {"numpy"}),
    "data.numpy_files": (("data.facts",), set()),
    "data.folders": (("data.facts",), set()),
    "data.learnt": (("data.facts",), {"numpy"}),
    "data.tables": (("data.facts", "data", "data.images", "data.learnt"), {"numpy", "pyarrow"}),
    "data.series": (("data.facts", "data", "data.learnt", "data.numpy_files", "data.tables"), {"numpy"}),
    "data.text": (("data.facts", "data", "data.folders", "data.learnt", "data.tables"), {"numpy", "tokenizers"}),
    "data.images": (("data.facts", "data", "data.folders", "data.numpy_files"), {"numpy", "PIL"}),
    "data.overview": (("data.facts", "data", "data.learnt"), {"numpy", "matplotlib"}),
    "data.downloads": (("data",), {"numpy"}),
    "data.guesses": (
        (
            "data.facts",
            "data",
            "data.folders",
            "data.images",
            "data.numpy_files",
            "data.tables",
            "data.text",
            "data.sources",
        ),
        {"numpy"},
    ),
    "config.annotations": ((), {"pydantic", "pydantic_core"}),
    "config.schema": (("names", "config.annotations"), {"pydantic", "pydantic_core"}),
    "config.document": ((), {"yaml"}),
    "config.catalogue": (
        ("arguments", "directions", "data.facts", "data.sources", "config.schema", "config.document"),
        {"pydantic", "pydantic_core"},
    ),
    "config.composition": (("config.document", "config.catalogue"), set()),
    "config.checks": (
        (*CONFIG, "arguments", "names", "data.facts", "data.sizes"),
        {"pydantic", "pydantic_core"},
    ),
    "config.resolved": ((*CONFIG, "data.facts"), set()),
    "config.manual": (
        (*CHECKED, "arguments", "names", "data.facts", "data.sizes", "data.sources", "data.guesses", "config.plan"),
        {"pydantic"},
    ),
    "config.plan": ((*CHECKED, "calls", "names", "data.facts"), {"pydantic"}),
    "config": (("config.plan", *CONFIG), set()),
    "runs": (("calls", "names", "directions"), set()),
    "engine.events": ((), set()),
    "engine.backends": ((), {*KERAS, "tensorflow", "jax"}),
    "engine.ambient": ((), {"keras", "numpy"}),
    "engine.session": (("config", "engine.ambient", "engine.backends", "engine.events"), KERAS),
    "engine.machine": (("runs", "engine.backends", "engine.session"), set()),
    "engine.inputs": (
        ("config", "config.catalogue", "data", "engine.backends", "engine.events", "engine.model"),
        KERAS,
    ),
    "engine.model": (
        (*CONFIG, "arguments", "config", "data", "data.facts", "data.sizes", "engine.backends", "engine.session"),
        {*KERAS, "safetensors"},
    ),
    "engine.checkpoint": (("names", "runs", "engine.model"), KERAS),
    "engine.trained": (
        (*ENGINE, "config", "config.catalogue", "data", "data.facts", "runs", "engine.checkpoint"),
        KERAS,
    ),
    "metrics": ((), {"numpy"}),
    "engine.evaluation": (
        (
            *ENGINE,
            "calls",
            "config",
            "config.catalogue",
            "data",
            "data.learnt",
            "metrics",
            "runs",
            "engine.trained",
        ),
        KERAS,
    ),
    "engine.training": (
        (
            *ENGINE,
            "calls",
            "names",
            "config",
            "config.catalogue",
            "config.document",
            "data",
            "runs",
            "engine.checkpoint",
            "engine.machine",
            "engine.trained",
            "engine.evaluation",
        ),
        {*KERAS, "tensorboard"},
    ),
    "engine.description": (
        (
            "calls",
            "config",
            "data",
            "data.overview",
            "engine.events",
            "engine.inputs",
            "engine.model",
            "engine.session",
        ),
        {"numpy"},
    ),
    "engine.dry_run": ((*ENGINE, *CONFIG, "config", "engine.training"), KERAS),
    "engine.prediction": (
        (
            *ENGINE,
            "calls",
            "config.catalogue",
            "data",
            "data.facts",
            "data.learnt",
            "data.sources",
            "runs",
            "engine.trained",
        ),
        KERAS,
    ),
    "engine.answers": (("engine.prediction",), {"numpy"}),
    "engine": (
        (
            "engine.events",
            "engine.description",
            "engine.trained",
            "engine.evaluation",
            "engine.prediction",
            "engine.training",
        ),
        set(),
    ),
    "cli": (
        (
            *CHECKED,
            "config",
            "config.manual",
            "data.downloads",
            "metrics",
            "runs",
            *ENGINE,
            "engine.machine",
            "engine.training",
            "engine.description",
            "engine.dry_run",
            "engine.prediction",
            "engine.answers",
            "engine",
            "",
        ),
        {"click", "rich"},
    ),
}
MODULES = {
    ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip("."): file
    for file in sorted(SOURCE.rglob("*.py"))
}
OUTSIDE = {"", "__main__"}  # the entry points of the package and the command: they import what they expose


def imports_of(file: Path, top_level: bool = False) -> set[str]:
    """Return the full names of the modules that a file imports, in functions and for type checking too."""
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


def own_imports(file: Path) -> Iterator[str]:
    """Yield the modules of dltrain that a file imports."""
    for name in imports_of(file):
        if name.split(".")[0] == "dltrain":
            yield name.removeprefix("dltrain").lstrip(".")


def part_of(module: str) -> str:
    fitting = [part for part in RULES if module == part or module.startswith(f"{part}.")]
    return max(fitting, key=len, default="")


def test_floors_every_module_belongs_to_a_part() -> None:
    assert [module for module in MODULES if module not in OUTSIDE and not part_of(module)] == []
    assert {part_of(module) for module in MODULES} - {""} == set(RULES)


@pytest.mark.parametrize("part", RULES)
def test_floors_parts_import_only_what_the_table_allows(part: str) -> None:
    parts, packages = RULES[part]
    for module, file in MODULES.items():
        if part_of(module) != part or module in OUTSIDE:
            continue
        for name in own_imports(file):
            assert part_of(name) in {part, "errors", *parts}, (module, name)
        foreign = {name.split(".")[0] for name in imports_of(file)} - {"dltrain"} - sys.stdlib_module_names
        assert foreign <= packages, (module, foreign)


def test_floors_parts_import_only_downwards() -> None:
    """The table has no cycle except `data` and its sources: a source creates the arrays of `data` when it reads."""
    edges = {part: {*parts} - {part} for part, (parts, _) in RULES.items()}
    edges["data.sources"] -= {"data", "data.images", "data.downloads", "data.tables", "data.series", "data.text"}
    assert find_cycle(edges) == []


def test_floors_modules_have_no_import_cycle() -> None:
    edges = {module: {name for name in own_imports(file) if name in MODULES} for module, file in MODULES.items()}
    assert find_cycle(edges) == []


def find_cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return one cycle of a graph; empty if there is none."""
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


def test_floors_find_cycle_finds_a_cycle() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_floors_folders_have_at_most_a_dozen_modules() -> None:
    folders = {file.parent for file in MODULES.values()} - {SOURCE / "cli"}  # one module per verb
    crowded = {folder.name: count for folder in folders if (count := len(list(folder.glob("*.py")))) > 13}
    assert crowded == {}  # a dozen, and `__init__.py`


def test_floors_data_sources_import_numpy_lazily() -> None:
    for module, file in MODULES.items():
        if part_of(module) == "data.sources":
            assert not {"numpy", "sklearn", "PIL"} & {
                name.split(".")[0] for name in imports_of(file, top_level=True)
            }, module


@pytest.mark.parametrize("library", ["tensorflow", "jax"])
def test_floors_backend_libraries_are_imported_only_by_their_module(library: str) -> None:
    users = [name for name, file in MODULES.items() if any(n.split(".")[0] == library for n in imports_of(file))]
    assert users
    assert all(part_of(name) == "engine.backends" and name.split(".")[2] == library for name in users)


def test_floors_rich_is_imported_only_by_console() -> None:
    users = [f.name for f in SOURCE.rglob("*.py") if any(n.split(".")[0] == "rich" for n in imports_of(f))]
    assert users == ["console.py"]


def test_floors_no_module_loads_code_from_files() -> None:
    banned = {"pickle", "marshal", "shelve", "h5py", "dill", "joblib"}
    for module, file in MODULES.items():
        allowed = {"pickle"} if module == "data.downloads.pickles" else set()
        assert not {name.split(".")[0] for name in imports_of(file)} & banned - allowed, file
        assert "load_model" not in file.read_text(), file


def test_floors_pickles_are_read_by_a_class_that_looks_names_up_in_a_table() -> None:
    tree = ast.parse(MODULES["data.downloads.pickles"].read_text())
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pickle"]
    assert [ast.unparse(node) for node in used] == ["pickle.Unpickler"]
    (reader,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "_Unpickler"]
    assert [node.name for node in reader.body if isinstance(node, ast.FunctionDef)] == ["find_class"]
    assert "super" not in ast.unparse(reader)


def loaded_by(arguments: list[str]) -> set[str]:
    code = (
        "import sys\nfrom dltrain.cli import cli\n"
        f"try:\n    cli.main({arguments!r}, prog_name='dltrain')\nexcept SystemExit as stop:\n"
        "    assert not stop.code\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split("LOADED")[1].split())


def test_floors_help_loads_no_large_libraries() -> None:
    loaded = loaded_by(["--help"])
    assert not loaded & {"numpy", "keras", "tensorflow", "rich", "pydantic", "yaml", "matplotlib"}


def test_floors_check_loads_no_numpy_and_no_keras(tiny: Path) -> None:
    loaded = loaded_by(["check", str(tiny)])
    assert "pydantic" in loaded
    assert not loaded & {"numpy", "keras", "tensorflow", "rich", "PIL"}


def test_floors_data_loads_no_keras(tiny: Path) -> None:
    loaded = loaded_by(["data", str(tiny)])
    assert "numpy" in loaded
    assert not loaded & {"keras", "tensorflow", "matplotlib", "PIL"}


def test_floors_no_module_executes_code_or_a_shell() -> None:
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
