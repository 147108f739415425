"""Compare the catalogue with the installed Keras: it is complete and current, and every entry builds."""

from __future__ import annotations

import inspect
import json
import math
import subprocess
import sys
import warnings
from importlib import resources
from typing import Any

import pytest
from tests.helpers import failures, script

from dltrain.arguments import Argument
from dltrain.config.catalogue import entries

SECTIONS = [section for section in entries.sections() if section != "activation"]
LAYERS = entries.names("layer")

# Sample shapes of layers that no rule in `sample_shape` covers.
SHAPES: dict[str, tuple[int, ...]] = {
    "CategoryEncoding": (3,),
    "ConvLSTM1D": (2, 6, 2),
    "ConvLSTM2D": (2, 6, 6, 2),
    "ConvLSTM3D": (2, 4, 4, 4, 1),
    "GRUCell": (4,),
    "LSTMCell": (4,),
    "MelSpectrogram": (64,),
    "RepeatVector": (4,),
    "Reshape": (8,),
    "STFTSpectrogram": (64, 1),
    "SimpleRNNCell": (4,),
    "SpectralNormalization": (4,),
}
SEQUENCES = (
    "Bidirectional",
    "GRU",
    "LSTM",
    "RNN",
    "SimpleRNN",
    "TimeDistributed",
    "Masking",
    "Permute",
    "EinsumDense",
)
# Minimal arguments of a class, in addition to REQUIRED.
SPECIAL: dict[str, dict[str, Any]] = {
    "GroupNormalization": {"groups": 1},
    "MelSpectrogram": {
        "fft_length": 16,
        "sequence_stride": 8,
        "sampling_rate": 100,
        "min_freq": 1.0,
        "num_mel_bins": 4,
    },
    "RandomPosterization": {"factor": 4},
    "STFTSpectrogram": {"frame_length": 16},
    "TimeDistributed": {"layer": "Dense"},
    "SpectralNormalization": {"layer": "Dense"},
    "ZeroPadding1D": {"padding": 1},
}
REQUIRED: dict[str, Any] = {
    "activation": "relu",
    "bin_boundaries": [0.25, 0.75],
    "boundaries": [2.0],
    "cell": "LSTMCell",
    "decay_rate": 0.5,
    "decay_steps": 10,
    "dims": (2, 1),
    "equation": "abc,cd->abd",
    "factor": 0.5,
    "filters": 2,
    "first_decay_steps": 10,
    "height": 4,
    "height_factor": 0.1,
    "initial_learning_rate": 0.1,
    "inner_optimizer": "SGD",
    "input_dim": 5,
    "kernel_size": 2,
    "layer": "LSTM",
    "mean": 0.5,
    "n": 2,
    "num_bins": 4,
    "num_classes": 2,
    "num_tokens": 3,
    "output_dim": 3,
    "output_shape": (8, 3),
    "output_size": 2,
    "pool_size": 2,
    "precision": 0.5,
    "rate": 0.5,
    "recall": 0.5,
    "scale": 0.5,
    "sensitivity": 0.5,
    "specificity": 0.5,
    "stddev": 0.5,
    "target_class_ids": [0],
    "target_shape": (2, -1),
    "units": 2,
    "values": [0.1, 0.01],
    "variance": 0.25,
    "width": 4,
    "width_factor": 0.1,
}
EXCLUDED = [
    *(
        "Lambda",
        "LambdaCallback",
        "TFSMLayer",
        "JaxLayer",
        "FlaxLayer",
        "TorchModuleWrapper",
        "MeanMetricWrapper",
    ),
    *("StringLookup", "IntegerLookup", "TextVectorization", "InputLayer", "Add", "Concatenate", "Layer"),
    *("MultiHeadAttention", "LearningRateScheduler", "ModelCheckpoint", "CSVLogger", "RemoteMonitor"),
]
# Other arguments that a value at the bound requires.
COMPANIONS: dict[str, dict[str, Any]] = {
    "Normalization.variance": {"mean": 0.0},
    "AUC.num_labels": {"multi_label": True},
    "PiecewiseConstantDecay.values": {"boundaries": []},
    "STFTSpectrogram.fft_length": {"frame_length": 1},
}


def sample_shape(name: str) -> tuple[int, ...]:
    if name in SHAPES:
        return SHAPES[name]
    if name.endswith("3D") or "3D" in name:
        return (6, 6, 6, 2)
    if "1D" in name or name in SEQUENCES:
        return (8, 4)
    return (4,) if name in ("Dense", "Embedding", "ReversibleEmbedding") else (8, 8, 3)


