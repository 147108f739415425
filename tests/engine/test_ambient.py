"""Nothing ambient reaches a run, and nothing leaks out of it."""

from __future__ import annotations

import gc
import json
import logging
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.data.ops import debug_mode
from tensorflow.python.framework import func_graph, ops
from tests.helpers import Command, fingerprint, slow_but

import dltrain as package
from dltrain import runs
from dltrain.errors import UsageError

CONFIG = {
    "name": "ambient",
    "data": {"dataset": {"synthetic": {"shape": [6, 6, 1], "classes": 3, "samples": 90, "test_samples": 30}}},
    "model": {
        "layers": [
            {"Conv2D": {"filters": 2, "kernel_size": 3}},
            "BatchNormalization",
            {"Dropout": {"rate": 0.3}},
            "Flatten",
            {"Dense": {"units": 3, "activation": "softmax"}},
        ]
    },
    "train": {
        "optimizer": "Adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "epochs": 2,
    },
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """The run without anything ambient."""
    return package.fit(CONFIG, runs_dir=tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def bits(plain: runs.Run) -> dict[str, str]:
    return fingerprint(plain)


Setting = Callable[[], Any]


@contextmanager
def changed(assign: Callable[[Any], Any], value: Any, get: Setting) -> Iterator[Setting]:
    before = get()
    assign(value)
    try:
        yield get
    finally:
        assign(before)


@contextmanager
def custom_objects() -> Iterator[Setting]:
    """A caller's own `relu`, `Adam` and initializer, under Keras's names."""
    kept = keras.saving.get_custom_objects()
    kept.update({"softmax": lambda x: x, "glorot_uniform": "zeros", "Adam": keras.optimizers.SGD})
    try:
        yield lambda: dict(kept)
    finally:
        kept.clear()


@contextmanager
def inside(scope: Any) -> Iterator[Setting]:
    with scope:
        yield lambda: None


@contextmanager
def checking_numerics() -> Iterator[None]:
    tf.debugging.enable_check_numerics()
    try:
        yield
    finally:
        tf.debugging.disable_check_numerics()


def set_errors(kinds: dict[str, str]) -> None:
    np.seterr(**kinds)  # type: ignore[arg-type]


def strict_warnings() -> Any:
    return changed(lambda kept: warnings.__dict__.update(filters=kept), [("error", None, Warning, None, 0)], filters)


def filters() -> list[Any]:
    return list(warnings.filters)


AMBIENT: dict[str, Callable[[], Any]] = {
    "floatx": lambda: changed(keras.config.set_floatx, "float16", keras.config.floatx),
    "epsilon": lambda: changed(keras.config.set_epsilon, 1e-2, keras.config.epsilon),
    "data_format": lambda: changed(
        keras.config.set_image_data_format, "channels_first", keras.config.image_data_format
    ),
    "policy": lambda: changed(
        keras.config.set_dtype_policy, "mixed_bfloat16", lambda: keras.config.dtype_policy().name
    ),
    "max_epochs": lambda: changed(keras.config.set_max_epochs, 1, keras.config.max_epochs),
    "max_steps": lambda: changed(keras.config.set_max_steps_per_epoch, 1, keras.config.max_steps_per_epoch),
    "eagerly": lambda: changed(tf.config.run_functions_eagerly, True, tf.config.functions_run_eagerly),
    "debug_data": lambda: changed(debug_mode.toggle_debug_mode, True, lambda: debug_mode.DEBUG_MODE),
    "jit": lambda: changed(
        lambda on: tf.config.optimizer.set_jit(on or False), "autoclustering", tf.config.optimizer.get_jit
    ),
    "rewriting": lambda: changed(
        tf.config.optimizer.set_experimental_options,
        {"remapping": False, "layout_optimizer": False, "disable_meta_optimizer": True},
        tf.config.optimizer.get_experimental_options,
    ),
    "tf32": lambda: changed(
        tf.config.experimental.enable_tensor_float_32_execution,
        False,
        tf.config.experimental.tensor_float_32_execution_enabled,
    ),
    "placement": lambda: changed(tf.config.set_soft_device_placement, False, tf.config.get_soft_device_placement),
    "numpy_errors": lambda: changed(set_errors, {"all": "raise"}, np.geterr),
    "warnings": strict_warnings,
    "custom_objects": custom_objects,
    "device": lambda: inside(tf.device("CPU:0")),
    "name_scope": lambda: inside(tf.name_scope("theirs")),
    "keras_scope": lambda: inside(keras.name_scope("theirs")),
    "custom_scope": lambda: inside(keras.saving.CustomObjectScope({"softmax": lambda x: x})),
}


@pytest.mark.parametrize(
    "names", [list(AMBIENT), *(pytest.param([name], marks=pytest.mark.slow) for name in AMBIENT)], ids=",".join
)
def test_ambient_settings_change_no_bits_and_are_given_back(
    names: list[str], bits: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warnings, "filters", list(warnings.filters))
    with ExitStack() as entered:
        gets = [entered.enter_context(AMBIENT[name]()) for name in names]
        before = [get() for get in gets]
        run = package.fit(CONFIG, runs_dir=tmp_path)
        assert [get() for get in gets] == before
    assert fingerprint(run) == bits


KERAS_JSON = {"floatx": "float16", "epsilon": 0.01, "image_data_format": "channels_first", "backend": "torch"}


def test_ambient_keras_json_changes_no_bits(
    bits: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    for name, value in {"HOME": home, "KERAS_MAX_EPOCHS": 1, "KERAS_MAX_STEPS_PER_EPOCH": 1}.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "ambient.yaml").write_text(json.dumps({"version": 1, **CONFIG}))
    done = Command(tmp_path)("fit", "ambient.yaml")
    assert done.returncode == 0, done.stderr
    assert fingerprint(runs.find("latest", tmp_path / "runs")) == bits


def draws() -> list[Any]:
    """What the caller draws next, from every generator that a seed sets."""
    return [
        random.random(),
        np.random.rand(),
        *(np.asarray(tensor).tolist() for tensor in (tf.random.normal([2]), keras.random.normal((2,)))),
        keras.layers.Dense(1).name,
    ]


def seeded() -> None:
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    draws()


@pytest.mark.parametrize("use", ["fit", "fails", "evaluate"])
def test_ambient_seeds_go_on_where_they_stood(use: str, plain: runs.Run, tmp_path: Path) -> None:
    seeded()
    expected = draws()
    seeded()
    if use == "fit":
        package.fit(CONFIG, runs_dir=tmp_path)
    elif use == "evaluate":
        package.evaluate(plain)
    else:

        def stop(event: Any) -> None:
            if type(event).__name__ == "EpochDone":
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            package.fit(CONFIG, runs_dir=tmp_path, on_event=stop)
    assert draws() == expected


@pytest.mark.usefixtures("plain")  # the backend starts once
def test_ambient_state_of_the_process_is_given_back(tmp_path: Path) -> None:
    def state() -> list[Any]:
        levels = {name: logging.getLogger(name).level for name in ("tensorflow", "absl", "keras", "jax")}
        return [dict(os.environ), filters(), np.geterr(), levels, gc.isenabled(), sys.getrecursionlimit(), Path.cwd()]

    before = state()
    random.seed()
    numbers = {package.fit(CONFIG, runs_dir=tmp_path) and random.random() for _ in range(2)}
    assert len(numbers) == 2
    assert state() == before
    tf.random.normal([1])  # with determinism and without a seed, TensorFlow refuses


def test_ambient_determinism_of_the_caller_stays(tmp_path: Path) -> None:
    from tensorflow.python.framework import config

    tf.config.experimental.enable_op_determinism()
    try:
        package.fit(CONFIG, {"train.deterministic": False}, runs_dir=tmp_path)
        assert config.is_op_determinism_enabled()
    finally:
        config.disable_op_determinism()


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (lambda: tf.Graph().as_default(), "tf.Graph"),
        (lambda: tf.distribute.OneDeviceStrategy("CPU:0").scope(), "Strategy"),
        (tf.GradientTape, "GradientTape"),
        (lambda: tf.variable_creator_scope(lambda make, **given: make(**given)), "variable_creator_scope"),
        (lambda: checking_numerics(), "check_numerics"),
    ],
    ids=["graph", "strategy", "tape", "creator", "numerics"],
)
def test_ambient_scopes_that_cannot_be_left_are_refused(scope: Any, told: str, tmp_path: Path) -> None:
    with scope(), pytest.raises(UsageError, match=told):
        package.fit(CONFIG, runs_dir=tmp_path)
    assert not list(tmp_path.glob("*"))


