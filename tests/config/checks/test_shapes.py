"""Compare the shape rules with Keras on many random arguments and input shapes."""

from __future__ import annotations

import math
import re
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers import failures

from dltrain.arguments import Argument
from dltrain.config.catalogue import entries
from dltrain.config.checks.shapes import RULES, Inferred, ShapeError, infer
from dltrain.config.checks.shapes import images as shapes_images
from dltrain.engine.model.construct import KERAS_ERRORS, Refused, construct

WITH_RULE = sorted(RULES)
# Arguments that change neither shapes nor weights; drawing them would waste examples.
IDLE = re.compile(
    r".*_(initializer|regularizer|constraint)|name|dtype|seed|.*activation|momentum|epsilon|.*_factor|factor"
    r"|.*_value|value_range|(min|max)_freq|sampling_rate|interpolation|fill_mode|use_cudnn|lora_alpha|unroll"
)

CONVOLUTION = {"filters": 8, "kernel_size": 3}


def stricter(name: str, given: dict[str, Any], shape: tuple[int, ...]) -> bool:
    """Return whether the rule deliberately rejects what Keras runs."""
    if name.endswith("Cell"):
        return True  # runs alone only if the input happens to match the state sizes
    if name in shapes_images.RULES:
        return len(shape) == 2  # Keras treats the whole batch as one image
    if given.get("output_mode", "multi_hot") in ("multi_hot", "count") and name in ("CategoryEncoding", "Hashing"):
        return len(shape) > 1  # counts along the first axis, and Keras foresees the last one
    if name == "SpectralNormalization" and "lora_rank" in str(given):
        return True  # runs, but cannot be trained
    if given.get("sparse"):
        return True  # the next layer takes no sparse tensor of that rank
    if name == "TimeDistributed" and "RepeatVector" in given["layer"]:
        return True  # bypasses the check of the inner layer and repeats whole steps
    axes = given.get("axis")
    mixing = {0, -len(shape) - 1}  # the batch axis
    return bool(mixing & set(axes if isinstance(axes, list) else [axes]))


def numbers(argument: Argument, most: int = 6) -> st.SearchStrategy[int]:
    low = int(argument.minimum) if argument.minimum is not None else -3
    return st.integers(low, most if argument.maximum is None else int(min(most, argument.maximum)))


def value(layer: str, key: str, argument: Argument) -> st.SearchStrategy[Any]:
    """Draw values that the catalogue accepts; sizes are small."""
    if argument.kinds == ("layer",):
        inner = st.sampled_from(INNER[layer, key])
        return inner | st.none() if argument.nullable else inner
    if key == "target_shape":
        return st.lists(st.sampled_from([-1, 1, 2, 3, 4, 6, 12]), min_size=1, max_size=3)
    if key == "equation":
        return equations()
    if key == "bias_axes":
        return st.sampled_from([None, "b", "y", "xy", "", "é"])
    if layer == "EinsumDense" and key == "output_shape":
        return st.sampled_from([2, 3, [2], [3], [2, 3], [3, 3], [4, 2]])
    if key == "dims":
        return st.integers(1, 3).flatmap(lambda n: st.permutations(range(1, n + 1))) | st.just([1, 3])
    kinds: list[st.SearchStrategy[Any]] = []
    lengths = argument.lengths or (1, 2)
    for kind in argument.kinds:
        if kind == "bool":
            kinds.append(st.booleans())
        elif kind == "int":
            kinds.append(numbers(argument))
        elif kind == "float":
            kinds.append(st.sampled_from([0.1, 0.25]))
        elif kind == "floats":
            few = st.sampled_from(argument.lengths or (1, 2, 3))
            kinds.append(few.map(lambda n: [0.1, 0.2, 0.3][:n]))
        elif kind == "activation":
            kinds.append(st.sampled_from(entries.names("activation")))
        elif kind == "words":
            kinds.append(st.sampled_from(argument.choices))
        elif kind == "ints":
            kinds.extend(st.lists(numbers(argument, 4), min_size=n, max_size=n) for n in lengths)
        elif kind == "ints_nested":
            pair = st.lists(numbers(argument, 3), min_size=2, max_size=2)
            kinds.append(st.lists(pair, min_size=lengths[0], max_size=lengths[0]))
    return st.one_of(*kinds, *([st.none()] if argument.nullable else []))