def minimal(section: str, name: str) -> dict[str, Any]:
    entry = entries.find(section, name)
    assert entry is not None
    needed = {key: REQUIRED[key] for key, argument in entry.arguments.items() if argument.required}
    return needed | SPECIAL.get(name, {})


def module_of(section: str) -> Any:
    import keras

    if section == "schedule":
        return keras.optimizers.schedules
    return getattr(keras, {"loss": "losses"}.get(section, f"{section}s"))


def build(section: str, name: str, /, **arguments: Any) -> Any:
    """Build an object from its minimal arguments and the given ones; nested objects are given by name."""
    given = minimal(section, name) | arguments
    for key in ("layer", "cell", "backward_layer"):
        if isinstance(given.get(key), str):
            given[key] = build("layer", given[key])
    if isinstance(given.get("inner_optimizer"), str):
        given["inner_optimizer"] = build("optimizer", given["inner_optimizer"])
    return getattr(module_of(section), name)(**given)


def arguments_of(section: str, *attributes: str) -> list[tuple[str, str]]:
    """Return (name, argument) of every argument in a section that has one of the attributes set."""
    found = []
    for name in entries.names(section):
        entry = entries.find(section, name)
        for key, argument in entry.arguments.items() if entry else ():
            if any(getattr(argument, attribute) not in (None, ()) for attribute in attributes):
                found.append((name, key))
    return found


def argument_of(section: str, name: str, key: str) -> Argument:
    entry = entries.find(section, name)
    assert entry is not None
    return entry.arguments[key]


def test_catalogue_matches_the_installed_keras() -> None:
    import keras

    known, installed = entries.keras_version(), keras.__version__
    moved = f"the catalogue is of Keras {known}, and {installed} is installed: run python scripts/make_catalogue.py"
    assert known.split(".")[:2] == installed.split(".")[:2], moved
    shipped = resources.files("dltrain.config.catalogue").joinpath("catalogue.json").read_text(encoding="utf-8")
    made = script("make_catalogue").text().replace(f'"keras": "{installed}"', f'"keras": "{known}"')
    assert shipped == made, "stale: run python scripts/make_catalogue.py"


def test_catalogue_loads_without_keras_or_numpy() -> None:
    code = (
        "import sys; from dltrain.config.catalogue import entries; entries.find('layer', 'Dense');"
        "sys.exit(bool({'keras', 'numpy', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_catalogue_layers_run_on_a_sample() -> None:
    import keras

    def run(name: str) -> None:
        inputs = keras.Input(sample_shape(name))
        made = build("layer", name)
        assert made(inputs) is not inputs, "a built model would skip it"
        model = keras.Sequential([inputs, made])
        assert model(keras.ops.ones((2, *inputs.shape[1:]))).shape[0] == 2

    assert failures((name for name in LAYERS if not name.endswith("Cell")), run) == {}


@pytest.mark.parametrize("section", SECTIONS)
def test_catalogue_objects_build_from_minimal_arguments(section: str) -> None:
    assert failures(entries.names(section), lambda name: build(section, name)) == {}


def test_catalogue_layers_accept_their_listed_base_arguments() -> None:
    def check(name: str) -> None:
        entry = entries.find("layer", name)
        assert entry is not None
        base = {"name": "mine", "dtype": "int64" if name == "Hashing" else "float32", "trainable": False}
        made = build("layer", name, **{key: value for key, value in base.items() if key in entry.arguments})
        assert made.name == "mine"

    assert failures(LAYERS, check) == {}


@pytest.mark.parametrize("section", SECTIONS)
def test_catalogue_choices_are_accepted_by_keras(section: str) -> None:
    def check(argument: tuple[str, str]) -> None:
        name, key = argument
        for word in argument_of(section, name, key).choices:
            build(section, name, **{key: word})

    assert failures(arguments_of(section, "choices"), check) == {}


@pytest.mark.parametrize("section", SECTIONS)
def test_catalogue_bounds_are_accepted_by_keras(section: str) -> None:
    def check(place: tuple[str, str]) -> None:
        name, key = place
        argument = argument_of(section, name, key)
        for bound in (argument.minimum, argument.maximum):
            value: Any = bound
            if bound is None:
                continue
            if "float" in argument.kinds or "floats" in argument.kinds:
                value = float(bound)
            if not {"int", "float"} & set(argument.kinds):
                value = [value] * max(argument.lengths or (1,))
            build(section, name, **COMPANIONS.get(f"{name}.{key}", {}), **{key: value})

    assert failures(arguments_of(section, "minimum", "maximum"), check) == {}


@pytest.mark.parametrize("section", SECTIONS)
def test_catalogue_defaults_equal_those_of_keras(section: str) -> None:
    def compare(name: str) -> None:
        signature = inspect.signature(getattr(module_of(section), name)).parameters
        entry = entries.find(section, name)
        assert entry is not None
        for key, argument in entry.arguments.items():
            if argument.has_default:
                assert json.loads(json.dumps(signature[key].default)) == argument.default, key
            elif key in signature and signature[key].default is inspect.Parameter.empty:
                assert argument.required, key

    assert failures(entries.names(section), compare) == {}


@pytest.mark.parametrize("section", [s for s in SECTIONS if s not in ("schedule", "callback", "layer")])
def test_catalogue_aliases_are_strings_that_keras_resolves(section: str) -> None:
    module = module_of(section)
    for word, own in entries.aliases(section).items():
        if own is None:
            continue
        made = vars(module).get(word) or module.get(word)
        name = getattr(made, "__name__", type(made).__name__)
        assert name.replace("_", "").lower() == own.lower()


def test_catalogue_activations_are_strings_that_keras_resolves() -> None:
    import keras

    inputs = keras.ops.ones((2, 4))
    assert {word for word in entries.names("activation") if keras.activations.get(word)(inputs).shape[0] != 2} == set()


def test_catalogue_lists_or_excludes_every_keras_class() -> None:
    for section in SECTIONS:
        for name, value in vars(module_of(section)).items():
            if inspect.isclass(value) and not name.startswith("_"):
                known = entries.find(section, name) is not None
                assert known != (entries.why_not(name) is not None), name


def test_catalogue_excludes_unsafe_and_unsuitable_classes() -> None:
    assert [name for name in EXCLUDED if any(entries.find(section, name) for section in entries.sections())] == []
    assert [name for name in EXCLUDED if not entries.why_not(name)] == []


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("Embedding", "weights"),
        ("LSTM", "return_state"),
        ("Dense", "quantization_config"),
        ("EarlyStopping", "verbose"),
    ],
)
def test_catalogue_explains_excluded_arguments(name: str, argument: str) -> None:
    entry = entries.find("callback" if name == "EarlyStopping" else "layer", name)
    assert entry is not None
    assert argument not in entry.arguments
    assert entries.why_not_argument(name, argument)
    assert entries.why_not_argument("Dense", "units") is None


