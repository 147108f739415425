"""The script that a user would write without dltrain: `python plain_keras.py MODEL BATCH EPOCHS SAMPLES DATA.npz`.

With EXPERT=1 the model is compiled with `jit_compile=True` and `steps_per_execution=50`. Prints as JSON the seconds and
the test score of each epoch, and the score at the end: accuracy, or mean squared error where targets are numbers.
"""

import json
import os
import sys
import time

import keras
import numpy as np
from keras import layers

model_name, batch_size, epochs, samples = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data = np.load(sys.argv[5])
tests = int(os.environ.get("TESTS", "10000"))
x_train, y_train = data["x_train"][:samples], data["y_train"][:samples]
x_test, y_test = data["x_test"][:tests], data["y_test"][:tests]
if x_train.dtype == np.uint8:
    x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255
if model_name not in ("mlp_table", "conv1d", "gru_series", "cnn_bn"):
    x_train, x_test = x_train[..., None], x_test[..., None]
keras.utils.set_random_seed(int(os.environ.get("SEED", "42")))

MODELS = {
    "cnn": [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
    ],
    "lstm": [layers.Reshape((28, 28)), layers.LSTM(128)],
    "stacked_lstm": [layers.Reshape((28, 28)), layers.LSTM(128, return_sequences=True), layers.LSTM(128)],
    "conv_lstm": [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Reshape((13, 416)),
        layers.LSTM(64, return_sequences=True),
        layers.LSTM(64),
    ],
    "gru": [layers.Reshape((28, 28)), layers.GRU(128)],
    "gru_series": [layers.GRU(64)],
    "bilstm": [layers.Reshape((28, 28)), layers.Bidirectional(layers.LSTM(64))],
    "mlp": [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(64, activation="relu")],
    "mlp_table": [layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")],
    "conv1d": [
        layers.Conv1D(64, 5, activation="relu"),
        layers.MaxPooling1D(),
        layers.Conv1D(64, 5, activation="relu"),
        layers.GlobalAveragePooling1D(),
    ],
    "cnn_bn": [
        layers.Conv2D(32, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Conv2D(128, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
    ],
}
numbers = y_train.dtype.kind == "f"
head = layers.Dense(1) if numbers else layers.Dense(int(y_train.max()) + 1, activation="softmax")
model = keras.Sequential([keras.Input(x_train.shape[1:]), *MODELS[model_name], head])
model.compile(
    "adam",
    "mean_squared_error" if numbers else "sparse_categorical_crossentropy",
    metrics=None if numbers else ["accuracy"],
    **({"jit_compile": True, "steps_per_execution": 50} if "EXPERT" in os.environ else {}),
)


class Clock(keras.callbacks.Callback):
    """Record the seconds of each epoch and, if TARGET is set, its test score; stop at TARGET."""

    def __init__(self) -> None:
        """Start without epochs."""
        super().__init__()
        self.seconds: list[float] = []
        self.scores: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop it."""
        self.seconds.append(time.perf_counter() - self.started)
        if target := float(os.environ.get("TARGET", "0")):
            self.scores.append(model.evaluate(x_test, y_test, verbose=0)[1])
            self.model.stop_training = self.scores[-1] >= target


clock = Clock()
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[clock])
started = time.perf_counter()
score = np.ravel(model.evaluate(x_test, y_test, batch_size=32, verbose=0))[-1]
predictions = model.predict(x_test, batch_size=32, verbose=0)
inference = time.perf_counter() - started
model.save(os.environ.get("SAVE_TO", "/tmp/plain.keras"))
print(json.dumps({"seconds": clock.seconds, "by_epoch": clock.scores, "score": float(score), "inference": inference}))
