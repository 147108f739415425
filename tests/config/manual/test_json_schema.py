"""Compare the JSON Schema with `check`: an independent validator gives the same verdict on each config."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from tests.helpers import ROOT, Command

from dltrain.config.catalogue import datasets, entries
from dltrain.config.catalogue.entries import Entry
from dltrain.config.catalogue.objects import check_value
from dltrain.config.document.reader import read
from dltrain.config.manual.json_schema import json_schema, json_text
from dltrain.config.plan import check
from dltrain.errors import ConfigError

COMMITTED = ROOT / "schema" / "dltrain.schema.json"
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
MUTANTS = 600
# Codes of structural errors; every other code comes from a check across several values.
STRUCTURAL = {
    "unknown-key",
    "missing-key",
    "wrong-type",
    "out-of-range",
    "unknown-word",
    "unknown-name",
    "unknown-argument",
    "missing-argument",
    "object-form",
    "wrong-value",
    "name",
    "too-short",
}
RICH = """\
version: 1
name: rich
seed: 7
data:
  dataset: {synthetic: {task: classification, samples: 300, test_samples: 60, shape: [12, 4], classes: 3, noise: 0.25}}
  validation: 0.2
  limit: {train: 200, test: null}
model:
  layers:
    - repeat:
        times: 2
        layers:
          - Bidirectional: {layer: {LSTM: {units: 4, return_sequences: true, use_cudnn: auto}}, merge_mode: concat}
          - LayerNormalization
          - repeat: {times: 1, layers: [Dropout: {rate: 0.15}]}
    - TimeDistributed: {layer: {Dense: {units: 8, kernel_regularizer: {L1L2: {l1: 1e-5, l2: 1e-4}}}}}
    - RNN: {cell: {GRUCell: {units: 5, kernel_initializer: he_normal, bias_constraint: {MaxNorm: {max_value: 2}}}}}
    - Dense: {units: 6, activation: gelu, kernel_regularizer: l2, kernel_initializer: {RandomNormal: {stddev: 0.1}}}
    - BatchNormalization:
    - Dense: {units: 3, activation: softmax}
train:
  optimizer:
    SGD:
      learning_rate: {ExponentialDecay: {initial_learning_rate: 0.1, decay_steps: 10, decay_rate: 0.5}}
      momentum: 0.9
  loss: {SparseCategoricalCrossentropy: {from_logits: false}}
  metrics: [accuracy, SparseTopKCategoricalAccuracy: {k: 2}]
  batch_size: full
  epochs: 3
  callbacks: [EarlyStopping: {patience: 2, monitor: val_loss}, ReduceLROnPlateau, TerminateOnNaN]
  checkpoint: {monitor: val_accuracy, mode: max}
  precision: mixed_bfloat16
  deterministic: false
  steps_per_execution: 4
expect: {test_accuracy: ">= 0.5", val_loss: "<1e1"}
"""
IMAGES = """\
data: {dataset: mnist, limit: {train: 500}}
model:
  layers:
    - Conv2D: {filters: 4, kernel_size: [3, 3], strides: 2, padding: same, dtype: float32, name: first}
    - ZeroPadding2D: {padding: [[1, 1], [0, 2]]}
    - AvgPool2D: {pool_size: 2}
    - RandomRotation: {factor: [-0.1, 0.1], fill_mode: reflect}
    - Activation: {activation: relu}
    - Flatten: {}
    - Dense: {units: 10}
train:
  optimizer: {LossScaleOptimizer: {inner_optimizer: {AdamW: {clipnorm: null, learning_rate: 1}}}}
  loss: {Huber: {delta: 2}}
  metrics: [mae, MeanSquaredError]
  epochs: 1
