"""Variables <-> named arrays <-> safetensors bytes: no pickle, no code, shapes checked before anything is assigned."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import keras
import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from dltrain.errors import RunError


def named_variables(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Every variable of the model, random states included, under a name that is the same in every process."""
    pairs = []
    for layer in model.layers:
        for variable in layer.variables:
            # Keras counts seed generators over the whole process, so their numbers say nothing.
            path = re.sub(r"seed_generator_\d+", "seed_generator", variable.path)
            inside = path if path.split("/")[0] == layer.name else f"{layer.name}/{path}"
            pairs.append((inside, variable))
    return _unique(pairs)


def named_optimizer_variables(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Every variable of the optimizer, under a name that is the same in every process."""
    return _unique((_optimizer_path(v.path), v) for v in model.optimizer.variables)


def _optimizer_path(path: str) -> str:
    # `adam_8/…` is the eighth Adam of the process, `variable_5` its fifth nameless variable: the numbers say nothing.
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
    """Copies of the variables' values."""
    return {name: np.array(keras.ops.convert_to_numpy(variable.value)) for name, variable in variables.items()}


def most_bytes(model: keras.Sequential) -> int:
    """The most that a checkpoint of the model can have: its variables, the optimizer's, and the weights once more,
    as a callback may keep them; headers and state beside.
    """
    numbers = [*named_variables(model).values(), *named_variables(model).values(), *model.optimizer.variables]
    return sum(math.prod(v.shape) * 8 + 1000 for v in numbers) + 4_000_000


def to_bytes(values: Mapping[str, np.ndarray]) -> bytes:
    return safetensors.save({name: np.asarray(value, order="C") for name, value in values.items()})


def from_bytes(data: bytes, file: str) -> dict[str, np.ndarray]:
    """Raises:
    RunError: the bytes are not safetensors.
    """
    try:
        return safetensors.load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise RunError(f"{file} is damaged: {error}", reason=str(error)) from None


def check(variables: Mapping[str, keras.Variable], values: Mapping[str, np.ndarray], file: str) -> None:
    """Raises:
    RunError: names, shapes or dtypes differ from the model's.
    """
    missing, extra = sorted(variables.keys() - values.keys()), sorted(values.keys() - variables.keys())
    if missing or extra:
        raise RunError(f"{file} does not fit the model: missing {missing or 'nothing'}, unknown {extra or 'nothing'}")
    for name, variable in variables.items():
        shape, dtype = tuple(values[name].shape), str(values[name].dtype)
        if shape != tuple(variable.shape) or dtype != str(variable.dtype):
            wanted = f"{tuple(variable.shape)} {variable.dtype}"
            raise RunError(f"{file} does not fit the model: `{name}` is {shape} {dtype}, not {wanted}")


def assign(variables: Mapping[str, keras.Variable], values: Mapping[str, np.ndarray], file: str) -> None:
    """Gives every variable its value.

    Raises:
        RunError: names, shapes or dtypes differ from the model's; nothing is assigned then.
    """
    check(variables, values, file)
    for name, variable in variables.items():
        variable.assign(values[name])
