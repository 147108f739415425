"""The training chapter of results.md: samples/s of dltrain beside the scripts that a user would write without it.

`ONLY=mlp,cnn python benchmarks/bench.py training` measures these models alone, DIVIDE=10 makes all data sets smaller by
that; both print the table and leave results.md as it is.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from measuring import DIVIDE, DLTRAIN, HERE, ONLY, PYTORCH, QUIET, ROUNDS, Failed, json_of, run, spread, table

ROOT = HERE.parent
MNIST = ROOT / "src" / "dltrain" / "data" / "mnist.npz"
EPOCHS, TESTS = 3, 512


@dataclass(frozen=True)
class Model:
    """A row of the table: a config, which names the data, and samples of an epoch, a multiple of most batch sizes."""

    config: str
    samples: int
    batches: tuple[int, ...] = (32,)
    data: str = "mnist"


MODELS = {
    "cnn": Model("configs/cnn_mnist.yaml", 6_400, (32, 128)),
    "lstm": Model("configs/lstm_mnist.yaml", 6_400, (32, 128)),
    "stacked_lstm": Model("configs/stacked_lstm_mnist.yaml", 6_400),
    "conv_lstm": Model("configs/conv_lstm_mnist.yaml", 6_400),
    "gru": Model("benchmarks/configs/gru.yaml", 6_400),
    "gru_series": Model("benchmarks/configs/gru_series.yaml", 1_600, data="series"),
    "bilstm": Model("benchmarks/configs/bilstm.yaml", 6_400),
    "mlp": Model("benchmarks/configs/mlp.yaml", 51_200),
    "mlp_table": Model("benchmarks/configs/mlp_table.yaml", 1_000_000, (1_024,), "table"),
    "conv1d": Model("benchmarks/configs/conv1d.yaml", 12_800, data="series"),
    "cnn_bn": Model("benchmarks/configs/cnn_bn.yaml", 640, data="photos"),
}
ON_ONE_CORE = ("cnn", "lstm", "mlp")  # at the first batch size


@dataclass(frozen=True)
class Case:
    """What is trained at once: a model at a batch size on all cores, or on the first."""

    model: str
    batch: int
    one_core: bool = False

    @property
    def config(self) -> Path:
        return ROOT / MODELS[self.model].config

    @property
    def samples(self) -> int:
        """The number of an epoch, at least two batches."""
        return max(MODELS[self.model].samples // DIVIDE, 2 * self.batch)

    def arguments(self, folder: Path) -> list[object]:
        """The arguments of the plain scripts."""
        data = MODELS[self.model].data
        return [self.model, self.batch, EPOCHS, self.samples, MNIST if data == "mnist" else folder / f"{data}.npz"]

    def overrides(self, folder: Path) -> list[str]:
        """What makes dltrain train as the plain scripts do."""
        data = MODELS[self.model].data
        source = [f"data.dataset={{arrays: {{path: {folder / f'{data}.npz'}}}}}"] if data != "mnist" else []
        return [*source, *subset(self.samples, EPOCHS), f"train.batch_size={self.batch}"]


def cases() -> list[Case]:
    """Return the rows of the table, or those of the models in ONLY."""
    chosen = [name for name in MODELS if not ONLY or name in ONLY]
    found = [Case(name, batch) for name in chosen for batch in MODELS[name].batches]
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        found += [Case(name, MODELS[name].batches[0], True) for name in chosen if name in ON_ONE_CORE]
    return found


def subset(samples: int, epochs: int) -> list[str]:
    """Return overrides for a number of samples and epochs, without validation split, with plain Adam."""
    limits = ["data.validation=0", f"data.limit={{train: {samples}, test: {TESTS}}}", f"train.epochs={epochs}"]
    return [*limits, "train.checkpoint.monitor=loss", "train.optimizer=Adam"]


def ours(folder: Path | str, config: Path, *overrides: str, one_core: bool = False) -> dict[str, Any]:
    """Run `dltrain fit`; return seconds of each epoch, metrics, wall seconds and peak bytes."""
    options = [option for override in (*overrides, "expect={}") for option in ("-s", override)]
    command = [*DLTRAIN, "fit", config, *options, "--runs-dir", folder]
    wall, peak, output = run(command, one_core=one_core)
    path = Path(output.strip().splitlines()[-1])
    rows = [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    record = json.loads((path / "run.json").read_text(encoding="utf-8"))
    seconds = [row["seconds"] for row in rows]
    return {"seconds": seconds, "metrics": record["metrics"], "wall": wall, "peak": peak, "path": path, "rows": rows}


def script(name: str, python: str = sys.executable, **environment: str) -> Callable[[Case, Path], dict[str, Any]]:
    """Return the function that trains a case with a script of this folder."""

    def train(case: Case, folder: Path) -> dict[str, Any]:
        command = [python, HERE / name, *case.arguments(folder)]
        return json_of(run(command, {"TESTS": str(TESTS), **environment}, case.one_core)[2])

    return train


def dltrain(case: Case, folder: Path) -> dict[str, Any]:
    """Train a case with dltrain."""
    return ours(folder / "runs", case.config, *case.overrides(folder), one_core=case.one_core)


WAYS: dict[str, Callable[[Case, Path], dict[str, Any]]] = {
    "plain Keras": script("plain_keras.py"),
    "dltrain": dltrain,
    "Keras, XLA, 50 steps": script("plain_keras.py", EXPERT="1"),
    "PyTorch": script("plain_pytorch.py", PYTORCH),
    "torch.compile": script("plain_pytorch.py", PYTORCH, COMPILE="1"),
    "JAX": script("plain_jax.py"),
}
OTHERS = [way for way in WAYS if way != "dltrain"]


def mflop(config: Path, *overrides: str) -> float:
    """Return MFLOP per sample, forward and backward: 2 for a multiply-add, backward twice the forward."""
    from dltrain.config import load

    rows = load(config, overrides).checked.outline.rows
    return sum(row.after.macs or 0 for row in rows) * 6 / 1e6


def write_table(path: Path) -> None:
    """Rows of 20 numbers and a number that four of them make, with noise."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((max(1_000_000 // DIVIDE, 2_048) + TESTS, 20), np.float32)
    noise = generator.standard_normal(len(x), np.float32)
    save(path, x, (np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + x[:, 3] + noise / 10)[:, None])


