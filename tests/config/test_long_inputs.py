"""Whatever is long in a config takes linear time, at most a second at the limit, and is told briefly."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from dltrain.cli import diagnostics
from dltrain.config.document.reader import MAX_BYTES
from dltrain.config.plan import load
from dltrain.errors import ConfigError, DltrainError

SECTIONS = {
    "data": "{dataset: digits, validation: 0.1}",
    "model": "{layers: [Flatten, Dense: {units: 10, activation: softmax}]}",
    "train": "{optimizer: Adam, loss: sparse_categorical_crossentropy, epochs: 1}",
}
Make = Callable[[int], str]  # about so many characters -> a config


def config(**sections: str) -> str:
    return "".join(f"{key}: {text}\n" for key, text in {**SECTIONS, **sections}.items())


def repeated(before: str, unit: str, after: str = "") -> Make:
    """The text `unit` again and again."""
    return lambda size: before + unit * ((size - len(before) - len(after)) // len(unit)) + after


def counted(before: str, unit: str, after: str = "", most: int = 10**9) -> Make:
    """The text `unit` with a number for its `#`, again and again."""

    def make(size: int) -> str:
        count = (size - len(before) - len(after)) // (len(unit) + 5)
        return before + "".join(unit.replace("#", f"{i:06d}") for i in range(min(count, most))) + after

    return make


def nested(before: str, opened: str, unit: str, closed: str, after: str = "", most: int = 990) -> Make:
    """Lists or mappings of at most `most` units, as many of them as fit."""

    def make(size: int) -> str:
        group = opened + "".join(unit.replace("#", f"{i:06d}") for i in range(most)) + closed
        count = (size - len(before) - len(after)) // (len(group.replace("@", "999")))
        return before + "".join(group.replace("@", str(i)) for i in range(count)) + after

    return make


LAYERS, TRAIN = (
    "model:\n  layers:\n",
    "train:\n  optimizer: Adam\n  loss: sparse_categorical_crossentropy\n  epochs: 1\n",
)
REST = f"data: {SECTIONS['data']}\ntrain: {SECTIONS['train']}\n"
KINDS: dict[str, Make] = {
    "bound, digits": repeated(config() + 'expect: {test_accuracy: ">= ', "1", 'x"}\n'),
    "bound, spaces": repeated(config() + 'expect: {test_accuracy: ">=', " ", 'x"}\n'),
    "bracket, word": repeated(config() + "x: [", "a"),
    "bracket, words": repeated(config() + "x: [", "a "),
    "brace, word": repeated(config() + "x: {", "a"),
    "brackets": repeated("x: ", "["),
    "braces": repeated("x: ", "{a: "),
    "rate, digits": repeated(
        config(train='{loss: mse, epochs: 1, optimizer: {Adam: {learning_rate: "')[:-1], "1", 'x"}}}'
    ),
    "rate, number": repeated(config() + "rate: ", "1", "\n"),
    "word before a colon": repeated(config(), "a", ": 1\n"),
    "word after a colon": repeated(config() + "a: ", "b", ": 1\n"),
    "words before colons": repeated(config(), "a ", ": 1: 2\n"),
    "dashes and words": repeated(config(), "-a"),
    "spaces": repeated(config() + "x:", " ", "- ]"),
    "tabs": repeated(config() + "x:\n", "\t", "a: ]"),
    "empty lines": repeated(config() + "x: [", "\n", "]]"),
    "colons without spaces": repeated(config() + "x: ", "a:", "{"),
    "colons": repeated(config() + "x: ", "a: "),
    "words in lines": repeated(config(), "a\n", "]"),
    "commas missing": repeated(config() + "x: {", "a_a ", "b: 1 c: 2}"),
    "comparisons": repeated(config() + "x: ", "> 1", "{"),
    "less than": repeated(config() + "x: ", "< ", "\n]"),
    "comment": repeated(config() + "x: [ # ", "# "),
    "quote not closed": repeated(config() + 'x: "', "a "),
    "quote not closed, lines": repeated(config() + 'x: "', "a\n"),
    "escapes": repeated(config() + 'x: "', "\\u0041", '"'),
    "block": repeated(config() + "x: |\n", "  aaaa\n"),
    "documents": repeated(config(), "---\n"),
    "carriage returns": repeated(config() + "x: [", "\r", "]]"),
    "next lines": lambda size: repeated(config() + "x: [", "\x85", "]]")(size // 2),
    "letters of two bytes": lambda size: repeated(config() + "x: ", "é")(size // 2),
    "control characters": repeated(config() + "x: ", "\x07"),
    "zeros": repeated(config() + "x: ", "0"),
    "exponent": repeated(config() + "x: 1e", "1"),
    "data set": repeated(config(data="{dataset: ")[:13], "a", "}\n"),
    "layer": repeated("model: {layers: [", "a", "]}\n"),
    "argument": repeated("model: {layers: [Dense: {", "a", ": 1}]}\n"),
    "name": repeated(config() + "name: ", "a", "\n"),
    "extends": repeated("extends: ", "a", "\n"),
    "extends, folders": repeated("extends: ", "../", "\n"),
    "tag": repeated(config() + "x: !", "a", " 1"),
    "anchor": repeated(config() + "x: &", "a", " 1"),
    "alias": repeated(config() + "x: *", "a"),
    "question marks": repeated(config(), "? "),
    "percent signs": repeated(config(), "%"),
    "unknown keys": counted(config(), "k#: 1\n"),
    "unknown keys, few": counted(config(), "k#: 1\n", most=980),
    "unknown keys of a section": counted(config(train="{")[:-1], "k#: 1, ", "}\n", most=990),
    "duplicate keys": counted(config(), "k#: 1\n", "k000000: 1\n", most=980),
    "aliases": nested(config() + "a: &a 1\n", "y@: [", "*a, ", "]\n"),
    "aliases of mappings": nested(config() + "a: &a {b: 1, c: 2, d: 3}\n", "y@: [", "*a, ", "]\n"),
    "anchors": nested(config(), "y@: [", "&a@_# 1, ", "]\n"),
    "unknown alias": nested(config(), "y@: [", "&a@_# 1, ", "]\n", "z: *b\n"),
    "merges": nested(config() + "a: &a {b: 1}\n", "y@: {<<: [", "*a, ", "]}\n"),
    "values": nested(config(), "y@: [", "1, ", "]\n"),
    "long values": nested(config(), "y@: [", f"{'a' * 900}, ", "]\n"),
    "layers": repeated(REST + LAYERS + "    - Flatten\n", "    - ReLU\n"),
    "layers, most": counted(
        REST + LAYERS + "    - Flatten\n", "    - Dense: {units: 10, activation: relu, name: d#}\n", most=990
    ),
    "layers, unknown": counted(REST + LAYERS, "    - Foo#\n", most=990),
    "layers, long unknown": counted(REST + LAYERS, f"    - Conv{'a' * 190}#: {{a: 1}}\n", most=990),
    "layers, unknown arguments": nested(REST + LAYERS, "    - Dense: {", "u#: 3, ", "}\n"),
    "layers, wrong values": counted(REST + LAYERS, "    - Dense: {units: x#, activation: y#}\n", most=990),
    "layers, nested": counted(
        REST + LAYERS, "    - TimeDistributed: {layer: {TimeDistributed: {layer: {Foo#: {a: 1}}}}}\n", most=990
    ),
    "layers, same name": repeated(REST + LAYERS, "    - ReLU: {name: a}\n"),
    "repeats": repeated(REST + LAYERS, "    - repeat: {times: 1000, layers: [ReLU]}\n"),
    "repeats, nested": nested(
        REST + LAYERS, "    - repeat: {times: 1, layers: [", "repeat: {times: 999, layers: [ReLU]}, ", "]}\n"
    ),
    "repeat, problems": counted(REST + LAYERS + "    - repeat:\n", "        k#: 1\n", most=990),
    "metrics": counted(
        config(train="")[:-7] + TRAIN + "  metrics:\n", "    - SparseCategoricalAccuracy: {name: m#}\n", most=990
    ),
    "metrics, unknown": counted(config(train="")[:-7] + TRAIN + "  metrics:\n", "    - acuracy#\n", most=990),
    "callbacks": counted(
        config(train="")[:-7] + TRAIN + "  callbacks:\n", "    - EarlyStopping: {patience: #, monitor: v#}\n", most=990
    ),
    "bounds": counted(config() + "expect:\n", '  test_accuracy#: ">= 1"\n', most=990),
    "kernel": repeated(REST + LAYERS + "    - Conv2D: {filters: 3, kernel_size: [", "3, ", "]}\n"),
    "kernel, most": lambda size: (
        REST + LAYERS + f"    - Conv2D: {{filters: 3, kernel_size: {[3] * min(990, size)}}}\n" * 100
    ),
    "reshape": lambda size: REST + LAYERS + f"    - Reshape: {{target_shape: {[1] * min(990, size)}}}\n" * 100,
}


def outcome(path: Path) -> tuple[float, str]:
    """The seconds of CPU time that a check takes, and the longest text that tells what is wrong."""
    started = time.process_time()
    try:
        load(path)
        told: Iterable[str] = [""]
    except ConfigError as error:
        formats = (diagnostics.as_json, diagnostics.as_github, lambda found: "\n\n".join(map(diagnostics.text, found)))
        told = [str(render(error.problems)) for render in formats]
    except DltrainError as error:
        told = [f"{error.message} {error.hint}"]
    return time.process_time() - started, max(told, key=len)


@pytest.fixture(scope="module")
def frozen() -> Iterator[None]:
    """Objects that were there before, as those of other tests, take no part in the collections that are timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("kind", KINDS)
