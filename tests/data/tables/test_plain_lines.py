"""Lines that NumPy's parser reads: which these are, and that columns are the same as read cell by cell."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from dltrain.data.tables import csv_file
from dltrain.data.tables.csv_file import Format
from dltrain.data.tables.plain_lines import PlainLines
from dltrain.data.tables.table import Column, Numbers, Texts, Wrong

MISSING = frozenset({""})
STRANGE = (
    *("", " ", "NA", "nan", "inf", "1e999", "007", " 3 ", "1_0", "\uff11", "\u00a05", "ä", "0x10", "1e", "1 2", "1,5"),
    *("#", "'", "\x0b", "\x1c", "\x85", "\u2028", "\ufeff", "\0", "x" * 31, "y" * 32, "z" * 99, "-999", "-999.0"),
    *('"c"', '" 7"', '"a,b"', '"a;b"', '"a\nb"', '"a""b"', '"1"', '""', 'a"b', '"x"y', '"'),
)


def outcome(path: Path, how: Format, kinds: str, whole: int, block: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return all that reading a file gives; files of more than `whole` bytes are read by NumPy where it can."""
    monkeypatch.setattr(csv_file, "SAMPLE", whole)
    monkeypatch.setattr(csv_file, "_BLOCK", block)
    columns: dict[str, Column] = {}
    for name, kind in zip("abc", kinds, strict=False):
        if kind != "-":
            columns[name] = Texts(name, how.missing) if kind == "t" else Numbers(name, how.decimal, how.missing)
    try:
        table = csv_file.fill(path, how, columns, list("abc"[: len(kinds)]))
    except Wrong as wrong:
        return wrong.message, wrong.hint
    cells = [
        (c.values.tobytes(), c.bad, c.bad_words, c.count_bad, c.count_missing)
        if isinstance(c, Numbers)
        else (c.codes, c.words, c.count_missing)
        for c in table.columns.values()
    ]
    return table.lines, table.skipped, cells


@pytest.mark.parametrize("seed", range(24))
def test_plain_lines_and_rows_make_the_same_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    kinds = "".join(chance.choice("nnt-") for _ in range(chance.randint(0, 2))) + chance.choice("nt")
    delimiter, share = chance.choice(",;"), chance.choice([0, 0.01, 0.1])
    wrong_width, gaps = chance.choice([0, 0, 0.02]), chance.choice([0, 0.1])

    def row() -> str:
        width = len(kinds) if chance.random() >= wrong_width else chance.randint(0, 4)
        usual = (f"{chance.gauss(0, 1):.5f}", str(chance.randint(1, 99)))
        cells = (chance.choice(STRANGE if chance.random() < share else usual) for _ in range(width))
        return delimiter.join("" if chance.random() < gaps else cell for cell in cells)

    end = chance.choice(["\n", "\r\n", "\r"])
    data = "".join(f"{row()}{end}" for _ in range(120)).encode()
    (tmp_path / "t.csv").write_bytes(data if chance.random() < 0.9 else data[:500] + b"\xff" + data[500:])
    words = chance.choice([(), ("NA",), ("-999", "nan")])
    how = Format(delimiter, chance.choice("..,"), "utf-8", header=False, na_values=words, skip=chance.random() < 0.7)
    one_by_one = outcome(tmp_path / "t.csv", how, kinds, 2**40, 2**17, monkeypatch)
    for block in (16, 300, 2**17):
        assert outcome(tmp_path / "t.csv", how, kinds, -1, block, monkeypatch) == one_by_one


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        (["1,2\n", "3,4\n"], True),
        (["1,2\r\n", "3,4"], True),
        (['1,"2"\n', '"3",4\n'], True),
        (["1,\n", "x,4\n"], True),
        (["1,2\n", ",4\r\n", ",", "nab,\n"], True),
        (["1,2\n", "\n"], False),
        (["1,2\n", "3\n"], False),
        (['1,"2\n', '",4\n'], False),
        (['1,"2"3\n'], False),
        (["1,2\0\n"], False),
    ],
)
def test_plain_lines_takes_blocks_whole_or_not_at_all(lines: list[str], taken: bool) -> None:
    numbers, texts = Numbers("a", ".", MISSING), Texts("b", MISSING)
    assert PlainLines({0: numbers, 1: texts}, 2, ",").add(lines) is taken
    assert len(numbers.values) == len(texts.codes) == len(lines) * taken


def test_plain_lines_empty_cells_are_missing() -> None:
    numbers, texts = [Numbers(f"{place}", ".", MISSING) for place in range(3)], Texts("3", MISSING)
    columns: list[Column] = [*numbers, texts]
    lines = PlainLines(dict(enumerate(columns)), 4, ",")
    assert lines.add([",,,x\n", "1,,2,\n", ",3,,y\r\n"])
    assert lines.add(["1,2,3,x\n", "1,2,nan,\n"])
    assert [column.count_missing for column in columns] == [2, 2, 2, 2]
    assert [column.count_bad for column in numbers] == [0, 0, 1]
    assert list(texts.words) == ["x", "", "y"]


def test_plain_lines_numbers_are_those_of_python() -> None:
    chance = random.Random(1)
    words = [repr(chance.uniform(-1, 1) * 10.0 ** chance.randint(-300, 300)) for _ in range(2_000)]
    words += ["9007199254740993", "1e-400", "4.9e-324", "1.7976931348623157e308", "+.5", "5.", "-0", "0.1"]
    column = Numbers("a", ".", MISSING)
    assert PlainLines({0: column}, 1, ",").add([f"{word}\n" for word in words])
    assert list(map(repr, column.values)) == [repr(float(word)) for word in words]
