"""The list of problems: each mistake is reported once."""

from __future__ import annotations

import pytest

from dltrain.config.checks.problems import told
from dltrain.config.plan import check
from dltrain.errors import ConfigError, Fix, Problem, Where

VALID = {
    "data": "{dataset: {synthetic: {features: 4}}}",
    "model": "{layers: [Dense: {units: 2, activation: softmax}]}",
    "train": "{optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}",
}


@pytest.mark.parametrize(
    ("section", "old", "new", "hint"),
    [
        ("train", "epochs: 1", "epoch: 1", "did you mean `epochs`?"),
        ("train", "optimizer: Adam", "lr: 0.1", "`optimizer: {Adam: {learning_rate: 0.1}}`"),
        ("train", "loss:", "aim:", "known: `optimizer`, `loss`"),
        ("train", "loss:", "objective:", "write `loss`"),
        ("data", "dataset: {synthetic: {features: 4}}", "features: 4", "it belongs to the data set"),
        ("model", "units: 2", "neurons: 2", "did you mean `units`?"),
    ],
)
def test_problems_misnamed_key_is_not_also_reported_missing(section: str, old: str, new: str, hint: str) -> None:
    assert old in VALID[section]
    text = "".join(f"{key}: {value}\n" for key, value in {**VALID, section: VALID[section].replace(old, new)}.items())
    with pytest.raises(ConfigError) as caught:
        check("test.yaml", text.encode(), ())
    (problem,) = caught.value.problems
    assert hint in problem.hint


def test_problems_misplaced_key_is_not_also_reported_missing() -> None:
    text = "".join(f"{key}: {value}\n" for key, value in VALID.items()).replace(", epochs: 1}", "}\nepochs: 1")
    with pytest.raises(ConfigError) as caught:
        check("test.yaml", text.encode(), ())
    assert [(problem.path, problem.hint) for problem in caught.value.problems] == [
        (("epochs",), "it belongs in `train`")
    ]


def test_problems_are_deduplicated_with_overrides_last() -> None:
    def problem(line: int) -> Problem:
        return Problem("code", "message", (), Where("a.yaml", line, 1, 2, "text"))

    typed = Problem("code", "message", (), Where("-s a=1", 1, 1, 2, "text", "override"))
    assert told([typed, problem(3), problem(2), problem(3)]) == (problem(2), problem(3), typed)


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (Fix("rename", ("a",)), "did you mean `a`?"),
        (Fix("choose", ("a", "b")), "write `a`, `b`"),
        (Fix("write", ("a: 1",)), "write `a: 1`"),
        (Fix("insert", ("- Flatten",)), "insert before it: `- Flatten`"),
        (Fix("move", ("train", "epochs")), "it belongs in `train`"),
        (Fix("move", ("seed",)), "it belongs at the top level"),
        (Fix("remove"), "remove it"),
        (Fix("remove", words="leave it out"), "leave it out"),
    ],
)
def test_problems_render_their_fix(fix: Fix, words: str) -> None:
    assert Problem("code", "message", fix=fix).hint == words


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("Dense: {units: 2, activation: softmax}", "Dens: 2", "write `Dense: {units: 2}`"),
        ("Dense: {units: 2, activation: softmax}", "dense: 2", "write `Dense: {units: 2}`"),
        ("Dense: {units: 2, activation: softmax}", "Dropot: 0.5", "write `Dropout: {rate: 0.5}`"),
        ("Dense: {units: 2, activation: softmax}", "LSTMM: [2]", "write `LSTM: {units: 2}`"),
        ("Dense: {units: 2, activation: softmax}", "Dense: 2", "write `Dense: {units: 2}`"),
    ],
)
def test_problems_a_misspelt_name_with_a_bare_argument_is_mended_whole(old: str, new: str, hint: str) -> None:
    sections = {**VALID, "model": VALID["model"].replace(old, new)}
    text = "".join(f"{key}: {value}\n" for key, value in sections.items())
    with pytest.raises(ConfigError) as caught:
        check("test.yaml", text.encode(), ())
    (problem,) = caught.value.problems
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("dataset", "key", "hint"),
    [
        ("{imdb: {sequence_length: 9}}", "num_words: 100", "`dataset: {imdb: {num_words: …}}`"),
        ("{reuters: {sequence_length: 9}}", "test_split: 0.3", "`dataset: {reuters: {test_split: …}}`"),
        ("mnist", "test_split: 0.3", "the data set has its test split"),
        ("mnist", "shape: [4]", "`dataset: {synthetic: {shape: …}}`"),
        ("mnist", "seed: 4", "it belongs at the top level"),
        ("mnist", "num_words: 100", "`dataset: {imdb: {num_words: …}}`"),
    ],
)
def test_problems_an_argument_beside_the_data_set_belongs_to_the_one_that_has_it(
    dataset: str, key: str, hint: str
) -> None:
    text = "".join(f"{name}: {value}\n" for name, value in VALID.items() if name != "data")
    with pytest.raises(ConfigError) as caught:
        check("test.yaml", f"{text}data: {{dataset: {dataset}, {key}}}\n".encode(), ())
    assert hint in next(problem.hint for problem in caught.value.problems if problem.code == "unknown-key")