def equations() -> st.SearchStrategy[str]:
    """Draw equations of EinsumDense, most of them well-formed for samples of one axis to three."""
    known = ["ab,bc->ac", "ab,b->ab", "abc,cd->abd", "abc,bc->ab", "abx,xy->aby", "ab,xy->axy", "abcd,bd->acd"]
    wrong = [
        "ab,bc->ca",
        "ab, bc->ac",
        "ab->a",
        "abb,bc->ac",
        "ab,ac->bc",
        "ab,cd->ad",
        "ab,bc->a...",
        "",
        "ab,bc->acé",
    ]
    elided = ["...x,xy->...y", "...bx,xy->...by", "ab...,bx->ax...", "abc...,cx->axb...", "a...,ab->a..."]
    return st.sampled_from(known * 3 + elided * 3 + wrong)


def arguments(layer: str) -> st.SearchStrategy[dict[str, Any]]:
    entry = entries.find("layer", layer)
    assert entry is not None
    required = {k: value(layer, k, a) for k, a in entry.arguments.items() if a.required}
    optional = {k: value(layer, k, a) for k, a in entry.arguments.items() if not a.required and not IDLE.fullmatch(k)}
    return st.fixed_dictionaries(required, optional=optional)


CELLS = [
    {"LSTMCell": {"units": 3}},
    {"GRUCell": {"units": 2, "reset_after": False}},
    {"SimpleRNNCell": {"units": 4, "trainable": False}},
]
RECURRENT = [
    {"LSTM": {"units": 3}},
    {"GRU": {"units": 2, "return_sequences": True}},
    {"SimpleRNN": {"units": 3, "use_bias": False}},
    {"LSTM": {"units": 3, "return_sequences": True, "trainable": False}},
    {"RNN": {"cell": {"GRUCell": {"units": 3}}}},
    {"ConvLSTM1D": {"filters": 2, "kernel_size": 2}},
    {"LSTM": {"units": 2, "go_backwards": True}},
    {"Dense": {"units": 3}},
    {"Bidirectional": {"layer": {"LSTM": {"units": 3}}}},
]
BACKWARD = [
    {"LSTM": {"units": 3, "go_backwards": True}},
    {"GRU": {"units": 2, "return_sequences": True, "go_backwards": True}},
    {"GRU": {"units": 3, "go_backwards": True}},
    {"LSTM": {"units": 3}},
    "Flatten",
]
ANY = [
    {"Dense": {"units": 3}},
    {"Conv2D": {"filters": 2, "kernel_size": 2}},
    "Flatten",
    {"LSTM": {"units": 2}},
    {"Conv1D": {"filters": 2, "kernel_size": 3}},
    {"Reshape": {"target_shape": [-1]}},
    "BatchNormalization",
    {"RepeatVector": {"n": 2}},
    {"TimeDistributed": {"layer": {"Dense": {"units": 2, "trainable": False}}}},
    {"Bidirectional": {"layer": {"GRU": {"units": 2}}}},
    {"Activation": {"activation": "glu"}},
]
KERNELS = [
    {"Dense": {"units": 3}},
    {"Dense": {"units": 3, "lora_rank": 2}},
    {"Dense": {"units": 3, "trainable": False}},
    {"EinsumDense": {"equation": "...ab,bc->...ac", "output_shape": [4, 2]}},
    {"Conv1D": {"filters": 2, "kernel_size": 2}},
    {"Conv2D": {"filters": 2, "kernel_size": 2}},
    {"Conv1DTranspose": {"filters": 4, "kernel_size": 2}},
    {"Conv2DTranspose": {"filters": 4, "kernel_size": 2, "data_format": "channels_first"}},
    {"DepthwiseConv1D": {"kernel_size": 2, "depth_multiplier": 3}},
    {"SeparableConv1D": {"filters": 2, "kernel_size": 2}},
    {"Embedding": {"input_dim": 5, "output_dim": 2}},
    {"ReversibleEmbedding": {"input_dim": 5, "output_dim": 2}},
    {"SpectralNormalization": {"layer": {"Dense": {"units": 3}}}},
    {"LSTM": {"units": 3}},
    "BatchNormalization",
]
INNER: dict[tuple[str, str], list[Any]] = {
    ("RNN", "cell"): CELLS,
    ("Bidirectional", "layer"): RECURRENT,
    ("Bidirectional", "backward_layer"): BACKWARD,
    ("TimeDistributed", "layer"): ANY,
    ("SpectralNormalization", "layer"): KERNELS,
}


def shapes(layer: str) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw mostly shapes of the rank in the layer's name, otherwise of any rank."""
    digit = re.search(r"([123])D", layer)
    rank = int(digit[1]) + 1 + layer.startswith("ConvLSTM") if digit else 0
    sizes = st.integers(1, 9)
    anything = st.integers(1, 4).flatmap(lambda n: st.tuples(*[sizes] * n))
    fitting = st.tuples(*[sizes] * rank) if rank else anything
    return st.one_of(fitting, fitting, fitting, anything)


