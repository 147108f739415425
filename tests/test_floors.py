"""The import rules of the house."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "dltrain"
MAY_IMPORT = {
    "errors.py": set(),
    "directions.py": set(),
    "config": {"errors", "directions", "config"},
    "runs": {"errors", "directions", "runs"},
    "data": {"errors", "config", "data"},
    "engine": {"errors", "config", "data", "runs", "engine"},
    "cli": {"errors", "config", "data", "runs", "engine", "cli"},
}
FOREIGN = {
    "errors.py": set(),
    "directions.py": set(),
    "runs": set(),
    "config": {"yaml", "pydantic", "pydantic_core"},
    "data": {"numpy", "sklearn"},
    "engine": {"numpy", "keras", "tensorflow", "jax", "safetensors", "tensorboard"},
    "cli": {"click", "rich"},
}


def imports_of(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"dltrain.{alias.name}" for alias in node.names} if node.module == "dltrain" else {node.module}
    return names


def files_of(floor: str) -> list[Path]:
    path = SOURCE / floor
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("floor", MAY_IMPORT)
def test_floors_import_only_downwards_and_only_what_they_may(floor: str) -> None:
    files = files_of(floor)
    assert files
    for file in files:
        for name in imports_of(file):
            top, *rest = name.split(".")
            if top == "dltrain":
                assert not rest or rest[0] in MAY_IMPORT[floor] or rest[0] == "__version__", (file, name)
            elif top not in sys.stdlib_module_names:
                assert top in FOREIGN[floor], (file, name)


@pytest.mark.parametrize("library", ["tensorflow", "jax"])
def test_floors_a_backend_is_imported_by_its_module_alone(library: str) -> None:
    users = [f.name for f in SOURCE.rglob("*.py") if any(n.split(".")[0] == library for n in imports_of(f))]
    assert {name.split(".")[0].split("_")[0] for name in users} == {library}


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