@pytest.mark.parametrize(
    ("section", "word", "own"),
    [
        ("optimizer", "adam", "Adam"),
        ("loss", "mse", "MeanSquaredError"),
        ("loss", "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"),
        ("metric", "mae", "MeanAbsoluteError"),
        ("initializer", "he_normal", "HeNormal"),
        ("regularizer", "l2", "L2"),
        ("layer", "MaxPool2D", "MaxPooling2D"),
    ],
)
def test_catalogue_finds_a_class_by_its_alias(section: str, word: str, own: str) -> None:
    found = entries.find(section, word)
    assert found is not None
    assert found.name == own


def test_catalogue_leaves_accuracy_to_keras() -> None:
    assert entries.find("metric", "accuracy") is None
    assert entries.aliases("metric")["accuracy"] is None


def test_catalogue_entry_describes_argument_values() -> None:
    kernel_size = argument_of("layer", "Conv2D", "kernel_size")
    assert kernel_size.kinds == ("int", "ints")
    assert kernel_size.lengths == (2,)
    assert kernel_size.minimum == 1
    assert kernel_size.required
    assert not kernel_size.has_default
    assert argument_of("layer", "Conv2D", "activation").nullable
    assert argument_of("layer", "Conv1D", "padding").choices == ("valid", "same", "causal")
    assert argument_of("optimizer", "Adam", "learning_rate").kinds == ("float", "schedule")


# Arguments that make the mixing of samples visible.
MIXING: dict[str, dict[str, Any]] = {"MelSpectrogram": {"top_db": 1.0}}
INTEGER_INPUTS = ("CategoryEncoding", "Embedding", "Hashing", "ReversibleEmbedding")


def is_mixed(name: str, seed: int, training: bool) -> bool:
    """Return whether the first sample's output depends on the other samples of its batch."""
    import keras
    import numpy as np

    entry = entries.find("layer", name)
    assert entry is not None
    draws = np.random.default_rng(seed)
    batches = draws.uniform(0, 3 if name in INTEGER_INPUTS else 1, (2, 4, *sample_shape(name))).astype("float32")
    batches[1] *= 0.3
    batches[1][0] = batches[0][0]
    given: dict[str, Any] = {
        key: value for key, value in (("seed", seed), ("value_range", (0, 1))) if key in entry.arguments
    }
    outputs = []
    for batch in np.floor(batches) if name in INTEGER_INPUTS else batches:
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([build("layer", name, **given, **MIXING.get(name, {}))])
        outputs.append(keras.ops.convert_to_numpy(model(batch, training=training))[0])
    return not np.allclose(outputs[0], outputs[1], atol=1e-6, equal_nan=True)


