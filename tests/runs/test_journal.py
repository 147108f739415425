from __future__ import annotations

import json
import math
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.runs.faults import Faults, switches_once

from dltrain.errors import RunError
from dltrain.runs import journal


def _lines(directory: Path) -> list[str]:
    return (directory / "metrics.jsonl").read_text().splitlines()


def _table(directory: Path) -> str:
    return (directory / "metrics.csv").read_bytes().decode()


def test_journal_add_writes_lines_and_table(tmp_path: Path) -> None:
    journal.add(tmp_path, {"loss": 0.5, "epoch": 1})
    journal.add(tmp_path, {"epoch": 2, "loss": 0.25, "a,b": 1})
    assert _lines(tmp_path) == ['{"loss": 0.5, "epoch": 1}', '{"epoch": 2, "loss": 0.25, "a,b": 1}']
    assert _table(tmp_path) == 'epoch,loss,"a,b"\n1,0.5,\n2,0.25,1\n'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_journal_add_writes_null_and_an_empty_cell_for_non_finite_values(tmp_path: Path, value: float) -> None:
    journal.add(tmp_path, {"epoch": 1, "loss": value})
    assert _lines(tmp_path) == ['{"epoch": 1, "loss": null}']
    assert _table(tmp_path) == "epoch,loss\n1,\n"
    assert journal.read(tmp_path) == [{"epoch": 1, "loss": None}]


def test_journal_read_is_empty_before_the_first_epoch(tmp_path: Path) -> None:
    assert journal.read(tmp_path) == []


@pytest.mark.parametrize("tail", [b'{"epoch": 2, "lo', b"\0\0\0\0", b"\n", b'{"epoch": 2}}\n', b"[2]\n", b"\xff"])
def test_journal_drops_a_torn_last_line_and_continues(tmp_path: Path, tail: bytes) -> None:
    journal.add(tmp_path, {"epoch": 1})
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(tail)
    assert journal.read(tmp_path) == [{"epoch": 1}]
    journal.add(tmp_path, {"epoch": 2})
    assert _lines(tmp_path) == ['{"epoch": 1}', '{"epoch": 2}']


def test_journal_drops_a_torn_only_line(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(b'{"epo')
    journal.add(tmp_path, {"epoch": 1})
    assert journal.read(tmp_path) == [{"epoch": 1}]


def test_journal_keeps_a_last_line_without_newline(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(b'{"epoch": 1}')
    journal.add(tmp_path, {"epoch": 2})
    assert _lines(tmp_path) == ['{"epoch": 1}', '{"epoch": 2}']


@pytest.mark.parametrize("damage", [b"", b"{", b"3", b"null"])
@pytest.mark.parametrize("work", [journal.read, lambda d: journal.add(d, {"epoch": 9})])
def test_journal_reports_the_damaged_line(tmp_path: Path, damage: bytes, work: Any) -> None:
    text = b'{"epoch": 1}\n' + damage + b'\n{"epoch": 3}\n'
    (tmp_path / "metrics.jsonl").write_bytes(text)
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 2 is damaged"):
        work(tmp_path)
    assert (tmp_path / "metrics.jsonl").read_bytes() == text


def test_journal_add_on_a_full_disk_leaves_both_files_intact(tmp_path: Path, faults: Faults) -> None:
    rows, tables = [], []
    for k in count(1):
        folder = tmp_path / str(k)
        folder.mkdir()
        journal.add(folder, {"epoch": 1})
        error = faults.full_disk_at(k, partial(journal.add, folder, {"epoch": 2}))
        rows.append([json.loads(line)["epoch"] for line in _lines(folder)])
        tables.append(_table(folder))
        assert {path.name for path in folder.iterdir()} == {"metrics.jsonl", "metrics.csv"}
        if error is None:
            break
        assert "No space left" in error.message
    assert switches_once(rows, [1], [1, 2])
    assert switches_once(tables, "epoch\n1\n", "epoch\n1\n2\n")
    assert rows.count([1]) <= tables.count("epoch\n1\n"), "the table is made from the journal"


@pytest.mark.parametrize("epochs", [0, 1, 2, 4])
@pytest.mark.parametrize("damage", ["none", "first line", "all", "no file"])
def test_journal_rewrite_replaces_the_rows_by_a_history(tmp_path: Path, epochs: int, damage: str) -> None:
    for number in (1, 2, 3):
        journal.add(tmp_path, {"epoch": number, "loss": 1 / 3, "seconds": 0.5})
    lines = (tmp_path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    spoilt = {
        "none": lines,
        "first line": [b'{"epoch": [1], "seconds": {}}\n', b"{torn\n", *lines[1:]],
        "all": [b"\0\n"],
    }
    if damage == "no file":
        (tmp_path / "metrics.jsonl").unlink()
    else:
        (tmp_path / "metrics.jsonl").write_bytes(b"".join(spoilt[damage]))
    timed = {"none": {1, 2, 3}, "first line": {2, 3}, "all": set(), "no file": set()}[damage]
    journal.rewrite(tmp_path, [{"loss": 1 / 3, "accuracy": float("nan")}] * epochs)
    expected = [
        {"epoch": epoch, "loss": 1 / 3, "accuracy": None, **({"seconds": 0.5} if epoch in timed else {})}
        for epoch in range(1, epochs + 1)
    ]
    assert journal.read(tmp_path) == expected
    assert _table(tmp_path).count("\n") == (epochs + 1 if epochs else 0)
