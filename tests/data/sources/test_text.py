"""The sources `text` and `text_folder`: samples, splits and the vocabulary, and what their files make impossible."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data import values
from dltrain.data.arrays import Dataset, Made, Rows
from dltrain.data.facts import Task
from dltrain.data.loading import load
from dltrain.data.samples import Beginnings, Samples, Trained
from dltrain.data.sources import SOURCES
from dltrain.data.text import language
from dltrain.errors import DataError

TABLE = 'text,label,stars\n"A good, good film.",good,4\nbad film,bad,1\n"so\ngood",good,5\n"",bad,2\nBAD bad,bad,1\n'
LINES = ["a good one", "quite unknown", ""]


def written(folder: Path, table: str = TABLE, name: str = "t.csv", **more: Any) -> dict[str, Any]:
    (folder / name).write_text(table)
    common = {"path": str(folder / name), "output_sequence_length": 4}
    return {**common, **({"text": "text", "target": "label"} if "csv" in name else {}), **more}


def in_folders(root: Path, **texts: list[str]) -> dict[str, Any]:
    """Write texts to files; `__` stands for `/`."""
    for name, given in texts.items():
        folder = root / name.replace("__", "/")
        folder.mkdir(parents=True)
        for number, text in enumerate(given):
            (folder / f"{number}.txt").write_text(text)
    return {"path": str(root), "output_sequence_length": 4}


def loaded(source: str, arguments: dict[str, Any], task: Task | None = "classification", **more: Any) -> Dataset:
    assert [p for p in SOURCES[source].contradictions(arguments, task) if p.severity == "error"] == []
    how = {"validation": 0.0, "test": 0.2, "limit_train": None, "limit_test": None, "seed": 1, **more}
    return load(source, arguments, task=task, **how)


def wrong(source: str, arguments: dict[str, Any], task: Task | None = "classification") -> list[tuple[str, str, str]]:
    return [(p.argument, p.message, p.hint) for p in SOURCES[source].contradictions(arguments, task)]


def trained_on(found: Dataset) -> Trained:
    return Trained(found.facts, "int32", 1.0, None, 1.0, None, found.learnt)


def new(source: str, path: Path, arguments: dict[str, Any], found: Dataset) -> Samples:
    read = SOURCES[source].samples
    assert read is not None
    return read(path, SOURCES[source].filled(arguments), trained_on(found))


def test_text_gives_the_rows_of_a_table(tmp_path: Path) -> None:
    arguments = written(tmp_path, path_test=str(tmp_path / "u.csv"), max_tokens=10)
    (tmp_path / "u.csv").write_text("label,stars,text\ngood,1,good unknown film a film\n")
    facts = SOURCES["text"].facts(SOURCES["text"].filled(arguments), "classification")
    found = loaded("text", arguments, test=None)
    assert found.facts == facts
    assert (facts.shape, facts.class_names, facts.train, facts.test) == ((4,), ("bad", "good"), 5, 1)
    assert (facts.whole, facts.highest) == (True, 9.0)
    assert found.learnt == {"text": {"vocabulary": ["good", "bad", "film", "so", "a"], "idf": None}, "target": []}
    assert found.train.x.tolist() == [[6, 2, 2, 4], [3, 4, 0, 0], [5, 2, 0, 0], [0, 0, 0, 0], [3, 3, 0, 0]]
    assert found.train.y.tolist() == [1, 0, 1, 0, 0]
    assert found.test.x.tolist() == [[2, 1, 4, 6]]
    assert found.notes == (f"1 of 5 texts of {tmp_path / 't.csv'} have no token: line 6",)


@pytest.mark.parametrize("task", ["regression", "multi_label", "reconstruction"])
def test_text_has_the_targets_of_any_table(tmp_path: Path, task: Task) -> None:
    table = "text,a,b\n" + "".join(f"w{number} x,{number % 2},{number // 5}\n" for number in range(10))
    target = None if task == "reconstruction" else ["a", "b"]
    scaling = {"target_scale": "standard"} if task == "regression" else {}
    arguments = written(tmp_path, table, target=target, max_tokens=8, **scaling)
    del arguments["output_sequence_length"]
    found = loaded("text", {**arguments, "output_mode": "multi_hot"}, task)
    assert (found.facts.shape, found.facts.unit_range, len(found.train)) == ((8,), True, 8)
    assert found.train.x[:, 1].tolist() == [1.0] * 8
    assert found.facts.target_shape == ((8,) if task == "reconstruction" else (2,))
    if task == "regression":
        assert np.allclose(found.train.y.mean(axis=0), 0, atol=1e-6)
        assert len(found.facts.target_scales) == 2


def test_text_learns_from_the_training_split_alone(tmp_path: Path) -> None:
    table = "text,label\n" + "".join(f"both w{number},{'ab'[number % 2]}\n" for number in range(20))
    found = loaded("text", written(tmp_path, table), validation=0.25)
    rows = {f"w{row}" for row in found.train_indices.tolist()}
    assert found.learnt is not None
    assert set(found.learnt["text"]["vocabulary"]) == rows | {"both"}
    assert found.validation is not None
    assert set(found.validation.x[:, 1].tolist()) == set(found.test.x[:, 1].tolist()) == {1}
    again = loaded("text", written(tmp_path, table), validation=0.25, seed=2, learnt=found.learnt)
    assert again.learnt == found.learnt


@pytest.mark.parametrize("mode", ["int", "tf_idf"])
@pytest.mark.parametrize("source", ["text", "text_folder", "long"])
def test_text_that_is_large_is_made_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, source: str
) -> None:
    texts = [f"w{number % 7} both {'x ' * (number % 4)}" for number in range(40)]
    arguments = in_folders(tmp_path / "f", a=texts[:20], b=texts[20:])
    if source == "text":
        arguments = written(tmp_path, "text,label\n" + "".join(f"{t},{'ab'[n % 2]}\n" for n, t in enumerate(texts)))
    elif source == "long":
        arguments = written(tmp_path, " ".join(texts), "t.txt")
    if mode != "int":
        del arguments["output_sequence_length"]
        arguments |= {"output_mode": mode, "max_tokens": 9}
        if source == "long":
            return
    small = loaded(source.replace("long", "text"), arguments, validation=0.2)
    monkeypatch.setattr(values, "LARGEST_READ", 8)
    large = loaded(source.replace("long", "text"), arguments, validation=0.2)
    assert isinstance(large.train.x, Made | Rows)
    assert large.validation is not None
    assert small.validation is not None
    assert large.fingerprint == small.fingerprint
    assert large.facts == small.facts
    for one, other in ((large.train, small.train), (large.validation, small.validation), (large.test, small.test)):
        assert np.array_equal(np.asarray(one.x), other.x)
        assert np.array_equal(one.x[np.array([2, 0])], other.x[[2, 0]])


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("task", ["classification", "sequence"])
def test_text_without_columns_tells_the_next_token(tmp_path: Path, task: Task, stride: int) -> None:
    text = "ab" * 30 + "c" + "ab" * 9 + "z"
    arguments = written(tmp_path, text, "t.txt", split="character", sequence_stride=stride, max_tokens=10)
    facts = SOURCES["text"].facts(SOURCES["text"].filled(arguments), task)
    found = loaded("text", arguments, task)
    assert facts is not None
    assert facts.train == len(range(0, len(text) - 4, stride))
    names = found.facts.labels
    assert (facts.classes, facts.highest) == (len(names), 9.0) == (10, 9.0)
    assert set(names) == {"", "[UNK]", "a", "b", "c", *(f"token {place}" for place in range(5, 10))}
    assert found.notes == ("the training split has 3 different tokens: `max_tokens: 5` is enough",)
    tokens = np.array([names.index(letter) if letter in names else 1 for letter in text])
    for split, rows in ((found.train, found.train_indices), (found.test, found.test_indices)):
        for row, x, y in zip(rows.tolist(), split.x.tolist(), split.y.tolist(), strict=True):
            start = row * stride
            assert x == tokens[start : start + 4].tolist()
            assert y == (tokens[start + 4] if task == "classification" else tokens[start + 1 : start + 5].tolist())
    assert (found.train_indices.max() * stride) + 4 < found.test_indices.min() * stride + 1
    assert found.test_indices[-1] == facts.train - 1


def test_text_without_columns_names_its_tokens_in_print(tmp_path: Path) -> None:
    found = loaded("text", written(tmp_path, "ab\nab\t" * 20, "t.txt", split="character", max_tokens=6))
    assert set(found.facts.labels) == {"", "[UNK]", "a", "b", "\\n", "\\t"}


def test_text_folder_gives_the_splits_of_the_folder(tmp_path: Path) -> None:
    arguments = in_folders(tmp_path / "f", train__10=["x y"], train__2=["y", "z y"], val__2=["q"], test__10=["x", ""])
    facts = SOURCES["text_folder"].facts(SOURCES["text_folder"].filled(arguments), None)
    found = loaded("text_folder", arguments, None, validation="given", test=None)
    assert found.facts == facts
    assert facts.class_names == ("2", "10")
    assert found.train.x.tolist() == [[2, 0, 0, 0], [3, 2, 0, 0], [4, 2, 0, 0]]
    assert found.train.y.tolist() == [0, 0, 1]
    assert found.validation is not None
    assert found.validation.x.tolist() == [[1, 0, 0, 0]]
    assert found.test.x.tolist() == [[4, 0, 0, 0], [0, 0, 0, 0]]
    assert found.notes[0] == f"1 of 2 texts of {tmp_path / 'f'} have no token: test/10/1.txt"
    assert found.notes[1].startswith("a single training sample is of `10`")


def test_text_folder_tells_all_files_that_are_no_texts(tmp_path: Path) -> None:
    arguments = in_folders(tmp_path / "f", a=["x"] * 6, b=["y"] * 6)
    (tmp_path / "f" / "a" / "1.txt").write_bytes(b"abc\xe4")
    (tmp_path / "f" / "b" / "2.txt").write_bytes(b"\0\1")
    told = r"2 of 12 texts .*: a/1\.txt: it is not written in utf-8: .* at byte 3; b/2\.txt: it has NUL"
    with pytest.raises(DataError, match=told) as caught:
        loaded("text_folder", arguments, None)
    assert "`encoding`" in caught.value.hint
    assert "on_bad: skip" in caught.value.hint
    found = loaded("text_folder", {**arguments, "on_bad": "skip"}, None)
    assert len(found.train) + len(found.test) == 10
    assert re.search(f"{told}.*; they are left out", found.notes[-1])


CASES: list[tuple[dict[str, Any], Task, str, str, str]] = [
    ({"text": None}, "classification", "text", "which column has the texts? There are `text`, `label`", "text: text"),
    ({"text": "txet"}, "classification", "text", "there is no column `txet`", "did you mean `text`?"),
    ({"target": "lable"}, "classification", "target", "there is no column `lable`", "did you mean `label`?"),
    ({"target": "text"}, "classification", "target", "`text` has the texts", "another column"),
    ({"target": "label"}, "regression", "path", "text in columns of numbers: `label`", ""),
    ({"output_sequence_length": None}, "classification", "output_sequence_length", "need a length", "write `output"),
    ({"output_mode": "count"}, "classification", "output_sequence_length", "no length", "remove"),
    ({"sequence_stride": 2}, "classification", "sequence_stride", "no windows", "remove"),
    ({"encoding": "utf-17"}, "classification", "encoding", "no encoding `utf-17`", ""),
    ({"group": "who"}, "classification", "group", "there is no column `who`", ""),
]


@pytest.mark.parametrize(("more", "task", "argument", "message", "hint"), CASES)
def test_text_contradictions_in_a_table_are_told(
    tmp_path: Path, more: dict[str, Any], task: Task, argument: str, message: str, hint: str
) -> None:
    ((where, told, mend),) = wrong("text", written(tmp_path, **more), task)
    assert where == argument
    assert message in told
    assert hint in mend


@pytest.mark.parametrize(
    ("more", "task", "argument", "message"),
    [
        ({}, "regression", "path", "there is no regression"),
        ({"output_mode": "tf_idf", "output_sequence_length": None}, "classification", "output_mode", "order counts"),
        ({"max_tokens": 20_000}, "classification", "max_tokens", "at most 10,000"),
        ({"ngrams": 2}, "classification", "ngrams", "no use for `ngrams`"),
        ({"ngrams": 2, "split": "subword"}, "classification", "ngrams", "no use for `ngrams`"),
        ({"stratify": "label"}, "classification", "stratify", "no use for `stratify`"),
        ({"output_sequence_length": 50}, "classification", "path", "has 20 tokens, and a window with its next"),
        ({"path_test": "/no/" + "n" * 300}, "classification", "path_test", "does not exist"),
        ({"path_test": "/no/such.txt"}, "classification", "path_test", "/no/such.txt does not exist"),
    ],
)
def test_text_contradictions_without_columns_are_told(
    tmp_path: Path, more: dict[str, Any], task: Task, argument: str, message: str
) -> None:
    ((where, told, _),) = wrong("text", written(tmp_path, "a b " * 10, "t.txt", **more), task)
    assert where == argument
    assert message in told


def test_text_tells_a_class_that_training_did_not_have(tmp_path: Path) -> None:
    arguments = written(tmp_path, path_test=str(tmp_path / "u.csv"))
    (tmp_path / "u.csv").write_text("text,label\nx,ugly\n")
    ((where, told, _),) = wrong("text", arguments)
    assert (where, told) == ("path_test", f"{tmp_path / 'u.csv'} has labels that training never has: `ugly`, in line 2")
    with pytest.raises(DataError, match="labels that training never has: `ugly`"):
        SOURCES["text"].read(SOURCES["text"].filled(arguments), "classification")


@pytest.mark.parametrize("labelled", [True, False])
def test_text_reads_new_rows(tmp_path: Path, labelled: bool) -> None:
    arguments = written(tmp_path, TABLE)
    found = loaded("text", arguments)
    header, labels = ("text,label\n", (",good", ",bad", ",bad")) if labelled else ("text\n", ("", "", ""))
    rows = "".join(f'"{line}"{label}\n' for line, label in zip(LINES, labels, strict=True))
    (tmp_path / "n.csv").write_text(header + rows)
    (tmp_path / "n.txt").write_text("\n".join(LINES) + "\n")
    table, lines = (new("text", tmp_path / name, arguments, found) for name in ("n.csv", "n.txt"))
    assert np.array_equal(table.split.x, lines.split.x)
    assert table.labelled == labelled
    assert not lines.labelled
    assert not labelled or table.split.y.tolist() == [1, 0, 0]
    assert lines.named(range(2)) == [f"{tmp_path / 'n.txt'}:0", f"{tmp_path / 'n.txt'}:1"]
    told = f"2 of 3 texts of {tmp_path / 'n.txt'} have no token that training knew: 1, 2 (counted from 0)"
    assert lines.notes == (told,)
    (tmp_path / "o.csv").write_text("texts\na\n")
    with pytest.raises(DataError, match=r"o\.csv has no column `text`: it has `texts`"):
        new("text", tmp_path / "o.csv", arguments, found)


def test_text_tells_new_rows_that_are_labelled_in_part_or_otherwise(tmp_path: Path) -> None:
    arguments = written(tmp_path, TABLE)
    found = loaded("text", arguments)
    (tmp_path / "n.csv").write_text("text,label\na,good\nb,\nc,bad\n")
    part = new("text", tmp_path / "n.csv", arguments, found)
    assert not part.labelled
    assert f"{tmp_path / 'n.csv'} lacks `label` in 1 of 3 rows, so it is predicted and not scored" in part.notes
    (tmp_path / "n.csv").write_text("text,label\na,good\nb,ugly\n")
    with pytest.raises(DataError, match="`ugly`, in line 3") as caught:
        new("text", tmp_path / "n.csv", arguments, found)
    assert "`classes`" not in caught.value.hint  # the model is trained


@pytest.mark.parametrize("folders", [True, False])
def test_text_folder_reads_new_files(tmp_path: Path, folders: bool) -> None:
    arguments = in_folders(tmp_path / "f", a=["x y"] * 5, b=["y z"] * 5)
    found = loaded("text_folder", arguments, None)
    if folders:
        in_folders(tmp_path / "n", a=["z"], b=["x", "q"])
    else:
        (tmp_path / "n").mkdir()
        for number, text in enumerate(("z", "x", "q")):
            (tmp_path / "n" / f"{number}.txt").write_text(text)
    given = new("text_folder", tmp_path / "n", arguments, found)
    assert given.labelled == folders
    assert not folders or given.split.y.tolist() == [0, 1, 1]
    files = ["a/0.txt", "b/0.txt", "b/1.txt"] if folders else ["0.txt", "1.txt", "2.txt"]
    assert given.named(range(3)) == [str(tmp_path / "n" / file) for file in files]
    alone = new("text_folder", tmp_path / "n" / files[1], arguments, found)
    assert alone.split.x.tolist() == given.split.x[1:2].tolist()
    assert alone.named(range(1)) == [str(tmp_path / "n" / files[1])]


def test_text_continues_lines(tmp_path: Path) -> None:
    arguments = written(tmp_path, "ab" * 40, "t.txt", split="character")
    found = loaded("text", arguments)
    (tmp_path / "n.txt").write_text("xxababab\nb\n")
    a, b = (found.facts.labels.index(letter) for letter in "ab")
    assert new("text", tmp_path / "n.txt", arguments, found).split.x.tolist() == [[a, b, a, b], [0, 0, 0, b]]


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("task", ["classification", "sequence"])
def test_text_without_columns_in_subwords_has_windows_that_begin_at_words(
    tmp_path: Path, task: Task, stride: int
) -> None:
    pytest.importorskip("tokenizers")
    text = "lower newest\nwidest low " * 30 + "Zz Zz lowest" + " low" * 9
    arguments = written(
        tmp_path, text, "t.txt", split="subword", sequence_stride=stride, max_tokens=20, standardize="none"
    )
    facts = SOURCES["text"].facts(SOURCES["text"].filled(arguments), task)
    found = loaded("text", arguments, task, validation=0.1)
    assert facts is not None
    words = len(re.findall(r" ?\w+|\s", text))
    assert facts.train == len(range(0, words - 4, stride)) > len(found.train) + len(found.test)
    assert (facts.classes, found.facts.classes) == (20, 20)
    assert found.learnt is not None
    assert "Z" not in "".join(found.learnt["text"]["vocabulary"])
    names, beginnings = found.facts.labels, set()
    for x, y in zip(found.train.x.tolist(), found.train.y.tolist(), strict=True):
        told = "".join(names[number] for number in [*x, *([y] if task == "classification" else y[-1:])])
        assert told.replace("\\n", "\n") in text
        beginnings.add(told[:2])
        assert task == "classification" or y[:-1] == x[1:]
    assert beginnings <= {"lo", "ne", " n", "\\n", "wi", " l"}
    assert names.index("[UNK]") in found.test.x


@pytest.mark.parametrize("name", ["text", "text_folder"])
def test_text_in_subwords_without_the_library_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    arguments = written(tmp_path) if name == "text" else in_folders(tmp_path / "f", a=["x"] * 5, b=["y"] * 5)
    arguments["split"] = "subword"
    (told,) = SOURCES[name].contradictions(arguments, "classification")
    assert (told.argument, told.severity) == ("split", "warning")
    assert "pip install 'dltrain[subwords]'" in told.hint
    assert SOURCES[name].facts(SOURCES[name].filled(arguments), "classification") is not None
    with pytest.raises(DataError, match="`tokenizers`, which is not installed") as caught:
        loaded(name, arguments)
    assert caught.value.hint == "`pip install 'dltrain[subwords]'`"
    told, *_ = SOURCES[name].contradictions({**arguments, "ngrams": 2}, "classification")
    assert (told.argument, told.severity) == ("ngrams", "error")


def test_text_in_subwords_has_a_space_before_each_word(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    arguments = written(tmp_path, split="subword", max_tokens=40)
    found = loaded("text", arguments)
    (tmp_path / "n.txt").write_text("good good film\nGood, bad\n")
    given = new("text", tmp_path / "n.txt", arguments, found)
    names = ["", "[UNK]", *(found.learnt or {})["text"]["vocabulary"]]
    good = names.index(" good")
    assert given.split.x[0, :2].tolist() == [good, good]
    assert given.split.x[1, 0] == good
    assert given.notes == ()


def test_text_goes_on_from_the_end_of_a_file(tmp_path: Path) -> None:
    arguments = written(tmp_path, "ab\nc" * 40, "t.txt", split="character")
    found = loaded("text", arguments)
    named = {"\n": "\\n"}
    for number, (text, end) in enumerate(
        [
            ("xc\nab", "c\nab"),
            ("abc\n", "abc"),
            ("a\n\n", "a\n"),
            ("b" * 9 + "\r\nabc", "\nabc"),
            ("a\n" * 999, "\na\na"),
        ]
    ):
        (tmp_path / f"{number}.txt").write_text(text, newline="")
        ahead = new("text", tmp_path / f"{number}.txt", arguments, found).ahead
        assert ahead is not None
        given = ahead()
        assert isinstance(given, Beginnings)
        wanted = [found.facts.labels.index(named.get(letter, letter)) for letter in end]
        assert given.windows.tolist() == [[0] * (4 - len(wanted)) + wanted]
        assert given.names == [str(tmp_path / f"{number}.txt")]
        assert set(given.tokens.values()) == {"a", "b", "c", "\n"}


def test_text_without_columns_that_is_large_is_read_by_the_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = written(tmp_path, "a b " * 20, "t.txt", max_tokens=4)
    monkeypatch.setattr(language, "_LARGEST_LOOK", 10)
    assert SOURCES["text"].facts(SOURCES["text"].filled(arguments), "classification") is None
    assert loaded("text", arguments).facts.classes == 4
