"""A config made from files of a user passes the check, trains, and says what was taken for what."""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dltrain
from dltrain.config import load
from dltrain.config.manual import from_data
from dltrain.errors import DataError

RNG = np.random.default_rng(3)
N = 60
Make = Callable[[Path], Path]


def written(path: Path, target: str | None = None, name: str = "made.yaml") -> Path:
    """Write the config for a path beside it."""
    file = (path.parent if path.parent.name != "photos" else path.parent.parent) / name
    file.write_text(from_data.text(path, target, file), encoding="utf-8")
    return file


def table(columns: dict[str, list[Any]], *, header: bool = True, delimiter: str = ",", encoding: str = "utf-8") -> Make:
    def make(folder: Path) -> Path:
        path = folder / "t.csv"
        with path.open("w", newline="", encoding=encoding) as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerows([list(columns)] * header)
            writer.writerows(zip(*columns.values(), strict=True))
        return path

    return make


def arrays(**members: Any) -> Make:
    def make(folder: Path) -> Path:
        np.savez(folder / "a.npz", **members)
        return folder / "a.npz"

    return make


def texts(*folders: str, encoding: str = "utf-8") -> Make:
    def make(folder: Path) -> Path:
        for name in folders:
            place = folder / "mails" / name
            place.mkdir(parents=True)
            for number in range(8):
                (place / f"{number}.txt").write_text(f"Größe und Text {name} " * (number + 1), encoding=encoding)
        return folder / "mails"

    return make


def images(*folders: str, mode: str = "RGB", sizes: tuple[tuple[int, int], ...] = ((20, 16),), each: int = 8) -> Make:
    def make(folder: Path) -> Path:
        for name in folders:
            place = folder / "photos" / name
            place.mkdir(parents=True)
            for number in range(each):
                Image.new(mode, sizes[number % len(sizes)], number * 9).save(place / f"{number}.png")
        return folder / "photos"

    return make


A, B = RNG.normal(5, 2, N).round(3).tolist(), RNG.integers(0, 50, N).tolist()
TOWN = RNG.choice(["Köln", "Ulm", "Bonn"], N).tolist()
KIND = np.where(np.array(A) > 5, "large", "small").tolist()
PRICE = [round(100 * a + b + 0.5, 2) for a, b in zip(A, B, strict=True)]
NAMES = [f"person {number} of {random.Random(number).random():.3f}" for number in range(N)]
X = RNG.random((N, 6), np.float32)
PICTURES = RNG.integers(0, 256, (N, 12, 12), np.uint8)
TOKENS = RNG.integers(0, 40, (N, 10))
DAYS = [str(date(2024, 1, 1) + timedelta(n)) for n in range(N)]
LABELS = np.arange(N) % 3


def image_table(columns: dict[str, list[Any]], folder: str, named: str = "") -> Make:
    def make(root: Path) -> Path:
        images(folder, each=N)(root)
        columns_of = {"file": [f"{named}{n}.png" for n in range(N)], **columns}
        path = table(columns_of)(root)
        return path.rename(root / "photos" / "t.csv")

    return make


def parquet(columns: dict[str, list[Any]]) -> Make:
    def make(folder: Path) -> Path:
        arrow = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        write_table(arrow.table(columns), folder / "t.parquet")
        return folder / "t.parquet"

    return make


def appended(path: Path, line: str) -> Path:
    with path.open("a") as file:
        file.write(line)
    return path


def prose(folder: Path) -> Path:
    lines = "It was late, and dark.\nNobody came; no, not one, ever, at all.\nSo they left.\n"
    (folder / "book.txt").write_text(lines * 40)
    return folder / "book.txt"


