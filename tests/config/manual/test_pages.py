"""The manual has a page for everything that a config can name, with valid examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers import failures

from dltrain.arguments import Argument
from dltrain.config import load
from dltrain.config.catalogue import datasets, entries, examples, objects
from dltrain.config.catalogue.entries import Entry
from dltrain.config.catalogue.phrases import noun
from dltrain.config.manual import docstrings
from dltrain.config.manual import pages as manual
from dltrain.config.manual.keys import keys
from dltrain.data.sources import SOURCES
from dltrain.errors import UsageError

NAMES = {**{section: entries.names(section) for section in entries.sections()}, "dataset": tuple(datasets.ENTRIES)}
BASE = {
    "data": {"dataset": {"synthetic": {"features": 10, "classes": 10, "samples": 6000, "test_samples": 1000}}},
    "model": {"layers": ["Flatten", {"Dense": {"units": 12}}, {"Dense": {"units": 10, "activation": "softmax"}}]},
    "train": {
        "optimizer": "Adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "epochs": 1,
    },
}


def entry_of(section: str, name: str) -> Entry:
    entry = objects.find(section, name)
    assert entry is not None
    return entry


@pytest.mark.parametrize("section", NAMES)
def test_manual_has_a_page_for_every_name(section: str) -> None:
    def look_up(name: str) -> None:
        pages = manual.look_up(name)
        assert all(page.title == name and page.example for page in pages)
        assert any(noun(section) in page.what for page in pages)

    assert failures([*NAMES[section], *entries.aliases(section)], look_up) == {}


@pytest.mark.parametrize("section", NAMES)
def test_manual_object_page_has_every_argument(section: str) -> None:
    def look_up(name: str) -> None:
        page = next(page for page in manual.look_up(name) if page.what.split(",")[0].endswith(noun(section)))
        assert {row[0] for row in page.rows} == entry_of(section, name).arguments.keys()

    assert failures(NAMES[section], look_up) == {}


def test_manual_has_a_page_for_every_key_with_a_valid_example(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(examples.block(BASE))
    np.savez(tmp_path / "data.npz", x=np.zeros((90, 28, 28)), y=np.arange(90) % 10)
    config = tmp_path / "config.yaml"

    def look_up(key: str) -> None:
        (page,) = manual.look_up(key)
        assert page.title == key
        assert page.text[0]
        given = page.example
        if key == "data.test":  # of a data set that has none
            given += f"\n  dataset: {{arrays: {{path: {tmp_path / 'data.npz'}}}}}"
        config.write_text(f"extends: base.yaml\n{given}\n")
        assert load(config)

    assert failures((key.path for key in keys()), look_up) == {}


@pytest.mark.parametrize("section", [section for section in NAMES if section != "activation"])
def test_manual_examples_pass_the_check(section: str) -> None:
    def check(name: str) -> None:
        entry = entry_of(section, name)
        for key in (None, *entry.arguments):
            given = examples.arguments(entry, key)
            assert key is None or key in given
            assert not list(objects.check_object(section, examples.node(examples.written(name, given)), ()))

    assert failures(NAMES[section], check) == {}


def test_manual_describes_every_layer_with_its_keras_docstring() -> None:
    def describe(name: str) -> None:
        paragraphs = docstrings.words(entry_of("layer", name).docs).paragraphs
        page = next(page for page in manual.look_up(name) if page.what == "a layer")
        assert page.text[0] == paragraphs[0]

    assert failures(entries.names("layer"), describe) == {}


def test_manual_describes_nearly_every_argument() -> None:
    described, total = 0, 0
    for section in entries.sections():
        for name in entries.names(section):
            entry = entry_of(section, name)
            words = docstrings.words(entry.docs).arguments
            described += sum(bool(words.get(key)) for key in entry.arguments)
            total += len(entry.arguments)
    assert described > 0.97 * total


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("Conv2D.filters", "int, the dimension of the output space"),
        ("Adam.learning_rate", "A float"),
        ("Adam.clipnorm", "Float. If set, the gradient"),  # from the docstring that all optimizers share
        ("Dense.trainable", "Boolean, whether"),  # from the base class
        ("synthetic.noise", "How blurred"),
    ],
)
def test_manual_argument_page_has_its_description(name: str, begins: str) -> None:
    (page,) = manual.look_up(name)
    assert page.text[0].startswith(begins)
    assert dict(page.facts).keys() == {"takes", "default"}


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ("epochs", ["train.epochs"]),
        ("EPOCHS", ["train.epochs"]),
        ("monitor", ["train.checkpoint.monitor"]),
        ("conv2d", ["Conv2D"]),
        ("mse", ["mse", "mse"]),  # a loss and a metric
        ("relu", ["relu"]),
        ("relu6", ["relu6"]),
        ("accuracy", ["accuracy"]),
        ("train.optimizer.Adam.learning_rate", ["Adam.learning_rate"]),
        ("model.layers.2.Dense", ["Dense"]),
        ("expect.test_accuracy", ["expect"]),
        ("initializer", ["initializers"]),
        ("extends", ["extends"]),
        ("repeat", ["repeat"]),
        ("kernel_size", ["kernel_size"]),
    ],
)
def test_manual_resolves_names(asked: str, titles: list[str]) -> None:
    assert [page.title for page in manual.look_up(asked)] == titles


def test_manual_lists_the_owners_of_a_shared_argument() -> None:
    (page,) = manual.look_up("kernel_size")
    assert "Conv2D.kernel_size" in page.names
    assert all(manual.look_up(name) for name in page.names)


def test_manual_links_to_other_pages_of_the_same_name() -> None:
    assert "EarlyStopping.monitor" in manual.look_up("monitor")[0].also
    assert "ReLU" in manual.look_up("relu")[0].also
    assert "Dropout" in manual.look_up("dropout")[0].also


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("Convv2D", "did you mean `Conv2D`?"),
        ("train.epohcs", "did you mean `train.epochs`?"),
        ("LSTM.unit", "did you mean `LSTM.units`?"),
        ("Lambda", "cannot be named in a config"),
        ("LSTM.return_state", "cannot be given in a config"),
        ("Dense.zzzzzz", "lists its arguments"),
        ("zzzzzzzz", "says what there is"),
        ("", "says what there is"),
    ],
)
def test_manual_unknown_name_gets_a_hint(asked: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        manual.look_up(asked)
    assert says in f"{caught.value.message} {caught.value.hint}"


def test_manual_without_keras_explains_missing_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = (docstrings.words, docstrings._root, docstrings._texts)
    for cached in caches:
        cached.cache_clear()
    monkeypatch.setattr(docstrings, "find_spec", lambda name: None)
    try:
        (page,) = manual.look_up("Conv2D")
        (argument,) = manual.look_up("Conv2D.filters")
    finally:
        for cached in caches:
            cached.cache_clear()
    assert page.text == argument.text == (manual.NOT_READABLE,)
    assert page.rows
    assert page.example


def test_manual_describes_every_data_set_and_its_arguments() -> None:
    for source in SOURCES.values():
        assert source.description
        assert all(argument.meaning for argument in source.arguments.values())


def test_manual_overview_lists_every_section_and_kind() -> None:
    config, kinds = manual.overview()
    assert {"data", "model", "train", "expect", "extends", "repeat"} <= {row[0] for row in config.rows}
    assert all(manual.look_up(row[0]) for row in (*config.rows, *kinds.rows))


def test_manual_example_differs_from_the_default() -> None:
    argument = Argument(("words",), ("a", "b"), None, None, None, None, (), False, False, True, "a")
    assert examples.value(Entry("layer", "Some", {"mode": argument}), "mode") == "b"


def test_manual_docstring_parses_shared_and_wrapped_arguments() -> None:
    text = "Title.\n\nArgs:\n    a, b: both\n        of them.\n    `c` (optional): one.\n\nReturns:\n    d: not one."
    assert docstrings._arguments(text) == {"a": "both\nof them.", "b": "both\nof them.", "c": "one."}
