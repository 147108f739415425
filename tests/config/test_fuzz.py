"""Any input gives problems or a spec: never a traceback, a hang or unbounded memory use."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dltrain.cli import diagnostics
from dltrain.config.catalogue import entries
from dltrain.config.document.writer import flow
from dltrain.config.plan import check
from dltrain.config.resolved import dump
from dltrain.errors import ConfigError, Problem

ROOT = Path(__file__).parent.parent.parent
TEXTS = [path.read_bytes() for path in sorted((ROOT / "configs").glob("*.yaml"))]
FUZZ = settings(deadline=None, derandomize=True, max_examples=250, suppress_health_check=list(HealthCheck))
WORDS = re.findall(
    r"\w+",
    "version name seed data dataset validation limit train test model layers optimizer loss metrics batch_size epochs "
    "callbacks checkpoint monitor mode precision expect extends repeat times mnist synthetic digits Dense Conv2D LSTM "
    "Flatten Reshape Bidirectional TimeDistributed RNN units filters kernel_size target_shape layer cell Adam SGD "
    "learning_rate CosineDecay decay_steps EarlyStopping accuracy mse categorical_crossentropy full auto softmax",
)


def problems_of(data: bytes) -> tuple[Problem, ...]:
    try:
        return check("fuzz.yaml", data, ()).warnings
    except ConfigError as error:
        return error.problems


def assert_valid_problems(data: bytes) -> None:
    """Check `data`; every problem renders in every format and has a valid position."""
    problems = problems_of(data)
    for problem in problems:
        where = problem.where
        assert problem.message
        assert where is None or (where.line >= 1 and 1 <= where.column < where.end_column)
        for width in (None, 40, 80):
            shown = re.sub(r"\x1b\[[0-9;]*m", "", diagnostics.text(problem, width))
            assert all(c.isprintable() or c == "\n" for c in shown)
    assert len(json.loads(diagnostics.as_json(problems))) == len(problems)
    assert len(diagnostics.as_github(problems).splitlines()) == len(problems)


@FUZZ
@given(st.binary(max_size=400))
def test_fuzz_bytes(data: bytes) -> None:
    assert_valid_problems(data)


@FUZZ
@given(st.text(st.sampled_from("abD:{}[]-,&*!|>'\"#%@` \n\t\\0123456789.e~<?\x00\x85\u2028é"), max_size=200))
def test_fuzz_yaml_special_characters(text: str) -> None:
    assert_valid_problems(text.encode())


@FUZZ
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_fuzz_mutated_configs(data: bytes, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 6)):
        start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        end = min(end, start + chance.choice((1, 3, 20)))
        piece = chance.choice(
            (b"", b"\t", b": ", b"\n", b"- ", b"{", b"]", b"&a ", b"*a", b"\xff", b"1e999", data[start:end] * 2)
        )
        data = data[:start] + piece + data[end:]
    assert_valid_problems(data)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.sampled_from(WORDS),
    st.sampled_from(sorted(entries.names("layer"))),
    st.text(max_size=5),
)


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(children, max_size=4),
        st.dictionaries(st.sampled_from([*WORDS, *entries.names("layer")]), children, max_size=4),
    )


@FUZZ
@given(st.recursive(SCALARS, nested, max_leaves=30))
def test_fuzz_structures(value: object) -> None:
    assert_valid_problems(flow(value).encode("utf-8", "surrogatepass"))


def layer_lists() -> st.SearchStrategy[list[Any]]:
    """Draw lists of catalogue layers with arbitrary argument values."""

    def layer(name: str) -> st.SearchStrategy[Any]:
        entry = entries.find("layer", name)
        keys = sorted(entry.arguments) if entry is not None else []
        values = st.one_of(SCALARS, st.lists(st.integers(-2, 40), max_size=4))
        arguments = st.dictionaries(st.sampled_from(keys), values, max_size=4) if keys else st.just({})
        return arguments.map(lambda given: {name: given})

    return st.lists(st.sampled_from(entries.names("layer")).flatmap(layer), min_size=1, max_size=6)


@FUZZ
@given(layer_lists(), st.sampled_from(["mnist", "digits", {"synthetic": {"shape": [7, 3]}}]))
def test_fuzz_layer_lists(layers: list[Any], dataset: Any) -> None:
    train = {"optimizer": "Adam", "loss": "mse", "epochs": 1}
    config = {"data": {"dataset": dataset}, "model": {"layers": layers}, "train": train}
    assert_valid_problems(dump(config).encode("utf-8", "surrogatepass"))


BOMBS = {
    "aliases": "a: &a [x, x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)),
    "depth": "[" * 100_000,
    "flow maps": "{a: " * 50_000,
    "digits": "seed: " + "9" * 100_000,
    "exponent": "seed: 1e" + "9" * 100,
    "merges": "a: &a {"
    + ", ".join(f"k{i}: 1" for i in range(1000))
    + "}\n"
    + "".join(f"m{i}: {{<<: *a}}\n" for i in range(2000)),
    "too large": "#" * 5_000_000,
    "cycle": "data: &a {dataset: *a}",
    "repeats": "model: {layers: [" + "{repeat: {times: 9999, layers: [" * 15 + "Flatten" + "]}}" * 15 + "]}",
    "shape": "data: {dataset: {synthetic: {shape: [1000000, 1000000, 1000000]}}}\n"
    "model: {layers: [{RepeatVector: {n: 1000000000000}}]}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_fuzz_bombs_are_rejected_within_time_and_memory_limits(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    path.write_text(BOMBS[name])
    code = (  # within 2 GiB and 20 seconds of CPU time, however busy the machine is
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30));"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20)); sys.argv[0] = 'dltrain';"
        "from dltrain.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2, done.stderr[-500:]
    assert "Traceback" not in done.stderr
    assert "problem" in done.stderr


def test_fuzz_infinite_file_is_rejected(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dltrain", "check", "/dev/zero"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
