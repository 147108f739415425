"""Measure how fast own data is fed: `python benchmarks/data_speed.py [images] [table] [series] [large]`.

Each figure is the median over interleaved rounds in processes of their own (ROUNDS=3). "without input" trains the same
model on one batch that stays in memory: what an epoch takes longer than that is the wait for input.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = int(os.environ.get("ROUNDS", "3"))
EPOCHS = 3
SEQUENTIAL = {
    "images": "[Conv2D: {filters: 32, kernel_size: 3, activation: relu}, MaxPooling2D, Conv2D: {filters: 64, "
    "kernel_size: 3, activation: relu}, MaxPooling2D, Flatten, Dense: {units: 2, activation: softmax}]",
    "table": "[Dense: {units: 64, activation: relu}, Dense: {units: 64, activation: relu}, Dense: {units: 1}]",
    "series": "[Flatten, Dense: {units: 32, activation: relu}, Dense: {units: 1}]",
    "large": "[Flatten, Dense: {units: 16, activation: relu}, Dense: {units: 2, activation: softmax}]",
}
CLASSES = "loss: sparse_categorical_crossentropy"
SMALL = int(os.environ.get("SMALL", "1"))  # divides all sizes, to try the script
IMAGES, ROWS, STEPS, LARGE = 4_000 // SMALL, 1_000_000 // SMALL, 40_000 // SMALL, 350_000 // SMALL


def epochs_of_dltrain(
    folder: Path, section: str, data: str, batch: int, loss: str, feed: str = "auto"
) -> dict[str, float]:
    """Train with `dltrain fit`; return seconds of the last epoch, of loading, and peak bytes without file pages."""
    config = folder / "config.yaml"
    config.write_text(
        f"data: {{{data}, validation: 0}}\nmodel: {{layers: {SEQUENTIAL[section]}}}\n"
        f"train: {{optimizer: Adam, {loss}, batch_size: {batch}, epochs: {EPOCHS}}}\n"
        f"runtime: {{feed: {feed}}}\n"
    )
    command = [sys.executable, "-m", "dltrain", "fit", config, "--runs-dir", folder / "runs", "--profile"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _anonymous(process.pid))
        time.sleep(0.05)
    if process.returncode or process.stdout is None:
        raise SystemExit(f"failed: {config.read_text()}")
    run = Path(process.stdout.read().strip().splitlines()[-1])
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    profile = json.loads((run / "profile.json").read_text())
    return {"epoch": rows[-1]["seconds"], "load": profile["loading data"], "anonymous": peak}


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


PLAIN = """
import json, sys, time, numpy as np, keras, tensorflow as tf
from keras import layers
name, folder, batch, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
section, _, kind = name.partition("-")
started = time.perf_counter()
if section == "images":
    model = keras.Sequential([keras.Input((64, 64, 3)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2, "softmax")])
    shape, loss = (batch, 64, 64, 3), "sparse_categorical_crossentropy"