@pytest.mark.slow
def test_catalogue_marks_layers_that_mix_samples_of_a_batch() -> None:
    names = [name for name in LAYERS if not entries.trait("layer", name, "cell")]
    judged = {name: how for name in names if (how := entries.trait("layer", name, "mixes_batch"))}
    assert [name for name in names if name not in judged and is_mixed(name, seed=0, training=True)] == []
    # Some mix only in some of their random draws.
    assert [name for name in judged if not any(is_mixed(name, seed, training=True) for seed in range(20))] == []
    in_use = [name for name in judged if any(is_mixed(name, seed, training=False) for seed in range(3))]
    assert in_use == [name for name, how in judged.items() if how == "always"]


def test_catalogue_marks_losses_that_mix_samples_of_a_batch() -> None:
    import numpy as np

    draws = np.random.default_rng(0)
    outputs = draws.dirichlet(np.ones(3), (2, 4)).astype("float32")
    outputs[1][0] = outputs[0][0]
    mixing = []
    for name in entries.names("loss"):
        labels: Any = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
        if entries.trait("loss", name, "integer_labels"):
            labels = np.array([0, 1, 2, 0])
        if not entries.trait("loss", name, "for_sequences"):
            first = [np.ravel(build("loss", name, reduction="none")(labels, each))[0] for each in outputs]
            mixing += [name] if not np.allclose(*first) else []
    assert mixing == [name for name in entries.names("loss") if entries.trait("loss", name, "mixes_batch") == "always"]


def test_catalogue_knows_the_slots_of_optimizers() -> None:
    import keras

    for name in entries.names("optimizer"):
        optimizer = build("optimizer", name)
        optimizer.build([keras.Variable(keras.ops.zeros((64, 64)), name="kernel")])
        kept = sum(math.prod(variable.shape) for variable in optimizer.variables)
        assert kept // 64**2 == entries.trait("optimizer", name, "slots"), name


def test_catalogue_knows_the_ranges_of_activations() -> None:
    import keras
    import numpy as np

    line = np.linspace(-100, 100, 2001, dtype="float32")
    inputs = np.stack([line, np.roll(line, 777)], axis=-1)
    for word in entries.names("activation"):
        outputs = keras.ops.convert_to_numpy(keras.activations.get(word)(inputs))
        assert (outputs.shape[-1] == 1) == bool(entries.trait("activation", word, "halves")), word
        assert np.allclose(outputs.sum(-1), 1) == bool(entries.trait("activation", word, "sums_to_one")), word
        if not entries.trait("activation", word, "halves"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an axis of one number
                alone = np.ravel(keras.ops.convert_to_numpy(keras.activations.get(word)(line[:, None])))
            constant = round(float(alone[0])) if np.ptp(alone) < 1e-4 else None
            assert constant == entries.trait("activation", word, "alone"), word
        ends = [outputs.min(), outputs.max()]
        for end, wanted in zip(ends, entries.trait("activation", word, "range") or (), strict=False):
            assert abs(end) > 50 if wanted is None else abs(end - wanted) < 0.02, (word, end)


def test_catalogue_activations_are_flat_at_zero_as_in_keras() -> None:
    import keras
    import numpy as np
    import tensorflow as tf

    for word in entries.names("activation"):
        at_zero = tf.Variable(np.zeros((1, 4), "float32"))
        with tf.GradientTape() as tape:
            outputs = keras.activations.get(word)(at_zero)
            first = outputs[:, :1]
        gradient = tape.gradient(first, at_zero)
        flat = not np.any(outputs) and not np.any(gradient)
        assert flat == bool(entries.trait("activation", word, "flat_at_zero")), word


def test_catalogue_generator_fails_on_a_class_without_traits(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = script("make_catalogue")
    with pytest.raises(SystemExit, match="nobody has judged the layer Conv4D"):
        made.traits("layer", "Conv4D")
    monkeypatch.setitem(made.TRAITS["layer"], "Conv4D", {"recurent": True})
    with pytest.raises(SystemExit, match="Conv4D has the trait recurent"):
        made.traits("layer", "Conv4D")
    assert made.traits("callback", "EarlyStopping") == {}
    assert made.traits("layer", "Conv2D") == {}
