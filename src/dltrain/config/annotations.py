"""Annotations of values that pydantic has no type for: what is accepted, the same in JSON Schema, and what is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_EPOCH = "[1-9][0-9]{0,8}"
_LARGEST = 3.4028234e38  # of float32, in which Keras computes
_FORM = "expected the epochs from which learning rates hold, as in `{1: 0.001, 10: 0.0001}`"
_EPOCHS = "epochs are whole numbers from 1 on, as in `{1: 0.001, 10: 0.0001}`"
_RATES = "learning rates are numbers above 0, as in `{1: 0.001, 10: 0.0001}`"


@dataclass(frozen=True)
class RatesByEpoch:
    """Annotation of a mapping from epochs, counted from 1, to the learning rates from there on; in their order."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        rate = {"type": "number", "exclusiveMinimum": 0, "maximum": _LARGEST}
        return {"type": "object", "propertyNames": {"pattern": f"^{_EPOCH}$"}, "additionalProperties": rate}

    def _check(self, value: object) -> object:
        if not isinstance(value, dict):
            raise PydanticCustomError("expected", _FORM)
        for epoch, rate in value.items():
            if re.fullmatch(_EPOCH, str(epoch)) is None:
                raise PydanticCustomError("expected", _EPOCHS)
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= _LARGEST:
                raise PydanticCustomError("expected", _RATES)
        return {int(epoch): float(value[epoch]) for epoch in sorted(value, key=int)}