"""
# Values to try for each argument.
PROBES: list[Any] = [
    *(None, True, False, 0, 1, 2, 3, 9, -1, -2, 10**9, 10**30, 0.0, 0.5, 1.0, 2.5, -0.5, -1.0, 1e-9, 1e300),
    *("", "3", "auto", "same", "relu", "float32", "l2", "he_normal", "non_neg", "Dense", "Flatten", "Adam", "none"),
    *([], [1], [2, 3], [1, 2, 3], [1, 2, 3, 4, 5], [0.5], [0.5, 0.1], [-1, 2.0], [True], ["a"], [[1, 1], [2, 2]]),
    *([[1], 2], [[0.5]], [None], {}, {"l2": None}, {"L2": {"l2": 0.1}}, {"L2": {"l3": 1}}, {"MaxNorm": {}}),
    *({"Dense": {"units": 2}}, {"Dense": {}}, {"Dense": None}, {"Adam": {}}, {"Adam": None, "SGD": None}),
    *({"CosineDecay": {"initial_learning_rate": 1, "decay_steps": 5}}, {"CosineDecay": {}}, {"Zeros": [], "x": 1}),
]


def is_integer(_: object, value: object) -> bool:
    """Return whether dltrain accepts the value as an integer; JSON Schema also accepts `3.0`."""
    return isinstance(value, int) and not isinstance(value, bool)


STRICT: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
)


def plain(text: str) -> Any:
    return read("mutant.yaml", text).plain()


def check_accepts(text: str, file: str = "mutant.yaml") -> bool:
    try:
        check(file, text.encode(), ())
    except ConfigError as error:
        return not any(problem.code in STRUCTURAL for problem in error.problems)
    return True


Place = tuple[Any, Any]
Mutation = Callable[[random.Random, Any, Any], None]


def places(value: Any) -> Iterator[Place]:
    """Yield (container, key) of every value inside `value` except that of `extends`."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        if key != "extends":
            yield value, key
            yield from places(value[key])


def delete(rng: random.Random, box: Any, key: Any) -> None:
    del box[key]


def misspell(rng: random.Random, box: Any, key: Any) -> None:
    if isinstance(box, dict):
        box[key[:-1] if rng.random() < 0.5 else key + "s"] = box.pop(key)
    elif isinstance(box[key], str):
        box[key] = box[key][::-1]


def retype(rng: random.Random, box: Any, key: Any) -> None:
    box[key] = rng.choice(["word", "3", True, 4, 2.5, [], {}, [1, 2], {"a": 1}, ""])


def renumber(rng: random.Random, box: Any, key: Any) -> None:
    box[key] = rng.choice([-1, 0, 1, 2, 5, 0.5, 0.99, 1.0, 3.0, -0.25, 2**32, 10**12, 1e-8])


def scale(rng: random.Random, box: Any, key: Any) -> None:
    if isinstance(box[key], int | float) and not isinstance(box[key], bool):
        box[key] = box[key] * rng.choice([2, 3, -1, 0.5, 1.0])


def rename(rng: random.Random, box: Any, key: Any) -> None:
    name = rng.choice(
        ["Dense", "Flatten", "Adam", "adam", "mse", "Nonsense", "accuracy", "auto", "GELU", "l1", "repeat"]
    )
    if isinstance(box, dict) and rng.random() < 0.5:
        box[name] = box.pop(key)
    else:
        box[key] = name


def set_null(rng: random.Random, box: Any, key: Any) -> None:
    box[key] = None


def wrap_in_list(rng: random.Random, box: Any, key: Any) -> None:
    box[key] = [box[key]] * rng.choice([1, 1, 2])


def add(rng: random.Random, box: Any, key: Any) -> None:
    if isinstance(box, dict):
        box[rng.choice(["name", "units", "extra", "Dense", "dtype", "times"])] = rng.choice([3, "x", None, "float32"])
    else:
        box.insert(key, copy.deepcopy(box[key]))


def unwrap(rng: random.Random, box: Any, key: Any) -> None:
    if isinstance(box[key], dict) and len(box[key]) == 1:
        ((name, arguments),) = box[key].items()
        box[key] = rng.choice([name, {name: None}, {name: {}}, {name: [arguments]}, arguments])


def add_arguments(rng: random.Random, box: Any, key: Any) -> None:
    if isinstance(box[key], str):
        box[key] = {box[key]: rng.choice([None, {}, {"name": "x"}, [], 3])}


MUTATIONS: list[Mutation] = [
    *(delete, misspell, retype, renumber, scale, rename, set_null, wrap_in_list, add, unwrap, add_arguments),
    *(scale, unwrap, add_arguments),  # these often leave a config that is valid
]


def swap(rng: random.Random, config: Any) -> None:
    (one, first), (other, second) = rng.sample(list(places(config)), 2)
    one[first], other[second] = copy.deepcopy(other[second]), copy.deepcopy(one[first])


def mutants(sources: list[str], count: int, seed: int) -> list[str]:
    """Return distinct configs with one to three changes each, as JSON, which is also YAML."""
    rng = random.Random(seed)
    configs = [plain(text) for text in sources]
    found: dict[str, None] = {}
    while len(found) < count:
        config = copy.deepcopy(rng.choice(configs))
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            known = list(places(config))
            if len(known) > 1 and rng.random() < 0.08:
                swap(rng, config)
            elif known:
                rng.choice(MUTATIONS)(rng, *rng.choice(known))
        found[json.dumps(config)] = None
    return list(found)