REJECTIONS: tuple[type[Exception], ...] = (Refused, *KERAS_ERRORS)


def by_keras(name: str, given: dict[str, Any], shape: tuple[int, ...]) -> Inferred | None:
    """Return what Keras infers, built and run on two samples; None if it rejects either."""
    try:
        layer = construct("layer", name, given)
        planned = layer(keras.Input(shape))
        output = run_layer(layer, np.zeros((2, *shape), "float32"))
    except REJECTIONS:
        return None
    if not hasattr(output, "shape"):
        return None  # several outputs, which a Sequential model does not accept
    if tuple(output.shape[1:]) != tuple(planned.shape[1:]):
        return None  # Keras infers one shape and returns another: no reliable reference
    return inferred_from(layer, output)


def run_layer(layer: Any, samples: np.ndarray) -> Any:
    """Run a layer, with XLA if TensorFlow has no kernel for it.

    The available kernels depend on the CPU: some CPUs lack those for channels first, for dilated transposed
    convolutions and for depthwise convolutions with unequal strides. XLA compiles its own, so the result is the same
    everywhere.
    """
    try:
        return layer(samples)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return tf.function(layer, jit_compile=True)(samples)


def inferred_from(layer: Any, output: Any) -> Inferred:
    if type(layer).__name__ == "Normalization":  # with `mean` and `variance`, which the build gives it
        return Inferred(tuple(output.shape[1:]), 0, 0)
    trainable = sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    return Inferred(tuple(output.shape[1:]), layer.count_params(), trainable)


def compare(name: str, given: dict[str, Any], shape: tuple[int, ...]) -> None:
    try:
        mine = infer(name, given, shape)
    except ShapeError as error:
        if name.startswith("AdaptiveMaxPooling"):  # running it would crash the process
            return
        truth = by_keras(name, given, shape)
        if not (error.message and error.fix):
            raise AssertionError("an error without message or fix") from error
        if not (truth is None or min(truth.shape, default=1) < 1 or stricter(name, given, shape)):
            raise AssertionError(f"{error.message}, but Keras makes {truth}") from error
        return
    if mine is not None:
        truth = by_keras(name, given, shape)
        assert truth is not None, mine
        assert (mine.shape, mine.parameters, mine.trainable) == (truth.shape, truth.parameters, truth.trainable)


def check_many(name: str, examples: int) -> None:
    check = settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )(given(arguments(name), shapes(name))(lambda given_arguments, shape: compare(name, given_arguments, shape)))
    check()


def by_rule() -> dict[Any, list[str]]:
    """Group the layers by rule; the 1D, 2D and 3D variants of a layer share one."""
    found: dict[Any, list[str]] = {}
    for name in WITH_RULE:
        found.setdefault(getattr(RULES[name], "func", RULES[name]), []).append(name)
    return found


