"""Variables <-> named arrays <-> safetensors bytes: no pickle, no code; shapes are checked before any assignment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from dltrain.errors import RunError

_MOST_NAMES = 5


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
