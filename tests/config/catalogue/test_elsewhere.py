"""The words of other frameworks: each is explained, and what is told instead passes the checks."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from dltrain.config.catalogue import datasets, elsewhere, entries, examples
from dltrain.config.catalogue.elsewhere.arguments import ARGUMENTS
from dltrain.config.catalogue.elsewhere.keys import KEYS
from dltrain.config.catalogue.elsewhere.words import Around
from dltrain.config.document.reader import read
from dltrain.config.document.writer import flow
from dltrain.config.plan import check
from dltrain.errors import ConfigError, Problem

Config = dict[str, Any]
AROUND = Around(steps=100, epochs=90, optimizer="SGD", rate=0.1, outputs=10)
# Layers that take samples of another rank than images.
SHAPES = {
    "convlstm": [4, 8, 8, 1],
    "groupnorm": [8, 8, 32],
    "1d": [16, 4],
    "3d": [8, 8, 8, 1],
    "lstm": [16, 4],
    "gru": [16, 4],
    "rnn": [16, 4],
    "rep": [16, 4],
}
SEQUENCES = ("lstm", "gru", "rnn", "recurrent", "timedistributed", "basiclstm", "basicrnn")


def config(**changes: Any) -> Config:
    """Return a config that has no problems: 100 steps an epoch, 90 epochs."""
    made: Config = {
        "data": {"dataset": {"synthetic": {"shape": [28, 28, 1], "classes": 10, "samples": 4000}}, "validation": 0.2},
        "model": {"layers": ["Flatten", {"Dense": {"units": 10, "activation": "softmax"}}]},
        "train": {
            "optimizer": {"SGD": {"learning_rate": 0.1}},
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "epochs": 90,
        },
    }
    made["train"].update(changes)
    return made


def problems(made: Config) -> tuple[Problem, ...]:
    text = "".join(f"{key}: {flow(value)}\n" for key, value in made.items())
    try:
        return check("test.yaml", text.encode(), ()).warnings
    except ConfigError as error:
        return error.problems


def placed(section: str, item: Any, word: str = "") -> Config:
    """Return a config with an object of a section in its place."""
    made = config()
    if section == "layer":
        layers = item if isinstance(item, list) else [item]
        shape = next((shape for end, shape in SHAPES.items() if end in word), [28, 28, 1])
        made["data"]["dataset"]["synthetic"]["shape"] = (
            [16, 4] if word.startswith(SEQUENCES) or word[:2] == "bi" else shape
        )
        if "cell" in word and "basic" not in word:
            layers = [{"RNN": {"cell": layer}} for layer in layers]
        made["model"]["layers"] = [*layers, *made["model"]["layers"]]
    elif section == "schedule":
        made["train"]["optimizer"] = {"SGD": {"learning_rate": item}}
    elif section in ("metric", "callback"):
        made["train"][f"{section}s"] = [item]
    elif section in ("initializer", "regularizer"):
        made["model"]["layers"][1]["Dense"][f"kernel_{section}"] = item
    elif section == "dataset":
        made["data"]["dataset"] = item
    else:
        made["train"][section] = item
    return made


def complete(section: str, item: Any) -> Any:
    """Return an object with an example of each argument that it needs and that another framework did not give."""
    name, given = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    entry = entries.find(section, name)
    if entry is None:
        return item
    needed = {key: value for key, value in examples.arguments(entry).items() if entry.arguments[key].required}
    return {name: {**needed, **given}} if needed or given else name


WORDS = [(section, word) for section, table in elsewhere.TABLES.items() for word in table]


def test_elsewhere_tables_know_the_words_of_other_frameworks() -> None:
    assert len(WORDS) > 450
    assert len(ARGUMENTS) > 200
    assert len(KEYS) > 250


@pytest.mark.parametrize("section", elsewhere.TABLES)
def test_elsewhere_every_translation_passes_the_checks(section: str) -> None:
    told = {}
    for word in elsewhere.TABLES[section]:
        found = elsewhere.instead_of(section, word, None, AROUND)
        assert found is not None, word
        if isinstance(found, str):
            continue
        items = [complete(section, item) for item in found.objects]
        if word in ("reducelronplateau", "plateau", "embedding"):
            continue  # callbacks; and no data set has whole numbers
        made = placed(section, items if section == "layer" else items[0], word)
        if section in ("loss", "metric") or "regression" in flow(items):
            fit_output(made, str(items[0]))
        elif section == "dataset":
            fit_classes(made, items[0])
        if errors := [problem for problem in problems(made) if problem.severity == "error"]:
            told[word] = [(flow(items), problem.message) for problem in errors]
    assert told == {}


def fit_classes(made: Config, item: Any) -> None:
    """Give the model the output that a data set needs, and its loss."""
    name, given = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    facts = datasets.facts(name, given)
    last = made["model"]["layers"][-1]["Dense"]
    if facts is not None and facts.classes is None:
        last |= {"units": 1, "activation": "linear"}
        made["train"] |= {"loss": "mean_squared_error", "metrics": []}
    elif facts is not None:
        last["units"] = facts.classes


def fit_output(made: Config, item: str) -> None:
    """Give the model the output and the data the targets that a loss or metric is for."""
    if "F1Score" in item or "FBetaScore" in item or "KLDivergence" in item:
        made["train"]["loss"] = "categorical_crossentropy"
    last = made["model"]["layers"][-1]["Dense"]
    numbers = (
        "regression",
        "mean_",
        "Mean",
        "RootMean",
        "R2",
        "Correlation",
        "Huber",
        "log_cosh",
        "LogCosh",
    )
    if any(word in item for word in ("poisson", "cosine", "logarithmic")):  # not of one number of any sign
        made["train"]["loss"] = item
        last |= {"units": 10, "activation": "softmax"}
        return
    if any(word in item for word in numbers):
        made["data"]["dataset"]["synthetic"] = {"shape": [28, 28, 1], "task": "regression", "samples": 4000}
        last |= {"units": 1, "activation": "linear"}
        if made["train"]["metrics"] == ["accuracy"]:
            made["train"]["metrics"] = []
        if made["train"]["loss"] == "sparse_categorical_crossentropy":
            made["train"]["loss"] = "mean_squared_error"
    elif (
        any(word in item for word in ("inary", "Positives", "Negatives", "AUC", "Precision", "Recall", "'hinge'"))
        or item == "hinge"
    ):
        made["data"]["dataset"]["synthetic"] |= {"classes": 2}
        last |= {"units": 1, "activation": "sigmoid"}
        if made["train"]["loss"] == "sparse_categorical_crossentropy":
            made["train"]["loss"] = "binary_crossentropy"
    if "from_logits" in item:
        last["activation"] = "linear"


@pytest.mark.parametrize(("section", "word"), [item for item in WORDS if item[0] != "dataset"][::7])
def test_elsewhere_a_word_is_one_problem_with_its_mend(section: str, word: str) -> None:
    """Whatever the arguments are: those of an object that has another name here are not checked by it."""
    found = [p for p in problems(placed(section, {word: {"anything": 1}}, word)) if p.code == "unknown-name"]
    assert len(found) == 1 or entries.find(section, word) is not None
    assert all(problem.hint for problem in found)


@pytest.mark.parametrize(
    ("section", "item", "hint"),
    [
        (
            "layer",
            {"Convolution2D": {"nb_filter": 32, "nb_row": 3, "nb_col": 5}},
            "`Conv2D: {filters: 32, kernel_size: [3, 5]}`",
        ),
        ("layer", {"Convolution2D": [32, 3, 3]}, "`Conv2D: {filters: 32, kernel_size: [3, 3]}`"),
        (
            "layer",
            {"nn.Conv2d": {"in_channels": 1, "out_channels": 8, "kernel_size": 3}},
            "`Conv2D: {filters: 8, kernel_size: 3}`",
        ),
        ("layer", {"Conv2d": [1, 8, 5, 1, 2]}, "`Conv2D: {filters: 8, kernel_size: 5, strides: 1, padding: same}`"),
        ("layer", {"CuDNNLSTM": 64}, "`LSTM: {units: 64}`"),
        ("layer", {"CuDNNGRU": {"units": 64}}, "did you mean `GRU`?"),
        ("layer", {"Linear": 10}, "`Dense: {units: 10}`"),
        ("layer", {"Linear": [784, 10]}, "`Dense: {units: 10}`"),
        ("layer", {"BatchNorm2d": {"num_features": 8, "momentum": 0.1}}, "`BatchNormalization: {momentum: 0.9}`"),
        ("layer", {"TimeDistributedDense": {"output_dim": 32}}, "`TimeDistributed: {layer: {Dense: {units: 32}}}`"),
        ("layer", {"MaxPool2d": 2}, "`MaxPooling2D: {pool_size: 2}`"),
        ("layer", {"Dropout2d": {"p": 0.25}}, "`SpatialDropout2D: {rate: 0.25}`"),
        (
            "layer",
            {"GRU": {"input_size": 4, "hidden_size": 32, "num_layers": 2}},
            "`- GRU: {units: 32, return_sequences: true}`, `- GRU: {units: 32}`",
        ),
        (
            "layer",
            {"ImageDataGenerator": {"rotation_range": 36, "zoom_range": 0.1, "horizontal_flip": True}},
            "`- RandomFlip: {mode: horizontal}`, `- RandomRotation: {factor: 0.1}`, `- RandomZoom: {height_factor:",
        ),
        ("layer", "LogSoftmax", "`Activation: {activation: log_softmax}`"),
        ("layer", {"Sequential": {"layers": ["Flatten"]}}, "write its layers here"),
        ("layer", "VGG16", "pretrained models are not offered"),
        ("layer", {"ResNet50": {"weights": "imagenet"}}, "pretrained models are not offered"),
        (
            "schedule",
            {"StepLR": {"step_size": 30, "gamma": 0.5}},
            "decay_steps: 3000, decay_rate: 0.5, staircase: true}`",
        ),
        (
            "schedule",
            {"MultiStepLR": {"milestones": [30, 60]}},
            "boundaries: [3000, 6000], values: [0.01, 0.001, 0.0001]}`",
        ),
        (
            "schedule",
            {"CosineAnnealingLR": {"T_max": 50}},
            "CosineDecay: {initial_learning_rate: 0.01, decay_steps: 5000}`",
        ),
        ("schedule", {"OneCycleLR": {"max_lr": 0.5}}, "warmup_target: 0.5, warmup_steps: 2700, decay_steps: 6300"),
        ("schedule", {"StepDecay": {"step_size": 30}}, "decay_steps: 3000, decay_rate: 0.1, staircase: true}`"),
        (
            "callback",
            {"StepLR": {"step_size": 30}},
            "`optimizer: {SGD: {learning_rate: {ExponentialDecay: {initial_learning_rate: 0.1",
        ),
        ("callback", "LearningRateScheduler", "`optimizer: {SGD: {learning_rate: {ExponentialDecay:"),
        (
            "optimizer",
            {"Adam": {"decay": 1e-6}},
            "`learning_rate: {InverseTimeDecay: {initial_learning_rate: 0.001, decay_steps: 1, decay_rate: 1e-06}}`",
        ),
        (
            "optimizer",
            {"SGD": {"lr": 0.05, "decay": 1e-6, "momentum": 0.9}},
            "{initial_learning_rate: 0.05, decay_steps: 1, decay_rate: 1e-06}}, momentum: 0.9}`",
        ),
        (
            "optimizer",
            {"RMSprop": {"learning_rate": 0.01, "decay": 0.001}},
            "`RMSprop: {learning_rate: {InverseTimeDecay: {initial_learning_rate: 0.01",
        ),
        ("optimizer", {"Adam": {"betas": [0.8, 0.99]}}, "`beta_1: 0.8`, `beta_2: 0.99`"),
        ("optimizer", {"MomentumOptimizer": [0.1, 0.8]}, "`SGD: {learning_rate: 0.1, momentum: 0.8}`"),
        ("loss", "softmax_cross_entropy", "write `CategoricalCrossentropy`"),
        ("loss", "BCEWithLogitsLoss", "not as one choice among them: write `SparseCategoricalCrossentropy`"),
        ("loss", {"SmoothL1Loss": {"beta": 0.5}}, "`Huber: {delta: 0.5}`"),
        (
            "loss",
            {"CrossEntropyLoss": {"label_smoothing": 0.1}},
            "write `CategoricalCrossentropy: {label_smoothing: 0.1}`",
        ),
        (
            "optimizer",
            {"optim.Adam": {"lr": 0.01, "betas": [0.8, 0.9]}},
            "`Adam: {learning_rate: 0.01, beta_1: 0.8",
        ),
        ("layer", {"RNN": {"hidden_size": 64}}, "write `SimpleRNN: {units: 64}`"),
        (
            "schedule",
            {"ReduceLROnPlateau": {"factor": 0.5}},
            "`callbacks: [{ReduceLROnPlateau: {monitor: val_loss, factor: 0.5}}]`",
        ),
        ("initializer", "xavier_uniform_", "did you mean `GlorotUniform`?"),
        ("dataset", "FashionMNIST", "did you mean `fashion_mnist`?"),
        ("dataset", "torchvision.datasets.CIFAR10", "did you mean `cifar10`?"),
        ("dataset", "imdb_reviews", "write `imdb: {num_words: 10000, sequence_length: 200}`"),
        ("dataset", "fetch_california_housing", "did you mean `california_housing`?"),
        ("dataset", "KMNIST", "it is another data set"),
        ("dataset", "svhn", "it is another data set"),
        ("dataset", "mnits", "did you mean `mnist`?"),
        ("dataset", "torchvision.datasets.MNIST", "did you mean `mnist`?"),
    ],
    ids=str,
)
def test_elsewhere_translates_with_the_numbers(section: str, item: Any, hint: str) -> None:
    word = item if isinstance(item, str) else next(iter(item))
    (problem, *rest) = [p for p in problems(placed(section, item, word.lower())) if p.code != "output-activation"]
    assert hint in problem.hint
    assert rest == []


def test_elsewhere_logits_follow_the_last_layer() -> None:
    made = config(loss="CrossEntropyLoss")
    del made["model"]["layers"][-1]["Dense"]["activation"]
    (problem,) = problems(made)
    assert problem.hint == "write `SparseCategoricalCrossentropy: {from_logits: true}`"


@pytest.mark.parametrize("word", ["f1_macro", "AUROC", "fmeasure"])
def test_elsewhere_a_metric_comes_with_the_loss_whose_labels_it_takes(word: str) -> None:
    (problem,) = problems(config(metrics=[word]))
    assert problem.hint.endswith("and `loss: categorical_crossentropy`, whose labels it takes")
    (problem,) = problems(config(metrics=[word], loss="categorical_crossentropy"))
    assert "loss" not in problem.hint


def test_elsewhere_leaves_open_what_the_config_does_not_say() -> None:
    made = config(optimizer={"SGD": {"learning_rate": {"CosineAnnealingLR": {"T_max": 50}}}}, batch_size="many")
    (first, _) = sorted(problems(made), key=lambda problem: problem.code)
    assert first.hint == "write `CosineDecay: {initial_learning_rate: 0.01, decay_steps: …}`"


@pytest.mark.parametrize(
    ("schedule", "hint"),
    [
        ({"CosineDecay": {"T_max": 50}}, "write `decay_steps: 50 epochs`"),
        ({"CosineDecay": {"T_max": "all"}}, "Keras counts optimizer steps: write `decay_steps` in epochs, as in"),
        ({"CosineDecay": {"decay_steps": 900, "warmup_epochs": 1}}, "write `warmup_steps: 1 epoch`"),
        ({"CosineDecayRestarts": {"T_0": 2.5}}, "write `first_decay_steps: 2.5 epochs`"),
        ({"PiecewiseConstantDecay": {"milestones": [1, 20]}}, "write `boundaries: [1 epoch, 20 epochs]`"),
    ],
)
def test_elsewhere_writes_epochs_where_keras_counts_steps(schedule: dict[str, Any], hint: str) -> None:
    found = problems(placed("schedule", schedule))
    (told,) = [problem.hint for problem in found if problem.code == "unknown-argument"]
    assert told.startswith(hint)


@pytest.mark.parametrize(("layer", "key"), [("GaussianNoise", "stddev"), ("RandomGaussianBlur", "sigma")])
def test_elsewhere_a_deviation_is_no_percentage(layer: str, key: str) -> None:
    found = problems(placed("layer", {layer: {**examples.arguments(_entry(layer)), key: 2}}))
    assert [problem.path[-1] for problem in found] == [key]
    assert "percentage" not in found[0].hint


@pytest.mark.parametrize("guessed", [{"Dens": {"unitz": 3}}, {"Drpout": {"rte": 2}}, {"MaxPoling2D": {"a": 1, "b": 2}}])
def test_elsewhere_arguments_of_a_guessed_name_are_not_checked(guessed: Any) -> None:
    (problem,) = problems(placed("layer", guessed))
    assert problem.code == "unknown-name"


def test_elsewhere_arguments_of_a_name_in_another_case_are_checked() -> None:
    found = problems(placed("layer", {"dense": {"unitz": 3}}))
    assert [problem.hint for problem in found] == ["did you mean `Dense`?", "did you mean `units`?"]


@pytest.mark.parametrize(
    ("section", "item"),
    [
        ("callback", {"EarlyStopping": {"patience": 3, "monitor": "loss", "verbose": 1}}),
        ("callback", {"ReduceLROnPlateau": {"patience": 3, "monitor": "loss", "verbose": 2}}),
        ("callback", {"TerminateOnNaN": {"raise_error": None}}),
        ("callback", {"TerminateOnNaN": {"raise_error": True}}),
        ("layer", {"Dense": {"units": 3, "weights": None}}),
    ],
)
def test_elsewhere_an_argument_without_effect_is_a_warning(section: str, item: Any) -> None:
    name, given = next(iter(item.items()))
    (problem,) = [found for found in problems(placed(section, item)) if found.path[-1] == list(given)[-1]]
    assert (problem.code, problem.severity) == ("no-effect", "warning")
    assert problem.hint.startswith("remove it")
    without = {name: {key: value for key, value in given.items() if key != list(given)[-1]}}
    assert check_spec(placed(section, item)) == check_spec(placed(section, without))


@pytest.mark.parametrize(
    ("section", "item"),
    [
        ("callback", {"EarlyStopping": {"patience": 3, "monitor": "loss", "verbose": 0}}),
        ("callback", {"TerminateOnNaN": {"raise_error": False}}),
        ("layer", {"LSTM": {"units": 3, "stateful": False}}),
        ("layer", {"GRU": {"units": 3, "return_state": False, "stateful": False}}),
    ],
)
def test_elsewhere_a_default_without_effect_is_silent(section: str, item: Any) -> None:
    assert [
        found for found in problems(placed(section, item)) if "unknown" in found.code or "effect" in found.code
    ] == []


def check_spec(made: Config) -> object:
    text = "".join(f"{key}: {flow(value)}\n" for key, value in made.items())
    return check("test.yaml", text.encode(), ()).spec


def mended(made: Config, key: str, hint: str) -> Config | None:
    """Return the config with what the hint about a key of `train` says done; None where it leaves a choice."""
    better = copy.deepcopy(made)
    del better["train"][key]
    if hint.startswith("remove it"):
        return better
    if "`data." in hint or "cannot be" in hint:
        hint = hint.replace("`data.limit`", "")
    found = re.search(r"`(- )?([A-Za-z_]\w*): ([^`]*)`(?: in `(\w+)`)?", hint)
    if found is None or "…" in found[3] or "[...]" in found[3]:
        return None
    dash, name, value, section = found.groups()
    written = read("hint", f"value: {value}").value["value"].plain()
    if dash or name[0].isupper():
        better["model"]["layers"].insert(0 if name.startswith("Random") else 1, {name: written})
    else:
        place = {
            "optimizer": "train",
            "callbacks": "train",
            "limit": "data",
            "dataset": "data",
            "metrics": "train",
            "shuffle": "train",
        }.get(name, section)
        (better.setdefault(place, {}) if place else better)[name] = written
    return better


@pytest.mark.parametrize(
    "value", [None, 1, 7, 0.5, True, "auto", [64, 32], {"type": "StepLR", "step_size": 30}], ids=str
)
def test_elsewhere_what_is_told_of_a_key_passes_the_checks(value: Any) -> None:
    told = {}
    for key in KEYS:
        made = config()
        if key in made["train"]:
            continue
        made["train"][key] = value
        found = [problem for problem in problems(made) if problem.path == ("train", key)]
        if not found:
            continue
        (problem,) = found
        assert problem.hint, key
        assert "known:" not in problem.hint, key
        better = mended(made, key, problem.hint)
        if better is not None and (errors := [p for p in problems(better) if p.severity == "error"]):
            told[key] = (problem.hint, [error.message for error in errors])
    assert told == {}


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("class_weights", {"0": 2}, "write `class_weight: balanced` in `train`"),
        (
            "sample_weight",
            [1],
            "a table has them in a column, arrays in one of their own: `sample_weight`; those of a class are "
            "`class_weight: balanced`",
        ),
        ("lr_schedule", {"1": 0.1, "10": 0.01}, "write `schedule: {1: 0.1, 10: 0.01}` in `train`"),
        ("validation_data", "x", "write `validation: 0.1` in `data`"),
        ("validation_split", 0.2, "write `validation: 0.2` in `data`"),
        ("max_epochs", 10, "did you mean `epochs`?"),
        ("gradient_clip_val", 0.5, "`optimizer: {SGD: {learning_rate: 0.1, global_clipnorm: 0.5}}`"),
        ("jit_compile", False, "write `jit_compile: false` in `runtime`"),
        ("xla", "yes", "write `jit_compile: true` in `runtime`"),
        ("onednn", True, "TF_ENABLE_ONEDNN_OPTS"),
        ("lr", 0.05, "`optimizer: {SGD: {learning_rate: 0.05}}`"),
        ("decay", 1e-6, "InverseTimeDecay: {initial_learning_rate: 0.1, decay_steps: 1, decay_rate: 1e-06}"),
        (
            "scheduler",
            {"StepLR": {"step_size": 30, "gamma": 0.1}},
            "decay_steps: 3000, decay_rate: 0.1, staircase: true",
        ),
        (
            "lr_scheduler",
            {"type": "CosineAnnealingLR", "T_max": 50},
            "CosineDecay: {initial_learning_rate: 0.1, decay_steps: 5000}",
        ),
        (
            "learning_rate_scheduler",
            {"decay": "cosine"},
            "CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9000}",
        ),
        ("early_stopping", {"patience": 7}, "EarlyStopping: {patience: 7}"),
        ("num_workers", 4, "remove it"),
        ("accelerator", "gpu", "remove it"),
        ("criterion", "mse", "write `loss`"),
        (
            "hidden_layer_sizes",
            [100, 50],
            "`- Dense: {units: 100, activation: relu}`, `- Dense: {units: 50, activation: relu}`",
        ),
    ],
    ids=str,
)
def test_elsewhere_a_key_is_told_what_it_is_here(key: str, value: Any, hint: str) -> None:
    made = config()
    made["train"][key] = value
    (problem,) = problems(made)
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("value", "meant"),
    [("16-mixed", "mixed_float16"), (16, "mixed_float16"), ("bf16", "mixed_bfloat16"), (32, "float32")],
)
def test_elsewhere_precisions_of_lightning_are_known(value: object, meant: str) -> None:
    (problem,) = problems(config(precision=value))
    assert problem.hint == f"did you mean `{meant}`?"


def test_elsewhere_arguments_lead_to_arguments_of_keras() -> None:
    """Every plain name in the table is an argument of some object."""
    known = {
        key for section in entries.sections() for name in entries.names(section) for key in _arguments(section, name)
    }
    known |= {key for entry in datasets.ENTRIES.values() for key in entry.arguments}
    assert {rule for rules in ARGUMENTS.values() for rule in rules if isinstance(rule, str)} <= known


@pytest.mark.parametrize(
    ("name", "word", "meant"),
    [
        ("csv", "sep", "delimiter"),
        ("csv", "label", "target"),
        ("csv", "usecols", "features"),
        ("series", "look_back", "sequence_length"),
        ("series", "window_size", "sequence_length"),
        ("text", "maxlen", "output_sequence_length"),
        ("text_folder", "tokenizer", "split"),
        ("image_folder", "target_size", "image_size"),
        ("image_folder", "rescale", "from 0 to 1"),
        ("image_folder", "batch_size", "under `train`"),
    ],
)
def test_elsewhere_arguments_of_other_readers_lead_to_those_of_the_data_set(name: str, word: str, meant: str) -> None:
    made = config()
    made["data"]["dataset"] = {name: {"path": "a", word: 3}}
    hints = [problem.hint for problem in problems(made) if problem.path[-1] == word]
    assert len(hints) == 1
    assert meant in hints[0]


@pytest.mark.parametrize(
    ("key", "value", "split"),
    [
        ("tokenizer", "bpe", "subword"),
        ("tokenizer", "BytePairTokenizer", "subword"),
        ("tokenizer", "sentencepiece", "subword"),
        ("analyzer", "char", "character"),
        ("analyzer", "word", "whitespace"),
        ("char_level", True, "character"),
        ("char_level", False, "whitespace"),
        ("subwords", True, "subword"),
    ],
)
def test_elsewhere_tokenizers_are_what_texts_are_split_into(key: str, value: Any, split: str) -> None:
    made = config()
    made["data"]["dataset"] = {"text": {"path": "a", key: value}}
    (hint,) = [problem.hint for problem in problems(made) if problem.path[-1] == key]
    assert f"`split: {split}`" in hint


def _entry(layer: str) -> entries.Entry:
    found = entries.find("layer", layer)
    assert found is not None
    return found


def _arguments(section: str, name: str) -> list[str]:
    entry = entries.find(section, name)
    return list(entry.arguments) if entry is not None else []


@pytest.mark.parametrize(
    ("factor", "hint"),
    [(30, "write `0.08333`"), ([-90, 90], "write `[-0.25, 0.25]`"), (400, "as in `factor: 0.2`"), (0.5, "")],
)
def test_elsewhere_degrees_become_shares_of_a_turn(factor: Any, hint: str) -> None:
    found = problems(placed("layer", {"RandomRotation": {"factor": factor}}))
    assert [problem.hint.endswith(hint) for problem in found] == ([True] if hint else [])


@pytest.mark.parametrize(
    ("item", "hint"),
    [
        ({"nn.LeakyReLU": 0.2}, "write `LeakyReLU: {negative_slope: 0.2}`"),
        ({"nn.ELU": 0.5}, "write `ELU: {alpha: 0.5}`"),
        ({"keras.layers.Dropout": 0.3}, "write `Dropout: {rate: 0.3}`"),
        ({"nn.BatchNorm2d": {"num_features": 8}}, "write `BatchNormalization`"),
        ({"nn.RReLU": {"lower": 0.1, "upper": 0.3}}, "write `LeakyReLU`"),
        ({"nn.Threshold": [0, 0]}, "write `ReLU`"),
        ({"Threshold": {"threshold": 0.5, "value": 0}}, "write `ReLU: {threshold: 0.5}`"),
        ({"nn.Threshold": [0.1, 20]}, "Keras has none: `ReLU: {threshold: …}` gives 0 below its threshold"),
        ({"nn.Threshold": [-1, 0]}, "Keras has none: `ReLU: {threshold: …}` gives 0 below its threshold"),
    ],
    ids=str,
)
def test_elsewhere_a_layer_is_one_problem_with_its_whole_mend(item: Any, hint: str) -> None:
    (problem,) = problems(placed("layer", item))
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("item", "steps"),
    [
        ({"WarmUp": {"epochs": 2}}, "warmup_steps: 200, decay_steps: 8800"),
        ({"LinearWarmup": {"warmup_epochs": 3}}, "warmup_steps: 300, decay_steps: 8700"),
        ({"WarmUp": {"warmup_steps": 50}}, "warmup_steps: 50, decay_steps: 8950"),
        ({"WarmUp": {"warmup_ratio": 0.2}}, "warmup_steps: 1800, decay_steps: 7200"),
    ],
    ids=str,
)
def test_elsewhere_a_warmup_keeps_its_length(item: Any, steps: str) -> None:
    (problem,) = problems(placed("callback", item))
    assert f"warmup_target: 0.1, {steps}}}" in problem.hint


@pytest.mark.parametrize(
    ("key", "value", "steps"),
    [
        ("warmup_epochs", 2, "warmup_steps: 200, decay_steps: 8800"),
        ("warmup_steps", 50, "warmup_steps: 50, decay_steps: 8950"),
        ("warmup_ratio", 0.2, "warmup_steps: 1800, decay_steps: 7200"),
        ("warmup", {"epochs": 4}, "warmup_steps: 400, decay_steps: 8600"),
    ],
    ids=str,
)
def test_elsewhere_a_warmup_beside_the_optimizer_keeps_its_length(key: str, value: Any, steps: str) -> None:
    (problem,) = problems(config(**{key: value}))
    assert f"warmup_target: 0.1, {steps}}}" in problem.hint


@pytest.mark.parametrize(
    "change",
    [{"callbacks": [{"StepLR": {"step_size": 30}}]}, {"scheduler": {"StepLR": {"step_size": 30}}}, {"clipnorm": 1.0}],
    ids=str,
)
def test_elsewhere_a_mend_of_the_optimizer_has_only_arguments_of_keras(change: Config) -> None:
    made = config(optimizer={"Adam": {"l2": 0.1, "betas": [0.8, 0.9], "foo": 1, "amsgrad": True}}, **change)
    (problem,) = [found for found in problems(made) if "optimizer: {Adam: {" in found.hint]
    assert "`optimizer: {Adam: {amsgrad: true, weight_decay: 0.1, beta_1: 0.8, beta_2: 0.9, " in problem.hint


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ({"weight_decay": 1e-4, "l2": 0.1}, "weight_decay: 0.0001"),
        ({"learning_rate": 0.01, "lr": 0.1}, "learning_rate: 0.01"),
        ({"beta_1": 0.7, "betas": [0.8, 0.9]}, "beta_1: 0.7"),
        ({"learning_rate": 0.01, "learningRate": 0.1}, "learning_rate: 0.01"),
        ({"learning_rate": 0.01, "learning_rat": 0.1}, "learning_rate: 0.01"),
    ],
    ids=str,
)
def test_elsewhere_an_argument_that_is_given_twice_is_not_chosen(given: Config, own: str) -> None:
    (problem,) = problems(config(optimizer={"Adam": given}))
    assert problem.hint.endswith(f"`{own}` is given too: remove one of them")


def test_elsewhere_tells_what_a_mend_takes_the_place_of() -> None:
    (problem,) = problems(config(optimizer={"Adam": {"clipnorm": 0.5}}, clipnorm=1.0))
    assert problem.hint.endswith(": {Adam: {clipnorm: 1.0}}`, instead of its `clipnorm: 0.5`")
    (problem,) = problems(config(optimizer={"Adam": {"clipnorm": 1.0}}, clipnorm=1.0))
    assert "instead" not in problem.hint


@pytest.mark.parametrize(
    ("value", "written", "reason"),
    [
        (5, "{patience: 4}", "; a patience of 5 never ends a run of 5 epochs"),
        (4, "{patience: 4}", ""),
        ({"patience": 9}, "{patience: 4}", "; a patience of 9 never ends a run of 5 epochs"),
        ({"patience": 2, "min_delta": 0.01, "foo": 1}, "{patience: 2, min_delta: 0.01}", ""),
    ],
    ids=str,
)
def test_elsewhere_a_patience_is_not_changed_without_a_word(value: Any, written: str, reason: str) -> None:
    (problem,) = problems(config(epochs=5, early_stopping=value))
    assert problem.hint == f"write `callbacks: [EarlyStopping: {written}]` in `train`{reason}"


@pytest.mark.parametrize(
    "loss",
    [
        {"CrossEntropyLoss": {"label_smoothing": 0.1, "weight": [1, 2]}},
        {"CrossEntropyLoss": [[1, 2]]},
        {"nn.BCEWithLogitsLoss": {"pos_weight": 2}},
        {"L1Loss": {"weight": 3}},
    ],
    ids=str,
)
def test_elsewhere_weights_of_classes_are_not_dropped_without_a_word(loss: Any) -> None:
    (problem,) = problems(config(loss=loss))
    assert "there are no weights of classes or samples here" in problem.hint


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", {"CrossEntropyLoss": {"weight": None}}], ids=str)
def test_elsewhere_weights_of_classes_that_are_not_given_are_not_told(loss: Any) -> None:
    (problem,) = problems(config(loss=loss))
    assert "weights" not in problem.hint


def test_elsewhere_an_error_rate_is_the_opposite_of_accuracy() -> None:
    (problem,) = problems(config(metrics=["error_rate"]))
    assert problem.hint == "Keras has none: write `accuracy`, and take 1 - accuracy for the share of errors"


@pytest.mark.parametrize(("value", "hint"), [(0.2, "remove it: "), (500, "write `limit: {test: 500}` in `data`")])
def test_elsewhere_a_test_split_is_the_data_sets_own(value: float, hint: str) -> None:
    made = config()
    made["data"]["test_split"] = value
    (problem,) = problems(made)
    assert hint in problem.hint
    assert "has its test split" in problem.hint


@pytest.mark.parametrize(
    "last", [{"Activation": "softmax"}, {"nn.Softmax": 1}, {"Activation": ["softmax"]}, "softmax"], ids=str
)
def test_elsewhere_a_last_layer_that_squashes_gets_no_loss_of_logits(last: Any) -> None:
    made = config(loss="CrossEntropyLoss")
    made["model"]["layers"][-1:] = [{"Dense": {"units": 10}}, last]
    (problem,) = [found for found in problems(made) if found.path == ("train", "loss")]
    assert problem.hint.startswith("write `SparseCategoricalCrossentropy`; or, without the last activation")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("torch.optim.Adam", "Adam"), ("optim.SGD", "SGD"), ("ADAM", "Adam"), ("tf.keras.optimizers.adam", "Adam")],
)
def test_elsewhere_a_class_is_called_by_its_own_name(word: str, meant: str) -> None:
    (problem,) = problems(config(optimizer=word))
    assert problem.hint == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("section", "item", "written"),
    [
        ("layer", "Dense(64, activation='relu')", "Dense: {units: 64, activation: relu}"),
        ("layer", "Conv2D(8, (3, 3))", "Conv2D: {filters: 8, kernel_size: [3, 3]}"),
        ("layer", "nn.Linear(784, 10)", "Dense: {units: 10}"),
        ("layer", "tf.keras.layers.Flatten()", "Flatten"),
        ("layer", "Dense(n)", "Dense: {units: …}"),
        ("layer", {"type": "Dense", "units": 10}, "Dense: {units: 10}"),
        ("layer", {"class_name": "Dense", "config": {"units": 10}}, "Dense: {units: 10}"),
        (
            "loss",
            "SparseCategoricalCrossentropy(from_logits=True)",
            "SparseCategoricalCrossentropy: {from_logits: true}",
        ),
        ("optimizer", "AdamW(lr=1e-3)", "AdamW: {learning_rate: 0.001}"),
        ("optimizer", {"name": "Adam", "learning_rate": 1e-3}, "Adam: {learning_rate: 0.001}"),
        ("optimizer", {"type": "SGD", "lr": 0.1, "momentum": 0.9}, "SGD: {learning_rate: 0.1, momentum: 0.9}"),
        ("callback", "EarlyStopping(patience=3)", "EarlyStopping: {patience: 3}"),
    ],
    ids=str,
)
def test_elsewhere_other_forms_are_mended_with_their_arguments(section: str, item: Any, written: str) -> None:
    (problem,) = [p for p in problems(placed(section, item)) if p.code != "output-activation"]
    assert problem.code == "object-form"
    assert problem.hint == f"write `{written}`"


def test_elsewhere_a_name_beside_an_object_is_its_argument() -> None:
    (problem,) = problems(placed("layer", {"Dropout": None, "name": "Dense"}))
    assert "is beside `Dropout`, not under it" in problem.message


@pytest.mark.parametrize("text", ["os.system('x')", "(" * 200 + ")", "lambda: f()", "Dens(" * 50 + ")" * 50])
def test_elsewhere_a_call_of_something_else_is_told(text: str) -> None:
    (problem,) = problems(config(loss=text))
    assert problem.hint


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (
            {"ImageDataGenerator": {"rotation_range": 36}},
            "write `augment: [{RandomRotation: {factor: 0.1}}]` in `data`",
        ),
        (["RandomFlip", {"RandomRotation": {"factor": 0.2}}], "did you mean `augment`?"),
        ({"ImageDataGenerator": {"rescale": 1 / 255}}, "write as first layers `Rescaling"),
        (True, "write `augment: [RandomFlip: {mode: horizontal}]` in `data`"),
    ],
    ids=str,
)
def test_elsewhere_augmentation_is_told_as_layers_of_the_data(value: Any, hint: str) -> None:
    made = config()
    made["data"]["augmentation"] = value
    (problem,) = problems(made)
    assert hint in problem.hint


def test_elsewhere_an_activation_with_arguments_is_a_layer() -> None:
    given = {"units": 3, "activation": {"LeakyReLU": {"negative_slope": 0.1}}}
    (problem,) = problems(placed("layer", {"Dense": given}))
    assert "`- LeakyReLU: {negative_slope: 0.1}`; or `leaky_relu` alone" in problem.hint


@pytest.mark.parametrize(
    ("metric", "name", "meant"),
    [
        ("mae", "test_mean_absolute_error", "test_mae"),
        ("MeanAbsoluteError", "val_mae", "val_mean_absolute_error"),
    ],
)
def test_elsewhere_an_expected_metric_is_found_by_its_class(metric: str, name: str, meant: str) -> None:
    made = _regression()
    made["train"]["metrics"] = [metric, "mse"]
    made["expect"] = {name: "<= 0.5"}
    (problem,) = problems(made)
    assert problem.hint == f"did you mean `{meant}`?"


def _regression() -> Config:
    made = config(loss="mse", metrics=[])
    made["data"]["dataset"] = {"synthetic": {"task": "regression", "samples": 4000}}
    made["model"]["layers"] = [{"Dense": {"units": 1}}]
    return made


def test_elsewhere_a_missing_section_has_a_loss_for_the_data() -> None:
    made = _regression()
    del made["train"]
    (problem,) = problems(made)
    assert problem.hint == "write `train: {optimizer: Adam, loss: mean_squared_error, epochs: 5}`"
    made |= {"optimizer": "SGD", "loss": "mse", "epochs": 3}
    problem = next(found for found in problems(made) if found.code == "missing-key")
    assert problem.hint == "write `train: {optimizer: SGD, loss: mse, epochs: 3}`"


# The output and the loss that a word stands in the place of, or beside.
HEADS: dict[str, tuple[int | None, int, str, Any]] = {
    "one sigmoid": (2, 1, "sigmoid", "binary_crossentropy"),
    "one logit": (2, 1, "linear", {"BinaryCrossentropy": {"from_logits": True}}),
    "a number": (None, 1, "linear", "mean_squared_error"),
    "two softmax": (2, 2, "softmax", "sparse_categorical_crossentropy"),
    "three softmax": (3, 3, "softmax", "sparse_categorical_crossentropy"),
    "ten softmax": (10, 10, "softmax", "sparse_categorical_crossentropy"),
    "ten one-hot": (10, 10, "softmax", "categorical_crossentropy"),
    "ten logits": (10, 10, "linear", {"SparseCategoricalCrossentropy": {"from_logits": True}}),
    "ten sigmoid": (10, 10, "sigmoid", "binary_crossentropy"),
}


def headed(head: str, **train: Any) -> Config:
    classes, units, activation, loss = HEADS[head]
    kind = {"classes": classes} if classes else {"task": "regression"}
    made = config(**{"loss": loss, "metrics": [], "epochs": 5, **train})
    made["data"]["dataset"] = {"synthetic": {"shape": [8], "samples": 4000, **kind}}
    made["model"]["layers"] = [{"Dense": {"units": units, "activation": activation}}]
    return made


def in_place(made: Config, section: str, hint: str) -> Config | None:
    """Return the config with the object that a hint writes in the place of its word, and the loss that it names."""
    better = copy.deepcopy(made)
    texts = re.findall(r"(?:write|mean|and|or) `([^`]+)`", hint)
    loss = next((text.removeprefix("loss: ") for text in texts if text.startswith("loss: ")), None)
    text = next((text for text in texts if not text.startswith("loss: ")), None)
    if loss is not None:
        better["train"]["loss"] = read("hint", f"value: {loss}").value["value"].plain()
    if text is not None and not text.startswith(("activation", "units")):
        value = f"{{{text}}}" if re.match(r"\w+: ", text) else text
        item = read("hint", f"value: {value}").value["value"].plain()
        better["train"]["loss" if section == "loss" else "metrics"] = item if section == "loss" else [item]
        return better
    return None


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("section", ["loss", "metric"])
def test_elsewhere_a_mend_fits_the_output_and_the_labels(section: str, head: str) -> None:
    told = {}
    before = {problem.message for problem in problems(headed(head))}
    for word in elsewhere.TABLES[section]:
        if entries.find(section, word) is not None:
            continue
        made = headed(head, **({"loss": word} if section == "loss" else {"metrics": [word]}))
        (problem, *_) = [found for found in problems(made) if found.code == "unknown-name"]
        better = in_place(made, section, problem.hint)
        found = problems(better) if better is not None else ()
        if errors := [p.message for p in found if p.severity == "error" and p.message not in before]:
            told[word] = (problem.hint, errors)
    assert told == {}


@pytest.mark.parametrize(
    ("section", "word", "head", "hint"),
    [
        ("loss", "CrossEntropyLoss", "one logit", "write `BinaryCrossentropy: {from_logits: true}`"),
        ("loss", "CrossEntropyLoss", "ten logits", "write `SparseCategoricalCrossentropy: {from_logits: true}`"),
        (
            "loss",
            {"CrossEntropyLoss": {"label_smoothing": 0.1}},
            "one sigmoid",
            "`BinaryCrossentropy: {label_smoothing: 0.1}`",
        ),
        ("loss", "softmax_cross_entropy", "one sigmoid", "write `BinaryCrossentropy`"),
        ("loss", "BCELoss", "ten softmax", "not as one choice among them: write `SparseCategoricalCrossentropy`"),
        ("loss", "BCELoss", "one sigmoid", "did you mean `binary_crossentropy`?"),
        ("loss", "KLDivLoss", "one sigmoid", "does not fit: `synthetic` has one label per sample"),
        ("loss", "MultiMarginLoss", "one logit", "write `Hinge`"),
        ("loss", "cosine_proximity", "one logit", "write `BinaryCrossentropy: {from_logits: true}`"),
        ("loss", "smape", "a number", "Keras has none; the nearest"),
        ("metric", "top5", "three softmax", "counts every sample as right"),
        ("metric", "top5", "ten one-hot", "write `TopKCategoricalAccuracy`"),
        ("metric", "top3", "ten one-hot", "write `TopKCategoricalAccuracy: {k: 3}`"),
        ("metric", "logloss", "ten one-hot", "write `CategoricalCrossentropy`"),
        ("metric", "f1", "one sigmoid", "write `F1Score: {average: macro, threshold: 0.5}`"),
        (
            "metric",
            "f1",
            "ten logits",
            "and `loss: {CategoricalCrossentropy: {from_logits: true}}`, whose labels it takes",
        ),
        ("metric", "BinaryF1Score", "one sigmoid", "write `F1Score: {average: micro, threshold: 0.5}`"),
        ("metric", "BinaryF1Score", "two softmax", "write `F1Score`, and `loss: categorical_crossentropy`"),
        ("metric", "f1_micro", "ten one-hot", "so it says no more than accuracy"),
        ("metric", "sensitivity", "two softmax", "write `Recall: {class_id: 1}`, and `loss: categorical_crossentropy`"),
        ("metric", "tp", "one logit", "write `TruePositives: {thresholds: 0}`"),
        ("metric", "ppv", "a number", "`Precision` counts classes, but the targets of `synthetic` are numbers"),
    ],
    ids=str,
)
def test_elsewhere_a_mend_means_the_same_there(section: str, word: Any, head: str, hint: str) -> None:
    (problem, *_) = problems(headed(head, **({"loss": word} if section == "loss" else {"metrics": [word]})))
    assert hint in problem.hint


def test_elsewhere_mends_of_several_metrics_and_the_loss_fit_together() -> None:
    made = headed("one logit", loss="CrossEntropyLoss", metrics=["top1accuracy", "rocauc", "accuracy"])
    made["train"]["checkpoint"] = {"monitor": "val_auc"}
    assert [problem.hint for problem in problems(made) if problem.code == "unknown-name"] == [
        "write `BinaryCrossentropy: {from_logits: true}`",
        "write `BinaryAccuracy: {threshold: 0, name: accuracy}`",
        "write `AUC: {from_logits: true}`",
    ]


@pytest.mark.parametrize("loss", ["mape", "cosine_similarity"])
@pytest.mark.parametrize("head", HEADS)
def test_elsewhere_a_loss_that_does_not_fit_has_a_mend_that_does(loss: str, head: str) -> None:
    made = headed(head, loss=loss)
    for problem in [found for found in problems(made) if found.path[:2] == ("train", "loss")]:
        loss_text = problem.hint.removeprefix("write `loss: ").rstrip("`")
        better = headed(head, loss=read("hint", f"value: {loss_text}").value["value"].plain())
        assert [found.message for found in problems(better) if found.severity == "error"] == []