@pytest.mark.parametrize(
    "statement",
    [
        "tf.experimental.numpy.experimental_enable_numpy_behavior()",
        pytest.param("tf.compat.v1.disable_eager_execution()", marks=pytest.mark.slow),
        pytest.param("tf.compat.v1.disable_v2_tensorshape()", marks=pytest.mark.slow),
    ],
)
def test_ambient_settings_that_cannot_be_undone_are_refused(statement: str, tmp_path: Path) -> None:
    script = (
        f"import json, sys, dltrain, tensorflow as tf; {statement}\n"
        "try: dltrain.fit(json.loads(sys.argv[1]))\n"
        "except dltrain.DltrainError as error: print(error.message, error.hint, sep='|')"
    )
    command = [sys.executable, "-c", script, json.dumps(CONFIG)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "in a process of its own" in done.stdout, done.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_ambient_threads_train_one_at_a_time(bits: dict[str, str], tmp_path: Path) -> None:
    refused: list[UsageError] = []

    def second(event: Any) -> None:
        if type(event).__name__ == "EpochDone" and not refused:
            thread = threading.Thread(target=train)
            thread.start()
            thread.join()

    def train() -> None:
        try:
            package.fit(CONFIG, runs_dir=tmp_path / "second")
        except UsageError as error:
            refused.append(error)

    run = package.fit(CONFIG, runs_dir=tmp_path, on_event=second)
    assert "another training" in refused[0].message
    assert "process" in refused[0].hint
    assert fingerprint(run) == bits
    package.fit(CONFIG, runs_dir=tmp_path)  # the way is free again


def in_fork(folder: str, answers: Any) -> None:
    try:
        package.fit(CONFIG, runs_dir=folder)
    except UsageError as error:
        answers.put(f"{error.message}: {error.hint}")


@pytest.mark.usefixtures("plain")
def test_ambient_forks_of_a_started_backend_are_refused(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=in_fork, args=(str(tmp_path), answers))
    child.start()
    try:
        assert "`spawn`" in answers.get(timeout=60)
        child.join(60)
    finally:
        child.kill()


@pytest.mark.parametrize("times", slow_but([2], [2, 5]))
def test_ambient_functions_of_a_run_are_freed(times: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """TensorFlow keeps the gradient of each custom gradient, with its graph, and warns of the fifth trace."""

    def kept() -> tuple[int, int]:
        gc.collect()
        gradients = [name for name in ops.gradient_registry.list() if name.startswith("CustomGradient-")]
        return len(gradients), sum(isinstance(each, func_graph.FuncGraph) for each in gc.get_objects())

    package.fit(CONFIG, runs_dir=tmp_path)
    before = kept()
    with caplog.at_level(logging.WARNING):
        for _ in range(times):
            package.evaluate(package.fit(CONFIG, runs_dir=tmp_path))
    assert kept() == before
    assert not caplog.records


MEMORY = """
import json, sys, dltrain
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
for count in range(50):
    dltrain.fit(json.loads(sys.argv[1]))
    if count == 4:
        fifth = resident()
print(resident() - fifth)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_ambient_memory_of_fifty_runs_is_bounded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEMORY, json.dumps(CONFIG)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30e6
    assert "retracing" not in done.stderr


JAX_STATE = """
import hashlib, json, sys
from pathlib import Path
import jax
import dltrain
config = json.loads(sys.argv[1])
digests = set()
settings = {
    None: None,
    "jax_threefry_partitionable": False,
    "jax_disable_most_optimizations": True,
    "jax_transfer_guard": "disallow",
    "jax_legacy_prng_key": "error",
    "jax_enable_x64": True,
}
for name, value in settings.items():
    before = jax.config.values.get(name) if name else None
    if name:
        jax.config.update(name, value)
    run = dltrain.fit(config, runs_dir="runs")
    if name:
        assert jax.config.values[name] == value, name
        jax.config.update(name, before)
    digests.add(hashlib.sha256(run.read_checkpoint(1)["weights.safetensors"]).hexdigest())
print(len(digests))
"""


@pytest.mark.slow
def test_ambient_settings_of_jax_change_no_bits(tmp_path: Path) -> None:
    layers = [
        "Flatten",
        {"Dense": {"units": 4}},
        {"Dropout": {"rate": 0.3}},
        {"Dense": {"units": 3, "activation": "softmax"}},
    ]
    train = {**CONFIG["train"], "epochs": 1}  # type: ignore[dict-item]
    config = {**CONFIG, "model": {"layers": layers}, "train": train, "runtime": {"backend": "jax"}}
    command = [sys.executable, "-c", JAX_STATE, json.dumps(config)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1", done.stderr[-2000:]
