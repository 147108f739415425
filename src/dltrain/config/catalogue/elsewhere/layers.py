"""Layers of PyTorch, torchvision, Keras 1 and 2, TensorFlow 1, Ludwig; activations, initializers, regularizers."""

from __future__ import annotations

from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.elsewhere.words import Arguments, Around, Carry, Table, Word, made, number, plain

_STACK = "write its layers here, one after the other"
_INPUTS = "it takes several inputs: a Sequential model has one"
_NONE = "Keras has no such layer"
_PADS = "Keras pads with zeros alone: `ZeroPadding{}D`, or `padding: same`"
_PRETRAINED = "pretrained models are not offered: write the layers of a small model of your own"
# How the names of models begin that other libraries bring with their weights.
_MODELS = (
    *("alexnet", "bert", "convnext", "deeplab", "densenet", "distilbert", "efficientnet", "fasterrcnn", "googlenet"),
    *("gpt", "inception", "lenet5", "llama", "maskrcnn", "maxvit", "mnasnet", "mobilenet", "nasnet", "regnet"),
    *("resnet", "resnext", "roberta", "shufflenet", "squeezenet", "swint", "swinv2", "t5", "unet", "vgg", "vitb"),
    *("vitl", "vith", "wideresnet", "xception", "xlnet", "yolo"),
)


def model_of(word: str) -> str | None:
    """Return what to do instead of naming a whole model, such as VGG16; None for other names."""
    return _PRETRAINED if word.startswith(_MODELS) else None


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def padding(value: Any, given: Arguments) -> dict[str, Any] | str | None:
    """Return PyTorch's `padding` in numbers as Keras's: `same` where it keeps the size at a stride of 1."""
    if isinstance(value, str):
        return {"padding": value.lower()} if value.lower() in ("same", "valid", "causal") else None
    sizes = [number(item) for item in _values(value)]
    if any(size is None for size in sizes):
        return None
    if not any(sizes):
        return {"padding": "valid"}
    kernel = given.get("kernel_size", given.get("pool_size"))
    reach = [number(item) for item in _values(kernel)]
    if kernel is None or any(size is None for size in reach):
        return {"padding": "same"}
    spread = number(given.get("dilation", given.get("dilation_rate"))) or 1
    wanted = [(size or 0) * 2 for size in sizes] * (len(reach) if len(sizes) == 1 else 1)
    exact = [((size or 1) - 1) * spread for size in reach] * (len(sizes) if len(reach) == 1 else 1)
    # An even kernel loses one position in PyTorch.
    if all(0 <= needed - have <= 1 for have, needed in zip(wanted, exact, strict=False)):
        return {"padding": "same"}
    return f"`padding: {value}` is `- ZeroPadding2D: {{padding: {value}}}` before it"


def _both(value: Any, given: Arguments) -> dict[str, Any] | None:
    """Return `affine` as the two arguments that Keras has for it."""
    return {"center": value, "scale": value} if isinstance(value, bool) else None


def _momentum(value: Any, given: Arguments) -> dict[str, Any] | None:
    """Return the share of the old average: PyTorch counts the new one's."""
    share = number(value)
    return {"momentum": plain(1 - share)} if share is not None and 0 <= share <= 1 else None


def _ignored_index(value: Any, given: Arguments) -> dict[str, Any]:
    return {"mask_zero": True} if value == 0 else {}


def _turns(value: Any, given: Arguments) -> dict[str, Any] | None:
    """Return degrees as shares of a whole turn."""
    degrees = [number(item) for item in _values(value)]
    if any(item is None for item in degrees):
        return None
    shares = [plain((item or 0) / 360) for item in degrees]
    return {"factor": shares if isinstance(value, list) else shares[0]}


def _height_and_width(value: Any, given: Arguments) -> dict[str, Any] | None:
    sizes = _values(value) * 2
    return {"height": sizes[0], "width": sizes[1]} if number(sizes[0]) is not None else None


