"""Variables <-> named arrays <-> safetensors bytes: no pickle, no code; shapes are checked before any assignment."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors

from dltrain.errors import RunError

_MOST_NAMES = 5
_MOST_HEADER = 10_000_000  # bytes; that of a thousand layers has a few hundred thousand
_EXPECTED = "give a whole safetensors file, as in a run's checkpoints"
_FLOATS = ("F16", "F32", "F64")


def named_variables(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Return all variables of the model, random states included, under names that are the same in every process."""
    pairs = []
    for layer in model.layers:
        for variable in layer.variables:
            # Keras numbers seed generators across the process, so the numbers carry no information.
            path = re.sub(r"seed_generator_\d+", "seed_generator", variable.path)
            inside = path if path.split("/")[0] == layer.name else f"{layer.name}/{path}"
            pairs.append((inside, variable))
    return _unique(pairs)


def named_optimizer_variables(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Return all variables of the optimizer, under names that are the same in every process."""
    return _unique((_optimizer_path(v.path), v) for v in model.optimizer.variables)


def _optimizer_path(path: str) -> str:
    # `adam_8/…` is the eighth Adam of the process, `variable_5` its fifth unnamed variable: drop the numbers.
    return re.sub(r"(^|/)variable_\d+$", r"\1variable", re.sub(r"^([^/]*?)_\d+/", r"\1/", path))


def _unique(pairs: Iterable[tuple[str, keras.Variable]]) -> dict[str, keras.Variable]:
    named: dict[str, keras.Variable] = {}
    for path, variable in pairs:
        name, count = path, 1
        while name in named:
            name, count = f"{path}:{count}", count + 1
        named[name] = variable
    return named


def arrays(variables: Mapping[str, keras.Variable]) -> dict[str, np.ndarray]:
    """Return copies of the variables' values."""
    return {name: np.array(keras.ops.convert_to_numpy(variable.value)) for name, variable in variables.items()}


def most_bytes(model: keras.Sequential) -> int:
    """Return the maximum size of a checkpoint: the variables, the optimizer's variables, a copy of the weights that a
    callback may keep, headers and state.
    """
    numbers = [*named_variables(model).values(), *named_variables(model).values(), *model.optimizer.variables]
    return sum(math.prod(v.shape) * 8 + 1000 for v in numbers) + 4_000_000


def to_bytes(values: Mapping[str, np.ndarray]) -> bytes:
    return safetensors.save({name: np.asarray(value, order="C") for name, value in values.items()})


def from_bytes(data: bytes, file: str) -> dict[str, np.ndarray]:
    """Parse safetensors. Raises RunError if the bytes are not valid."""
    try:
        return safetensors.load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise RunError(f"{file} is damaged: {error}", reason=str(error)) from None


def check(variables: Mapping[str, keras.Variable], values: Mapping[str, np.ndarray], file: str) -> None:
    """Raise RunError if names, shapes or dtypes differ from the model's."""
    missing, extra = sorted(variables.keys() - values.keys()), sorted(values.keys() - variables.keys())
    if missing or extra:
        raise RunError(f"{file} does not fit the model: missing {_few(missing)}, unknown {_few(extra)}")
    for name, variable in variables.items():
        shape, dtype = tuple(values[name].shape), str(values[name].dtype)
        if shape != tuple(variable.shape) or dtype != str(variable.dtype):
            wanted = f"{tuple(variable.shape)} {variable.dtype}"
            raise RunError(f"{file} does not fit the model: `{name}` is {shape} {dtype}, not {wanted}")


def weights_of(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Return the weights of the model under the names of `named_variables`: without random states."""
    own = {id(variable) for variable in model.weights}
    return {name: variable for name, variable in named_variables(model).items() if id(variable) in own}


def read_fitting(
    path: Path, wanted: Mapping[str, keras.Variable]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, ...]], str]:
    """Read from a safetensors file what has the name and shape of a wanted variable; nothing else is read into memory.

    Returns:
        the values, the shape of every array in the file by name, and the SHA-256 of the file.

    Raises:
        RunError: the file cannot be read, is no safetensors file, or has values that are not finite.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RunError(f"{path} is not a plain file", _EXPECTED)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            if int.from_bytes(file.read(8), "little") > _MOST_HEADER:
                raise RunError(f"{path} is damaged: its header has more than {_MOST_HEADER:,} bytes", _EXPECTED)
        with safe_open(path, framework="numpy") as tensors:
            shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
            fitting = [name for name, variable in wanted.items() if shapes.get(name) == tuple(variable.shape)]
            kinds = {name: tensors.get_slice(name).get_dtype() for name in fitting}
            values = {name: tensors.get_tensor(name) for name in fitting if kinds[name] in _FLOATS}
    except (OSError, ValueError, SafetensorError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise RunError(f"cannot read {path}: {reason[:200]}", _EXPECTED) from None
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise RunError(f"`{name}` in {path} has values that are not finite", "take another file")
    return values, shapes, digest


def _few(names: Sequence[str]) -> str:
    """Return the first names, each cut to a readable length, and the count of the others; `nothing` for none."""
    shown = ", ".join(f"`{name[:60]}{'…' if len(name) > 60 else ''}`" for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return (shown + (f" and {more:,} more" if more > 0 else "")) or "nothing"


def assign(variables: Mapping[str, keras.Variable], values: Mapping[str, np.ndarray], file: str) -> None:
    """Assign a value to every variable.

    Raises:
        RunError: names, shapes or dtypes differ from the model's; then nothing is assigned.
    """
    check(variables, values, file)
    for name, variable in variables.items():
        variable.assign(values[name])
