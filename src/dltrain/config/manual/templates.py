"""Commented configs to start from, one for each kind of model; they are files of the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from dltrain.config.document.suggest import closest, listing
from dltrain.errors import DltrainError, UsageError

TEMPLATES = {
    "mlp": "dense layers: fast, the one to begin with",
    "cnn": "convolutions and poolings, for images",
    "lstm": "one LSTM, for sequences",
    "stacked-lstm": "an LSTM on an LSTM, for longer patterns in sequences",
    "conv-lstm": "a convolution, then an LSTM: patterns in space, then in order",
}


def text(name: str) -> str:
    """A template's YAML.

    Raises:
        UsageError: there is no such template.
    """
    if name not in TEMPLATES:
        near = closest(name, TEMPLATES)
        hint = f"did you mean `{near}`?" if near else f"there are {listing(TEMPLATES)}"
        raise UsageError(f"unknown template `{name}`", hint)
    return resources.files("dltrain").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")


def write(name: str, target: Path) -> None:
    """Makes the file `target` from a template; see `create`."""
    create(target, text(name), f"{name}.yaml")


def create(target: Path, content: str, name: str) -> None:
    """Makes a file; one that exists is left as it is.

    Args:
        target: the file.
        content: what it holds.
        name: a name to propose, where `target` is a folder.

    Raises:
        UsageError: the file cannot be made there.
        DltrainError: it could not be written; no part of it is left.
    """
    try:
        file = target.open("xb")
    except FileExistsError:
        if target.is_dir():
            raise UsageError(f"{target} is a folder", f"name a file in it: -o {target / name}") from None
        raise UsageError(f"{target} exists already", f"write to another file: -o {_other(target)}") from None
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"there is no folder {target.parent}", "make it first, or write elsewhere with -o") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {target}: {_reason(error)}") from None
    try:
        with file:
            file.write(content.encode())
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise DltrainError(f"cannot write {target}: {_reason(error)}") from None
        raise


def _other(target: Path) -> Path:
    """A free name beside a file that exists."""
    names = (target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(2, 1000))
    return next((path for path in names if not path.exists()), target.with_name(f"my-{target.name}"))


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
