"""Kill trainings at random moments, resume them, and compare each with an uninterrupted one.

Real command-line processes and real signals: mostly SIGKILL, sometimes SIGINT or SIGTERM. A round passes if the last
and the best checkpoint, byte by byte, and the journal, except its times, have the SHA-256 of the uninterrupted run.
Exit code 1 if a round fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dltrain import runs

TRAIN = """
data: {dataset: mnist, limit: {train: 1200, test: 100}}
train:
  optimizer: {Adam: {learning_rate: 1e-3}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  epochs: 5
  callbacks:
    - ReduceLROnPlateau: {patience: 0, factor: 0.5}
    - EarlyStopping: {patience: 4, restore_best_weights: true}
"""
MODELS = {
    "cnn": """
model:
  layers:
    - Conv2D: {filters: 16, kernel_size: 3, activation: relu}
    - MaxPooling2D
    - BatchNormalization
    - Flatten
    - Dropout: {rate: 0.5}
    - Dense: {units: 10, activation: softmax}
""",
    "stacked-lstm": """
model:
  layers:
    - Reshape: {target_shape: [28, 28]}
    - LSTM: {units: 24, return_sequences: true, dropout: 0.2}
    - LSTM: {units: 24, dropout: 0.2, recurrent_dropout: 0.1}
    - Dropout: {rate: 0.3}
    - Dense: {units: 10, activation: softmax}
runtime: {recurrent: unroll}
""",
}
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MOST_KILLS = 4


def digest(run: runs.Run) -> str:
    """Return one SHA-256 of everything that must be identical."""
    last = run.checkpoints()[-1]
    best = json.loads(run.read_checkpoint(last)["state.json"])["best"]["epoch"]
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in run.metrics()]
    whole = hashlib.sha256(json.dumps([rows, dict(run.record().metrics)], sort_keys=True).encode())
    for epoch in (last, best):
        for name, data in sorted(run.read_checkpoint(epoch).items()):
            whole.update(name.encode() + hashlib.sha256(data).digest())
    return whole.hexdigest()


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dltrain", *arguments]
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)


def fit_or_resume(folder: Path) -> subprocess.Popen[bytes]:
    if runs.list_runs(folder / "runs"):
        return start(folder, "resume", "latest")
    return start(folder, "fit", "config.yaml")


def is_complete(folder: Path) -> bool:
    return any(summary.status == "completed" for summary in runs.list_runs(folder / "runs"))


def torture(folder: Path, seconds: float, chance: random.Random) -> tuple[int, list[str]]:
    """Kill a training several times, then let it finish; return the last exit code and the kills."""
    done: list[str] = []
    for _ in range(chance.randint(1, MOST_KILLS)):
        process = fit_or_resume(folder)
        wait, signum = chance.uniform(0, seconds * 1.05), chance.choice(SIGNALS)
        try:
            code = process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signum)
            process.wait()
            done.append(f"{signal.Signals(signum).name}@{wait:.1f}s")
            if is_complete(folder):  # the signal came after the last write
                return 0, done
        else:
            if code == 0:
                return 0, [*done, "ended by itself"]
            return code, done
    return fit_or_resume(folder).wait(), done


def run_rounds(model: str, rounds: int, seed: int) -> int:
    """Run the rounds of one model; return how many ended bit-identical."""
    survived = kills = 0
    with tempfile.TemporaryDirectory(prefix=f"torture-{model}-") as name:
        root = Path(name)
        config = TRAIN + MODELS[model]
        whole = root / "whole"
        whole.mkdir()
        (whole / "config.yaml").write_text(config, encoding="utf-8")
        started = time.monotonic()
        if start(whole, "fit", "config.yaml").wait() != 0:
            sys.exit((whole / "output.txt").read_text(encoding="utf-8"))
        seconds = time.monotonic() - started
        expected = digest(runs.find("latest", whole / "runs"))
        print(f"{model}: {expected} in {seconds:.1f} s", flush=True)
        for number in range(1, rounds + 1):
            folder = root / f"round-{number}"
            folder.mkdir()
            (folder / "config.yaml").write_text(config, encoding="utf-8")
            code, done = torture(folder, seconds, random.Random(f"{seed}-{model}-{number}"))
            found = runs.find("latest", folder / "runs")
            same = code == 0 and found.status() == "completed" and digest(found) == expected
            survived += same
            kills += len([kill for kill in done if "@" in kill])
            print(f"{model} {number}/{rounds}: {'same' if same else 'DIFFERENT'}  {' '.join(done)}", flush=True)
            if not same:
                print((folder / "output.txt").read_text(encoding="utf-8", errors="replace")[-3000:], flush=True)
    print(f"{model}: {survived} of {rounds} rounds ended in the same bits, {kills} kills", flush=True)
    return survived


def main() -> int:
    """Run all rounds and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="for each model")
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), default=sorted(MODELS))
    parser.add_argument("--seed", type=int, default=0, help="of the moments and signals")
    given = parser.parse_args()
    return int(any(run_rounds(model, given.rounds, given.seed) < given.rounds for model in given.models))


if __name__ == "__main__":
    raise SystemExit(main())
