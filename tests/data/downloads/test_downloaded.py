"""The data sets that Keras downloads: the same table of files, the same arrays, facts that are known before."""

from __future__ import annotations

import importlib
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.data.downloads import serving
from tests.data.downloads.serving import Server

from dltrain.data.arrays import RawDataset
from dltrain.data.downloads.remote import Remote, offline
from dltrain.data.sources import SOURCES
from dltrain.data.sources.downloaded import SOURCES as DOWNLOADED
from dltrain.data.sources.downloaded import cifar, fashion_mnist, housing, word_indices
from dltrain.errors import DataError

REMOTES = (
    *fashion_mnist.FILES,
    *(cifar.FILE_10, cifar.FILE_100),
    *(word_indices.FILE_IMDB, word_indices.FILE_REUTERS),
    *(housing.FILE_CALIFORNIA, housing.FILE_BOSTON),
)


class Made(NamedTuple):
    """A data set whose file is made here: how it is read, with which files, and how Keras reads it."""

    name: str
    read: Callable[[dict[str, Any], Any], RawDataset]
    remotes: tuple[Remote, ...]
    bodies: Callable[[], tuple[bytes, ...]]

    def served(self, server: Server) -> Callable[..., RawDataset]:
        """Return a reader of its files from a server."""
        files = [server.stands_for(one, body) for one, body in zip(self.remotes, self.bodies(), strict=True)]

        def read(**arguments: Any) -> RawDataset:
            given: Any = files if len(files) > 1 else files[0]
            filled = SOURCES[self.name].filled(arguments)
            return self.read(filled, None, given)  # type: ignore[call-arg]

        return read


MADE = {
    made.name: made
    for made in (
        Made("fashion_mnist", fashion_mnist.read, fashion_mnist.FILES, serving.fashion),
        Made("cifar10", cifar.read_10, (cifar.FILE_10,), lambda: (serving.cifar10(),)),
        Made("cifar100", cifar.read_100, (cifar.FILE_100,), lambda: (serving.cifar100(),)),
        Made("imdb", word_indices.read_imdb, (word_indices.FILE_IMDB,), lambda: (serving.imdb(),)),
        Made("reuters", word_indices.read_reuters, (word_indices.FILE_REUTERS,), lambda: (serving.reuters(),)),
        Made(
            "california_housing",
            housing.read_california,
            (housing.FILE_CALIFORNIA,),
            lambda: (serving.housing(700, 8),),
        ),
        Made("boston_housing", housing.read_boston, (housing.FILE_BOSTON,), lambda: (serving.housing(55, 13),)),
    )
}


def of_keras(name: str, cache: Path, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> Any:
    """Return what Keras's `load_data` makes of the files in the cache."""
    module = importlib.import_module(f"keras.src.datasets.{name}")

    def get_file(fname: str, **options: Any) -> str:
        wanted = Path(options["origin"]).name
        (path,) = cache.rglob(wanted)
        if not options.get("extract"):
            return str(path)
        with tarfile.open(path) as archive:
            archive.extractall(cache / fname, filter="data")
        return str(cache / fname)

    monkeypatch.setattr(module, "get_file", get_file)
    return module.load_data(**arguments)


def padded(rows: Any, **options: Any) -> np.ndarray:
    return importlib.import_module("keras.utils").pad_sequences(list(rows), **options)


def test_downloaded_sources_are_all_tested_here() -> None:
    assert [source.name for source in DOWNLOADED] == list(MADE)


def test_downloaded_table_is_that_of_the_installed_keras() -> None:
    spec = find_spec("keras")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "src" / "datasets"
    texts = {path.stem: path.read_text() for path in folder.glob("*.py")}
    for made in MADE.values():
        text = texts.pop(made.name)
        code = text[text.index("def load_data") :].split("\n@keras_export", 1)[0]
        assert set(re.findall(r'"([0-9a-f]{64})"', code)) == {r.sha256 for r in made.remotes} - {None}
        for remote in made.remotes:
            base, _, file = remote.url.rpartition("/")
            assert f"{base}/" in code
            assert file in code
    assert set(texts) - {"mnist", "cifar", "__init__", "npz_utils", "npz_utils_test"} == set()


def test_downloaded_files_have_paths_of_their_own_and_https() -> None:
    assert len({remote.path for remote in REMOTES}) == len(REMOTES)
    assert all(remote.url.startswith("https://") for remote in REMOTES)
    assert all(remote.sha256 or remote.path.startswith("fashion-mnist/") for remote in REMOTES)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fashion_mnist", {}),
        ("cifar100", {}),
        ("cifar100", {"label_mode": "coarse"}),
    ],
)
def test_downloaded_images_are_those_of_keras(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any]
) -> None:
    raw = MADE[name].served(server)(**arguments)
    expected = of_keras(name, cache, monkeypatch, **arguments)
    for split, (x, y) in zip((raw.train, raw.test), expected, strict=True):
        np.testing.assert_array_equal(split.x, x.reshape(split.x.shape))
        np.testing.assert_array_equal(split.y, y.reshape(-1))
        assert (split.x.dtype, split.y.dtype) == (np.uint8, np.int64)
    assert bool(raw.notes) == (name == "fashion_mnist")
    assert raw.facts.classes == {"fashion_mnist": 10, "cifar100": 20 if arguments else 100}[name]


