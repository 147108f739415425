"""Names of other frameworks and of older Keras, with the name or advice for a config."""

from __future__ import annotations

from dltrain.errors import Fix

# Names of objects, by section; compared in lower case.
NAMES: dict[str, dict[str, str]] = {
    "layer": {
        "linear": "Dense",
        "fc": "Dense",
        "fullyconnected": "Dense",
        "conv": "Conv2D",
        "convolution": "Conv2D",
        "convolution2d": "Conv2D",
        "maxpool": "MaxPooling2D",
        "pooling": "MaxPooling2D",
        "avgpool": "AveragePooling2D",
        "globalaveragepooling": "GlobalAveragePooling2D",
        "batchnorm": "BatchNormalization",
        "batchnorm1d": "BatchNormalization",
        "batchnorm2d": "BatchNormalization",
        "layernorm": "LayerNormalization",
        "groupnorm": "GroupNormalization",
        "view": "Reshape",
        "relu6": "ReLU",
        "sigmoid": "Activation",
        "tanh": "Activation",
        "cudnnlstm": "LSTM",
        "cudnngru": "GRU",
        "bilstm": "Bidirectional",
        "spatialdropout": "SpatialDropout2D",
    },
    "loss": {
        "crossentropy": "sparse_categorical_crossentropy",
        "crossentropyloss": "sparse_categorical_crossentropy",
        "ce": "sparse_categorical_crossentropy",
        "nll": "sparse_categorical_crossentropy",
        "nllloss": "sparse_categorical_crossentropy",
        "logloss": "binary_crossentropy",
        "bceloss": "binary_crossentropy",
        "bcewithlogitsloss": "binary_crossentropy",
        "mseloss": "mean_squared_error",
        "l2": "mean_squared_error",
        "rmse": "mean_squared_error",
        "l1": "mean_absolute_error",
        "l1loss": "mean_absolute_error",
        "maeloss": "mean_absolute_error",
    },
    "metric": {
        "crossentropy": "SparseCategoricalCrossentropy",
        "ce": "SparseCategoricalCrossentropy",
        "f1": "F1Score",
        "rmse": "RootMeanSquaredError",
        "r2": "R2Score",
        "rocauc": "AUC",
        "top5": "SparseTopKCategoricalAccuracy",
    },
    "dataset": {"fashionmnist": "mnist"},
}
# Arguments of Keras objects.
ARGUMENTS: dict[str, str] = {
    "lr": "learning_rate",
    "hidden_size": "units",
    "hidden_units": "units",
    "out_features": "units",
    "neurons": "units",
    "size": "units",
    "out_channels": "filters",
    "channels": "filters",
    "nb_filter": "filters",
    "kernel": "kernel_size",
    "filter_size": "kernel_size",
    "p": "rate",
    "dropout_rate": "rate",
    "prob": "rate",
    "shape": "target_shape",
    "decay": "weight_decay",
    "return_sequence": "return_sequences",
    "dim": "axis",
    "eps": "epsilon",
    "init": "kernel_initializer",
    "regularizer": "kernel_regularizer",
}
# Advice for other arguments.
ADVICE: dict[str, str] = {
    "betas": "write `beta_1: 0.9, beta_2: 0.999`",
    "num_layers": "write the layer as often as it is to come, or `repeat: {times: 2, layers: [...]}`",
    "batch_first": "remove it: the batch always comes first",
    "num_features": "remove it: Keras sees what the layer gets",
    "bidirectional": "write `Bidirectional: {layer: {LSTM: {units: 64}}}`",
}


def _moved(path: str, words: str = "") -> Fix:
    """Return the fix for what belongs at the key `path`."""
    section, _, key = path.rpartition(".")
    place = f"in `{section}`" if section else "at the top level"
    return Fix("move", tuple(path.split(".")), words or f"write `{key}` {place}")


# Keys of a section, in whatever section they are looked for.
KEYS: dict[str, Fix | str] = {
    "learning_rate": _moved("train.optimizer", "it is the optimizer's: `optimizer: {Adam: {learning_rate: 1e-3}}`"),
    "lr": _moved("train.optimizer", "write it as the optimizer's: `optimizer: {Adam: {learning_rate: 1e-3}}`"),
    "momentum": _moved(
        "train.optimizer", "it is the optimizer's: `optimizer: {SGD: {learning_rate: 0.01, momentum: 0.9}}`"
    ),
    "weight_decay": _moved("train.optimizer", "it is the optimizer's: `optimizer: {AdamW: {weight_decay: 0.004}}`"),
    "scheduler": _moved(
        "train.optimizer", "write it as the rate: `optimizer: {Adam: {learning_rate: {CosineDecay: {…}}}}`"
    ),
    "lr_scheduler": _moved(
        "train.optimizer", "write it as the rate: `optimizer: {Adam: {learning_rate: {CosineDecay: {…}}}}`"
    ),
    "early_stopping": _moved("train.callbacks", "write `callbacks: [EarlyStopping: {patience: 3}]` in `train`"),
    "patience": _moved("train.callbacks", "write `callbacks: [EarlyStopping: {patience: 3}]` in `train`"),
    "dropout": "it is a layer: `- Dropout: {rate: 0.5}`",
    "activation": _moved(
        "model.layers.*.activation", "it belongs to a layer: `- Dense: {units: 10, activation: softmax}`"
    ),
    "units": _moved("model.layers.*.units", "it belongs to a layer: `- Dense: {units: 10}`"),
    "validation_split": _moved("data.validation"),
    "val_split": _moved("data.validation"),
    "test_size": _moved("data.limit.test", "write `limit: {test: …}` in `data`"),
    "shuffle": "remove it: training samples are shuffled, by the seed",
    "verbose": "remove it: `fit` shows progress, and `-v` everything",
    "steps_per_epoch": "remove it: an epoch goes through all training samples; `data.limit` takes fewer",
    "num_epochs": _moved("train.epochs"),
    "nb_epoch": _moved("train.epochs"),
    "n_epochs": _moved("train.epochs"),
    "batchsize": _moved("train.batch_size"),
    "input_shape": "remove it: the data set gives the input's shape",
    "input_dim": "remove it: the data set gives the input's shape",
    "random_seed": _moved("seed"),
    "random_state": _moved("seed"),
    "device": "remove it: a GPU is used where TensorFlow finds one",
    "gpu": "remove it: a GPU is used where TensorFlow finds one",
    "mixed_precision": _moved("train.precision", "write `precision: mixed_bfloat16` in `train`"),
    "network": Fix("rename", ("model",), "write `model`"),
    "training": Fix("rename", ("train",), "write `train`"),
    "extends": "it stands at the top level of a file, and not in `-s`",
    "repeat": "it stands among `model.layers`, as `- repeat: {times: 3, layers: [...]}`",
}


def name(section: str, word: str) -> str | None:
    """Return Keras's name of an object that other tools call `word`; None for an unknown one."""
    return NAMES.get(section, {}).get(word.lower().replace("_", "").replace("-", ""))


def key(word: str) -> Fix | str | None:
    """Return what to write for a key of other tools; None for an unknown one."""
    return KEYS.get(word.lower())
