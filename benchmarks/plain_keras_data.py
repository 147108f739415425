"""The same data and models with Keras alone: `python plain_keras_data.py KIND FOLDER BATCH EPOCHS`.

Prints as JSON the seconds of the fastest epoch after the first, and of loading.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

kind, folder, batch, epochs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])


def cnn() -> keras.Sequential:
    """Return the model of the photos."""
    return keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )


started = time.perf_counter()
data: Any
y = None
if kind == "images":
    model, loss = cnn(), "sparse_categorical_crossentropy"
    data = keras.utils.image_dataset_from_directory(folder / "photos" / "train", image_size=(64, 64), batch_size=batch)
    data = data.map(lambda x, y: (x / 255, y)).prefetch(2)
elif kind == "table":
    import pandas

    model = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])
    frame, loss = pandas.read_csv(folder / "table.csv"), "mse"
    data, y = frame.drop(columns="y").to_numpy("float32"), frame["y"].to_numpy("float32")
else:
    model, loss = keras.Sequential([keras.Input((128, 4)), layers.Flatten(), layers.Dense(32, "relu")]), "mse"
    model.add(layers.Dense(1))
    steps = np.load(folder / "series.npy")
    data = keras.utils.timeseries_dataset_from_array(steps[:-1], steps[128:, :1], 128, batch_size=batch, shuffle=True)
load = time.perf_counter() - started
model.compile("adam", loss, steps_per_execution=16)
seconds = []
for _ in range(epochs):
    started = time.perf_counter()
    model.fit(data, y, batch_size=batch if y is not None else None, verbose=0)
    seconds.append(time.perf_counter() - started)
print(json.dumps({"epoch": min(seconds[1:]), "load": load}))
