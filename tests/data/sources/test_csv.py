"""The source `csv`: what a file says before it is read, what becomes of its cells, and what is wrong with it."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data.arrays import Dataset, RawDataset
from dltrain.data.facts import Facts, Task
from dltrain.data.loading import load
from dltrain.data.sources.csv import SOURCE
from dltrain.data.tables import csv_file
from dltrain.errors import DataError

NUMBERS = "a,b,y\n1,2,no\n3,4,yes\n5,6,no\n7,8,yes\n"


def written(folder: Path, text: str | bytes, name: str = "t.csv", **arguments: Any) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(data)
    return {"path": str(folder / name), "target": "y"} | arguments


def known(arguments: dict[str, Any], task: Task = "classification") -> Facts:
    assert [each for each in SOURCE.contradictions(arguments, task) if each.severity == "error"] == []
    found = SOURCE.facts(SOURCE.filled(arguments), task)
    assert found is not None
    return found


def read(arguments: dict[str, Any], task: Task = "classification") -> RawDataset:
    return SOURCE.read(SOURCE.filled(arguments), task)


def loaded(arguments: dict[str, Any], task: Task = "classification", **more: Any) -> Dataset:
    options: dict[str, Any] = {"validation": 0.25, "test": 0.25, "limit_train": None, "limit_test": None, "seed": 3}
    return load("csv", arguments, task=task, **options | more)


def wrong(arguments: dict[str, Any], task: Task | None = "classification") -> tuple[str, str, str]:
    found = [each for each in SOURCE.contradictions(arguments, task) if each.severity == "error"]
    assert len(found) == 1
    assert SOURCE.facts(SOURCE.filled(arguments), task) is None
    with pytest.raises(DataError) as raised:
        read(arguments, task or "classification")
    assert str(raised.value) == found[0].message or task is None
    return found[0].argument, found[0].message, found[0].hint


def test_csv_columns_are_features_and_targets_rows_are_samples(tmp_path: Path) -> None:
    arguments = written(tmp_path, NUMBERS)
    facts = known(arguments)
    assert (facts.shape, facts.train, facts.class_names, facts.whole) == ((2,), 4, ("no", "yes"), False)
    data = loaded(arguments, test=None, validation=0.0) if facts.test else loaded(arguments)
    assert data.facts.shape == (2,)
    assert sorted(map(tuple, np.concatenate([data.train.x, data.test.x, data.validation.x]).tolist())) == [  # type: ignore[union-attr]
        (1, 2),
        (3, 4),
        (5, 6),
        (7, 8),
    ]
    assert data.train.x.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("a;b;y\n1,5;2;no\n3,0;4;yes\n", {"delimiter": ";", "decimal": ","}),
        ("a\tb\ty\n1.5\t2\tno\n3.0\t4\tyes\n", {"delimiter": "\\t"}),
        ('a, b, y\n1.5, 2,"no"\n3.0, 4,yes\n', {}),
        ("1.5,2,no\n3.0,4,yes\n", {"header": False, "target": 2}),
        ("\ufeffa,b,y\r\n1.5,2,no\r\n3.0,4,yes\r\n", {}),
        ('a,b,y,z\n1.5,2,no,"x,\ny"\n3.0,4,yes,""\n\n', {"drop": "z"}),
        ("z,b,a,y\n9,2,1.5,no\n9,4,3.0,yes\n", {"features": ["a", "b"]}),
        ("a,b,y\n1.5,2,n\xe9\n3.0,4,yes\n".encode("latin-1"), {"encoding": "latin-1"}),
        ("a,b,y\n1.5,2,no\n3.0,4,yes\n".encode("utf-16"), {"encoding": "utf-16"}),
    ],
)
def test_csv_is_read_in_the_form_in_which_people_write_it(
    tmp_path: Path, text: str | bytes, arguments: dict[str, Any]
) -> None:
    raw = read(written(tmp_path, text, **arguments))
    assert raw.train.x.tolist() == [[1.5, 2], [3.0, 4]]
    assert raw.train.y.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "arguments", "argument", "message", "hint"),
    [
        ("", {}, "path", "is empty", "save a header"),
        ("a;b;y\n1;2;no\n", {}, "delimiter", "single column", 'delimiter: ";"'),
        ("1,2,no\n3,4,yes\n", {"header": True, "target": "y"}, "target", "no column `y`", ""),
        ("1,2,3\n3,4,5\n", {}, "header", "no names, but numbers", "header: false"),
        ("a,a,y\n1,2,no\n", {}, "path", "several columns of the name `a`", ""),
        (NUMBERS, {"target": "Y"}, "target", "no column `Y`", "did you mean `y`?"),
        (NUMBERS, {"target": None}, "target", "no column is the target", "target: y"),
        (NUMBERS, {"features": ["a", "y"]}, "features", "is the target", "remove it"),
        (NUMBERS, {"drop": ["a", "b"]}, "target", "no column is left", ""),
        (NUMBERS, {"categorical": "y"}, "categorical", "but no feature", "remove it from `categorical`"),
        (NUMBERS, {"features": ["a"], "categorical": "b"}, "categorical", "but no feature", "add it to `features`"),
        (NUMBERS, {"target": ["a", "y"]}, "target", "one column of labels", "multi_label"),
        (NUMBERS, {"scale": {"c": "log"}}, "scale", "no column `c`", ""),
        ("a,b,c,y\n1,2,3,no\n4,5,6,yes\n", {"group": "a", "time": "b"}, "group", "exclude each other", ""),
        (NUMBERS, {"classes": ["no", "maybe"]}, "classes", "no class: yes", "in order"),
        ("a,b,y\n1,x,no\n3,4,yes\n5,z,no\n", {}, "path", "`b`: 'x' in line 2, 'z' in line 4", "categorical: [b]"),
        ("a,b,y\n1,NA,no\n3,?,yes\n", {}, "path", "'NA' in line 2", "na_values: ['?', NA]"),
        ('a,b,y\n1,"2,5",no\n3,4,yes\n', {}, "path", "'2,5' in line 2", "decimal: ','"),
        ("a,b,y\n1,nan,no\n3,inf,yes\n", {}, "path", "'nan' in line 2, 'inf' in line 3", ""),
        ("a,b,y\n1,1_000,no\n3,4,yes\n", {}, "path", "'1_000' in line 2", ""),
        ("a,b,y\n1,,no\n3,4,yes\n", {}, "missing", "`b` in 1 of 2 rows", "missing: mean"),
        ("a,b,y\n1,2,\n3,4,yes\n5,6,no\n", {}, "missing", "`y` in 1 of 3", "missing: drop"),
        ("a,b,y\n1,2\n3,4,yes\n5,6,no,7\n", {}, "path", "line 2 has 2, line 4 has 4", "on_bad: skip"),
        ('a,b,y\n1,2,"no\n3,4,yes\n', {}, "path", "line 2: a quote is not closed", "mend this line"),
        ('a,b,y\n1,2,no\n\n3,4,"y"\n5,6,"n\n7,8,y\n9,9,n\n', {}, "path", "line 5: a quote is not closed", "this line"),
        ("a,b,y\n1,2,n\xe9\n".encode("latin-1"), {}, "encoding", "is not written in utf-8", "latin-1"),
        (b"\x89PNG\r\n\x1a\n\0\0", {}, "path", "is no CSV file, but a PNG image", "as CSV"),
        (b"\x93NUMPY\x01\0v\0{}", {}, "path", "is no CSV file, but an array of NumPy", "as CSV"),
        (b"PK\x03\x04\x14\0\0\0", {"encoding": "latin-1"}, "path", "is no CSV file, but an archive", "as CSV"),
        (b"PAR1\x15\x04\x15", {}, "path", "is no CSV file, but a Parquet file", "`parquet`"),
        (b"\x1f\x8b\x08\x08", {}, "path", "is no CSV file, but packed with gzip", "unpack"),
        (b"\xff\xfe\xfa\n", {}, "encoding", "is not written in utf-8, in its first line", "latin-1"),
        ("a,b,y\n1,2,no\n".encode("utf-16"), {}, "encoding", "is not written in utf-8", "utf-16"),
        (NUMBERS, {"encoding": "utf-99"}, "encoding", "no encoding `utf-99`", "utf-8"),
        (NUMBERS, {"encoding": "utf\0"}, "encoding", "no encoding `utf\0`", "utf-8"),
        ("a,b,y\n", {}, "path", "has no rows", "at least one"),
        ("a,w,y\n1,x,no\n", {"sample_weight": "w"}, "path", "`w`: 'x' in line 2", "targets and weights are numbers"),
        (NUMBERS, {"delimiter": "ab"}, "delimiter", "no delimiter", ""),
        ("a,b,y\n1,2,no\n3,4,no\n", {}, "target", "a single value, `no`", ""),
    ],
)
def test_csv_says_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, text: str | bytes, arguments: dict[str, Any], argument: str, message: str, hint: str
) -> None:
    found = wrong(written(tmp_path, text, **arguments))
    assert found[0] == argument
    assert message in found[1]
    assert hint in found[2]


@pytest.mark.parametrize(("target", "task"), [("y", "regression"), (["a", "y"], "multi_label")])
def test_csv_targets_that_are_no_numbers_are_not_called_categories(tmp_path: Path, target: Any, task: Task) -> None:
    argument, message, hint = wrong(written(tmp_path, NUMBERS, target=target), task)
    assert (argument, "`y`: 'no' in line 2" in message) == ("path", True)
    assert "labels are for `task: classification`" in hint


def test_csv_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    arguments = written(tmp_path, NUMBERS) | {"path": str(tmp_path / "u.csv")}
    assert wrong(arguments) == ("path", f"{tmp_path / 'u.csv'} does not exist", "there are t.csv")
    assert "is a directory" in wrong({"path": str(tmp_path), "target": "y"})[1]


def test_csv_of_any_size_tells_the_same_of_late_cells(tmp_path: Path) -> None:
    """`check` sees the first rows of a large file, the reader all."""
    rows = "".join(f"{i},{i % 7},{'no' if i % 2 else 'yes'}\n" for i in range(150_000))
    arguments = written(tmp_path, f"a,b,y\n{rows}1,x,no\n")
    assert list(SOURCE.contradictions(arguments, "classification")) == []
    with pytest.raises(DataError, match="'x' in line 150002"):
        read(arguments)


@pytest.mark.parametrize("kind", ["standard", "minmax", "log"])
def test_csv_scales_are_learnt_from_the_training_split_alone(tmp_path: Path, kind: str) -> None:
    values = np.random.default_rng(1).gamma(2, 3, 80)
    text = "a,y\n" + "".join(f"{float(value)!r},{float(value) * 2!r}\n" for value in values)
    data = loaded(written(tmp_path, text, scale=kind, target_scale=kind), "regression")
    train = values[data.train_indices]
    wanted: Any = {
        "standard": lambda x: (x - train.mean()) / train.std(),
        "minmax": lambda x: (x - train.min()) / (train.max() - train.min()),
        "log": lambda x: (np.log1p(x) - np.log1p(train).mean()) / np.log1p(train).std(),
    }[kind]
    assert data.validation is not None
    for split, rows in (
        (data.train, data.train_indices),
        (data.validation, data.validation_indices),
        (data.test, data.test_indices),
    ):
        np.testing.assert_allclose(split.x[:, 0], wanted(values[rows]), rtol=1e-5, atol=1e-6)
    assert data.train.y.shape == (len(train), 1)
    assert data.facts.target_scales[0].log == (kind == "log")


@pytest.mark.parametrize(
    ("column", "more", "told"),
    [
        ([1.0] * 30 + [-5.0], {"scale": "log"}, "-5 of `a` has no logarithm"),
        ([1.0] * 30 + [-5.0], {"target": "a", "target_scale": "log"}, "-5 has no logarithm"),
        ([1e39] * 31, {}, "1e.39 of `a` is beyond the range of float32"),
        ([1e39] * 31, {"target": "a"}, "1e.39 is beyond the range of float32"),
    ],
)
def test_csv_numbers_that_would_become_nan_or_infinity_are_told(
    tmp_path: Path, column: list[float], more: dict[str, Any], told: str
) -> None:
    rows = "".join(f"{number},{place},1\n" for place, number in enumerate(column))
    with pytest.raises(DataError, match=told):
        loaded(written(tmp_path, f"a,t,y\n{rows}", time="t", **more), "regression", validation=0.0, test=0.1)


def test_csv_categories_that_training_lacks_are_zeros_and_rare_ones_are_one(tmp_path: Path) -> None:
    colours = ["red"] * 20 + ["blue"] * 15 + ["green"] * 2 + ["grey"]
    text = "c,y\n" + "".join(f"{colour},{i % 2}\n" for i, colour in enumerate(colours))
    arguments = written(tmp_path, text, categorical="c", min_frequency=3)
    data = loaded(arguments, validation=0.0, test=0.1)
    assert data.learnt is not None
    names = data.learnt["table"]["columns"][0]["categories"]
    assert list(names) == ["blue", "red", "(other)"]
    assert data.train.x.sum(axis=1).tolist() == [1] * len(data.train)
    new = tmp_path / "new.csv"
    new.write_text("c\nred\nviolet\n")
    again = load_with(arguments, data, new)
    assert again.tolist() == [[0, 1, 0], [0, 0, 1]]


def load_with(arguments: dict[str, Any], data: Dataset, path: Path) -> np.ndarray:
    from dltrain.data.samples import Trained

    like = Trained(data.facts, "float32", 1.0, None, 1.0, None, data.learnt)
    assert SOURCE.samples is not None
    return np.asarray(SOURCE.samples(path, SOURCE.filled(arguments), like).split.x)


def test_csv_ordinal_categories_are_whole_numbers_from_1_on(tmp_path: Path) -> None:
    text = "c,d,y\n" + "".join(f"k{i % 12},{'ab'[i % 2]},{i % 2}\n" for i in range(60))
    data = loaded(written(tmp_path, text, categorical=["c", "d"], category_encoding="ordinal"))
    assert data.train.x.dtype == np.int32
    assert (data.facts.whole, data.facts.highest) == (True, 12)
    assert data.learnt is not None
    assert data.learnt["table"]["columns"][0]["categories"][:3] == ("k0", "k1", "k2")  # k10 is the last but one


@pytest.mark.parametrize(("rule", "stands"), [("mean", 4.0), ("median", 2.0)])
def test_csv_missing_numbers_are_filled_by_the_training_split(tmp_path: Path, rule: str, stands: float) -> None:
    text = "a,y\n1,no\n2,yes\n9,no\n,yes\n"
    data = load(
        "csv",
        written(tmp_path, text, missing=rule, path_test=str(tmp_path / "t.csv")),
        task="classification",
        validation=0.0,
        limit_train=None,
        limit_test=None,
        seed=0,
    )
    assert data.train.x[:, 0].tolist() == [1, 2, 9, stands]


@pytest.mark.parametrize("rows", [4, 200_000])
def test_csv_numbers_that_mean_missing_are_missing(tmp_path: Path, rows: int) -> None:
    lines = "".join(f"{'-999' if i % 4 == 1 else i % 4},{i % 9},{'no' if i % 2 else 'yes'}\n" for i in range(rows))
    arguments = written(tmp_path, f"a,b,y\n{lines}", na_values=["-999"], missing="mean")
    x = np.asarray(read(arguments).train.x)
    assert np.isnan(x[:, 0]).sum() == rows // 4
    assert np.nanmin(x[:, 0]) == 0


def test_csv_rows_without_a_value_are_dropped_and_counted(tmp_path: Path) -> None:
    text = "a,b,y\n1,2,no\n,4,yes\n5,,no\n7,8,yes\n9,9,\n3,3,no\n"
    arguments = written(tmp_path, text, missing="drop")
    assert known(arguments).train == 3
    raw = read(arguments)
    assert raw.train.x.tolist() == [[1, 2], [7, 8], [3, 3]]
    assert "3 of 6 rows" in raw.notes[0]


@pytest.mark.parametrize("rule", ["mean", "median"])
@pytest.mark.parametrize("lacks", ["y", "who", "w"])
def test_csv_rows_for_whose_value_nothing_can_stand_are_left_out_and_counted(
    tmp_path: Path, rule: str, lacks: str
) -> None:
    rows = [{"a": str(i), "who": f"p{i}", "w": "2", "y": "no" if i % 2 else "yes"} for i in range(8)]
    rows[1]["a"] = rows[5][lacks] = ""
    text = "a,who,w,y\n" + "".join(",".join(row.values()) + "\n" for row in rows)
    arguments = written(tmp_path, text, missing=rule, group="who", sample_weight="w")
    assert known(arguments).train == 7
    raw = read(arguments)
    assert np.isnan(raw.train.x[1, 0])  # what stands for it is learnt later
    assert raw.train.x[:, 0].tolist()[2:] == [2, 3, 4, 6, 7]
    assert "1 of 8 rows" in raw.notes[0]


def test_csv_groups_stay_in_one_split(tmp_path: Path) -> None:
    rows = [(i, f"p{i % 13}", i % 2) for i in range(130)]
    text = "a,who,y\n" + "".join(f"{a},{who},{y}\n" for a, who, y in rows)
    data = loaded(written(tmp_path, text, group="who"))
    parts = [{rows[i][1] for i in p} for p in (data.train_indices, data.validation_indices, data.test_indices)]
    assert all(parts)
    assert len(set().union(*parts)) == sum(map(len, parts))
    assert data.facts.shape == (1,)  # the group is no feature


def test_csv_of_two_groups_is_too_few_for_three_splits(tmp_path: Path) -> None:
    arguments = written(tmp_path, "a,p,y\n" + "".join(f"{row},{row % 2},{row}\n" for row in range(20)), group="p")
    with pytest.raises(DataError, match="none is left for the validation split") as raised:
        loaded(arguments, "regression")
    assert "`validation: 0`" in raised.value.hint
    assert len(loaded(arguments, "regression", validation=0.0).test) == 10


def test_csv_column_of_shares_is_a_feature_where_it_is_a_category(tmp_path: Path) -> None:
    text = "a,sex,y\n" + "".join(f"{row},{'mf'[row % 2]},{row}\n" for row in range(16))
    arguments = written(tmp_path, text, stratify="sex")
    assert known(arguments, "regression").shape == (1,)
    assert loaded(arguments | {"categorical": "sex"}, "regression").train.x.shape[1] == 3


@pytest.mark.parametrize("form", [None, "%d.%m.%Y"])
def test_csv_by_time_the_latest_rows_are_held_out(tmp_path: Path, form: str | None) -> None:
    days = np.random.default_rng(5).permutation(28) + 1
    text = "a,day,y\n" + "".join(
        f"{i},{f'{day:02}.02.2023' if form else f'2023-02-{day:02}'},{i % 2}\n" for i, day in enumerate(days)
    )
    data = loaded(written(tmp_path, text, time="day", date_format=form))
    first = [days[p].min() for p in (data.validation_indices, data.test_indices)]
    assert days[data.train_indices].max() < first[0]
    assert days[data.validation_indices].max() < first[1]
    assert len(data.test_indices) == 7


@pytest.mark.parametrize(("form", "line"), [(None, 3), ("%Y%Y", 2), ("%", 2)])
def test_csv_time_that_is_none_is_told_by_line(tmp_path: Path, form: str | None, line: int) -> None:
    text = "a,day,y\n1,2023-02-01,0\n2,02/03/2023,1\n"
    with pytest.raises(DataError, match=f"no time in line {line}") as raised:
        loaded(written(tmp_path, text, time="day", date_format=form))
    assert "date_format" in raised.value.hint


def test_csv_weights_are_those_of_the_training_samples(tmp_path: Path) -> None:
    text = "a,w,y\n" + "".join(f"{i},{i / 10},{i % 2}\n" for i in range(40))
    data = loaded(written(tmp_path, text, sample_weight="w"))
    assert data.train.weight is not None
    np.testing.assert_allclose(data.train.weight, data.train_indices / 10, rtol=1e-6)
    with pytest.raises(DataError, match="`w` is -1 in line 3"):
        loaded(written(tmp_path, "a,w,y\n1,1,0\n2,-1,1\n", sample_weight="w"))


def test_csv_splits_in_files_have_their_own_rows(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("y,b,a\nyes,1,2\n")
    arguments = written(tmp_path, NUMBERS, path_val=str(tmp_path / "v.csv"), path_test=str(tmp_path / "v.csv"))
    assert (known(arguments).validation, known(arguments).test) == (1, 1)
    raw = read(arguments)
    assert raw.test.x.tolist() == [[2, 1]]  # by name, in any order
    del arguments["path_test"]
    (tmp_path / "v.csv").write_text("y,b\nyes,1\n")
    assert wrong(arguments)[:2] == ("path_val", f"{tmp_path / 'v.csv'} has no column `a`")
    (tmp_path / "v.csv").write_text("y,b,a\nmaybe,1,2\n")
    told = f"{tmp_path / 'v.csv'} has labels that training never has: `maybe`, in line 2"
    assert wrong(arguments)[:2] == ("path_val", told)


def test_csv_tells_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    text = "a,b,y\n1,2,yes\n1,2\nhello,2,no\n,3,no\n1,2,\n1,inf,no\n1,2,3,4\n"
    arguments = written(tmp_path, text, path_test=str(tmp_path / "u.csv"))
    (tmp_path / "u.csv").write_text("a,b,y\n1,2,yes\n1,\n")
    here, there = tmp_path / "t.csv", tmp_path / "u.csv"
    told = [(each.argument, each.message) for each in SOURCE.contradictions(arguments, "classification")]
    assert told == [
        ("path", f"2 rows of {here} with another number of cells than 3: line 3 has 2, line 8 has 4"),
        ("path", f"{here} has text or infinity in columns of numbers: `a`: 'hello' in line 4; `b`: 'inf' in line 7"),
        ("path_test", f"1 row of {there} with another number of cells than 3: line 3 has 2"),
        ("missing", "values are missing: `a` in 1 of 5 rows of t.csv (line 5), `y` in 1 of 5 rows of t.csv (line 6)"),
    ]
    with pytest.raises(DataError) as error:
        read(arguments)
    assert all(message in str(error.value) for _, message in told)


def test_csv_of_which_all_rows_are_left_out_says_so(tmp_path: Path) -> None:
    told = wrong(written(tmp_path, "a,b,y\n1,2\n3\n", on_bad="skip"))
    assert told[1].endswith("another number of cells than 3: line 2 has 2, line 3 has 1; they are left out")


def test_csv_tells_all_weights_and_times_that_are_none(tmp_path: Path) -> None:
    rows = ["2024-01-01,-1", "5.1.2024,1", "2024-01-03,-2", "later,1", "2024-01-05,1"]
    text = "day,w,a,y\n" + "".join(f"{row},{place},{'yes' if place % 2 else 'no'}\n" for place, row in enumerate(rows))
    arguments = written(tmp_path, text, time="day", sample_weight="w")
    assert [(each.argument, each.message) for each in SOURCE.contradictions(arguments, "classification")] == [
        ("sample_weight", f"`w` is -1 in line 2, line 4 of {tmp_path / 't.csv'}"),
        ("time", f"`day` has no time in line 3, line 5 of {tmp_path / 't.csv'}: '5.1.2024', …"),
    ]


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (["nan", "inf", "1e999"], "these mean that a value is missing, write `na_values: ['1e999', inf, nan]`"),
        (["NA", "hello"], "some mean that a value is missing, write `na_values: [NA]`; as categories, write"),
    ],
)
def test_csv_tells_how_numbers_that_are_none_become_missing(tmp_path: Path, cells: list[str], hint: str) -> None:
    text = "a,b,y\n" + "".join(f"{cell},1,{'yes' if row else 'no'}\n" for row, cell in enumerate(cells))
    assert hint in wrong(written(tmp_path, text))[2]


def test_csv_warns_of_an_index_and_of_codes(tmp_path: Path) -> None:
    text = ",zip,y\n0,01234,no\n1,04567,yes\n"
    told = list(SOURCE.contradictions(written(tmp_path, text), "classification"))
    assert [(each.severity, each.hint) for each in told] == [
        ("warning", "leave it out: `drop: ['Unnamed: 0']`"),
        ("warning", "as a category: `categorical: [zip]`"),
    ]


def test_csv_warns_of_codes_among_gaps(tmp_path: Path) -> None:
    arguments = written(tmp_path, "a,b,y\n007,1,no\n,2,yes\n008,3,no\n", missing="mean")
    assert any("zeros before them, such as 007" in each.message for each in SOURCE.contradictions(arguments, None))


def test_csv_survives_cells_of_any_text(tmp_path: Path) -> None:
    generator = np.random.default_rng(8)
    letters = [chr(code) for code in (*range(32, 127), 233, 8364, 10, 9)]
    for number in range(30):
        cells = [["".join(generator.choice(letters, generator.integers(0, 9))) for _ in "abc"] for _ in range(6)]
        with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["a", "b", "c", "y"], *[[*row, f"k{i % 2}"] for i, row in enumerate(cells)]])
        arguments = {"path": str(tmp_path / "t.csv"), "target": "y", "categorical": ["a", "b", "c"], "missing": "mean"}
        data = loaded(arguments, validation=0.0, test=0.3)
        assert data.train.x.sum(axis=1).tolist() == [3] * len(data.train), number


@pytest.mark.parametrize("twice", [False, True])
def test_csv_of_many_columns_is_read_in_linear_time(tmp_path: Path, twice: bool) -> None:
    count = 60_000  # a search for each column among all of them would take minutes
    names = [f"c{place // 2 if twice else place}" for place in range(count)]
    arguments = written(tmp_path, f"{','.join([*names, 'y'])}\n" + f"{'1,' * count}2\n" * 2)
    began = time.process_time()
    if twice:
        with pytest.raises(DataError, match="several columns of the name `c0`"):
            read(arguments, "regression")
    else:
        assert read(arguments, "regression").train.x.shape == (2, count)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "text",
    ["a,b\n1," + "2" * 70, "," * 70, 'a,b\n"' + '""' * 40 + "\n", 'a,b\n"' + "1,2\n" * 30, '"a\n",' * 20],
)
def test_csv_rows_of_any_size_take_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(csv_file, "_LONGEST_ROW", 64)
    assert "a row has more than 64 characters" in wrong(written(tmp_path, text, target="b"))[1]
    assert len(read(written(tmp_path, NUMBERS)).train) == 4


@pytest.mark.parametrize(
    ("date", "form"),
    [
        ("1949-01", "%Y-%m"),
        ("01.01.2009 00:10:00", "%d.%m.%Y %H:%M:%S"),
        ("31/12/2020", "%d/%m/%Y"),
        ("12/31/2020 1:05 PM", "%m/%d/%Y %I:%M %p"),
    ],
)
def test_csv_dates_of_another_form_are_told_with_the_form_to_write(tmp_path: Path, date: str, form: str) -> None:
    arguments = written(tmp_path, f"a,day,y\n1,{date},0\n2,{date},1\n", time="day")
    with pytest.raises(DataError) as raised:
        loaded(arguments)
    assert raised.value.hint == f"write `date_format: '{form}'`"
    with pytest.raises(DataError, match="all have the same time"):
        loaded(arguments | {"date_format": form})


def test_csv_columns_of_names_are_to_be_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{i},Person {i},{'ab'[i % 2]},{i % 2}\n" for i in range(60))
    arguments = written(tmp_path, f"a,Name,Sex,y\n{rows}")
    hint = wrong(arguments)[2]
    assert "`categorical: [Sex]`" in hint
    assert "`drop: [Name]`" in hint
    (told,) = SOURCE.contradictions(arguments | {"categorical": ["Name", "Sex"]}, "classification")
    assert (told.severity, "nearly as many different values" in told.message) == ("warning", True)
    assert list(SOURCE.contradictions(arguments | {"categorical": "Sex", "drop": "Name"}, "classification")) == []
