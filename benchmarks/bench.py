"""Measure the figures of results.md in interleaved processes: `python benchmarks/bench.py [SECTION...]`.

Named sections are measured again; the others in results.md stay unchanged. PYTORCH names a Python with torch if this
one has none. ROUNDS, 5 by default, is how often each is measured; with ONLY or DIVIDE (training_speed.py) results.md
stays as it is.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_speed import DATA_SECTIONS
from measuring import DIVIDE, DLTRAIN, HERE, ONLY, PYTORCH, ROUNDS, json_of, measured, run, spread, table
from training_speed import MNIST, ROOT, ours, subset, training

RESULTS = HERE / "results.md"
CONFIGS = ROOT / "configs"
CNN = CONFIGS / "cnn_mnist.yaml"
IMAGES, EPOCHS = 6_400, 3


def plain(model: str, batch: int, epochs: int, images: int, **environment: str) -> dict[str, Any]:
    """Return the output of plain_keras.py, with wall seconds and peak bytes."""
    command = [sys.executable, HERE / "plain_keras.py", model, batch, epochs, images, MNIST]
    wall, peak, output = run(command, environment)
    return {**json_of(output), "wall": wall, "peak": peak}


def small(batch: int, *more: str) -> list[str]:
    """Return the overrides that make dltrain train like the plain scripts."""
    return [*subset(IMAGES, EPOCHS), f"train.batch_size={batch}", *more]


def rate(result: Mapping[str, Any]) -> float:
    """Return images/s of the best epoch after the first, which traces."""
    return IMAGES / min(result["seconds"][1:])


def machine() -> str:
    """The machine and the versions."""
    facts = json_of(run([*DLTRAIN, "env", "--json"])[2])
    peak = measured("matmul_peak.py")
    facts["torch"] = run([PYTORCH, "-c", "import torch; print(torch.__version__)"])[2].strip()
    lines = [f"- {key}: {value}" for key, value in facts.items()]
    return "\n".join([*lines, *(f"- matrix product, {name}: {value:.0f} GFLOP/s" for name, value in peak.items())])


def precision() -> str:
    """The CNN in bfloat16 compared with float32."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in (32, 128):
            ratios = []
            for _ in range(ROUNDS):
                pair = [
                    rate(ours(folder, CNN, *small(batch, f"train.precision={kind}")))
                    for kind in ("mixed_bfloat16", "float32")
                ]
                ratios.append(pair[0] / pair[1])
            rows.append([str(batch), spread(ratios)])
            print(rows[-1], flush=True)
    return table(["batch", "mixed_bfloat16 / float32, images/s"], rows)


