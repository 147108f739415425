"""The data chapter of results.md: how fast own data is fed. `python benchmarks/bench.py data_table`, for example.

"without input" is dltrain itself, training on one batch that stays in memory: what an epoch takes longer than that is
the wait for input. DIVIDE=100 makes all data sets smaller by that, to try the sections.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from measuring import DIVIDE, DLTRAIN, HERE, PYTORCH, QUIET, ROUNDS, measured, spread, table

EPOCHS = 3
IMAGES, ROWS, STEPS, LARGE = 4_000 // DIVIDE, 1_000_000 // DIVIDE, 100_000 // DIVIDE, 350_000 // DIVIDE
CLASSES = "sparse_categorical_crossentropy"
CNN = "[Conv2D: {filters: 32, kernel_size: 3, activation: relu}, MaxPooling2D, Conv2D: {filters: 64, kernel_size: 3, "
CNN += "activation: relu}, MaxPooling2D, Conv2D: {filters: 64, kernel_size: 3, activation: relu}, Flatten, "
CNN += "Dense: {units: 64, activation: relu}, Dropout: {rate: 0.5}, Dense: {units: 2, activation: softmax}]"
MLP = "[Dense: {units: 64, activation: relu}, Dense: {units: 64, activation: relu}, Dense: {units: 1}]"
WINDOWS = "[Flatten, Dense: {units: 32, activation: relu}, Dense: {units: 1}]"
FLAT = "[Flatten, Dense: {units: 16, activation: relu}, Dense: {units: 2, activation: softmax}]"
Ways = Mapping[str, Callable[[], Mapping[str, float]]]


def config(folder: Path, data: str, layers: str, loss: str, batch: int, feed: str = "auto") -> Path:
    """Write a config that trains for `EPOCHS` epochs, nothing held out."""
    path = folder / f"{feed}.yaml"
    path.write_text(
        f"data: {{{data}, validation: 0}}\nmodel: {{layers: {layers}}}\n"
        f"train: {{optimizer: Adam, loss: {loss}, batch_size: {batch}, epochs: {EPOCHS}}}\nruntime: {{feed: {feed}}}\n"
    )
    return path


def fit(path: Path, script: str | None = None) -> dict[str, float]:
    """Train with dltrain; return seconds of the fastest epoch after the first and of loading, and peak bytes that no
    file holds.
    """
    command = [sys.executable, str(HERE / script)] if script else [*DLTRAIN, "fit"]
    command += [str(path), "--runs-dir", str(path.parent / "runs"), "--profile"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=QUIET)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _anonymous(process.pid))
        time.sleep(0.05)
    if process.returncode or process.stdout is None:
        raise SystemExit(f"failed: {' '.join(command)}")
    run = Path(process.stdout.read().strip().splitlines()[-1])
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    load = json.loads((run / "profile.json").read_text())["loading data"]
    return {"epoch": min(row["seconds"] for row in rows[1:]), "load": load, "anonymous": peak}


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def plain(kind: str, folder: Path, batch: int) -> dict[str, Any]:
    """Train the same model with Keras alone, fed as its users do."""
    return measured("plain_keras_data.py", kind, folder, batch, EPOCHS)


def pytorch(kind: str, folder: Path, batch: int) -> dict[str, Any]:
    """Train the same model with PyTorch, fed by a DataLoader."""
    return measured("plain_pytorch_data.py", kind, folder, batch, EPOCHS, python=PYTORCH)


def compared(ways: Ways) -> str:
    """Measure in turns; return a table. The first way is dltrain's; one of the name `without input` tells its wait."""
    found: dict[str, list[Mapping[str, float]]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, measure in ways.items():
            found[way].append(measure())
            print(way, found[way][-1], flush=True)
    first, *_ = found
    rows = []
    for way, each in found.items():
        epochs = [one["epoch"] for one in each]
        ratios = [epoch / mine["epoch"] for epoch, mine in zip(epochs, found[first], strict=True)]
        loading = spread([one["load"] for one in each], ".1f") if "load" in each[0] else ""
        memory = f"{statistics.median(one['anonymous'] for one in each) / 2**20:,.0f}" if "anonymous" in each[0] else ""
        rows.append([way, spread(epochs), spread(ratios) if way != first else "", loading, memory])
    head = ["", "seconds of an epoch", "× dltrain", "seconds of loading", "MiB that no file holds"]
    text = table(head, rows)
    if "without input" in found:
        pairs = zip(found["without input"], found[first], strict=True)
        waits = [1 - without["epoch"] / mine["epoch"] for without, mine in pairs]
        text += f"\n\nShare of an epoch that is a wait for input: {spread(waits, '.1%')}, {ROUNDS} rounds."
    return text


def in_folder(section: Callable[[Path], Ways]) -> Callable[[], str]:
    """Return a section of results.md, measured in a folder of its own, with a cache of its own."""

    def measure() -> str:
        with tempfile.TemporaryDirectory() as temporary:
            QUIET["XDG_CACHE_HOME"] = str(Path(temporary) / "cache")
            return compared(section(Path(temporary)))

    measure.__doc__ = section.__doc__
    return measure


def images(folder: Path) -> Ways:
    """64 × 64 photos in two folders, the CNN of `cnn_mnist`, batches of 32; from the cache after the first round."""
    from PIL import Image

    generator = np.random.default_rng(0)
    for split, count in (("train", IMAGES), ("test", 64)):
        for number in range(count):
            path = folder / "photos" / split / "ab"[number % 2] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(generator.integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path = config(folder, "dataset: {image_folder: {path: photos, image_size: [64, 64]}}", CNN, CLASSES, 32)
    return {
        "dltrain, `image_folder`": lambda: fit(path),
        "without input": lambda: fit(path, "fit_without_input.py"),
        "Keras, `image_dataset_from_directory`": lambda: plain("images", folder, 32),
        "PyTorch, `DataLoader` of files, 2 workers": lambda: pytorch("images", folder, 32),
    }


def rows(folder: Path) -> Ways:
    """A million rows of 20 numbers in a CSV file, an MLP of two layers of 64 units, batches of 1,024."""
    generator = np.random.default_rng(0)
    with (folder / "table.csv").open("w") as file:
        file.write(",".join([*(f"c{i}" for i in range(20)), "y"]) + "\n")
        for _ in range(max(1, ROWS // 10_000)):
            np.savetxt(file, generator.normal(size=(min(ROWS, 10_000), 21)), "%.4f", ",")
    (folder / "test.csv").write_text("\n".join((folder / "table.csv").open().read(100_000).splitlines()[:500]) + "\n")
    data = "dataset: {csv: {path: table.csv, path_test: test.csv, target: y}}, task: regression"
    path = config(folder, data, MLP, "mse", 1_024)
    return {
        "dltrain, `csv`": lambda: fit(path),
        "without input": lambda: fit(path, "fit_without_input.py"),
        "Keras, `fit` of arrays from pandas": lambda: plain("table", folder, 1_024),
        "PyTorch, `DataLoader` of a TensorDataset from pandas": lambda: pytorch("table", folder, 1_024),
    }


def windows(folder: Path) -> Ways:
    """Windows of 128 steps over 4 columns, 100,000 steps, a small MLP, batches of 256."""
    np.save(folder / "series.npy", np.random.default_rng(0).normal(size=(STEPS, 4)).astype(np.float32))
    data = "dataset: {series: {path: series.npy, sequence_length: 128, target: [0]}}, task: regression, test: 0.005"
    path = config(folder, data, WINDOWS, "mse", 256)
    return {
        "dltrain, `series`": lambda: fit(path),
        "without input": lambda: fit(path, "fit_without_input.py"),
        "Keras, `timeseries_dataset_from_array`": lambda: plain("series", folder, 256),
        "PyTorch, `DataLoader` of slices": lambda: pytorch("series", folder, 256),
    }


def large(folder: Path) -> Ways:
    """350,000 images of 64 × 64 × 3 bytes (4 GiB) in an npy file, a single small layer, batches of 256."""
    (folder / "d").mkdir()
    x = np.lib.format.open_memmap(folder / "d" / "x.npy", "w+", np.uint8, (LARGE, 64, 64, 3))
    part = np.random.default_rng(0).integers(0, 255, (1_000, 64, 64, 3), np.uint8)
    for start in range(0, LARGE, 1_000):
        x[start : start + 1_000] = part[: LARGE - start]
    x.flush()
    del x
    np.save(folder / "d" / "y.npy", np.arange(LARGE) % 2)
    data = "dataset: {arrays: {path: d}}, task: classification, test: 0.001"
    from_file, in_memory = (config(folder, data, FLAT, CLASSES, 256, feed) for feed in ("auto", "memory"))
    return {
        "dltrain, from the file": lambda: fit(from_file),
        "dltrain, `feed: memory`": lambda: fit(in_memory),
        "PyTorch, `DataLoader` of a mapped array, 2 workers": lambda: pytorch("large", folder, 256),
    }


DATA_SECTIONS: dict[str, Callable[[], str]] = {
    "data_images": in_folder(images),
    "data_table": in_folder(rows),
    "data_series": in_folder(windows),
    "data_large": in_folder(large),
}
