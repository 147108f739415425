"""The structure of a config: sections, keys, types, bounds and defaults.

The catalogue knows what stands inside a Keras object (`Dense: {units: 10}`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dltrain import names
from dltrain.config.annotations import RatesByEpoch
from dltrain.errors import KeyPath

MOST_SHARDS = 64  # of a batch


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class DefaultPhrase:
    """Marks a key that is required here and yet may be missing in a file: `load` gives it what the phrase says."""

    phrase: str


def default_phrase(field: FieldInfo) -> str:
    """What a missing key gets before the models see it; empty for the keys whose default stands here."""
    return next((item.phrase for item in field.metadata if isinstance(item, DefaultPhrase)), "")


class KerasObject(BaseModel):
    """`Name` or `Name: {arguments}`; a data set is written the same way."""

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
        # The check against the catalogue reports the problem, with its place.
        raise PydanticCustomError("keras_object", "not `Name` or `Name: {{arguments}}`")

    @model_serializer
    def _to_yaml(self) -> str | dict[str, Any]:
        return {self.name: self.arguments} if self.arguments else self.name


class Limit(Section):
    train: int | None = Field(
        default=None,
        ge=1,
        description="Training samples to use, stratified by class; `validation` is held out of these.",
    )
    test: int | None = Field(default=None, ge=1, description="Test samples to use, stratified by class.")


@dataclass(frozen=True)
class ShareOr:
    """Annotation of a number of at least 0 and below 1, or one of the strings `others`."""

    others: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        share = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
        return {"anyOf": [share, {"type": "string", "enum": list(self.others)}]}

    def _check(self, value: object) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
            return float(value)
        if isinstance(value, str) and value in self.others:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            limits = {"ge": 0.0} if value < 0 else {"lt": 1.0}
            raise PydanticCustomError("share", "a share", limits)
        words = " or ".join(f"`{other}`" for other in self.others)
        raise PydanticCustomError("expected", f"expected a share, such as 0.1, {words}")


class DataSpec(Section):
    dataset: KerasObject = Field(description="The data set: its name, or its name with arguments.")
    task: Literal["auto", "classification", "multi_label", "regression", "sequence", "reconstruction", "array"] = Field(
        default="auto",
        description="What is told of a sample: its class, several labels, numbers, a label or number a step, the "
        "sample itself, or an array; `auto` is what the data set says, or a loss for classes.",
    )
    validation: Annotated[float | Literal["test", "given"], ShareOr(("test", "given"))] = Field(
        default=0.1,
        description="Share of the training split held out for validation, stratified by class; `given` is the "
        "validation split of the data set's own, `test` its test split.",
    )
    test: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of the samples held out for the test, stratified by class, where the data set has no test "
        "split.",
    )
    augment: list[KerasObject] = Field(
        default=[],
        description="Keras layers that change training samples by chance, such as `RandomFlip`; validation, test and "
        "predictions get samples as they are.",
    )
    limit: Limit = Field(default=Limit(), description="How many samples to use; all by default.")


class ModelSpec(Section):
    layers: list[KerasObject] = Field(
        min_length=1,
        description="Keras layers in order, each `Name`, `Name: {arguments}` or `repeat: {times: 2, layers: [...]}`.",
    )


@dataclass(frozen=True)
class CountOr:
    """Annotation of an integer from 1 to `most`, or the string `other`."""

    other: str
    most: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        count = {"type": "integer", "minimum": 1, **({"maximum": self.most} if self.most else {})}
        return {"anyOf": [count, {"const": self.other}]}

    def _check(self, value: object) -> object:
        if value == self.other:
            return value
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= (self.most or value):
            return value
        count = f"from 1 to {self.most}" if self.most else "of at least 1"
        raise PydanticCustomError("expected", f"expected an integer {count}, or `{self.other}`")


def _version(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("expected", "write `1`")


class CheckpointSpec(Section):
    """Which epoch is the best; `monitor: null` is `val_loss`, or `loss` where nothing is held out."""

    monitor: str | None = Field(
        default=None,
        description="The metric that decides which epoch is the best; `val_loss`, or `loss` without validation.",
    )
    mode: Literal["auto", "min", "max"] = Field(
        default="auto", description="Whether a lower (`min`) or a higher (`max`) value is better."
    )


MOST_WEIGHT = 1e6


@dataclass(frozen=True)
class ClassWeight:
    """Annotation of `balanced`, or a mapping from the names of classes to their weights."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        weight = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_WEIGHT}
        weights = {"type": "object", "additionalProperties": weight, "minProperties": 1}
        return {"anyOf": [{"const": "balanced"}, weights, {"type": "null"}]}

    def _check(self, value: object) -> object:
        if value is None or value == "balanced":
            return value
        if isinstance(value, dict) and value:
            if all(_is_weight(weight) for weight in value.values()):
                return {str(name): float(weight) for name, weight in value.items()}
            raise PydanticCustomError("expected", "weights are numbers above 0, as in `{cat: 2.5}`")
        raise PydanticCustomError("expected", "expected `balanced`, or a weight by class as in `{cat: 2.5}`")


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_WEIGHT