elif section == "table":
    model = keras.Sequential([keras.Input((20,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])
    shape, loss = (batch, 20), "mse"
else:
    model = keras.Sequential([keras.Input((128, 4)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(1)])
    shape, loss = (batch, 128, 4), "mse"
if kind == "none":
    x, y = np.random.rand(*shape).astype("float32"), np.zeros((batch, 1), "float32")
    data = tf.data.Dataset.from_tensors((x, y)).cache().repeat(count // batch)
elif section == "images":
    data = keras.utils.image_dataset_from_directory(folder + "/photos/train", image_size=(64, 64), batch_size=batch)
    data = data.map(lambda x, y: (x / 255, y)).prefetch(2)
elif section == "table":
    import pandas
    frame = pandas.read_csv(folder + "/table.csv")
    x, y = frame.drop(columns="y").to_numpy("float32"), frame["y"].to_numpy("float32")
    x, data = x[:count], None
else:
    s = np.load(folder + "/series.npy")
    data = keras.utils.timeseries_dataset_from_array(s[:-1], s[128:, :1], 128, batch_size=batch, shuffle=True)
load = time.perf_counter() - started
model.compile("adam", loss, steps_per_execution=16)
seconds = []
for epoch in range(3):
    started = time.perf_counter()
    model.fit(x, y[:count], batch_size=batch, epochs=1, verbose=0) if data is None else model.fit(data, verbose=0)
    seconds.append(time.perf_counter() - started)
print(json.dumps({"epoch": seconds[-1], "load": load}))
"""


def plain(name: str, folder: Path, batch: int, count: int) -> dict[str, float]:
    """Train the same model with Keras alone."""
    command = [sys.executable, "-c", PLAIN, name, str(folder), str(batch), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def images(folder: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """64 x 64 photos in two folders, batches of 32."""
    from PIL import Image

    generator = np.random.default_rng(0)
    for split, count in (("train", IMAGES), ("test", 64)):
        for number in range(count):
            path = folder / "photos" / split / ("ab"[number % 2])
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(generator.integers(0, 255, (64, 64, 3), np.uint8)).save(path / f"{number}.jpg")
    data = "dataset: {image_folder: {path: photos, image_size: [64, 64]}}"
    return {
        "dltrain, image_folder": lambda: epochs_of_dltrain(folder, "images", data, 32, CLASSES),
        "image_dataset_from_directory": lambda: plain("images", folder, 32, IMAGES),
        "without input": lambda: plain("images-none", folder, 32, IMAGES),
    }


def table(folder: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """A million rows of 20 numbers in a CSV file, batches of 1,024."""
    generator = np.random.default_rng(0)
    names = [f"c{i}" for i in range(20)]
    with (folder / "table.csv").open("w") as file:
        file.write(",".join([*names, "y"]) + "\n")
        for _ in range(ROWS // 10_000):
            np.savetxt(file, generator.normal(size=(10_000, 21)), "%.4f", ",")
    (folder / "test.csv").write_text("\n".join((folder / "table.csv").open().read(200_000).splitlines()[:500]) + "\n")
    data = "dataset: {csv: {path: table.csv, path_test: test.csv, target: y}}, task: regression"
    return {
        "dltrain, csv": lambda: epochs_of_dltrain(folder, "table", data, 1_024, "loss: mse"),
        "pandas and Keras": lambda: plain("table", folder, 1_024, ROWS),
        "without input": lambda: plain("table-none", folder, 1_024, ROWS),
    }


def series(folder: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """Windows of 128 steps over 4 columns, batches of 256."""
    np.save(folder / "series.npy", np.random.default_rng(0).normal(size=(STEPS, 4)).astype(np.float32))
    data = "dataset: {series: {path: series.npy, sequence_length: 128, target: [0]}}, task: regression, test: 0.001"
    return {
        "dltrain, series": lambda: epochs_of_dltrain(folder, "series", data, 256, "loss: mse"),
        "timeseries_dataset_from_array": lambda: plain("series", folder, 256, STEPS),
        "without input": lambda: plain("series-none", folder, 256, STEPS),
    }


def large(folder: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """4 GiB of 64 x 64 x 3 bytes in an npy file, read from it and copied into memory, batches of 256."""
    (folder / "d").mkdir()
    rows = np.lib.format.open_memmap(folder / "d" / "x.npy", "w+", np.uint8, (LARGE, 64, 64, 3))
    part = np.random.default_rng(0).integers(0, 255, (1_000, 64, 64, 3), np.uint8)
    for start in range(0, LARGE, 1_000):
        rows[start : start + 1_000] = part[: LARGE - start]
    rows.flush()
    del rows
    np.save(folder / "d" / "y.npy", np.arange(LARGE) % 2)
    data = "dataset: {arrays: {path: d}}, test: 0.001"
    return {
        "from the file": lambda: epochs_of_dltrain(folder, "large", data, 256, CLASSES),
        "in memory": lambda: epochs_of_dltrain(folder, "large", data, 256, CLASSES, "memory"),
    }


SECTIONS = {"images": images, "table": table, "series": series, "large": large}


def main(names: list[str]) -> None:
    """Print a table for each section."""
    for name in names or list(SECTIONS):
        with tempfile.TemporaryDirectory() as temporary:
            os.environ["XDG_CACHE_HOME"] = str(Path(temporary) / "cache")
            ways = SECTIONS[name](Path(temporary))
            found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, measure in ways.items():
                    found[way].append(measure())
        print(f"\n## {name}: {SECTIONS[name].__doc__}\n\n| | epoch | loading | anonymous memory |\n|---|---|---|---|")
        for way, rounds in found.items():
            epoch, load = (statistics.median(each.get(key, 0) for each in rounds) for key in ("epoch", "load"))
            memory = statistics.median(each.get("anonymous", 0) for each in rounds) / 2**20
            print(f"| {way} | {epoch:.2f} s | {load:.1f} s | {f'{memory:,.0f} MiB' if memory else ''} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