def test_downloaded_photos_of_cifar10_are_those_of_keras(server: Server, cache: Path) -> None:
    raw = MADE["cifar10"].served(server)()
    with tarfile.open(cache / cifar.FILE_10.path) as archive:
        archive.extractall(cache, filter="data")
    load_batch = importlib.import_module("keras.src.datasets.cifar").load_batch
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    batches = [load_batch(str(cache / "cifar-10-batches-py" / name)) for name in names]
    for split, found in ((raw.train, batches[:5]), (raw.test, batches[5:])):
        np.testing.assert_array_equal(split.x, np.concatenate([x for x, _ in found]).transpose(0, 2, 3, 1), strict=True)
        np.testing.assert_array_equal(split.y, np.concatenate([y for _, y in found]))


@pytest.mark.parametrize("name", ["california_housing", "boston_housing"])
@pytest.mark.parametrize("arguments", [{}, {"test_split": 0.35, "seed": 7}, {"test_split": 0.0}])
def test_downloaded_prices_are_those_of_keras(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any]
) -> None:
    small = {"version": "small"} if name == "california_housing" else {}
    raw = MADE[name].served(server)(**arguments, **small)
    expected = of_keras(name, cache, monkeypatch, **arguments, **small)
    for split, (x, y) in zip((raw.train, raw.test), expected, strict=True):
        np.testing.assert_array_equal(split.x, x.astype(np.float32), strict=True)
        np.testing.assert_array_equal(split.y, y.astype(np.float32)[:, None], strict=True)


WORDS = [
    {},
    {"num_words": 20},
    {"num_words": 30, "skip_top": 5, "seed": 9},
    {"num_words": 30, "oov_char": None},
    {"start_char": None, "index_from": 0, "num_words": 40},
    {"start_char": None, "index_from": 2, "oov_char": 50},
    {"maxlen": 12, "num_words": 25},
    {"num_words": 1, "oov_char": None, "start_char": 0},
]


@pytest.mark.parametrize("name", ["imdb", "reuters"])
@pytest.mark.parametrize("arguments", WORDS, ids=str)
def test_downloaded_words_are_those_of_keras(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any]
) -> None:
    read, more = MADE[name].served(server), {"test_split": 0.3} if name == "reuters" else {}
    raw = read(**arguments, **more, sequence_length=10)
    expected = of_keras(name, cache, monkeypatch, **arguments, **more)
    for split, (x, y) in zip((raw.train, raw.test), expected, strict=True):
        np.testing.assert_array_equal(split.x, padded(x, maxlen=10), strict=True)
        np.testing.assert_array_equal(split.y, np.asarray(y))
    assert raw.facts.whole
    assert raw.facts.highest is not None
    assert raw.facts.highest >= max(split.x.max() for split in (raw.train, raw.test))
    if "num_words" not in arguments:
        return
    hot = read(**arguments, **more, output_mode="multi_hot")
    for split, (x, _) in zip((hot.train, hot.test), expected, strict=True):
        rows = np.zeros(split.x.shape, np.uint8)  # as F. Chollet's `vectorize_sequences` does
        for row, words in enumerate(x):
            rows[row, np.array(words, np.int64)] = 1
        np.testing.assert_array_equal(split.x, rows, strict=True)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("length", [1, 8, 40])
def test_downloaded_words_are_padded_as_keras_does(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, padding: str, truncating: str, length: int
) -> None:
    raw = MADE["imdb"].served(server)(sequence_length=length, padding=padding, truncating=truncating)
    (x, _), _ = of_keras("imdb", cache, monkeypatch)
    np.testing.assert_array_equal(raw.train.x, padded(x, maxlen=length, padding=padding, truncating=truncating))


CASES: list[tuple[str, dict[str, Any]]] = [(source.name, dict(source.example or {})) for source in DOWNLOADED]
CASES += [(name, {}) for name in ("cifar100", "california_housing", "boston_housing")]
CASES += [(name, {"num_words": 30, "output_mode": "multi_hot", "oov_char": 40}) for name in ("imdb", "reuters")]
CASES += [(name, {"num_words": 30, "oov_char": 40, "sequence_length": 6}) for name in ("imdb", "reuters")]


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_downloaded_facts_are_known_before_and_hold(server: Server, name: str, arguments: dict[str, Any]) -> None:
    known = SOURCES[name].facts(SOURCES[name].filled(arguments), None)
    assert server.asked == []
    raw = MADE[name].served(server)(**arguments)
    assert known is not None
    assert replace(known, train=raw.facts.train, test=raw.facts.test) == raw.facts
    for split, count in ((raw.train, raw.facts.train), (raw.test, raw.facts.test)):
        assert split.x.shape == (count, *known.shape)
        scaled = split.x.astype(np.float32) * np.float32(raw.scale)
        assert not known.unit_range or (scaled.min() >= 0 and scaled.max() <= 1)
        assert known.highest is None or scaled.max() <= known.highest
        assert split.y.shape == (count, *known.target_shape)
        assert split.y.dtype == (np.int64 if known.classes else np.float32)
        assert not known.classes or set(split.y.tolist()) <= set(range(known.classes))


