"""Wall seconds of `dltrain --help` and `dltrain check`, each a fresh process, after one warm-up."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

CONFIG = Path(__file__).parent.parent / "configs" / "cnn_mnist.yaml"
DLTRAIN = str(Path(sys.executable).parent / "dltrain")


def main() -> None:
    """Print minimum, median and maximum of 15 runs of each command."""
    for arguments in (["--help"], ["check", str(CONFIG)], ["ls"]):
        seconds = []
        for _ in range(16):
            started = time.perf_counter()
            subprocess.run([DLTRAIN, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - started)
        kept = seconds[1:]
        figures = f"min {min(kept):.3f}  median {statistics.median(kept):.3f}  max {max(kept):.3f}"
        print(f"dltrain {arguments[0]:<8} {figures} s")


if __name__ == "__main__":
    main()
