"""The script that a user would write instead of `configs/cnn_mnist.yaml`: `python plain_keras.py DATA.npz EPOCHS`.

Prints the seconds of each epoch as JSON.
"""

import json
import sys
import time

import keras
import numpy as np
from keras import layers

data = np.load(sys.argv[1])
epochs = int(sys.argv[2])
x_train = data["x_train"][:54000].astype("float32")[..., None] / 255
y_train = data["y_train"][:54000]

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self) -> None:
        """Begin with no epoch."""
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop it."""
        self.seconds.append(time.perf_counter() - self.started)


clock = Clock()
model.fit(x_train, y_train, batch_size=32, epochs=epochs, verbose=0, callbacks=[clock])
x_test = data["x_test"].astype("float32")[..., None] / 255
model.evaluate(x_test, data["y_test"], batch_size=32, verbose=0)
model.save(sys.argv[3])
print(json.dumps(clock.seconds))
