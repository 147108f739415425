from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data.sources import SOURCES, downloaded
from dltrain.data.sources.source import Source

CASES = [
    pytest.param(source, dict(arguments), id=f"{source.name}-{number}")
    for source in SOURCES.values()
    if source.has_task and not any(argument.required for argument in source.arguments.values())
    if source not in downloaded.SOURCES  # tests/data/downloads serves files to these
    for number, arguments in enumerate(
        [{}, source.example or {}] + [{"task": task} for task in getattr(source.arguments.get("task"), "choices", ())]
    )
]


@pytest.mark.parametrize(("source", "arguments"), CASES)
def test_sources_match_their_facts(source: Source, arguments: dict[str, Any]) -> None:
    known, raw = source.facts(source.filled(arguments), None), source.read(source.filled(arguments), None)
    assert raw.facts == known
    assert known is not None
    for split, samples in ((raw.train, known.train), (raw.test, known.test)):
        assert split.x.shape == (samples, *known.shape)
        assert split.x.dtype in (np.uint8, np.float32)
        scaled = split.x.astype(np.float32) * np.float32(raw.scale)
        assert not known.unit_range or (scaled.min() >= 0 and scaled.max() <= 1)
        if known.classes is None:
            assert split.y.shape == (samples, len(known.units))
            assert split.y.dtype == np.float32
        else:
            assert split.y.shape == (samples,)
            assert split.y.dtype == np.int64
            assert set(split.y.tolist()) <= set(range(known.classes))


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_sources_have_defaults_and_valid_examples(source: Source) -> None:
    assert source.example is None or source.example.keys() <= source.arguments.keys()
    if "path" not in source.arguments:
        assert not list(source.contradictions(source.example or {}, None))
    assert all(argument.required or argument.has_default for argument in source.arguments.values())