def _variance(value: Any, given: Arguments) -> dict[str, Any] | None:
    deviations = [number(item) for item in _values(value)]
    if any(item is None for item in deviations):
        return None
    squares = [plain((item or 0) ** 2) for item in deviations]
    return {"variance": squares if len(squares) > 1 else squares[0]}


def _mean(value: Any, given: Arguments) -> dict[str, Any]:
    return {"mean": value[0] if isinstance(value, list) and len(value) == 1 else value}


def _kernel(*keys: str) -> Carry:
    """Return how the sides of a kernel that are written one by one become one list."""

    def carry(value: Any, given: Arguments) -> dict[str, Any] | None:
        sides = [given.get(key, value) for key in keys]
        return {"kernel_size": sides} if all(number(side) is not None for side in sides) else None

    return carry


def _recurrent(kind: str) -> Any:
    """Return the translation of PyTorch's recurrent layers, which may hold several, in both directions."""

    def make(given: Arguments, around: Around) -> list[Any] | str:
        same = {"activation": "nonlinearity"}
        arguments: dict[str, Any] = {"units": next((given[key] for key in _HIDDEN if key in given), None)}
        if arguments["units"] is None:
            arguments = {}
        arguments |= {ours: given[theirs] for ours, theirs in same.items() if theirs in given}
        if given.get("bias") is False:
            arguments["use_bias"] = False
        entry = entries.find("layer", kind)
        own = entry.arguments if entry is not None else {}
        arguments |= {key: value for key, value in given.items() if key in own}
        return stacked(kind, arguments, given.get("num_layers"), given.get("bidirectional") is True)

    return make


_HIDDEN = ("hidden_size", "units", "num_units", "state_size", "output_size", "output_dim")


def stacked(kind: str, arguments: Arguments, count: object, both_ways: bool) -> list[Any]:
    """Return a recurrent layer `count` times, all but the last with an output for every step."""
    whole = count if isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= 8 else 1
    layers: list[Any] = []
    for place in range(whole):
        one = {**arguments, **({"return_sequences": True} if place < whole - 1 else {})}
        layer: Any = {kind: one} if one else kind
        layers.append({"Bidirectional": {"layer": layer}} if both_ways else layer)
    return layers


def _time_distributed_dense(given: Arguments, around: Around) -> list[Any] | str:
    inner = {"units": next((given[key] for key in ("output_dim", "units") if key in given), 64)}
    if isinstance(activation := given.get("activation"), str):
        inner["activation"] = activation
    return [{"TimeDistributed": {"layer": {"Dense": inner}}}]


def _random_crop(given: Arguments, around: Around) -> list[Any] | str:
    """Return what moves images about as a crop of padded images does: Keras's `RandomCrop` changes their size."""
    size, border = (_values(given.get(key))[0] for key in ("size", "padding"))
    share = plain(border / size) if number(size) and number(border) and border < size else 0.1
    return [{"RandomTranslation": {"height_factor": share, "width_factor": share}}]