@pytest.mark.parametrize(
    ("name", "arguments", "train", "test"),
    [
        ("fashion_mnist", {}, 60_000, 10_000),
        ("cifar10", {}, 50_000, 10_000),
        ("imdb", {"sequence_length": 80}, 25_000, 25_000),
        ("reuters", {"sequence_length": 80}, 8_982, 2_246),
        ("california_housing", {}, 16_512, 4_128),
        ("california_housing", {"version": "small"}, 480, 120),
        ("boston_housing", {}, 404, 102),
    ],
)
def test_downloaded_facts_have_the_published_sizes(name: str, arguments: dict[str, Any], train: int, test: int) -> None:
    known = SOURCES[name].facts(SOURCES[name].filled(arguments), None)
    assert known is not None
    assert (known.train, known.test) == (train, test)


@pytest.mark.parametrize(
    "arguments", [{}, {"maxlen": 50}, {"maxlen": 50, "sequence_length": 40}, {"output_mode": "multi_hot"}], ids=str
)
def test_downloaded_facts_are_left_open_where_only_the_file_says_them(arguments: dict[str, Any]) -> None:
    for name in ("imdb", "reuters"):
        assert SOURCES[name].facts(SOURCES[name].filled(arguments), None) is None


@pytest.mark.parametrize(
    ("arguments", "at", "hint"),
    [
        ({}, "sequence_length", "`sequence_length: 200`"),
        ({"num_words": 100, "maxlen": 80}, "maxlen", "`sequence_length: 80`"),
        ({"output_mode": "multi_hot"}, "output_mode", "`num_words: 10000`"),
        ({"output_mode": "multi_hot", "num_words": 9, "sequence_length": 5}, "sequence_length", "remove it"),
        ({"output_mode": "multi_hot", "num_words": 9, "padding": "pre"}, "padding", "remove it"),
        ({"sequence_length": 9, "num_words": 9, "skip_top": 9}, "skip_top", "lower"),
    ],
)
def test_downloaded_words_tell_contradictions(arguments: dict[str, Any], at: str, hint: str) -> None:
    for name in ("imdb", "reuters"):
        (told,) = SOURCES[name].contradictions(arguments, None)
        assert told.argument == at
        assert hint in told.hint


def test_downloaded_words_tell_if_none_is_short_enough(server: Server) -> None:
    with pytest.raises(DataError, match="fewer than 1 ind"):
        MADE["imdb"].served(server)(maxlen=1, sequence_length=5)


OTHERS = [b"", b"text", serving.npz(z=np.zeros(2)), serving.tar({"a": b"b"}), serving.idx(np.zeros((2, 3), np.uint8))]
OTHERS += [
    serving.npz(x=np.zeros(2), y=np.zeros(2), x_train=np.zeros(2), y_train=np.zeros(2), x_test=1, y_test=1),
    serving.npz(x=np.zeros((2, 8)), y=np.array(["a", "b"])),
    serving.npz(
        **{key: serving.ragged([["a"], [1.5]]) for key in ("x", "x_train", "x_test")}, y=[0, 1], y_train=[0, 1]
    )[:],
]
OTHERS += [
    serving.tar({f"cifar-{count}-python/{name}": content for count in (10, 100) for name in ("train", "test")})
    for content in (b"", serving.like_python_2([1]), serving.like_python_2({b"data": 1, b"fine_labels": [1]}))
]


@pytest.mark.parametrize("body", OTHERS, ids=range(len(OTHERS)))
@pytest.mark.parametrize("name", MADE)
def test_downloaded_other_contents_are_told(server: Server, name: str, body: bytes) -> None:
    made = MADE[name]
    read = made._replace(bodies=lambda: (body,) * len(made.remotes)).served(server)
    with pytest.raises(DataError) as caught:
        read(**({"sequence_length": 5} if "num_words" in SOURCES[name].arguments else {}))
    assert caught.value.hint


@pytest.mark.parametrize("name", MADE)
def test_downloaded_sources_say_offline_what_to_put_where(name: str, cache: Path) -> None:
    source = SOURCES[name]
    if all(Path(remote.installed).is_file() for remote in MADE[name].remotes):
        with offline():
            assert len(source.read(source.filled(source.example or {}), None).train)  # the machine has it installed
        return
    with offline(), pytest.raises(DataError) as caught:
        source.read(source.filled(source.example or {}), None)
    assert f"`{name}`" in caught.value.message
    for remote in MADE[name].remotes:
        assert remote.url in caught.value.hint
        assert str(cache / remote.path) in caught.value.hint
        assert (remote.sha256 or "") in caught.value.hint
