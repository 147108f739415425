"""Open runs, configs and repositories that a stranger may have made, and look at what dltrain does with them.

Each round makes one hostile place from a seed, and runs the verbs in it as real processes. A round passes if nothing
that the place names was run, no file outside it was changed, nothing was printed that a terminal obeys, no output was
longer than 20 kB, no traceback was shown, and time and memory stayed within limits. Exit code 1 if a round fails.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG = """
data: {dataset: {synthetic: {shape: [4], classes: 2, samples: 64}}}
model: {layers: [Dense: {units: 3, activation: relu}, Dense: {units: 2, activation: softmax}]}
train: {optimizer: Adam, loss: sparse_categorical_crossentropy, metrics: [accuracy], epochs: 2}
"""
LOOKS = (("ls",), ("ls", "--json"), ("show", "latest"), ("show", "--json", "latest"), ("check", "config.yaml"))
WORKS = (("eval", "latest"), ("resume", "latest", "-s", "train.epochs=3"), ("fit", "config.yaml"))
CODES = {0, 1, 2, 3, 4}
LONGEST_OUTPUT = 20_000  # bytes
SECONDS = {True: 20, False: 120}  # of CPU time, for a look and for work
BYTES = {True: 2 << 30, False: 16 << 30}  # of address space
SIGNS = "\x00\x07\x1b\r\n\t[]{}:,#&*!|>'\"%@`-?=.aé\u202e\ufeff𐐨"


class Place:
    """A folder with a config and a trained run, which a maker spoils."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.config = folder / "config.yaml"
        self.run = next((folder / "runs").iterdir())
        self.victim = folder.parent / "victim"
        self.ran = folder.parent / "ran"

    def text(self, most: int) -> str:
        """A random text of up to `most` characters: one unit again and again, or noise."""
        unit = "".join(self.chance.choices(SIGNS, k=self.chance.choice((1, 2, 3, 40))))
        return (unit * (most // len(unit)))[: self.chance.randint(1, most)]

    def value(self, depth: int = 0) -> Any:
        """A random JSON value: deep, wide, long, or a number that is none."""
        chance = self.chance
        kind = chance.randrange(8 if depth < 3 else 6)
        if kind == 6:
            return [self.value(depth + 1)] * chance.choice((1, 10, 10_000))
        if kind == 7:
            return {self.text(20): self.value(depth + 1) for _ in range(chance.choice((1, 10, 1_000)))}
        numbers = (0, -1, 10**400, 2**63, 1e308, float("nan"), float("-inf"), True, None)
        return chance.choice(numbers) if kind < 3 else self.text(chance.choice((5, 500, 50_000)))


def fields(place: Place) -> None:
    """run.json with some of its fields replaced, or fields added."""
    path = place.run / "run.json"
    found = json.loads(path.read_text())
    for key in place.chance.sample([*found, "more", place.text(10)], k=place.chance.randint(1, 4)):
        found[key] = place.value()
    path.write_text(json.dumps(found))


def nested(place: Place) -> None:
    """run.json, nested deeply or very wide."""
    path = place.run / "run.json"
    depth = place.chance.choice((40, 60, 600, 900, 100_000))
    more = "[" * depth + "]" * depth if place.chance.random() < 0.5 else "[" + "[]," * 300_000 + "[]]"
    path.write_text(f'{path.read_text().rstrip()[:-1]}, "deep": {more}}}')


def flipped(place: Place) -> None:
    """Any file of the run with some bytes changed."""
    path = place.chance.choice([path for path in place.run.rglob("*") if path.is_file() and path.stat().st_size])
    data = bytearray(path.read_bytes())
    for _ in range(place.chance.choice((1, 5, 50))):
        data[place.chance.randrange(len(data))] = place.chance.randrange(256)
    path.write_bytes(data)


def journal(place: Place) -> None:
    """metrics.jsonl that is long, has long lines, or is none."""
    line = json.dumps({"epoch": 1, place.text(20): 1.0, "loss": float("nan")}) + "\n"
    lines = (line * 100_000, place.text(1_000_000), json.dumps({"epoch": 1, **{f"m{i}": 1.0 for i in range(50_000)}}))
    (place.run / "metrics.jsonl").write_text(place.chance.choice(lines), encoding="utf-8", errors="replace")


def written(place: Place) -> None:
    """resolved.yaml and config.yaml with a long or spoiled text."""
    text = CONFIG.replace(place.chance.choice(CONFIG.split()), place.text(place.chance.choice((10, 1_000, 1_000_000))))
    for path in (place.config, place.run / "resolved.yaml"):
        path.write_text(text, encoding="utf-8", errors="replace")


def extending(place: Place) -> None:
    """A config that extends what is no config."""
    (place.folder / "link").symlink_to(place.victim)
    os.mkfifo(place.folder / "pipe")
    (place.folder / "loop").symlink_to("loop")
    up = "../" * 30
    bases = ("link", "pipe", "loop", ".", f"{up}dev/zero", f"{up}proc/kmsg", f"{up}proc/self/mem", "config.yaml", "\\0")
    place.config.write_text(f'extends: "{place.chance.choice(bases)}"\n{CONFIG}')
    (place.run / "resolved.yaml").write_text(place.config.read_text())


def linked(place: Place) -> None:
    """A file of the run that is a link, a hard link, a pipe or a folder."""
    name = place.chance.choice(
        ("run.json", "resolved.yaml", "metrics.jsonl", "metrics.csv", "log.txt", ".lock", "eval")
    )
    path = place.run / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    kinds: tuple[Callable[[], object], ...] = (
        lambda: path.symlink_to(place.victim),
        lambda: os.link(place.victim, path),
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to(name),
    )
    place.chance.choice(kinds)()


def names(place: Place) -> None:
    """Entries of runs/ and checkpoints/ with long and strange names, links and copies."""
    for folder in (place.run.parent, place.run / "checkpoints"):
        for _ in range(5):
            name = place.text(60).replace("/", "").replace("\0", "") or "x"
            with contextlib.suppress(OSError):
                (folder / name).mkdir()
        (folder / ("epoch-" + "9" * 249)).mkdir()
        (folder / "loop").symlink_to("loop")
        (folder / "zz-latest").symlink_to(place.run)
    shutil.copytree(place.run, place.run.with_name("copy"), symlinks=True)


def tensors(place: Place) -> None:
    """A checkpoint whose weights have other names, or a header that lies."""
    import hashlib

    for folder in (place.run / "checkpoints").iterdir():
        header = {f"{place.text(30)}{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)}
        if place.chance.random() < 0.5:
            header = {"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
        data = json.dumps(header).encode()
        (folder / "weights.safetensors").write_bytes(len(data).to_bytes(8, "little") + data)
        files = {
            path.name: {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in folder.iterdir()
            if path.name != "manifest.json"
        }
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, "files": files}))


def repository(place: Place) -> None:
    """A repository around all of it, whose config runs programs."""
    program = f"sh -c ': > {place.ran}'"
    git = ["git", "-C", str(place.folder), "-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    for words in (("init", "-q"), ("add", "config.yaml"), ("commit", "-q", "-m", "one")):
        subprocess.run([*git, *words], check=True, capture_output=True)
    name = place.chance.choice(("evil", "a=b", "=", "a.b", "ä", "$(x)", "-x", "%s", "x=y=z"))
    (place.folder / ".gitattributes").write_text(f"* filter={name} diff={name}\n")
    keys = ("core.fsmonitor", "core.pager", "core.sshCommand", "core.hooksPath", "diff.external", "alias.status")
    for key in (
        *keys,
        f"filter.{name}.clean",
        f"filter.{name}.process",
        f"filter.{name}.smudge",
        f"diff.{name}.textconv",
    ):
        subprocess.run([*git, "config", key, program], check=True, capture_output=True)
    os.utime(place.config, (1, 1))
    if place.chance.random() < 0.5:  # the run brings the repository
        for part in (".git", ".gitattributes"):
            shutil.move(place.folder / part, place.run / part)


MAKERS: tuple[Callable[[Place], None], ...] = (
    fields, nested, flipped, journal, written, extending, linked, names, tensors, repository,
)  # fmt: skip


def problems(place: Place, arguments: tuple[str, ...], look: bool) -> list[str]:
    """Run one verb; return what is wrong with what it did."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS[look], SECONDS[look]))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES[look], BYTES[look]))

    command = [sys.executable, "-m", "dltrain", *arguments]
    try:
        done = subprocess.run(
            command, cwd=place.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, preexec_fn=limit
        )
    except subprocess.TimeoutExpired:
        return ["it waits for ever"]
    output = done.stdout + done.stderr
    found = []
    if done.returncode not in CODES:
        found.append(f"exit code {done.returncode}: {output[-300:]!r}")
    if b"Traceback" in output:
        found.append(f"a traceback: {output[-600:].decode(errors='replace')}")
    if len(output) > LONGEST_OUTPUT and "--json" not in arguments:
        found.append(f"{len(output):,} bytes of output")
    if b"\x1b" in output or b"\x07" in output:
        found.append("what a terminal obeys")
    if place.ran.exists():
        found.append("a program of the place was run")
    if place.victim.read_bytes() != b"untouched\n":
        found.append("a file outside was changed")
    return found


def torture(template: Path, folder: Path, maker: Callable[[Place], None], seed: str, verbs: int) -> list[str]:
    """Make one hostile place and run the verbs there; return what went wrong."""
    chance = random.Random(seed)
    folder.mkdir()
    (folder / "victim").write_bytes(b"untouched\n")
    shutil.copytree(template, folder / "place")
    place = Place(folder / "place", chance)
    maker(place)
    chosen = [(arguments, True) for arguments in LOOKS] + [
        (arguments, False) for arguments in chance.sample(WORKS, k=verbs)
    ]
    return [
        f"{' '.join(arguments)}: {found}" for arguments, look in chosen for found in problems(place, arguments, look)
    ]


def main() -> int:
    """Run all rounds and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="for each way to make a hostile place")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--works", type=int, default=len(WORKS), help="of `eval`, `resume` and `fit` in each round")
    given = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="strangers-") as name:
        template = Path(name) / "template"
        template.mkdir()
        (template / "config.yaml").write_text(CONFIG)
        subprocess.run(
            [sys.executable, "-m", "dltrain", "fit", "config.yaml"], cwd=template, check=True, capture_output=True
        )
        for number in range(given.rounds):
            for maker in MAKERS:
                seed = f"{given.seed}-{maker.__name__}-{number}"
                found = torture(template, Path(name) / seed, maker, seed, given.works)
                shutil.rmtree(Path(name) / seed)
                failed += bool(found)
                print(f"{seed}: {'held' if not found else 'FAILED'}", *found, sep="\n  " if found else "", flush=True)
    print(f"{given.rounds * len(MAKERS) - failed} of {given.rounds * len(MAKERS)} rounds held", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