class TrainSpec(Section):
    optimizer: KerasObject = Field(description="The Keras optimizer.")
    loss: KerasObject = Field(description="The Keras loss; labels are encoded as it needs them.")
    metrics: list[KerasObject] = Field(default=[], description="Keras metrics, reported beside the loss.")
    batch_size: Annotated[int | Literal["full"], CountOr("full")] = Field(
        default=32, description="Samples per optimizer step; `full` is batch gradient descent."
    )
    epochs: int = Field(ge=1, description="Passes over the training samples.")
    shuffle: bool = Field(
        default=True,
        description="Whether each epoch has the training samples in an order of its own; else it is that of the data.",
    )
    schedule: Annotated[dict[int, float], RatesByEpoch()] = Field(
        default={},
        description="Learning rates by the epochs from which they hold, counted from 1; before the first, the "
        "optimizer's.",
    )
    class_weight: Annotated[dict[str, float] | Literal["balanced"] | None, ClassWeight()] = Field(
        default=None,
        description="What a training sample counts in the loss, by its class, the others 1; `balanced` makes up for "
        "classes of different size.",
    )
    oversample: bool = Field(
        default=False,
        description="Whether samples of rarer classes come again in each epoch, until every class has as many as the "
        "largest.",
    )
    callbacks: list[KerasObject] = Field(default=[], description="Keras callbacks, in order.")
    initial_weights: str | None = Field(
        default=None,
        min_length=1,
        description="Weights to begin with, by the names of layers: the best ones of a run (`latest`, an id, a "
        "directory), or a `.safetensors` file; paths are relative to the config's file.",
    )
    freeze: list[str] = Field(
        default=[], description="Layers that keep their weights, by name as in `dltrain check -v`: `conv2d_1`."
    )
    checkpoint: CheckpointSpec = Field(default=CheckpointSpec(), description="Which epoch is the best.")
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        default="float32",
        description="Keras's dtype policy: 32-bit floats, or computation in 16 bits; `mixed_float16` is for GPUs.",
    )
    deterministic: bool = Field(default=True, description="Bit-identical results on the same machine and versions.")
    steps_per_execution: Annotated[int | Literal["auto"], CountOr("auto")] = Field(
        default="auto",
        description="Optimizer steps per backend call; progress updates after each; `auto`: half a second.",
    )


