"""Measure wall seconds of `dltrain check`, one process per config, also for files of 100 to 10,000 layers.

The long files alternate dense, convolutional, dropout and normalisation layers, once correct and once with a mistake
in every fourth layer.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
DLTRAIN = str(Path(sys.executable).parent / "dltrain")
REPEATS = 7
HEAD = "data: {dataset: mnist}\nmodel:\n  layers:\n"
TAIL = """\
    - Flatten
    - Dense: {units: 10, activation: softmax}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, metrics: [accuracy], epochs: 1}
"""
GROUP = """\
    - Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: relu, kernel_regularizer: {L2: {l2: 0.01}}}
    - BatchNormalization: {momentum: 0.9}
    - Dropout: {rate: 0.1}
    - Dense: {units: 4, activation: relu}
"""


def seconds(config: Path) -> list[float]:
    """Return the wall seconds of `REPEATS` runs, after one warm-up run."""
    taken = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        subprocess.run([DLTRAIN, "check", str(config)], check=False, capture_output=True)
        taken.append(time.perf_counter() - started)
    return taken[1:]


def line(name: str, taken: list[float]) -> str:
    return f"{name:<28} min {min(taken):6.3f}  median {statistics.median(taken):6.3f}  max {max(taken):6.3f} s"


def main() -> None:
    """Print minimum, median and maximum for each file."""
    for config in sorted((ROOT / "configs").glob("*.yaml")):
        print(line(config.name, seconds(config)))
    with tempfile.TemporaryDirectory() as folder:
        for layers in (100, 1_000, 10_000):
            for kind, group in (("right", GROUP), ("wrong", GROUP.replace("rate: 0.1", "rat: 0.1"))):
                path = Path(folder) / f"{layers}.yaml"
                path.write_text(HEAD + group * (layers // 4) + TAIL, encoding="utf-8")
                print(line(f"{layers:,} layers, {kind}", seconds(path)))


if __name__ == "__main__":
    main()