@pytest.mark.parametrize("names", by_rule().values(), ids=lambda names: names[0])
def test_shapes_match_keras(names: list[str]) -> None:
    """Each rule gets about the same number of examples, and each of its layers at least 8."""
    assert failures(names, lambda name: check_many(name, max(8, 30 // len(names)))) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_RULE)
def test_shapes_match_keras_on_many_examples(name: str) -> None:
    check_many(name, 300)


def test_shapes_have_a_rule_for_every_layer() -> None:
    assert set(entries.names("layer")) == set(WITH_RULE)


CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"


def einsum(equation: str, output_shape: Any = 8, **given: Any) -> dict[str, Any]:
    return {"equation": equation, "output_shape": output_shape, **given}


@pytest.mark.parametrize(
    ("name", "given_arguments", "shape", "message", "hint"),
    [
        ("EinsumDense", einsum("ab->c"), (6,), "is not `samples,kernel->output`", '`equation: "ax,xy->ay"`'),
        ("EinsumDense", einsum("ab, bc->ac"), (6,), "is not `samples,kernel", 'write `equation: "ab,bc->ac"`'),
        ("EinsumDense", einsum("abc,cd->abd"), (6,), "3 letters for samples of shape (6,)", "`output_shape: 8`"),
        ("EinsumDense", einsum("ab,bc->ca"), (6,), "begin with the batch, `a`", "`a` is the batch"),
        ("EinsumDense", einsum("ab,bcd->ac"), (6,), "an axis `d` that neither", "`a` is the batch"),
        ("EinsumDense", einsum("abc,cd->abd"), (5, 6), "gives the output 2 axes", "write `output_shape: [5, 8]`"),
        ("EinsumDense", einsum("abc,cd->abd", [4, 8]), (5, 6), "4 for the axis `b`", "write `output_shape: [5, 8]`"),
        ("EinsumDense", einsum("ab,bc->ac", bias_axes="b"), (6,), "has `b` in its `bias_axes`", "`bias_axes: c`"),
        ("STFTSpectrogram", {"frame_length": 9}, (5, 1), "does not fit into (5,)", "smaller `frame_length`"),
        (
            "STFTSpectrogram",
            {"frame_length": 4, "fft_length": 3},
            (9, 1),
            "below its `frame_length`",
            "`fft_length: 4`",
        ),
        ("MelSpectrogram", {"fft_length": 3, "sequence_stride": 512}, (1024,), "foresees 3", "`sequence_stride: 513`"),
        ("MelSpectrogram", {"fft_length": 64}, (30,), "too short", "write `fft_length: 59`"),
        ("MelSpectrogram", {"fft_length": 8, "dtype": "float64"}, (30,), "in `float64`", "remove `dtype`"),
        ("AugMix", {}, (6, 6, 4), "takes 1 or 3 channels", "remove the layer"),
        (CLAHE, {"tile_grid_size": [8, 2]}, (3, 6, 1), "too many for (3, 6)", "`tile_grid_size: [3, 2]`"),
        ("CategoryEncoding", {"num_tokens": 3}, (5, 4), "needs (numbers,)", "`- Flatten`"),
        ("Hashing", {"num_bins": 3, "output_mode": "one_hot"}, (5,), "takes one number", "write `output_mode: int`"),
        ("Hashing", {"num_bins": 3, "dtype": "float32"}, (5,), "outputs integers", "remove `dtype`"),
        ("LSTM", {"units": 8}, (10,), "needs (steps, features)", "`- Reshape: {target_shape: [10, 1]}`"),
        ("GRU", {"units": 8}, (28, 28, 1), "(28, 28, 1)", "`- Reshape: {target_shape: [28, 28]}`"),
        ("LSTM", {"units": 8}, (26, 26, 32), "(steps, features)", "`- Reshape: {target_shape: [26, 832]}`"),
        ("Conv2D", CONVOLUTION, (28, 28), "channels", "`- Reshape: {target_shape: [28, 28, 1]}`"),
        ("Conv2D", CONVOLUTION, (784,), "(784,)", "`- Reshape: {target_shape: [28, 28, 1]}`"),
        ("Conv2D", CONVOLUTION, (3072,), "(3072,)", "`- Reshape: {target_shape: [32, 32, 3]}`"),
        ("Conv2D", CONVOLUTION, (10,), "(10,)", "(height, width, channels)"),
        ("Conv1D", CONVOLUTION, (100,), "(steps, channels)", "`- Reshape: {target_shape: [100, 1]}`"),
        ("Conv1D", CONVOLUTION, (28, 28, 1), "(28, 28, 1)", "`- Reshape: {target_shape: [28, 28]}`"),
        ("Conv2D", CONVOLUTION, (5, 8, 8, 1), "(5, 8, 8, 1)", "`TimeDistributed: {layer: {Conv2D"),
        ("MaxPooling2D", {"pool_size": 4}, (3, 3, 8), "`pool_size` of 4", "smaller `pool_size`"),
        ("Conv2D", {"filters": 8, "kernel_size": 5}, (3, 9, 1), "`kernel_size` of 5", "`padding: same`"),
        ("Reshape", {"target_shape": [28, 27]}, (28, 28, 1), "784 numbers, not 756", "[28, -1]"),
        ("Permute", {"dims": [1, 2]}, (4, 4, 1), "do not permute the 3 axes", "from 1 to 3"),
        ("RepeatVector", {"n": 3}, (4, 4), "(features,)", "`- Flatten`"),
        ("LSTMCell", {"units": 8}, (4, 4), "one step", "write `LSTM`"),
        ("RNN", {"cell": {"Dense": {"units": 8}}}, (4, 4), "`Dense` is not one", "LSTMCell"),
        ("BatchNormalization", {"axis": 3}, (4, 4), "no axis 3", "-1 is the last"),
        ("Cropping2D", {"cropping": 4}, (8, 8, 1), "more than there is", "smaller `cropping`"),
        ("Bidirectional", {"layer": {"LSTM": {"units": 3}}, "merge_mode": None}, (4, 4), "two outputs", "merge_mode"),
        ("Bidirectional", {"layer": {"Dense": {"units": 3}}}, (4, 4), "`Dense` is not one", "LSTM"),
        (
            "TimeDistributed",
            {"layer": {"Conv2D": {"filters": 2, "kernel_size": 3}}},
            (5, 28, 28),
            "runs `Conv2D` on each step, which gets samples of shape (28, 28)",
            "insert before it: `- Reshape: {target_shape: [5, 28, 28, 1]}`",
        ),
        (
            "TimeDistributed",
            {"layer": {"RepeatVector": {"n": 3}}},
            (5, 4, 4),
            "needs (features,)",
            "insert before it: `- TimeDistributed: {layer: Flatten}`",
        ),
        ("AveragePooling2D", {"pool_size": 2}, (5, 8, 8, 1), "(height, width", "{layer: {AveragePooling2D: …}}"),
        ("RandomFlip", {}, (5, 8, 8, 1), "(height, width, channels)", "{layer: {RandomFlip: …}}"),
        (
            "Conv2D",
            {"filters": 2, "kernel_size": 3, "data_format": "channels_first"},
            (28, 28),
            "needs (channels, height, width)",
            "`- Reshape: {target_shape: [1, 28, 28]}`",
        ),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2}, (8, 8, 1), "gets 1 channel", "`groups: 1`"),
        (
            "Bidirectional",
            {"layer": {"LSTM": {"units": 3}}, "backward_layer": {"LSTM": {"units": 3}}},
            (4, 4),
            "one that goes backwards",
            "`go_backwards: true`",
        ),
        ("SpectralNormalization", {"layer": {"LSTM": {"units": 3}}}, (4, 4), "`LSTM` has none", "wrap `Dense`"),
        ("RandomHue", {"factor": 0.1}, (28, 28, 1), "3 channels, but gets 1", "remove the layer"),
        ("RandomGaussianBlur", {"kernel_size": 4}, (28, 28, 1), "odd", "write 3 or 5"),
        ("Rescaling", {"scale": [0.1, 0.2]}, (28, 28, 3), "2 numbers in `scale`", "give one number, or 3"),
        ("Normalization", {"mean": [0.1], "variance": 1.0}, (28, 28, 3), "as many numbers", "one length"),
    ],
)
def test_shapes_error_states_actual_and_expected_input(
    name: str, given_arguments: dict[str, Any], shape: tuple[int, ...], message: str, hint: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        infer(name, given_arguments, shape)
    assert message in caught.value.message
    assert hint in str(caught.value.fix)


@pytest.mark.parametrize(
    ("name", "given_arguments"),
    [
        ("Activation", {"activation": "glu"}),
        ("Dense", {"units": 4, "activation": "glu"}),
        ("RNN", {"cell": {"LSTMCell": {"units": 4, "recurrent_activation": "glu"}}}),
        ("TimeDistributed", {"layer": {"Dense": {"units": 4, "activation": "glu"}}}),
    ],
)
def test_shapes_are_unknown_if_an_activation_halves_the_last_axis(name: str, given_arguments: dict[str, Any]) -> None:
    assert infer(name, given_arguments, (4, 6)) is None


def test_shapes_of_scalars_are_unknown() -> None:
    assert [name for name in WITH_RULE if infer(name, {}, ()) is not None] == []


@pytest.mark.parametrize("wrapper", [{"layer": "LSTM"}, {"layer": {"GRU": {"use_bias": False}}}, {"cell": "LSTMCell"}])
def test_shapes_are_unknown_without_required_arguments(wrapper: dict[str, Any]) -> None:
    assert infer("RNN" if "cell" in wrapper else "Bidirectional", wrapper, (4, 4)) is None


@pytest.mark.parametrize(
    ("name", "given_arguments", "shape", "macs"),
    [
        ("Dense", {"units": 10}, (64,), 640),
        ("Conv2D", {"filters": 32, "kernel_size": 3}, (28, 28, 1), 26 * 26 * 9 * 32),
        ("DepthwiseConv2D", {"kernel_size": 3}, (10, 10, 4), 8 * 8 * 9 * 4),
        ("LSTM", {"units": 64}, (28, 28), 28 * 4 * 64 * (28 + 64)),
        ("TimeDistributed", {"layer": {"Dense": {"units": 2}}}, (5, 3), 30),
        ("MaxPooling2D", {}, (10, 10, 4), 0),
    ],
)
def test_shapes_count_macs(name: str, given_arguments: dict[str, Any], shape: tuple[int, ...], macs: int) -> None:
    found = infer(name, given_arguments, shape)
    assert found is not None
    assert found.macs == macs