class RuntimeSpec(Section):
    backend: Literal["tensorflow", "jax"] = Field(
        default="tensorflow", description="Keras's backend; `jax` needs `pip install 'dltrain[jax]'`."
    )
    recurrent: Literal["auto", "unroll", "keras"] = Field(
        default="auto",
        description="Recurrent layers of up to 32 steps on a CPU: `unroll` starts slower and trains faster, "
        "`keras` follows their arguments, `auto` unrolls from 5,000 samples on where XLA does not compile them.",
    )
    optimizer: Literal["auto", "keras"] = Field(
        default="auto",
        description="Adam without AMSGrad on TensorFlow: `auto` is one operation per variable, `keras` Keras's own.",
    )
    shards: Annotated[int | Literal["auto"], CountOr("auto", MOST_SHARDS)] = Field(
        default="auto",
        description="In how many parts TensorFlow computes a batch side by side on a CPU; `1` computes as Keras does, "
        "`auto` is one a core where layers treat samples one by one and have enough to do.",
    )
    jit_compile: Literal["auto", True, False] = Field(
        default="auto",
        description="Whether XLA compiles TensorFlow's training steps; `auto` compiles on a CPU those of small dense "
        "and of most recurrent models, on a GPU those of dense and convolutional ones. JAX always compiles.",
    )
    feed: Literal["auto", "memory", "stream"] = Field(
        default="auto",
        description="Input pipeline: samples are copied into memory first or read when needed; `auto` decides by size.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> RuntimeSpec:
        if self.jit_compile is True and self.shards not in ("auto", 1):
            raise PydanticCustomError("expected", "XLA compiles whole batches: remove `shards` or `jit_compile`")
        return self


# Groups without names: JavaScript, and so JSON Schema, writes those otherwise.
_BOUND = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?)\s*")


def parse_bound(text: object) -> tuple[str, float]:
    """`">= 0.985"` -> (">=", 0.985).

    Raises:
        ValueError: not a comparison followed by a number.
    """
    match = _BOUND.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('expected a comparison and a number in quotes, such as ">= 0.985"')
    return match[1], float(match[2])


def _check_name(value: str) -> str:
    if names.valid_name(value):
        return value
    raise PydanticCustomError("name", "not a name")


def _check_bound(value: object) -> object:
    try:
        parse_bound(value)
    except ValueError as error:
        raise PydanticCustomError("expected", str(error)) from None
    return value


Bound = Annotated[
    str, BeforeValidator(_check_bound), WithJsonSchema({"type": "string", "pattern": f"^{_BOUND.pattern}$"})
]


class Spec(Section):
    """One whole config; `dump` returns it as plain data."""

    version: Annotated[Literal[1], BeforeValidator(_version)] = Field(
        default=1, description="The version of this format."
    )
    name: Annotated[str, AfterValidator(_check_name), DefaultPhrase("the file's name")] = Field(
        description="The name of its runs; by default the name of the file.",
        json_schema_extra={"pattern": names.JSON_PATTERN},
    )
    seed: int = Field(default=42, ge=0, lt=2**32, description="Seed of weights, dropout, shuffling and splits.")
    data: DataSpec = Field(description="What to train on.")
    model: ModelSpec = Field(description="What to train: a stack of layers.")
    train: TrainSpec = Field(description="How to train.")
    runtime: RuntimeSpec = Field(
        default=RuntimeSpec(), description="Backend and speed; results differ only by rounding."
    )
    expect: dict[str, Bound] = Field(
        default={},
        description='Bounds that `test_…` and `val_…` metrics must meet, as in `test_accuracy: ">= 0.99"`.',
    )

    def dump(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


SECTIONS: dict[KeyPath, type[BaseModel]] = {
    (): Spec,
    ("data",): DataSpec,
    ("data", "limit"): Limit,
    ("model",): ModelSpec,
    ("train",): TrainSpec,
    ("train", "checkpoint"): CheckpointSpec,
    ("runtime",): RuntimeSpec,
}


def choices(path: KeyPath) -> tuple[str, ...]:
    """Return the values of a key that takes only certain ones; empty for other keys."""
    annotation = SECTIONS[path[:-1]].model_fields[str(path[-1])].annotation
    return words_of(annotation) if get_origin(annotation) is Literal else ()


def words_of(annotation: Any) -> tuple[str, ...]:
    """Return the values of a `Literal`, as YAML writes them."""
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in get_args(annotation))