def every_change(text: str) -> Iterator[str]:
    """Yield the config with each of its values in turn replaced, extended by a key, and deleted."""
    config = plain(text)
    for box, key in list(places(config)):
        old = box[key]
        extended = [old | {name: None} for name in ("extra", "Flatten", "SGD")] if isinstance(old, dict) else []
        others: list[Any] = [None, -1, 3.0, True, "word", [], {}, *extended]
        for new in others:
            box[key] = new
            yield json.dumps(config)
        box[key] = old
        if isinstance(box, dict):
            entries = list(box.items())
            del box[key]
            yield json.dumps(config)
            box.clear()
            box.update(entries)


@cache
def verdicts() -> tuple[tuple[Any, bool], ...]:
    """Return configs, each with whether `check` accepts it."""
    sources = [path.read_text() for path in CONFIGS] + [RICH, IMAGES] * 4
    texts = dict.fromkeys([*mutants(sources, MUTANTS, seed=1), *every_change(RICH)])
    return tuple((plain(text), check_accepts(text)) for text in texts)


def test_json_schema_is_valid_in_draft_2020_12_and_draft_7() -> None:
    Draft202012Validator.check_schema(json_schema())
    Draft7Validator.check_schema(json_schema())  # the draft of older editors


def test_json_schema_file_is_current() -> None:
    assert COMMITTED.read_text() == json_text(), "stale: run `make generate`"


