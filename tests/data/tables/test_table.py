"""The columns of a table: which rows lack a value, and how many there are."""

from __future__ import annotations

from array import array

from dltrain.data.tables.table import Numbers, Table


def test_table_without_columns_has_as_many_rows_as_lines() -> None:
    assert len(Table("t.csv", {})) == 0
    assert len(Table("t.csv", {}, array("q", [2, 3]))) == 2


def test_table_rows_that_lack_a_value_are_known_behind_any_number_of_bad_cells() -> None:
    column = Numbers("a", ".", frozenset({""}))
    column.add([*["bad"] * 20, "", "1", "bad", " "])
    column.add(["2", "", "bad"])
    assert list(column.missing_rows()) == [20, 23, 25]
    assert (column.count_bad, column.count_missing, len(column.bad)) == (22, 3, 8)
