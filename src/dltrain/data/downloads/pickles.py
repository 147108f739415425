"""Pickles of NumPy arrays as data: what they name is looked up in a table of four, and stands for nothing that runs.

The batches of CIFAR and the lists of words of IMDB and Reuters are published as pickles. Only files whose SHA-256 is
pinned are read here, and even another one could call nothing but the classes of this module.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

_PLAIN = frozenset("biuf")
_MOST_AXES = 4


class BadPickle(Exception):
    """A pickle is damaged, or names something that no array needs."""


class Dtype:
    """Stands for `numpy.dtype`: the string of a dtype, with its byte order."""

    __slots__ = ("code",)

    def __init__(self, code: object = "", *flags: object) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else code

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), str() | bytes() as order, *_) if isinstance(self.code, str):
                order = order.decode("ascii") if isinstance(order, bytes) else order
                self.code = order + self.code if order in ("<", ">") else self.code
            case _:
                raise BadPickle("a dtype that cannot be read")


class Array:
    """Stands for `numpy.ndarray`: its values, a NumPy array of numbers or a list of objects."""

    __slots__ = ("values",)

    def __init__(self, *arguments: object) -> None:
        self.values: np.ndarray | list[object] | None = None

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), tuple(shape), Dtype(code=str(code)), bool() | int() as fortran, list(items)):
                if code.lstrip("<>|=") not in ("O", "O8", "O4") or shape != (len(items),) or fortran:
                    raise BadPickle("an array of objects that is no list")
                self.values = items
            case (int(), tuple(shape), Dtype(code=str(code)), bool() | int() as fortran, bytes(data)):
                self.values = _numbers(shape, code, bool(fortran), data)
            case _:
                raise BadPickle("an array that cannot be read")


def _numbers(shape: tuple[Any, ...], code: str, fortran: bool, data: bytes) -> np.ndarray:
    if len(shape) > _MOST_AXES or not all(type(size) is int and 0 <= size < 2**40 for size in shape):
        raise BadPickle("an array without a shape")
    kind = code.lstrip("<>|=")
    if kind[:1] not in _PLAIN or kind[1:] not in ("1", "2", "4", "8"):
        raise BadPickle("an array of other things than numbers")
    values = np.frombuffer(data, np.dtype(code))
    if values.size != int(np.prod(shape, dtype=np.int64)):
        raise BadPickle("an array of another size than its shape says")
    return values.reshape(shape, order="F" if fortran else "C")


class _Reconstruct:
    """Stands for `numpy.core.multiarray._reconstruct`, which begins an empty array."""

    __slots__ = ()

    def __call__(self, kind: object, *arguments: object) -> Array:
        if kind is not Array:
            raise BadPickle("an array of another class")
        return Array()

    def __setstate__(self, state: object) -> None:
        raise BadPickle("a function with a state")


_NAMES: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _NAMES.get((module, name))
        if found is None:
            raise BadPickle(f"it names `{f'{module}.{name}'[:80]!a}`, which no array needs")
        return found


def unpickled(content: bytes) -> object:
    """Return what a pickle of plain values and arrays has; strings of Python 2 are bytes, arrays are `Array`.

    Raises BadPickle for any other pickle.
    """
    try:
        return _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except BadPickle:
        raise
    except Exception as error:  # noqa: BLE001 - pickle raises whatever damaged bytes lead to
        raise BadPickle(f"it is damaged ({type(error).__name__})") from None