def test_long_inputs_take_linear_time_and_are_told_briefly(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config())
    outcome(path)  # what is loaded once
    gc.collect()
    seconds = []
    for size in (MAX_BYTES // 2, MAX_BYTES):
        path.write_text(KINDS[kind](size), encoding="utf-8", newline="")
        assert path.stat().st_size <= MAX_BYTES
        first, text = outcome(path)
        assert len(text.encode()) < 20_000
        seconds.append(min(first, outcome(path)[0]) if first > 0.3 else first)
    assert seconds[1] < 1
    assert seconds[1] < 3 * seconds[0] + 0.1


def test_long_inputs_are_as_long_as_a_config_may_be(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="1 problem"):
        load(path)


@pytest.mark.parametrize(
    "override", [".".join("a" * 500) + "=1", "train.metrics." + "1" * 5000 + "=1", f"{'a' * 5000}=1"]
)
def test_long_inputs_of_overrides_are_told_briefly(override: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config(train=SECTIONS["train"][:-1] + ", metrics: [accuracy]}"))
    with pytest.raises(ConfigError) as caught:
        load(path, [override])
    assert [problem.code for problem in caught.value.problems] == ["override"]
    assert len(diagnostics.text(caught.value.problems[0])) < 1000


def test_long_inputs_are_refused_where_the_resolved_config_could_not_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    keys = [f"{weight}_initializer: {{RandomUniform: {{}}}}" for weight in ("kernel", "recurrent", "bias")]
    keys += [f"{weight}_regularizer: {{L1L2: {{l1: 0.1}}}}" for weight in ("kernel", "recurrent", "bias", "activity")]
    inner = f"Bidirectional: {{layer: {{LSTM: {{units: 2, return_sequences: true, {', '.join(keys)}}}}}}}"
    last = "GlobalAveragePooling1D, Dense: {units: 10, activation: softmax}"
    for times, code in ((20, None), (900, "too-large")):
        layers = f"{{layers: [{{repeat: {{times: {times}, layers: [{inner}]}}}}, {last}]}}"
        path.write_text(config(data="{dataset: {synthetic: {shape: [4, 2], classes: 10}}}", model=layers))
        if code is None:
            (tmp_path / "resolved.yaml").write_text(load(path).resolved())
            load(tmp_path / "resolved.yaml")
        else:
            with pytest.raises(ConfigError) as caught:
                load(path)
            assert [problem.code for problem in caught.value.problems] == [code]
