"""Executions of several steps on JAX, in a separate process: a process has one backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import ROOT, TINY

# Trains a model in every way; prints its history, the digest of its variables, and how many programs there were.
TRAINED = """
import hashlib, json, os, sys
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy as np
from dltrain.engine.backends import jax
from dltrain.engine.backends.jax import executions
from keras import layers

def dense():
    made = [layers.Dense(8, kernel_regularizer="l2"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3)]
    return [keras.Input((6,)), *made]

def recurrent():
    return [keras.Input((6,)), layers.Reshape((3, 2)), layers.LSTM(4, dropout=0.2), layers.Dense(3)]

def autoencoder():
    return [keras.Input((6,)), layers.Dense(6)]

def train(build, kind, per_execution, weighted=False, shuffle=True, policy="float32", limit=2**30, steps=None):
    executions.LARGEST_COPY, executions._READ = limit, 200  # bytes
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 255, (45, 6), np.uint8), generator.integers(0, 3, 45)
    weights = generator.random(45).astype(np.float32) if weighted else None
    jax.seed(1, deterministic=True)
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential(build())
    loss = "mse" if build is autoencoder else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metric = "mae" if build is autoencoder else "accuracy"
    model.compile("adam", loss, metrics=[metric], jit_compile=True, steps_per_execution=per_execution)
    targets = None if build is autoencoder else y
    pipeline = jax.input_pipeline(x, targets, 1 / 255, "stream" if kind == "stream" else "memory", weights=weights)
    model.evaluate(pipeline.in_order(8), verbose=0)  # builds loss and metrics
    counter, function = jax.epoch(), None
    batches = pipeline.shuffled(8, 1, counter, steps, shuffle)
    if kind != "alone":
        batches = pipeline.gathered_inside(model, 8)(per_execution, 1, counter, steps, shuffle)
        function = model.train_function
    count = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: counter.assign(epoch))
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0, callbacks=[count]).history
    variables = [np.asarray(each.value).tobytes() for each in [*model.variables, *model.optimizer.variables]]
    return {
        "history": history,
        "digest": hashlib.sha256(b"".join(variables)).hexdigest(),
        "steps": int(model.optimizer.iterations.value),
        "programs": function._program._cache_size() if function else 0,
    }

class Doubled:
    states = 1
    def __call__(self, x, states):
        return 2 * x

found = {}
cases = {
    "dense": (dense, {}),
    "weighted": (dense, {"weighted": True}),
    "in order": (dense, {"shuffle": False}),
    "bfloat16": (dense, {"policy": "mixed_bfloat16"}),
    "few steps": (dense, {"steps": 4}),
    "autoencoder": (autoencoder, {"weighted": True}),
    "recurrent": (recurrent, {"policy": "mixed_float16"}),
}
for name in sys.argv[1:]:
    build, how = cases[name]
    ways = {"alone": ("alone", 1), "memory 4": ("memory", 4), "stream 1": ("stream", 1)}
    if name == "dense":
        ways |= {"memory 1": ("memory", 1), "memory 100": ("memory", 100), "stream 100": ("stream", 100)}
    found[name] = {way: train(build, *parts, **how) for way, parts in ways.items()}
    if name == "dense":
        found[name]["too large to hold"] = train(dense, "memory", 4, limit=44)
x, augment, one = np.zeros((4, 6, 6, 1), np.float32), Doubled(), keras.Input((6, 6, 1))
models = {
    "augmented": (augment, [one, layers.Flatten()]),
    "convolution": (None, [one, layers.Conv2D(4, 2)]),
    "wrapped": (None, [one, layers.TimeDistributed(layers.Conv1D(4, 2))]),
}
outside = {
    name: jax.input_pipeline(x, None, 1.0, "memory", augment=augment).gathered_inside(keras.Sequential(made), 2) is None
    for name, (augment, made) in models.items()
}
print(json.dumps([found, outside]))
"""
# Trains a config with a profile, and stops and resumes it with what may change then.
RESUMED = """
import json, sys
from pathlib import Path
import dltrain
from dltrain.engine import Profiled
from tests.helpers import fingerprint, stopped
folder, jax, found, events = Path(sys.argv[1]), "runtime.backend=jax", {}, []
changes = ["train.steps_per_execution=1", "runtime.feed=stream"]
for feed in ("memory", "stream"):
    run = dltrain.fit(folder / "tiny.yaml", [jax, f"runtime.feed={feed}"], runs_dir=folder / feed, profile=True,
                      on_event=events.append)
    found[feed] = fingerprint(run)
for change in changes:
    found[change] = fingerprint(dltrain.resume(stopped(folder / "tiny.yaml", folder / change, 1, jax), [change]))
beside = [[name for name, _, share in event.rows if share is None] for event in events if isinstance(event, Profiled)]
print(json.dumps([found, beside, run.record().runtime.steps_per_execution]))
"""


def output_of(script: str, *arguments: object) -> Any:
    command, environment = [sys.executable, "-c", script, *map(str, arguments)], {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


FAST = ("dense", "few steps", "autoencoder")
SLOW = ("weighted", "in order", "bfloat16", "recurrent")
CASES = [*FAST, *(pytest.param(case, marks=pytest.mark.slow) for case in SLOW)]


@cache
def trained(cases: tuple[str, ...]) -> Any:
    return output_of(TRAINED, *cases)


def ways_of(case: str) -> Any:
    return trained(SLOW if case in SLOW else FAST)[0][case]


@pytest.mark.parametrize("case", CASES)
def test_jax_executions_train_to_the_same_bits_at_any_length_and_from_any_pipeline(case: str) -> None:
    ways = ways_of(case)
    inside = {way: (found["history"], found["digest"]) for way, found in ways.items() if way != "alone"}
    assert len(inside) == (6 if case == "dense" else 2)
    assert all(found == inside["memory 4"] for found in inside.values()), inside


@pytest.mark.parametrize("case", CASES)
def test_jax_executions_train_as_keras_does(case: str) -> None:
    ways = ways_of(case)
    assert ways["memory 4"]["steps"] == ways["alone"]["steps"] == (8 if case == "few steps" else 12)
    for name, values in ways["alone"]["history"].items():
        assert ways["memory 4"]["history"][name] == pytest.approx(values, rel=0.02 if "float" in case else 1e-4), name


def test_jax_executions_compile_one_program_and_one_for_a_smaller_last_batch() -> None:
    for case, ways in trained(FAST)[0].items():
        for way, found in ways.items():
            assert found["programs"] == (0 if way == "alone" else 1 if case == "few steps" else 2), (case, way)


@pytest.mark.parametrize("case", ["augmented", "convolution", "wrapped"])
def test_jax_executions_are_not_used_where_they_are_slower(case: str) -> None:
    assert trained(FAST)[1][case] is True


def test_jax_executions_resume_to_the_same_bits_with_another_length_and_pipeline(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    found, beside, per_execution = output_of(RESUMED, tmp_path)
    assert len(found) == 4
    assert all(digest == found["memory"] for digest in found.values())
    assert beside == [[], ["reading and preparing batches"]]
    assert per_execution > 1
