"""`dltrain fit configs/cnn_mnist.yaml` against plain_keras.py: images/s and whole seconds, interleaved processes.

Both train the same CNN on the same 54,000 images at batch 32 for two epochs, evaluate and save. The rate is that of
the second epoch, which traces nothing. dltrain's whole time holds its validation, checkpoints and predictions.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
IMAGES, EPOCHS = 54_000, 2


def timed(command: list[str]) -> tuple[float, str]:
    """Wall seconds and stdout of a command that succeeds."""
    started = time.perf_counter()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started, done.stdout.decode()


def plain(folder: Path) -> tuple[float, float]:
    """(images/s of the last epoch, wall seconds) of the plain script."""
    data = HERE.parent / "src" / "dltrain" / "data" / "mnist.npz"
    command = [sys.executable, str(HERE / "plain_keras.py"), str(data), str(EPOCHS), str(folder / "plain.keras")]
    wall, output = timed(command)
    return IMAGES / json.loads(output)[-1], wall


def ours(folder: Path) -> tuple[float, float]:
    """(images/s of the last epoch, wall seconds) of dltrain."""
    config = HERE.parent / "configs" / "cnn_mnist.yaml"
    options = ["-s", f"train.epochs={EPOCHS}", "-s", "expect={}", "--runs-dir", str(folder)]
    wall, output = timed([sys.executable, "-m", "dltrain", "fit", str(config), *options])
    rows = (Path(output.strip().splitlines()[-1]) / "metrics.jsonl").read_text().splitlines()
    return IMAGES / json.loads(rows[-1])["seconds"], wall


def main() -> None:
    """Measure in turn and print minimum, median and maximum of each figure and ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            pair = [(plain, "plain"), (ours, "dltrain")]
            measured = {name: run(Path(folder)) for run, name in (pair if number % 2 == 0 else pair[::-1])}
            for name, (rate, wall) in measured.items():
                rows.setdefault(f"{name}, images/s", []).append(rate)
                rows.setdefault(f"{name}, whole command, s", []).append(wall)
            ratio = measured["dltrain"][0] / measured["plain"][0]
            rows.setdefault("images/s, dltrain / plain", []).append(ratio)
            whole = measured["plain"][1] / measured["dltrain"][1]
            rows.setdefault("whole command, plain / dltrain", []).append(whole)
    for name, values in rows.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:<32} min {low:9.2f}  median {middle:9.2f}  max {high:9.2f}", flush=True)


if __name__ == "__main__":
    main()