def write_series(path: Path) -> None:
    """Windows of 128 steps, of 4 channels: waves of 4 frequencies, one a class, with phases of their own and noise."""
    generator = np.random.default_rng(0)
    y = np.arange(12_800 + TESTS) % 4
    phase = generator.random((len(y), 1, 4), np.float32)
    waves = np.sin(2 * np.pi * (np.arange(128)[:, None] * (y[:, None, None] + 2) / 64 + phase))
    save(path, (waves + generator.standard_normal(waves.shape) / 2).astype(np.float32), y)


def write_photos(path: Path) -> None:
    """Images of 64 × 64 × 3 bytes: a pattern for each of 10 classes, under noise."""
    generator = np.random.default_rng(0)
    y = np.arange(1_600 + TESTS) % 10
    patterns = generator.random((10, 8, 8, 3)).repeat(8, 1).repeat(8, 2)
    save(path, (255 * (patterns[y] + generator.random((len(y), 64, 64, 3))) / 2).astype(np.uint8), y)


def save(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write a file whose last samples are the test split."""
    np.savez(path, x_train=x[:-TESTS], y_train=y[:-TESTS], x_test=x[-TESTS:], y_test=y[-TESTS:])


WRITERS = {"table": write_table, "series": write_series, "photos": write_photos}


@dataclass
class Found:
    """The samples/s of each way, a figure a round, and why the others fail."""

    case: Case
    rates: dict[str, list[float]]
    failures: dict[str, str]

    @property
    def name(self) -> list[str]:
        """The first cells of a row."""
        return [self.case.model, f"{self.case.batch:,}", "1" if self.case.one_core else "all"]

    def lead(self, way: str) -> list[float]:
        """Return dltrain's rate as a multiple of another's, for each round."""
        return [mine / other for mine, other in zip(self.rates["dltrain"], self.rates[way], strict=True)]

    def leads(self) -> list[str]:
        """Return dltrain's rate as a multiple of each other's, "–" where there is none."""
        return [spread(self.lead(way)) if way in self.rates else "–" for way in OTHERS]

    def speeds(self) -> list[str]:
        """Return each rate, "–" where there is none."""
        return [spread(self.rates[way], ",.0f") if way in self.rates else "–" for way in WAYS]

    def notes(self) -> list[str]:
        """Tell what is faster than dltrain, and what fails."""
        place = f"{self.case.model}, batch {self.name[1]}, {self.name[2]} cores".replace("1 cores", "1 core")
        medians = {way: statistics.median(self.lead(way)) for way in OTHERS if way in self.rates}
        faster = [f"{way} (dltrain {median:.2f} ×)" for way, median in medians.items() if median < 1]
        found = [f"- {place}: faster than dltrain: {', '.join(faster)}"] if faster else []
        return [*found, *(f"- {place}: {way} fails: {reason}" for way, reason in self.failures.items())]


def measure(case: Case, folder: Path) -> Found:
    """Train a case with each way in turns."""
    ways = [way for way in WAYS if way != "JAX" or case.model.startswith("mlp")]
    found = Found(case, {way: [] for way in ways}, {})
    print(*found.name, flush=True)
    for _ in range(ROUNDS):
        for way in [way for way in ways if way not in found.failures]:
            try:
                result = WAYS[way](case, folder)
            except Failed as error:
                if way == "dltrain":
                    raise
                found.failures[way] = error.reason
                del found.rates[way]
                continue
            first, *others = result["seconds"]  # the first traces
            found.rates[way].append(case.samples / min(others))
            print(f"  {way}: {found.rates[way][-1]:,.0f}/s, first epoch {first:.1f} s, {score(result):.4f}", flush=True)
    return found


def score(result: Mapping[str, Any]) -> float:
    """Return the accuracy on the test split, or the mean squared error."""
    metrics = result.get("metrics", {})
    return float(result["score"] if "score" in result else metrics.get("test_accuracy", metrics["test_loss"]))


def write_data(models: set[str], folder: Path) -> None:
    """Write the files that the models train on."""
    for data in {MODELS[name].data for name in models} - {"mnist"}:
        WRITERS[data](folder / f"{data}.npz")


def peak(one_core: bool) -> float:
    """Return the GFLOP/s of a float32 matrix product."""
    return float(json_of(run([sys.executable, HERE / "matmul_peak.py"], one_core=one_core)[2])["float32"])


def training() -> str:
    """Samples/s of dltrain beside plain Keras, PyTorch and JAX."""
    rates, leads, notes = [], [], []
    chosen = cases()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        QUIET["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")
        write_data({case.model for case in chosen}, folder)
        peaks = {one_core: peak(one_core) for one_core in {case.one_core for case in chosen}}
        for case in chosen:
            found = measure(case, folder)
            cost = mflop(case.config, *case.overrides(folder))
            share = statistics.median(found.rates["dltrain"]) * cost / 1e3 / peaks[case.one_core]
            rates.append([*found.name, f"{case.samples:,}", *found.speeds(), f"{cost:.2f}", f"{share:.0%}"])
            leads.append([*found.name, *found.leads()])
            notes += found.notes()
            print(rates[-1], leads[-1], sep="\n", flush=True)
    head = ["model", "batch", "cores"]
    about = (
        f"Samples/s, best of {EPOCHS - 1} epochs after the first, {ROUNDS} rounds; MFLOP of dltrain as a share of the "
    )
    about += "peak: " + ", ".join(
        f"{value:.0f} GFLOP/s on {'1 core' if one else 'all'}" for one, value in peaks.items()
    )
    return "\n\n".join(
        [
            about + ".",
            table([*head, "samples", *WAYS, "MFLOP/sample", "of peak"], rates),
            "dltrain as a multiple of each:",
            table([*head, *(f"× {way}" for way in OTHERS)], leads),
            "\n".join(notes) or "Nothing is faster than dltrain.",
        ]
    )