def test_json_schema_command_prints_the_file(dltrain: Command) -> None:
    done = dltrain("schema")
    assert done.returncode == 0, done.stderr
    assert done.stdout == COMMITTED.read_text()
    assert json.loads(done.stdout)["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("text", [*(path.read_text() for path in CONFIGS), RICH, IMAGES])
def test_json_schema_accepts_complete_configs(text: str) -> None:
    assert check_accepts(text)
    assert STRICT(json_schema()).is_valid(plain(text))
    assert Draft7Validator(json_schema()).is_valid(plain(text))


def test_json_schema_agrees_with_check_on_mutants() -> None:
    validator = STRICT(json_schema())
    assert [config for config, accepted in verdicts() if validator.is_valid(config) != accepted] == []
    accepted = sum(accepted for _, accepted in verdicts())
    assert len(verdicts()) >= 400
    assert accepted > 50
    assert len(verdicts()) - accepted > 50


@pytest.mark.parametrize(
    ("path", "keyword"),
    [
        (("config",), "additionalProperties"),
        (("config", "properties", "data"), "required"),
        (("config", "properties", "train", "properties", "epochs"), "type"),
        (("config", "properties", "data", "properties", "validation", "anyOf", 0), "minimum"),
        (("config", "properties", "expect", "additionalProperties"), "pattern"),
        (("layer.Dense",), "additionalProperties"),
        (("layer.Dense",), "required"),
        (("layer.Dropout", "properties", "rate"), "maximum"),
        (("layer.BatchNormalization",), "type"),
        (("layer_or_repeat", "anyOf", 0), "maxProperties"),
        (("activation",), "enum"),
    ],
)
def test_json_schema_without_a_keyword_accepts_invalid_configs(path: tuple[str | int, ...], keyword: str) -> None:
    schema = json_schema()
    damaged = schema["$defs"]
    for key in path:
        damaged = damaged[key]
    del damaged[keyword]
    validator = STRICT(schema)
    assert any(validator.is_valid(config) for config, accepted in verdicts() if not accepted)


def argument_rules() -> Iterator[Entry]:
    yield from datasets.ENTRIES.values()
    for section in entries.sections():
        for name in entries.names(section) if section != "activation" else ():
            entry = entries.find(section, name)
            assert entry is not None
            yield entry


def test_json_schema_agrees_with_check_on_every_argument() -> None:
    definitions = json_schema()["$defs"]
    seen: dict[str, set[bool]] = {}
    wrong = []
    for entry in argument_rules():
        for key in entry.arguments:
            schema = definitions[f"{entry.section}.{entry.name}"]["properties"][key]
            rule = json.dumps({k: v for k, v in schema.items() if k != "default"}) + str(entry.arguments[key])
            if rule in seen:
                continue
            validator = STRICT(schema | {"$defs": definitions})
            seen[rule] = set()
            for probe in [*PROBES, *entry.arguments[key].choices]:
                node = read("probe.yaml", json.dumps([probe])).value[0]
                accepted = not check_value(entry, key, node, ())
                seen[rule].add(accepted)
                if validator.is_valid(node.plain()) != accepted:
                    wrong.append((entry.name, key, node.plain(), accepted))
    assert wrong == []
    assert len(seen) > 100
    assert [rule for rule, verdict in seen.items() if verdict != {True, False}] == []


def test_json_schema_defaults_match_the_catalogue_and_are_valid() -> None:
    definitions = json_schema()["$defs"]
    for entry in argument_rules():
        for key, argument in entry.arguments.items():
            schema = definitions[f"{entry.section}.{entry.name}"]["properties"][key]
            assert ("default" in schema) == argument.has_default
            if argument.has_default:
                assert schema["default"] == argument.default
                assert STRICT(schema | {"$defs": definitions}).is_valid(plain(json.dumps([argument.default]))[0]), (
                    entry.name,
                    key,
                )


PART = """\
extends: base.yaml
seed: 3
data: {validation: 0.3, limit: {train: 100}}
train:
  optimizer: {SGD: {momentum: 0.5}}
  epochs: 2
  metrics: [accuracy]
  checkpoint: {mode: null}
expect: {test_accuracy: null, val_loss: "< 2"}
"""


def removes_unknown_bound(config: Any) -> bool:
    """Return whether `expect` removes a bound that the base does not have; only reading the base shows that."""
    expect = config.get("expect") if isinstance(config, dict) else None
    return isinstance(expect, dict) and None in [expect[key] for key in expect.keys() - {"test_accuracy", "val_loss"}]


def test_json_schema_agrees_with_check_on_extending_configs(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RICH.replace("limit: {train: 200, test: null}", "limit: {train: 200, test: 9}"))
    file = str(tmp_path / "part.yaml")
    validator = STRICT(json_schema())
    found = [
        (text, check_accepts(text, file), validator.is_valid(plain(text)))
        for text in [PART, "extends: base.yaml", *mutants([PART], 200, seed=2)]
        if not removes_unknown_bound(plain(text))
    ]
    assert [text for text, accepted, valid in found if accepted != valid] == []
    assert 20 < sum(accepted for _, accepted, _ in found) < len(found) - 20


@pytest.mark.parametrize("value", ["3", "null", "[]", '""', "{file: base.yaml}"])
def test_json_schema_rejects_extends_without_a_file(value: str) -> None:
    assert not STRICT(json_schema()).is_valid(plain(f"extends: {value}"))


def leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        if error.context:
            yield from leaves(error.context)
        else:
            yield error


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ("momentum: 0.9", "momentun: 0.9", ["train", "optimizer", "SGD"], "momentun"),
        ("momentum: 0.9", "momentum: much", ["train", "optimizer", "SGD", "momentum"], "much"),
        ("seed: 7", "seeds: 7", [], "seeds"),
        ("epochs: 3", "epochs: three", ["train", "epochs"], "three"),
        ("test: null", "test: 0", ["data", "limit", "test"], "0"),
        ("units: 6, ", "unit: 6, ", ["model", "layers", 3, "Dense"], "unit"),
        ("units: 6, ", "", ["model", "layers", 3, "Dense"], "units"),
        ("activation: gelu", "activation: gleu", ["model", "layers", 3, "Dense", "activation"], "gleu"),
        (
            "rate: 0.15",
            "rat: 0.15",
            ["model", "layers", 0, "repeat", "layers", 2, "repeat", "layers", 0, "Dropout"],
            "rat",
        ),
    ],
)
def test_json_schema_error_locates_the_mistake(old: str, new: str, path: list[str | int], says: str) -> None:
    assert RICH.count(old) == 1
    errors = STRICT(json_schema()).iter_errors(plain(RICH.replace(old, new)))
    found = list(leaves(errors))
    deepest = max(len(error.absolute_path) for error in found)
    here = [error for error in found if len(error.absolute_path) == deepest]
    assert [list(error.absolute_path) for error in here] == [path] * len(here)
    assert any(says in error.message for error in here)


def test_json_schema_describes_every_config_key() -> None:
    def described(schema: dict[str, Any]) -> Iterator[bool]:
        for value in schema.get("properties", {}).values():
            yield bool(value["description"]) and bool(value["title"])
            yield from described(value)

    definitions = json_schema()["$defs"]
    for name in ("config", "config_that_extends", "repeat"):
        assert all(described(definitions[name]))
    train = definitions["config"]["properties"]["train"]["properties"]
    assert train["batch_size"]["default"] == 32
    assert train["precision"]["enum"] == ["float32", "mixed_bfloat16", "mixed_float16"]
    assert "MaxPool2D" in definitions["layer"]["anyOf"][1]["enum"]
    assert "Conv2D" not in definitions["layer"]["anyOf"][1]["enum"]
    assert definitions["layer.Dense"]["properties"]["units"]["description"] == "an integer of at least 1"