def whole() -> str:
    """Whole commands: two epochs of the CNN, time to 99 %, peak memory, evaluation."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            two, mine = plain("cnn", 32, 2, 54_000), ours(folder, CNN, "train.epochs=2")
            found.setdefault("whole command, 2 epochs of `cnn_mnist`: plain s", []).append(two["wall"])
            found.setdefault("whole command, 2 epochs of `cnn_mnist`: dltrain s", []).append(mine["wall"])
            found.setdefault("**plain / dltrain**", []).append(two["wall"] / mine["wall"])
            found.setdefault("**peak memory, dltrain / plain**", []).append(mine["peak"] / two["peak"])
            inference = measured("evaluate_run.py", mine["path"])["inference"]
            found.setdefault("**evaluate and predict 10,000 images, plain at batch 32 / dltrain**", []).append(
                two["inference"] / inference
            )
            to_99 = plain("cnn", 32, 12, 60_000, TARGET="0.99")
            fast = ours(folder, CONFIGS / "mnist_fast.yaml")
            found.setdefault("time to 99 %, plain script: s", []).append(to_99["wall"])
            found.setdefault("`mnist_fast.yaml`, whole command: s", []).append(fast["wall"])
            found.setdefault("its test accuracy, %", []).append(100 * fast["metrics"]["test_accuracy"])
            found.setdefault("**time to 99 %, plain / dltrain**", []).append(to_99["wall"] / fast["wall"])
            print({key: values[-1] for key, values in found.items()}, flush=True)
    return table(["", f"median (min–max) of {ROUNDS}"], [[name, spread(values)] for name, values in found.items()])


def accuracy() -> str:
    """Test accuracy after two epochs over three seeds."""
    kinds: dict[str, list[str]] = {
        "dltrain": [],
        "in mixed_bfloat16": ["train.precision=mixed_bfloat16"],
        "on JAX": ["runtime.backend=jax"],
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in ("cnn", "lstm"):
            for seed in (1, 2, 3):
                found = [plain(model, 32, 2, 54_000, SEED=str(seed))["score"]]
                for more in kinds.values():
                    same = ["train.epochs=2", "train.batch_size=32", "train.optimizer=Adam", f"seed={seed}", *more]
                    found.append(ours(folder, CONFIGS / f"{model}_mnist.yaml", *same)["metrics"]["test_accuracy"])
                rows.append([model, str(seed), *(f"{value:.4f}" for value in found)])
                print(rows[-1], flush=True)
    return table(["model", "seed", "plain Keras", *kinds], rows)


def growth() -> str:
    """Scaling: seconds per epoch by samples, per run by epochs, per epoch by layers."""
    rows = []
    dense = "Dense: {units: 256, activation: relu}"
    with tempfile.TemporaryDirectory() as folder:

        def seconds(config: str, samples: int, epochs: int, *more: str) -> list[float]:
            return list(ours(folder, CONFIGS / f"{config}.yaml", *subset(samples, epochs), *more)["seconds"][1:])

        def by_layers(n: int) -> float:
            layers = f"[Flatten, repeat: {{times: {8 * n}, layers: [{dense}]}}, Dense: {{units: 10}}]"
            return min(seconds("mlp_mnist_mse", 12_800, 3, f"model.layers={layers}"))

        cases: dict[str, Callable[[int], float]] = {
            "samples: seconds of an epoch": lambda n: min(seconds("cnn_mnist", 6_400 * n, 3)),
            "epochs: seconds of all after the first": lambda n: sum(seconds("cnn_mnist", 3_200, 3 * n + 1)),
            "layers: seconds of an epoch": by_layers,
        }
        for name, cost in cases.items():
            found = [statistics.median(cost(n) for _ in range(3)) for n in (1, 2, 4, 8)]
            rows.append([name, *(f"{value:.2f} ({value / found[0]:.1f}×)" for value in found)])
            print(rows[-1], flush=True)
    return table(["", "1×", "2×", "4×", "8×"], rows)


def start_up() -> str:
    """Wall seconds of interactive commands."""
    with tempfile.TemporaryDirectory() as folder:
        from dltrain import runs

        for _ in range(1_000):
            made = runs.create(Path(folder) / "many", name="a", config=b"", resolved="", record={})
            made.finish("completed")
            made.release()
        commands: dict[str, list[object]] = {
            "`--help`": [*DLTRAIN, "--help"],
            "`check`": [*DLTRAIN, "check", CNN],
            "`ls`, 1,000 runs": [*DLTRAIN, "ls", "--runs-dir", Path(folder) / "many"],
            "`fit --smoke`": [*DLTRAIN, "fit", CNN, "--smoke", "--runs-dir", folder],
            "`import tensorflow`": [sys.executable, "-c", "import tensorflow"],
        }
        found = {name: [run(command)[0] for _ in range(2 * ROUNDS + 1)][1:] for name, command in commands.items()}
    return table(["command", "seconds"], [[name, spread(values, ".3f")] for name, values in found.items()])


SECTIONS = {
    "machine": machine,
    "training": training,
    "precision": precision,
    "whole": whole,
    "accuracy": accuracy,
    "growth": growth,
    "start_up": start_up,
    **DATA_SECTIONS,
}


def main() -> None:
    """Measure the named sections, or all, and write each to results.md when it is done."""
    for name in sys.argv[1:] or SECTIONS:
        function = SECTIONS[name]
        measured = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        if ONLY or DIVIDE != 1:
            print(function())
            continue
        about = f"*{(function.__doc__ or '').strip()} Measured {measured}.*"
        found = f"<!-- {name} -->\n{about}\n\n{function()}\n<!-- /{name} -->"
        text = RESULTS.read_text(encoding="utf-8")
        before, begin, rest = text.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not begin or not end:
            raise SystemExit(f"{RESULTS} has no place for `{name}`")
        RESULTS.write_text(before + found + after, encoding="utf-8")


if __name__ == "__main__":
    main()