# What is there -> the lines and words that the config has.
CASES: dict[str, tuple[Make, list[str]]] = {
    "table of classes": (
        table({"a": A, "town": TOWN, "kind": KIND}),
        ["target: kind", "categorical: [town]", "scale: standard", "task: classification", "units: 2, activation: sof"],
    ),
    "table of numbers": (
        table({"a": A, "b": B, "price": PRICE}),
        [
            "target: price",
            "task: regression",
            "target_scale: standard",
            "loss: mean_squared_error",
            "Dense: {units: 1}",
        ],
    ),
    "semicolons and decimal commas": (
        table({"a": [str(a).replace(".", ",") for a in A], "b": B, "kind": KIND}, delimiter=";"),
        ['delimiter: ";"', 'decimal: ","', "task: classification"],
    ),
    "tabs": (table({"a": A, "b": B, "kind": KIND}, delimiter="\t"), ['delimiter: "\\t"']),
    "no header": (table({"a": A, "b": B, "kind": KIND}, header=False), ["header: false", 'target: "2"']),
    "no header, and missing words": (
        table({"NA": A[1:], "Köln": TOWN[1:], "large": KIND[1:]}),
        ["header: false", "na_values: [NA]", 'categorical: ["1"]'],
    ),
    "years as names": (
        table({"town": TOWN, "area": A, "2019": B, "2020": B[::-1], "kind": KIND}),
        ["categorical: [town]", "target: kind"],
    ),
    "latin-1": (
        table({"größe": A, "town": TOWN, "kind": KIND}, encoding="latin-1"),
        ["encoding: cp1252", "is no UTF-8"],
    ),
    "utf-16": (
        table({"größe": A, "Stadt": TOWN, "kind": KIND}, encoding="utf-16"),
        ["encoding: utf-16", "target: kind"],
    ),
    "byte order mark": (table({"größe": A, "kind": KIND}, encoding="utf-8-sig"), ["target: kind"]),
    "letters of other scripts": (
        table({"a": A, "Größe": TOWN, "вид": KIND}),
        ['target: "вид"', 'categorical: ["Größe"]'],
    ),
    "index, constant, names, dates": (
        table(
            {
                "": list(range(N)),
                "id": [7 * n % 61 + 100 for n in range(N)],
                "same": [1] * N,
                "name": NAMES,
                "day": [f"2024-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(N)],
                "none": [""] * N,
                "a": A,
                "kind": KIND,
            }
        ),
        ['drop: ["Unnamed: 0", id, same, name, day, none]', "hardly comes again", "same value everywhere", "no value"],
    ),
    "amounts": (
        table({"a": A, "rate": [f"{n}.5%" for n in range(N)], "cost": [f"€ {n},000" for n in range(N)], "kind": KIND}),
        [
            "drop: [rate, cost]",
            "`rate`: text such as `0.5%`: if these are numbers, write plain ones",
            "such as `€ 0,000`",
        ],
    ),
    "dates that rise beside labels": (
        table({"day": [f"2024-01-01T{n // 60:02}:{n % 60:02}" for n in range(N)], "a": A, "kind": KIND}),
        ["drop: [day]", "dates; where rows are steps in time, write `series`; with `time: NAME`"],
    ),
    "missing words": (
        table({"a": ["NA", *A[1:]], "b": [*B[:-2], "?", ""], "town": ["", *TOWN[1:]], "kind": KIND}),
        ['na_values: ["?", NA]', "missing: mean", "1 of `a`, 2 of `b`, 1 of `town`"],
    ),
    "missing targets": (table({"a": A, "kind": ["", "NA", *KIND[2:]]}), ["missing: drop", "2 rows without a target"]),
    "missing targets and features": (
        table({"a": ["", *A[1:]], "b": B, "kind": [*KIND[:-2], "", ""]}),
        ["missing: mean", "2 rows without a target: left out", "(1 of `a`)"],
    ),
    "mostly missing": (table({"a": A, "b": [*[""] * 40, *B[40:]], "kind": KIND}), ["drop: [b]", "more than half"]),
    "codes with zeros before them": (
        table({"a": A, "zip": [f"0{1000 + n % 4}" for n in range(N)], "kind": KIND}),
        ["categorical: [zip]"],
    ),
    "whole numbers as target": (
        table({"a": A, "b": B, "quality": (3 + LABELS).tolist()}),
        ["task: classification", "3 whole numbers", "if they are amounts, write `regression`"],
    ),
    "target by its name": (table({"label": KIND, "a": A, "b": B}), ["target: label", "taken by its name"]),
    "only a counter as feature": (table({"n": list(range(N)), "price": PRICE}), ["target: price", "scale: standard"]),
    "only categories as features": (table({"town": TOWN, "kind": KIND}), ["categorical: [town]"]),
    "rows of another length": (
        lambda folder: appended(table({"a": A, "b": B, "kind": KIND})(folder), "1,2\n"),
        ["on_bad: skip", "1 row of it with another number of cells than 3: line 62 has 2"],
    ),
    "sentences": (
        table({"id": list(range(N)), "mail": [f"{name}, hello to you all" for name in NAMES], "kind": KIND}),
        ["text: mail", "8 words on average; other columns are not used: `id`", "max_tokens: 1000", "mask_zero: true"],
    ),
    "sentences beside numbers": (
        table({"a": A, "review": [f"{name} is someone whom we all know well" for name in NAMES], "stars": PRICE}),
        ["text: review", "other columns are not used: `a`", "target_scale: standard", "output_sequence_length: 11"],
    ),
    "names beside numbers": (table({"a": A, "name": NAMES, "kind": KIND}), ["drop: [name]", "scale: standard"]),
    "steps in time": (
        table({"day": DAYS, "same": [1] * N, "wind": ["", *B[1:]], "heat": A}),
        ["series:", "time: day", "target: heat", "sequence_length: 6", "missing: ffill", "drop: [same]", "LSTM"],
    ),
    "steps with days as numbers": (
        table({"day": [day.replace("-", "") for day in DAYS], "heat": A}),
        ["series:", 'date_format: "%Y%m%d"', "dates are written as in 20240101"],
    ),
    "dates beside categories": (table({"day": DAYS, "town": TOWN, "heat": A}), ["csv:", "drop: [day]"]),
    "dates that do not rise": (table({"day": DAYS[::-1], "wind": B, "heat": A}), ["csv:", "drop: [day]"]),
    "Parquet": (
        parquet({"a": [None, float("nan"), *A[2:]], "town": TOWN, "old": [b > 20 for b in B], "kind": KIND}),
        ["parquet:", "categorical: [town, old]", "missing: mean", "2 of `a`"],
    ),
    "names of images": (
        image_table({"kind": KIND}, "all", "all/"),
        ["image_table:", "image: file", "target: kind", "image_size: [16, 20]", "Conv2D"],
    ),
    "names of images elsewhere": (
        image_table({"weight": PRICE}, "all"),
        ["image_table:", "directory: photos/all", "task: regression", "target_scale: standard", "Dense: {units: 1}"],
    ),
    "names of images that are not there": (image_table({"a": A, "kind": KIND}, "all", "x"), ["csv:", "drop: [file]"]),
    "vectors and integer labels": (arrays(x_train=X * 9, y_train=LABELS), ["Normalization", "task: classification"]),
    "vectors and numbers": (arrays(x=X, y=X.sum(axis=1)), ["task: regression", "mean_squared_error"]),
    "vectors and several numbers": (arrays(x=X, y=X[:, :2] * 3), ["task: regression", "Dense: {units: 2}"]),
    "vectors and one-hot labels": (arrays(x=X, y=np.eye(3)[LABELS]), ["task: classification", "single 1"]),
    "vectors and several labels": (
        arrays(x=X, y=(X[:, :4] > 0.5).astype(int)),
        ["task: multi_label", "units: 4, activation: sigmoid", "binary_crossentropy", "BinaryAccuracy"],
    ),
    "vectors and names of classes": (arrays(x=X, y=np.array(KIND)), ["task: classification", "2 different texts"]),
    "vectors and flags": (arrays(x=X, y=X[:, 0] > 0.5), ["task: classification", "units: 2"]),
    "named otherwise": (arrays(inputs_all=X, ages=X.sum(axis=1)), ["x_train: inputs_all", "y_train: ages", "larger"]),
    "own splits": (
        arrays(x_train=X, y_train=LABELS, x_val=X, y_val=LABELS, x_test=X, y_test=LABELS),
        ["validation: given"],
    ),
    "uint8 images": (
        arrays(x=PICTURES, y=LABELS),
        ["Reshape: {target_shape: [12, 12, 1]}", "Conv2D", "`x` (60, 12, 12) uint8"],
    ),
    "images with channels first": (
        arrays(x=RNG.random((N, 3, 16, 12), np.float32), y=LABELS),
        ["Permute: {dims: [2, 3, 1]}", "is taken for the number of channels"],
    ),
    "float images up to 255": (
        arrays(x=PICTURES[..., None].astype("f4"), y=LABELS),
        ["scale: 0.00392156862745098", "values are up to 255"],
    ),
    "tiny images": (arrays(x=PICTURES[:, :3, :3, None], y=LABELS), ["Conv2D"]),
    "series": (arrays(x=RNG.normal(0, 3, (N, 12, 2)), y=LABELS), ["LSTM: {units: 32}", "12 steps of 2 numbers"]),
    "long series": (arrays(x=RNG.random((N, 600, 2), np.float32), y=LABELS), ["Conv1D", "GlobalAveragePooling1D"]),
    "labels of steps": (
        arrays(x=RNG.random((N, 12, 2), np.float32), y=RNG.integers(0, 4, (N, 12))),
        ["task: sequence", "return_sequences: true", "units: 4, activation: softmax"],
    ),
    "numbers of steps": (
        arrays(x=RNG.random((N, 12, 2), np.float32), y=RNG.random((N, 12, 1), np.float32)),
        ["task: sequence", "mean_squared_error"],
    ),
    "indices": (
        arrays(x=TOKENS, y=LABELS % 2),
        ["Embedding: {input_dim: 40, output_dim: 8}", "`Normalization` in the place of `Embedding`"],
    ),
    "arrays of groups and weights": (
        arrays(x=X, y=LABELS, Group=np.arange(N) // 4, sample_weights=np.ones(N), age=np.arange(N), groups=np.ones(3)),
        ["group: Group", "sample_weight: sample_weights", "not used: `age`, `groups`"],
    ),
    "long text": (
        prose,
        ["split: character", "task: sequence", "return_sequences: true", "no table", "latest share"],
    ),
    "indices with labels of steps": (arrays(x=TOKENS, y=TOKENS % 5), ["Embedding", "task: sequence", "units: 5"]),
    "whole numbers of different ranges": (
        arrays(x=TOKENS * np.array([1, 1, 1, 1, 1, 1, 1, 1, 1, 50]), y=LABELS),
        ["- Normalization"],
    ),
    "images of images": (arrays(x=PICTURES[..., None], y=255 - PICTURES[..., None]), ["task: array", "sigmoid"]),
    "labels of pixels": (arrays(x=PICTURES[..., None], y=PICTURES.astype(int) // 128), ["task: sequence", "units: 2"]),
    "other arrays": (
        arrays(x=X, y=RNG.random((N, 3, 2), np.float32)),
        ["task: array", "Reshape: {target_shape: [3, 2]}"],
    ),
    "blocks": (arrays(x=RNG.random((N, 3, 5, 6, 2), np.float32), y=LABELS), ["Flatten"]),
    "grey images in folders": (
        images("cat", "dog", mode="L"),
        ["color_mode: grayscale", "image_size: [16, 20]", "the folders `cat`, `dog`"],
    ),
    "images of several sizes": (
        images("cat", "dog", sizes=((20, 16), (300, 200), (30, 40))),
        ["crop_to_aspect_ratio: true", "heights from 16 to 200, widths from 20 to 300"],
    ),
    "large images": (images("cat", "dog", sizes=((400, 200),)), ["image_size: [48, 96]", "400 (height x width)"]),
    "texts in folders": (texts("ham", "spam"), ["text_folder:", "output_sequence_length: 32", "folders `ham`, `spam`"]),
    "texts in splits": (texts("train/a", "train/b", "test/a", "test/b"), ["text_folder:", "16 texts for test"]),
    "old texts": (texts("a", "b", encoding="latin-1"), ["encoding: cp1252", "16 texts are no UTF-8"]),
    "images in splits": (
        images("train/a", "train/b", "val/a", "val/b", "test/a", "test/b"),
        ["validation: given", "16 images for test"],
    ),
}
QUICK = ("missing words", "long text", "uint8 images", "indices")  # the others train in the slow tests


@pytest.mark.parametrize("case", CASES)
def test_from_data_passes_the_check_and_says_what_it_took(case: str, tmp_path: Path) -> None:
    make, lines = CASES[case]
    file = written(make(tmp_path))
    text = file.read_text(encoding="utf-8")
    one_line = " ".join(line.strip().removeprefix("# ") for line in text.splitlines())
    for line in lines:
        assert line in text or line in one_line, text
    assert max(map(len, text.splitlines())) <= 120
    warnings = load(file).checked.warnings
    if case != "rows of another length":  # which `check` warns of, and the config repeats
        assert warnings == (), warnings
    assert ("splits" in case) == ("  test:" not in text)


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in CASES]
)
def test_from_data_trains(case: str, tmp_path: Path) -> None:
    file = written(CASES[case][0](tmp_path))
    run = dltrain.fit(file, smoke=True, runs_dir=tmp_path / "runs")
    assert run.record().status == "completed"


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("a", ["target: a", "task: regression", "categorical: [town, kind]"]),
        ("town", ["target: town", "task: classification", "units: 3, activation: softmax", "`Bonn`, `Köln`, `Ulm`"]),
    ],
)
def test_from_data_takes_a_given_target(target: str, lines: list[str], tmp_path: Path) -> None:
    file = written(table({"a": A, "town": TOWN, "kind": KIND})(tmp_path), target)
    text = file.read_text(encoding="utf-8")
    assert all(line in text for line in lines), text
    assert "to predict another column" not in text
    assert load(file).checked.warnings == ()


