"""A config -> a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dltrain import runs
from dltrain.calls import flag_of, listener_of, path_of, text_of
from dltrain.config import load
from dltrain.engine.events import Listener, Warned, ignore
from dltrain.engine.inputs import load_data
from dltrain.engine.model.shards import choose_cores
from dltrain.engine.session import open_session
from dltrain.engine.trained import PREPROCESS, preprocess_of
from dltrain.engine.training.initial_weights import find_source
from dltrain.engine.training.job import Job, create_run, prepare
from dltrain.engine.training.profile import BUILD, LOAD, START, Stopwatch
from dltrain.engine.training.signals import StopSignal, not_begun
from dltrain.engine.training.train import train
from dltrain.errors import UsageError
from dltrain.names import slug, valid_name


def fit(
    config: Path | str | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    smoke: bool = False,
    name: str | None = None,
    runs_dir: Path | str = "runs",
    profile: bool = False,
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> runs.Run:
    """Train the model that a config describes, on a GPU when the backend finds one.

    Args:
        config: the YAML file, or what it would contain; then paths in it are relative to the working directory.
        overrides: `key.path=value` strings, or a mapping from key paths to values.
        smoke: train one epoch on 512 training and 128 test samples, and ignore `expect`.
        name: the run's name, instead of the config's.
        runs_dir: directory in which the run directory is created.
        profile: report where the time went, in an event and in the run's profile.json.
        owns_process: whether the process exits afterwards, as a command does. Then threads are chosen for this model,
            and a second signal ends the process.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such config, a name that no run can have, or a backend that is not installed.
        ConfigError: the config is invalid or its model cannot be trained; no run is created.
        ExpectationFailed: the run is complete, but a bound under `expect` does not hold.
        Diverged: the loss became NaN or infinite.
        Interrupted: SIGINT, SIGTERM or SIGHUP.
        DltrainError: the data cannot be read, or the run directory cannot be written.
    """
    directory = path_of(runs_dir, "`runs_dir`")
    listener_of(on_event)
    for what, value in (("smoke", smoke), ("profile", profile), ("owns_process", owns_process)):
        flag_of(value, f"`{what}`")
    if name is not None and not valid_name(text_of(name, "`name`")):
        raise UsageError(f"`{name}` cannot be a run's name", f"as in `{slug(name)}`: letters, digits, . _ -")
    plan = load(config, overrides, smoke=smoke, name=name)
    runs.ensure_writable(directory)
    if plan.checked.warnings:
        on_event(Warned(plan.checked.warnings))
    source = find_source(plan, directory)
    if source is not None:
        plan = plan.starting_from(source.origin)  # `latest` will be another run
    watch = Stopwatch()
    with StopSignal(on_event, owns_process) as stop:
        dataset = load_data(plan.spec, on_event, stop.check, told=plan.checked.told)
        watch.lap(LOAD)
        cores = choose_cores(plan, dataset.facts, owns_process)
        with ExitStack() as stack:
            with stop.may_leave(not_begun):
                opened = open_session(plan.spec, cores, owns_process=owns_process, on_event=on_event)
                session = stack.enter_context(opened)
                watch.lap(START)
                job = prepare(plan, dataset, session, on_event, source=source)
            return _trained(job, directory, stop, on_event, watch, profile)


def _trained(
    job: Job, directory: Path, stop: StopSignal, on_event: Listener, watch: Stopwatch, profile: bool
) -> runs.Run:
    watch.lap(BUILD)
    stop.check()
    with create_run(job, directory) as run:
        run.write_json(PREPROCESS, preprocess_of(job.dataset, job.plan.spec, job.built.adapted))
        run.write_json("validation_indices.json", job.dataset.validation_indices.tolist())
        if len(job.dataset.test_indices):
            run.write_json("test_indices.json", job.dataset.test_indices.tolist())
        return train(job, run, stop, on_event, watch=watch if profile else None)
