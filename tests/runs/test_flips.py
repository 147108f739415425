"""Single changed bytes anywhere in a run: found, or without effect, never a traceback."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from dltrain import runs
from dltrain.errors import RunError

FLIPS = 500


@pytest.fixture
def whole(run: runs.Run) -> runs.Run:
    for epoch in (1, 2, 3):
        run.add_metrics({"epoch": epoch, "loss": 1 / epoch, "accuracy": 0.5})
        files = {"weights.safetensors": bytes(range(256)) * 4, "state.json": json.dumps({"epoch": epoch}).encode()}
        run.commit_checkpoint(epoch, files)
    return run


def flipped(path: Path, chance: random.Random) -> bytes:
    data = path.read_bytes()
    place, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
    path.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
    return data


def test_flips_in_a_checkpoint_are_found(whole: runs.Run) -> None:
    chance, before = random.Random(1), whole.read_checkpoint(3)
    files = sorted((whole.path / "checkpoints" / "epoch-0003").iterdir())
    found = 0
    for _ in range(FLIPS):
        path = chance.choice(files)
        data = flipped(path, chance)
        try:
            assert whole.read_checkpoint(3) == before  # a blank of the manifest, say
        except RunError:
            found += 1
        path.write_bytes(data)
    assert found > FLIPS * 0.8
    assert whole.read_checkpoint(3) == before


def test_flips_in_the_record_and_the_journal_are_named_or_harmless(whole: runs.Run) -> None:
    chance = random.Random(2)
    refused = 0
    for _ in range(FLIPS):
        path = whole.path / chance.choice(["run.json", "metrics.jsonl"])
        data = flipped(path, chance)
        try:
            assert isinstance(whole.record().status, str)
            assert 1 <= len(whole.metrics()) <= 3
            told = path.name
        except RunError as error:
            refused += 1
            told = error.message
        assert path.name in told
        assert len(runs.list_runs(whole.path.parent)) == 1
        path.write_bytes(data)
    assert refused > 0
