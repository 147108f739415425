"""A stopped and resumed run is bit-identical to an uninterrupted one."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import StopError, Trained, copied, fingerprint, slow_but, start_resume, stop_at, stopped

import dltrain as package
from dltrain import runs
from dltrain.config.catalogue import entries, examples
from dltrain.config.document.writer import flow
from dltrain.engine import EpochDone, Event, Prepared, SkippedCheckpoint, StepDone, StoppedEarly, Warned
from dltrain.errors import Interrupted, RunError, UsageError

MODELS = {
    "norm": "[{GaussianNoise: {stddev: 0.1}}, {Dense: {units: 6}}, BatchNormalization, {Dropout: {rate: 0.2}}, "
    "{Dense: {units: 3, activation: softmax}}]",
    "lstm": "[{Reshape: {target_shape: [2, 2]}}, {LSTM: {units: 4, dropout: 0.2, recurrent_dropout: 0.2, "
    "return_sequences: true}}, {LSTM: {units: 3}}, {Dense: {units: 3, activation: softmax}}]",
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "optimizer",
    [
        "{Adam: {learning_rate: 1e-2}}",
        pytest.param("{SGD: {learning_rate: 0.1, momentum: 0.9, use_ema: true}}", marks=pytest.mark.slow),
    ],
)
def test_resume_matches_an_uninterrupted_run(tiny: Path, tmp_path: Path, model: str, optimizer: str) -> None:
    overrides = [f"model.layers={MODELS[model]}", f"train.optimizer={optimizer}", "train.epochs=5"]
    overrides.append("runtime.recurrent=unroll")
    whole = package.fit(tiny, overrides, runs_dir=tmp_path / "whole")
    run = stopped(tiny, tmp_path / "parts", 2, *overrides)
    with pytest.raises(StopError):
        package.resume(run, on_event=stop_at(4))
    resumed = package.resume(run)
    assert resumed.record().status == "completed"
    assert [entry.from_epoch for entry in resumed.record().resumed] == [2, 4]
    assert fingerprint(resumed) == fingerprint(whole)


CALLBACKS = [
    "[EarlyStopping: {monitor: val_accuracy, patience: 2, restore_best_weights: true}]",
    "[EarlyStopping: {monitor: loss, patience: 1, min_delta: 10}]",
    "[ReduceLROnPlateau: {monitor: loss, patience: 1, min_delta: 10, cooldown: 1}]",
    "[TerminateOnNaN, ReduceLROnPlateau: {patience: 0, factor: 0.5}, EarlyStopping: {patience: 4, min_delta: 1}]",
]


@pytest.mark.parametrize("callbacks", slow_but([CALLBACKS[0], CALLBACKS[-1]], CALLBACKS))
@pytest.mark.parametrize("epoch", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_resume_restores_the_state_of_callbacks(tiny: Path, tmp_path: Path, callbacks: str, epoch: int) -> None:
    overrides = [f"train.callbacks={callbacks}", "train.epochs=7"]
    whole = package.fit(tiny, overrides, runs_dir=tmp_path / "whole")
    if len(whole.metrics()) <= epoch:
        run = package.fit(tiny, overrides, runs_dir=tmp_path / "parts")
        with pytest.raises(UsageError, match="EarlyStopping"):
            package.resume(run)
        return
    resumed = package.resume(stopped(tiny, tmp_path / "parts", epoch, *overrides))
    assert fingerprint(resumed) == fingerprint(whole)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", entries.names("optimizer"))
def test_resume_restores_every_optimizer(tiny: Path, tmp_path: Path, optimizer: str) -> None:
    entry = entries.find("optimizer", optimizer)
    assert entry is not None
    overrides = [f"train.optimizer={flow({optimizer: examples.arguments(entry)})}", "train.epochs=2"]
    whole = package.fit(tiny, overrides, runs_dir=tmp_path / "whole")
    resumed = package.resume(stopped(tiny, tmp_path / "parts", 1, *overrides))
    assert fingerprint(resumed) == fingerprint(whole)


@pytest.mark.parametrize("precision", slow_but(["mixed_float16"], ["mixed_float16", "mixed_bfloat16"]))
def test_resume_is_exact_in_half_precision(tiny: Path, trained: Trained, tmp_path: Path, precision: str) -> None:
    override = f"train.precision={precision}"
    resumed = package.resume(stopped(tiny, tmp_path, 1, override))
    assert fingerprint(resumed) == fingerprint(trained.finished(override))


def test_resume_extends_a_finished_run(trained: Trained, tmp_path: Path) -> None:
    resumed = package.resume(copied(trained.finished(), tmp_path), {"train.epochs": 4})
    assert fingerprint(resumed) == fingerprint(trained.finished("train.epochs=4"))
    assert "epochs: 4" in (resumed.path / "resolved.yaml").read_text()
    with pytest.raises(UsageError, match="is complete"):
        package.resume(resumed)
    with pytest.raises(UsageError, match="4 epochs already"):
        package.resume(resumed, {"train.epochs": 3})


@pytest.mark.parametrize("override", ["train.steps_per_execution=1", "runtime.feed=stream"])
def test_resume_accepts_changes_that_do_not_affect_the_result(trained: Trained, tmp_path: Path, override: str) -> None:
    run = copied(trained.stopped(1, "train.epochs=4"), tmp_path)
    assert fingerprint(package.resume(run, [override])) == fingerprint(trained.finished("train.epochs=4"))


def test_resume_before_the_first_epoch_starts_over(tiny: Path, trained: Trained, tmp_path: Path) -> None:
    resumed = package.resume(stopped(tiny, tmp_path, 1, kind=StepDone))
    assert resumed.record().resumed[0].from_epoch == 0
    assert fingerprint(resumed) == fingerprint(trained.finished())


@pytest.mark.parametrize(
    ("override", "shown"),
    [
        ("train.batch_size=8", "`train.batch_size` from `32` to `8`"),
        ("seed=1", "`seed` from `42` to `1`"),
        ("model.layers.0.Dense.units=9", "`model.layers.0.Dense.units` from `8` to `9`"),
        ("data.validation=0.2", "`data.validation` from `0.1` to `0.2`"),
        ("train.optimizer=SGD", "`train.optimizer` from `Adam` to `SGD`"),
        ("train.loss=mse", "`train.loss` from `SparseCategoricalCrossentropy` to `MeanSquaredError`"),
        ("train.optimizer.Adam.clipnorm=1", "`train.optimizer.Adam.clipnorm` from nothing to `1`"),
    ],
)
def test_resume_rejects_other_changes_and_shows_them(
    trained: Trained, tmp_path: Path, override: str, shown: str
) -> None:
    run = copied(trained.stopped(1), tmp_path)
    with pytest.raises(UsageError, match="cannot change") as caught:
        package.resume(run, [override])
    assert caught.value.message == f"a resumed run cannot change {shown}"
    assert run.status() == "failed"


@pytest.mark.parametrize("what", ["config", "data", "versions"])
def test_resume_rejects_a_changed_environment_unless_forced(trained: Trained, tmp_path: Path, what: str) -> None:
    run = copied(trained.stopped(1), tmp_path)
    record = run.record()
    if what == "config":
        path = run.path / "resolved.yaml"
        path.write_text(path.read_text() + "\n")
    elif what == "data":
        run.update(data=replace(record.data, fingerprint="0" * 64))
    else:
        run.update(versions={**record.versions, "keras": "3.0.0"})
    with pytest.raises(RunError, match="cannot be resumed to the same bits") as caught:
        package.resume(run)
    assert "--force" in caught.value.hint
    assert start_resume(run, force=True) == (1, [])
    assert len(run.record().resumed[0].forced) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "truncate weights",
        "flip weights",
        "flip optimizer",
        "no manifest",
        "empty manifest",
        "state is not JSON",
        "extra file",
    ],
)
def test_resume_falls_back_to_an_intact_checkpoint(trained: Trained, tmp_path: Path, damage: str) -> None:
    run = copied(trained.stopped(3, "train.epochs=4"), tmp_path)
    folder = run.path / "checkpoints" / "epoch-0003"
    what, _, name = damage.partition(" ")
    if name in ("weights", "optimizer"):
        path = folder / f"{name}.safetensors"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data[: len(data) // 2]) if what == "truncate" else bytes(data))
    elif damage == "no manifest":
        (folder / "manifest.json").unlink()
    elif damage == "empty manifest":
        (folder / "manifest.json").write_bytes(b"")
    elif damage == "extra file":
        (folder / "more.bin").write_bytes(b"x")
    else:
        (folder / "state.json").write_bytes(b"{")
    assert start_resume(run) == (2, [] if damage == "no manifest" else [3])
    if damage in ("flip weights", "no manifest"):  # one reported, one never seen: from here on the others are the same
        assert fingerprint(package.resume(run)) == fingerprint(trained.finished("train.epochs=4"))


def test_resume_continues_without_the_best_epoch(tiny: Path, tmp_path: Path) -> None:
    worst_is_best = ["train.epochs=4", "train.checkpoint={monitor: val_loss, mode: max}"]
    run = stopped(tiny, tmp_path, 4, *worst_is_best)
    assert run.checkpoints() == [1, 3, 4]
    weights = run.path / "checkpoints" / "epoch-0001" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    events: list[Any] = []
    resumed = package.resume(run, {"train.epochs": 5}, on_event=events.append)
    assert [event.epoch for event in events if isinstance(event, SkippedCheckpoint)] == [1]
    assert resumed.record().resumed[0].from_epoch == 4
    assert resumed.record().best_epoch == 4


@pytest.mark.parametrize("epochs", [3, 4])
def test_resume_after_a_kill_between_run_json_and_resolved_yaml(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int
) -> None:
    run = copied(trained.finished(), tmp_path)

    def killed(*_: object) -> None:
        raise StopError

    with monkeypatch.context() as patch:
        patch.setattr(runs.Run, "write_text", killed)
        with pytest.raises(StopError):
            package.resume(run, {"train.epochs": 3})
    assert run.status() == "crashed"
    assert package.resume(run, {"train.epochs": epochs}).record().epochs == epochs


def test_resume_starts_over_without_an_intact_checkpoint(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.stopped(1), tmp_path)
    shutil.rmtree(run.path / "checkpoints")
    assert fingerprint(package.resume(run)) == fingerprint(trained.finished())


@pytest.mark.parametrize("damage", ["weights", "state", "other epoch", "manifest"])
def test_resume_begins_again_only_on_request_where_no_checkpoint_can_be_used(
    trained: Trained, tmp_path: Path, damage: str
) -> None:
    run = copied(trained.stopped(2), tmp_path)
    for epoch in run.checkpoints():
        folder = run.path / "checkpoints" / f"epoch-{epoch:04d}"
        if damage == "manifest":
            (folder / "manifest.json").write_text("{}")
        else:
            files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
            if damage == "weights":
                files["weights.safetensors"] = files["weights.safetensors"][:-1]
            elif damage == "state":
                files["state.json"] = files["state.json"].replace(b'"loss"', b'"top 2"')
            else:
                files["state.json"] = files["state.json"].replace(b'"seed": ', b'"seed": 1')
            run.commit_checkpoint(epoch, files)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file() and path.name != ".lock"}
    with pytest.raises(RunError, match="none can be used") as caught:
        package.resume(run)
    assert "--from-scratch" in caught.value.hint
    assert {path: path.read_bytes() for path in before} == before
    assert start_resume(run, from_scratch=True) == (0, [2, 1])
    if damage == "weights":  # from here on the others are the same
        assert fingerprint(package.resume(run, from_scratch=True)) == fingerprint(trained.finished())


def test_resume_reads_every_name_of_a_metric_that_the_check_accepts(tiny: Path, tmp_path: Path) -> None:
    names = ["точность", "a.b-c", "x" * 64, "Épochs", "top_2"]
    metrics = [f"{{SparseCategoricalAccuracy: {{name: {name}}}}}" for name in names]
    run = stopped(tiny, tmp_path, 1, f"train.metrics=[{', '.join(metrics)}]")
    resumed = package.resume(run)
    assert resumed.record().resumed[0].from_epoch == 1
    assert set(names) <= set(resumed.metrics()[-1])


@pytest.mark.parametrize("damage", ["torn line", "rows gone", "line flipped", "no file", "no line left whole"])
def test_resume_repairs_the_journal_from_the_checkpoint(trained: Trained, tmp_path: Path, damage: str) -> None:
    whole = trained.finished("train.epochs=4")
    run = copied(trained.stopped(3, "train.epochs=4"), tmp_path)
    journal = run.path / "metrics.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    if damage == "no file":
        journal.unlink()
    else:
        left = {
            "torn line": [*lines, b'{"epoch": 4, "lo'],
            "rows gone": lines[:1],
            "line flipped": [lines[0], b"\0" + lines[1][1:], lines[2]],
        }
        journal.write_bytes(b"".join(left.get(damage, [b"{\n", b"[]\n"])))
    assert start_resume(run) == (3, [])
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in whole.metrics()]
    assert [{key: value for key, value in row.items() if key != "seconds"} for row in run.metrics()] == rows[:3]
    if damage in ("torn line", "line flipped"):
        assert fingerprint(package.resume(run)) == fingerprint(whole)


def test_resume_of_a_run_that_early_stopping_ended_tells_and_records_it(tiny: Path, tmp_path: Path) -> None:
    """A run that was killed between its last checkpoint and its evaluation."""
    stopping = "train.callbacks=[EarlyStopping: {monitor: loss, mode: max, patience: 1}]"
    run = stopped(tiny, tmp_path, 2, stopping, "train.epochs=9")
    assert run.record().early_stop is None
    events: list[Event] = []
    record = package.resume(run, on_event=events.append).record()
    assert record.early_stop == runs.EarlyStop(epoch=2, monitor="loss", best_epoch=1, best=run.metrics()[0]["loss"])
    assert [event.epoch for event in events if isinstance(event, StoppedEarly)] == [2]

    with pytest.raises(UsageError, match="ended by EarlyStopping in epoch 2") as caught:
        package.resume(run, ["train.epochs=40"])
    assert f"dltrain fit {run.path / 'resolved.yaml'} -s 'train.callbacks=[]'" in str(caught.value.hint)


# An epoch has 6 steps.
@pytest.mark.parametrize(
    ("schedule", "epochs", "told"),
    [
        ("CosineDecay: {initial_learning_rate: 1e-2, decay_steps: 12}", 5, "epochs 3 to 5 learn nothing"),
        pytest.param(
            "CosineDecay: {initial_learning_rate: 1e-2, decay_steps: 15}",
            4,
            "epoch 4 learns nothing",
            marks=pytest.mark.slow,
        ),
        (
            "PolynomialDecay: {initial_learning_rate: 1e-2, decay_steps: 12, end_learning_rate: 0}",
            3,
            "epoch 3 learns nothing",
        ),
        ("PiecewiseConstantDecay: {boundaries: [11], values: [1e-2, 0]}", 3, "epoch 3 learns nothing"),
        ("CosineDecay: {initial_learning_rate: 1e-2, decay_steps: 12, alpha: 0.1}", 5, None),
        pytest.param("CosineDecay: {initial_learning_rate: 1e-2, decay_steps: 30}", 5, None, marks=pytest.mark.slow),
        pytest.param(
            "ExponentialDecay: {initial_learning_rate: 1e-2, decay_steps: 12, decay_rate: 0.5}",
            3,
            None,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_resume_tells_of_epochs_without_a_learning_rate(
    tiny: Path, tmp_path: Path, schedule: str, epochs: int, told: str | None
) -> None:
    run = package.fit(tiny, [f"train.optimizer.Adam.learning_rate={{{schedule}}}"], runs_dir=tmp_path)
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, Prepared):
            raise StopError

    with pytest.raises(StopError):
        package.resume(run, {"train.epochs": epochs}, on_event=listen)
    warned = [problem for event in events if isinstance(event, Warned) for problem in event.problems]
    assert [problem.where.file for problem in warned if problem.where] == [f"-s train.epochs={epochs}"] * bool(told)
    assert all(told is not None and told in problem.message for problem in warned)


def test_resume_rejects_a_run_in_progress(tiny: Path, tmp_path: Path) -> None:
    tried = []

    def listen(event: Any) -> None:
        if isinstance(event, EpochDone) and event.epoch == 1:
            with pytest.raises(RunError, match="is being trained by process"):
                package.resume("latest", runs_dir=tmp_path)
            tried.append(event)

    package.fit(tiny, runs_dir=tmp_path, on_event=listen)
    assert tried


def test_resume_rejects_a_diverged_run(trained: Trained, tmp_path: Path) -> None:
    run = copied(trained.stopped(1), tmp_path)
    run.finish("diverged")
    with pytest.raises(UsageError, match="has diverged"):
        package.resume(run)


def test_resume_rejects_a_config_that_extends_an_outside_file(trained: Trained, tiny: Path, tmp_path: Path) -> None:
    run = copied(trained.stopped(1), tmp_path / "runs")
    (run.path / "resolved.yaml").write_text(f"extends: ../../{tiny.name}\n")
    with pytest.raises(package.ConfigError, match="1 problem"):
        package.resume(run, force=True)


def test_resume_after_a_signal_works_as_the_hint_says(tiny: Path, trained: Trained, tmp_path: Path) -> None:
    def listen(event: Any) -> None:
        if isinstance(event, EpochDone) and event.epoch == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        package.fit(tiny, runs_dir=tmp_path, on_event=listen)
    run = package.load_run("latest", tmp_path)
    assert caught.value.hint == f"dltrain resume {run.path}"
    assert run.status() == "interrupted"
    assert fingerprint(package.resume(run)) == fingerprint(trained.finished())


@pytest.mark.parametrize(
    "name", slow_but(["日本", "Modèle-1"], ["модель", "日本", "é", "Modèle-1", "0.a_b-c", "हिन्दी"])
)
def test_resume_and_evaluate_a_run_with_a_name_in_any_script(tiny: Path, tmp_path: Path, name: str) -> None:
    run = stopped(tiny, tmp_path, 1, f"name={name}")
    assert run.record().name == name
    assert package.resume(run).status() == "completed"
    assert package.evaluate(run).samples > 0