def raw(content: bytes, name: str = "t.csv") -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def folder_with(*names: str) -> Make:
    def make(folder: Path) -> Path:
        for name in names:
            place = folder / "there" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("a,b\n1,2\n")
        (folder / "there").mkdir(exist_ok=True)
        return folder / "there"

    return make


def sparse(folder: Path) -> Path:
    path = raw(b"a,b\n" + b"1,x\n2,y\n" * 5_000)(folder)
    os.truncate(path, 2**33)  # of which the disk keeps the first bytes
    return path


def many(folder: Path) -> Path:
    place = folder_with("a.md")(folder)
    for number in range(1_200):
        (place / f"{number}.dat").touch()
    return place


def in_circles(folder: Path) -> Path:
    place = folder_with("a/b/c.md", "d.csv")(folder)
    (place / "a.csv").symlink_to("nowhere")
    for name in ("a/up", "a/b/up", "up", "again", "a/again"):
        (place / name).symlink_to("..")
        (place / f"{name}.csv").symlink_to(f"{Path(name).name}.csv")
    (place / "here").symlink_to(".")
    return place


REFUSED: dict[str, tuple[Make, str | None, str]] = {
    "nothing": (lambda folder: folder / "none.csv", None, "No such file"),
    "empty folder": (folder_with(), None, "it is empty"),
    "folder of one CSV": (folder_with("x.csv", "notes.md"), None, "name the file in it: `--from"),
    "folder of other files": (folder_with("a.md", "b.py"), None, "it holds `a.md`, `b.py`"),
    "folder of very many files": (many, None, "; 1,000 files and folders in it were looked at"),
    "folder of links in circles": (in_circles, None, "/there/d.csv`"),
    "folder of deep images": (folder_with("a/b/c/1.jpg", "d/e.csv"), None, "name what holds them: `path: "),
    "file of which disks keep the size": (sparse, None, "neither text nor an array"),
    "one class": (images("cat"), None, "a single class, `cat`"),
    "images without classes": (images("."), None, "no folder for each class"),
    "empty file": (raw(b""), None, "is empty"),
    "damaged Parquet": (raw(b"PAR1\x00\x00", "t.parquet"), None, "Parquet"),
    "single image": (raw(b"\x89PNG\r\n\x1a\n", "a.png"), None, "a single image"),
    "pickle": (raw(b"\x80\x04\x95", "a.pkl"), None, "could run anything"),
    "workbook": (raw(b"PK\x03\x04", "a.xlsx"), None, "save a sheet of it as CSV"),
    "bytes": (raw(b"\x01\x00\x02\x00" * 50), None, "neither text nor an array"),
    "single column": (raw(b"a\n1\n2\n3\n"), None, "is no table"),
    "short text": (raw(b"hello there\nworld wide\n", "t.txt"), None, "at least 1,000 characters"),
    "table of a text with a target": (raw(b"It was late.\n" * 99, "t.txt"), "kind", "no column `kind`"),
    "prose": (
        raw(b"It was late, and dark.\nNobody came; no, not one, ever, at all.\nSo they left.\n" * 40),
        None,
        "is no table",
    ),
    "header alone": (raw(b"a,b\n"), None, "0 rows below its header"),
    "few rows": (raw(b"a,b\n1,2\n3,4\n"), None, "2 rows below its header"),
    "header shorter than rows": (raw(b"a,b\n" + b"1,2,3\n" * 9), None, "9 rows of"),
    "name twice": (raw(b"a,a,b\n" + b"1,2,3\n" * 9), None, "several columns of the name `a`"),
    "open quote": (raw(b"a,b\n" + b"1,2\n" * 9 + b'"1,2\n'), None, "a quote is not closed"),
    "all constant": (raw(b"a,b\n" + b"1,2\n" * 9), None, "no column"),
    "only a target": (table({"same": [1] * N, "kind": KIND}), None, "left for the features: the same value everywhere"),
    "unknown target": (table({"a": A, "kind": KIND}), "kin", "did you mean `kind`?"),
    "target of amounts": (
        table({"a": A, "b": [f"{1 + n % 9}.{n:03},50" for n in range(N)]}),
        "b",
        "such as `1.000,50` if they are numbers, write plain ones",
    ),
    "target of names": (table({"a": A, "name": NAMES}), "name", "60 different texts in 60 rows"),
    "constant target": (table({"a": A, "b": [1] * N}), "b", "a single value"),
    "target of arrays": (arrays(x=X, y=LABELS), "y", "no columns"),
    "no targets": (arrays(x_train=X), None, "no array of targets"),
    "other numbers of samples": (arrays(x=X, y=LABELS[:-1]), None, "59"),
    "unreadable images": (folder_with(*(f"cat/{n}.png" for n in range(9)), "dog/1.png"), None, "can be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_from_data_refuses_what_it_cannot_train_on(case: str, tmp_path: Path) -> None:
    make, target, says = REFUSED[case]
    path = make(tmp_path)
    with pytest.raises(DataError) as caught:
        from_data.text(path, target, tmp_path / "made.yaml")
    assert says in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint
    assert not (tmp_path / "made.yaml").exists()


@pytest.mark.parametrize(
    ("path", "file", "found"),
    [
        ("data/t.csv", "made.yaml", "path: data/t.csv"),
        ("data/t.csv", "configs/made.yaml", "path: ../data/t.csv"),
        ("data/~/my table.csv", "data/made.yaml", 'path: "./~/my table.csv"'),
        ("2024/1.csv", "made.yaml", 'path: "2024/1.csv"'),
        ("Größe #1: a.csv", "made.yaml", 'path: "Größe #1: a.csv"'),
    ],
)
def test_from_data_paths_are_relative_to_the_config(path: str, file: str, found: str, tmp_path: Path) -> None:
    for name in (path, file):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    there = table({"a": A, "kind": KIND})(tmp_path).rename(tmp_path / path)
    made = tmp_path / file
    made.write_text(from_data.text(there, None, made), encoding="utf-8")
    assert found in made.read_text(encoding="utf-8")
    assert load(made, strict=True)


@pytest.mark.parametrize(
    "name", ["a\nb", "# a", "a: b", "'", '"', "null", "yes", "x1", "\x1b[31m", "{a}", "-", "ä" * 300]
)
def test_from_data_columns_of_any_name_are_data(name: str, tmp_path: Path) -> None:
    file = written(table({name: TOWN, f"{name}2": A, "same": [1] * N, f"k{name}": KIND})(tmp_path), name)
    assert "\x1b" not in file.read_text(encoding="utf-8")
    arguments = load(file, strict=True).spec.data.dataset.arguments
    assert arguments["target"] == name
    assert arguments["categorical"] == [f"k{name}"]


def test_from_data_wide_tables_have_lists_of_an_item_a_line(tmp_path: Path) -> None:
    file = written(table({**{f"word number {n}": TOWN for n in range(300)}, "kind": KIND})(tmp_path))
    text = file.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 120
    assert len(load(file, strict=True).spec.data.dataset.arguments["categorical"]) == 300


def test_from_data_says_what_the_check_warns_of(tmp_path: Path) -> None:
    path = images("cat", "dog")(tmp_path)
    (path / "cat" / "notes.md").touch()
    file = written(path)
    (warning,) = load(file).checked.warnings
    assert "no images are left out" in warning.message
    assert file.read_text(encoding="utf-8").startswith("# `dltrain check` warns: files in class folders")


@pytest.mark.parametrize(
    ("path", "name"),
    [("t.csv", "t.yaml"), ("my photos", "my-photos.yaml"), ("v1.2", "v1.2.yaml"), (".", None), ("my photos/..", None)],
)
def test_from_data_a_config_has_the_name_of_the_data(
    path: str, name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    for folder in ("my photos", "v1.2"):
        (here / folder).mkdir(parents=True)
    monkeypatch.chdir(here)
    assert str(from_data.default_file(Path(path))) == (name or "here.yaml")