def _image_data_generator(given: Arguments, around: Around) -> list[Any] | str:
    """Return the layers of Keras 2's augmentation of images: the numbers of shifts and zooms are shares there too."""
    layers: list[Any] = []
    if (scale := number(given.get("rescale"))) is not None:
        layers.append({"Rescaling": {"scale": scale}})
    flips = [key for key in ("horizontal", "vertical") if given.get(f"{key}_flip") is True]
    if flips:
        layers.append({"RandomFlip": {"mode": "_and_".join(flips)}})
    if degrees := number(given.get("rotation_range")):
        layers.append({"RandomRotation": {"factor": plain(degrees / 360)}})
    shifts = [number(given.get(f"{key}_shift_range")) or 0 for key in ("height", "width")]
    if any(shifts) and all(shift < 1 for shift in shifts):
        layers.append({"RandomTranslation": {"height_factor": shifts[0], "width_factor": shifts[1]}})
    if zoom := number(given.get("zoom_range")):
        layers.append({"RandomZoom": {"height_factor": zoom}})
    if degrees := number(given.get("shear_range")):
        layers.append({"RandomShear": {"x_factor": plain(min(1.0, degrees / 57.3))}})
    if given.get("brightness_range"):
        layers.append({"RandomBrightness": {"factor": 0.2, "value_range": [0, 1]}})
    return layers or [
        {"RandomFlip": {"mode": "horizontal"}},
        {"RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}},
    ]


def _adaptive(kind: str, rank: int) -> Any:
    def make(given: Arguments, around: Around) -> list[Any] | str:
        size = given.get("output_size", 1)
        if set(_values(size)) == {1}:
            return [f"Global{kind}Pooling{rank}D"]
        return [{f"Adaptive{kind}Pooling{rank}D": {"output_size": size}}]

    return make


def _zero_pad(rank: int) -> Any:
    def make(given: Arguments, around: Around) -> list[Any] | str:
        size = given.get("padding", 1)
        if isinstance(size, list) and len(size) == 2 * rank:  # the last axis first
            size = [size[2 * axis : 2 * axis + 2] for axis in reversed(range(rank))]
            size = size[0] if rank == 1 else size
        return [{f"ZeroPadding{rank}D": {"padding": size}}]

    return make


def _upsample(given: Arguments, around: Around) -> list[Any] | str:
    mode = given.get("mode")
    arguments = {"size": given.get("scale_factor", 2)}
    return [{"UpSampling2D": {**arguments, **({"interpolation": mode} if isinstance(mode, str) else {})}}]


def _jitter(given: Arguments, around: Around) -> list[Any] | str:
    keys = {"brightness": "brightness_factor", "contrast": "contrast_factor", "saturation": "saturation_factor"}
    keys["hue"] = "hue_factor"
    factors = {ours: given[theirs] for theirs, ours in keys.items() if number(given.get(theirs)) is not None}
    return [{"RandomColorJitter": {"value_range": [0, 1], **factors}}]


def _affine(given: Arguments, around: Around) -> list[Any] | str:
    layers: list[Any] = []
    if degrees := number(given.get("degrees")):
        layers.append({"RandomRotation": {"factor": plain(degrees / 360)}})
    shift = given.get("translate")
    if isinstance(shift, list) and len(shift) == 2:
        layers.append({"RandomTranslation": {"height_factor": shift[1], "width_factor": shift[0]}})
    scale = given.get("scale")
    if isinstance(scale, list) and len(scale) == 2 and all(number(item) for item in scale):
        layers.append({"RandomZoom": {"height_factor": [plain(1 - scale[1]), plain(1 - scale[0])]}})
    return layers or [{"RandomRotation": {"factor": 0.1}}]


def _threshold(given: Arguments, around: Around) -> list[Any] | str:
    """Return PyTorch's `Threshold` where it gives 0 below a threshold that is not negative, as `ReLU` does."""
    below, level = number(given.get("value")), number(given.get("threshold"))
    if below != 0 or level is None or level < 0:
        return "Keras has none: `ReLU: {threshold: …}` gives 0 below its threshold"
    return [{"ReLU": {"threshold": level}} if level else "ReLU"]


def _activation(name: str, *takes: str) -> Word:
    return made(lambda given, around: [{"Activation": {"activation": name}}], *takes)


_CONVOLUTION: dict[str, Carry] = {
    **{"in_channels": None, "out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides"},
    **{"padding": padding, "dilation": "dilation_rate", "groups": "groups", "bias": "use_bias", "padding_mode": None},
}
_LAZY_CONVOLUTION = {key: carry for key, carry in _CONVOLUTION.items() if key != "in_channels"}
_TRANSPOSED: dict[str, Carry] = {
    **{"in_channels": None, "out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides"},
    **{"padding": lambda value, given: {"padding": "same" if any(_values(value)) else "valid"}},
    **{"output_padding": None, "groups": None, "bias": "use_bias", "dilation": "dilation_rate"},
}
_POOLING: dict[str, Carry] = {
    **{"kernel_size": "pool_size", "stride": "strides", "padding": padding, "dilation": None},
    **{"return_indices": None, "ceil_mode": None, "count_include_pad": None, "divisor_override": None},
}
_BATCH_NORM: dict[str, Carry] = {
    **{"num_features": None, "eps": "epsilon", "momentum": _momentum, "affine": _both, "track_running_stats": None}
}
_LINEAR: dict[str, Carry] = {"in_features": None, "out_features": "units", "bias": "use_bias"}
_DROPOUT: dict[str, Carry] = {"p": "rate", "inplace": None}
# Those of Keras 1; the rest of its arguments are in `arguments`.
_OLD_1D: dict[str, Carry] = {"nb_filter": "filters", "filter_length": "kernel_size"}
_SIDES = _kernel("nb_row", "nb_col")
_OLD_2D: dict[str, Carry] = {"nb_filter": "filters", "nb_row": _SIDES, "nb_col": _SIDES}
_DIMS = _kernel("kernel_dim1", "kernel_dim2", "kernel_dim3")
_OLD_3D: dict[str, Carry] = {"nb_filter": "filters", "kernel_dim1": _DIMS, "kernel_dim2": _DIMS, "kernel_dim3": _DIMS}
_CONTRIB: dict[str, Carry] = {
    "inputs": None,
    "num_outputs": "filters",
    "kernel_size": "kernel_size",
    "stride": "strides",
}
_CELL: dict[str, Carry] = {"input_size": None, "hidden_size": "units", "bias": "use_bias"}
_RECURRENT = ("-input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")

LAYERS: Table = {
    # PyTorch: linear
    "linear": Word("Dense", _LINEAR),
    "lazylinear": Word("Dense", {"out_features": "units", "bias": "use_bias"}),
    "bilinear": _INPUTS,
    # PyTorch: convolutions
    **{f"conv{rank}d": Word(f"Conv{rank}D", _CONVOLUTION) for rank in (1, 2, 3)},
    **{f"lazyconv{rank}d": Word(f"Conv{rank}D", _LAZY_CONVOLUTION) for rank in (1, 2, 3)},
    **{f"convtranspose{rank}d": Word(f"Conv{rank}DTranspose", _TRANSPOSED) for rank in (1, 2, 3)},
    "unfold": _NONE,
    "fold": _NONE,
    # PyTorch: pooling
    **{f"maxpool{rank}d": Word(f"MaxPooling{rank}D", _POOLING) for rank in (1, 2, 3)},
    **{f"avgpool{rank}d": Word(f"AveragePooling{rank}D", _POOLING) for rank in (1, 2, 3)},
    **{f"adaptivemaxpool{rank}d": made(_adaptive("Max", rank), "output_size") for rank in (1, 2, 3)},
    **{f"adaptiveavgpool{rank}d": made(_adaptive("Average", rank), "output_size") for rank in (1, 2, 3)},
    **{f"maxunpool{rank}d": f"Keras has none: `UpSampling{rank}D` enlarges" for rank in (1, 2, 3)},
    **{f"lppool{rank}d": f"Keras has none: write `AveragePooling{rank}D`" for rank in (1, 2, 3)},
    **{f"fractionalmaxpool{rank}d": f"Keras has none: write `MaxPooling{rank}D`" for rank in (2, 3)},
    # PyTorch: padding
    **{f"zeropad{rank}d": made(_zero_pad(rank), "padding") for rank in (1, 2, 3)},
    **{
        f"{kind}pad{rank}d": _PADS.format(rank)
        for kind in ("reflection", "replication", "constant", "circular")
        for rank in (1, 2, 3)
    },
    # PyTorch: activations
    "hardshrink": _activation("hard_shrink"),
    "hardsigmoid": _activation("hard_sigmoid"),
    "hardtanh": _activation("hard_tanh"),
    "hardswish": _activation("hard_swish"),
    "logsigmoid": _activation("log_sigmoid"),
    "logsoftmax": _activation("log_softmax", "dim"),
    "relu6": _activation("relu6"),
    "softshrink": _activation("soft_shrink"),
    "tanhshrink": _activation("tanh_shrink"),
    "rrelu": Word("LeakyReLU", {"lower": None, "upper": None}),
    "softmax2d": Word("Softmax", {}),
    "softmin": _NONE,
    "threshold": made(_threshold, "threshold", "value"),
    "adaptivelogsoftmaxwithloss": _NONE,
    # PyTorch: normalization
    **{f"batchnorm{rank}d": Word("BatchNormalization", _BATCH_NORM) for rank in (1, 2, 3)},
    **{f"lazybatchnorm{rank}d": Word("BatchNormalization", {}) for rank in (1, 2, 3)},
    "batchnorm": Word("BatchNormalization", {"decay": "momentum"}),
    "syncbatchnorm": Word("BatchNormalization", _BATCH_NORM),
    "syncbatchnormalization": Word("BatchNormalization", {}),
    "layernorm": Word("LayerNormalization", {"normalized_shape": None, "eps": "epsilon", "elementwise_affine": _both}),
    "groupnorm": Word(
        "GroupNormalization", {"num_groups": "groups", "num_channels": None, "eps": "epsilon", "affine": _both}
    ),
    "rmsnorm": Word("RMSNormalization", {"normalized_shape": None, "eps": "epsilon", "elementwise_affine": None}),
    **{
        f"instancenorm{rank}d": Word(
            "GroupNormalization",
            {"num_features": None, "eps": "epsilon", "momentum": None, "affine": _both},
            {"groups": -1},
        )
        for rank in (1, 2, 3)
    },
    "instancenorm": Word("GroupNormalization", {}, {"groups": -1}),
    "instancenormalization": Word("GroupNormalization", {}, {"groups": -1}),
    "localresponsenorm": "Keras has none: write `BatchNormalization`",
    "crossmaplrn2d": "Keras has none: write `BatchNormalization`",
    "lrn": "Keras has none: write `BatchNormalization`",
    # PyTorch: recurrent
    "lstm": made(_recurrent("LSTM"), *_RECURRENT),
    "gru": made(_recurrent("GRU"), *_RECURRENT),
    "rnn": made(_recurrent("SimpleRNN"), *_RECURRENT[:3], "nonlinearity", *_RECURRENT[3:]),
    "rnncell": Word("SimpleRNNCell", _CELL),
    "lstmcell": Word("LSTMCell", _CELL),
    "grucell": Word("GRUCell", _CELL),
    "rnnbase": "write `SimpleRNN`, `LSTM` or `GRU`",
    "bilstm": made(lambda given, around: stacked("LSTM", {"units": 64, **given}, 1, True), "units"),
    "bigru": made(lambda given, around: stacked("GRU", {"units": 64, **given}, 1, True), "units"),
    # PyTorch: attention
    "multiheadattention": _INPUTS,
    **{f"transformer{part}": _INPUTS for part in ("", "encoder", "decoder", "encoderlayer", "decoderlayer")},
    # PyTorch: dropout, tables, shapes
    "dropout1d": Word("SpatialDropout1D", _DROPOUT),
    "dropout2d": Word("SpatialDropout2D", _DROPOUT),
    "dropout3d": Word("SpatialDropout3D", _DROPOUT),
    "featurealphadropout": Word("AlphaDropout", _DROPOUT),
    "embeddingbag": _NONE,
    "embedding": Word(
        "Embedding", {"num_embeddings": "input_dim", "embedding_dim": "output_dim", "padding_idx": _ignored_index}
    ),
    "cosinesimilarity": _INPUTS,
    "pairwisedistance": _INPUTS,
    "unflatten": Word("Reshape", {"dim": None, "unflattened_size": "target_shape"}),
    "view": Word("Reshape", {"shape": "target_shape"}),
    "squeeze": "write `Flatten`, or `Reshape` with the sizes that are left",
    "unsqueeze": "write `Reshape` with an axis of 1",
    "pixelshuffle": "Keras has none: write `Conv2DTranspose`, or `UpSampling2D`",
    "pixelunshuffle": "Keras has none: write `Conv2D` with `strides`",
    "channelshuffle": _NONE,
    "upsample": made(_upsample, "size", "scale_factor", "mode"),
    "upsamplingnearest2d": made(_upsample, "size", "scale_factor"),
    "upsamplingbilinear2d": made(
        lambda given, around: _upsample({**given, "mode": "bilinear"}, around), "size", "scale_factor"
    ),
    # PyTorch and Keras: models
    **dict.fromkeys(("sequential", "model", "functional", "module", "modulelist", "moduledict", "graph"), _STACK),
    "dataparallel": "several GPUs are not offered: remove it",
    "distributeddataparallel": "several GPUs are not offered: remove it",
    # torchvision
    "randomhorizontalflip": Word("RandomFlip", {"p": None}, {"mode": "horizontal"}),
    "randomverticalflip": Word("RandomFlip", {"p": None}, {"mode": "vertical"}),
    "randomrotation": Word("RandomRotation", {"degrees": _turns}),
    "randomaffine": made(_affine, "degrees", "translate", "scale"),
    "randomresizedcrop": "Keras has none: write `RandomZoom: {height_factor: [-0.3, 0]}`",
    "colorjitter": made(_jitter, "brightness", "contrast", "saturation", "hue"),
    "resize": Word("Resizing", {"size": _height_and_width}),
    "centercrop": Word("CenterCrop", {"size": _height_and_width}),
    "randomcrop": made(_random_crop, "size", "padding"),
    "normalize": Word("Normalization", {"mean": _mean, "std": _variance}),
    **dict.fromkeys(
        ("bytepairtokenizer", "sentencepiecetokenizer", "tokenizer", "unicodecodepointtokenizer", "wordpiecetokenizer"),
        "texts become tokens in the data set: `split: subword` of `text` or `text_folder` learns parts of words",
    ),
    "totensor": "remove it: the data set gives numbers from 0 to 1",
    "topilimage": "remove it: the data set gives numbers from 0 to 1",
    "compose": _STACK,
    "gaussianblur": Word("RandomGaussianBlur", {"kernel_size": "kernel_size", "sigma": "sigma"}, {"factor": 1.0}),
    "grayscale": Word("RandomGrayscale", {"num_output_channels": None}, {"factor": 1.0}),
    "randomautocontrast": Word("AutoContrast", {"p": None}, {"value_range": [0, 1]}),
    "randomequalize": "Keras's `Equalization` has no effect in a Sequential model: remove it",
    "randomadjustsharpness": Word(
        "RandomSharpness", {"sharpness_factor": None, "p": None}, {"factor": 0.5, "value_range": [0, 1]}
    ),
    "randomposterize": Word("RandomPosterization", {"bits": "factor", "p": None}, {"value_range": [0, 1]}),
    "randomsolarize": Word("Solarization", {"threshold": None, "p": None}, {"value_range": [0, 1]}),
    "autoaugment": Word("RandAugment", {"policy": None}, {"value_range": [0, 1]}),
    "trivialaugmentwide": Word("RandAugment", {}, {"value_range": [0, 1]}),
    "pad": made(_zero_pad(2), "padding"),
    # Keras 1
    "convolution1d": Word("Conv1D", _OLD_1D),
    "convolution2d": Word("Conv2D", _OLD_2D),
    "convolution3d": Word("Conv3D", _OLD_3D),
    "atrousconvolution1d": Word("Conv1D", {**_OLD_1D, "atrous_rate": "dilation_rate"}),
    "atrousconvolution2d": Word("Conv2D", {**_OLD_2D, "atrous_rate": "dilation_rate"}),
    "atrousconv1d": Word("Conv1D", {**_OLD_1D, "atrous_rate": "dilation_rate"}),
    "atrousconv2d": Word("Conv2D", {**_OLD_2D, "atrous_rate": "dilation_rate"}),
    "deconvolution2d": Word("Conv2DTranspose", {**_OLD_2D, "output_shape": None}),
    "deconv2d": Word("Conv2DTranspose", {**_OLD_2D, "output_shape": None}),
    "deconvolution3d": Word("Conv3DTranspose", {**_OLD_3D, "output_shape": None}),
    "deconv3d": Word("Conv3DTranspose", {**_OLD_3D, "output_shape": None}),
    "separableconvolution2d": Word("SeparableConv2D", _OLD_2D),
    "locallyconnected1d": "Keras 3 has none: write `Conv1D`, or `Flatten` and `Dense`",
    "locallyconnected2d": "Keras 3 has none: write `Conv2D`, or `Flatten` and `Dense`",
    "timedistributeddense": made(_time_distributed_dense, "output_dim", "init", "activation"),
    "timedistributedmerge": "write `GlobalAveragePooling1D`",
    "maxoutdense": "Keras 3 has none: write `Dense`",
    "highway": "Keras 3 has none: write `Dense`",
    "parametricsoftplus": _activation("softplus"),
    "srelu": Word("PReLU", {"t_left_init": None, "a_left_init": None, "t_right_init": None, "a_right_init": None}),
    "thresholdedrelu": Word("ReLU", {"theta": "threshold"}),
    "merge": _INPUTS,
    "autoencoder": _STACK,
    # Keras 2
    "cudnnlstm": Word("LSTM", {"units": "units"}),
    "cudnngru": Word("GRU", {"units": "units"}),
    "convlstm": Word("ConvLSTM2D", {}),
    "convrnn2d": "write `ConvLSTM2D`",
    "randomwidth": Word("RandomZoom", {"factor": "width_factor"}, {"height_factor": 0}),
    "randomheight": Word("RandomZoom", {"factor": "height_factor"}, {"width_factor": 0}),
    "imagedatagenerator": made(_image_data_generator),
    "densefeatures": "samples here are arrays of numbers: remove it",
    # TensorFlow 1
    "fullyconnected": Word("Dense", {"inputs": None, "num_outputs": "units"}),
    "fc": Word("Dense", {"num_outputs": "units"}),
    "convolution2dtranspose": Word("Conv2DTranspose", _CONTRIB),
    "convolution2dinplane": Word("DepthwiseConv2D", {"kernel_size": "kernel_size", "stride": "strides"}),
    "depthwiseconv2dnative": Word("DepthwiseConv2D", {"strides": "strides"}),
    "basiclstmcell": Word("LSTM", {"num_units": "units"}),
    "basicrnncell": Word("SimpleRNN", {"num_units": "units"}),
    "multirnncell": "write recurrent layers one after the other",
    "dropoutwrapper": "write `Dropout`, or the recurrent layer's `dropout`",
    "dynamicrnn": "write `SimpleRNN`, `LSTM` or `GRU`",
    "staticrnn": "write `SimpleRNN`, `LSTM` or `GRU`",
    "bidirectionaldynamicrnn": "write `Bidirectional: {layer: {LSTM: {units: 64}}}`",
    "biasadd": "write `Dense` or `Conv2D`: both add a bias",
    # Ludwig's encoders and combiners, Kur's containers
    "parallelcnn": "a Sequential model has no branches: write `Conv1D` layers one after the other",
    "stackedcnn": "write `Conv1D` layers one after the other",
    "stackedparallelcnn": "a Sequential model has no branches: write `Conv1D` layers one after the other",
    "cnnrnn": "write `Conv1D` layers, then `LSTM`",
    "mlpmixer": _PRETRAINED,
    "passthrough": Word("Identity", {}),
    "concat": _INPUTS,
    "parallel": _INPUTS,
    "branch": _INPUTS,
    # words in use
    "conv": Word("Conv2D", {"size": "kernel_size", "kernels": "filters", **_CONVOLUTION}),
    "convolution": Word("Conv2D", {"size": "kernel_size", "kernels": "filters", **_CONVOLUTION}),
    "maxpool": Word("MaxPooling2D", _POOLING),
    "pool": Word("MaxPooling2D", {"size": "pool_size", **_POOLING}),
    "pooling": Word("MaxPooling2D", {"size": "pool_size", **_POOLING}),
    "avgpool": Word("AveragePooling2D", _POOLING),
    "averagepool": Word("AveragePooling2D", _POOLING),
    "globalaveragepooling": Word("GlobalAveragePooling2D", {}),
    "globalavgpool": Word("GlobalAveragePooling2D", {}),
    "globalmaxpooling": Word("GlobalMaxPooling2D", {}),
    "spatialdropout": Word("SpatialDropout2D", _DROPOUT),
    "recurrent": Word("LSTM", {"size": "units"}),
    "fullyconnectedlayer": Word("Dense", {"num_outputs": "units"}),
    "denselayer": Word("Dense", {"num_units": "units"}),
    "repeatlayer": "write `repeat: {times: 3, layers: [...]}`",
}

ACTIVATIONS: dict[str, str] = {
    **{"none": "linear", "identity": "linear", "noactivation": "linear", "crelu": "relu", "logistic": "sigmoid"},
    **{"hardsilu": "hard_silu", "logsoftmax": "log_softmax", "hardtanh": "hard_tanh", "hardsigmoid": "hard_sigmoid"},
    **{"leakyrelu": "leaky_relu", "lrelu": "leaky_relu", "prelu": "leaky_relu", "rrelu": "leaky_relu"},
    **{"softmax2d": "softmax", "softmin": "softmax", "logsigmoid": "log_sigmoid", "softrelu": "softplus"},
    **{"geluapproximate": "gelu", "gelunew": "gelu", "gelufast": "gelu", "quickgelu": "gelu", "swiglu": "silu"},
    **{"reglu": "relu", "rectify": "relu", "rectifier": "relu", "veryleakyrectify": "leaky_relu", "stanh": "tanh"},
}

_GAIN: dict[str, Carry] = {"gain": None, "mode": None, "nonlinearity": None, "a": None}
INITIALIZERS: Table = {
    "xavieruniform": Word("GlorotUniform", _GAIN),
    "xaviernormal": Word("GlorotNormal", _GAIN),
    "xavier": Word("GlorotUniform", _GAIN),
    "xavierinitializer": Word("GlorotUniform", {"uniform": None}),
    "glorot": Word("GlorotUniform", {}),
    "kaiminguniform": Word("HeUniform", _GAIN),
    "kaimingnormal": Word("HeNormal", _GAIN),
    "kaiming": Word("HeNormal", _GAIN),
    "he": Word("HeNormal", {}),
    "msra": Word("HeNormal", {}),
    "lecun": Word("LecunNormal", {}),
    "gaussian": Word("RandomNormal", {"std": "stddev"}),
    "truncnormal": Word("TruncatedNormal", {"std": "stddev"}),
    "truncatednormalinitializer": Word("TruncatedNormal", {}),
    "randomnormalinitializer": Word("RandomNormal", {}),
    "randomuniforminitializer": Word("RandomUniform", {}),
    "variancescalinginitializer": Word("VarianceScaling", {"factor": "scale", "uniform": None}),
    "uniformunitscalinginitializer": Word("VarianceScaling", {"factor": "scale"}),
    "zerosinitializer": Word("Zeros", {}),
    "onesinitializer": Word("Ones", {}),
    "constantinitializer": Word("Constant", {}),
    "eye": Word("Identity", {}),
    "dirac": Word("Identity", {}),
    "sparse": "Keras has none: write `RandomNormal`",
}

REGULARIZERS: Table = {
    "l1regularizer": Word("L1", {"scale": "l1"}),
    "l2regularizer": Word("L2", {"scale": "l2"}),
    "l1l2regularizer": Word("L1L2", {"scale_l1": "l1", "scale_l2": "l2"}),
    "weightdecay": Word("L2", {"scale": "l2"}),
    "weightregularizer": Word("L1L2", {}),
    "activityregularizer": Word("L1L2", {}),
    "elasticnet": Word("L1L2", {}),
}
