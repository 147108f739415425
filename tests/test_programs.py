"""Public Keras programs, written as configs from their descriptions, pass `check` and train on small data."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dltrain as package
from dltrain.config import load

PROGRAMS = Path(__file__).parent / "programs"
DOWNLOADED = {
    *("fashion_mlp", "cifar10_augmented", "imdb_multi_hot", "imdb_lstm", "imdb_bidirectional", "imdb_conv1d"),
    *("reuters_mlp", "boston_housing", "california_housing"),
}
INCLUDED = {"mnist_mlp", "mnist_convnet", "deep_autoencoder", "denoising_autoencoder", "learning_rates"}
WORDS = [
    "the",
    "a",
    "film",
    "plot",
    "actor",
    "scene",
    "was",
    "is",
    "very",
    "quite",
    "long",
    "short",
    "dull",
    "bright",
    "story",
    "end",
    "music",
    "light",
    "dark",
    "good",
    "bad",
]
Rows = Iterable[Sequence[object]]


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def table(path: Path, header: Sequence[str] | None, rows: Rows, delimiter: str = ",") -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows(([header] if header else []) + [list(row) for row in rows])


def photos(folder: Path, classes: Sequence[str], count: int, size: tuple[int, int]) -> None:
    for level, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            photo(folder / name / f"{name}.{i}.jpg", level, size)


def photo(path: Path, level: int, size: tuple[int, int]) -> None:
    values = random(hash_of(path.name)).integers(0, 120, (*size, 3)) + 40 * level
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(path)


def hash_of(name: str) -> int:
    return sum(ord(letter) * 31**i for i, letter in enumerate(name)) % 2**31


def numbers(count: int, columns: int, seed: int = 0) -> np.ndarray:
    return random(seed).normal(size=(count, columns)).round(3)


def sentences(count: int, length: int = 12) -> list[tuple[str, int]]:
    """Return sentences, and whether they have the word `good`, else `bad`."""
    found = []
    for i in range(count):
        words = [str(word) for word in random(i).choice(WORDS[:-2], length)]
        found.append((" ".join([*words, "good" if i % 2 else "bad"]) + ".", i % 2))
    return found


def labelled(path: Path, classes: Sequence[object], columns: int, count: int = 100) -> None:
    """Write a table without a header: numbers, then a class that shifts them."""
    rows = numbers(count, columns)
    table(path, None, ([*(row + i % len(classes)).round(3), classes[i % len(classes)]] for i, row in enumerate(rows)))


def cats_vs_dogs(at: Path) -> None:
    for split, count in (("train", 12), ("validation", 6), ("test", 6)):
        photos(at / "cats_and_dogs_small" / split, ["cats", "dogs"], count, (48, 60))


def flowers(at: Path) -> None:
    photos(at / "flower_photos", ["daisy", "dandelion", "roses", "sunflowers", "tulips"], 10, (60, 40))


def image_rows(at: Path) -> None:
    (at / "images").mkdir()
    breeds = ["beagle", "collie", "pug"]
    for i in range(45):
        photo(at / "images" / f"{i:04x}.jpg", i % 3, (30, 40))
    table(at / "train.csv", ["id", "breed"], ([f"{i:04x}", breeds[i % 3]] for i in range(45)))


def auto_mpg(at: Path) -> None:
    header = ["MPG", "Cylinders", "Displacement", "Horsepower", "Weight", "Acceleration", "Model Year", "Origin"]
    rows = []
    for i, x in enumerate(numbers(120, 1)[:, 0]):
        power = "?" if i % 40 == 7 else 100 + 20 * x
        origin = ("USA", "Europe", "Japan")[i % 3]
        rows.append(
            [30 - 4 * x, 4 + i % 3 * 2, 200 + 50 * x, power, 3000, 15 + x, 70 + i % 13, origin, f"car, no. {i}"]
        )
    table(at / "auto-mpg.csv", [*header, "Car Name"], rows)


def titanic(at: Path) -> None:
    header = [
        "PassengerId",
        "Survived",
        "Pclass",
        "Name",
        "Sex",
        "Age",
        "SibSp",
        "Parch",
        "Ticket",
        "Fare",
        "Cabin",
        "Embarked",
    ]
    rows = []
    for i, (age, fare) in enumerate(random().uniform(1, 60, (120, 2)).round(1)):
        sex = ("male", "female")[i * 7 % 5 % 2]
        rows.append(
            [i + 1, int(sex == "female"), 1 + i % 3, f'Doe, "J." {i}', sex, "" if i % 6 == 0 else age, i % 2, 0]
        )
        rows[-1] += [f"A/5 {i}", fare, "" if i % 4 else "C85", "" if i == 61 else "SCQ"[i % 3]]
    table(at / "titanic.csv", header, rows)


def abalone(at: Path) -> None:
    header = ["Sex", "Length", "Diameter", "Age"]
    table(at / "abalone.csv", header, (["MFI"[i % 3], *row[:2], 10 + row[2]] for i, row in enumerate(numbers(90, 3))))


def wine_quality(at: Path) -> None:
    qualities = [5] * 50 + [6] * 40 + [7] * 20 + [4] * 10
    rows = ([*(row + quality).round(3), quality] for row, quality in zip(numbers(120, 4), qualities, strict=True))
    table(at / "winequality-red.csv", ["fixed acidity", "volatile acidity", "pH", "alcohol", "quality"], rows, ";")


def credit_fraud(at: Path) -> None:
    rows = ([i, *(row + 2 * (i % 20 == 0)).round(3), 5 * i, int(i % 20 == 0)] for i, row in enumerate(numbers(600, 2)))
    table(at / "creditcard.csv", ["Time", "V1", "V2", "Amount", "Class"], rows)


def weather(at: Path) -> None:
    rows, start = [], datetime(2009, 1, 1, 0, 10)
    for i in range(2500):
        heat = 10 + 8 * np.sin(2 * np.pi * i / 144)
        rows.append(
            [
                (start + timedelta(minutes=10 * i)).strftime("%d.%m.%Y %H:%M:%S"),
                996 + i % 7,
                heat.round(2),
                90 - heat.round(1),
                0,
            ]
        )
    table(at / "jena_climate.csv", ["Date Time", "p (mbar)", "T (degC)", "rh (%)", "rain (mm)"], rows)


def airline_passengers(at: Path) -> None:
    rows = ([f"{1949 + i // 12}-{1 + i % 12:02}", int(110 + 2.5 * i + 30 * np.sin(i * np.pi / 6))] for i in range(144))
    table(at / "airline-passengers.csv", ["Month", "Passengers"], rows)


def hours(at: Path) -> None:
    rows = ([(5 + np.sin(i / 4)).round(3), (2 + np.cos(i / 4)).round(3)] for i in range(500))
    table(at / "hours.csv", ["load", "wind"], rows)


def waves(count: int, steps: int) -> np.ndarray:
    shifts, speeds = random().uniform(0, 6, (count, 1)), random(1).uniform(10, 30, (count, 1))
    return np.sin(np.linspace(0, 1, steps) * speeds + shifts)[..., None].astype(np.float32)


def splits(x: np.ndarray, y: np.ndarray, names: Sequence[str] = ("train", "val", "test")) -> dict[str, Any]:
    """Return arrays `x_train` and so on: the last fifth the test split, the fifth before the validation split."""
    ends = np.split(np.arange(len(x)), [len(x) * 3 // 5, len(x) * 4 // 5])
    return {
        f"{which}_{name}": array[at]
        for name, at in zip(names, ends, strict=True)
        for which, array in (("x", x), ("y", y))
    }


def sine_waves(at: Path) -> None:
    found = waves(100, 51)
    np.savez(at / "series.npz", **splits(found[:, :50], found[:, 50]))


def sine_waves_each_step(at: Path) -> None:
    found = waves(100, 60)
    y = np.concatenate([found[:, i : i + 50] for i in range(1, 11)], axis=2)
    np.savez(at / "series.npz", **splits(found[:, :50], y))


def activity(at: Path) -> None:
    labels = np.arange(96) % 6
    x = (random().normal(size=(96, 128, 9)) + labels[:, None, None]).astype(np.float32)
    one_hot = np.eye(6, dtype=np.float32)[labels]
    np.savez(at / "har.npz", trainX=x[:66], trainy=one_hot[:66], testX=x[66:], testy=one_hot[66:])


def ford_a(at: Path) -> None:
    labels = np.where(np.arange(60) % 2, 1, -1)
    x = random().normal(size=(60, 500)) * (2 + labels[:, None])
    np.savez(at / "FordA.npz", x_train=x[:40], y_train=labels[:40], x_test=x[40:], y_test=labels[40:])


def anomalies(at: Path) -> None:
    start = datetime(2014, 4, 1)
    rows = ([start + timedelta(minutes=5 * i), (20 + 10 * np.sin(2 * np.pi * i / 288)).round(3)] for i in range(2016))
    table(at / "art_daily_small_noise.csv", ["timestamp", "value"], rows)


def text_folders(at: Path) -> None:
    for split, count in (("train", 40), ("test", 20)):
        for i, (text, good) in enumerate(sentences(count)):
            path = at / "aclImdb" / split / ("pos" if good else "neg") / f"{i}_7.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "<br />")


def text_tf_idf(at: Path) -> None:
    table(at / "spam.csv", ["label", "message"], ((("spam", "ham")[good], text) for text, good in sentences(80)))


def next_character(at: Path) -> None:
    (at / "nietzsche.txt").write_text("\n".join(text for text, _ in sentences(40)))


def addition(at: Path) -> None:
    letters, x, y = "0123456789+ ", [], []
    for a, b in random().integers(0, 999, (250, 2)):
        x.append([letters.index(c) for c in f"{a}+{b}".ljust(7)[::-1]])
        y.append([letters.index(c) for c in str(a + b).ljust(4)])
    np.savez(at / "addition.npz", **splits(np.eye(12, dtype=bool)[np.array(x)], np.eye(12, dtype=bool)[np.array(y)]))


def tagging(at: Path) -> None:
    words = random().integers(1, 50, (80, 12)) * (np.arange(12) < random(1).integers(5, 13, (80, 1)))
    np.savez(at / "tags.npz", sentences=words, tags=np.where(words == 0, 0, 1 + words % 4))


def super_resolution(at: Path) -> None:
    large = random().random((30, 24, 24, 1), dtype=np.float32)
    np.savez(at / "super_resolution.npz", x=large.reshape(30, 8, 3, 8, 3, 1).mean(axis=(2, 4)), y=large)


def multi_label(at: Path) -> None:
    x = numbers(120, 10)
    np.savez(at / "multi_label.npz", X=x, y=(x[:, :3] > 0).astype(int))


def tags_of_questions(at: Path) -> None:
    rows = (
        [f"how to use {'python' if i % 2 else ''} {'java' if i % 3 else ''}?", i % 2, int(i % 3 > 0), i % 5 % 2]
        for i in range(90)
    )
    table(at / "questions.csv", ["title", "python", "java", "sql"], rows)


def word2vec_cbow(at: Path) -> None:
    text = random().integers(0, 40, 600)
    windows = np.lib.stride_tricks.sliding_window_view(text, 5)
    np.savez(at / "contexts.npz", x=np.delete(windows, 2, axis=1), y=windows[:, 2])


def skip_gram(at: Path) -> None:
    pairs = random().integers(1, 40, (400, 2))
    np.savez(at / "pairs.npz", x=pairs, y=(abs(pairs[:, 0] - pairs[:, 1]) < 8).astype(int))


def volumes(at: Path) -> None:
    labels = np.arange(40) % 2
    x = (random().random((40, 16, 16, 8)) + labels[:, None, None, None]).astype(np.float32)
    np.savez(at / "scans.npz", x_train=x[:30], y_train=labels[:30], x_val=x[30:], y_val=labels[30:])


def next_frames(at: Path) -> None:
    films = (random().random((12, 5, 16, 16, 1)) > 0.8).astype(np.float32)
    np.savez(at / "movies.npz", x_train=films[:, :-1], y_train=films[:, 1:])


def digits(at: Path) -> None:
    labels = np.arange(100) % 5
    x = random().integers(0, 150, (100, 28, 28)) + 20 * labels[:, None, None]
    np.savez(
        at / "digits.npz", x_low=x.astype(np.uint8), y_low=labels, x_high=x[::-1].astype(np.uint8), y_high=9 - labels
    )


def rate_by_epoch(at: Path) -> None:
    table(
        at / "table.csv", ["age", "income", "bought"], ([*row, "yes" if row[0] > 0 else "no"] for row in numbers(80, 2))
    )


def several_targets(at: Path) -> None:
    names = [f"x{i}" for i in range(10)]
    rows = ([*row, 170 + 10 * row[0], 70 + 5 * row[1]] for row in numbers(100, 10))
    table(at / "outputs.csv", [*names, "height", "weight"], rows)


MAKERS: dict[str, Callable[[Path], None]] = {
    "pima_diabetes": lambda at: labelled(at / "pima-indians-diabetes.csv", [0, 1], 8),
    "iris": lambda at: labelled(at / "iris.csv", ["Iris-setosa", "Iris-versicolor", "Iris-virginica"], 4),
    "sonar": lambda at: labelled(at / "sonar.csv", ["R", "M"], 60),
    "multi_step": hours,
    "gru_in_order": hours,
    "first_digits": digits,
    "transfer": digits,
    **{made.__name__: made for made in (cats_vs_dogs, flowers, image_rows, auto_mpg, titanic, abalone, wine_quality)},
    **{made.__name__: made for made in (credit_fraud, weather, airline_passengers, sine_waves, sine_waves_each_step)},
    **{
        made.__name__: made
        for made in (activity, ford_a, anomalies, text_folders, text_tf_idf, next_character, addition)
    },
    **{made.__name__: made for made in (tagging, super_resolution, multi_label, tags_of_questions, word2vec_cbow)},
    **{made.__name__: made for made in (skip_gram, volumes, next_frames, rate_by_epoch, several_targets)},
}
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.yaml"))
TRAINED = [name for name in NAMES if name not in DOWNLOADED]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the configs, each to be trained on data that a test makes beside it."""
    shutil.copytree(PROGRAMS, tmp_path / "programs")
    return tmp_path / "programs"


def made(folder: Path, name: str) -> Path:
    """Make the data of a program; return its config."""
    if name in MAKERS:
        MAKERS[name](folder)
    return folder / f"{name}.yaml"


def test_programs_have_data_and_a_description() -> None:
    assert set(NAMES) == DOWNLOADED | INCLUDED | set(MAKERS)
    for name in NAMES:
        assert (PROGRAMS / f"{name}.yaml").read_text().startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_programs_pass_check(folder: Path, name: str) -> None:
    overrides = {"train.initial_weights": None} if name == "transfer" else {}
    assert load(made(folder, name), overrides).spec.name == name


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_programs_train(folder: Path, name: str) -> None:
    config = made(folder, name)
    if name == "transfer":
        package.fit(folder / "first_digits.yaml", runs_dir=folder / "runs")
    run = package.fit(config, {"train.epochs": 1}, smoke=name in INCLUDED, runs_dir=folder / "runs")
    assert run.record().status == "completed"
    assert all(np.isfinite(list(run.record().metrics.values())))
