"""The script that a user would write without dltrain: `python plain_keras.py MODEL BATCH EPOCHS IMAGES DATA.npz`.

Prints as JSON the seconds and the test accuracy of each epoch, and the accuracy at the end.
"""

import json
import os
import sys
import time

import keras
import numpy as np
from keras import layers

model_name, batch_size, epochs, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data = np.load(sys.argv[5])
x_train = data["x_train"][:images].astype("float32")[..., None] / 255
y_train = data["y_train"][:images]
x_test = data["x_test"].astype("float32")[..., None] / 255
y_test = data["y_test"]
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
}
model = keras.Sequential([keras.Input((28, 28, 1)), *MODELS[model_name], layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    """Record the seconds of each epoch and, if TARGET is set, its test accuracy; stop at TARGET."""

    def __init__(self) -> None:
        """Start without epochs."""
        super().__init__()
        self.seconds: list[float] = []
        self.accuracy: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop it."""
        self.seconds.append(time.perf_counter() - self.started)
        if target := float(os.environ.get("TARGET", "0")):
            self.accuracy.append(model.evaluate(x_test, y_test, verbose=0)[1])
            self.model.stop_training = self.accuracy[-1] >= target


clock = Clock()
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[clock])
started = time.perf_counter()
accuracy = model.evaluate(x_test, y_test, batch_size=32, verbose=0)[1]
predictions = model.predict(x_test, batch_size=32, verbose=0)
inference = time.perf_counter() - started
model.save(os.environ.get("SAVE_TO", "/tmp/plain.keras"))
print(json.dumps({"seconds": clock.seconds, "by_epoch": clock.accuracy, "accuracy": accuracy, "inference": inference}))
