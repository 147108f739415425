"""The cost of reliability: checkpoint time as a share of an epoch of cnn_mnist, and the slowdown of determinism.

Every figure comes from a fresh process. Checkpoint, journal and log of an epoch are timed inside the recorder; the
time of an epoch is training time alone. Runs with and without determinism alternate.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CONFIG = HERE.parent / "configs" / "cnn_mnist.yaml"
ROUNDS = 5


def measured(*overrides: str) -> dict[str, list[float]]:
    """Return the seconds of each epoch after the first, which traces, and of saving after it."""
    command = [sys.executable, str(HERE / "epoch_cost.py"), str(CONFIG), json.dumps([*overrides, "expect={}"])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the two figures."""
    whole = measured("train.epochs=4")
    shares = [kept / epoch for kept, epoch in zip(whole["kept"], whole["epochs"], strict=True)]
    print(
        f"after an epoch of cnn_mnist ({statistics.median(whole['epochs']):.1f} s): "
        f"{statistics.median(whole['kept']) * 1000:.0f} ms for checkpoint, journal and log: "
        f"{statistics.median(shares):.2%} ({min(shares):.2%}-{max(shares):.2%})"
    )
    ratios = []
    for _ in range(ROUNDS):
        small = ("train.epochs=3", "data.limit.train=12800")
        pair = [min(measured(*small, f"train.deterministic={value}")["epochs"]) for value in ("true", "false")]
        ratios.append(pair[0] / pair[1])
    print(
        f"an epoch with determinism / without, best of 2, {ROUNDS} rounds: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}-{max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
