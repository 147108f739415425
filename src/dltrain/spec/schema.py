"""The shape of a config: sections, keys, types, bounds and defaults.

What stands inside a Keras object (`Dense: {units: 10}`) is not said here: the catalogue knows it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_serializer, model_validator
from pydantic_core import PydanticCustomError

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class KerasObject(BaseModel):
    """`Name` or `Name: {arguments}`; a data set is written in the same way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    arguments: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, value: object) -> object:
        if isinstance(value, str):
            return {"name": value, "arguments": {}}
        if isinstance(value, dict) and len(value) == 1:
            ((name, arguments),) = value.items()
            if arguments is None or isinstance(arguments, dict):
                return {"name": name, "arguments": arguments or {}}
        # The walk over the catalogue has said what is wrong, with its place.
        raise PydanticCustomError("keras_object", "not `Name` or `Name: {{arguments}}`")

    @model_serializer
    def _to_yaml(self) -> str | dict[str, Any]:
        return {self.name: self.arguments} if self.arguments else self.name


class Limit(Section):
    train: int | None = Field(default=None, ge=1)
    test: int | None = Field(default=None, ge=1)


class DataSpec(Section):
    dataset: KerasObject
    validation: float = Field(default=0.1, ge=0, lt=1)
    limit: Limit = Limit()


class ModelSpec(Section):
    layers: list[KerasObject] = Field(min_length=1)


def _batch_size(value: object) -> object:
    if value == "full" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise PydanticCustomError("expected", "expected a whole number of at least 1, or `full`")


def _auto_steps(value: object) -> object:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise PydanticCustomError("expected", "expected a whole number of at least 1, or `auto`")


class CheckpointSpec(Section):
    """Which epoch counts as the best; `monitor: null` takes `val_loss`, or `loss` where nothing is held out."""

    monitor: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"


class TrainSpec(Section):
    optimizer: KerasObject
    loss: KerasObject
    metrics: list[KerasObject] = []
    batch_size: Annotated[int | Literal["full"], BeforeValidator(_batch_size)] = 32
    epochs: int = Field(ge=1)
    callbacks: list[KerasObject] = []
    checkpoint: CheckpointSpec = CheckpointSpec()
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    deterministic: bool = True
    steps_per_execution: Annotated[int | Literal["auto"], BeforeValidator(_auto_steps)] = "auto"


_BOUND = re.compile(r"\s*(?P<operator>>=|<=|>|<)\s*(?P<value>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)\s*")


def parse_bound(text: object) -> tuple[str, float]:
    """`">= 0.985"` -> (">=", 0.985).

    Raises:
        ValueError: not a comparison followed by a number.
    """
    match = _BOUND.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('expected a comparison and a number in quotes, such as ">= 0.985"')
    return match["operator"], float(match["value"])


def _bound(value: object) -> object:
    try:
        parse_bound(value)
    except ValueError as error:
        raise PydanticCustomError("expected", str(error)) from None
    return value


class Spec(Section):
    """One config, whole; `dump` gives back what YAML can say."""

    version: Literal[1] = 1
    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    seed: int = Field(default=42, ge=0, lt=2**32)
    data: DataSpec
    model: ModelSpec
    train: TrainSpec
    expect: dict[str, Annotated[str, BeforeValidator(_bound)]] = {}

    def dump(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
