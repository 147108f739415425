"""A flipped bit anywhere in a run is detected or has no effect; it never causes a traceback."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from dltrain import runs
from dltrain.errors import RunError

FLIPS = 500


@pytest.fixture
def saved_run(run: runs.Run) -> runs.Run:
    for epoch in (1, 2, 3):
        run.add_metrics({"epoch": epoch, "loss": 1 / epoch, "accuracy": 0.5})
        files = {"weights.safetensors": bytes(range(256)) * 4, "state.json": json.dumps({"epoch": epoch}).encode()}
        run.commit_checkpoint(epoch, files)
    return run


def flip_bit(path: Path, chance: random.Random) -> bytes:
    data = path.read_bytes()
    place, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
    path.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
    return data


def test_flips_in_a_checkpoint_are_detected(saved_run: runs.Run) -> None:
    chance, before = random.Random(1), saved_run.read_checkpoint(3)
    files = sorted((saved_run.path / "checkpoints" / "epoch-0003").iterdir())
    found = 0
    for _ in range(FLIPS):
        path = chance.choice(files)
        data = flip_bit(path, chance)
        try:
            assert saved_run.read_checkpoint(3) == before  # for example a space in the manifest
        except RunError:
            found += 1
        path.write_bytes(data)
    assert found > FLIPS * 0.8
    assert saved_run.read_checkpoint(3) == before


def test_flips_in_the_record_and_the_journal_are_reported_or_harmless(saved_run: runs.Run) -> None:
    chance = random.Random(2)
    rejected = 0
    for _ in range(FLIPS):
        path = saved_run.path / chance.choice(["run.json", "metrics.jsonl"])
        data = flip_bit(path, chance)
        try:
            assert isinstance(saved_run.record().status, str)
            assert 1 <= len(saved_run.metrics()) <= 3
            reported = path.name
        except RunError as error:
            rejected += 1
            reported = error.message
        assert path.name in reported
        assert len(runs.list_runs(saved_run.path.parent)) == 1
        path.write_bytes(data)
    assert rejected > 0
